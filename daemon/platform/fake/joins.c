/* The fake kernel's group memberships, with the limits and answers of net/ipv4/igmp.c. */
#include "platform/joins.h"

#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_A_SOCKET = 20, SOURCES_A_GROUP = 10 };

/* Copies of a descriptor are the same socket. */
static uint64_t socket_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

int joins_socket_open(uint8_t family)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)family;
    return fd < 0 ? -errno : fd;
}

static bool is_place(const struct fake_membership *m, uint64_t socket,
                     const struct membership_key *key)
{
    return m->socket == socket && m->key.ifindex == key->ifindex &&
           address_equal(&m->key.group, &key->group);
}

/* How many groups the socket is a member of, and how many sources of this one. */
static void count_places(uint64_t socket, const struct membership_key *key, unsigned *ret_groups,
                         unsigned *ret_sources)
{
    const struct fake *kernel = fake_kernel();

    *ret_groups = *ret_sources = 0;
    for (size_t i = 0; i < kernel->membership_count; i++) {
        const struct fake_membership *m = &kernel->memberships[i];

        *ret_groups += m->socket == socket && m->first;
        *ret_sources += is_place(m, socket, key);
    }
}

static int check_new(uint64_t socket, const struct membership_key *key)
{
    unsigned groups, sources;

    count_places(socket, key, &groups, &sources);
    if (!fake_netif_exists(key->ifindex))
        return -ENODEV;
    if (sources > 0 && !key->source.family)
        return -EADDRINUSE;
    if (sources == 0 && groups >= GROUPS_A_SOCKET)
        return -ENOBUFS;
    return sources >= SOURCES_A_GROUP ? -ENOBUFS : 0;
}

int joins_join(int fd, const struct membership_key *key)
{
    struct fake *kernel = fake_kernel();
    uint64_t socket = socket_of(fd);
    int result = fake_begin_addition();
    unsigned groups, sources;

    if (result == 0)
        result = check_new(socket, key);
    if (result < 0 || kernel->membership_count == FAKE_MEMBERSHIPS_MAX)
        return result < 0 ? result : -ENOMEM;
    count_places(socket, key, &groups, &sources);
    kernel->memberships[kernel->membership_count++] =
        (struct fake_membership){socket, *key, sources == 0, true};
    return 0;
}

static void drop(size_t i)
{
    struct fake *kernel = fake_kernel();
    struct fake_membership gone = kernel->memberships[i];

    kernel->memberships[i] = kernel->memberships[--kernel->membership_count];
    for (size_t j = 0; gone.first && j < kernel->membership_count; j++)
        if (is_place(&kernel->memberships[j], gone.socket, &gone.key)) {
            kernel->memberships[j].first = true;
            return;
        }
}

/* As the options are used: a source of a live interface, or else all of the group. */
int joins_leave(int fd, const struct membership_key *key)
{
    struct fake *kernel = fake_kernel();
    uint64_t socket = socket_of(fd);
    bool whole = !key->source.family || !fake_netif_exists(key->ifindex);
    int result = -EADDRNOTAVAIL;

    for (size_t i = kernel->membership_count; i > 0; i--) {
        const struct fake_membership *m = &kernel->memberships[i - 1];

        if (!is_place(m, socket, key) || !(whole || address_equal(&m->key.source, &key->source)))
            continue;
        kernel->left += m->live;
        drop(i - 1);
        result = 0;
    }
    return result;
}

void fake_memberships_lose_netif(unsigned ifindex)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->membership_count; i++)
        if (kernel->memberships[i].key.ifindex == ifindex)
            kernel->memberships[i].live = false;
}

int joins_members_read(joins_member_visit *visit, void *context)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->membership_count; i++) {
        const struct fake_membership *m = &kernel->memberships[i];

        if (m->live && m->key.group.family == FAMILY_IPV6)
            visit(context, m->key.ifindex, &m->key.group);
    }
    return 0;
}

/* --- The test's side ----------------------------------------------------------------------- */

size_t fake_memberships(unsigned ifindex)
{
    const struct fake *kernel = fake_kernel();
    size_t count = 0;

    for (size_t i = 0; i < kernel->membership_count; i++)
        count += kernel->memberships[i].live && kernel->memberships[i].key.ifindex == ifindex;
    return count;
}

void fake_memberships_lose_ipv6(unsigned ifindex)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->membership_count; i++)
        if (kernel->memberships[i].key.ifindex == ifindex &&
            kernel->memberships[i].key.group.family == FAMILY_IPV6)
            kernel->memberships[i].live = false;
}

size_t fake_dead_memberships(void)
{
    const struct fake *kernel = fake_kernel();
    size_t count = 0;

    for (size_t i = 0; i < kernel->membership_count; i++)
        count += !kernel->memberships[i].live;
    return count;
}

bool fake_is_member(unsigned ifindex, const char *source, const char *group)
{
    const struct fake *kernel = fake_kernel();
    struct membership_key key = {.ifindex = ifindex};

    if (!address_parse(group, &key.group) || (source && !address_parse(source, &key.source)))
        return false;
    for (size_t i = 0; i < kernel->membership_count; i++) {
        const struct fake_membership *m = &kernel->memberships[i];

        if (m->live && m->key.ifindex == ifindex && address_equal(&m->key.group, &key.group) &&
            address_equal(&m->key.source, &key.source))
            return true;
    }
    return false;
}

unsigned fake_left(void)
{
    return fake_kernel()->left;
}
