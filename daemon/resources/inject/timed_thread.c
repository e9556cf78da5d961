#include "timed_thread.h"

#include "platform/realtime.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { ORDINARY_PART = 4 }; /* of a user's share */

static const struct pool_words stream_words = {
    "timed_streams",
    "injectors whose frames have a time",
    "timed-streams-per-user of netbrokerd.conf(5)",
    NULL,
    "End one first; 'netbroker inject list' lists them.",
    false,
};

static const struct pool_words rate_words = {
    "timed_rate",
    "frames a second of injectors whose frames have a time",
    "timed-rate-per-user of netbrokerd.conf(5)",
    "timed-rate of netbrokerd.conf(5)",
    "Ask for a lower 'rate', or end an injector first; 'netbroker inject list' lists them.",
    false,
};

void timed_thread_init(struct timed_thread *thread, struct pools *pools)
{
    *thread = (struct timed_thread){0};
    if (pools) {
        pools_add(pools, &thread->streams, &stream_words);
        pools_add(pools, &thread->rates, &rate_words);
    }
    timed_thread_set_limits(thread, &LIMITS_DEFAULT);
}

void timed_thread_set_limits(struct timed_thread *thread, const struct limits *limits)
{
    uint64_t rate = limits->timed_rate;

    thread->rate_share = limits->timed_rate_per_user;
    pool_bound(&thread->streams,
               &(struct pool_bounds){TIMED_STREAMS_MAX, limits->timed_streams_per_user,
                                     TIMED_STREAMS_MAX / POOL_RESERVE_PART, 0});
    pool_bound(&thread->rates,
               &(struct pool_bounds){rate, thread->rate_share, rate / POOL_RESERVE_PART, 0});
}

uint32_t timed_thread_rate(const struct timed_thread *thread)
{
    uint32_t part = thread->rate_share / ORDINARY_PART;

    return part > 0 ? part : 1;
}

bool timed_thread_may(struct timed_thread *thread, uid_t uid, uint32_t rate, struct error *error)
{
    return pool_may(&thread->streams, uid, &(struct pool_request){.more = 1}, error) &&
           pool_may(&thread->rates, uid, &(struct pool_request){.more = rate}, error);
}

void timed_thread_charge(struct timed_thread *thread, uid_t uid, uint32_t rate)
{
    pool_force(&thread->streams, uid, 1);
    pool_force(&thread->rates, uid, rate);
}

void timed_thread_return(struct timed_thread *thread, uid_t uid, uint32_t rate)
{
    pool_return(&thread->streams, uid, 1);
    pool_return(&thread->rates, uid, rate);
}

/* --- What a frame costs -------------------------------------------------------------------- */

static uint64_t percent_of(const struct timed_cost *cost, uint64_t rate)
{
    return rate * cost->ns / 10000000;
}

bool timed_cost_allows(const struct timed_cost *cost, uint32_t rate, struct error *error)
{
    uint64_t percent = percent_of(cost, cost->asked + rate);

    if (percent <= TIMED_PERCENT_MAX)
        return true;
    return error_set(
        error, ERROR_LIMIT, "rate",
        "%" PRIu32 " frames a second need %" PRIu32 ".%" PRIu32
        " us each on this machine (measured%s), with the %" PRIu64 " of other streams %" PRIu64
        " %% of a processor; at most %d %% may be used for frames that have a time. "
        "Ask for a lower 'rate', or end an injector first; 'netbroker inject list' "
        "lists them.",
        rate, cost->ns / 1000, cost->ns % 1000 / 100, cost->has_sent ? "" : ", without sending",
        cost->asked, percent, TIMED_PERCENT_MAX);
}

