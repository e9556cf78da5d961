/* Requests that change only some of a route's outgoing interfaces; see also mroute_append of
 * mroute.h. */
#ifndef NB_OIFS_H
#define NB_OIFS_H

#include "mroute_internal.h"

/* Takes the outgoing interfaces of a deletion from the routes that it names, which the holder may
 * delete. All of it is done or, with *error, nothing. */
bool oifs_del(struct mroute *mroute, const struct named *named, const struct args_del_mfc *args,
              const struct holder *holder, struct route_deletion *ret, struct error *error);

#endif
