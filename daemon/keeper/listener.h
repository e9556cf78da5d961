/* The sockets that clients connect to, and what a service manager hands over. Listeners are moved
 * to their places (descriptors.h), which are reserved. */
#ifndef NB_KEEPER_LISTENER_H
#define NB_KEEPER_LISTENER_H

#include "error.h"
#include "keeper.h"

/* Takes the descriptors of LISTEN_FDS (sd_listen_fds(3)): listening sockets, and what was kept, of
 * the manager's store, by name. Everything else is closed. */
void listener_inherit(struct kept *kept);

/* Listens at path, with mode 0660 and the group, where there is one of that name. A socket that
 * nobody listens on any more is replaced; a folder that is missing is made for the user. */
bool listener_open(const char *path, const char *user, const char *group, struct kept *kept,
                   struct error *error);

/* Removes the socket that listener_open made there, unless another is in its place, or the user
 * that the service became may not: then the next start replaces it. */
void listener_remove(const char *path, const struct kept *kept);

#endif
