/* Strays: flows whose packets came lately though no route took them, by the kernel's word. The
 * kernel tells of each such flow once, and again when it has forgotten it, after ten seconds; to
 * ask it for those it has in mind would cost a dump of all routes. */
#ifndef NB_STRAY_H
#define NB_STRAY_H

#include "platform/mroute.h"

enum {
    /* A search looks at all of them. No more are noted in the time that the kernel has them. */
    STRAYS_MAX = 1024,
    STRAY_SECONDS = 30, /* then a flow that nobody tells of any more has ended */
    /* So long the kernel keeps the first packets of a flow, and tells of it no more
     * (ipmr_cache_unresolved() in net/ipv4/ipmr.c: 10 * HZ); one is for the rounding. */
    STRAY_WAITS_SECONDS = 11,
};

struct stray {
    struct address source, group;
    unsigned ifindex; /* where they came in */
    uint64_t seen;    /* in seconds of CLOCK_MONOTONIC; 0: the place is empty */
};

struct strays {
    struct stray list[STRAYS_MAX];
    unsigned next; /* the place that is the next to be overwritten */
};

/* The present, for `seen` and strays_recent. */
uint64_t strays_now(void);

void strays_note(struct strays *strays, const struct upcall *upcall, unsigned ifindex,
                 uint64_t now);

/* Whether the kernel has the flow in mind, and its first packets. */
bool stray_waits(const struct stray *stray, uint64_t now);

/* Whether so many do. */
bool strays_waiting(const struct strays *strays, unsigned count, uint64_t now);

/* The newest stray but `skip` others, or NULL. */
const struct stray *strays_recent(const struct strays *strays, unsigned skip, uint64_t now);

#endif
