/* What of a peer is the same on all systems. */
#include "process.h"

#include <stdlib.h>
#include <sys/socket.h>

void peer_release(struct peer *peer)
{
    free(peer->groups);
    peer->groups = NULL;
    peer->group_count = 0;
}

bool peer_in_group(const struct peer *peer, gid_t group)
{
    for (size_t i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == group)
            return true;
    return peer->gid == group;
}

/* The kernel doubles what is set and counts its own part of each message (socket(7), SO_SNDBUF).
 * #syscalls broker: setsockopt getsockopt */
void peer_make_room(int fd)
{
    int size = 0;
    socklen_t length = sizeof size;

    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* Else Linux drops it where it is to be read, with its descriptors (manage_oob() of its
 * net/unix/af_unix.c).
 * #syscalls broker: setsockopt */
void peer_read_in_line(int fd)
{
    int yes = 1;

    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof yes);
}
