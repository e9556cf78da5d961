#include "rates.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 64 };

struct sample {
    struct sample *next; /* of the reading's list */
    uint64_t counters[RATE_COUNTERS_MAX];
    char key[];
};

/* What one reading saw: a list, and an open hash by key that is never more than half full. */
struct reading {
    uint64_t time_ns;
    struct sample *list;   /* owned */
    struct sample **slots; /* owned; slot_count is a power of two, or 0 */
    size_t slot_count, used;
};

struct rates {
    struct reading last, current;
};

static void clear(struct reading *reading)
{
    struct sample *sample;

    while ((sample = reading->list)) {
        reading->list = sample->next;
        free(sample);
    }
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
static struct sample **slot_of(const struct reading *reading, const char *key)
{
    size_t i = hash(key) & (reading->slot_count - 1);

    while (reading->slots[i] && strcmp(reading->slots[i]->key, key) != 0)
        i = (i + 1) & (reading->slot_count - 1);
    return &reading->slots[i];
}

static bool grow(struct reading *reading)
{
    size_t count = reading->slot_count ? 2 * reading->slot_count : SLOTS_MIN;
    struct sample **slots = calloc(count, sizeof *slots);

    if (!slots)
        return false;
    free(reading->slots);
    reading->slots = slots;
    reading->slot_count = count;
    for (struct sample *sample = reading->list; sample; sample = sample->next)
        *slot_of(reading, sample->key) = sample;
    return true;
}

static struct sample *add_sample(struct reading *reading, const char *key)
{
    size_t size = strlen(key) + 1;
    struct sample *sample = calloc(1, sizeof *sample + size);

    if (!sample)
        return NULL;
    memcpy(sample->key, key, size);
    sample->next = reading->list;
    reading->list = sample;
    reading->used++;
    return sample;
}

static void remember(struct reading *reading, const char *key, const uint64_t *counters,
                     size_t count)
{
    struct sample **slot;

    if (2 * reading->used >= reading->slot_count && !grow(reading))
        return;
    slot = slot_of(reading, key);
    if (!*slot)
        *slot = add_sample(reading, key);
    if (*slot)
        memcpy((*slot)->counters, counters, count * sizeof *counters);
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
    const struct sample *last = rates->last.slot_count ? *slot_of(&rates->last, key) : NULL;
    double seconds = (double)(rates->current.time_ns - rates->last.time_ns) / 1e9;

    remember(&rates->current, key, counters, count);
    if (!last || rates->current.time_ns <= rates->last.time_ns)
        return false;
    for (size_t i = 0; i < count; i++)
        if (counters[i] < last->counters[i])
            return false;
    for (size_t i = 0; i < count; i++)
        ret[i] = (double)(counters[i] - last->counters[i]) / seconds;
    return true;
}
