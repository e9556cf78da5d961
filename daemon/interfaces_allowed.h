/* Interfaces that the configuration names: those out of which frames may be captured, or sent. */
#ifndef NB_INTERFACES_ALLOWED_H
#define NB_INTERFACES_ALLOWED_H

#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>

enum { INTERFACES_ALLOWED_MAX = 16 };

struct interface_set {
    size_t count; /* 0: none */
    /* Names; with '*' behind: all that begin so. */
    char names[INTERFACES_ALLOWED_MAX][INTERFACE_NAME_MAX + 1];
};

/* Reads the text of a setting: "none", or a list like "eth1, veth*". False, with *ret as it was,
 * where it is something else. */
bool interface_set_parse(const char *text, struct interface_set *ret);

/* Whether it is the name of an interface and one of these. It need not end within
 * INTERFACE_NAME_MAX + 1 bytes. */
bool interface_set_has(const struct interface_set *interfaces, const char *name);

#endif
