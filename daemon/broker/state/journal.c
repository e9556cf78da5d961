#include "journal.h"

#include "bounds.h"
#include "log.h"
#include "platform/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MAGIC UINT64_C(0x316c6e6a2d626e00) /* the last digit is the version of the format */

enum {
    HEAD_SIZE = 4096,
    SIZE_MIN = 4 * HEAD_SIZE,
    BACKING_STEP = 1 << 20,  /* of memory that is provided by one call */
    RELEASE_STEP = 32 << 10, /* that is given back by one: it takes as long as ten records */
    COMPACT_MIN = 16 << 20,  /* below it, what does not count takes no room that matters */
    RESERVE = 64, /* a part of so many is for drops and commits: what is full can be emptied */
};

struct head {
    _Atomic uint64_t magic;   /* 0: nobody has written to it */
    _Atomic uint64_t active;  /* guarded: the generation of the half that is read; 0: none */
    _Atomic uint64_t ends[2]; /* guarded: of each half, by generation % 2 */
};

enum record_kind { RECORD_PUT = 1, RECORD_DROP, RECORD_COMMIT };

struct record {
    uint64_t checksum; /* of all that follows, of the place and the generation */
    uint32_t length;   /* of the line, which follows and is filled with zeros */
    uint32_t kind;
    uint64_t transaction; /* 0: it counts at once */
    uint64_t lease;
};

struct half {
    uint64_t generation;
    uint8_t *bytes;
    size_t end;
    size_t backed; /* there is memory for so many bytes */
};

/* Where the last record of each key is: a hash of indexes into an array in the order of coming. */
struct index {
    struct index_entry {
        uint64_t key;
        size_t at;
    } * entries;
    uint32_t *slots;                       /* an index and 1; 0: free */
    size_t count, slot_count, slots_first; /* slots_first: how many it begins with */
};

/* What looks through a half: first for the commits, then for the last record of each lease that
 * counts. Compaction goes on from there: it writes these records, behind them those of transactions
 * that are still open, and then whatever has been written meanwhile. At last, memory is given back.
 */
enum stage {
    STAGE_IDLE,
    STAGE_COMMITS,
    STAGE_LEASES,
    STAGE_WRITE,
    STAGE_FOLLOW,
    STAGE_RELEASE,
};

struct journal {
    int fd; /* borrowed */
    uint8_t *memory;
    struct head *head; /* in the memory */
    size_t size, capacity;
    struct half half, other; /* that is written; that is read, or compaction writes */
    uint64_t next;           /* transaction: the half that is written has none of another broker */
    size_t compacted, limit; /* where the half ended after compaction, and where the next begins */
    bool trusted;            /* until then, the other half is what counts */
    char problem[64];
    union {
        struct record record;
        uint8_t bytes[sizeof(struct record) + (REQUEST_MAX + 7UL) / 8 * 8];
    } copy; /* of the record that is looked at */

    enum stage stage;
    struct journal_found found; /* by what has been looked through */
    size_t at, bound;           /* bound: what the stages up to STAGE_LEASES have seen */
    size_t entry, snapshot; /* the next to write; where the other half ended after the last one */
    struct index commits, leases;
};

/* --- Words and records --------------------------------------------------------------------- */

/* One to one in each argument, so no change of a single word goes unnoticed. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 32;
}

/* A number below 2^40 with a checksum, to be stored at once. */
static uint64_t guard(uint64_t value, uint64_t seed)
{
    return value | mix(mix(MAGIC, seed), value) << 40;
}

static bool unguard(uint64_t word, uint64_t seed, uint64_t *ret)
{
    *ret = word & (UINT64_MAX >> 24);
    return guard(*ret, seed) == word;
}

static size_t record_size(size_t length)
{
    return sizeof(struct record) + (length + 7) / 8 * 8;
}

static uint64_t checksum(const struct record *record, size_t size, uint64_t generation, size_t at)
{
    const uint8_t *bytes = (const uint8_t *)record;
    uint64_t hash = mix(mix(MAGIC, generation), at), word;

    for (size_t i = sizeof record->checksum; i < size; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = mix(hash, word);
    }
    return hash;
}

static bool is_sound(const struct record *record)
{
    switch (record->kind) {
    case RECORD_PUT:
        return record->lease && record->length <= REQUEST_MAX;
    case RECORD_DROP:
        return record->lease && record->length == 0;
    case RECORD_COMMIT:
        return record->transaction && record->length == 0;
    default:
        return false;
    }
}

