/* The header of an Ethernet frame: its addresses, its VLAN tags, and the EtherType behind them.
 *
 * Pure code: bytes in, values out. Nothing is kept, and what is pointed to is in the frame. */
#ifndef NB_FRAME_H
#define NB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_MAC_BYTES = 6,
    FRAME_LEAST = 14,     /* bytes of a header without tags: two addresses and an EtherType */
    FRAME_TAG_BYTES = 4,  /* that a tag adds */
    FRAME_TAGS_MAX = 2,   /* IEEE 802.1ad: a customer's VLAN within a provider's */
    FRAME_8021Q = 0x8100, /* the EtherTypes of tags (TPID) */
    FRAME_8021AD = 0x88a8,
    FRAME_TYPE_LEAST = 0x600, /* less is no EtherType but a length (IEEE 802.3) */
};

/* A tag as IEEE 802.1Q has it: priority (3 bits), drop eligible (1 bit), VLAN id (12 bits). */
struct frame_tag {
    uint16_t tpid;
    uint16_t tci;
};

struct frame_view {
    const uint8_t *destination, *source; /* FRAME_MAC_BYTES each */
    unsigned tags;
    struct frame_tag tag[FRAME_TAGS_MAX]; /* the outermost first */
    uint16_t ethertype; /* behind the tags; a tag's own where there are more than FRAME_TAGS_MAX */
    size_t payload;     /* where that begins which the EtherType names */
};

/* False: the frame, of n bytes, is shorter than its header. */
bool frame_parse(const uint8_t *bytes, size_t n, struct frame_view *ret);

/* Puts in a tag as the outermost one, such as a kernel or a card has taken off, without a copy of
 * the frame: its addresses move into the FRAME_TAG_BYTES bytes before it, which must be the
 * caller's. Returns where the frame begins now; it is FRAME_TAG_BYTES longer. */
uint8_t *frame_insert_tag(uint8_t *frame, struct frame_tag tag);

/* --- Parts of a header --------------------------------------------------------------------- */

static inline bool frame_is_tag(uint16_t ethertype)
{
    return ethertype == FRAME_8021Q || ethertype == FRAME_8021AD;
}

/* A broadcast or multicast address. */
static inline bool frame_is_group(const uint8_t *mac)
{
    return mac[0] & 1;
}

/* 0: no VLAN, the tag has a priority only. */
static inline unsigned frame_vlan_id(struct frame_tag tag)
{
    return tag.tci & 0x0fff;
}

static inline unsigned frame_priority(struct frame_tag tag)
{
    return tag.tci >> 13;
}

static inline bool frame_is_drop_eligible(struct frame_tag tag)
{
    return tag.tci >> 12 & 1;
}

/* The TCI of these parts: priority 0 to 7, VLAN id 0 to 4095. */
static inline uint16_t frame_tci(unsigned priority, bool drop_eligible, unsigned vlan_id)
{
    return (uint16_t)(priority << 13 | (unsigned)drop_eligible << 12 | vlan_id);
}

#endif
