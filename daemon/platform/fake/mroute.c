/* The fake kernel's multicast routing tables. The order of the checks is that of ipmr.c. */
#include "platform/mroute.h"

#include "kernel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- Tables and their owners --------------------------------------------------------------- */

static struct fake_table *find_table(uint8_t family, uint32_t table)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < FAKE_TABLES_MAX; i++) {
        struct fake_table *t = &kernel->tables[i];

        if (t->peer >= 0 && t->family == family && t->table == table)
            return t;
    }
    return NULL;
}

static struct fake_table *table_of(const struct mroute_socket *s)
{
    return s->fd >= 0 ? find_table(s->family, s->table) : NULL;
}

static void release_table(struct fake_table *t)
{
    close(t->peer);
    free(t->entries);
    free(t->unresolved);
    *t = (struct fake_table){.peer = -1};
}

void fake_tables_reset(void)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < FAKE_TABLES_MAX; i++)
        if (kernel->tables[i].peer >= 0)
            release_table(&kernel->tables[i]);
}

void fake_tables_lose_netif(unsigned ifindex)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < FAKE_TABLES_MAX; i++)
        for (unsigned vif = 0; vif < VIFS_MAX; vif++)
            if (kernel->tables[i].vifs[vif] == ifindex)
                kernel->tables[i].vifs[vif] = 0;
}

/* The other end hangs up when the last copy of the descriptor is closed. */
static bool is_owned(const struct fake_table *t)
{
    struct pollfd polled = {.fd = t->peer};

    return poll(&polled, 1, 0) == 0 || !(polled.revents & POLLHUP);
}

bool fake_table_is_owned(uint8_t family, uint32_t table)
{
    struct fake_table *t = find_table(family, table);

    return t && is_owned(t);
}

int mroute_socket_open(uint8_t family, uint32_t table)
{
    struct fake_table *t = find_table(family, table);
    int pair[2];
    int result;

    if (t && is_owned(t))
        return -EADDRINUSE;
    if (t)
        release_table(t);
    t = NULL;
    for (size_t i = 0; i < FAKE_TABLES_MAX && !t; i++)
        if (fake_kernel()->tables[i].peer < 0)
            t = &fake_kernel()->tables[i];
    result = t ? fake_pair(pair) : -ENOMEM;
    if (result < 0)
        return result;
    *t = (struct fake_table){.peer = pair[0], .family = family, .table = table};
    return pair[1];
}

int mroute_socket_renew(const struct mroute_socket *s)
{
    struct fake_table *t = table_of(s);
    int result = t ? t->renewal : -EBADF;

    if (result == 1) {
        t->count = 0;
        memset(t->vifs, 0, sizeof t->vifs);
    }
    if (t)
        t->renewal = 0;
    return result;
}

void fake_table_spoil(uint8_t family, uint32_t table, int renewal)
{
    find_table(family, table)->renewal = renewal;
}

void mroute_socket_release(const struct mroute_socket *s)
{
    struct fake_table *t = table_of(s);

    if (t)
        release_table(t);
}

void mroute_owner_describe(uint8_t family, char *text, size_t size)
{
    snprintf(text, size, "fake-%u (pid 1)", family);
}

/* --- Writing ------------------------------------------------------------------------------- */

int fake_begin_addition(void)
{
    struct fake *kernel = fake_kernel();

    kernel->writes++;
    return kernel->fail_in > 0 && --kernel->fail_in == 0 ? kernel->fail_result : 0;
}

bool fake_netif_exists(unsigned ifindex)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].ifindex == ifindex)
            return true;
    return false;
}

static bool names_vif(const struct mfc_entry *entry, unsigned vif)
{
    return entry->parent == vif || entry->ttls[vif] > 0;
}

int mroute_tell_wrong_interfaces(const struct mroute_socket *socket)
{
    (void)socket;
    return 0;
}

static void tell_vifs(uint8_t family)
{
    fake_tell_change(&(struct mroute_change){.kind = MROUTE_VIFS_CHANGED, .family = family});
}

