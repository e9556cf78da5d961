/* The samples of a recording (comtrade/comtrade.h) at any time between them: a cubic through the
 * four nearest, which need not be evenly spaced, because a recording may have several rates. */
#ifndef NB_RECORDING_H
#define NB_RECORDING_H

#include "comtrade/comtrade.h"
#include "iec61850/layout.h"

enum {
    RECORDING_CHANNELS = SV_CHANNELS_MAX, /* at most */
    RECORDING_SAMPLES_MAX = 4000000,      /* of which one has 72 bytes here, of eight channels */
    RECORDING_VALUES_MAX = 9 * RECORDING_SAMPLES_MAX, /* and times, in all */
};

/* What a channel of the stream has of the recording. */
struct recording_channel {
    bool is_used;
    unsigned analog; /* the number in it, from 0 */
    double scale;    /* its values times this are the stream's */
};

struct recording {
    unsigned width; /* how many channels there are */
    struct recording_channel channels[RECORDING_CHANNELS];
    double *points; /* each a time, ns from the first, and a value for each channel */
    uint64_t count;
    uint64_t near; /* where the last one was found: time mostly goes on */
};

/* Reads the data; width and channels are set before. False: they are wrong, or there is no memory
 * (why is NULL); the fault says where. */
bool recording_read(struct recording *recording, const struct comtrade *cfg, const void *data,
                    size_t n, struct comtrade_fault *fault);

/* The values at this time, from 0 to that of the last sample; beyond it, they are its. Where the
 * recorder has none, NAN. */
void recording_at(struct recording *recording, double time, double values[RECORDING_CHANNELS]);

/* The sample of this number of a stream that begins with the recording and has `rate` samples a
 * second; period: of recording_close, or 0: there is one pass. Where the recorder has none, the
 * value is 0, and the quality becomes invalid. */
void recording_sample(struct recording *recording, uint32_t rate, double period, uint64_t number,
                      int32_t *values, uint32_t *qualities);

/* ns from the first sample to the last one. */
double recording_length(const struct recording *recording);

/* Puts the first samples behind the last one, a step like the last one away, for passes without a
 * gap. Returns how long a pass is, in ns; 0: there is no memory. */
double recording_close(struct recording *recording);

void recording_clear(struct recording *recording);

#endif
