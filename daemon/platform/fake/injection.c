/* Frames out of an interface that no kernel has: a test takes them (fake.h) as they were sent, each
 * a message. */
#include "kernel.h"

#include "platform/injection.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t own[MAC_BYTES] = {2, 0, 0, 0, 0, 1};

int injection_open(uint32_t ifindex)
{
    struct fake *kernel = fake_kernel();
    int result = fake_begin_addition(), pair[2];

    if (result < 0)
        return result;
    if (!fake_netif_exists(ifindex))
        return -ENODEV;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    if (kernel->injection_peer > 0)
        close(kernel->injection_peer);
    kernel->injection_peer = pair[0];
    return pair[1];
}

const char *injection_explain(int error)
{
    return error == -EAFNOSUPPORT ? "there are no packet sockets" : NULL;
}

int injection_address(int fd, uint8_t *ret)
{
    (void)fd;
    memcpy(ret, own, sizeof own);
    return 0;
}

int injection_send(int fd, const void *bytes, uint32_t length)
{
    if (send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    return errno == EPIPE ? -ENETDOWN : -errno;
}

int injection_send_some(int fd, const struct injection_frame *frames, unsigned count)
{
    for (unsigned sent = 0; sent < count; sent++) {
        int result = injection_send(fd, frames[sent].bytes, frames[sent].length);

        if (result < 0)
            return sent > 0 ? (int)sent : result;
    }
    return (int)count;
}

bool injection_tells_room(int fd)
{
    struct pollfd full = {.fd = fd, .events = POLLOUT};

    return poll(&full, 1, 0) == 0;
}

/* --- Frames -------------------------------------------------------------------------------- */

long fake_frame_take(void *bytes, size_t size)
{
    int peer = fake_kernel()->injection_peer;
    struct pollfd polled = {.fd = peer, .events = POLLIN};

    if (peer <= 0 || poll(&polled, 1, 2000) <= 0)
        return -1;
    return recv(peer, bytes, size, MSG_DONTWAIT);
}

void fake_frames_stop(void)
{
    struct fake *kernel = fake_kernel();

    if (kernel->injection_peer > 0)
        close(kernel->injection_peer);
    kernel->injection_peer = 0;
}
