/* Multicast routes by rtnetlink(7), as dumps and notifications tell of them. */
#ifndef NB_LINUX_MROUTE_ROUTES_H
#define NB_LINUX_MROUTE_ROUTES_H

#include "platform/mroute.h"

#include <linux/netlink.h>

/* Reads one RTM_NEWROUTE or RTM_DELROUTE of the multicast family. False: it is none. */
bool mroute_route_parse(const struct nlmsghdr *header, uint8_t family, uint32_t *ret_table,
                        struct mfc_found *ret);

#endif
