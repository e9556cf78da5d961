/* What a kind of resource offers to the broker, which knows none by name. See resources/kinds.c for
 * the list of kinds. */
#ifndef NB_RESOURCE_H
#define NB_RESOURCE_H

#include "decode.h"
#include "json.h"
#include "keeper_link.h"
#include "lease.h"
#include "limit.h"
#include "netifs.h"
#include "waiter.h"

#include <stddef.h>
#include <uv.h>

struct closer;
struct config;
struct events;
struct pools;
struct policy;
struct producer;
struct reader;
struct slices;
struct target;

enum { RESOURCE_TEXT_MAX = 256, KINDS_MAX = 8 };

enum restoring { RESTORE_DONE, RESTORE_REFUSED, RESTORE_WAITS, RESTORE_GONE };

/* What a kind works with; all borrowed. */
struct resource_host {
    uv_loop_t *loop; /* NULL: there is none, and nothing waits for a moment */
    struct keeper_link *keeper;
    struct netifs *netifs;
    struct leases *leases;
    struct slices *slices;
    struct events *events;
    struct pools *pools;         /* of users; NULL: nothing is charged */
    const struct policy *policy; /* NULL: everything is allowed */
    const struct config *config; /* as the service was started; NULL: what holds without a file */
    struct closer **closer;      /* of closer.h; NULL: there is none */
    const bool *ending;          /* the service stops; NULL: it does not */
    int counters[2];             /* of IPv4 and IPv6, of diagnose.h; negative: none */
    uint64_t seed;               /* a random number that no client knows */
};

/* How what the administrator's files want of a kind is applied: as a difference to what they wanted
 * before. */
struct configured_plan {
    const char *path;                             /* for the log */
    uint32_t generation;                          /* of this load; no other has it */
    bool keeps_others;                            /* what is not named stays */
    void (*done)(void *context, bool is_applied); /* once, perhaps at once */
    void *context;
};

/* A kind's part of what the files want. It begins and grows in a thread of its own, and so looks at
 * nothing else. */
struct configured_set;
struct configured_ops {
    struct configured_set *(*begin)(void); /* NULL: no memory */
    /* Takes a statement. False with *error: it cannot be, whatever interfaces there are. */
    bool (*add)(struct configured_set *set, const struct request *request, struct error *error);
    void (*apply)(void *self, struct configured_set *set, const struct configured_plan *plan);
    /* Before anything was applied: it is not, and done is not called. Else false. NULL: it is
     * applied at once. */
    bool (*cancel)(struct configured_set *set);
    void (*free)(struct configured_set *set);
};

struct resource_ops {
    const char *kind;       /* its word in LEASES, e.g. "mfc" */
    const char *verbs;      /* what its verbs in a policy begin with, e.g. "mroute" */
    const char *read_verb;  /* who may be told of its resources, e.g. "mroute.read" */
    const char *end_action; /* the action that the end of a lease is recorded as */

    /* --- A kind's life ---------------------------------------------------------------------- */

    /* False: no memory. */
    bool (*start)(const struct resource_host *host, void **ret_self);
    /* Closes its handles, if it has any (else NULL); and, when the loop has ended, frees it. */
    void (*stop)(void *self);
    void (*free)(void *self);
    /* Takes what the keeper kept, owned from now on, if its name is one of the kind's. NULL: it
     * takes nothing. */
    bool (*inherit)(void *self, const char *name, int fd);
    /* All was inherited. */
    void (*begin)(void *self);
    /* Makes what such a request says (see write_wanted), and the holder's lease on it, or takes it
     * over where it is there already. REFUSED: *error says why. WAITS: nothing was done, and it is
     * to be called again when the waiter is resumed. GONE: what it was on has ended by itself, and
     * so has the lease. NULL: always GONE, since only connections hold what the kind has. */
    enum restoring (*restore)(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error);
    /* All that is wanted was told. What is there besides goes; unless not all is known (whole is
     * false): then it is held as found. NULL: there is nothing besides. */
    void (*settled)(void *self, bool whole);
    /* Each of these may be NULL. */
    void (*netif_changed)(void *self, const struct netif *was, const struct netif *is);
    void (*set_limits)(void *self, const struct limits *limits);
    void (*tick)(void *self); /* each second */

    /* --- What there is, for people and monitors --------------------------------------------- */

    const char *noun; /* of one of them, e.g. "route" */
    size_t (*count)(void *self);
    /* Adds a member of its own to STATUS, as far as the reader may read it. */
    void (*write_status)(void *self, struct json *out, const struct reader *reader);
    /* Its part of METRICS (see metrics.h), for this reader; with each: also of each resource, all
     * of which it may read. NULL: it has none, or no memory. */
    struct producer *(*metrics)(void *self, bool each, const struct reader *reader);

    /* --- One of its resources --------------------------------------------------------------- */

    /* A lease of the user on it begins, or ends: what is given out of pools is charged. NULL:
     * nothing is. */
    void (*leased)(struct resource *resource, uid_t uid, bool begins);
    /* The last lease on it ended: it goes. */
    void (*release)(struct resource *resource);
    /* Writes what it is to text[RESOURCE_TEXT_MAX], for people. */
    void (*describe)(const struct resource *resource, char *text);
    /* What it is to the policy. Names are borrowed until it changes. */
    void (*get_target)(const struct resource *resource, struct target *ret);
    /* Adds the members `action` and `payload` of the request that would make it. */
    void (*write_wanted)(const struct resource *resource, struct json *out);

    const struct configured_ops *configured; /* NULL: files have no statements for it */

    /* --- Requests, before they are done ----------------------------------------------------- */

    /* Adds the interfaces of what the request would replace or delete, or be given where it does
     * not name one. NULL: nothing. */
    void (*add_displaced)(void *self, const struct request *request, struct target *target);
    /* Each resource that others hold and that would lose something to what the holder requests,
     * though it is not replaced, until visit returns false; lost: what it would lose, as the
     * policy sees it. NULL: nothing is ever lost so. */
    void (*visit_overridden)(void *self, const struct request *request, const struct holder *holder,
                             bool (*visit)(void *context, const struct resource *loser,
                                           const struct target *lost),
                             void *context);
    /* Whether what the request would delete is not there; then *error says so. */
    bool (*is_missing)(void *self, const struct request *request, uid_t uid, struct error *error);
};

/* The kinds, NULL behind the last. */
extern const struct resource_ops *const kinds[];

/* What each kind's operations work on, by its place in the list. */
struct kind_selves {
    void *list[KINDS_MAX];
};

void *kind_self(const struct kind_selves *selves, const struct resource_ops *ops);
void kind_set_self(struct kind_selves *selves, const struct resource_ops *ops, void *self);

/* The kind that a verb of a policy belongs to, e.g. "mroute.write"; NULL where it is the service's
 * own. */
const struct resource_ops *kind_of_verb(const char *verb);

/* The resource that a struct embeds as the member `resource`. */
#define resource_container(resource, type) ((type *)((char *)(resource)-offsetof(type, resource)))

#endif
