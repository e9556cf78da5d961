/* Descriptors across Unix sockets (SCM_RIGHTS, unix(7)): one with a message, or several with some
 * bytes of a stream, at the first of them. All that are received are close-on-exec. */
#ifndef NB_FDPASS_H
#define NB_FDPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { FDPASS_MAX = 253 }; /* at once: SCM_MAX_FD of the kernel's include/net/scm.h */

struct fdpass_target {
    const struct sockaddr *address; /* NULL: the peer that the socket is connected to */
    socklen_t length;
};

/* Sends the whole message, with the descriptor if fd is not negative. The message must be small
 * against the socket's buffer. Returns 0 or a negative errno. */
int fdpass_send(int socket, const struct fdpass_target *target, const void *message, size_t size,
                int fd);

/* Receives a message of exactly size bytes, and a descriptor if one came with it, else *ret_fd is
 * -1. Returns 1, 0 when the other side is gone, or a negative errno: -EAGAIN when nothing is there,
 * -EBADMSG when it had another size. */
int fdpass_receive(int socket, void *message, size_t size, int *ret_fd);

/* Descriptors that came together. Whoever received them owns them. */
struct fdpass_list {
    size_t count;
    bool incomplete; /* there were more than there was room for; the kernel closed the others */
    int fds[FDPASS_MAX];
};

/* Sends what the socket takes of the bytes of a stream, and the descriptors with the first one.
 * Returns how many bytes, or a negative errno. */
ssize_t fdpass_send_some(int socket, const void *bytes, size_t size, const int *fds, size_t count);

/* Receives once from a stream, with so many descriptors at most. Returns how many bytes, 0 at its
 * end, or a negative errno. */
ssize_t fdpass_receive_some(int socket, void *bytes, size_t size, struct fdpass_list *ret,
                            size_t most);

/* Copies bytes of a stream that stay to be received; ret_bare says that no descriptors come with
 * them. Returns how many bytes, 0 at its end, or a negative errno. */
ssize_t fdpass_peek(int socket, void *bytes, size_t size, bool *ret_bare);

/* Closes them, but those that are -1. */
void fdpass_close(const struct fdpass_list *list);

/* --- In a stream of JSON objects ----------------------------------------------------------- */

/* Descriptors belong to the object that names them. It begins in the bytes that they came with; but
 * where one read returns the end of what was sent before as well, other objects may begin there. */
struct passed {
    size_t from, to; /* those bytes, as places in the receiver's buffer */
    struct fdpass_list list;
};

/* Whether the object from begin to end in the buffer, which names so many descriptors, has just
 * them. passed (NULL: none came) are taken by the first one that names any; where none does, the
 * last one is the one that is wrong. */
bool passed_agree(const struct passed *passed, const char *buffer, size_t begin, size_t end,
                  size_t names);

/* The buffer has lost so many bytes at its beginning. */
void passed_move(struct passed *passed, size_t bytes);

#endif
