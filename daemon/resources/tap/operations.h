/* What the keeper does for taps: it makes them, hands them over without keeping a copy, and deletes
 * them. Whatever the broker asks, they are below the prefix, in the bridges and in the networks
 * that the configuration names, and what is deleted or moved carries our mark (platform/taps.h). */
#ifndef NB_TAP_OPERATIONS_H
#define NB_TAP_OPERATIONS_H

#include "platform/taps.h"

#include <stdbool.h>

/* Whether an interface can have it: not zero, and no group's. */
bool tap_mac_is_valid(const uint8_t mac[MAC_BYTES]);

#endif
