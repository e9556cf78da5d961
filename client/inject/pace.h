/* When frames are to be sent: ns from the beginning, for each frame on its own and never from the
 * one before, so that no error grows. Pure code.
 *
 * The next frame, of any pass through a file:
 *
 *     pace_next(&pace, has_time, time, &offset)
 *
 * and pace_pass between two passes. */
#ifndef NB_PACE_H
#define NB_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum pace_kind {
    PACE_NONE,     /* as fast as it goes: each offset is 0 */
    PACE_TIMES,    /* as in the file, so many times as fast; number: millionths */
    PACE_RATE,     /* number: frames in PACE_PARTS seconds */
    PACE_INTERVAL, /* number: ns between frames */
};

/* The members are the module's own, but for the first three, which are set before, and backwards.
 * The rest is zero at first. */
struct pace {
    enum pace_kind kind;
    uint64_t number;    /* at most PACE_NUMBER_MAX; not 0, but of an interval */
    uint64_t delay;     /* ns before the first frame */
    uint64_t backwards; /* frames whose time is before that of an earlier one: they go with it */
    uint64_t frames;    /* so far */
    uint64_t pass_frames;
    uint64_t base;          /* ns of the file's time, where this pass begins */
    uint64_t first, latest; /* times in this pass */
    uint64_t set;           /* ns by which clocks were set back in this pass */
};

#define PACE_PARTS      UINT64_C(1000000)
#define PACE_NUMBER_MAX UINT64_C(10000000000000000)

enum pace_next {
    PACE_OFFSET,
    PACE_NO_TIME, /* the pace is that of the file, and the frame has no time */
    PACE_TOO_FAR, /* the offset is beyond 64 bits: centuries */
};

enum pace_next pace_next(struct pace *pace, bool has_time, uint64_t time, uint64_t *ret_offset);

/* The frames come once more, from the first on. Of the file's own pace: what lies between the last
 * frame and the first one is the mean of what lies between the others. False: all frames have one
 * time, so that the passes would have none. */
bool pace_pass(struct pace *pace);

/* n * 1000^thousands / divisor, rounded down; divisor from 1 to PACE_NUMBER_MAX. False: it is
 * beyond 64 bits. */
bool pace_scale(uint64_t n, unsigned thousands, uint64_t divisor, uint64_t *ret);

/* A number of a command line, such as "1.5", as so many parts of one, by decimal places: 6 places
 * make 1500000. False: it is no such number, has more places that are not 0, or is beyond
 * PACE_NUMBER_MAX. */
bool pace_parse(const char *text, unsigned places, uint64_t *ret);

#endif
