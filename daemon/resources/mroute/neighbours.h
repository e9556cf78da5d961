/* Neighbours: a range that comes or goes decides whether others are alone, and so an entry of the
 * kernel.
 *
 * Those can only be routes of all sources and one group. Beside a range of that group it is one at
 * most. Within a larger range it may be all routes of the table, and to write an entry takes the
 * kernel some 20 us: so the first few are made right at once, and the others by neighbours_go_on.
 * An entry that is there for longer forwards what it forwarded before, and one that is missing is
 * learned on demand. */
#ifndef NB_NEIGHBOURS_H
#define NB_NEIGHBOURS_H

#include "mroute.h"

struct mfc;
struct route;

/* The walk over the routes of a table. */
struct neighbours {
    struct route_cursor cursor;
    bool walks, again; /* a range came or went behind which the walk was already */
};

/* After a range of these groups came, changed or went. range: the one that is there now, which is
 * right already; NULL: none is. */
void neighbours_changed(struct mfc *mfc, const struct prefix *group, const struct route *range);

/* Looks at some more routes, and writes one entry at most. False: all are right. */
bool neighbours_go_on(struct mfc *mfc);

/* The table is about to go. */
void neighbours_end(struct mfc *mfc);

#endif
