/* The taps that the service may make at all, as the configuration says. */
#ifndef NB_TAPS_ALLOWED_H
#define NB_TAPS_ALLOWED_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>

#define TAP_PREFIX_DEFAULT "nb-"

enum {
    TAP_PREFIX_MAX = 8, /* bytes: seven are left for what follows it in a name */
    TAP_SPARES_DEFAULT = 4,
    TAP_SPARES_MAX = 64,
    TAP_BRIDGES_MAX = 16,
    TAP_NETWORKS_MAX = 16,
};

struct tap_bridges {
    size_t count; /* 0: none */
    char names[TAP_BRIDGES_MAX][INTERFACE_NAME_MAX + 1];
};

struct tap_networks {
    size_t count; /* 0: none */
    struct prefix prefixes[TAP_NETWORKS_MAX];
};

/* Each reads the text of a setting. False, with *ret as it was, where it is something else.
 * The beginning of the names: letters, digits, '-', '_' and '.', and it begins with a letter. */
bool tap_prefix_parse(const char *text, char ret[TAP_PREFIX_MAX + 1]);
/* "none", or a list like "br0, virbr0". */
bool tap_bridges_parse(const char *text, struct tap_bridges *ret);
/* "none", or a list like "192.168.0.0/24, fd00:1::/64". */
bool tap_networks_parse(const char *text, struct tap_networks *ret);

/* Whether it is the name of an interface, begins with the prefix, and goes on. It need not end
 * within INTERFACE_NAME_MAX + 1 bytes. */
bool tap_name_is_allowed(const char *prefix, const char *name);
bool tap_bridge_is_allowed(const struct tap_bridges *bridges, const char *name);
/* Whether one of the networks has the whole of it. */
bool tap_network_is_allowed(const struct tap_networks *networks, const struct prefix *network);

#endif
