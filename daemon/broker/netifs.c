#include "netifs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    struct netif info;
    bool confirmed; /* named since the last restart */
};

struct netifs {
    int fd;
    struct entry *entries; /* owned */
    size_t count, capacity;
    bool sweeping; /* all are told again */
    netifs_listener *listener;
    void *context;
};

static struct entry *find_entry(const struct netifs *netifs, unsigned ifindex)
{
    for (size_t i = 0; i < netifs->count; i++)
        if (netifs->entries[i].info.ifindex == ifindex)
            return &netifs->entries[i];
    return NULL;
}

static bool is_same(const struct netif *a, const struct netif *b)
{
    return strcmp(a->name, b->name) == 0 && a->up == b->up && a->running == b->running &&
           a->ipv6 == b->ipv6 && a->master == b->master;
}

static struct entry *append_entry(struct netifs *netifs)
{
    if (netifs->count == netifs->capacity) {
        size_t capacity = netifs->capacity ? netifs->capacity * 2 : 16;
        struct entry *entries = realloc(netifs->entries, capacity * sizeof *entries);

        if (!entries)
            return NULL;
        netifs->entries = entries;
        netifs->capacity = capacity;
    }
    return &netifs->entries[netifs->count++];
}

static void take_change(void *context, const struct netif *is)
{
    struct netifs *netifs = context;
    struct entry *entry = find_entry(netifs, is->ifindex);

    if (!entry) {
        entry = append_entry(netifs);
        if (!entry)
            return; /* without memory the interface stays unknown; a later change tells of it */
        *entry = (struct entry){*is, true};
        netifs->listener(netifs->context, NULL, is);
        return;
    }
    struct netif was = entry->info;

    *entry = (struct entry){*is, true};
    if (netifs->sweeping || !is_same(&was, is))
        netifs->listener(netifs->context, &was, is);
}

static void drop_entry(struct netifs *netifs, struct entry *entry)
{
    struct netif was = entry->info;

    *entry = netifs->entries[--netifs->count];
    netifs->listener(netifs->context, &was, NULL);
}

static void take_loss(void *context, unsigned ifindex)
{
    struct netifs *netifs = context;
    struct entry *entry = find_entry(netifs, ifindex);

    if (entry)
        drop_entry(netifs, entry);
}

static void begin_sweep(void *context)
{
    struct netifs *netifs = context;

    netifs->sweeping = true;
    for (size_t i = 0; i < netifs->count; i++)
        netifs->entries[i].confirmed = false;
}

static void end_sweep(void *context)
{
    struct netifs *netifs = context;

    netifs->sweeping = false;
    for (size_t i = netifs->count; i > 0; i--)
        if (!netifs->entries[i - 1].confirmed)
            drop_entry(netifs, &netifs->entries[i - 1]);
}

void netifs_update(struct netifs *netifs)
{
    struct netif_visitor visitor = {take_change, take_loss, begin_sweep, end_sweep, netifs};

    netifs_socket_read(netifs->fd, &visitor);
}

struct netifs *netifs_new(netifs_listener *listener, void *context)
{
    struct netifs *netifs = calloc(1, sizeof *netifs);

    if (!netifs)
        return NULL;
    *netifs = (struct netifs){.listener = listener, .context = context};
    netifs->fd = netifs_socket_open();
    if (netifs->fd < 0) {
        errno = -netifs->fd;
        free(netifs);
        return NULL;
    }
    netifs_update(netifs);
    return netifs;
}

void netifs_free(struct netifs *netifs)
{
    if (!netifs)
        return;
    close(netifs->fd);
    free(netifs->entries);
    free(netifs);
}

int netifs_fd(const struct netifs *netifs)
{
    return netifs->fd;
}

const struct netif *netifs_find(const struct netifs *netifs, const char *name)
{
    for (size_t i = 0; i < netifs->count; i++)
        if (strcmp(netifs->entries[i].info.name, name) == 0)
            return &netifs->entries[i].info;
    return NULL;
}

const struct netif *netifs_find_index(const struct netifs *netifs, unsigned ifindex)
{
    const struct entry *entry = find_entry(netifs, ifindex);

    return entry ? &entry->info : NULL;
}

const struct netif *netifs_find_ethernet(struct netifs *netifs, const char *name,
                                         struct error *error)
{
    const struct netif *netif;

    netifs_update(netifs);
    netif = netifs_find(netifs, name);
    if (netif && netif->type != NETIF_TYPE_OTHER)
        return netif;
    if (netif)
        error_set(error, ERROR_UNSUPPORTED, "interface",
                  "The frames of '%s' are not Ethernet's: they have another header, or none, as on "
                  "a tunnel. 'ip -d link' tells which interfaces are 'ether'.",
                  name);
    else
        error_set(error, ERROR_NOT_FOUND, "interface",
                  "Invalid argument: Interface '%s' not found. 'interface' takes one that "
                  "'ip link' lists.",
                  name);
    return NULL;
}

bool netifs_have(const struct netifs *netifs, unsigned ifindex, const char *name)
{
    const struct netif *netif = netifs_find_index(netifs, ifindex);

    return netif && strcmp(netif->name, name) == 0;
}

bool netif_is_still(const struct netif *was, const struct netif *is)
{
    return is && was->ifindex == is->ifindex && strcmp(was->name, is->name) == 0;
}

/* The kernel's indexes grow. */
const struct netif *netifs_find_made(const struct netifs *netifs, const char *name)
{
    const struct netif *found = NULL;

    for (size_t i = 0; i < netifs->count; i++) {
        const struct netif *netif = &netifs->entries[i].info;

        if (strcmp(netif->made_as, name) == 0 && (!found || netif->ifindex > found->ifindex))
            found = netif;
    }
    return found;
}

const struct netif *netifs_next(const struct netifs *netifs, const struct netif *netif)
{
    size_t i = netif ? (size_t)((const struct entry *)netif - netifs->entries) + 1 : 0;

    return i < netifs->count ? &netifs->entries[i].info : NULL;
}
