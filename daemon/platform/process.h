/* The seam, processes: privileges, signals as a descriptor, who a peer is. */
#ifndef NB_PLATFORM_PROCESS_H
#define NB_PLATFORM_PROCESS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The first thing a privileged process does: nobody may look into it, nor dump its memory. */
void process_hide(void);

/* A file in memory that lasts as long as somebody has a copy of its descriptor, or a negative
 * errno.
 */
int process_memory_file(const char *name);

/* Gives up every privilege that the keeper does not need. Started by root, it becomes `user`, or
 * nobody where there is no such user. What remains are the capabilities to open raw sockets and to
 * administer the network. False with *error when it would run without them, or with more. */
bool process_become_keeper(const char *user, struct error *error);

/* Gives up all privileges for good, in a child of the keeper, which dies with the keeper. */
bool process_become_broker(struct error *error);

/* The capabilities in force, e.g. "net_admin,net_raw", or "none". */
void process_privileges_describe(char *text, size_t size);

/* Blocks the signals and returns a descriptor that becomes readable when one comes, or a negative
 * errno. process_signal_read returns its number, or -1 when there is none. */
int process_signals_open(const int *signals, size_t count);
int process_signal_read(int fd);

/* Who connected, as the kernel recorded it then. */
struct peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;     /* for the log only: it may be another process by now; 0: unknown */
    gid_t *groups; /* owned: the supplementary ones */
    size_t group_count;
};

/* Returns 0 or a negative errno. peer_release releases what it found. */
int peer_identify(int fd, struct peer *ret);
void peer_release(struct peer *peer);

/* From now on no descriptor arrives that is sent to the connected or listening socket, where the
 * system can refuse them. */
void peer_refuse_descriptors(int fd);

bool peer_in_group(const struct peer *peer, gid_t group);

#endif
