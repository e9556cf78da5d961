/* The fake kernel's interfaces, and its word on them. */
#include "platform/netifs.h"

#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake *fake_kernel(void)
{
    static struct fake kernel;

    return &kernel;
}

int fake_pair(int ret[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ret) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(ret[i], F_SETFL, O_NONBLOCK);
        fcntl(ret[i], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

void fake_reset(void)
{
    struct fake *kernel = fake_kernel();

    if (kernel->used) {
        fake_tables_reset();
        fake_taps_reset();
        if (kernel->netifs_peer >= 0)
            close(kernel->netifs_peer);
        if (kernel->changes_peer >= 0)
            close(kernel->changes_peer);
        if (kernel->injection_peer > 0)
            close(kernel->injection_peer);
        if (kernel->packets_peer > 0)
            close(kernel->packets_peer);
    }
    memset(kernel, 0, sizeof *kernel);
    kernel->used = true;
    kernel->netifs_peer = kernel->changes_peer = -1;
    for (size_t i = 0; i < FAKE_TABLES_MAX; i++)
        kernel->tables[i].peer = -1;
}

/* --- The test's side ----------------------------------------------------------------------- */

static struct netif *find_link(const char *name)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (strcmp(kernel->netifs[i].name, name) == 0)
            return &kernel->netifs[i];
    fprintf(stderr, "fake platform: there is no interface %s\n", name);
    abort();
}

static void tell(const struct netif *netif, bool gone)
{
    struct fake *kernel = fake_kernel();

    if (kernel->netifs_peer < 0)
        return;
    if (kernel->event_count == FAKE_EVENT_MAX)
        kernel->overrun = true;
    else
        kernel->event[kernel->event_count++] = (struct fake_netif_event){gone, *netif};
    /* A full socket is readable as well. */
    if (send(kernel->netifs_peer, "", 1, MSG_NOSIGNAL) < 0)
        return;
}

unsigned fake_netif_add(const char *name)
{
    struct fake *kernel = fake_kernel();
    struct netif netif = {
        .ifindex = ++kernel->last_ifindex,
        .up = true,
        .running = true,
        .ipv6 = true,
        .mtu = 1500,
    };

    if (kernel->netif_count == FAKE_NETIFS_MAX)
        abort();
    snprintf(netif.name, sizeof netif.name, "%s", name);
    kernel->netifs[kernel->netif_count++] = netif;
    tell(&netif, false);
    return netif.ifindex;
}

void fake_netif_join(const char *name, const char *bridge)
{
    struct netif *netif = find_link(name);

    netif->master = bridge ? find_link(bridge)->ifindex : 0;
    tell(netif, false);
}

static void free_ports(unsigned bridge)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].master == bridge)
            fake_netif_join(kernel->netifs[i].name, NULL);
}

void fake_netif_del(const char *name)
{
    struct fake *kernel = fake_kernel();
    struct netif *place = find_link(name), netif = *place;

    *place = kernel->netifs[--kernel->netif_count];
    free_ports(netif.ifindex);
    fake_tables_lose_netif(netif.ifindex);
    fake_memberships_lose_netif(netif.ifindex);
    tell(&netif, true);
}

void fake_netif_rename(const char *from, const char *to)
{
    struct netif *netif = find_link(from);

    snprintf(netif->name, sizeof netif->name, "%s", to);
    tell(netif, false);
}

void fake_netif_change(const char *name, const uint8_t mac[MAC_BYTES], unsigned mtu)
{
    struct netif *netif = find_link(name);

    memcpy(netif->mac, mac, MAC_BYTES);
    netif->mtu = mtu;
    tell(netif, false);
}

void fake_netif_mark(const char *name)
{
    struct netif *netif = find_link(name);

    memcpy(netif->made_as, netif->name, sizeof netif->name);
    tell(netif, false);
}

void fake_netif_set_type(const char *name, enum netif_type type)
{
    struct netif *netif = find_link(name);

    netif->type = type;
    tell(netif, false);
}

void fake_netif_set_running(const char *name, bool running)
{
    struct netif *netif = find_link(name);

    netif->running = running;
    tell(netif, false);
}

void fake_netifs_overrun(void)
{
    fake_kernel()->overrun = true;
}

/* --- The platform's side ------------------------------------------------------------------- */

/* As the real one: what there is comes as changes, behind which the dump is complete. */
int netifs_socket_open(void)
{
    struct fake *kernel = fake_kernel();
    int pair[2];
    int result = fake_pair(pair);

    if (result < 0)
        return result;
    if (kernel->netifs_peer >= 0)
        close(kernel->netifs_peer);
    kernel->netifs_peer = pair[0];
    kernel->event_count = 0;
    kernel->overrun = false;
    for (size_t i = 0; i < kernel->netif_count; i++)
        tell(&kernel->netifs[i], false);
    return pair[1];
}

static void tell_all(struct fake *kernel, const struct netif_visitor *visitor)
{
    visitor->restart(visitor->context);
    for (size_t i = 0; i < kernel->netif_count; i++)
        visitor->changed(visitor->context, &kernel->netifs[i]);
    visitor->complete(visitor->context);
}

int netifs_socket_read(int fd, const struct netif_visitor *visitor)
{
    struct fake *kernel = fake_kernel();
    size_t count;
    char byte;

    fake_taps_settle();
    count = kernel->event_count;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
    kernel->event_count = 0;
    if (kernel->overrun) {
        kernel->overrun = false;
        tell_all(kernel, visitor);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct fake_netif_event *event = &kernel->event[i];

        if (event->gone)
            visitor->gone(visitor->context, event->netif.ifindex);
        else
            visitor->changed(visitor->context, &event->netif);
    }
    return 0;
}
