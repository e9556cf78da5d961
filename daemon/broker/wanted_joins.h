/* The joins of the administrator's files, from when they are read until they are applied. */
#ifndef NB_WANTED_JOINS_H
#define NB_WANTED_JOINS_H

#include "resources/joins/joins.h"

#include <sys/queue.h>

struct wanted_joins {
    STAILQ_HEAD(, wanted_join) list; /* owned */
    size_t memberships;              /* that all stand for */
};

/* Adds what a line asks for. False with *error: it cannot be, whatever interfaces there are. */
bool wanted_joins_add(struct wanted_joins *wanted, const struct args_add_join *args,
                      struct error *error);

/* Adds all of them to the joins, held by the owner, and with sweep lets go of what the owner's kind
 * held in other generations. Tells in the log what was done, with the path of the files. lease is
 * called for the lease of each. */
void wanted_joins_apply(const struct wanted_joins *wanted, struct joins *joins,
                        const struct owner *owner, const char *path, bool sweep,
                        struct lease (*lease)(void *context), void *context);

void wanted_joins_clear(struct wanted_joins *wanted);

#endif
