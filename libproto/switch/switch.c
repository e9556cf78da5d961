#include "switch.h"

#include "mac_table.h"

#include <stdalign.h>
#include <string.h>

enum { DUMP_PLACES = 1024 }; /* that one call looks at */

struct port {
    uint64_t allowed[SWITCH_ALLOWED_MAX];
    unsigned allowed_count;
    struct bucket flood, moves;
    struct switch_counters counters;
};

struct ether_switch {
    struct mac_table macs;
    struct port *ports;
    unsigned port_count;
    uint32_t mac_count; /* that there is room for */
    uint32_t promised;  /* of these, the limits of the attached ports */
    struct port_set attached, isolated;
};

static const struct {
    const char *word, *meaning;
} drops[] = {{"none", "it was forwarded"},
#define D(name, word, meaning) {word, meaning},
             SWITCH_DROPS(D)
#undef D
};

_Static_assert(sizeof drops / sizeof *drops == SWITCH_DROP_COUNT, "a row for each reason");

const char *switch_drop_word(enum switch_drop reason)
{
    return drops[reason].word;
}

const char *switch_drop_meaning(enum switch_drop reason)
{
    return drops[reason].meaning;
}

/* --- Memory -------------------------------------------------------------------------------- */

/* Where the parts are, from a line of the cache on. */
struct layout {
    size_t keys, entries, owners, ports, end;
};

static bool lay_out(unsigned ports, uint32_t macs, struct layout *ret)
{
    size_t places = (size_t)mac_table_sets(macs) * MAC_WAYS;

    if (ports < 1 || ports > SWITCH_PORTS_MAX || macs < ports || macs > SWITCH_MACS_MAX)
        return false;
    ret->keys = (sizeof(struct ether_switch) + MAC_LINE_BYTES - 1) & ~(size_t)(MAC_LINE_BYTES - 1);
    ret->entries = ret->keys + places * sizeof(uint64_t);
    ret->ports = ret->entries + places * sizeof(struct mac_entry);
    ret->owners = ret->ports + ports * sizeof(struct port);
    ret->end = ret->owners + ports * sizeof(struct mac_port);
    return true;
}

_Static_assert(alignof(struct mac_entry) <= alignof(uint64_t) &&
                   alignof(struct port) <= alignof(struct mac_entry) &&
                   alignof(struct mac_port) <= alignof(struct port),
               "each part may follow the one before");

size_t switch_bytes(unsigned ports, uint32_t macs)
{
    struct layout layout;

    return lay_out(ports, macs, &layout) ? layout.end + MAC_LINE_BYTES : 0;
}

static void init_macs(struct mac_table *table, const struct switch_config *config)
{
    memcpy(table->seed, config->seed, sizeof table->seed);
    table->age = config->age_ns ? config->age_ns : SWITCH_AGE_NS;
    table->sets = mac_table_sets(config->macs);
    for (unsigned i = 0; i < config->ports; i++)
        mac_table_forget(table, i);
}

struct ether_switch *switch_init(void *memory, size_t bytes, const struct switch_config *config)
{
    char *base = (char *)memory + -(uintptr_t)memory % MAC_LINE_BYTES;
    struct ether_switch *sw = (struct ether_switch *)base;
    struct layout layout;

    if (!lay_out(config->ports, config->macs, &layout) || bytes < layout.end + MAC_LINE_BYTES)
        return NULL;
    memset(base, 0, layout.end);
    sw->port_count = config->ports;
    sw->mac_count = config->macs;
    sw->ports = (struct port *)(base + layout.ports);
    sw->macs.keys = (uint64_t *)(base + layout.keys);
    sw->macs.entries = (struct mac_entry *)(base + layout.entries);
    sw->macs.ports = (struct mac_port *)(base + layout.owners);
    init_macs(&sw->macs, config);
    return sw;
}

/* --- Ports --------------------------------------------------------------------------------- */

static bool is_source(uint64_t mac)
{
    return mac != 0 && !mac_is_group(mac);
}

static bool allowed_is_valid(const struct switch_port *config, uint32_t limit)
{
    if (config->allowed_count > SWITCH_ALLOWED_MAX ||
        (config->locked && config->allowed_count > limit))
        return false;
    for (unsigned i = 0; i < config->allowed_count; i++)
        if (!is_source(mac_read(config->allowed[i])))
            return false;
    return true;
}

static bool is_locked(const struct ether_switch *sw, uint32_t place)
{
    return sw->macs.ports[sw->macs.entries[place].port].keeps;
}

