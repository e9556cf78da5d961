/* Routes to a tap; see rtnetlink(7). They go with their interface, by the kernel. */
#ifndef NB_LINUX_TAPS_ROUTE_H
#define NB_LINUX_TAPS_ROUTE_H

#include "platform/taps.h"

/* Adds the routes of a tap that is up and has its addresses. 0 or a negative errno; -EEXIST: the
 * host has one of them already. By a socket of netlink_open. */
int taps_add_routes(int link, unsigned ifindex, const struct tap_config *config);

#endif
