/* Token buckets: how often something may happen. Times are nanoseconds of a clock that does not go
 * back. */
#ifndef NB_SWITCH_BUCKET_H
#define NB_SWITCH_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct switch_rate { /* all zero: no limit */
    uint32_t per_second;
    uint32_t burst; /* how many at once; 0: as many as in a second */
};

/* Instead of a number of tokens, the time when the bucket will be full again: nothing has to be
 * added as time goes on, and there is no fraction to lose. */
struct bucket {
    uint64_t interval; /* between two tokens; 0: no limit */
    uint64_t depth;    /* of a full bucket, in time */
    uint64_t full_at;
};

static inline void bucket_fill(struct bucket *bucket, const struct switch_rate *rate)
{
    uint32_t burst = rate->burst ? rate->burst : rate->per_second;

    *bucket = (struct bucket){0};
    if (rate->per_second > 0)
        bucket->interval = 1000000000 / rate->per_second;
    bucket->depth = bucket->interval * burst;
}

/* Takes a token; false: there is none. */
static inline bool bucket_take(struct bucket *bucket, uint64_t now)
{
    if (bucket->full_at < now)
        bucket->full_at = now;
    if (bucket->full_at - now + bucket->interval > bucket->depth)
        return false;
    bucket->full_at += bucket->interval;
    return true;
}

#endif
