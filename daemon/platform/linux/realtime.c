/* Time on Linux. futex(2) sleeps by the same timer as clock_nanosleep(2) and is as exact, and who
 * has something to say ends the sleep at once; no descriptor and no signal is needed. */
#include "platform/realtime.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK /* sched(7): what it starts is ordinary again */
#define SCHED_RESET_ON_FORK 0x40000000
#endif
#if !defined SYS_futex && defined SYS_futex_time64 /* where only the 64-bit time is */
#define SYS_futex SYS_futex_time64
#endif

enum {
    PRIORITY = 30, /* below the kernel's own threads for interrupts, which have 50 */
    STACK = 16384, /* bytes that a thread with short work needs */
    SECOND = 1000000000,
};

/* #syscalls broker: sched_setscheduler prctl prlimit64 */
int realtime_begin(const char *name)
{
    struct sched_param priority = {.sched_priority = PRIORITY};
    struct rlimit limit;

    prctl(PR_SET_NAME, name, 0, 0, 0);
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0 && limit.rlim_cur < PRIORITY)
        priority.sched_priority = (int)limit.rlim_cur;
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) < 0 ? -errno : 0;
}

/* #syscalls broker: mlock munlock */
int realtime_lock(const void *memory, size_t size)
{
    return mlock(memory, size) < 0 ? -errno : 0;
}

void realtime_unlock(const void *memory, size_t size)
{
    munlock(memory, size);
}

int realtime_lock_stack(void)
{
    volatile unsigned char stack[STACK];

    for (size_t i = 0; i < sizeof stack; i += 1024)
        stack[i] = 0;
    return realtime_lock((const void *)stack, sizeof stack);
}

static uint64_t now_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

uint64_t realtime_now(void)
{
    return now_of(CLOCK_MONOTONIC);
}

uint64_t realtime_wall(void)
{
    return now_of(CLOCK_REALTIME);
}

int realtime_clock(void)
{
    clockid_t clock = CLOCK_THREAD_CPUTIME_ID;

    pthread_getcpuclockid(pthread_self(), &clock);
    return clock;
}

/* #syscalls broker: clock_gettime clock_gettime64 */
uint64_t realtime_spent(int clock)
{
    struct timespec spent = {0, 0};

    clock_gettime(clock, &spent);
    return (uint64_t)spent.tv_sec * SECOND + (uint64_t)spent.tv_nsec;
}

/* #syscalls broker: futex futex_time64 */
bool realtime_sleep(const _Atomic uint32_t *word, uint32_t was, uint64_t until)
{
    struct timespec end = {(time_t)(until / SECOND), (long)(until % SECOND)};

    return syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, was, &end, NULL,
                   FUTEX_BITSET_MATCH_ANY) == 0 ||
           errno != EAGAIN;
}

void realtime_wake(const _Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}
