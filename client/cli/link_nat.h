/* The way out of a link by slirp4netns(1): another process of the user's, which gives the clients
 * of the link addresses (DHCP), names and connections of its own, as any program of this user has.
 */
#ifndef NB_LINK_NAT_H
#define NB_LINK_NAT_H

#include "link_told.h"

struct nat;

/* Starts it and joins it to the link. If it ends, so does the link. Yours: nat_end. NULL: it said
 * why. */
struct nat *nat_start(struct link *link, const struct link_told *told, uint32_t mtu);

/* Whether it has ended by itself. */
bool nat_has_ended(const struct nat *nat);

/* Ends it, before the link is freed. NULL is allowed. */
void nat_end(struct nat *nat);

#endif