/* The record at an offset of the half, until the next one is read, or NULL: it is not as it was
 * written. A broker in an attacker's hands may have given the memory to somebody who goes on
 * writing to it, so what is looked at is a copy, made once. */
static const struct record *read_record(struct journal *journal, const struct half *half, size_t at)
{
    const uint8_t *bytes = half->bytes + at;
    struct record *record = &journal->copy.record;
    size_t left = half->end - at, size;

    if (left < sizeof *record)
        return NULL;
    memcpy(record, bytes, sizeof *record);
    if (!is_sound(record))
        return NULL;
    size = record_size(record->length);
    if (size > left)
        return NULL;
    memcpy(record + 1, bytes + sizeof *record, size - sizeof *record);
    return checksum(record, size, half->generation, at) == record->checksum ? record : NULL;
}

static struct half half_of(const struct journal *journal, uint64_t generation)
{
    size_t at = generation % 2 ? journal->size / 2 : HEAD_SIZE;

    return (struct half){.generation = generation, .bytes = journal->memory + at};
}

static size_t offset_of(const struct journal *journal, const struct half *half, size_t at)
{
    return (size_t)(half->bytes - journal->memory) + at;
}

/* Makes sure of more memory: without any left, a store would be the broker's end. */
static bool back(struct journal *journal, struct half *half)
{
    size_t step = BACKING_STEP;

    if (step > journal->capacity - half->backed)
        step = journal->capacity - half->backed;
    if (step == 0 || memory_reserve(journal->fd, offset_of(journal, half, half->backed), step) < 0)
        return false;
    half->backed += step;
    return true;
}

static void store_end(struct journal *journal, const struct half *half)
{
    atomic_store_explicit(&journal->head->ends[half->generation % 2],
                          guard(half->end, half->generation), memory_order_release);
}

static bool append(struct journal *journal, struct half *half, const struct record *header,
                   const char *line)
{
    struct record *record = (struct record *)(half->bytes + half->end);
    size_t size = record_size(header->length);

    while (half->end + size > half->backed)
        if (!back(journal, half))
            return false;
    *record = *header;
    if (header->length) {
        memset((uint8_t *)record + size - 8, 0, 8);
        memcpy(record + 1, line, header->length);
    }
    record->checksum = checksum(record, size, half->generation, half->end);
    half->end += size;
    store_end(journal, half);
    return true;
}

/* --- The index ----------------------------------------------------------------------------- */

static void index_clear(struct index *index)
{
    free(index->entries);
    free(index->slots);
    *index = (struct index){0};
}

static uint32_t *index_slot(const struct index *index, uint64_t key)
{
    size_t i = mix(0, key) & (index->slot_count - 1);

    while (index->slots[i] && index->entries[index->slots[i] - 1].key != key)
        i = (i + 1) & (index->slot_count - 1);
    return &index->slots[i];
}

static const struct index_entry *index_find(const struct index *index, uint64_t key)
{
    uint32_t slot = index->slot_count ? *index_slot(index, key) : 0;

    return slot ? &index->entries[slot - 1] : NULL;
}

/* So that at most half of the slots are used. */
static bool index_grow(struct index *index)
{
    size_t slot_count = index->slot_count ? index->slot_count * 2 : index->slots_first;
    struct index_entry *entries = realloc(index->entries, slot_count / 2 * sizeof *entries);
    uint32_t *slots = calloc(slot_count, sizeof *slots);

    if (entries)
        index->entries = entries;
    if (!entries || !slots) {
        free(slots);
        return false;
    }
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (size_t i = 0; i < index->count; i++)
        *index_slot(index, index->entries[i].key) = (uint32_t)i + 1;
    return true;
}

static bool index_set(struct index *index, uint64_t key, size_t at)
{
    uint32_t *slot;

    if (index->count * 2 == index->slot_count && !index_grow(index))
        return false;
    slot = index_slot(index, key);
    if (!*slot) {
        index->entries[index->count].key = key;
        *slot = (uint32_t)++index->count;
    }
    index->entries[*slot - 1].at = at;
    return true;
}

/* --- Looking through, and compaction ------------------------------------------------------- */

static bool counts(const struct journal *journal, const struct record *record)
{
    return record->transaction == 0 || index_find(&journal->commits, record->transaction);
}

static void end_scan(struct journal *journal)
{
    index_clear(&journal->commits);
    index_clear(&journal->leases);
    journal->stage = STAGE_IDLE;
    journal->at = journal->entry = 0;
}

static void begin_stage(struct journal *journal, enum stage stage)
{
    journal->stage = stage;
    journal->at = 0;
}

/* Begins to look through a half. The indexes begin large enough for records as long as most are: to
 * hash half a million keys again takes 10 ms. */
