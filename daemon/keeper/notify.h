/* Word to the service manager, as sd_notify(3) describes it: a datagram to $NOTIFY_SOCKET.
 * Without a manager every call does nothing. */
#ifndef NB_KEEPER_NOTIFY_H
#define NB_KEEPER_NOTIFY_H

#include <stdbool.h>

bool notify_has_manager(void);

/* Sends state, e.g. "READY=1", with a descriptor for the manager's store if fd is not negative. */
void notify_manager(const char *state, int fd);

#endif
