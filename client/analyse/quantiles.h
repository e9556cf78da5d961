/* Quantiles of durations, in memory that does not grow: counts in classes, four to each power of
 * two, so that a quantile is at most a quarter too high. */
#ifndef NB_ANALYSE_QUANTILES_H
#define NB_ANALYSE_QUANTILES_H

#include <stdint.h>

enum { QUANTILE_CLASSES = 4 * 40 }; /* up to 2^40 ns, which are 18 minutes */

struct quantiles {
    uint32_t classes[QUANTILE_CLASSES];
    uint64_t count, most;
};

void quantiles_take(struct quantiles *quantiles, uint64_t value);

/* What this share of the values does not exceed; 0 where there are none. */
uint64_t quantiles_at(const struct quantiles *quantiles, double share);

#endif
