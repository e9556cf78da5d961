/* Descriptors across Unix sockets (SCM_RIGHTS, unix(7)): one with a message, at its first byte. */
#ifndef NB_FDPASS_H
#define NB_FDPASS_H

#include <stddef.h>
#include <sys/socket.h>

struct fdpass_target {
    const struct sockaddr *address; /* NULL: the peer that the socket is connected to */
    socklen_t length;
};

/* Sends the whole message, with the descriptor if fd is not negative. The message must be small
 * against the socket's buffer. Returns 0 or a negative errno. */
int fdpass_send(int socket, const struct fdpass_target *target, const void *message, size_t size,
                int fd);

/* Receives a message of exactly size bytes, and a descriptor (close-on-exec) if one came with it,
 * else *ret_fd is -1. Returns 1, 0 when the other side is gone, or a negative errno: -EAGAIN when
 * nothing is there, -EBADMSG when it had another size. */
int fdpass_receive(int socket, void *message, size_t size, int *ret_fd);

#endif
