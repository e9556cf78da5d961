/* Time without privileges: sleeps are short. */
#include "platform/realtime.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

int realtime_begin(const char *name)
{
    (void)name;
    return -EPERM;
}

int realtime_lock(const void *memory, size_t size)
{
    (void)memory;
    (void)size;
    return 0;
}

void realtime_unlock(const void *memory, size_t size)
{
    (void)memory;
    (void)size;
}

int realtime_lock_stack(void)
{
    return 0;
}

static uint64_t now_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
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

uint64_t realtime_spent(int clock)
{
    return now_of(clock);
}

bool realtime_sleep(const _Atomic uint32_t *word, uint32_t was, uint64_t until)
{
    uint64_t now = realtime_now(), most = 1000000;
    struct timespec rest = {0, (long)(until - now < most ? until - now : most)};

    if (atomic_load(word) != was)
        return false;
    if (until > now)
        nanosleep(&rest, NULL);
    return true;
}

void realtime_wake(const _Atomic uint32_t *word)
{
    (void)word;
}
