/* The interfaces whose frames the service may capture at all, as the configuration says. */
#ifndef NB_CAPTURES_ALLOWED_H
#define NB_CAPTURES_ALLOWED_H

#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>

enum { CAPTURE_INTERFACES_ALLOWED = 16 };

struct capture_interfaces {
    size_t count; /* 0: none */
    /* Names; with '*' behind: all that begin so. */
    char names[CAPTURE_INTERFACES_ALLOWED][INTERFACE_NAME_MAX + 1];
};

/* Reads the text of a setting: "none", or a list like "eth1, veth*". False, with *ret as it was,
 * where it is something else. */
bool capture_interfaces_parse(const char *text, struct capture_interfaces *ret);

/* Whether it is the name of an interface and one of these. It need not end within
 * INTERFACE_NAME_MAX + 1 bytes. */
bool capture_interface_is_allowed(const struct capture_interfaces *interfaces, const char *name);

#endif
