/* Files in which an administrator decides: PATH, and its drop-ins. With PATH
 * /etc/netbroker/policy.conf those are /etc/netbroker/policy.d/NAME.conf, in alphabetical order. */
#ifndef NB_ADMIN_FILES_H
#define NB_ADMIN_FILES_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Calls `read` for each file that is there; it may say in the log what is wrong in it. A file or a
 * folder that others than root and `administrator` may have written is not used, and the log says
 * so. what: what the files are, for the log, e.g. "policy". Returns whether each was used, and read
 * said yes to it. */
bool admin_files_read(const char *path, const char *what, uid_t administrator,
                      bool (*read)(void *context, FILE *file, const char *path), void *context);

#endif
