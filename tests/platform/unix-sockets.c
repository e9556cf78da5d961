/* Descriptors and identities across Unix sockets.
 *
 * Descriptors that come with a message are lost, and closed, where it is read by recv(2): a server
 * that reads so cannot be filled up with them. Where there is room for one, CMSG_SPACE(sizeof
 * (int)), one that is sent arrives; but that room is rounded up to the alignment of a header, and
 * the kernel uses all of it: on 64-bit machines two of three arrive, and MSG_CTRUNC tells of the
 * third. SO_PEERCRED is who connected, at that time: it changes neither when that process becomes
 * another user, nor when another process uses the connection, nor when the first is gone.
 *
 * Sources: unix(7), cmsg(3); scm_detach_fds() of net/core/scm.c, unix_stream_connect() and
 * copy_peercred() of net/unix/af_unix.c. */
#include "fdpass.h"
#include "ground.h"
#include "platform/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SENT = 3, NOBODY = 65534 };

static long open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    long count = 0;

    ground_require(directory, "/proc/self/fd");
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static void send_descriptors(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(SENT * sizeof(int))];
    } control = {0};
    char byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.bytes,
    };
    int fds[SENT] = {fd, fd, fd};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    ground_require(sendmsg(socket, &message, 0) == 1, "sendmsg");
}

static int receive_flags(int socket)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control.bytes,
    };

    ground_require(recvmsg(socket, &message, 0) == 1, "recvmsg");
    return message.msg_flags;
}

static void check_descriptors(struct ground *ground)
{
    struct fdpass_target peer = {NULL, 0};
    int pair[2], fd, flags;
    long before;
    char byte;

    ground_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
    before = open_descriptors();
    send_descriptors(pair[0], ground->near);
    ground_require(recv(pair[1], &byte, 1, 0) == 1, "recv");
    ground_expect(ground, "descriptors that arrive by recv()", 0, open_descriptors() - before);

    ground_require(fdpass_send(pair[0], &peer, "x", 1, ground->near) == 0, "sending one");
    ground_require(fdpass_receive(pair[1], &byte, 1, &fd) == 1, "receiving one");
    ground_expect(ground, "of one sent, those that arrive where there is room for one", 1,
                  open_descriptors() - before);
    close(fd);

    send_descriptors(pair[0], ground->near);
    ground_require(fdpass_receive(pair[1], &byte, 1, &fd) == 1, "receiving one of three");
    ground_expect(ground, "of three sent, those left open by who closes what is beyond one", 1,
                  open_descriptors() - before);
    close(fd);

    send_descriptors(pair[0], ground->near);
    flags = receive_flags(pair[1]);
    ground_expect(ground, "of three sent, those that arrive in CMSG_SPACE(sizeof(int))",
                  (long)((CMSG_SPACE(sizeof(int)) - CMSG_LEN(0)) / sizeof(int)),
                  open_descriptors() - before);
    ground_expect(ground, "whether MSG_CTRUNC tells of the rest", 1, (flags & MSG_CTRUNC) != 0);
    close(pair[0]);
    close(pair[1]);
}

/* --- Who connected ------------------------------------------------------------------------- */

/* An address that the kernel chooses, in the abstract namespace of this network namespace. */
static int listen_anywhere(struct sockaddr_un *ret, socklen_t *ret_length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    ground_require(bind(fd, (const struct sockaddr *)ret, sizeof ret->sun_family) == 0, "bind");
    ground_require(listen(fd, 1) == 0, "listen");
    *ret_length = sizeof *ret;
    ground_require(getsockname(fd, (struct sockaddr *)ret, ret_length) == 0, "getsockname");
    return fd;
}

/* The client connects, becomes another user where it can, and leaves the connection to a child. */
static void run_client(const struct sockaddr_un *address, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ground_require(connect(fd, (const struct sockaddr *)address, length) == 0, "connect");
    if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0)
        ground_require(setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
    if (fork() == 0)
        ground_require(write(fd, "x", 1) == 1, "write");
    _exit(0);
}

static void check_identity(struct ground *ground)
{
    struct sockaddr_un address;
    socklen_t length;
    int listener = listen_anywhere(&address, &length), fd;
    pid_t client = fork();
    struct peer peer;
    char byte;

    ground_require(client >= 0, "fork");
    if (client == 0)
        run_client(&address, length);
    ground_require(waitpid(client, NULL, 0) == client, "waitpid");
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ground_require(fd >= 0 && recv(fd, &byte, 1, 0) == 1, "a byte from the client's child");
    ground_require(peer_identify(fd, &peer) == 0, "SO_PEERCRED");
    ground_expect(ground, "the peer's uid is the one that connected", geteuid(), peer.uid);
    ground_expect(ground, "and so is its gid", getegid(), peer.gid);
    ground_expect(ground, "its pid is of the process that connected, which is gone", client,
                  peer.pid);
    close(fd);
    close(listener);
}

static void check(struct ground *ground)
{
    check_descriptors(ground);
    check_identity(ground);
}

int main(void)
{
    return ground_run(check);
}
