/* The names of users, for messages and the log: those of /etc/passwd.
 *
 * The libc's own functions may ask a directory over the network, and the loop must not wait. So the
 * file is read here: at the first question, and again when it was changed. Users who are not in it
 * have only their number. */
#ifndef NB_USER_NAMES_H
#define NB_USER_NAMES_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum {
    USER_NAME_MAX = 32,
    UID_TEXT_MAX = 12,                                /* "4294967295" */
    USER_TEXT_MAX = USER_NAME_MAX + UID_TEXT_MAX + 4, /* "nobody (65534)" */
};

struct user_names {
    const char *path; /* borrowed */
    char *text;       /* owned: the file, its names ended by zeros; NULL: not read */
    struct user_entry {
        uid_t uid;
        const char *name; /* in text */
    } * entries;          /* owned, by number */
    size_t count;
    time_t changed; /* of the file that was read, as its size and number */
    ino_t inode;
    off_t size;
};

/* Reads nothing yet. path is borrowed. */
void user_names_init(struct user_names *names, const char *path);
void user_names_clear(struct user_names *names);

/* The name, valid until the next question, or NULL. names may be NULL. */
const char *user_name(struct user_names *names, uid_t uid);

/* "nobody (65534)", or "65534". Returns text. */
const char *user_format(struct user_names *names, uid_t uid, char text[USER_TEXT_MAX]);

#endif
