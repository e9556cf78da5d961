/* The timed sender as the loop has it: its thread, which begins with the first stream, what users
 * may have of it, and whether it works.
 *
 * A thread that runs before all others must not have the machine for itself: what all streams
 * together send is bounded, and so is a user's part. And who asks for a rate is told where this
 * machine cannot hold it: what a frame costs is measured, as the processor's time of the thread. At
 * the beginning it is that of waking up; a frame costs about 4 us then, of which sending takes 1.
 * A processor that has slept meanwhile takes up to 20 us for the same, but it does not sleep where
 * a thread is near its bound: so what is seen at the beginning is believed up to 5 us, and what is
 * seen in seconds with little work may lower the cost, and not raise it.
 */
#ifndef NB_INJECT_TIMED_THREAD_H
#define NB_INJECT_TIMED_THREAD_H

#include "broker/pool.h"
#include "limit.h"
#include "timed.h"

#include <uv.h>

enum {
    TIMED_PERCENT_MAX = 80,     /* of a processor, for all streams that have asked for a rate */
    TIMED_FRAMES_LEAST = 1000,  /* in a second, by which a cost is measured */
    TIMED_COST_PART = 8,        /* of what a second shows, that it changes the cost by */
    TIMED_BUSY_NS = 500000000,  /* spent in a second: what a frame costs then may raise it */
    TIMED_COST_BELIEVED = 5000, /* ns, of waking up: a processor that sleeps deeply takes longer */
    TIMED_COST_WAIT_MS = 1000,  /* for the cost to be found at the beginning */
};

/* What a frame costs, and who has asked for how many. */
struct timed_cost {
    uint32_t ns;                  /* of the processor's time; 0: not known */
    bool has_sent;                /* frames were sent when it was measured */
    uint64_t asked;               /* frames a second of those who have asked for a rate */
    uint64_t spent, frames, vain; /* when they were looked at last */
};

struct timed_thread {
    struct timed *timed; /* owned; NULL: no stream was there yet */
    bool is_running;
    uv_thread_t thread;
    struct pool streams, rates; /* rates: of frames a second */
    uint32_t rate_share;        /* of one user */
    uint64_t turns;             /* when they were looked at last */
    unsigned silent;            /* seconds since there was one */
    struct timed_cost cost;
};

/* pools: may be NULL. */
void timed_thread_init(struct timed_thread *thread, struct pools *pools);
void timed_thread_set_limits(struct timed_thread *thread, const struct limits *limits);

/* What a stream that names no rate gets. */
uint32_t timed_thread_rate(const struct timed_thread *thread);

/* Whether the user may have another stream of this rate; and counts one, or gives it back. */
bool timed_thread_may(struct timed_thread *thread, uid_t uid, uint32_t rate, struct error *error);
void timed_thread_charge(struct timed_thread *thread, uid_t uid, uint32_t rate);
void timed_thread_return(struct timed_thread *thread, uid_t uid, uint32_t rate);

/* Whether a processor can hold so many frames a second more: where a rate was asked for. It can as
 * long as it is not known what one costs. */
bool timed_cost_allows(const struct timed_cost *cost, uint32_t rate, struct error *error);

/* So much was spent, on so many frames and on so much that sent none, since it was looked last:
 * nobody makes others' frames seem dear by having the thread work for nothing. */
void timed_cost_follow(struct timed_cost *cost, uint64_t spent, uint64_t frames, uint64_t vain);

/* Those whose rate was asked for. */
void timed_cost_charge(struct timed_cost *cost, uint32_t rate);
void timed_cost_return(struct timed_cost *cost, uint32_t rate);

/* Waits until it is known what waking up costs, or for TIMED_COST_WAIT_MS; by any thread but the
 * loop's. timed_thread_look: has it known here, too. */
void timed_wait_for_cost(const struct timed *timed);
void timed_thread_look(struct timed_thread *thread);

/* Starts it, if it does not run. 0 or a negative errno. */
int timed_thread_start(struct timed_thread *thread);

/* Ends it, and waits for that; all streams must have left. What it showed stays, for other threads
 * that look at it, until timed_thread_free. */
void timed_thread_stop(struct timed_thread *thread);
void timed_thread_free(struct timed_thread *thread);

/* A second has passed. False: it is stuck. */
bool timed_thread_tick(struct timed_thread *thread, unsigned seconds);

/* Whether it runs with a real-time priority, and its memory is locked; or does not run. */
bool timed_thread_hurries(const struct timed_thread *thread);
bool timed_thread_is_locked(const struct timed_thread *thread);

#endif
