/* Files in which an administrator decides: PATH, and its drop-ins. With PATH
 * /etc/netbroker/policy.conf those are /etc/netbroker/policy.d/NAME.conf, in alphabetical order. */
#ifndef NB_ADMIN_FILES_H
#define NB_ADMIN_FILES_H

#include "mistakes.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct admin_files {
    const char *path;
    const char *what;    /* they are, for messages, e.g. "policy" */
    bool required;       /* the file at path must be there */
    uid_t administrator; /* beside root: who else may own them */
    struct mistakes *mistakes;
    /* Is called for each file that is there. False: it has a mistake, which `read` noted. */
    bool (*read)(void *context, FILE *file, const char *path);
    void *context;
};

/* A file or a folder that others than root and the administrator may have written (admin_file.h) is
 * not used, and that is a mistake. Returns whether there was none. */
bool admin_files_read(const struct admin_files *files);

#endif
