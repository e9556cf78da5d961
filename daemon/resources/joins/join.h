/* What the files of this folder share: one join, what it stands for and how far the kernel has it,
 * and the queues of work. */
#ifndef NB_JOIN_H
#define NB_JOIN_H

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

struct join {
    TAILQ_ENTRY(join) in_order; /* struct joins owns it; not if it is deleted */
    TAILQ_ENTRY(join) in_work;  /* the queue that `work` names; it owns it if it is deleted */
    LIST_ENTRY(join) in_bucket; /* not if it is deleted */
    LIST_HEAD(, join_waiter) waiters;
    struct joins *joins;
    struct holding holding;
    struct join_key key;
    uint64_t serial;
    unsigned size;    /* memberships that it stands for */
    unsigned applied; /* the first so many of them are joined */
    unsigned ifindex; /* on this interface; 0: on none */
    uint8_t work;     /* enum join_work */
    bool announced;   /* it was told that it was added */
    bool waiting;     /* it was told that it waits */
    bool refused;     /* it waits because the kernel refused */
    bool deleted;     /* it goes when nothing is joined any more */
};

TAILQ_HEAD(join_queue, join);

enum { JOIN_BUCKETS = 2048 };

struct joins {
    struct links *links;
    struct joins_callbacks callbacks;
    struct join_sockets *sockets;
    struct join_queue order; /* all but the deleted ones, oldest first */
    LIST_HEAD(join_bucket, join) buckets[JOIN_BUCKETS];
    struct join_queue work[WORK_COUNT];
    struct join_cursor *cursors; /* open ones */
    size_t count, wanted;
    unsigned refusals;      /* joins that wait because the kernel refused */
    unsigned retries;       /* of them that joins_tick has still to make */
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

/* Resumes all that wait for the join, which may be gone afterwards. */
void join_resume_waiters(struct join *join, const struct error *error);

/* Ends its holds, and the join itself; the kernel's part is queued. It may be freed. */
void join_delete(struct joins *joins, struct join *join);

#endif
