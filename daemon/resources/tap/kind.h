/* Taps, as the broker has them. */
#ifndef NB_TAP_KIND_H
#define NB_TAP_KIND_H

#include "broker/resource.h"

extern const struct resource_ops tap_ops;

#endif
