/* The sockets that memberships live on, and the memberships themselves, each made once however
 * often it is asked for.
 *
 * A socket takes 20 IPv4 groups (igmp_max_memberships) and 10 sources of each (igmp_max_msf), or as
 * many IPv6 groups as its memory takes (optmem_max) and 64 sources of each (mld_max_msf). These are
 * settings of the kernel, so the place for a membership is found by trying: a socket that refuses
 * is full until something on it is left. */
#ifndef NB_JOINS_SOCKETS_H
#define NB_JOINS_SOCKETS_H

#include "platform/joins.h"

#include <stddef.h>

struct join_sockets;

/* seed: a random number that no client knows. NULL: no memory. */
struct join_sockets *join_sockets_new(uint64_t seed);

/* Closes the sockets; memberships stay as long as somebody has copies of them. */
void join_sockets_free(struct join_sockets *sockets);

/* Takes the socket, owned from now on. 0, or -ENOMEM: it is closed. */
int join_sockets_add(struct join_sockets *sockets, uint8_t family, int fd);

/* Joins, or counts one more where it is joined. -EAGAIN: it takes another socket of the group's
 * family. -ENOMEM: no memory. Else what the kernel says. */
int join_sockets_join(struct join_sockets *sockets, const struct membership_key *key);

/* Counts one less of what was joined; with the last one it is left. */
void join_sockets_leave(struct join_sockets *sockets, const struct membership_key *key);

/* Asks the kernel which IPv6 groups the interfaces are members of; join_sockets_is_lost then tells
 * whether what was joined is among them. 0 or a negative errno. */
int join_sockets_check(struct join_sockets *sockets);
bool join_sockets_is_lost(const struct join_sockets *sockets, const struct membership_key *key);

/* What there is: memberships in the kernel, and sockets. */
size_t join_sockets_memberships(const struct join_sockets *sockets);
size_t join_sockets_count(const struct join_sockets *sockets);

#endif
