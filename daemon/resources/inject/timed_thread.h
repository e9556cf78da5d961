/* The timed sender as the loop has it: its thread, which begins with the first stream, what users
 * may have of it, and whether it works.
 *
 * A thread that runs before all others must not have the machine for itself: what all streams
 * together send is bounded, and so is a user's part. A frame that wakes the thread costs 4 us of a
 * processor, of which sending takes 1. */
#ifndef NB_INJECT_TIMED_THREAD_H
#define NB_INJECT_TIMED_THREAD_H

#include "broker/pool.h"
#include "limit.h"
#include "timed.h"

#include <uv.h>

struct timed_thread {
    struct timed *timed; /* owned; NULL: no stream was there yet */
    uv_thread_t thread;
    struct pool streams, rates; /* rates: of frames a second */
    uint32_t rate_share;        /* of one user */
    uint64_t turns;             /* when they were looked at last */
    unsigned silent;            /* seconds since there was one */
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

/* Starts it, if it does not run. 0 or a negative errno. */
int timed_thread_start(struct timed_thread *thread);

/* Ends it, and waits for that; all streams must have left. */
void timed_thread_stop(struct timed_thread *thread);

/* A second has passed. False: it is stuck. */
bool timed_thread_tick(struct timed_thread *thread, unsigned seconds);

/* Whether it runs with a real-time priority, and its memory is locked; or does not run. */
bool timed_thread_hurries(const struct timed_thread *thread);
bool timed_thread_is_locked(const struct timed_thread *thread);

#endif
