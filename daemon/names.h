/* Names of users and groups, as the name services know them (nsswitch.conf(5)). Some of these are
 * asked by a socket, and the broker connects to none: a process of its own asks them for it. It has
 * no privileges, no descriptor but its end of a socket, and ends with the broker.
 *
 * Like the log, this is of the process, and nobody is handed it. */
#ifndef NB_NAMES_H
#define NB_NAMES_H

#include <stdbool.h>
#include <sys/types.h>

/* Starts that process, while this one may; it has given up its privileges. Without it, names are
 * those that files have. Returns the descriptor to it, which names_user and names_group use, or a
 * negative errno. */
int names_start(void);

/* False: no name service knows the name, or it does not answer within some seconds. */
bool names_user(const char *name, uid_t *ret);
bool names_group(const char *name, gid_t *ret);

#endif
