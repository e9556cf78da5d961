/* Hash tables whose elements bring their own links, and hashes of addresses that nobody can aim at
 * without the seed.
 *
 * An element holds a struct hash_link; whoever has the table knows what an element's hash is and
 * when two are equal, and owns the elements. A table of zeros is empty and complete: without memory
 * to grow it goes on, only slower. Of elements with one hash the last inserted comes first. */
#ifndef NB_HASH_H
#define NB_HASH_H

#include "address.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct hash_link {
    struct hash_link *next; /* in its bucket */
    uint64_t hash;
};

struct hash_table {
    struct hash_link **buckets; /* owned, 2^bits of them; NULL: `only` is the one that there is */
    struct hash_link *only;
    unsigned bits;
    size_t count; /* of elements */
};

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL; /* the finaliser of MurmurHash3 */
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 33;
}

static inline uint64_t hash_address(uint64_t hash, const struct address *address)
{
    uint64_t words[2];

    memcpy(words, address->bytes, sizeof words);
    return hash_word(hash_word(hash, words[0]), words[1]);
}

static inline uint64_t hash_prefix(uint64_t hash, const struct prefix *prefix)
{
    return hash_address(hash ^ prefix->length, &prefix->address);
}

static inline struct hash_link **hash_bucket(const struct hash_table *table, uint64_t hash)
{
    struct hash_link *const *buckets = table->buckets ? table->buckets : &table->only;

    return (struct hash_link **)&buckets[hash & (((uint64_t)1 << table->bits) - 1)];
}

/* Each bucket is divided in two, in its order. */
static inline void hash_grow(struct hash_table *table)
{
    size_t count = (size_t)1 << table->bits;
    struct hash_link **buckets = calloc(count * 2, sizeof *buckets);

    if (!buckets)
        return;
    for (size_t i = 0; i < count; i++) {
        struct hash_link **ends[] = {&buckets[i], &buckets[i + count]};

        for (struct hash_link *link = *hash_bucket(table, i); link; link = link->next) {
            unsigned half = (link->hash & count) != 0;

            *ends[half] = link;
            ends[half] = &link->next;
        }
        *ends[0] = *ends[1] = NULL;
    }
    free(table->buckets);
    table->buckets = buckets;
    table->bits++;
}

static inline void hash_insert(struct hash_table *table, struct hash_link *link, uint64_t hash)
{
    struct hash_link **bucket;

    if (table->count++ >> table->bits)
        hash_grow(table);
    bucket = hash_bucket(table, hash);
    *link = (struct hash_link){*bucket, hash};
    *bucket = link;
}

/* Where the link hangs. */
static inline struct hash_link **hash_place(struct hash_table *table, const struct hash_link *link)
{
    struct hash_link **place = hash_bucket(table, link->hash);

    while (*place != link)
        place = &(*place)->next;
    return place;
}

static inline void hash_remove(struct hash_table *table, struct hash_link *link)
{
    *hash_place(table, link) = link->next;
    table->count--;
}

/* Puts an element in the place of another of the same hash. */
static inline void hash_replace(struct hash_table *table, struct hash_link *old,
                                struct hash_link *new)
{
    *hash_place(table, old) = new;
    *new = *old;
}

/* The link, or the next one behind it in its bucket, that has the hash. */
static inline struct hash_link *hash_skip(struct hash_link *link, uint64_t hash)
{
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

/* The first link in this bucket, or in one behind it, or NULL. */
static inline struct hash_link *hash_from(const struct hash_table *table, size_t bucket)
{
    struct hash_link *link = NULL;

    for (; !link && bucket >> table->bits == 0; bucket++)
        link = *hash_bucket(table, bucket);
    return link;
}

static inline struct hash_link *hash_first(const struct hash_table *table, uint64_t hash)
{
    return hash_skip(*hash_bucket(table, hash), hash);
}

/* The next one of all, which may be NULL. */
static inline struct hash_link *hash_next(const struct hash_table *table,
                                          const struct hash_link *link)
{
    size_t mask = ((size_t)1 << table->bits) - 1;

    return link->next ? link->next : hash_from(table, (link->hash & mask) + 1);
}

/* Forgets the elements, which were freed before. */
static inline void hash_clear(struct hash_table *table)
{
    free(table->buckets);
    *table = (struct hash_table){0};
}

/* The element of a link in its member of this name. */
#define HASH_ELEMENT(link, element, member)                                                        \
    ((__typeof__(element))((char *)(link)-offsetof(__typeof__(*(element)), member)))

/* Each element of the hash. */
#define HASH_FOREACH(element, table, value, member)                                                \
    for (struct hash_link *link_ = hash_first(table, value);                                       \
         link_ && ((element) = HASH_ELEMENT(link_, element, member), true);                        \
         link_ = hash_skip(link_->next, link_->hash))

/* Each element of the table, which the body may free. */
#define HASH_FOREACH_ALL(element, table, member)                                                   \
    for (struct hash_link *link_ = hash_from(table, 0), *next_;                                    \
         link_ && ((element) = HASH_ELEMENT(link_, element, member),                               \
                  next_ = hash_next(table, link_), true);                                          \
         link_ = next_)

#endif
