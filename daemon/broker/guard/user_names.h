/* The names of users, and who is a user of this machine: what /etc/passwd says.
 *
 * The file is read at the first question, and again when it was changed. Users who are not in it
 * have only their number. */
#ifndef NB_USER_NAMES_H
#define NB_USER_NAMES_H

#include "system_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    USER_NAME_MAX = 32,
    UID_TEXT_MAX = 12,                                /* "4294967295" */
    USER_TEXT_MAX = USER_NAME_MAX + UID_TEXT_MAX + 4, /* "nobody (65534)" */
};

/* Users who have no number of the system; see identity.h. No peer whom the kernel calls so is this
 * user, and no rule names them. */
#define UID_ROOT_ELSEWHERE          ((uid_t)-2)
#define UID_ADMINISTRATOR_ELSEWHERE ((uid_t)-3)
#define UID_UNKNOWN                 ((uid_t)-4)
#define UID_LAST                    ((uid_t)-5) /* the last that is nothing of this */

struct user_names {
    struct system_file file;
    struct user_entry {
        uid_t uid;
        const char *name;              /* in the file's text; "": it is not to be shown */
    } * entries;                       /* owned, by number */
    const struct user_entry **by_name; /* owned: the same, by name */
    size_t count;
    unsigned version; /* grows when they are others */
};

/* Reads nothing yet. path is borrowed. */
void user_names_init(struct user_names *names, const char *path);
void user_names_clear(struct user_names *names);

/* Reads the file if it was changed: each of the questions below does that first, but for those
 * whose names end in _read. */
void user_names_update(struct user_names *names);

/* The name, valid until the next question, or NULL. names may be NULL. */
const char *user_name(struct user_names *names, uid_t uid);

/* Whether the file has a user of this number, or of this name. */
bool user_exists(struct user_names *names, uid_t uid);
bool user_exists_read(const struct user_names *names, uid_t uid);
bool user_find_read(const struct user_names *names, const char *name, uid_t *ret);

/* "nobody (65534)", or "65534". Returns text. */
const char *user_format(struct user_names *names, uid_t uid, char text[USER_TEXT_MAX]);

#endif
