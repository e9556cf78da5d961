/* What a request, or a lease that ends, is about, in the words that a policy's rules are made of.
 */
#ifndef NB_TARGET_H
#define NB_TARGET_H

#include "address.h"
#include "bounds.h"
#include "frame/scope.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Those that a request names, and those of what it replaces. */
    TARGET_INTERFACES_MAX = 2 * (VIFS_MAX + 1),
};

/* What it does not say is not narrowed: it is about all there is. */
struct target {
    unsigned interface_count;
    const char
        *interfaces[TARGET_INTERFACES_MAX]; /* borrowed; with '+' behind: all that begin so */
    struct prefix group;                    /* FAMILY_NONE: not said */
    uint32_t table;                         /* 0: not said */
    unsigned ethertype_count;               /* 0: not said */
    uint16_t ethertypes[ETHERTYPES_MAX];
    uint8_t directions; /* of enum direction; 0: not said, which is both */
    bool promiscuous;   /* also what goes to other stations */
    struct send_scope scope;
    uint32_t rate;   /* of what it sends, a second; 0: as much as the rule allows */
    bool everywhere; /* there are more interfaces than it can hold, so it names none */
};

/* Adds an interface, once; the name is borrowed. */
void target_add_interface(struct target *target, const char *name);

#endif
