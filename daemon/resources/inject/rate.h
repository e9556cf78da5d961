/* How many frames may be sent now: a bucket that fills at a rate, and holds what it gives in 10 ms,
 * so that frames which come in bursts are spread. Pure code. */
#ifndef NB_INJECT_RATE_H
#define NB_INJECT_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_FRAME UINT64_C(1000000000) /* of a level */

enum { RATE_BURST_PART = 100 }; /* of a second's frames */

struct rate {
    uint32_t per_second; /* not 0 */
    uint64_t depth;      /* the most that is in it */
    uint64_t last;       /* ns: when it was filled */
    uint64_t level;      /* in it, in frames of 1,000,000,000 */
};

/* A full one. rate_begin_deep: which holds what it gives in a second. */
void rate_begin(struct rate *rate, uint32_t per_second, uint64_t now);
void rate_begin_deep(struct rate *rate, uint32_t per_second, uint64_t now);

/* Fills it, and says how many frames there are. */
uint64_t rate_frames(struct rate *rate, uint64_t now);

/* Takes some of these out. */
void rate_take(struct rate *rate, uint64_t frames);

/* In how many ns there will be one. */
uint64_t rate_wait(const struct rate *rate);

#endif
