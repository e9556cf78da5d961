/* What a thread that acts at certain moments may do without privileges.
 *
 * The limits that a service manager sets are enough: RLIMIT_RTPRIO for a priority above all that is
 * ordinary, RLIMIT_MEMLOCK for memory that stays where it is. What such a thread starts is ordinary
 * again. futex(2) sleeps until a moment of CLOCK_MONOTONIC, never less, and ends when the word has
 * changed.
 *
 * Where control groups give no real-time time to theirs (CONFIG_RT_GROUP_SCHED and
 * cpu.rt_runtime_us of 0), nobody in it gets such a priority, not even root: it says so.
 *
 * Sources: sched(7), "Privileges and resource limits" and "The reset-on-fork flag"; mlock(2);
 * futex(2), FUTEX_WAIT_BITSET. */
#include "platform/realtime.h"
#include "ground.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NOBODY = 65534, LIMIT = 1 << 20, PRIORITY = 30, MS = 1000000 };

static void set_limit(int resource, rlim_t value)
{
    ground_require(setrlimit((__rlimit_resource_t)resource, &(struct rlimit){value, value}) == 0,
                   "setrlimit");
}

static void become_nobody(void)
{
    ground_require(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                       setresuid(NOBODY, NOBODY, NOBODY) == 0,
                   "becoming nobody");
}

static void *policy_of_a_thread(void *context)
{
    *(int *)context = sched_getscheduler(0);
    return NULL;
}

static int policy_of_another(void)
{
    pthread_t thread;
    int policy = -1;

    pthread_create(&thread, NULL, policy_of_a_thread, &policy);
    pthread_join(thread, NULL);
    return policy;
}

static void without_limits(struct ground *ground, void *context)
{
    static char memory[2 * LIMIT];

    (void)context;
    set_limit(RLIMIT_RTPRIO, 0);
    set_limit(RLIMIT_MEMLOCK, LIMIT);
    become_nobody();
    ground_expect_result(ground, "nobody becomes a real-time thread without a limit", -EPERM,
                         realtime_begin("hurried"));
    ground_expect_result(ground, "and locks what the limit allows", 0,
                         realtime_lock(memory, LIMIT / 2));
    ground_expect_result(ground, "and no more", -ENOMEM, realtime_lock(memory, sizeof memory));
}

static void within_limits(struct ground *ground, void *context)
{
    struct sched_param param;

    (void)context;
    set_limit(RLIMIT_RTPRIO, PRIORITY);
    become_nobody();
    ground_expect_result(ground, "nobody becomes a real-time thread within the limit", 0,
                         realtime_begin("hurried"));
    sched_getparam(0, &param);
    ground_expect(ground, "its policy", SCHED_FIFO | SCHED_RESET_ON_FORK, sched_getscheduler(0));
    ground_expect(ground, "its priority", PRIORITY, param.sched_priority);
    ground_expect(ground, "what it starts is ordinary", SCHED_OTHER, policy_of_another());
}

static void with_less(struct ground *ground, void *context)
{
    struct sched_param param;

    (void)context;
    set_limit(RLIMIT_RTPRIO, 5);
    become_nobody();
    ground_expect_result(ground, "a lower limit gives a lower priority", 0,
                         realtime_begin("hurried"));
    sched_getparam(0, &param);
    ground_expect(ground, "its priority", 5, param.sched_priority);
}

/* --- Sleep --------------------------------------------------------------------------------- */

static _Atomic uint32_t word;
static _Atomic bool slept;

static void *sleeper(void *context)
{
    while (atomic_load(&word) == 0)
        realtime_sleep(&word, 0, UINT64_MAX);
    atomic_store(&slept, true);
    return context;
}

static void check_sleep(struct ground *ground)
{
    uint64_t until = realtime_now() + 5ull * MS;
    pthread_t thread;

    realtime_sleep(&word, 0, until);
    ground_expect(ground, "a sleep is not too short", 1, realtime_now() >= until);
    realtime_sleep(&word, 0, until);
    realtime_sleep(&word, 1, UINT64_MAX);
    ground_expect(ground, "what has passed, and a word that has changed, are no sleep", 1, 1);
    pthread_create(&thread, NULL, sleeper, NULL);
    atomic_store(&word, 1);
    realtime_wake(&word);
    pthread_join(thread, NULL);
    ground_expect(ground, "who changes the word ends the sleep", 1, atomic_load(&slept));
}

static bool may_raise_limits(void)
{
    struct rlimit limit = {PRIORITY, PRIORITY};

    return setrlimit(RLIMIT_RTPRIO, &limit) == 0;
}

static bool group_has_time(void)
{
    struct sched_param param = {1};
    bool has = sched_setscheduler(0, SCHED_FIFO, &param) == 0;

    sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0});
    return has;
}

static void check(struct ground *ground)
{
    check_sleep(ground);
    if (setgroups(0, NULL) < 0) {
        printf("not tried: limits, for which root is needed\n");
        return;
    }
    ground_in_child(ground, without_limits, NULL);
    if (!may_raise_limits() || !group_has_time()) {
        printf(
            "not tried: real-time priorities, for which CAP_SYS_RESOURCE is needed, and a control "
            "group with time for them\n");
        return;
    }
    ground_in_child(ground, within_limits, NULL);
    ground_in_child(ground, with_less, NULL);
}

int main(void)
{
    return ground_run(check);
}
