/* The sockets that clients connect to, and what a service manager hands over. */
#ifndef NB_KEEPER_LISTENER_H
#define NB_KEEPER_LISTENER_H

#include "error.h"
#include "keeper.h"

/* Takes the descriptors of LISTEN_FDS (sd_listen_fds(3)): listening sockets, and the tables of the
 * manager's store by their names. Everything else is closed. */
void listener_inherit(struct kept *kept);

/* Listens at path, with mode 0660 and the group, where there is one of that name. A socket that
 * nobody listens on any more is replaced. */
bool listener_open(const char *path, const char *group, struct kept *kept, struct error *error);

#endif
