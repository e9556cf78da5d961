/* A part of METRICS that is short enough to be written at once (see resource.h, `metrics`). */
#ifndef NB_ONCE_H
#define NB_ONCE_H

#include "call.h"

/* A producer, owned by whoever takes it, that calls write one time. self: borrowed. NULL: no
 * memory. */
struct producer *producer_once(void (*write)(void *self, struct json *out), void *self);

#endif
