#include "waiter.h"

#include <stddef.h>

void waiters_add(struct waiters *list, struct waiter *waiter)
{
    TAILQ_INSERT_TAIL(list, waiter, in_list);
    waiter->list = list;
}

void waiters_resume(struct waiters *list, const struct error *error)
{
    struct waiters now = TAILQ_HEAD_INITIALIZER(now);
    struct waiter *waiter;

    TAILQ_CONCAT(&now, list, in_list);
    TAILQ_FOREACH (waiter, &now, in_list)
        waiter->list = &now;
    while ((waiter = TAILQ_FIRST(&now))) {
        waiter_cancel(waiter);
        waiter->resume(waiter, error);
    }
}

void waiter_cancel(struct waiter *waiter)
{
    if (!waiter->list)
        return;
    TAILQ_REMOVE(waiter->list, waiter, in_list);
    waiter->list = NULL;
}