void timed_cost_follow(struct timed_cost *cost, uint64_t spent, uint64_t frames, uint64_t vain)
{
    int64_t seen;

    if (frames < TIMED_FRAMES_LEAST)
        return;
    seen = (int64_t)(spent / (frames + vain));
    cost->has_sent = true;
    if (seen < (int64_t)cost->ns || spent >= TIMED_BUSY_NS)
        cost->ns = (uint32_t)((int64_t)cost->ns + (seen - (int64_t)cost->ns) / TIMED_COST_PART);
}

void timed_cost_charge(struct timed_cost *cost, uint32_t rate)
{
    cost->asked += rate;
}

void timed_cost_return(struct timed_cost *cost, uint32_t rate)
{
    cost->asked -= rate;
}

/* #syscalls broker: poll ppoll ppoll_time64 */
void timed_wait_for_cost(const struct timed *timed)
{
    for (unsigned i = 0; i < TIMED_COST_WAIT_MS && atomic_load(&timed->cost) == 0; i++)
        poll(NULL, 0, 1);
}

/* The first look begins to count. */
void timed_thread_look(struct timed_thread *thread)
{
    struct timed_cost *cost = &thread->cost;

    if (cost->ns > 0 || !thread->timed)
        return;
    cost->ns = atomic_load(&thread->timed->cost);
    if (cost->ns == 0)
        return;
    if (cost->ns > TIMED_COST_BELIEVED)
        cost->ns = TIMED_COST_BELIEVED;
    cost->spent = realtime_spent(atomic_load(&thread->timed->clock));
    cost->frames = atomic_load(&thread->timed->frames);
    cost->vain = atomic_load(&thread->timed->vain);
}

static void look_at_cost(struct timed_thread *thread)
{
    struct timed_cost *cost = &thread->cost;
    uint64_t spent, frames, vain;

    timed_thread_look(thread);
    if (cost->ns == 0 || !thread->is_running)
        return;
    spent = realtime_spent(atomic_load(&thread->timed->clock));
    frames = atomic_load(&thread->timed->frames);
    vain = atomic_load(&thread->timed->vain);
    timed_cost_follow(cost, spent - cost->spent, frames - cost->frames, vain - cost->vain);
    cost->spent = spent;
    cost->frames = frames;
    cost->vain = vain;
}

/* --- The thread ---------------------------------------------------------------------------- */

static void run(void *context)
{
    timed_run(context);
}

int timed_thread_start(struct timed_thread *thread)
{
    struct timed *timed;
    int result;

    if (thread->timed)
        return 0;
    timed = aligned_alloc(_Alignof(struct timed), sizeof *timed);
    if (!timed)
        return -ENOMEM;
    memset(timed, 0, sizeof *timed);
    atomic_store(&timed->priority, -EAGAIN);
    atomic_store(&timed->locked, -EAGAIN);
    thread->cost.ns = 0;
    thread->cost.has_sent = false;
    result = uv_thread_create(&thread->thread, run, timed);
    thread->is_running = result == 0;
    if (thread->is_running)
        thread->timed = timed;
    else
        free(timed);
    return result;
}

void timed_thread_stop(struct timed_thread *thread)
{
    if (!thread->is_running)
        return;
    timed_stop(thread->timed);
    uv_thread_join(&thread->thread);
    thread->is_running = false;
}

void timed_thread_free(struct timed_thread *thread)
{
    timed_thread_stop(thread);
    free(thread->timed);
    thread->timed = NULL;
}

bool timed_thread_tick(struct timed_thread *thread, unsigned seconds)
{
    uint64_t turns =
        thread->timed ? atomic_load_explicit(&thread->timed->turns, memory_order_relaxed) : 0;

    look_at_cost(thread);
    thread->silent = thread->is_running && turns == thread->turns ? thread->silent + 1 : 0;
    thread->turns = turns;
    return thread->silent < seconds;
}

bool timed_thread_hurries(const struct timed_thread *thread)
{
    return thread->timed && atomic_load(&thread->timed->priority) == 0;
}

bool timed_thread_is_locked(const struct timed_thread *thread)
{
    return thread->timed && atomic_load(&thread->timed->locked) == 0;
}
