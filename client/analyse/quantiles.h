/* Quantiles of durations, in memory that does not grow: counts in the buckets of the timing of
 * transmit rings (ring/transmit.h), so that a quantile is at most a quarter too high. */
#ifndef NB_ANALYSE_QUANTILES_H
#define NB_ANALYSE_QUANTILES_H

#include "ring/layout.h"

#include <stdint.h>

struct quantiles {
    uint64_t histogram[TRANSMIT_BUCKETS]; /* the last bucket has no end: from 7.5 s on */
    uint64_t most;
};

void quantiles_take(struct quantiles *quantiles, uint64_t value);

/* What this share of the values, in millionths, does not exceed; 0 where there are none. */
uint64_t quantiles_at(const struct quantiles *quantiles, uint64_t millionths);

#endif
