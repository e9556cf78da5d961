/* A kind of resource for tests alone: a named counter (eventfd(2)) that the keeper opens and keeps,
 * and that is lent to each of its holders. It is built only with NB_TEST_KINDS, and has all that a
 * kind needs at its smallest. */
#ifndef NB_NULL_H
#define NB_NULL_H

#include "broker/waiter.h"
#include "broker/wire/call.h"
#include "operations.h"

struct null {
    LIST_ENTRY(null) in_kind; /* struct null_kind owns it, until it is gone */
    struct resource resource; /* held by nobody: inherited, and not restored yet */
    struct null_kind *kind;
    struct keeper_call opening; /* while it is asked; then the call owns one that is gone */
    struct waiters waiters;     /* for the descriptor */
    char name[NULL_NAME_MAX + 1];
    int fd; /* owned; -1: the keeper is asked for it */
    bool asked, gone;
    unsigned lent; /* how often, by this broker */
};

struct null_kind {
    struct resource_host host;
    LIST_HEAD(, null) list;
};

struct null *null_find(const struct null_kind *kind, const char *name);

/* Begins the holder's lease on the one of this name, which is made where there is none. Its
 * descriptor may come later. NULL: *error says why. */
struct null *null_add(struct null_kind *kind, const char *name, const struct holder *holder,
                      struct error *error);

/* Ends what the holder has of it; an administrator who has nothing takes it away. *ret_kept: others
 * hold it still. */
bool null_del(struct null_kind *kind, const char *name, const struct holder *holder, bool dry_run,
              bool *ret_kept, struct error *error);

extern const struct resource_ops null_ops;

#endif
