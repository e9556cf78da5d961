/* Overriding: which routes lose flows to a new one.
 *
 * An exact route has its flow wherever it comes in, since the kernel has one entry for it, and so
 * takes it from each range that has the flow. A range takes what comes in by its own interfaces
 * from the ranges that are less specific. In neither case a route loses anything that a more
 * specific one than it has already. What a new range does to exact routes is nothing. */
#ifndef NB_OVERRIDE_H
#define NB_OVERRIDE_H

#include "mfc.h"

/* What a route is among the others; names are borrowed. */
struct override_key {
    struct prefix source, group;
    const char *iif;
    bool is_range;
};

struct override_key override_key_of_args(const struct args_add_mfc *args);
struct override_key override_key_of_route(const struct route *route);

/* Each wanted route that loses flows to one of the key, whoever holds it, from the most specific
 * on, until visit returns false. Where nothing overlaps it costs a look at the index. */
void override_visit(const struct mfc *mfc, const struct override_key *key,
                    bool (*visit)(void *context, const struct route *loser), void *context);

/* What both have: the smaller of two ranges that overlap. */
const struct prefix *smaller_prefix(const struct prefix *a, const struct prefix *b);

#endif
