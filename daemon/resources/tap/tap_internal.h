/* What the two files of taps.h share. */
#ifndef NB_TAP_INTERNAL_H
#define NB_TAP_INTERNAL_H

#include "taps.h"

void tap_set_state(struct tap *tap, enum tap_state state);

/* There is nothing of it any more, and no lease: its name is free, and who waits for that is
 * resumed. It is freed, or when the keeper has answered. */
void tap_forget(struct tap *tap);

/* The keeper's answer was taken: one that is forgotten is freed. */
void tap_answered(struct tap *tap);

#endif
