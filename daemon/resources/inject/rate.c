#include "rate.h"

#define FRAME RATE_FRAME

enum { NS_MAX = 1000000000 }; /* more time fills no more */

static void begin(struct rate *rate, uint32_t per_second, uint64_t now, uint64_t frames)
{
    *rate = (struct rate){.per_second = per_second, .last = now};
    rate->level = rate->depth = (frames > 0 ? frames : 1) * FRAME;
}

void rate_begin(struct rate *rate, uint32_t per_second, uint64_t now)
{
    begin(rate, per_second, now, per_second / RATE_BURST_PART);
}

void rate_begin_deep(struct rate *rate, uint32_t per_second, uint64_t now)
{
    begin(rate, per_second, now, per_second);
}

/* 150,000,000 frames a second for a second are 1.5e17. */
uint64_t rate_frames(struct rate *rate, uint64_t now)
{
    uint64_t passed = now > rate->last ? now - rate->last : 0;

    rate->level += (passed < NS_MAX ? passed : NS_MAX) * rate->per_second;
    if (rate->level > rate->depth)
        rate->level = rate->depth;
    rate->last = now > rate->last ? now : rate->last;
    return rate->level / FRAME;
}

void rate_take(struct rate *rate, uint64_t frames)
{
    rate->level -= frames * FRAME;
}

uint64_t rate_wait(const struct rate *rate)
{
    uint64_t missing = rate->level < FRAME ? FRAME - rate->level : 0;

    return (missing + rate->per_second - 1) / rate->per_second;
}
