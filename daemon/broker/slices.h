/* Long work, done in slices between which the loop serves everybody.
 *
 * Each user has a queue of jobs, and the first one of each is at work: users take turns, a slice
 * each, who used least of the processor's time lately first, and the time is charged to them. Each
 * fourth slice is the user's who waits longest, so that who used much is served as well.
 *
 * Most jobs hold nobody up: what only looks sees each thing as it is when it is looked at, and what
 * deletes what its holder has cannot be wrong by what others do meanwhile. A job that must find
 * what it has checked as it was, holds others up (slices_hold) from its first check to its last
 * change: one job at a time, which has every second slice then, so that nobody waits for long.
 * Changes that such a job concerns wait, and those of its own user; each user who waited has a turn
 * before the next job holds others up. */
#ifndef NB_SLICES_H
#define NB_SLICES_H

#include "decode.h"
#include "error.h"
#include "lease.h"
#include "waiter.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

enum {
    /* Of one user, at a time. Each has less than 1 KiB, beside the set that it is about. */
    SLICE_JOBS_MAX = 256,
};

/* What a job says after each small step. */
enum slice_step {
    SLICE_MORE,
    SLICE_WAIT, /* for something outside: slices_wake goes on */
    SLICE_DONE,
};

/* Whose changes wait while a job is at work. */
enum slice_hold { HOLD_NOBODY, HOLD_OWN, HOLD_OTHERS };

/* Embedded in what the work is about. Those who add it fill in the functions; the rest is {0}. */
struct slice_job {
    TAILQ_ENTRY(slice_job) in_user; /* struct slice_user, which does not own it */
    /* Some microseconds of work. */
    enum slice_step (*step)(struct slice_job *job);
    /* It is done and may be freed. */
    void (*end)(struct slice_job *job);
    /* Whether another user's request would change what the job has checked. NULL: each would. */
    bool (*concerns)(const struct slice_job *job, const struct request *request);
    struct transaction transaction; /* of what its steps change; done before its end */

    struct slice_user *user; /* whose it is, not owned */
    enum slice_hold hold;    /* that it has now */
    bool waits;              /* until slices_wake */
    bool wants_hold;         /* of others, as soon as it may */
};

TAILQ_HEAD(slice_jobs, slice_job);

/* Embedded in the account of each user. */
struct slice_user {
    TAILQ_ENTRY(slice_user) in_slices; /* struct slices, while it has jobs or waiters */
    struct slices *slices;             /* NULL: it has none */
    struct slice_jobs jobs;            /* the first one is at work */
    unsigned job_count;
    struct waiters waiters, due; /* for the end of a job that holds them up; that it ended */
    bool has_turn;               /* before others are held up again */
    const uint64_t *busy_ns;     /* the processor's time that the user used lately */
    void (*charge)(struct slice_user *user, uint64_t ns);
};

struct slices {
    uv_idle_t idle;
    uint64_t (*clock)(void); /* in ns; uv_hrtime */
    struct leases *leases;
    TAILQ_HEAD(, slice_user) users; /* who have something here; who was served last is the last */
    struct slice_user *served;      /* now; NULL: nobody */
    struct slice_job *holder;       /* that holds others up; NULL: none */
    bool holder_was_last;           /* to have a slice */
    unsigned count;                 /* of slices */
    bool owes;                      /* a turn to some who waited for a holder */
    struct slice_user service;      /* for work that no user asked for */
    uint64_t service_ns;            /* its time */
};

void slices_init(struct slices *slices, uv_loop_t *loop, struct leases *leases);

/* Closes its handle; jobs that are left are not ended. */
void slices_stop(struct slices *slices);

/* busy_ns: the user's time, borrowed. charge adds to it. */
void slice_user_init(struct slice_user *user, const uint64_t *busy_ns,
                     void (*charge)(struct slice_user *user, uint64_t ns));

/* Whether its memory may go: it has no job, and nothing of it waits. */
bool slice_user_may_go(struct slice_user *user);

/* Whether the user may have one job more. */
bool slice_user_has_room(const struct slice_user *user, struct error *error);

/* The job is the caller's until its end is called, from the loop. */
void slices_add(struct slices *slices, struct slice_user *user, struct slice_job *job);

/* Forgets a job that has not ended; end is not called. */
void slices_cancel(struct slices *slices, struct slice_job *job);

/* What the job waited for is there. */
void slices_wake(struct slices *slices, struct slice_job *job);

/* For a step of the job: from now on these changes wait, until slices_release or the job's end.
 * False: another job holds others up; the step says SLICE_WAIT then, and is called again. */
bool slices_hold(struct slices *slices, struct slice_job *job, enum slice_hold hold);
void slices_release(struct slices *slices, struct slice_job *job);

/* Whether the user's request, which changes something, has to wait; and makes its waiter wait. Who
 * is resumed asks again. */
bool slices_hold_up(const struct slices *slices, const struct slice_user *user,
                    const struct request *request);
void slices_wait(struct slices *slices, struct slice_user *user, struct waiter *waiter);

/* Whether there are jobs. */
bool slices_are_busy(const struct slices *slices);

/* Does all jobs here and now, but those that wait for something outside. */
void slices_finish(struct slices *slices);

#endif
