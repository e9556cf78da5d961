#include "thread_work.h"

static void act(uv_work_t *uv)
{
    struct thread_work *work = uv->data;

    work->result = work->act(work);
}

static void end(uv_work_t *uv, int status)
{
    struct thread_work *work = uv->data;

    (void)status; /* nobody cancels it */
    work->done(work);
}

void thread_work_begin(struct thread_work *work, uv_loop_t *loop,
                       int (*by_thread)(struct thread_work *work),
                       void (*done)(struct thread_work *work))
{
    *work = (struct thread_work){.act = by_thread, .done = done};
    work->work.data = work;
    uv_queue_work(loop, &work->work, act, end);
}
