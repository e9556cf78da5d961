/* What a descriptor is that a client sent.
 *
 * To look at it must not make anybody wait: a file may be of a file system that the client serves
 * itself, which answers fstat(2) and ioctl(2) when it likes. */
#ifndef NB_REQUEST_FDS_H
#define NB_REQUEST_FDS_H

#include "error.h"

/* Whether the descriptors have the types: words of an action's row, as many. */
bool request_fds_check(const char *types, const int *fds, struct error *error);

#endif
