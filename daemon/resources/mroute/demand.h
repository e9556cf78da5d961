/* Routes on demand: for the flows of a range, exact routes are learned when the kernel asks, and
 * forgotten when they are silent. */
#ifndef NB_DEMAND_H
#define NB_DEMAND_H

#include "mfc.h"

/* Takes a message of the kernel: learns the route of a flow, or moves it to the interface that it
 * comes in by now; or keeps in mind that it has none. Whether it has one now. */
bool demand_take(struct mfc *mfc, const struct upcall *upcall);

/* A range is new: flows that wait for a route, and are of it, are learned at once. */
void demand_begin(struct mfc *mfc, struct route *range);

/* A range changed: what was learned from it, too; soon, where that is much (demand_go_on). */
void demand_update(struct mfc *mfc, struct route *range);

/* A range goes: what was learned from it is of another, or goes too. False: there is so much of it
 * that the range has to linger, in no set, until all has. */
bool demand_end(struct mfc *mfc, struct route *range);

/* What was learned may have to change: it is looked at in the next ticks. */
void demand_outdate(struct mfc *mfc);

/* Makes a route that was found in the kernel one that was learned, if it is of a range. whole: all
 * that is wanted is known, so it may also be what is left of a session or of half a set, and is
 * made what its range says; it may be another one, then, or gone. */
bool demand_claim(struct mfc *mfc, struct route *route, bool whole);

/* So many learned routes are due to be looked at. */
void demand_tick(struct mfc *mfc, unsigned budget);

/* Looks at one that is due, or ends one of a range that has. False: there is none. The table may be
 * closed then. */
bool demand_go_on(struct mfc *mfc);

/* A learned route is not one any more, because it goes or is wanted now. */
void demand_forget(struct mfc *mfc, struct route *route);

#endif
