/* What the keeper does for taps: it makes them, hands them over without keeping a copy, and deletes
 * them. Whatever the broker asks, they are below the prefix, in the bridges and in the networks
 * that the configuration names, and what is deleted or moved carries our mark (platform/taps.h). */
#ifndef NB_TAP_OPERATIONS_H
#define NB_TAP_OPERATIONS_H

#include "platform/taps.h"

#include <stdbool.h>

/* Whether an interface can have it: not zero, and no group's. */
bool tap_mac_is_valid(const uint8_t mac[MAC_BYTES]);

/* Whether a host can have it: neither of loopback nor a group, and neither the first nor the last
 * address of its prefix where those have a meaning. */
bool tap_host_is_valid(const struct tap_host *host);

#endif
