/* Word of interfaces comes at once.
 *
 * A netlink socket's messages about a change are queued before the call that made the change
 * returns. So whoever made an interface, renamed or deleted it, or waited for a process that did,
 * reads of it without waiting: the next non-blocking read has it.
 *
 * Sources: rtnetlink(7); rtmsg_ifinfo() of net/core/rtnetlink.c, called under the lock that the
 * change is made under, and nlmsg_notify() of net/netlink/af_netlink.c, which queues. */
#include "platform/links.h"
#include "ground.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct news {
    struct link_info last; /* of the interface of this index, in the last read */
    unsigned ifindex;
    long changed, gone;
};

static void take_changed(void *context, const struct link_info *link)
{
    struct news *news = context;

    if (link->ifindex != news->ifindex)
        return;
    news->changed++;
    news->last = *link;
}

static void take_gone(void *context, unsigned ifindex)
{
    struct news *news = context;

    news->gone += ifindex == news->ifindex;
}

static void ignore(void *context)
{
    (void)context;
}

static struct news read_news(int fd, unsigned ifindex)
{
    struct news news = {.ifindex = ifindex};
    struct link_visitor visitor = {take_changed, take_gone, ignore, ignore, &news};

    ground_require(links_socket_read(fd, &visitor) == 0, "reading of interfaces");
    return news;
}

/* netdevice(7): SIOCSIFNAME. An interface that is up may be renamed since Linux 6.2; it is down
 * here, for those before. */
static void rename_link(const char *from, const char *to)
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

static void check(struct ground *ground)
{
    unsigned first = ground->links[0].ifindex, second;
    int fd = links_socket_open();
    struct news news;

    ground_require(fd >= 0, "links socket");
    news = read_news(fd, first);
    ground_expect(ground, "an interface that was there is told of by the first read", 1,
                  news.changed > 0);

    ground_link_del(ground, 1);
    ground_link_add(ground, 1);
    second = ground->links[1].ifindex;
    news = read_news(fd, second);
    ground_expect(ground, "an interface just made is told of by the next read", 1,
                  news.changed > 0);
    ground_expect(ground, "as up", 1, news.last.up);

    rename_link("r1", "other1");
    news = read_news(fd, second);
    ground_expect(ground, "its new name is told by the next read", 1,
                  strcmp(news.last.name, "other1") == 0);
    ground_expect(ground, "the rename as a change, not as its end", 0, news.gone);
    rename_link("other1", "r1");

    read_news(fd, second);
    ground_link_del(ground, 1);
    news = read_news(fd, second);
    ground_expect(ground, "its end is told once by the next read", 1, news.gone);
    ground_link_add(ground, 1);
    ground_expect(ground, "an interface made again has another index", 1,
                  ground->links[1].ifindex != second);
    close(fd);
}

int main(void)
{
    return ground_run(check);
}