static void begin_scan(struct journal *journal, const struct half *half)
{
    size_t slots = 1024;

    while (slots < half->end / 64)
        slots *= 2;
    journal->commits.slots_first = journal->leases.slots_first = slots;
    begin_stage(journal, STAGE_COMMITS);
}

/* Takes one record into the indexes. False: no memory. */
static bool learn(struct journal *journal, const struct record *record)
{
    if (journal->stage == STAGE_COMMITS)
        return record->kind != RECORD_COMMIT ||
               index_set(&journal->commits, record->transaction, journal->at);
    return record->kind == RECORD_COMMIT || !counts(journal, record) ||
           index_set(&journal->leases, record->lease, journal->at);
}

/* Looks at one record of the half, in one of the first two stages. */
static int look(struct journal *journal, const struct half *half)
{
    const struct record *record;

    if (journal->stage == STAGE_COMMITS && journal->at == half->end) {
        journal->bound = half->end;
        begin_stage(journal, STAGE_LEASES);
    }
    if (journal->stage == STAGE_LEASES && journal->at == journal->bound) {
        begin_stage(journal, STAGE_WRITE);
        return 0;
    }
    record = read_record(journal, half, journal->at);
    if (!record)
        return -EBADMSG;
    if (!learn(journal, record))
        return -ENOMEM;
    journal->at += record_size(record->length);
    return 0;
}

static bool copy(struct journal *journal, const struct record *record, uint64_t transaction)
{
    struct record header = *record;

    header.transaction = transaction;
    return append(journal, &journal->other, &header, (const char *)(record + 1));
}

/* Writes the next lease that there is. */
static int write_lease(struct journal *journal)
{
    const struct record *record;

    if (journal->entry == journal->leases.count) {
        journal->snapshot = journal->other.end;
        begin_stage(journal, STAGE_FOLLOW);
        return 0;
    }
    journal->at = journal->leases.entries[journal->entry].at;
    record = read_record(journal, &journal->half, journal->at);
    if (!record)
        return -EBADMSG;
    if (record->kind == RECORD_PUT && !copy(journal, record, 0))
        return -ENOMEM;
    journal->entry++;
    return 0;
}

/* Whether a record that has been looked at may count some day: its transaction is open, and what
 * counts now is older. */
static bool may_count(const struct journal *journal, const struct record *record)
{
    const struct index_entry *entry = index_find(&journal->leases, record->lease);

    return record->kind != RECORD_COMMIT && !counts(journal, record) &&
           (!entry || entry->at < journal->at);
}

static int follow(struct journal *journal)
{
    const struct record *record = read_record(journal, &journal->half, journal->at);

    if (!record)
        return -EBADMSG;
    if ((journal->at >= journal->bound || may_count(journal, record)) &&
        !copy(journal, record, record->transaction))
        return -ENOMEM;
    journal->at += record_size(record->length);
    return 0;
}

/* Makes a half the one that the next broker reads. */
static void make_active(struct journal *journal, const struct half *half)
{
    atomic_store_explicit(&journal->head->active, guard(half->generation, 0), memory_order_release);
}

/* Gives back some of the half that is not read any more: all at once takes 10 ms. */
static void release(struct journal *journal)
{
    size_t left = journal->capacity - journal->at;
    size_t step = left < RELEASE_STEP ? left : RELEASE_STEP;

    memory_release(journal->fd, offset_of(journal, &journal->other, journal->at), step);
    journal->at += step;
}

/* What the half has, counts. The next compaction is when twice as much came to it, or half of the
 * room that is left is used: so half of the records are copied once. */
static void set_limit(struct journal *journal, size_t compacted)
{
    size_t limit = compacted * 3, most = (compacted + journal->capacity) / 2;

    if (limit < COMPACT_MIN)
        limit = COMPACT_MIN;
    journal->compacted = compacted;
    journal->limit = limit < most ? limit : most;
}

/* It cannot be trusted, and that is what it says to the next broker. */
static void give_up(struct journal *journal, const char *format, size_t n)
{
    snprintf(journal->problem, sizeof journal->problem, format, n);
    log_line(LOG_ERR,
             "the journal is %s and not written any more: what changes from now on may be lost "
             "when the broker dies.",
             journal->problem);
    atomic_store_explicit(&journal->head->active, 0, memory_order_release);
    end_scan(journal);
}

static void switch_halves(struct journal *journal)
{
    struct half old = journal->half;

    make_active(journal, &journal->other);
    journal->half = journal->other;
    journal->other = old;
    set_limit(journal, journal->snapshot);
    journal->bound = old.end;
    begin_stage(journal, STAGE_RELEASE);
}

