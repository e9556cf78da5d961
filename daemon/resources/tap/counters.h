/* What the kernel counts on a tap, for those who look, and METRICS of taps. */
#ifndef NB_TAP_COUNTERS_H
#define NB_TAP_COUNTERS_H

#include "kind.h"

/* Adds the members "rx_frames" and so on; none where there is no interface. */
void write_tap_counters(struct json *out, const struct tap *tap);

/* The kind's part of METRICS; see resource.h. */
struct producer *tap_metrics(void *self, bool each, const struct reader *reader);

#endif
