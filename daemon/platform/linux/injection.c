/* Frames out of an interface on Linux: packet(7), net/packet/af_packet.c of the kernel.
 *
 * A socket of packets cannot be kept to its interface by the kernel: its holder may bind it to
 * another one, or name that with each frame. So no client ever gets one. What the broker's cage can
 * do about it is in arguments.c and docs/threats.md: bind takes no address of packets there, and
 * sendto takes none at all. The memory for frames under way is that of the socket's buffer, which
 * bounds it.
 *
 * PACKET_TX_RING is not used: a frame in it is the kernel's until its receiver has freed it, and on
 * a veth pair the place is given back before that. */
#include "platform/injection.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ADDRESS_BYTES = 6 };

/* Its protocol is 0, so it receives nothing; and where it did, this drops all.
 *
 * #syscalls keeper: socket setsockopt bind close */
static int close_ears(int fd)
{
    struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &none};
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) < 0)
        return -errno;
    return 0;
}

static int join(int fd, uint32_t ifindex)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex};

    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : 0;
}

int injection_open(uint32_t ifindex)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -errno : close_ears(fd);

    if (result == 0)
        result = join(fd, ifindex);
    if (result == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return result;
}

const char *injection_explain(int error)
{
    switch (error) {
    case -EAFNOSUPPORT:
        return "a drop-in of the unit keeps packet sockets from the service "
               "(RestrictAddressFamilies=), or the kernel has none";
    case -EPERM:
        return "the service lacks CAP_NET_RAW";
    default:
        return NULL;
    }
}

/* #syscalls broker: getsockname */
int injection_address(int fd, uint8_t *ret)
{
    struct sockaddr_ll address = {0};
    socklen_t size = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (address.sll_halen != ADDRESS_BYTES)
        return -ENODEV;
    memcpy(ret, address.sll_addr, ADDRESS_BYTES);
    return 0;
}

/* A queue of the interface that is full is told as ENOBUFS, the socket's own buffer as EAGAIN. */
static int explain_errno(void)
{
    switch (errno) {
    case ENOBUFS:
    case ENOMEM:
    case EWOULDBLOCK:
        return -EAGAIN;
    case ENXIO:
    case ENODEV:
        return -ENETDOWN;
    default:
        return -errno;
    }
}

/* #syscalls broker: send sendto */
int injection_send(int fd, const void *bytes, uint32_t length)
{
    return send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? explain_errno() : 0;
}

/* A filter of system calls is looked at once for all frames: for each, that costs a tenth of what
 * it takes to send one. The descriptor does not block, and MSG_MORE, which a socket of packets does
 * not look at, is what the filter demands (arguments.c).
 *
 * #syscalls lending: sendmmsg */
int injection_send_some(int fd, const struct injection_frame *frames, unsigned count)
{
    struct mmsghdr messages[INJECTION_FRAMES];
    struct iovec parts[INJECTION_FRAMES];
    int sent;

    for (unsigned i = 0; i < count; i++) {
        parts[i] = (struct iovec){(void *)frames[i].bytes, frames[i].length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    sent = sendmmsg(fd, messages, count, MSG_MORE);
    return sent < 0 ? explain_errno() : sent;
}

/* While the interface's own queue is full, the socket is writable.
 *
 * #syscalls broker: poll ppoll ppoll_time64 */
bool injection_tells_room(int fd)
{
    struct pollfd full = {.fd = fd, .events = POLLOUT};

    return poll(&full, 1, 0) == 0;
}
