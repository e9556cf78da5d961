/* Frames of a stream of Sampled Values: a template that is encoded once, and what changes in it
 * from one frame to the next. Where the samples come from is another's. Pure code. */
#ifndef NB_SV_FRAMES_H
#define NB_SV_FRAMES_H

#include "clock.h"
#include "iec61850/layout.h"
#include "iec61850/sv.h"

enum {
    SV_FRAMES_CHANNELS = SV_CHANNELS_MAX,
    SV_FRAME_BYTES = 1522, /* with two tags */
    SV_RATE_LEAST = 100,   /* samples a second */
    SV_RATE_MAX = 65535,   /* smpCnt has 16 bits */
};

/* Where samples come from: the values and qualities of this sample, counted from the start. */
struct sv_samples {
    void *context;
    void (*take)(void *context, uint64_t number, int32_t *values, uint32_t *qualities);
};

struct sv_frames {
    uint32_t rate; /* samples a second; a multiple of `asdus` */
    unsigned asdus, channels;
    uint64_t start; /* ns since 1970, of sample 0: a full second. It is for refrTm alone */
    size_t length;
    uint8_t frame[SV_FRAME_BYTES];
    struct sv_places places[SV_ASDUS_MAX];
};

/* Makes the template: so many ASDUs like this one. Where that has a refrTm, it becomes the time of
 * each sample, and its quality stays. False: it is longer than a frame. */
bool sv_frames_begin(struct sv_frames *frames, const struct iec_frame *header,
                     const struct sv_asdu *asdu);

/* smpSynch of the frames from the next one on; refrTm, where they have it, says with it whether its
 * clock is synchronised. */
void sv_frames_synch(struct sv_frames *frames, uint8_t smp_synch);

/* The smpSynch that is right for what the system says of its clock: local where it is kept. Whether
 * that is by PTP, from a clock that knows the world's time, which would be global, nobody can tell
 * who has no rights. */
uint8_t sv_frames_synch_of(const struct clock_state *clock);

/* Puts the frame of this number, from 0, into frames->frame, and returns when it is due, in ns from
 * the start, which is a full second: with its last sample. */
uint64_t sv_frames_next(struct sv_frames *frames, uint64_t number,
                        const struct sv_samples *samples);

#endif
