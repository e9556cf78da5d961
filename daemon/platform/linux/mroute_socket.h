/* The socket that owns a table, between the files that work on it. */
#ifndef NB_LINUX_MROUTE_SOCKET_H
#define NB_LINUX_MROUTE_SOCKET_H

#include "platform/mroute.h"

#include <sys/socket.h>

/* Sets the option of the socket's family. 0 or a negative errno. */
int mroute_set_option(const struct mroute_socket *socket, int v4, int v6, const void *value,
                      socklen_t length);

#endif
