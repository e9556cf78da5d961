/* The seam, group memberships: what netbroker needs of a kernel to receive multicast groups.
 *
 * A membership belongs to a socket, and a socket takes a limited number of them. The sockets are
 * made by the keeper; to join and to leave needs no privileges. Functions return 0 or a negative
 * errno. */
#ifndef NB_PLATFORM_JOINS_H
#define NB_PLATFORM_JOINS_H

#include "address.h"

#include <stdbool.h>

struct membership_key {
    unsigned ifindex;
    struct address source; /* FAMILY_NONE: any */
    struct address group;
};

/* Opens a socket that takes memberships of the family, and does nothing else. */
int joins_socket_open(uint8_t family);

/* Joins. -ENOBUFS, -ENOMEM: the socket takes no more, or no more sources of this group. A socket
 * takes memberships of one group on one interface either from any source or from named ones. */
int joins_join(int fd, const struct membership_key *key);

/* Leaves. An interface that is gone took its memberships with it, but not their places on the
 * socket: then all of the group on this interface are left at once, whatever their sources. */
int joins_leave(int fd, const struct membership_key *key);

/* Tells of each IPv6 group that an interface is a member of: a socket keeps memberships that its
 * interface has lost. */
typedef void joins_member_visit(void *context, unsigned ifindex, const struct address *group);
int joins_members_read(joins_member_visit *visit, void *context);

#endif
