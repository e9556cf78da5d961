/* In place of the loads and copies of ring/order.h (NB_RING_MODEL): whatever the service reads of
 * its peer's memory is another thing right after it was read, as with a peer that waits for that.
 * Code that reads a word once does not notice. */
#ifndef NB_FETCHES_MODEL_H
#define NB_FETCHES_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t ring_index;
typedef uint64_t ring_word;
typedef unsigned char ring_data;

#define HOSTILE UINT64_C(0xa5a5a5a5a5a5a5a5)

extern unsigned fetches; /* loads and copies so far */

static inline uint64_t fetch(const uint64_t *index)
{
    uint64_t value = *index;

    fetches++;
    *(uint64_t *)index = HOSTILE;
    return value;
}

#define RING_LOAD(index, order)         fetch(index)
#define RING_STORE(index, value, order) (*(index) = (value))
#define RING_GET(word)                  (word)
#define RING_SET(word, value)           ((word) = (value))
#define RING_FENCE(order)               ((void)0)

static inline void ring_write(ring_data *data, uint64_t at, const void *from, size_t n)
{
    memcpy(data + at, from, n);
}

static inline void ring_read(const ring_data *data, uint64_t at, void *to, size_t n)
{
    fetches++;
    memcpy(to, data + at, n);
    memset((ring_data *)data + at, 0xa5, n);
}

static inline unsigned char *ring_place(ring_data *data, uint64_t at)
{
    return data + at;
}

static inline const unsigned char *ring_place_const(const ring_data *data, uint64_t at)
{
    return data + at;
}

#endif
