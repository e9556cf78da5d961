#include "join_record.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first record says that the others are whole. The size divides a page, so that no record is
 * written by half. */
enum { WHOLE = 0x6e626a31, USED = 0x6e626a32 };

/* Of 128 bytes: no more are read, whatever was written. */
enum { ENTRIES_MAX = 262144 };

struct entry {
    uint32_t mark;
    uint32_t uid;
    uint64_t serial, lease;
    int64_t since;
    uint8_t kind, family, source_length, group_length; /* source_length: of any source 0 */
    uint8_t has_source; /* 0: it has none; no bool, because other bytes may be read */
    uint8_t source[16], group[16];
    char iif[INTERFACE_NAME_MAX + 1];
    uint8_t filling[43];
};

_Static_assert(sizeof(struct entry) == 128, "it divides a page");

void join_record_init(struct join_record *record, int fd)
{
    *record = (struct join_record){.fd = fd};
}

void join_record_clear(struct join_record *record)
{
    free(record->slots);
    join_record_init(record, -1);
}

/* --- Writing ------------------------------------------------------------------------------- */

/* #syscalls broker: pwrite64 pread64 ftruncate ftruncate64 lseek _llseek */
static void write_entry(struct join_record *record, size_t slot, const struct entry *entry)
{
    off_t at = (off_t)((slot + 1) * sizeof *entry);

    if (pwrite(record->fd, entry, sizeof *entry, at) == (ssize_t)sizeof *entry)
        return;
    log_line(LOG_ERR, "cannot record joins: %s. If the broker dies, some may be missing.",
             strerror(errno));
}

void join_record_begin(struct join_record *record)
{
    struct entry head = {.mark = WHOLE};

    if (record->fd >= 0 && pwrite(record->fd, &head, sizeof head, 0) < 0)
        log_line(LOG_ERR, "cannot record joins: %s.", strerror(errno));
}

static bool find_slot(const struct join_record *record, uint64_t lease, size_t *ret)
{
    for (size_t i = 0; i < record->count; i++)
        if (record->slots[i] == lease) {
            *ret = i;
            return true;
        }
    return false;
}

static bool append_slot(struct join_record *record, uint64_t lease)
{
    if (record->count == record->capacity) {
        size_t capacity = record->capacity ? record->capacity * 2 : 64;
        uint64_t *slots = realloc(record->slots, capacity * sizeof *slots);

        if (!slots)
            return false;
        record->slots = slots;
        record->capacity = capacity;
    }
    record->slots[record->count++] = lease;
    return true;
}

static bool take_slot(struct join_record *record, uint64_t lease, size_t *ret)
{
    if (!find_slot(record, lease, ret) && !find_slot(record, 0, ret)) {
        *ret = record->count;
        return append_slot(record, lease);
    }
    record->slots[*ret] = lease;
    return true;
}

static bool is_recorded(const struct join_record *record, const struct hold *hold)
{
    return record->fd >= 0 && hold->kind != HOLD_SESSION && hold->lease.id != 0;
}

void join_record_hold(struct join_record *record, const struct join *join, const struct hold *hold)
{
    struct entry entry = {.mark = USED};
    struct join_view view;
    size_t slot;

    if (!is_recorded(record, hold) || !take_slot(record, hold->lease.id, &slot))
        return;
    join_describe(join, &view);
    entry.uid = hold->lease.uid;
    entry.serial = record->serial++;
    entry.lease = hold->lease.id;
    entry.since = hold->lease.since;
    entry.kind = hold->kind;
    entry.family = view.key->group.address.family;
    entry.has_source = view.key->source.address.family != FAMILY_NONE;
    entry.source_length = view.key->source.length;
    entry.group_length = view.key->group.length;
    memcpy(entry.source, view.key->source.address.bytes, sizeof entry.source);
    memcpy(entry.group, view.key->group.address.bytes, sizeof entry.group);
    memcpy(entry.iif, view.key->iif.text, sizeof entry.iif);
    write_entry(record, slot, &entry);
}

