/* A file in which an administrator decides: configuration, policy, routes. It is used only where
 * nobody but root and the administrator can have written it, or have put it there: neither the file
 * nor a folder above it is anyone else's or may be written by anyone else. A folder with the sticky
 * bit, such as /tmp, may be written by others, who cannot replace there what is not theirs. */
#ifndef NB_ADMIN_FILE_H
#define NB_ADMIN_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { ADMIN_FILE_WHY_MAX = PATH_MAX + 128 };

/* Opens it for reading; the last part of the path is no symbolic link, and links before it are
 * followed where they are the administrator's. NULL with what is wrong in why, and with errno
 * ENOENT where there is no such file, else another. */
FILE *admin_file_open(const char *path, uid_t administrator, char why[ADMIN_FILE_WHY_MAX]);

/* Whether only administrators can put something else in the place of this file or folder, which
 * need not be there; else what is wrong is in why. */
bool admin_file_place_is_safe(const char *path, uid_t administrator, char why[ADMIN_FILE_WHY_MAX]);

/* Whether the file or folder itself is the administrator's: NULL, or what is wrong. */
const char *admin_file_judge(const struct stat *status, uid_t administrator);

/* What is wrong where it could not be opened: of an errno. */
const char *admin_file_explain(int error);

#endif
