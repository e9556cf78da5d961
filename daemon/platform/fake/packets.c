/* Frames of an interface that no kernel has: a test puts them in (fake.h), and whoever has the
 * descriptor reads each as a block of its own. What a filter of the kernel would drop is dropped
 * where the test puts it in, so that what comes through is what a test wants to come through. */
#include "kernel.h"

#include "platform/packets.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One message of the socket: this, and the frame. */
struct fake_frame {
    uint32_t length;
    uint32_t outgoing;
    uint64_t time;
};

enum { FAKE_FRAME_MAX = 2048 };

int packets_open(const struct packets_config *config)
{
    struct fake *kernel = fake_kernel();
    int result = fake_begin_addition(), pair[2];

    if (result < 0)
        return result;
    if (!fake_netif_exists(config->ifindex))
        return -ENODEV;
    if (config->timestamps == TIMESTAMPS_INTERFACE)
        return -EOPNOTSUPP;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    if (kernel->packets_peer > 0)
        close(kernel->packets_peer);
    kernel->packets_peer = pair[0];
    kernel->packets = *config;
    return pair[1];
}

const char *packets_explain(int error)
{
    return error == -EAFNOSUPPORT ? "there are no packet sockets" : NULL;
}

bool packets_name(uint32_t ifindex, char *ret)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].ifindex == ifindex) {
            memcpy(ret, kernel->netifs[i].name, INTERFACE_NAME_MAX + 1);
            return true;
        }
    return false;
}

/* --- Frames -------------------------------------------------------------------------------- */

bool fake_frame_put(const void *bytes, uint32_t length, bool outgoing)
{
    struct fake_frame head = {length, outgoing, 1000000000};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)bytes, length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    int peer = fake_kernel()->packets_peer;

    return peer > 0 && sendmsg(peer, &message, MSG_NOSIGNAL) > 0;
}

const struct packets_config *fake_packets(void)
{
    return fake_kernel()->packets_peer > 0 ? &fake_kernel()->packets : NULL;
}

/* The map is memory of the size of one frame, and the descriptor. */
int packets_map(struct packets *packets, int fd)
{
    uint8_t *map = malloc(sizeof fd + PACKETS_TAG + FAKE_FRAME_MAX);

    if (!map)
        return -ENOMEM;
    memcpy(map, &fd, sizeof fd);
    *packets = (struct packets){.map = map, .size = FAKE_FRAME_MAX};
    return 0;
}

void packets_unmap(struct packets *packets)
{
    free(packets->map);
    *packets = (struct packets){0};
}

bool packets_next_block(struct packets *packets)
{
    int fd;
    ssize_t n;

    memcpy(&fd, packets->map, sizeof fd);
    packets->next = packets->map + sizeof fd;
    n = recv(fd, packets->next, FAKE_FRAME_MAX, MSG_DONTWAIT);
    packets->left = n > (ssize_t)sizeof(struct fake_frame);
    return packets->left > 0;
}

bool packets_next(struct packets *packets, struct packet *ret)
{
    struct fake_frame head;

    if (packets->left == 0)
        return false;
    packets->left = 0;
    memcpy(&head, packets->next, sizeof head);
    *ret = (struct packet){
        .bytes = packets->next + sizeof head,
        .captured = head.length,
        .length = head.length,
        .time = head.time,
        .outgoing = head.outgoing != 0,
    };
    return true;
}

int packets_count(int fd, uint64_t *ret_received, uint64_t *ret_dropped)
{
    (void)fd;
    *ret_received = 0;
    *ret_dropped = 0;
    return 0;
}

int packets_count_iface(uint32_t ifindex, uint64_t *ret_dropped)
{
    *ret_dropped = ifindex ? fake_kernel()->iface_dropped : 0;
    return 0;
}

bool packets_wait(int fd, int wake, int milliseconds)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = wake, .events = POLLIN}};

    poll(polled, 2, milliseconds);
    return true;
}
