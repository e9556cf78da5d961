/* What the files of taps.h share. */
#ifndef NB_TAP_INTERNAL_H
#define NB_TAP_INTERNAL_H

#include "taps.h"

/* Whether the service's settings allow its routes, and they go with its addresses. */
bool tap_judge_routes(const struct taps *taps, const struct tap_config *config,
                      struct error *error);

/* Whether none of its networks would take packets from another tap, or lose them to it. */
bool tap_judge_others(const struct taps *taps, const struct tap_config *config,
                      struct error *error);

/* Those that nobody took. */
void tap_close_fds(struct tap *tap);

void tap_set_state(struct tap *tap, enum tap_state state);

/* There is nothing of it any more, and no lease: its name is free, and who waits for that is
 * resumed. It is freed, or when the keeper has answered. */
void tap_forget(struct tap *tap);

/* The keeper's answer was taken: one that is forgotten is freed. */
void tap_answered(struct tap *tap);

#endif
