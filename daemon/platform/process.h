/* The seam, processes: privileges, signals as a descriptor, who a peer is. */
#ifndef NB_PLATFORM_PROCESS_H
#define NB_PLATFORM_PROCESS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The first thing a privileged process does: nobody may look into it, nor dump its memory. */
void process_hide(void);

/* Gives up every privilege that the keeper does not need. Started by root, it becomes `user`,
 * which must be there unless root is the only user. What remains are the capabilities to open raw
 * sockets and to administer the network. False with *error when it would run without them, or with
 * more. */
bool process_become_keeper(const char *user, struct error *error);

/* Gives up all privileges for good, in a child of the keeper, which dies with the keeper. */
bool process_become_broker(struct error *error);

/* In a child that works for its parent alone, of this name: it ends with it, and has no descriptors
 * but the standard streams and this one. Returns its new number. */
int process_serve_parent(const char *name, int fd);

/* In a child that does its parent's work with the parent's privileges: it ends with the parent, and
 * has no descriptors but the standard streams and the one of this number. */
void process_work_for_parent(const char *name, int fd);

/* The capabilities in force, e.g. "net_admin,net_raw", or "none". */
void process_privileges_describe(char *text, size_t size);

/* Blocks the signals and returns a descriptor that becomes readable when one comes, or a negative
 * errno. process_signal_read returns its number, or -1 when there is none. */
int process_signals_open(const int *signals, size_t count);
int process_signal_read(int fd);

/* Where a process is. */
struct place {
    uint64_t netns;     /* the number of its network namespace; 0: the system does not tell */
    bool maps_users;    /* it is in a user namespace, where users have other numbers */
    uid_t unmapped_uid; /* there: what users are called who have no number; 0: nobody is */
};

void process_find_place(struct place *ret);

/* As many as Windows domains give a user; to read one takes 60 ns, and its 4 bytes stay as long as
 * the connection. In a user namespace of its own a process may have 65,536. */
enum { PEER_GROUPS_MAX = 1024 };

/* Who connected, as the kernel recorded it then. */
struct peer {
    uid_t uid;        /* the user; kernel_uid, where broker/guard/identity.h says nothing else */
    uid_t kernel_uid; /* what the kernel calls the user */
    bool assigned;    /* the two differ */
    bool subordinate; /* the kernel's is one of the user's subordinate ids */
    bool stranger;    /* the system does not know the user: only a rule does */
    bool elsewhere;   /* in another network namespace than the service */
    uint64_t netns;   /* the number of the network namespace; 0: the system does not tell */
    gid_t gid;
    pid_t pid;     /* for the log only: it may be another process by now; 0: unknown */
    gid_t *groups; /* owned: the supplementary ones */
    size_t group_count;
    bool in_too_many_groups; /* more than PEER_GROUPS_MAX: none was read */
};

/* Takes the next connection of a listening socket, which waits for nothing: a descriptor that does
 * not block and ends with exec, or a negative errno. */
int peer_accept(int listener);

/* Who connected, without the supplementary groups: those are for who is served. Returns 0 or a
 * negative errno. */
int peer_identify(int fd, struct peer *ret);

/* Finds the groups. Returns 0 or a negative errno. peer_release releases them. */
int peer_find_groups(int fd, struct peer *peer);
void peer_release(struct peer *peer);

/* From now on no descriptor arrives that is sent to the connected or listening socket, where the
 * system can refuse them. */
void peer_refuse_descriptors(int fd);

/* Whether the system can, of a process that may make Unix sockets. */
bool peer_can_refuse_descriptors(void);

/* Whether descriptors may arrive on the connected socket. */
bool peer_passes_descriptors(int fd);

/* Whether the peer has read all that was sent to it, or will read nothing more. */
bool peer_has_read(int fd);

/* The socket takes some more than before for a peer that reads nothing. */
void peer_make_room(int fd);

/* Out-of-band data is received as all other is. */
void peer_read_in_line(int fd);

bool peer_in_group(const struct peer *peer, gid_t group);

#endif