static void begin_compaction(struct journal *journal)
{
    journal->other = half_of(journal, journal->half.generation + 1);
    store_end(journal, &journal->other);
    begin_scan(journal, &journal->half);
}

/* One step; false: it is over. */
static bool step(struct journal *journal)
{
    int result = 0;

    if (journal->stage == STAGE_IDLE)
        begin_compaction(journal);
    if (journal->stage == STAGE_FOLLOW && journal->at == journal->half.end)
        switch_halves(journal);
    switch (journal->stage) {
    case STAGE_WRITE:
        result = write_lease(journal);
        break;
    case STAGE_FOLLOW:
        result = follow(journal);
        break;
    case STAGE_RELEASE:
        release(journal);
        break;
    default:
        result = look(journal, &journal->half);
    }
    if (result == -EBADMSG)
        give_up(journal, "damaged at byte %zu", offset_of(journal, &journal->half, journal->at));
    if (result == -ENOMEM) { /* tried again when there is more */
        end_scan(journal);
        journal->compacted = journal->half.end;
        journal->limit = journal->half.end + journal->capacity / RESERVE;
    }
    if (journal->stage == STAGE_RELEASE && journal->at >= journal->bound)
        end_scan(journal);
    return journal->stage != STAGE_IDLE;
}

bool journal_wants_compaction(const struct journal *journal)
{
    return journal->trusted && !journal->problem[0] &&
           (journal->stage != STAGE_IDLE || journal->half.end >= journal->limit);
}

bool journal_compact(struct journal *journal, size_t records)
{
    bool more = journal_wants_compaction(journal);

    while (more && records-- > 0)
        more = step(journal);
    return more;
}

/* --- Writing ------------------------------------------------------------------------------- */

/* Compacts at once, if that can free as much as is worth the time. */
static void make_room(struct journal *journal)
{
    if (journal->half.end - journal->compacted < journal->capacity / RESERVE / 2)
        return;
    journal->limit = 0;
    journal_compact(journal, SIZE_MAX);
}

static bool has_room(struct journal *journal, size_t n)
{
    size_t left = journal->capacity - journal->half.end;
    bool room = n <= left && journal->capacity / RESERVE <= left - n;

    while (room && journal->half.end + n > journal->half.backed)
        room = back(journal, &journal->half);
    return room;
}

bool journal_has_room(struct journal *journal, size_t lines, size_t n)
{
    n += lines * record_size(7);
    if (journal->problem[0] || has_room(journal, n))
        return true;
    make_room(journal);
    return has_room(journal, n);
}

static void write_record(struct journal *journal, const struct record *record, const char *line)
{
    if (journal->problem[0] || append(journal, &journal->half, record, line))
        return;
    make_room(journal);
    if (!journal->problem[0] && !append(journal, &journal->half, record, line))
        give_up(journal, "full with %zu bytes", journal->half.end);
}

static uint64_t number_of(struct journal *journal, struct transaction *transaction)
{
    if (!transaction)
        return 0;
    if (!transaction->number)
        transaction->number = journal->next++;
    return transaction->number;
}

void journal_put(struct journal *journal, struct transaction *transaction, uint64_t lease,
                 const char *line, size_t n)
{
    struct record record = {
        .length = (uint32_t)n,
        .kind = RECORD_PUT,
        .transaction = number_of(journal, transaction),
        .lease = lease,
    };

    write_record(journal, &record, line);
}

void journal_drop(struct journal *journal, struct transaction *transaction, uint64_t lease)
{
    struct record record = {
        .kind = RECORD_DROP,
        .transaction = number_of(journal, transaction),
        .lease = lease,
    };

    write_record(journal, &record, NULL);
}

void journal_commit(struct journal *journal, struct transaction *transaction)
{
    struct record record = {.kind = RECORD_COMMIT, .transaction = transaction->number};

    if (transaction->number)
        write_record(journal, &record, NULL);
    transaction->number = 0;
}

struct journal_use journal_use(const struct journal *journal)
{
    return (struct journal_use){
        .used = journal->half.end,
        .capacity = journal->capacity,
        .problem = journal->problem[0] ? journal->problem : NULL,
    };
}

/* --- Opening ------------------------------------------------------------------------------- */

