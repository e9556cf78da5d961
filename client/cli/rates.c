#include "rates.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 64 };

struct sample {
    char *key; /* owned; NULL: a free slot */
    uint64_t counters[RATE_COUNTERS_MAX];
};

/* What one reading saw, found by key: an open hash that is never more than half full. */
struct reading {
    uint64_t time_ns;
    struct sample *slots; /* owned; slot_count is a power of two, or 0 */
    size_t slot_count, used;
};

struct rates {
    struct reading last, current;
};

static void clear(struct reading *reading)
{
    for (size_t i = 0; i < reading->slot_count; i++)
        free(reading->slots[i].key);
    free(reading->slots);
    *reading = (struct reading){0};
}

/* FNV-1a */
static uint64_t hash(const char *key)
{
    uint64_t value = 0xcbf29ce484222325;

    for (; *key; key++)
        value = (value ^ (unsigned char)*key) * 0x100000001b3;
    return value;
}

/* The slot that has the key, or the free one where it would stand. */
static struct sample *slot_of(const struct reading *reading, const char *key)
{
    size_t i = hash(key) & (reading->slot_count - 1);

    while (reading->slots[i].key && strcmp(reading->slots[i].key, key) != 0)
        i = (i + 1) & (reading->slot_count - 1);
    return &reading->slots[i];
}

static bool grow(struct reading *reading)
{
    struct reading larger = *reading;

    larger.slot_count = reading->slot_count ? 2 * reading->slot_count : SLOTS_MIN;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (size_t i = 0; i < reading->slot_count; i++)
        if (reading->slots[i].key)
            *slot_of(&larger, reading->slots[i].key) = reading->slots[i];
    free(reading->slots);
    *reading = larger;
    return true;
}

static void remember(struct reading *reading, const char *key, const uint64_t *counters,
                     size_t count)
{
    struct sample *slot;

    if (2 * reading->used >= reading->slot_count && !grow(reading))
        return;
    slot = slot_of(reading, key);
    if (!slot->key) {
        slot->key = strdup(key);
        reading->used += slot->key != NULL;
    }
    memcpy(slot->counters, counters, count * sizeof *counters);
}

struct rates *rates_new(void)
{
    return calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *rates)
{
    if (!rates)
        return;
    clear(&rates->last);
    clear(&rates->current);
    free(rates);
}

void rates_begin(struct rates *rates, uint64_t time_ns)
{
    clear(&rates->last);
    rates->last = rates->current;
    rates->current = (struct reading){.time_ns = time_ns};
}

bool rates_take(struct rates *rates, const char *key, const uint64_t *counters, size_t count,
                double *ret)
{
    const struct sample *last = rates->last.slot_count ? slot_of(&rates->last, key) : NULL;
    double seconds = (double)(rates->current.time_ns - rates->last.time_ns) / 1e9;

    remember(&rates->current, key, counters, count);
    if (!last || !last->key || rates->current.time_ns <= rates->last.time_ns)
        return false;
    for (size_t i = 0; i < count; i++)
        if (counters[i] < last->counters[i])
            return false;
    for (size_t i = 0; i < count; i++)
        ret[i] = (double)(counters[i] - last->counters[i]) / seconds;
    return true;
}