int mroute_vif_add(const struct mroute_socket *s, unsigned vif, unsigned ifindex)
{
    struct fake_table *t = table_of(s);
    int result = fake_begin_addition();

    if (result < 0)
        return result;
    if (!t)
        return -EBADF;
    if (vif >= VIFS_MAX)
        return -ENFILE;
    if (t->vifs[vif])
        return -EADDRINUSE;
    if (!fake_netif_exists(ifindex))
        return -EADDRNOTAVAIL;
    t->vifs[vif] = ifindex;
    tell_vifs(s->family);
    for (size_t i = 0; i < t->count && t->had[vif] != ifindex; i++)
        fake_kernel()->strangers += names_vif(&t->entries[i].entry, vif);
    t->had[vif] = ifindex;
    return 0;
}

int mroute_vif_del(const struct mroute_socket *s, unsigned vif)
{
    struct fake_table *t = table_of(s);

    fake_kernel()->writes++;
    if (!t)
        return -EBADF;
    if (vif >= VIFS_MAX || !t->vifs[vif])
        return -EADDRNOTAVAIL;
    t->vifs[vif] = 0;
    tell_vifs(s->family);
    return 0;
}

static struct fake_entry *find_entry(const struct fake_table *t, const struct address *source,
                                     const struct address *group)
{
    for (size_t i = 0; t && i < t->count; i++)
        if (address_equal(&t->entries[i].entry.group, group) &&
            address_equal(&t->entries[i].entry.source, source))
            return &t->entries[i];
    return NULL;
}

static struct fake_flow *find_flow(const struct fake_table *t, const struct address *source,
                                   const struct address *group)
{
    for (size_t i = 0; i < t->unresolved_count; i++)
        if (address_equal(&t->unresolved[i].source, source) &&
            address_equal(&t->unresolved[i].group, group))
            return &t->unresolved[i];
    return NULL;
}

/* The packets that waited go out; nobody asks for them any more. */
static void resolve_flow(struct fake_table *t, const struct mfc_entry *entry)
{
    struct fake_flow *flow = find_flow(t, &entry->source, &entry->group);

    if (flow)
        *flow = t->unresolved[--t->unresolved_count];
}

static struct fake_entry *append_entry(struct fake_table *t)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 64;
        struct fake_entry *entries = realloc(t->entries, capacity * sizeof *entries);

        if (!entries)
            return NULL;
        t->entries = entries;
        t->capacity = capacity;
    }
    t->entries[t->count] = (struct fake_entry){0};
    return &t->entries[t->count++];
}

int mroute_mfc_set(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    struct fake_table *t = table_of(s);
    int result = fake_begin_addition();

    if (result < 0)
        return result;
    if (!t)
        return -EBADF;
    if (entry->parent >= VIFS_MAX)
        return -ENFILE;

    struct fake_entry *place = find_entry(t, &entry->source, &entry->group);

    if (!place && !address_is_multicast(&entry->group))
        return -EINVAL;
    if (!place)
        place = append_entry(t);
    if (!place)
        return -ENOMEM;
    place->entry = *entry; /* the counters of one that was there go on */
    resolve_flow(t, entry);
    return 0;
}

int mroute_mfc_del(const struct mroute_socket *s, const struct address *source,
                   const struct address *group)
{
    struct fake_table *t = table_of(s);
    struct fake_entry *entry = find_entry(t, source, group);

    fake_kernel()->writes++;
    if (!entry)
        return -ENOENT;
    *entry = t->entries[--t->count];
    fake_tell_change(&(struct mroute_change){.kind = MROUTE_ENTRY_DELETED,
                                             .family = s->family,
                                             .table = s->table,
                                             .source = *source,
                                             .group = *group});
    return 0;
}

/* --- Reading ------------------------------------------------------------------------------- */

int mroute_mfc_count(const struct mroute_socket *s, const struct address *source,
                     const struct address *group, struct mfc_counters *ret)
{
    const struct fake_entry *entry = find_entry(table_of(s), source, group);

    if (!entry)
        return -EADDRNOTAVAIL;
    *ret = entry->counters;
    return 0;
}

int mroute_vif_count(const struct mroute_socket *s, unsigned vif, struct vif_counters *ret)
{
    const struct fake_table *t = table_of(s);

    if (!t || vif >= VIFS_MAX || !t->vifs[vif])
        return -EADDRNOTAVAIL;
    *ret = (struct vif_counters){0};
    return 0;
}

static struct mfc_found describe_entry(const struct fake_table *t, const struct fake_entry *place)
{
    const struct mfc_entry *entry = &place->entry;
    struct mfc_found found = {
        .foreign = place->foreign,
        .source = entry->source,
        .group = entry->group,
        .iif = t->vifs[entry->parent],
    };

    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        if (entry->ttls[vif] && t->vifs[vif]) {
            found.oifs[found.oif_count].ifindex = t->vifs[vif];
            found.oifs[found.oif_count++].ttl = entry->ttls[vif];
        }
    return found;
}

