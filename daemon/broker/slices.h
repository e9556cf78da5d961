/* Long work, done in slices between which the loop serves everybody.
 *
 * One job is at work at a time, and the next one begins when it has ended. While one is at work,
 * what would change routes waits, so that what a job has checked still holds when it is done. What
 * waits has its turn before the next job. */
#ifndef NB_SLICES_H
#define NB_SLICES_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

/* What a job says after each small step. */
enum slice_step {
    SLICE_MORE,
    SLICE_WAIT, /* for something outside: slices_wake goes on */
    SLICE_DONE,
};

/* Embedded in what the work is about. */
struct slice_job {
    TAILQ_ENTRY(slice_job) in_jobs; /* struct slices, which does not own it */
    /* Some microseconds of work. */
    enum slice_step (*step)(struct slice_job *job);
    /* It is done and may be freed. */
    void (*end)(struct slice_job *job);
};

struct slice_waiter {
    TAILQ_ENTRY(slice_waiter) in_waiters; /* struct slices, which does not own it */
    void (*resume)(struct slice_waiter *waiter);
};

struct slices {
    uv_idle_t idle;
    struct slice_job *current;          /* at work; not in jobs */
    TAILQ_HEAD(, slice_job) jobs;       /* that have not begun */
    TAILQ_HEAD(, slice_waiter) waiters; /* for the end of the current one */
};

void slices_init(struct slices *slices, uv_loop_t *loop);

/* Closes its handle; jobs that are left are not ended. */
void slices_stop(struct slices *slices);

/* The job is the caller's until its end is called, from the loop. */
void slices_add(struct slices *slices, struct slice_job *job);

/* Forgets a job that has not ended; end is not called. */
void slices_cancel(struct slices *slices, struct slice_job *job);

/* What the current job waited for is there. */
void slices_wake(struct slices *slices);

/* Whether a job is at work. */
bool slices_are_busy(const struct slices *slices);

/* resume is called, from the loop, when no job is at work. */
void slices_wait(struct slices *slices, struct slice_waiter *waiter);
void slices_wait_no_more(struct slices *slices, struct slice_waiter *waiter);

/* Does all jobs here and now, but those that wait for something outside. */
void slices_finish(struct slices *slices);

#endif
