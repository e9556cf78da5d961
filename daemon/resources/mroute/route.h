/* One route, and the set of a table's routes: found by source and group in constant time, walked in
 * the order in which they were added.
 *
 * A route of one source and one group between named interfaces is `exact`: the kernel has an entry
 * for it. Every other is a range: of sources (often all), of groups, or of interfaces. For a range
 * the kernel asks when a flow comes, and what it is told then is a `learned` route, which is exact.
 * Only a range of all sources, one group and named interfaces, with no other range beside it, is an
 * entry of the kernel as well (see range.h and mfc.c). */
#ifndef NB_ROUTE_H
#define NB_ROUTE_H

#include "hash.h"
#include "iface.h"
#include "mroute.h"

struct mfc;
struct part;

struct route_oif {
    struct iface *iface; /* counted */
    uint8_t ttl;
};

/* What only a learned route has. */
struct learned {
    TAILQ_ENTRY(learned) in_table; /* mfc.learned; the route owns it */
    LIST_ENTRY(learned) in_range;  /* route.learned_flows of `by` */
    struct route *route, *by;
    uid_t payer;        /* who is charged for it */
    uint64_t packets;   /* that had come when it was looked at last */
    uint64_t active_ms; /* when that number was seen first */
    uint64_t looked_ms; /* when it was asked for last */
};

struct route {
    TAILQ_ENTRY(route) in_order; /* route_set.order; the set owns it */
    struct hash_link in_keys;    /* route_set.keys */
    LIST_ENTRY(route) in_part;   /* of a range: part.routes */
    struct part *part;           /* the same: the one that it is in */
    struct hash_link in_sources; /* the same: ranges.keys */
    struct mfc *mfc;
    uint64_t serial; /* grows with each route that is added to the service */
    struct prefix source, group;
    struct resource resource;           /* of a wanted route; of what was found only later */
    LIST_HEAD(, learned) learned_flows; /* of a range */
    size_t learned_count;               /* of them */
    struct learned *learned;            /* owned; NULL: a wanted route */
    uint32_t idle;                      /* of a range, seconds: how long a flow may be silent */
    uint8_t state;                      /* enum route_state */
    bool is_range;
    bool in_kernel; /* the kernel has an entry for it */
    bool verified;  /* which was written by this process */
    uint8_t oif_count;
    uint32_t cursors;  /* that stand at it */
    struct iface *iif; /* counted */
    struct route_oif oifs[];
};

struct route_set {
    TAILQ_HEAD(, route) order;
    struct hash_table keys; /* by source and group */
    uint64_t seed;
};

/* Allocates a route without ifaces. NULL: no memory. */
struct route *route_new(const struct prefix *source, const struct prefix *group,
                        unsigned oif_count);

/* Frees it, and what it holds; its ifaces were released before. */
void route_free(struct route *route);

void route_set_init(struct route_set *set, uint64_t seed);
void route_set_clear(struct route_set *set);

/* The wanted route of this source and group; of a range, the one from the interface or pattern iif
 * (NULL: the first). */
struct route *route_set_find(const struct route_set *set, const struct prefix *source,
                             const struct prefix *group, const char *iif);

/* The next one after it that has the same source and group. */
struct route *route_set_next(const struct route *route);

/* The exact route of a flow, wanted or learned, or NULL. */
struct route *route_set_find_flow(const struct route_set *set, const struct address *source,
                                  const struct address *group);

void route_set_insert(struct route_set *set, struct route *route);
void route_set_remove(struct route_set *set, struct route *route);

/* Puts a route of the same key in the place of another. */
void route_set_replace(struct route_set *set, struct route *old, struct route *new);

/* Whether the filter means the table, or the route. */
bool table_matches(const struct mroute_filter *filter, const struct mroute_socket *table);
bool route_matches(const struct mroute_filter *filter, const struct route *route);

#endif
