/* Landlock, landlock(7): which files a process may reach, and whom it may connect to or signal. */
#ifndef NB_LINUX_LANDLOCK_H
#define NB_LINUX_LANDLOCK_H

#include "platform/sandbox.h"

/* The ABI from which on it has scopes: no signals to others, and no abstract sockets of others. */
enum { LANDLOCK_SCOPES = 6 };

/* Confines this thread and what it starts. Returns the ABI that is in force, or a negative errno.
 * What is to be readable or writable and does not exist now is not afterwards, either. *ret_held:
 * as struct sandbox_report has it. */
int landlock_confine(const struct sandbox_needs *needs, int *ret_held);

#endif
