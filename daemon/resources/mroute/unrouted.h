/* Unrouted flows: those whose packets came lately though no route took them, by the kernel's word.
 * The kernel tells of each such flow once, and again when it has forgotten it, after ten seconds;
 * to ask it for those it has in mind would cost a dump of all routes. */
#ifndef NB_UNROUTED_H
#define NB_UNROUTED_H

#include "platform/mroute.h"

enum {
    /* A search looks at all of them. No more are noted in the time that the kernel has them. */
    UNROUTED_MAX = 1024,
    UNROUTED_SECONDS = 30, /* then a flow that nobody tells of any more has ended */
    /* So long the kernel keeps the first packets of a flow, and tells of it no more
     * (ipmr_cache_unresolved() in net/ipv4/ipmr.c: 10 * HZ); one is for the rounding. */
    UNROUTED_WAITS_SECONDS = 11,
};

struct unrouted_flow {
    struct address source, group;
    unsigned ifindex; /* where they came in */
    uint64_t seen;    /* in seconds of CLOCK_MONOTONIC; 0: the place is empty */
};

struct unrouted {
    struct unrouted_flow list[UNROUTED_MAX];
    unsigned next; /* the place that is the next to be overwritten */
};

/* The present, for `seen` and unrouted_recent. */
uint64_t unrouted_now(void);

void unrouted_note(struct unrouted *unrouted, const struct upcall *upcall, unsigned ifindex,
                   uint64_t now);

/* Whether the kernel has the flow in mind, and its first packets. */
bool unrouted_flow_waits(const struct unrouted_flow *flow, uint64_t now);

/* True when the kernel already holds `count` unresolved flows. */
bool unrouted_is_full(const struct unrouted *unrouted, unsigned count, uint64_t now);

/* The newest flow but `skip` others, or NULL. */
const struct unrouted_flow *unrouted_recent(const struct unrouted *unrouted, unsigned skip,
                                            uint64_t now);

#endif
