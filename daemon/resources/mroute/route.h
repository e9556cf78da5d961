/* One wanted route, and the set of a table's routes: found by (source, group) in constant time,
 * walked in the order in which they were added. */
#ifndef NB_ROUTE_H
#define NB_ROUTE_H

#include "mroute.h"
#include "port.h"

struct mfc;

struct route_oif {
    struct port *port; /* counted */
    uint8_t ttl;
};

struct route {
    TAILQ_ENTRY(route) in_order; /* route_set.order; the set owns it */
    struct route *in_bucket;     /* next in its bucket of route_set.buckets */
    struct mfc *mfc;
    uint64_t serial; /* grows with each route that is added to the service */
    struct address source, group;
    struct lease lease;
    uint8_t state;    /* enum route_state; the kernel holds it unless it waits */
    uint8_t verified; /* the kernel's entry was written by this process */
    uint8_t oif_count;
    struct port *iif; /* counted */
    struct route_oif oifs[];
};

struct route_set {
    TAILQ_HEAD(, route) order;
    struct route **buckets; /* owned; bucket_count is a power of two */
    size_t bucket_count;
    size_t count;
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
};

/* Allocates a route without ports. NULL: no memory. */
struct route *route_new(const struct address *source, const struct address *group,
                        unsigned oif_count);

/* False: no memory. */
bool route_set_init(struct route_set *set, uint64_t seed);
void route_set_clear(struct route_set *set);

struct route *route_set_find(const struct route_set *set, const struct address *source,
                             const struct address *group);
void route_set_insert(struct route_set *set, struct route *route);
void route_set_remove(struct route_set *set, struct route *route);

/* Puts a route of the same key in the place of another. */
void route_set_replace(struct route_set *set, struct route *old, struct route *new);

/* Whether the filter means the table, or the route. */
bool table_matches(const struct mroute_filter *filter, const struct mroute_socket *table);
bool route_matches(const struct mroute_filter *filter, const struct route *route);

#endif
