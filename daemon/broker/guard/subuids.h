/* Subordinate user ids: whose the uids are that a user has in user namespaces, by /etc/subuid
 * (subuid(5)).
 *
 * The file is read as /etc/passwd is. Of two lines that have a uid, the first one counts. A uid of
 * /etc/passwd is in no range. */
#ifndef NB_SUBUIDS_H
#define NB_SUBUIDS_H

#include "user_names.h"

enum {
    /* Lines. Others are ignored, as broken ones are, and the log says so. */
    SUBUID_RANGES_MAX = 16384,
};

struct subuid_range {
    uid_t first, last;
    bool has_owner; /* false: nobody in /etc/passwd has the name of the line */
    uid_t owner;
    uid_t own; /* the first uid of the range that is in no line of /etc/passwd */
};

struct subuids {
    struct user_names *names; /* borrowed */
    struct system_file file;
    unsigned names_version;      /* that the owners are of */
    struct subuid_range *ranges; /* owned, as the file has them */
    size_t count;
    size_t ignored; /* lines */
};

/* Reads nothing yet. path and names are borrowed; path NULL: there are no subordinate ids. */
void subuids_init(struct subuids *subuids, const char *path, struct user_names *names);
void subuids_clear(struct subuids *subuids);

/* Reads the file where it, or that of the names, was changed. Before, user_names_update is called.
 */
void subuids_update(struct subuids *subuids);

/* The range that has the uid, valid until the next update, or NULL. */
const struct subuid_range *subuids_find_read(const struct subuids *subuids, uid_t uid);

#endif
