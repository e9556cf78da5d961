/* When a GOOSE message is sent again (IEC 61850-8-1, 18.1.2.5): soon behind a change, then after
 * gaps that double, up to the longest one. Pure code. */
#ifndef NB_GOOSE_PACE_H
#define NB_GOOSE_PACE_H

#include <stdint.h>

struct goose_pace {
    uint64_t shortest, longest; /* ns, 1 or more */
    uint32_t life;              /* so many gaps a message is valid for */
};

/* From the message with this sqNum, of a state that began with 0, to the next one. */
uint64_t goose_gap(const struct goose_pace *pace, uint32_t sq_num);

/* timeAllowedToLive of that message, in ms, rounded up. */
uint32_t goose_life(const struct goose_pace *pace, uint32_t sq_num);

/* The number of the next message of the state: 0 is for a new state alone. */
uint32_t goose_next_sq(uint32_t sq_num);

#endif