static void learn(struct ether_switch *sw, uint64_t now, unsigned port, uint64_t mac)
{
    struct switch_counters *counters = &sw->ports[port].counters;
    enum mac_added added = mac_table_add(&sw->macs, mac, port, now);

    counters->learned += added != MAC_HAS_NO_PLACE;
    counters->no_place += added == MAC_HAS_NO_PLACE;
    counters->replaced += added == MAC_REPLACED_ONE;
}

/* A locked port has its MACs before it sends, except those of other locked ports. */
static void learn_allowed(struct ether_switch *sw, uint64_t now, unsigned number)
{
    const struct port *port = &sw->ports[number];

    for (unsigned i = 0; i < port->allowed_count; i++) {
        uint32_t place = mac_table_find(&sw->macs, port->allowed[i], now);

        if (place == MAC_NONE || !is_locked(sw, place))
            learn(sw, now, number, port->allowed[i]);
    }
}

static void set_port(struct port *port, const struct switch_port *config)
{
    *port = (struct port){.allowed_count = config->allowed_count};
    for (unsigned i = 0; i < config->allowed_count; i++)
        port->allowed[i] = mac_read(config->allowed[i]);
    bucket_fill(&port->flood, &config->flood);
    bucket_fill(&port->moves, &config->moves);
}

bool switch_attach(struct ether_switch *sw, uint64_t now, unsigned port,
                   const struct switch_port *config)
{
    uint32_t limit = config->macs ? config->macs : sw->mac_count / sw->port_count;

    if (port >= sw->port_count || port_set_has(&sw->attached, port) ||
        limit > sw->mac_count - sw->promised || !allowed_is_valid(config, limit))
        return false;
    sw->promised += limit;
    sw->macs.ports[port].limit = limit;
    sw->macs.ports[port].keeps = config->locked;
    set_port(&sw->ports[port], config);
    port_set_add(&sw->attached, port);
    if (config->isolated)
        port_set_add(&sw->isolated, port);
    if (config->locked)
        learn_allowed(sw, now, port);
    return true;
}

void switch_detach(struct ether_switch *sw, unsigned port)
{
    if (port >= sw->port_count || !port_set_has(&sw->attached, port))
        return;
    sw->promised -= sw->macs.ports[port].limit;
    mac_table_forget(&sw->macs, port);
    port_set_remove(&sw->attached, port);
    port_set_remove(&sw->isolated, port);
}

/* --- Where a frame comes from -------------------------------------------------------------- */

static bool is_reserved(uint64_t mac)
{
    return mac >> 4 == 0x0180c2000000 >> 4;
}

static bool may_send_from(const struct port *port, uint64_t mac)
{
    for (unsigned i = 0; i < port->allowed_count; i++)
        if (port->allowed[i] == mac)
            return true;
    return port->allowed_count == 0;
}

/* Why the port may not have a MAC that is new to it; at `place` it is another port's. */
static enum switch_drop judge_new(struct ether_switch *sw, uint64_t now, unsigned ingress,
                                  uint32_t place)
{
    const struct mac_port *owner = &sw->macs.ports[ingress];

    if (place != MAC_NONE && is_locked(sw, place))
        return SWITCH_DROP_LOCKED;
    if (owner->keeps && owner->count >= owner->limit)
        return SWITCH_DROP_LIMIT;
    if (place != MAC_NONE && !bucket_take(&sw->ports[ingress].moves, now))
        return SWITCH_DROP_MOVES;
    return SWITCH_NOT_DROPPED;
}

static enum switch_drop see_source(struct ether_switch *sw, uint64_t now, unsigned ingress,
                                   uint64_t mac)
{
    uint32_t place = mac_table_find(&sw->macs, mac, now);

    enum switch_drop reason;

    if (place != MAC_NONE && sw->macs.entries[place].port == ingress) {
        mac_table_touch(&sw->macs, place, now);
        return SWITCH_NOT_DROPPED;
    }
    reason = judge_new(sw, now, ingress, place);
    if (reason)
        return reason;
    sw->ports[ingress].counters.moved += place != MAC_NONE;
    learn(sw, now, ingress, mac);
    return SWITCH_NOT_DROPPED;
}

static enum switch_drop judge_header(const struct port *port, uint64_t destination, uint64_t source)
{
    if (!is_source(source))
        return SWITCH_DROP_SOURCE;
    if (is_reserved(destination))
        return SWITCH_DROP_RESERVED;
    return may_send_from(port, source) ? SWITCH_NOT_DROPPED : SWITCH_DROP_SPOOFED;
}

/* --- Where it goes ------------------------------------------------------------------------- */

static void count_tx(struct ether_switch *sw, unsigned port, size_t length)
{
    struct switch_counters *counters = &sw->ports[port].counters;

    counters->tx_frames++;
    counters->tx_bytes += length;
}

