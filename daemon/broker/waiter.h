/* Who waits for something that comes later: on a list of what comes. */
#ifndef NB_WAITER_H
#define NB_WAITER_H

#include "error.h"

#include <stdbool.h>
#include <sys/queue.h>

TAILQ_HEAD(waiters, waiter);

/* Embedded in whatever waits. */
struct waiter {
    TAILQ_ENTRY(waiter) in_list; /* not owned */
    struct waiters *list;        /* NULL: it does not wait */
    /* Called once, from the loop. error: why it does not come; NULL: it is there. */
    void (*resume)(struct waiter *waiter, const struct error *error);
};

void waiters_add(struct waiters *list, struct waiter *waiter);

/* Resumes all, the first one first. The list may go meanwhile, and waiters may be cancelled; who
 * waits anew waits for the next time. */
void waiters_resume(struct waiters *list, const struct error *error);

/* Also of one that does not wait. */
void waiter_cancel(struct waiter *waiter);

#endif