static void tell_entry(const struct fake_table *t, const struct fake_entry *entry,
                       const struct mroute_visitor *visitor)
{
    struct mfc_found found = describe_entry(t, entry);

    visitor->mfc(visitor->context, &found);
}

int mroute_mfc_find(const struct mroute_socket *s, const struct address *source,
                    const struct address *group, struct mfc_found *ret)
{
    const struct fake_entry *entry = find_entry(table_of(s), source, group);

    if (!entry)
        return -ENOENT;
    *ret = describe_entry(table_of(s), entry);
    return 0;
}

/* Visitors delete entries meanwhile, so it works on a copy. */
int mroute_dump(const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    const struct fake_table *t = table_of(s);

    if (!t)
        return -EBADF;

    struct fake_table copy = *t;

    copy.entries = malloc(t->count * sizeof *t->entries + 1);
    if (!copy.entries)
        return -ENOMEM;
    if (t->count > 0)
        memcpy(copy.entries, t->entries, t->count * sizeof *t->entries);
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        if (copy.vifs[vif])
            visitor->vif(visitor->context, vif, copy.vifs[vif]);
    for (size_t i = 0; i < copy.count; i++)
        tell_entry(&copy, &copy.entries[i], visitor);
    for (size_t i = 0; i < copy.unresolved_count; i++) {
        struct mfc_found found = {
            .source = copy.unresolved[i].source,
            .group = copy.unresolved[i].group,
            .unresolved = true,
        };

        visitor->mfc(visitor->context, &found);
    }
    free(copy.entries);
    return 0;
}

static void ignore_mfc(void *context, const struct mfc_found *found)
{
    (void)context;
    (void)found;
}

static void ignore_vif(void *context, unsigned vif, unsigned ifindex)
{
    (void)context;
    (void)vif;
    (void)ifindex;
}

int mroute_dump_vifs(const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    struct mroute_visitor vifs = *visitor;

    vifs.mfc = ignore_mfc;
    return mroute_dump(s, &vifs);
}

/* All of it comes at once. */
int mroute_dump_begin(const struct mroute_socket *s)
{
    return dup(s->fd);
}

int mroute_dump_next(int fd, const struct mroute_socket *s, const struct mroute_visitor *visitor)
{
    struct mroute_visitor entries = *visitor;

    (void)fd;
    entries.vif = ignore_vif;
    return mroute_dump(s, &entries);
}

int mroute_upcall_read(const struct mroute_socket *s, struct upcall *ret)
{
    ssize_t length = recv(s->fd, ret, sizeof *ret, MSG_DONTWAIT);

    if (length < 0)
        return -errno;
    return length == (ssize_t)sizeof *ret ? 0 : -EIO; /* the test has reset the kernel */
}

/* --- Packets ------------------------------------------------------------------------------- */

/* As ipmr_find_vif(): the last one of an interface that has several. -1: none. */
static int find_vif(const struct fake_table *t, unsigned ifindex)
{
    for (int vif = VIFS_MAX; vif-- > 0;)
        if (t->vifs[vif] == ifindex)
            return vif;
    return -1;
}

/* As ipmr_cache_find_any(): the entry for any source takes packets of the interfaces in its set. */
static struct fake_entry *find_any(const struct fake_table *t, const struct address *group, int vif)
{
    struct address any = address_any(group->family);
    struct fake_entry *entry = find_entry(t, &any, group);

    return entry && entry->entry.ttls[vif] ? entry : NULL;
}

static void ask_for_route(struct fake_table *t, const struct upcall *upcall)
{
    if (find_flow(t, &upcall->source, &upcall->group))
        return;
    if (!t->unresolved)
        t->unresolved = calloc(FAKE_UNRESOLVED_MAX, sizeof *t->unresolved);
    if (!t->unresolved || t->unresolved_count == FAKE_UNRESOLVED_MAX)
        return;
    t->unresolved[t->unresolved_count++] = (struct fake_flow){upcall->source, upcall->group};
    fake_upcall(t->family, t->table, upcall);
}

