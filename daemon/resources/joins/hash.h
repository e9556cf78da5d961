/* Hashes of addresses that nobody can aim at without the seed. */
#ifndef NB_JOINS_HASH_H
#define NB_JOINS_HASH_H

#include "address.h"

#include <string.h>

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 33;
}

static inline uint64_t hash_address(uint64_t hash, const struct address *address)
{
    uint64_t words[2];

    memcpy(words, address->bytes, sizeof words);
    return hash_word(hash_word(hash, words[0]), words[1]);
}

#endif
