#include "fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

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

    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    }
    ssize_t sent = sendmsg(socket, &header, 0);

    return sent < 0 ? -errno : (size_t)sent == size ? 0 : -EMSGSIZE;
}

static int take_descriptor(struct msghdr *header)
{
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    int fd, kept = -1;

    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
        return -1;
    /* The room for one is rounded up: where two were sent, two may have arrived. */
    for (size_t i = 0; control->cmsg_len >= CMSG_LEN((i + 1) * sizeof fd); i++) {
        memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
        if (i == 0)
            kept = fd;
        else
            close(fd);
    }
    if (kept >= 0)
        fcntl(kept, F_SETFD, FD_CLOEXEC);
    return kept;
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
    ssize_t length = recvmsg(socket, &header, 0);

    *ret_fd = -1;
    if (length < 0)
        return -errno;
    *ret_fd = take_descriptor(&header);
    if (length == (ssize_t)size)
        return 1;
    if (*ret_fd >= 0)
        close(*ret_fd);
    *ret_fd = -1;
    return length == 0 ? 0 : -EBADMSG;
}