void join_record_release(struct join_record *record, const struct hold *hold)
{
    static const struct entry none;
    size_t slot;

    if (!is_recorded(record, hold) || !find_slot(record, hold->lease.id, &slot))
        return;
    record->slots[slot] = 0;
    write_entry(record, slot, &none);
}

/* --- Reading ------------------------------------------------------------------------------- */

static bool unpack_prefix(uint8_t family, const uint8_t *bytes, uint8_t length, struct prefix *ret)
{
    struct address address = {.family = family};

    if (length > family_bits(family))
        return false;
    memcpy(address.bytes, bytes, family_bits(family) / 8);
    *ret = prefix_of(&address, length);
    return true;
}

static bool unpack(const struct entry *entry, struct join_wish *ret_wish, struct owner *ret_owner)
{
    *ret_wish = (struct join_wish){.wait = true};
    *ret_owner = (struct owner){
        .kind = entry->kind,
        .lease = {.id = entry->lease, .uid = entry->uid, .since = entry->since},
    };
    if (entry->family != FAMILY_IPV4 && entry->family != FAMILY_IPV6)
        return false;
    if (!unpack_prefix(entry->family, entry->group, entry->group_length, &ret_wish->key.group) ||
        (entry->has_source &&
         !unpack_prefix(entry->family, entry->source, entry->source_length, &ret_wish->key.source)))
        return false;
    memcpy(ret_wish->key.iif.text, entry->iif, INTERFACE_NAME_MAX);
    return entry->lease != 0 && entry->lease >> 48 == 0 &&
           (entry->kind == HOLD_USER || entry->kind == HOLD_CONFIGURATION ||
            entry->kind == HOLD_FOUND) &&
           prefix_is_multicast(&ret_wish->key.group) && ret_wish->key.iif.text[0];
}

static void load_entry(struct joins *joins, const struct entry *entry)
{
    struct join_wish wish;
    struct owner owner;
    enum join_change change;
    struct error error = {.message = "the record of joins is damaged."};

    if (!unpack(entry, &wish, &owner) || !joins_add(joins, &wish, &owner, &change, &error))
        log_line(LOG_WARNING, "a join was not taken over: %s", error.message);
}

static int compare(const void *a, const void *b)
{
    uint64_t left = ((const struct entry *)a)->serial, right = ((const struct entry *)b)->serial;

    return (left > right) - (left < right);
}

/* All entries as they stand in the file, to be freed; NULL: no memory, or it cannot be read. */
static struct entry *read_entries(struct join_record *record, size_t *ret_count)
{
    off_t size = lseek(record->fd, 0, SEEK_END);
    size_t count = size > 0 ? (size_t)size / sizeof(struct entry) - 1 : 0;
    struct entry *entries;

    if (count > ENTRIES_MAX)
        count = ENTRIES_MAX;
    entries = calloc(count + 1, sizeof *entries);

    for (size_t i = 0; entries && i < count; i++) {
        if (pread(record->fd, &entries[i], sizeof *entries, (off_t)((i + 1) * sizeof *entries)) !=
                (ssize_t)sizeof *entries ||
            !append_slot(record, entries[i].mark == USED ? entries[i].lease : 0)) {
            free(entries);
            return NULL;
        }
    }
    *ret_count = count;
    return entries;
}

bool join_record_load(struct join_record *record, struct joins *joins)
{
    struct entry *entries, head;
    size_t count;

    if (record->fd < 0)
        return false;
    if (pread(record->fd, &head, sizeof head, 0) != (ssize_t)sizeof head || head.mark != WHOLE) {
        if (ftruncate(record->fd, 0) < 0)
            log_line(LOG_ERR, "cannot record joins: %s.", strerror(errno));
        return false;
    }
    entries = read_entries(record, &count);
    if (!entries) {
        log_line(LOG_ERR, "cannot read the record of joins: %s.", strerror(errno));
        return false;
    }
    qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < count; i++)
        if (entries[i].mark == USED)
            load_entry(joins, &entries[i]); /* which writes it to its slot again */
    free(entries);
    return true;
}
