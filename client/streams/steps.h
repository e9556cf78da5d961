/* Whether the system's clock was set: the time of day runs as the monotonic clock does, also where
 * NTP or PTP slows it down, so the way from one to the other changes only then. Pure code. */
#ifndef NB_STREAMS_STEPS_H
#define NB_STREAMS_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* ns: the time of day, and the monotonic clock before and after it was read. */
struct steps_reading {
    uint64_t before, wall, after;
};

struct steps {
    uint64_t way; /* ns from the monotonic clock to the time of day, modulo 2^64 */
    bool is_known;
};

/* By how many ns the clock was set since the last reading that told: the first one, and one in
 * whose middle this process did not run, tell nothing. 0: it was not set, or by less than 10 ms. */
int64_t steps_take(struct steps *steps, const struct steps_reading *reading);

/* A full second, in ns since 1970, moved by as many seconds as the clock was set, so that as much
 * time has passed since then as before, by half a second at most. */
uint64_t steps_move(uint64_t second, int64_t step);

#endif
