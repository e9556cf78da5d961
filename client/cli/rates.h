/* Rates from counters that are read again and again: what a counter grew by, for each second. */
#ifndef NB_RATES_H
#define NB_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATE_COUNTERS_MAX = 5 };

struct rates;

/* Nothing has been read yet. NULL: no memory. */
struct rates *rates_new(void);
void rates_free(struct rates *rates);

/* Begins a reading, made at this time (of a clock that never goes back, in nanoseconds). */
void rates_begin(struct rates *rates, uint64_t time_ns);

/* Takes the counters of one item, which the key names. True: ret has the growth of each a second
 * since the reading before. False: it is new since then, it began anew (a counter is smaller than
 * it was), no time has passed, or there is no memory; ret is left alone. */
bool rates_take(struct rates *rates, const char *key, const uint64_t *counters, size_t count,
                double *ret);

#endif
