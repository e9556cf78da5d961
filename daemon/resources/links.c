#include "links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
    struct link_info info;
    bool confirmed; /* named since the last restart */
};

struct links {
    int fd;
    struct entry *entries; /* owned */
    size_t count, capacity;
    links_listener *listener;
    void *context;
};

static struct entry *find_entry(const struct links *links, unsigned ifindex)
{
    for (size_t i = 0; i < links->count; i++)
        if (links->entries[i].info.ifindex == ifindex)
            return &links->entries[i];
    return NULL;
}

static bool is_same(const struct link_info *a, const struct link_info *b)
{
    return strcmp(a->name, b->name) == 0 && a->up == b->up && a->running == b->running &&
           a->ipv6 == b->ipv6 && a->master == b->master;
}

static struct entry *append_entry(struct links *links)
{
    if (links->count == links->capacity) {
        size_t capacity = links->capacity ? links->capacity * 2 : 16;
        struct entry *entries = realloc(links->entries, capacity * sizeof *entries);

        if (!entries)
            return NULL;
        links->entries = entries;
        links->capacity = capacity;
    }
    return &links->entries[links->count++];
}

static void take_change(void *context, const struct link_info *is)
{
    struct links *links = context;
    struct entry *entry = find_entry(links, is->ifindex);

    if (!entry) {
        entry = append_entry(links);
        if (!entry)
            return; /* without memory the interface stays unknown; a later change tells of it */
        *entry = (struct entry){*is, true};
        links->listener(links->context, NULL, is);
        return;
    }
    struct link_info was = entry->info;

    *entry = (struct entry){*is, true};
    if (!is_same(&was, is))
        links->listener(links->context, &was, is);
}

static void drop_entry(struct links *links, struct entry *entry)
{
    struct link_info was = entry->info;

    *entry = links->entries[--links->count];
    links->listener(links->context, &was, NULL);
}

static void take_loss(void *context, unsigned ifindex)
{
    struct links *links = context;
    struct entry *entry = find_entry(links, ifindex);

    if (entry)
        drop_entry(links, entry);
}

static void begin_sweep(void *context)
{
    struct links *links = context;

    for (size_t i = 0; i < links->count; i++)
        links->entries[i].confirmed = false;
}

static void end_sweep(void *context)
{
    struct links *links = context;

    for (size_t i = links->count; i > 0; i--)
        if (!links->entries[i - 1].confirmed)
            drop_entry(links, &links->entries[i - 1]);
}

void links_update(struct links *links)
{
    struct link_visitor visitor = {take_change, take_loss, begin_sweep, end_sweep, links};

    links_socket_read(links->fd, &visitor);
}

struct links *links_new(links_listener *listener, void *context)
{
    struct links *links = calloc(1, sizeof *links);

    if (!links)
        return NULL;
    *links = (struct links){.listener = listener, .context = context};
    links->fd = links_socket_open();
    if (links->fd < 0) {
        errno = -links->fd;
        free(links);
        return NULL;
    }
    links_update(links);
    return links;
}

void links_free(struct links *links)
{
    if (!links)
        return;
    close(links->fd);
    free(links->entries);
    free(links);
}

int links_fd(const struct links *links)
{
    return links->fd;
}

const struct link_info *links_find(const struct links *links, const char *name)
{
    for (size_t i = 0; i < links->count; i++)
        if (strcmp(links->entries[i].info.name, name) == 0)
            return &links->entries[i].info;
    return NULL;
}

const struct link_info *links_find_index(const struct links *links, unsigned ifindex)
{
    const struct entry *entry = find_entry(links, ifindex);

    return entry ? &entry->info : NULL;
}

const struct link_info *links_next(const struct links *links, const struct link_info *link)
{
    size_t i = link ? (size_t)((const struct entry *)link - links->entries) + 1 : 0;

    return i < links->count ? &links->entries[i].info : NULL;
}
