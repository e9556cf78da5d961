/* The keeper's part of captures: its rows of keeper/table.h name these functions. */
#ifndef NB_CAPTURE_OPERATIONS_H
#define NB_CAPTURE_OPERATIONS_H

#include "platform/packets.h"

/* Whether the values are those of a capture that can be. 0 or a negative errno. */
int capture_check_values(const struct packets_config *packets);

#endif
