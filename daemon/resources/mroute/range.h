/* Ranges: the routes that are no single flow, found by the groups that they are for.
 *
 * A flow is of the most specific range that has it: the smallest range of groups, in it the
 * smallest of sources, then an interface before a pattern, then the oldest. */
#ifndef NB_RANGE_H
#define NB_RANGE_H

#include "route.h"

struct range {
    struct range *in_bucket;
    struct prefix group;
    unsigned count;
    LIST_HEAD(, route) routes; /* not owned */
};

struct ranges {
    struct range **buckets; /* owned; bucket_count is a power of two */
    size_t bucket_count;
    size_t count;
    uint64_t seed;
    unsigned lengths[129]; /* how many there are of each length of group prefix */
};

/* False: no memory. */
bool ranges_init(struct ranges *ranges, uint64_t seed);
void ranges_clear(struct ranges *ranges);

/* False: no memory; nothing was changed. */
bool ranges_add(struct ranges *ranges, struct route *route);
void ranges_remove(struct ranges *ranges, struct route *route);

/* A range of the same key takes another's place. */
void ranges_replace(struct route *old, struct route *new);

/* How many routes are for a range that has the group. */
unsigned ranges_count(const struct ranges *ranges, const struct address *group);

/* The route that a flow is of, which comes in by this port (NULL: by any), or NULL. */
struct route *ranges_find(const struct ranges *ranges, const struct address *source,
                          const struct address *group, const struct port *port);

/* Each route whose range of groups lies within this one. */
void ranges_visit(const struct ranges *ranges, const struct prefix *group,
                  void (*visit)(void *context, struct route *route), void *context);

#endif
