/* Which system calls each half may make: seccomp(2), by libseccomp. */
#ifndef NB_LINUX_SYSCALLS_H
#define NB_LINUX_SYSCALLS_H

#include "half.h"
#include "platform/sandbox.h"

/* Confines all threads to the calls of this half. Returns how many they are, or a negative errno;
 * -EOPNOTSUPP: this build cannot. */
int syscalls_confine(enum half half, const struct sandbox_needs *needs);

#endif
