/* Waveforms of three-phase networks: sums of cosines, of which each sample is computed by its
 * number, so that nothing adds up over hours: phases are whole numbers of parts of a turn.
 *
 * Pure code, but for cos(3). */
#ifndef NB_WAVEFORM_H
#define NB_WAVEFORM_H

#include "iec61850/layout.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WAVEFORM_ORDER_MAX = 50, /* of harmonics */
    WAVEFORM_STATES_MAX = 16,
};

struct waveform_part {
    double share; /* of the channel's fundamental; of the order 1 it is 1 */
    double angle; /* degrees, beside `order` times that of the fundamental: it is the same shape in
                   * each phase */
};

struct waveform_channel {
    bool is_sum;  /* of the three before it: what flows in the neutral */
    double rms;   /* of the fundamental, in A or V */
    double angle; /* degrees: of a cosine at the full second */
    struct waveform_part parts[WAVEFORM_ORDER_MAX + 1]; /* by order; [0] has no meaning */
};

struct waveform_state {
    uint64_t begin; /* the number of its first sample */
    struct waveform_channel channels[SV_CHANNELS_MAX];
};

struct waveform {
    uint32_t rate;           /* samples a second */
    struct sv_layout layout; /* what the channels are */
    uint64_t microhertz;     /* at most a kilohertz */
    unsigned states;         /* 1 or more, in the order in which they begin; the first at 0 */
    struct waveform_state state[WAVEFORM_STATES_MAX];
};

/* Of each network the phases have this size, and phase a has this angle, in degrees; the neutrals
 * are sums. */
void waveform_balance_currents(struct waveform *waveform, unsigned state, double rms, double angle);
void waveform_balance_voltages(struct waveform *waveform, unsigned state, double rms, double angle);

/* In which state this sample is. */
unsigned waveform_state(const struct waveform *waveform, uint64_t number);

/* The values of this sample, for each channel of the layout, counted from the start, which is a
 * full second. What is beyond 32 bits is the largest that is not. */
void waveform_sample(const struct waveform *waveform, uint64_t number, int32_t *values);

/* A real number of steps as a value of a sample. */
int32_t waveform_round(double steps);

#endif
