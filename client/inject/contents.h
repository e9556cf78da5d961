/* What frames contain, so far as a grant to send them tells: who asks for no more than that needs
 * no wide grant. Pure code. */
#ifndef NB_CONTENTS_H
#define NB_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTENTS_VALUES = 64,     /* of a set */
    CONTENTS_VLAN_MAX = 4094, /* 4095 is reserved: IEEE 802.1Q */
};

/* Values in the order in which they came first. */
struct contents_set {
    size_t count;
    bool is_open; /* there are more than it holds, or some that no list can name */
    uint64_t values[CONTENTS_VALUES];
};

struct contents {
    struct contents_set ethertypes;            /* open where a frame has none */
    struct contents_set sources, destinations; /* as numbers: 02:00:00:00:00:01 is 0x020000000001 */
    struct contents_set vlans; /* ids of tags, also of inner ones; open where there are more tags */
    bool has_untagged;
    uint64_t frames;
};

/* Takes note of a frame, which has its header. */
void contents_add(struct contents *contents, const uint8_t *frame, size_t length);

/* An address as a number. */
uint64_t mac_number(const uint8_t *mac);

/* And back. */
void mac_put(uint64_t number, uint8_t *mac);

/* The number as text, "02:00:00:00:00:01". */
enum { MAC_TEXT = 18 };
const char *mac_text(uint64_t mac, char text[MAC_TEXT]);

#endif
