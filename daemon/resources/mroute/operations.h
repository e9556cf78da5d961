/* What the keeper does for routes: it opens the sockets that own multicast routing tables, and
 * makes the rules that lead packets to them. As long as one copy of a table's socket is open, the
 * kernel forwards by the table. */
#ifndef NB_MROUTE_OPERATIONS_H
#define NB_MROUTE_OPERATIONS_H

#include "platform/mroute.h"

enum {
    KEPT_TABLES_MAX = 16, /* the broker's own limit is the same */
};

/* Reads what the keeper calls the socket of a table, e.g. "mroute-ipv4-253". False: it is another
 * name. The socket of *ret is fd. */
bool mroute_parse_name(const char *name, int fd, struct mroute_socket *ret);

#endif
