/* Work that takes long, by a thread of libuv's, while the loop goes on: memory that is provided as
 * it is made, or given back. To zero 16 MiB takes some 3 ms, to give them back 2. */
#ifndef NB_THREAD_WORK_H
#define NB_THREAD_WORK_H

#include <uv.h>

/* What it works on belongs to the thread until `done` is called. */
struct thread_work {
    uv_work_t work;
    int (*act)(struct thread_work *work);   /* by the thread; 0 or a negative errno */
    void (*done)(struct thread_work *work); /* by the loop; may free this */
    int result;                             /* of act */
};

void thread_work_begin(struct thread_work *work, uv_loop_t *loop,
                       int (*act)(struct thread_work *work),
                       void (*done)(struct thread_work *work));

#endif
