#include "fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MSG_CMSG_CLOEXEC /* not everywhere; then fcntl(2) is a moment late for another thread's    \
                            exec */
#define MSG_CMSG_CLOEXEC 0
#endif

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

union large_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

static void attach(struct msghdr *message, void *control, const int *fds, size_t count)
{
    struct cmsghdr *header = control;

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(header), fds, count * sizeof *fds);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(count * sizeof *fds);
}

int fdpass_send(int socket, const struct fdpass_target *target, const void *message, size_t size,
                int fd)
{
    struct iovec vector = {(void *)message, size};
    union control control = {0};
    struct msghdr header = {
        .msg_name = (void *)target->address,
        .msg_namelen = target->length,
        .msg_iov = &vector,
        .msg_iovlen = 1,
    };

    if (fd >= 0)
        attach(&header, &control, &fd, 1);
    ssize_t sent = sendmsg(socket, &header, 0);

    return sent < 0 ? -errno : (size_t)sent == size ? 0 : -EMSGSIZE;
}

/* Keeps as many as there is room for, and closes the others. Returns how many. */
static size_t take_descriptors(struct msghdr *header, int *fds, size_t room)
{
    size_t count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; c->cmsg_len >= CMSG_LEN((i + 1) * sizeof *fds); i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            if (count < room)
                fds[count++] = fd;
            else
                close(fd);
        }
    }
    return count;
}

int fdpass_receive(int socket, void *message, size_t size, int *ret_fd)
{
    struct iovec vector = {message, size};
    union control control = {0};
    struct msghdr header = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);

    *ret_fd = -1;
    if (length < 0)
        return -errno;
    /* The room for one is rounded up: where two were sent, two may have arrived. */
    take_descriptors(&header, ret_fd, 1);
    if (length == (ssize_t)size)
        return 1;
    if (*ret_fd >= 0)
        close(*ret_fd);
    *ret_fd = -1;
    return length == 0 ? 0 : -EBADMSG;
}

/* Who may send nothing but what is more to come can send descriptors, and no packet: a stream of
 * the local machine does not look at it, and sockets of packets keep what they were given until
 * more comes (ip_append_data() of net/ipv4/ip_output.c). A filter of system calls can demand it. */
#ifdef MSG_MORE
enum { SEND_FLAGS = MSG_MORE };
#else
enum { SEND_FLAGS = 0 };
#endif

ssize_t fdpass_send_some(int socket, const void *bytes, size_t size, const int *fds, size_t count)
{
    struct iovec vector = {(void *)bytes, size};
    union large_control control;
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};

    memset(&control, 0, CMSG_SPACE(count * sizeof *fds));
    if (count > 0)
        attach(&header, &control, fds, count);
    ssize_t sent = sendmsg(socket, &header, SEND_FLAGS);

    return sent < 0 ? -errno : sent;
}

ssize_t fdpass_receive_some(int socket, void *bytes, size_t size, struct fdpass_list *ret,
                            size_t most)
{
    struct iovec vector = {bytes, size};
    union large_control control;
    struct msghdr header = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = most > 0 ? &control : NULL,
        .msg_controllen = most > 0 ? CMSG_LEN(most * sizeof(int)) : 0,
    };
    ssize_t length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);

    ret->count = 0;
    ret->incomplete = false;
    if (length < 0)
        return -errno;
    ret->count = take_descriptors(&header, ret->fds, FDPASS_MAX);
    ret->incomplete = header.msg_flags & MSG_CTRUNC;
    return length;
}

/* Without room for any, the kernel says that there are some; those to be received stay open. */
ssize_t fdpass_peek(int socket, void *bytes, size_t size, bool *ret_bare)
{
    struct iovec vector = {bytes, size};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    ssize_t length = recvmsg(socket, &header, MSG_PEEK);

    if (length < 0)
        return -errno;
    *ret_bare = !(header.msg_flags & MSG_CTRUNC);
    return length;
}

void fdpass_close(const struct fdpass_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->fds[i] >= 0)
            close(list->fds[i]);
}

/* --- In a stream of JSON objects ----------------------------------------------------------- */

/* The first place from `place` on, before the end, where no white space is. */
static size_t skip_blanks(const char *buffer, size_t place, size_t end)
{
    static const char blanks[] = {' ', '\t', '\r', '\n'};

    while (place < end && memchr(blanks, buffer[place], sizeof blanks))
        place++;
    return place;
}

bool passed_agree(const struct passed *passed, const char *buffer, size_t begin, size_t end,
                  size_t names)
{
    if (!passed)
        return names == 0;
    if (names == 0)
        return skip_blanks(buffer, end, passed->to) < passed->to;
    begin = skip_blanks(buffer, begin, end);
    return begin >= passed->from && begin < passed->to &&
           (passed->list.count == names || passed->list.incomplete);
}

void passed_move(struct passed *passed, size_t bytes)
{
    if (!passed)
        return;
    passed->from -= passed->from < bytes ? passed->from : bytes;
    passed->to -= passed->to < bytes ? passed->to : bytes;
}
