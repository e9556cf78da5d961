#include "mac_table.h"

/* --- The hash ------------------------------------------------------------------------------ */

/* SipHash (Aumasson and Bernstein, 2012), with one round a word and three at the end. */
struct sip {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t word, int bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct sip *sip)
{
    sip->a += sip->b;
    sip->c += sip->d;
    sip->b = rotate(sip->b, 13) ^ sip->a;
    sip->d = rotate(sip->d, 16) ^ sip->c;
    sip->a = rotate(sip->a, 32) + sip->d;
    sip->c += sip->b;
    sip->b = rotate(sip->b, 17) ^ sip->c;
    sip->d = rotate(sip->d, 21) ^ sip->a;
    sip->c = rotate(sip->c, 32);
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
    sip->d ^= word;
    sip_round(sip);
    sip->a ^= word;
}

uint64_t mac_hash(const uint64_t seed[2], uint64_t mac)
{
    struct sip sip = {
        seed[0] ^ 0x736f6d6570736575,
        seed[1] ^ 0x646f72616e646f6d,
        seed[0] ^ 0x6c7967656e657261,
        seed[1] ^ 0x7465646279746573,
    };

    sip_word(&sip, mac);
    sip_word(&sip, (uint64_t)sizeof mac << 56);
    sip.c ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&sip);
    return sip.a ^ sip.b ^ sip.c ^ sip.d;
}

/* --- Places -------------------------------------------------------------------------------- */

/* A half of the hash as a fraction of the sets. */
static inline uint32_t set_of(const struct mac_table *table, uint32_t half)
{
    return (uint32_t)((uint64_t)half * table->sets >> 32) * MAC_WAYS;
}

void mac_table_find_sets(const struct mac_table *table, uint64_t mac, uint32_t ret[2])
{
    uint64_t hash = mac_hash(table->seed, mac);

    ret[0] = set_of(table, (uint32_t)hash);
    ret[1] = set_of(table, (uint32_t)(hash >> 32));
}

static inline uint32_t find_in(const struct mac_table *table, uint32_t set, uint64_t mac)
{
    for (uint32_t i = 0; i < MAC_WAYS; i++)
        if (table->keys[set + i] == mac)
            return set + i;
    return MAC_NONE;
}

static inline uint32_t find_key(const struct mac_table *table, const uint32_t sets[2], uint64_t mac)
{
    uint32_t place = find_in(table, sets[0], mac);

    return place != MAC_NONE ? place : find_in(table, sets[1], mac);
}

static inline bool is_forgotten(const struct mac_table *table, const struct mac_entry *entry)
{
    return entry->generation != table->ports[entry->port].generation;
}

static inline bool has_aged(const struct mac_table *table, const struct mac_entry *entry,
                            uint64_t now)
{
    return now > entry->seen && now - entry->seen > table->age && !table->ports[entry->port].keeps;
}

bool mac_table_is_live(const struct mac_table *table, uint32_t place, uint64_t now)
{
    const struct mac_entry *entry = &table->entries[place];

    return table->keys[place] && !is_forgotten(table, entry) && !has_aged(table, entry, now);
}

uint32_t mac_table_find(const struct mac_table *table, uint64_t mac, uint64_t now)
{
    uint32_t sets[2], place;

    mac_table_find_sets(table, mac, sets);
    place = find_key(table, sets, mac);
    return place != MAC_NONE && mac_table_is_live(table, place, now) ? place : MAC_NONE;
}

/* --- Lists --------------------------------------------------------------------------------- */

static void list_remove(struct mac_table *table, uint32_t place)
{
    const struct mac_entry *entry = &table->entries[place];
    struct mac_port *port = &table->ports[entry->port];

    *(entry->newer == MAC_NONE ? &port->newest : &table->entries[entry->newer].older) =
        entry->older;
    *(entry->older == MAC_NONE ? &port->oldest : &table->entries[entry->older].newer) =
        entry->newer;
    port->count--;
}

static void list_add(struct mac_table *table, uint32_t place)
{
    struct mac_entry *entry = &table->entries[place];
    struct mac_port *port = &table->ports[entry->port];

    entry->newer = MAC_NONE;
    entry->older = port->newest;
    *(port->newest == MAC_NONE ? &port->oldest : &table->entries[port->newest].newer) = place;
    port->newest = place;
    port->count++;
}

void mac_table_touch(struct mac_table *table, uint32_t place, uint64_t now)
{
    struct mac_entry *entry = &table->entries[place];

    entry->seen = now;
    if (entry->newer == MAC_NONE)
        return;
    list_remove(table, place);
    list_add(table, place);
}

/* --- Learning ------------------------------------------------------------------------------ */

/* The place becomes free. */
static void release(struct mac_table *table, uint32_t place)
{
    if (table->keys[place] && !is_forgotten(table, &table->entries[place]))
        list_remove(table, place);
    table->keys[place] = 0;
}

/* How many places of the set are free, and the last of them. */
static unsigned count_free(const struct mac_table *table, uint32_t set, uint64_t now,
                           uint32_t *ret_place)
{
    unsigned count = 0;

    for (uint32_t place = set; place < set + MAC_WAYS; place++)
        if (!mac_table_is_live(table, place, now)) {
            *ret_place = place;
            count++;
        }
    return count;
}

/* A free place in the emptier one of the sets, or MAC_NONE. */
static uint32_t find_free(const struct mac_table *table, const uint32_t sets[2], uint64_t now)
{
    uint32_t places[2] = {MAC_NONE, MAC_NONE};
    unsigned first = count_free(table, sets[0], now, &places[0]);
    unsigned second = count_free(table, sets[1], now, &places[1]);

    return places[second > first];
}

/* Makes room below the port's limit; whether a MAC that was in use had to go. */
static bool make_room(struct mac_table *table, const struct mac_port *port, uint64_t now)
{
    uint32_t oldest = port->oldest;
    bool was_live;

    if (port->count < port->limit)
        return false;
    was_live = mac_table_is_live(table, oldest, now);
    release(table, oldest);
    return was_live;
}

static void put(struct mac_table *table, uint32_t place, uint64_t mac, uint32_t port, uint64_t now)
{
    release(table, place);
    table->keys[place] = mac;
    table->entries[place] = (struct mac_entry){
        .seen = now,
        .generation = table->ports[port].generation,
        .port = port,
    };
    list_add(table, place);
}

enum mac_added mac_table_add(struct mac_table *table, uint64_t mac, uint32_t port, uint64_t now)
{
    uint32_t sets[2], place;
    bool replaces;

    mac_table_find_sets(table, mac, sets);
    place = find_key(table, sets, mac);
    if (place != MAC_NONE)
        release(table, place);
    replaces = make_room(table, &table->ports[port], now);
    place = find_free(table, sets, now);
    if (place == MAC_NONE)
        return MAC_HAS_NO_PLACE;
    put(table, place, mac, port, now);
    return replaces ? MAC_REPLACED_ONE : MAC_ADDED;
}

void mac_table_forget(struct mac_table *table, uint32_t port)
{
    struct mac_port *forgotten = &table->ports[port];

    forgotten->newest = forgotten->oldest = MAC_NONE;
    forgotten->count = 0;
    forgotten->generation++;
}
