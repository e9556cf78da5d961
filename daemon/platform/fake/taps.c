/* The fake kernel's taps, with the answers of drivers/net/tun.c. A descriptor is an end of a pair
 * of sockets: a frame is a message, and what the other end is closed for is readable. */
#include "platform/taps.h"

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fake_tap *find(const char *name)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->tap_count; i++)
        if (strcmp(kernel->taps[i].config.name, name) == 0)
            return &kernel->taps[i];
    return NULL;
}

static unsigned find_netif(const char *name)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (strcmp(kernel->netifs[i].name, name) == 0)
            return kernel->netifs[i].ifindex;
    return 0;
}

static void close_queues(struct fake_tap *tap)
{
    while (tap->queue_count > 0)
        close(tap->queues[--tap->queue_count]);
}

static void drop(struct fake_tap *place)
{
    struct fake *kernel = fake_kernel();
    struct fake_tap tap = *place;

    *place = kernel->taps[--kernel->tap_count];
    if (tap.peer >= 0)
        close(tap.peer);
    close_queues(&tap);
    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].ifindex == tap.ifindex) {
            fake_netif_del(kernel->netifs[i].name); /* it may have another one by now */
            return;
        }
}

/* --- The test's side ----------------------------------------------------------------------- */

static bool is_open(int peer)
{
    char frame;

    return recv(peer, &frame, sizeof frame, MSG_PEEK | MSG_DONTWAIT) != 0;
}

static bool is_held(const struct fake_tap *tap)
{
    for (unsigned i = 0; i < tap->queue_count; i++)
        if (is_open(tap->queues[i]))
            return true;
    return is_open(tap->peer);
}

void fake_taps_settle(void)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = kernel->tap_count; i > 0; i--) {
        struct fake_tap *tap = &kernel->taps[i - 1];

        if (tap->peer < 0 || is_held(tap))
            continue;
        if (!(tap->config.flags & TAP_PERSISTENT) && !tap->config.uplink[0]) {
            drop(tap);
            continue;
        }
        close(tap->peer);
        tap->peer = -1;
    }
}

void fake_taps_reset(void)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->tap_count; i++) {
        if (kernel->taps[i].peer >= 0)
            close(kernel->taps[i].peer);
        close_queues(&kernel->taps[i]);
    }
}

const struct tap_config *fake_tap_find(const char *name)
{
    struct fake_tap *tap;

    fake_taps_settle();
    tap = find(name);
    return tap ? &tap->config : NULL;
}

size_t fake_tap_count(void)
{
    fake_taps_settle();
    return fake_kernel()->tap_count;
}

void fake_host_add(const char *name, const char *network)
{
    struct fake *kernel = fake_kernel();
    struct fake_host *host = &kernel->hosts[kernel->host_count++];

    if (kernel->host_count > FAKE_HOSTS_MAX || !prefix_parse(network, &host->network))
        abort();
    strncpy(host->name, name, INTERFACE_NAME_MAX);
}

void fake_route_add(const char *name, const char *network)
{
    struct fake *kernel = fake_kernel();
    struct fake_host *route = &kernel->routes[kernel->route_count++];

    if (kernel->route_count > FAKE_HOSTS_MAX || !prefix_parse(network, &route->network))
        abort();
    strncpy(route->name, name, INTERFACE_NAME_MAX);
}

/* --- The platform's side ------------------------------------------------------------------- */

static int make_pair(int ret[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0)
        return -errno;
    return 0;
}

/* Its interface, as taps_open leaves it. */
static unsigned add_netif(const struct tap_config *config)
{
    unsigned ifindex = fake_netif_add(config->name);

    fake_netif_mark(config->name);
    fake_netif_change(config->name, config->mac, config->mtu);
    return ifindex;
}

/* As the kernel in its order: EBUSY before all else. */
static int judge(const struct tap_config *config)
{
    int result = fake_begin_addition();

    if (result < 0)
        return result;
    if (find_netif(config->name))
        return -EBUSY;
    if (config->bridge[0] && !find_netif(config->bridge))
        return -ENODEV;
    return fake_kernel()->tap_count < FAKE_TAPS_MAX ? 0 : -ENFILE;
}

int taps_open(const struct tap_config *config)
{
    struct fake *kernel = fake_kernel();
    int result, pair[2];

    fake_taps_settle();
    result = judge(config);
    if (result == 0)
        result = make_pair(pair);
    if (result < 0)
        return result;
    kernel->taps[kernel->tap_count++] = (struct fake_tap){
        .config = *config,
        .ifindex = add_netif(config),
        .peer = pair[0],
    };
    if (config->bridge[0])
        fake_netif_join(config->name, config->bridge);
    return pair[1];
}

