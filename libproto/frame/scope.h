/* What somebody may send: the scope that a request names, that a rule of the policy has, and that
 * each frame is held to. It has sender addresses, destinations and VLANs; the EtherTypes stand
 * beside it.
 *
 * A part that says nothing is not narrowed: it means all there are. For a rule that allows, a scope
 * has to cover that of the request; for a rule that denies, to touch it.
 *
 * Pure code: bytes in, values out. */
#ifndef NB_FRAME_SCOPE_H
#define NB_FRAME_SCOPE_H

#include "frame.h"

enum {
    SCOPE_ITEMS_MAX = 32,
    SCOPE_VLAN_MAX = 4094, /* IEEE 802.1Q, table 9-2: 4095 is reserved */
    SCOPE_MAC_TEXT = 20,   /* bytes of "01:0c:cd:04:00:00/48" without its end */
    SCOPE_MAC_BITS = 8 * FRAME_MAC_BYTES,
};

/* Bits: which addresses a frame may come from. */
enum scope_sources {
    SOURCES_OWN = 1 << 0,    /* that of the interface, whatever it is then */
    SOURCES_LISTED = 1 << 1, /* those of the list */
    SOURCES_ANY = 1 << 2,
};

struct source_list {
    uint32_t kinds; /* of enum scope_sources; 0: not said */
    uint32_t count;
    uint8_t macs[SCOPE_ITEMS_MAX][FRAME_MAC_BYTES];
};

/* All addresses that begin with these bits. */
struct mac_prefix {
    uint8_t bytes[FRAME_MAC_BYTES]; /* 0 behind the length */
    uint8_t length;                 /* bits: 1 to 48 */
};

struct destination_list {
    uint32_t count; /* 0: any */
    struct mac_prefix prefixes[SCOPE_ITEMS_MAX];
};

struct vlan_list {
    uint32_t untagged; /* 1: frames without a tag */
    uint32_t count;    /* 0, and not untagged: any */
    uint16_t ids[SCOPE_ITEMS_MAX];
};

struct send_scope {
    struct source_list sources;
    struct destination_list destinations;
    struct vlan_list vlans;
};

/* --- Sets ---------------------------------------------------------------------------------- */

/* Adds an item of a list. source: "own", "any" or the address of a station; destination: an
 * address, with '/' and a number of bits or without; VLAN: "none" or a number from 0 to 4094. */
enum scope_added {
    SCOPE_ADDED,
    SCOPE_WRONG, /* the text is none */
    SCOPE_TWICE, /* it is there already */
    SCOPE_FULL,
};

enum scope_added source_list_add(struct source_list *list, const char *text);
enum scope_added destination_list_add(struct destination_list *list, const char *text);
enum scope_added vlan_list_add(struct vlan_list *list, const char *text);

/* The parts of a scope as people read them: P(NAME, word). */
#define SCOPE_PARTS(P)                                                                             \
    P(SOURCES, "sources")                                                                          \
    P(DESTINATIONS, "destinations")                                                                \
    P(VLANS, "vlans")

enum scope_part {
#define P(name, word) SCOPE_##name,
    SCOPE_PARTS(P)
#undef P
        SCOPE_PART_COUNT
};

/* The word of a part, how many items it has, and the text of one, to SCOPE_MAC_TEXT + 1 bytes. */
const char *scope_word(enum scope_part part);
unsigned scope_items(const struct send_scope *scope, enum scope_part part);
void scope_text(const struct send_scope *scope, enum scope_part part, unsigned item, char *ret);

bool source_list_has(const struct source_list *list, const uint8_t *mac);
bool vlan_list_has(const struct vlan_list *list, unsigned id);

/* Whether all of the inner scope is in the outer one. */
bool scope_covers(const struct send_scope *outer, const struct send_scope *inner);

/* Whether some of the one may be in the other: the address of an interface may be any. */
bool scope_touches(const struct send_scope *one, const struct send_scope *other);

/* Whether it says nothing. */
bool scope_is_open(const struct send_scope *scope);

/* --- Frames -------------------------------------------------------------------------------- */

enum frame_verdict {
    FRAME_RIGHT,
    FRAME_TOO_SHORT,
    FRAME_WRONG_SOURCE,
    FRAME_WRONG_DESTINATION,
    FRAME_WRONG_ETHERTYPE,
    FRAME_WRONG_VLAN,
};

/* What frames are held to. Borrowed: the scope, the types, and the interface's address. */
struct frame_grant {
    const struct send_scope *scope;
    const uint16_t *ethertypes;
    uint32_t ethertype_count; /* 0: any */
    const uint8_t *own;
};

/* Whether the frame of n bytes may be sent. Behind more tags than FRAME_TAGS_MAX nothing is known:
 * such a frame is right only where the EtherTypes, or the VLANs, are not narrowed. With two tags,
 * both must be VLANs of the list, because a switch may take the outer one off. */
enum frame_verdict frame_judge(const struct frame_grant *grant, const uint8_t *bytes, size_t n);

/* Whether a frame that is right would not be if the interface had another address. */
bool frame_needs_own(const struct frame_grant *grant, const uint8_t *bytes);

#endif