/* As ip_mr_forward(): an entry for any source sends nothing back where it came from. */
static void forward(const struct fake_table *t, const struct mfc_entry *entry, int from,
                    struct fake_delivery *ret)
{
    ret->fate = FAKE_FORWARDED;
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        if (entry->ttls[vif] && t->vifs[vif] &&
            !(address_is_any(&entry->source) && from == (int)vif))
            ret->oifs[ret->count++] = t->vifs[vif];
}

struct fake_delivery fake_packet(uint8_t family, uint32_t table, unsigned ifindex,
                                 const struct address *source, const struct address *group)
{
    struct fake_delivery delivery = {.fate = FAKE_NOT_ROUTED};
    struct fake_table *t = find_table(family, table);
    int vif = t ? find_vif(t, ifindex) : -1;
    struct upcall upcall = {UPCALL_NO_ROUTE, (unsigned)vif, *source, *group};
    struct fake_entry *entry;

    if (vif < 0)
        return delivery;
    entry = find_entry(t, source, group);
    if (!entry)
        entry = find_any(t, group, vif);
    if (!entry) {
        delivery.fate = FAKE_NO_ROUTE;
        ask_for_route(t, &upcall);
        return delivery;
    }
    entry->counters.packets++;
    if (t->vifs[entry->entry.parent] != ifindex) {
        entry->counters.wrong_interface++;
        delivery.fate = FAKE_WRONG_INTERFACE;
        upcall.kind = UPCALL_WRONG_INTERFACE;
        fake_upcall(family, table, &upcall);
        return delivery;
    }
    forward(t, &entry->entry, vif, &delivery);
    return delivery;
}

void fake_forget_flows(void)
{
    for (size_t i = 0; i < FAKE_TABLES_MAX; i++)
        fake_kernel()->tables[i].unresolved_count = 0;
}

size_t fake_unresolved(uint8_t family, uint32_t table)
{
    const struct fake_table *t = find_table(family, table);

    return t ? t->unresolved_count : 0;
}

void fake_mark_foreign(const struct mroute_socket *s, const struct mfc_entry *entry)
{
    find_entry(table_of(s), &entry->source, &entry->group)->foreign = true;
}

/* --- The test's side ----------------------------------------------------------------------- */

void fake_upcall(uint8_t family, uint32_t table, const struct upcall *upcall)
{
    const struct fake_table *t = find_table(family, table);
    struct upcall message;

    memset(&message, 0, sizeof message); /* also between its members */
    message.kind = upcall->kind;
    message.vif = upcall->vif;
    message.source = upcall->source;
    message.group = upcall->group;
    if (!t || send(t->peer, &message, sizeof message, MSG_NOSIGNAL) < 0)
        abort();
}

const struct mfc_entry *fake_mfc_find(uint8_t family, uint32_t table, const char *source,
                                      const char *group)
{
    struct address s, g;

    if (!address_parse(source, &s) || !address_parse(group, &g))
        abort();

    const struct fake_entry *found = find_entry(find_table(family, table), &s, &g);

    return found ? &found->entry : NULL;
}

size_t fake_mfc_count(uint8_t family, uint32_t table)
{
    const struct fake_table *t = find_table(family, table);

    return t ? t->count : 0;
}

unsigned fake_vif_ifindex(uint8_t family, uint32_t table, unsigned vif)
{
    const struct fake_table *t = find_table(family, table);

    return t ? t->vifs[vif] : 0;
}

unsigned fake_vif_count(uint8_t family, uint32_t table)
{
    unsigned count = 0;

    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        count += fake_vif_ifindex(family, table, vif) != 0;
    return count;
}

/* Whom it lends a number to is not our doing. */
void fake_foreign_vif(uint8_t family, unsigned vif, unsigned ifindex)
{
    struct mroute_socket s = {0, family, family_table(family, 0)};
    struct fake_table *t = table_of(&s);
    unsigned strangers = fake_kernel()->strangers, had;

    if (!t)
        abort();
    had = t->had[vif];
    if ((ifindex ? mroute_vif_add(&s, vif, ifindex) : mroute_vif_del(&s, vif)) < 0)
        abort();
    fake_kernel()->strangers = strangers;
    t->had[vif] = had;
}

unsigned fake_strangers(void)
{
    return fake_kernel()->strangers;
}

unsigned fake_writes(void)
{
    return fake_kernel()->writes;
}

void fake_fail(unsigned nth, int result)
{
    fake_kernel()->fail_in = nth;
    fake_kernel()->fail_result = result;
}