int taps_open_queue(const struct tap_config *config)
{
    struct fake_tap *tap = find(config->name);
    int pair[2], result = fake_begin_addition();

    if (result < 0)
        return result;
    if (!tap || tap->config.queues < 2)
        return -EINVAL;
    result = make_pair(pair);
    if (result < 0)
        return result;
    tap->queues[tap->queue_count++] = pair[0];
    return pair[1];
}

/* A macvtap that its holder has closed is there as before. */
int taps_open_on_uplink(const struct tap_config *config, bool again)
{
    struct fake *kernel = fake_kernel();
    struct fake_tap *tap = find(config->name);
    int result, pair[2];

    if (!find_netif(config->uplink))
        return -ENODEV;
    result = tap && again ? 0 : judge(config);
    if (result == 0 && !tap) {
        kernel->taps[kernel->tap_count++] =
            (struct fake_tap){.config = *config, .ifindex = add_netif(config), .peer = -1};
        tap = &kernel->taps[kernel->tap_count - 1];
    }
    if (result == 0 && kernel->nodes_late > 0) {
        kernel->nodes_late--;
        return -EINPROGRESS;
    }
    if (result == 0)
        result = make_pair(pair);
    if (result < 0)
        return result;
    tap->peer = pair[0];
    return pair[1];
}

unsigned taps_find(const char *name)
{
    fake_taps_settle();
    return find_netif(name);
}

int taps_open_socket(void)
{
    int pair[2], result = make_pair(pair);

    if (result < 0)
        return result;
    close(pair[0]);
    return pair[1];
}

unsigned taps_find_by(int socket, const char *name)
{
    return fcntl(socket, F_GETFD) < 0 ? 0 : taps_find(name);
}

bool taps_is_here(unsigned ifindex)
{
    fake_taps_settle();
    return fake_netif_exists(ifindex);
}

bool taps_is_gone(int fd)
{
    char frame;

    return recv(fd, &frame, sizeof frame, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int taps_delete(unsigned ifindex)
{
    const struct fake *kernel = fake_kernel();

    fake_taps_settle();
    if (!fake_netif_exists(ifindex))
        return 0;
    for (size_t i = 0; i < kernel->tap_count; i++)
        if (kernel->taps[i].ifindex == ifindex) {
            drop(&fake_kernel()->taps[i]);
            return 0;
        }
    return -EPERM;
}

void taps_delete_together(const unsigned *ifindexes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        taps_delete(ifindexes[i]);
}

int taps_join(const char *name, const char *bridge, bool isolated)
{
    struct fake_tap *tap;

    fake_taps_settle();
    tap = find(name);
    if (!tap)
        return find_netif(name) ? -EPERM : -ENODEV;
    if (!find_netif(bridge))
        return -ENODEV;
    memcpy(tap->config.bridge, bridge, strlen(bridge) + 1);
    fake_netif_join(name, bridge);
    tap->config.flags &= ~(unsigned)TAP_ISOLATED;
    tap->config.flags |= isolated ? TAP_ISOLATED : 0;
    return 0;
}

int taps_find_overlap(const struct prefix *network, char *ret)
{
    const struct fake *kernel = fake_kernel();

    fake_taps_settle();
    for (size_t i = 0; i < kernel->host_count; i++)
        if (prefix_overlaps(&kernel->hosts[i].network, network)) {
            memcpy(ret, kernel->hosts[i].name, sizeof kernel->hosts[i].name);
            return 1;
        }
    for (size_t i = 0; i < kernel->tap_count; i++)
        for (size_t j = 0; j < kernel->taps[i].config.host_count; j++) {
            const struct host_address *host = &kernel->taps[i].config.hosts[j];
            struct prefix other = prefix_of(&host->address, host->length);

            if (prefix_overlaps(&other, network)) {
                memcpy(ret, kernel->taps[i].config.name, INTERFACE_NAME_MAX + 1);
                return 1;
            }
        }
    return 0;
}

int taps_find_route(const struct prefix *network, char *ret)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->route_count; i++)
        if (prefix_equal(&kernel->routes[i].network, network)) {
            memcpy(ret, kernel->routes[i].name, sizeof kernel->routes[i].name);
            return 1;
        }
    return 0;
}

const char *taps_explain_uplink(int error)
{
    return error == -EOPNOTSUPP ? "there is no macvtap driver" : NULL;
}

void fake_nodes_are_late(unsigned count)
{
    fake_kernel()->nodes_late = count;
}

const char *taps_explain(int error)
{
    return error == -ENOENT ? "there is no tap driver" : NULL;
}