static enum switch_drop to_port(struct ether_switch *sw, unsigned ingress, unsigned port,
                                size_t length, struct switch_verdict *ret)
{
    if (port == ingress)
        return SWITCH_DROP_SAME_PORT;
    if (port_set_has(&sw->isolated, port) && port_set_has(&sw->isolated, ingress))
        return SWITCH_DROP_ISOLATED;
    ret->way = SWITCH_TO_PORT;
    ret->port = port;
    count_tx(sw, port, length);
    return SWITCH_NOT_DROPPED;
}

static enum switch_drop to_all(struct ether_switch *sw, uint64_t now, unsigned ingress,
                               size_t length, struct switch_verdict *ret)
{
    struct port *port = &sw->ports[ingress];

    ret->ports = sw->attached;
    if (port_set_has(&sw->isolated, ingress))
        port_set_subtract(&ret->ports, &sw->isolated);
    port_set_remove(&ret->ports, ingress);
    if (port_set_is_empty(&ret->ports))
        return SWITCH_DROP_NOBODY;
    if (!bucket_take(&port->flood, now))
        return SWITCH_DROP_FLOOD;
    ret->way = SWITCH_TO_PORTS;
    port->counters.flooded++;
    PORT_SET_FOREACH(egress, &ret->ports)
    count_tx(sw, egress, length);
    return SWITCH_NOT_DROPPED;
}

static enum switch_drop forward(struct ether_switch *sw, uint64_t now, unsigned ingress,
                                const uint8_t *frame, size_t length, struct switch_verdict *ret)
{
    uint64_t destination, source;
    enum switch_drop reason;
    uint32_t place;

    if (length < SWITCH_HEADER_BYTES)
        return SWITCH_DROP_SHORT;
    destination = mac_read(frame);
    source = mac_read(frame + SWITCH_MAC_BYTES);
    reason = judge_header(&sw->ports[ingress], destination, source);
    if (!reason)
        reason = see_source(sw, now, ingress, source);
    if (reason)
        return reason;
    place = mac_is_group(destination) ? MAC_NONE : mac_table_find(&sw->macs, destination, now);
    if (place == MAC_NONE)
        return to_all(sw, now, ingress, length, ret);
    return to_port(sw, ingress, sw->macs.entries[place].port, length, ret);
}

void switch_forward(struct ether_switch *sw, uint64_t now, unsigned ingress, const uint8_t *frame,
                    size_t length, struct switch_verdict *ret)
{
    struct switch_counters *counters;

    ret->way = SWITCH_DROP;
    ret->reason = SWITCH_DROP_DETACHED;
    if (ingress >= sw->port_count)
        return;
    counters = &sw->ports[ingress].counters;
    counters->rx_frames++;
    counters->rx_bytes += length;
    if (port_set_has(&sw->attached, ingress))
        ret->reason = forward(sw, now, ingress, frame, length, ret);
    if (ret->reason)
        counters->drops[ret->reason]++;
}

/* --- What is known ------------------------------------------------------------------------- */

const struct switch_counters *switch_counters(const struct ether_switch *sw, unsigned port)
{
    return port < sw->port_count ? &sw->ports[port].counters : NULL;
}

const struct port_set *switch_ports(const struct ether_switch *sw)
{
    return &sw->attached;
}

static void describe(const struct ether_switch *sw, uint32_t place, struct switch_mac *ret)
{
    const struct mac_entry *entry = &sw->macs.entries[place];

    *ret = (struct switch_mac){
        .port = entry->port,
        .locked = is_locked(sw, place),
        .seen_ns = entry->seen,
    };
    mac_write(ret->mac, sw->macs.keys[place]);
}

bool switch_find(const struct ether_switch *sw, uint64_t now, const uint8_t *mac,
                 struct switch_mac *ret)
{
    uint32_t place = mac_table_find(&sw->macs, mac_read(mac), now);

    if (place == MAC_NONE)
        return false;
    describe(sw, place, ret);
    return true;
}

size_t switch_dump(const struct ether_switch *sw, uint64_t now, uint32_t *cursor,
                   struct switch_mac *ret, size_t room)
{
    uint32_t places = mac_table_places(&sw->macs), place = *cursor;
    uint32_t end = place < places && places - place > DUMP_PLACES ? place + DUMP_PLACES : places;
    size_t count = 0;

    for (; place < end && count < room; place++)
        if (mac_table_is_live(&sw->macs, place, now))
            describe(sw, place, &ret[count++]);
    *cursor = place < places ? place : SWITCH_DUMP_END;
    return count;
}
