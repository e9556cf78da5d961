#include "quantiles.h"

enum { PARTS = 4, PART_BITS = 2 };

static unsigned class_of(uint64_t value)
{
    unsigned power, class;

    if (value < PARTS)
        return (unsigned)value;
    power = 63u - (unsigned)__builtin_clzll(value);
    class = (power - PART_BITS + 1) * PARTS + (unsigned)(value >> (power - PART_BITS)) % PARTS;
    return class < QUANTILE_CLASSES ? class : QUANTILE_CLASSES - 1;
}

/* The largest value of a class; the last one has no end. */
static uint64_t class_most(unsigned class)
{
    unsigned power = class / PARTS + PART_BITS - 1;

    if (class < PARTS)
        return class;
    if (class == QUANTILE_CLASSES - 1)
        return UINT64_MAX;
    return (((uint64_t)PARTS + class % PARTS + 1) << (power - PART_BITS)) - 1;
}

void quantiles_take(struct quantiles *quantiles, uint64_t value)
{
    quantiles->classes[class_of(value)]++;
    quantiles->count++;
    if (value > quantiles->most)
        quantiles->most = value;
}

uint64_t quantiles_at(const struct quantiles *quantiles, double share)
{
    double wanted = share * (double)quantiles->count;
    uint64_t seen = 0;

    for (unsigned class = 0; class < QUANTILE_CLASSES; class ++) {
        seen += quantiles->classes[class];
        if (seen > 0 && (double)seen >= wanted)
            return class_most(class) < quantiles->most ? class_most(class) : quantiles->most;
    }
    return quantiles->most;
}
