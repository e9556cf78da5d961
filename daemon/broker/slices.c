#include "slices.h"

/* Then clients have their turn. */
enum { SLICE_NS = 1000 * 1000 };

static void begin_next(struct slices *slices)
{
    slices->current = TAILQ_FIRST(&slices->jobs);
    if (slices->current)
        TAILQ_REMOVE(&slices->jobs, slices->current, in_jobs);
}

static enum slice_step work(struct slices *slices)
{
    uint64_t end = uv_hrtime() + SLICE_NS;
    struct slice_job *job = slices->current;
    enum slice_step step;

    do
        step = job->step(job);
    while (step == SLICE_MORE && uv_hrtime() < end);
    if (step == SLICE_DONE) {
        slices->current = NULL;
        job->end(job);
    }
    return step;
}

/* Those who wait have one turn before the next job begins, all of them. */
static void resume_waiters(struct slices *slices)
{
    struct slice_waiter *waiter;

    while ((waiter = TAILQ_FIRST(&slices->waiters))) {
        TAILQ_REMOVE(&slices->waiters, waiter, in_waiters);
        waiter->resume(waiter);
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct slices *slices = idle->data;

    if (!slices->current) {
        resume_waiters(slices);
        begin_next(slices);
    }
    if (!slices->current || work(slices) == SLICE_WAIT)
        uv_idle_stop(idle);
}

void slices_init(struct slices *slices, uv_loop_t *loop)
{
    TAILQ_INIT(&slices->jobs);
    TAILQ_INIT(&slices->waiters);
    slices->current = NULL;
    uv_idle_init(loop, &slices->idle);
    slices->idle.data = slices;
}

void slices_stop(struct slices *slices)
{
    uv_close((uv_handle_t *)&slices->idle, NULL);
}

void slices_wake(struct slices *slices)
{
    if (!uv_is_closing((uv_handle_t *)&slices->idle))
        uv_idle_start(&slices->idle, on_idle);
}

void slices_add(struct slices *slices, struct slice_job *job)
{
    TAILQ_INSERT_TAIL(&slices->jobs, job, in_jobs);
    if (!slices->current)
        slices_wake(slices);
}

void slices_cancel(struct slices *slices, struct slice_job *job)
{
    if (slices->current == job) {
        slices->current = NULL;
        slices_wake(slices);
    } else {
        TAILQ_REMOVE(&slices->jobs, job, in_jobs);
    }
}

bool slices_are_busy(const struct slices *slices)
{
    return slices->current != NULL;
}

void slices_wait(struct slices *slices, struct slice_waiter *waiter)
{
    TAILQ_INSERT_TAIL(&slices->waiters, waiter, in_waiters);
}

void slices_wait_no_more(struct slices *slices, struct slice_waiter *waiter)
{
    TAILQ_REMOVE(&slices->waiters, waiter, in_waiters);
}

void slices_finish(struct slices *slices)
{
    enum slice_step step = SLICE_MORE;

    while (step != SLICE_WAIT) {
        if (!slices->current)
            begin_next(slices);
        if (!slices->current)
            return;
        step = work(slices);
    }
}
