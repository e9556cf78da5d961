/* What the files of this folder share: one join, what it stands for and how far the kernel has it,
 * and the queues of work. */
#ifndef NB_JOIN_H
#define NB_JOIN_H

#include "broker/shared.h"
#include "hash.h"
#include "joins.h"
#include "platform/joins.h"
#include "sockets.h"

/* The queues of work, by which comes first. */
enum join_work {
    WORK_NONE,
    WORK_LOST,  /* its interface is gone: give the sockets' places back */
    WORK_JOIN,  /* join the rest */
    WORK_LEAVE, /* leave what is joined */
    WORK_COUNT
};

TAILQ_HEAD(join_queue, join);

/* The work that was asked for by one user. */
struct join_worker {
    TAILQ_ENTRY(join_worker) in_workers; /* joins.workers, which owns it */
    uid_t uid;
    struct join_queue work[WORK_COUNT];
    size_t leaving; /* memberships of the joins in WORK_LEAVE */
};

TAILQ_HEAD(join_workers, join_worker);

struct join {
    TAILQ_ENTRY(join) in_order; /* struct joins owns it; not if it is deleted */
    TAILQ_ENTRY(join) in_work;  /* the queue that `work` names; it owns it if it is deleted */
    struct hash_link in_keys;   /* joins.keys; not if it is deleted */
    struct waiters waiters;     /* until it was announced */
    struct joins *joins;
    struct resource resource;
    struct shared shared; /* its memberships, among those who hold it */
    struct join_key key;
    uid_t uid;                  /* who pays for it, or did so last */
    struct join_worker *worker; /* whose queue it is in */
    uint64_t serial;
    unsigned size;    /* memberships that it stands for */
    unsigned applied; /* the first so many of them are joined */
    unsigned cursors; /* that stand at it */
    unsigned ifindex; /* on this interface; 0: on none */
    uint8_t work;     /* enum join_work */
    bool announced;   /* it was told that it was added */
    bool waiting;     /* it was told that it waits */
    bool refused;     /* it waits because the kernel refused */
    bool deleted;     /* it goes when nothing is joined any more */
};

struct joins {
    struct netifs *netifs;
    struct leases *leases; /* borrowed */
    struct joins_callbacks callbacks;
    struct join_sockets *sockets;
    struct join_queue order; /* all but the deleted ones, oldest first */
    struct hash_table keys;
    struct join_workers workers;      /* who was served last is the last */
    struct join_worker common;        /* where there is no memory for another one */
    size_t leaving;                   /* memberships of the joins in WORK_LEAVE, of all users */
    unsigned crowded;                 /* so many are left before the next one is joined */
    LIST_HEAD(, join_cursor) cursors; /* open ones */
    size_t wanted;                    /* memberships */
    struct pool memberships;          /* wanted ones */
    unsigned refusals;                /* joins that wait because the kernel refused */
    unsigned retries;                 /* of them, and checks, that joins_tick has still to make */
    uint8_t asked;          /* the family of the socket that is on its way, or FAMILY_NONE */
    uint8_t refused_family; /* of the socket that was refused last, for the next join to take */
    struct error refusal;
    bool loaded, settled;
    uint64_t serial; /* of the next join */
    uint64_t seed;
};

bool join_key_equal(const struct join_key *a, const struct join_key *b);

/* The i-th membership of the join, on its interface. */
struct membership_key join_membership(const struct join *join, unsigned i);

/* Queues what is to be done for the join as things are, or tells that all is done. A deleted join
 * may be freed. */
void join_plan(struct joins *joins, struct join *join);

/* Before the first work, and when there will be no more: frees deleted joins. */
void join_work_init(struct joins *joins);
void join_work_end(struct joins *joins);

/* A lease on a join begins or ends. */
void join_leased(struct resource *resource, uid_t uid, bool begins);

/* The last lease on a join ended. */
void join_release(struct resource *resource);

/* Ends its leases, and the join itself; the kernel's part is queued. It may be freed. */
void join_delete(struct joins *joins, struct join *join);

#endif
