/* What libproto/ring/order.h is under Relacy, which runs threads in many interleavings and lets
 * each load return any value that C11 allows: atomics are Relacy's, and so are the words of a ring,
 * so that two sides that use one without order between them are a race. */
#ifndef NB_RINGS_MODEL_H
#define NB_RINGS_MODEL_H

#include <relacy/relacy.hpp>

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define _Alignas(bytes)
#define _Static_assert static_assert

typedef rl::atomic<uint64_t> ring_index;

typedef rl::var<uint64_t> ring_word;

/* Each order in the code that is not relaxed has a number, by which it can be made weaker: an
 * acquire or release relaxed, and a fence none. */
static int model_weaker = -1;
static struct model_place {
    const char *file;
    int line;
} *const model_places = (struct model_place *)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

static inline bool model_is_weaker(int number, const char *file, int line)
{
    if (number != model_weaker)
        return false;
    model_places[number] = {strrchr(file, '/') + 1, line};
    return true;
}

enum { MODEL_FIRST = __COUNTER__ + 1 };
#define MODEL_IS_WEAKER model_is_weaker(__COUNTER__ - MODEL_FIRST, __FILE__, __LINE__)

#define MODEL_ORDER_relaxed rl::mo_relaxed
#define MODEL_ORDER_acquire (MODEL_IS_WEAKER ? rl::mo_relaxed : rl::mo_acquire)
#define MODEL_ORDER_release (MODEL_IS_WEAKER ? rl::mo_relaxed : rl::mo_release)

#define RING_LOAD(index, order)         (*(index))($).load(MODEL_ORDER_##order)
#define RING_STORE(index, value, order) (*(index))($).store((uint64_t)(value), MODEL_ORDER_##order)
#define RING_FENCE(order)               (MODEL_IS_WEAKER ? (void)0 : rl::atomic_thread_fence(rl::mo_##order, $))
#define RING_GET(word)                  ((uint64_t) const_cast<ring_word &>(word)($))
#define RING_SET(word, value)           ((word)($) = (value))

enum { MODEL_SIZE = 128, MODEL_WORDS = MODEL_SIZE / 8 };

struct ring_data {
    ring_word words[MODEL_WORDS];
};

static inline ring_word &model_word(const ring_data *data, uint64_t at)
{
    return const_cast<ring_data *>(data)->words[at / 8 % MODEL_WORDS];
}

static inline void ring_write(ring_data *data, uint64_t at, const void *from, size_t n)
{
    for (size_t done = 0; done < n; done += 8) {
        uint64_t word = 0;

        memcpy(&word, (const char *)from + done, n - done < 8 ? n - done : 8);
        model_word(data, at + done)($) = word;
    }
}

static inline void ring_read(const ring_data *data, uint64_t at, void *to, size_t n)
{
    for (size_t done = 0; done < n; done += 8) {
        uint64_t word = model_word(data, at + done)($);

        memcpy((char *)to + done, &word, n - done < 8 ? n - done : 8);
    }
}

/* A place is no pointer here, but can be told from others. */
static inline unsigned char *ring_place(ring_data *, uint64_t at)
{
    return (unsigned char *)(uintptr_t)at;
}

static inline const unsigned char *ring_place_const(const ring_data *, uint64_t at)
{
    return (const unsigned char *)(uintptr_t)at;
}

#endif