/* Reads the head; false with the offset of what is wrong. */
static bool read_head(struct journal *journal, size_t *ret_damage)
{
    const struct head *head = journal->head;
    uint64_t generation, end;

    if (head->magic != MAGIC) {
        *ret_damage = offsetof(struct head, magic);
        return false;
    }
    *ret_damage = offsetof(struct head, active);
    if (!unguard(head->active, 0, &generation) || generation == 0)
        return false;
    journal->other = half_of(journal, generation);
    *ret_damage = offsetof(struct head, ends) + generation % 2 * sizeof head->ends[0];
    if (!unguard(head->ends[generation % 2], generation, &end) || end > journal->capacity)
        return false;
    journal->other.end = end;
    return true;
}

static bool is_new(const struct head *head)
{
    return head->active == 0 && head->magic == 0;
}

static void begin_to_find(struct journal *journal)
{
    journal->found = (struct journal_found){JOURNAL_NEW, 0};
    if (is_new(journal->head))
        return;
    journal->found.content = JOURNAL_DAMAGED;
    if (read_head(journal, &journal->found.damage))
        begin_scan(journal, &journal->other);
}

static bool is_looking(const struct journal *journal)
{
    return journal->stage == STAGE_COMMITS || journal->stage == STAGE_LEASES;
}

int journal_find(struct journal *journal, size_t records, struct journal_found *ret)
{
    int result = 0;

    for (; records > 0 && result == 0 && is_looking(journal); records--)
        result = look(journal, &journal->other);
    if (result == 0 && is_looking(journal))
        return 1;
    if (result == -EBADMSG) {
        journal->found.damage = offset_of(journal, &journal->other, journal->at);
        index_clear(&journal->leases);
        result = 0;
    } else if (journal->stage == STAGE_WRITE) {
        journal->found.content = JOURNAL_WHOLE;
    }
    *ret = journal->found;
    return result;
}

static int map(struct journal *journal)
{
    struct stat status;

    if (fstat(journal->fd, &status) < 0)
        return -errno;
    if (status.st_size < SIZE_MIN || !memory_is_fixed(journal->fd, (size_t)status.st_size))
        return -EINVAL;
    journal->size = (size_t)status.st_size;
    journal->capacity = (journal->size / 2 - HEAD_SIZE) / 8 * 8;
    journal->memory = mmap(NULL, journal->size, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);
    if (journal->memory == MAP_FAILED) {
        journal->memory = NULL;
        return -errno;
    }
    journal->head = (struct head *)journal->memory;
    return 0;
}

struct journal *journal_begin(int fd)
{
    struct journal *journal = calloc(1, sizeof *journal);
    int result = journal ? 0 : -ENOMEM;

    if (result == 0) {
        *journal = (struct journal){.fd = fd, .next = 1};
        result = map(journal);
    }
    if (result == 0 && journal->head) {
        begin_to_find(journal);
        journal->half = half_of(journal, journal->other.generation + 1);
        return journal;
    }
    if (journal)
        journal_close(journal);
    errno = result ? -result : EINVAL;
    return NULL;
}

struct journal *journal_open(int fd, struct journal_found *ret)
{
    struct journal *journal = journal_begin(fd);
    int result = journal ? journal_find(journal, SIZE_MAX, ret) : 0;

    if (result == 0)
        return journal;
    journal_close(journal);
    errno = -result;
    return NULL;
}

void journal_close(struct journal *journal)
{
    end_scan(journal);
    if (journal->memory)
        munmap(journal->memory, journal->size);
    free(journal);
}

bool journal_next(struct journal *journal, size_t *position, struct journal_line *ret)
{
    while (*position < journal->leases.count) {
        const struct index_entry *entry = &journal->leases.entries[(*position)++];
        const struct record *record = read_record(journal, &journal->other, entry->at);

        if (record && record->kind == RECORD_DROP)
            continue;
        *ret = (struct journal_line){
            .lease = entry->key,
            .text = (const char *)(&journal->copy.record + 1),
            .length = record && record->lease == entry->key ? record->length : 0,
            .offset = offset_of(journal, &journal->other, entry->at),
        };
        return true;
    }
    return false;
}

void journal_trust(struct journal *journal)
{
    struct half old = half_of(journal, journal->half.generation + 1);

    if (journal->head->magic != MAGIC)
        atomic_store_explicit(&journal->head->active, 0, memory_order_release);
    atomic_store_explicit(&journal->head->magic, MAGIC, memory_order_release);
    store_end(journal, &journal->half);
    if (!journal->problem[0]) /* else nothing is, and the next broker is to see that */
        make_active(journal, &journal->half);
    memory_release(journal->fd, offset_of(journal, &old, 0), journal->capacity);
    journal->trusted = true;
    set_limit(journal, journal->half.end);
    end_scan(journal);
}
