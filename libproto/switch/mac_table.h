/* Which port a MAC address is at.
 *
 * The table has sets of eight places, and a MAC belongs to two of the sets, which a keyed hash
 * chooses: nobody without the key can aim at a set. A new MAC goes to the emptier one. There are
 * twice as many places as MACs, so that practically always one is free (a MAC for which there is
 * none is not learned); nothing is ever moved, and each operation looks at 16 places at most.
 *
 * Each port has its MACs in a list, the one that was silent for the longest time last. A port at
 * its limit gives up that one, and never another port's. What has aged, or was forgotten with its
 * port, stays where it is as a free place: nothing sweeps the table.
 *
 * A MAC is a number of 48 bits, the first byte highest. The memory is the caller's. */
#ifndef NB_SWITCH_MAC_TABLE_H
#define NB_SWITCH_MAC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_NONE UINT32_MAX /* no place */

enum { MAC_WAYS = 8, MAC_LINE_BYTES = 64 };

struct mac_entry {
    uint64_t seen;         /* when, in ns */
    uint32_t newer, older; /* in its port's list, or MAC_NONE */
    uint32_t generation;   /* of its port; another: it was forgotten */
    uint32_t port;
};

/* What the table knows of a port. */
struct mac_port {
    uint32_t newest, oldest; /* or MAC_NONE */
    uint32_t count, limit;   /* of MACs; those that have aged count until they are replaced */
    uint32_t generation;
    bool keeps; /* its MACs do not age */
};

struct mac_table {
    uint64_t seed[2];
    uint64_t age; /* in ns */
    uint32_t sets;
    uint64_t *keys;            /* the MACs, 0: free; a set is a line of the cache */
    struct mac_entry *entries; /* one for each key */
    struct mac_port *ports;
};

/* How many sets are needed for so many MACs. */
static inline uint32_t mac_table_sets(uint32_t macs)
{
    return (macs + MAC_WAYS / 2 - 1) / (MAC_WAYS / 2);
}

static inline uint32_t mac_table_places(const struct mac_table *table)
{
    return table->sets * MAC_WAYS;
}

static inline uint64_t mac_read(const uint8_t *bytes)
{
    uint64_t mac = 0;

    for (int i = 0; i < 6; i++)
        mac = mac << 8 | bytes[i];
    return mac;
}

static inline void mac_write(uint8_t *bytes, uint64_t mac)
{
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
}

static inline bool mac_is_group(uint64_t mac)
{
    return mac >> 40 & 1;
}

/* SipHash-1-3 of the MAC as eight bytes, the lowest first. */
uint64_t mac_hash(const uint64_t seed[2], uint64_t mac);

/* The first places of the two sets that the MAC belongs to; they may be the same. */
void mac_table_find_sets(const struct mac_table *table, uint64_t mac, uint32_t ret[2]);

/* Where the MAC is, or MAC_NONE where it is unknown, aged or forgotten. */
uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint64_t now);

/* Whether the place holds a MAC that is neither aged nor forgotten. */
bool mac_table_is_live(const struct mac_table *table, uint32_t place, uint64_t now);

/* The MAC at this place was seen at its port. */
void mac_table_touch(struct mac_table *table, uint32_t place, uint64_t now);

/* Learns the MAC at the port. What another port had of it ends. At its limit the port gives up the
 * MAC that was silent for the longest time. */
enum mac_added { MAC_ADDED, MAC_REPLACED_ONE, MAC_HAS_NO_PLACE };
enum mac_added mac_table_add(struct mac_table *table, uint64_t mac, uint32_t port, uint64_t now);

/* Forgets all MACs of the port, in constant time. */
void mac_table_forget(struct mac_table *table, uint32_t port);

#endif
