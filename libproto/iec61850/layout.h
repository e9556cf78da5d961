/* What the channels of a sample are: currents, then voltages, as the profiles 9-2LE and 61869-9
 * have them: their names, and what a step of their values is. Pure code. */
#ifndef NB_IEC61850_LAYOUT_H
#define NB_IEC61850_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SV_CHANNELS_MAX = 182, /* of 8 bytes, in a frame of 1500 */
    SV_NAME_BYTES = 12,
    SV_NEUTRAL = 3, /* of the phases a, b, c, n */
};

struct sv_layout {
    unsigned currents, voltages;
};

/* "I4U4" as IEC 61869-9 writes it, or "4I4V", "I3", "U1" and so on; n: its length. False: it is
 * none, or of more channels than a frame has room for. */
bool sv_layout_parse(const char *text, size_t n, struct sv_layout *ret);

static inline unsigned sv_layout_channels(const struct sv_layout *layout)
{
    return layout->currents + layout->voltages;
}

/* Ia, Ib, Ic and In where there are three or four of a kind, I1a and so on where there are several
 * such groups, else I1 and so on; likewise Va. What is beyond the layout is ch9. */
void sv_layout_name(const struct sv_layout *layout, unsigned channel, char ret[SV_NAME_BYTES]);

/* The channel of this name; n: its length. -1: there is none. */
int sv_layout_find(const struct sv_layout *layout, const char *name, size_t n);

/* The phase of a channel: 0 to 2, or SV_NEUTRAL, which the three before it sum up to. */
unsigned sv_layout_phase(const struct sv_layout *layout, unsigned channel);

/* "A", "V", or "" of what is beyond the layout. */
const char *sv_layout_unit(const struct sv_layout *layout, unsigned channel);

/* What a step of a value is, in that unit: 1 mA, 10 mV, or 1. */
double sv_layout_step(const struct sv_layout *layout, unsigned channel);

#endif
