/* What frames contain, so far as a grant to send them tells: who asks for no more than that needs
 * no wide grant. Pure code. */
#ifndef NB_SCOPE_H
#define NB_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCOPE_VALUES = 64 }; /* of a set */

/* Values in the order in which they came first. */
struct scope_set {
    size_t count;
    bool is_open; /* there are more than it holds, or some that it cannot name */
    uint64_t values[SCOPE_VALUES];
};

struct scope {
    struct scope_set ethertypes;            /* open where a frame has none */
    struct scope_set sources, destinations; /* as numbers: 02:00:00:00:00:01 is 0x020000000001 */
    struct scope_set vlans;                 /* ids of tags, also of inner ones */
    bool has_untagged;
    uint64_t frames;
};

/* Takes note of a frame, which has its header. */
void scope_add(struct scope *scope, const uint8_t *frame, size_t length);

/* The set has this value and no other. */
bool scope_is_only(const struct scope_set *set, uint64_t value);

/* An address as a number. */
uint64_t scope_mac(const uint8_t *mac);

/* The number as text, "02:00:00:00:00:01". */
enum { SCOPE_MAC_TEXT = 18 };
const char *scope_mac_text(uint64_t mac, char text[SCOPE_MAC_TEXT]);

#endif
