/* Whose a flow is that comes in where two ranges have it, each from another interface: the kernel
 * has one entry for it, and anybody can send packets with the source of another.
 *
 * Between ranges of one holder a flow moves to where its packets come in. Between those of two, a
 * holder whose policy allows the other's interfaces takes it, and the other does not; where that
 * is so of both, it moves as well; where of none, it is the elder's, who had it in the first place.
 */
#ifndef NB_RIGHTS_H
#define NB_RIGHTS_H

#include "route.h"

struct policy;

/* Whether the flow, learned for the range `from`, may be made one of `range`. policy NULL: yes. */
bool rights_may_move(const struct policy *policy, const struct route *from,
                     const struct route *range, const struct address *group);

#endif
