/* Loads, stores, fences and copies of the rings, in one place, so that a checker of memory models
 * can put its own in their stead (tests/rings/model.h) and the code of the rings stays what it
 * checks.
 *
 * An index has one writer. Bytes of a ring belong to one side at a time, and an index hands them
 * over: so they are copied as they are. Only a peer that breaks the rules writes while they are
 * read. What is copied then is of no use to anybody, and does no harm, because it is judged after
 * the copy. The thread sanitizer cannot know that such a peer is one; for it, copies out of a ring
 * are made of relaxed atomic words. */
#ifndef NB_RING_ORDER_H
#define NB_RING_ORDER_H

#ifdef NB_RING_MODEL
#include "model.h"
#else

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock would not be shared between processes");

typedef _Atomic uint64_t ring_index;
typedef uint64_t ring_word;      /* belongs to one side at a time */
typedef unsigned char ring_data; /* bytes that do; aligned to 8 */

#define RING_LOAD(index, order)         atomic_load_explicit(index, memory_order_##order)
#define RING_STORE(index, value, order) atomic_store_explicit(index, value, memory_order_##order)
#define RING_GET(word)                  (word)
#define RING_SET(word, value)           ((word) = (value))
#define RING_FENCE(order)               atomic_thread_fence(memory_order_##order)

#if defined __SANITIZE_THREAD__
#define RING_COPIES_WORDS 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define RING_COPIES_WORDS 1
#endif
#endif

/* Copies n bytes to the ring at an offset, a multiple of 8. */
static inline void ring_write(ring_data *data, uint64_t at, const void *from, size_t n)
{
    memcpy(data + at, from, n);
}

/* Copies n bytes out of the ring at an offset, a multiple of 8. The barrier behind it keeps the
 * compiler from reading in the ring what was copied: the peer may have changed it. */
static inline void ring_read(const ring_data *data, uint64_t at, void *to, size_t n)
{
#ifdef RING_COPIES_WORDS
    for (size_t done = 0; done < n; done += sizeof(uint64_t)) {
        const ring_index *word = (const ring_index *)(const void *)(data + at + done);
        uint64_t value = RING_LOAD(word, relaxed);

        memcpy((char *)to + done, &value, n - done < sizeof value ? n - done : sizeof value);
    }
#else
    memcpy(to, data + at, n);
#endif
    atomic_signal_fence(memory_order_seq_cst);
}

/* Where a payload lies, for who writes or reads it in place. */
static inline unsigned char *ring_place(ring_data *data, uint64_t at)
{
    return data + at;
}

static inline const unsigned char *ring_place_const(const ring_data *data, uint64_t at)
{
    return data + at;
}

#endif
#endif
