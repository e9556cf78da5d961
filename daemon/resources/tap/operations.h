/* What the keeper does for taps: it makes them, hands them over without keeping a copy, and deletes
 * them. Whatever the broker asks, they are below the prefix, in the bridges and in the networks
 * that the configuration names, and what is deleted or moved carries our mark (platform/taps.h). */
#ifndef NB_TAP_OPERATIONS_H
#define NB_TAP_OPERATIONS_H

#include "platform/taps.h"

#include <stdbool.h>
#include <stddef.h>

struct errand;

/* Whether an interface can have it: not zero, and no group's. */
bool tap_mac_is_valid(const uint8_t mac[MAC_BYTES]);

/* Whether the host has an address of this family on it. */
bool tap_has_family(const struct tap_config *tap, uint8_t family);

/* Whether it has nothing that is one user's: only such ones are made before somebody asks. */
bool tap_is_plain(const struct tap_config *tap);

/* Whether it has nothing that a macvtap cannot have. */
bool tap_can_be_on_uplink(const struct tap_config *tap);

/* What the keeper calls the lifelines of macvtaps: this, and the name of the macvtap. */
#define TAP_LIFELINE_PREFIX "lifeline-"

enum { TAP_LIFELINES_MAX = 64 };

/* Whether what was made as a spare is what is wanted, whoever is the owner. */
bool tap_spare_fits(const struct tap_config *spare, const struct tap_config *wanted);

/* Errands: delete the taps of these indexes. */
void tap_delete_all(const struct errand *errands, size_t count);

#endif
