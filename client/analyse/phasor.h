/* Phasors, harmonics and frequency of the newest cycle of a stream of samples.
 *
 * A discrete Fourier transform of one cycle is exact where the cycle is a whole number of samples.
 * It is not where the frequency is off its nominal value. So the frequency is found first, from how
 * far the phase of a channel turns from one cycle to the next; then a cycle of that length is
 * interpolated to a power of two of points, by a windowed sinc, and transformed.
 *
 * Nothing is allocated. */
#ifndef NB_ANALYSE_PHASOR_H
#define NB_ANALYSE_PHASOR_H

#include "iec61850/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PHASOR_CHANNELS_MAX = SV_CHANNELS_MAX,
    PHASOR_HISTORY = 2048, /* samples; a power of two */
    PHASOR_HARMONICS = 50,
    PHASOR_HALF_TAPS = 32, /* samples on each side of a point that is interpolated */
    PHASOR_POINTS_LEAST = 128,
    PHASOR_POINTS_MAX = 1024,
    PHASOR_RATE_LEAST = 1000, /* samples a second: fewer have no 5th harmonic */
};
#define PHASOR_FREQUENCY_LEAST 40.0
#define PHASOR_FREQUENCY_MAX   70.0

struct phasor_history {
    unsigned channels;
    uint64_t end;    /* how many samples were put in since it began */
    int32_t *values; /* the caller's: PHASOR_HISTORY samples of `room` channels */
    unsigned room;
};

/* Forgets all samples; those that come have so many channels, or as many as there is room for. */
void phasor_begin(struct phasor_history *history, unsigned channels);

/* The sample of this number, of the newest PHASOR_HISTORY: a value for each channel. */
static inline const int32_t *phasor_sample(const struct phasor_history *history, uint64_t number)
{
    return history->values + number % PHASOR_HISTORY * history->channels;
}

/* Room for the next sample. */
static inline int32_t *phasor_room(struct phasor_history *history)
{
    return history->values + history->end++ % PHASOR_HISTORY * history->channels;
}

struct phasor_harmonic {
    double magnitude; /* root mean square, in the unit of the values */
    double angle;     /* degrees: see phasor_compute */
};

struct phasor_channel {
    struct phasor_harmonic harmonics[PHASOR_HARMONICS + 1]; /* [0]: the direct part */
    double rms;                                             /* of the whole cycle */
    double thd; /* harmonics from the second on, as a share of the first; 0 where that is less than
                   a step */
};

struct phasors {
    double frequency;                /* 0: no channel has a signal whose frequency can be told */
    unsigned order;                  /* the highest harmonic that this sample rate has */
    struct phasor_channel *channels; /* the caller's: as many as the history has */
};

/* Room to compute in. */
struct phasor_work {
    double values[PHASOR_POINTS_MAX * PHASOR_CHANNELS_MAX], cosines[PHASOR_POINTS_MAX];
};

/* Whether there are enough samples of this rate. */
bool phasor_is_ready(const struct phasor_history *history, double rate);

/* Computes the newest cycle. `count` is the smpCnt of the newest sample, nominal the frequency that
 * angles are told against: as in IEEE C37.118, an angle is 0 where the cosine has its maximum at
 * the full second, and turns where the frequency is not the nominal one. guess: the frequency of
 * the cycle before, or 0.
 *
 * False: there are not enough samples. */
bool phasor_compute(const struct phasor_history *history, double rate, double nominal, double guess,
                    uint16_t count, struct phasor_work *work, struct phasors *ret);

#endif
