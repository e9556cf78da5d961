/* Word of interfaces comes at once.
 *
 * A netlink socket's messages about a change are queued before the call that made the change
 * returns. So whoever made an interface, renamed or deleted it, or waited for a process that did,
 * reads of it without waiting: the next non-blocking read has it.
 *
 * A socket that was overrun gets no message until all that it holds was read, and its reader is
 * told of the first loss only. So what is missing is asked for when it holds nothing any more.
 *
 * Sources: rtnetlink(7); NETLINK_S_CONGESTED of net/netlink/af_netlink.c; rtmsg_ifinfo() of
 * net/core/rtnetlink.c, called under the lock that the change is made under, and nlmsg_notify() of
 * net/netlink/af_netlink.c, which queues. */
#include "platform/netifs.h"
#include "ground.h"

#include <linux/sock_diag.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct event {
    struct netif last; /* of the interface of this index, in the last read */
    unsigned ifindex;
    long changed, gone;
};

static void take_changed(void *context, const struct netif *netif)
{
    struct event *event = context;

    if (netif->ifindex != event->ifindex)
        return;
    event->changed++;
    event->last = *netif;
}

static void take_gone(void *context, unsigned ifindex)
{
    struct event *event = context;

    event->gone += ifindex == event->ifindex;
}

static void ignore(void *context)
{
    (void)context;
}

static struct event read_events(int fd, unsigned ifindex)
{
    struct event event = {.ifindex = ifindex};
    struct netif_visitor visitor = {take_changed, take_gone, ignore, ignore, &event};

    ground_require(netifs_socket_read(fd, &visitor) == 0, "reading of interfaces");
    return event;
}

/* netdevice(7): SIOCSIFNAME. An interface that is up may be renamed since Linux 6.2; it is down
 * here, for those before. */
static void rename_netif(const char *from, const char *to)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};

    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", from);
    ground_require(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
    request.ifr_flags &= (short)~IFF_UP;
    ground_require(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
    snprintf(request.ifr_newname, sizeof request.ifr_newname, "%s", to);
    ground_require(ioctl(fd, SIOCSIFNAME, &request) == 0, "SIOCSIFNAME");
    close(fd);
}

/* --- An overrun ---------------------------------------------------------------------------- */

struct late {
    int fd;
    struct ground *ground;
    struct netif_visitor visitor;
    bool is_asked, is_made, is_told;
};

/* The kernel goes on with a dump when the socket is half empty (netlink_recvmsg()). */
static bool is_dumped(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t size = sizeof memory;

    ground_require(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0, "SO_MEMINFO");
    return memory[SK_MEMINFO_RMEM_ALLOC] < memory[SK_MEMINFO_RCVBUF] / 3;
}

static void make_late(void *context, const struct netif *netif)
{
    struct late *late = context;

    if (late->is_asked && !late->is_made && is_dumped(late->fd)) {
        late->is_made = true;
        ground_netif_add(late->ground, 1);
    }
    late->is_told |= late->is_made && netif->ifindex == late->ground->netifs[1].ifindex;
}

static void take_loss(void *context, unsigned ifindex)
{
    struct late *late = context;

    if (late->is_made && ifindex == late->ground->netifs[1].ifindex)
        late->is_told = false;
}

static void note_asked(void *context)
{
    ((struct late *)context)->is_asked = true;
}

/* Each change is a message of more than 1,000 bytes. */
static void overrun(unsigned ifindex)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ground_require(if_indextoname(ifindex, request.ifr_name) != NULL, "if_indextoname");
    for (int i = 0; i < 4000; i++) {
        request.ifr_mtu = 1400 + i % 2;
        ground_require(ioctl(fd, SIOCSIFMTU, &request) == 0, "SIOCSIFMTU");
    }
    close(fd);
}

/* The interface is made while the socket still holds old messages, and all was asked for. */
static void check_overrun(struct ground *ground)
{
    struct late late = {.ground = ground};
    int fd = netifs_socket_open();

    late.visitor = (struct netif_visitor){make_late, take_loss, note_asked, ignore, &late};
    late.fd = fd;
    ground_require(fd >= 0 && netifs_socket_read(fd, &late.visitor) == 0, "reading of interfaces");
    ground_netif_del(ground, 1);
    overrun(ground->netifs[0].ifindex);
    ground_require(netifs_socket_read(fd, &late.visitor) == 0, "reading of interfaces");
    ground_expect(ground, "an overrun is noticed", 1, late.is_asked);
    ground_require(late.is_made, "an interface that is made meanwhile");
    ground_expect(ground, "an interface made after an overrun is told of", 1, late.is_told);
    close(fd);
}

static void check(struct ground *ground)
{
    unsigned first = ground->netifs[0].ifindex, second;
    int fd = netifs_socket_open();
    struct event event;

    ground_require(fd >= 0, "netifs socket");
    event = read_events(fd, first);
    ground_expect(ground, "an interface that was there is told of by the first read", 1,
                  event.changed > 0);

    ground_netif_del(ground, 1);
    ground_netif_add(ground, 1);
    second = ground->netifs[1].ifindex;
    event = read_events(fd, second);
    ground_expect(ground, "an interface just made is told of by the next read", 1,
                  event.changed > 0);
    ground_expect(ground, "as up", 1, event.last.up);

    rename_netif("r1", "other1");
    event = read_events(fd, second);
    ground_expect(ground, "its new name is told by the next read", 1,
                  strcmp(event.last.name, "other1") == 0);
    ground_expect(ground, "the rename as a change, not as its end", 0, event.gone);
    rename_netif("other1", "r1");

    read_events(fd, second);
    ground_netif_del(ground, 1);
    event = read_events(fd, second);
    ground_expect(ground, "its end is told once by the next read", 1, event.gone);
    ground_netif_add(ground, 1);
    ground_expect(ground, "an interface made again has another index", 1,
                  ground->netifs[1].ifindex != second);
    close(fd);
    check_overrun(ground);
}

int main(void)
{
    return ground_run(check);
}
