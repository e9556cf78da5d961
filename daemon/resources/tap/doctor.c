#include "doctor.h"

#include "doctor_findings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- Findings ------------------------------------------------------------------------------ */

static const struct {
    const char *check;
    enum verdict verdict;
    const char *texts[2]; /* message and hint; see TAP_FINDINGS */
} rows[] = {
#define F(name, check, verdict, ...) {check, VERDICT_##verdict, {__VA_ARGS__}},
    TAP_FINDINGS(F)
#undef F
};

/* What the doctor does not have already. */
struct values {
    enum tap_finding finding;
    const char *other;
    uint64_t numbers[2]; /* {1} and {2} */
};

static void add(struct tap_doctor *doctor, const struct values *values)
{
    struct finding *finding = findings_add(&doctor->findings);
    char numbers[2][24];
    const struct meaning words[] = {
        {"name", doctor->config.name},
        {"bridge", doctor->config.bridge},
        {"other", values->other},
        {"1", numbers[0]},
        {"2", numbers[1]},
        {NULL, NULL},
    };

    if (!finding)
        return;
    for (unsigned i = 0; i < 2; i++)
        snprintf(numbers[i], sizeof numbers[i], "%" PRIu64, values->numbers[i]);
    finding->check = rows[values->finding].check;
    finding->verdict = rows[values->finding].verdict;
    finding_expand(rows[values->finding].texts[0], words, finding->message,
                   sizeof finding->message);
    finding_expand(rows[values->finding].texts[1], words, finding->hint, sizeof finding->hint);
}

/* found(doctor, DOWN): a finding of this name, with values. */
#define found(doctor, ...) add(doctor, &(struct values){.finding = TAP_FINDING_##__VA_ARGS__})

static bool has(const struct tap_doctor *doctor, enum tap_flags flag)
{
    return (doctor->config.flags & flag) != 0;
}

/* --- What the relay says, and the drops ------------------------------------------------------ */

static void check_relay(struct tap_doctor *doctor)
{
    doctor->next = NULL;
    if (doctor->losing > 0)
        found(doctor, CLIENT_STALLED, .other = doctor->loser,
              .numbers = {doctor->lost, doctor->losing});
    else if (doctor->clients > 0)
        found(doctor, CLIENTS, .numbers = {doctor->clients});
}

static void check_counters(struct tap_doctor *doctor)
{
    const struct tap_counters *counters = &doctor->tap.counters;

    doctor->next = check_relay;
    if (counters->tx_frames > 0 && counters->rx_frames == 0)
        found(doctor, NOTHING_RECEIVED, .numbers = {counters->tx_frames});
    else
        found(doctor, FRAMES, .numbers = {counters->rx_frames, counters->tx_frames});
    if (counters->tx_dropped > 0)
        found(doctor, TX_DROPPED, .numbers = {counters->tx_dropped, counters->tx_frames});
    if (counters->rx_dropped > 0)
        found(doctor, RX_DROPPED, .numbers = {counters->rx_dropped, counters->rx_frames});
}

/* --- The host's end ------------------------------------------------------------------------ */

static void check_neighbours(struct tap_doctor *doctor)
{
    struct tap_neighbours neighbours;
    char text[ADDRESS_TEXT_MAX];

    doctor->next = check_counters;
    if (tap_facts_neighbours(doctor->ifindex, &neighbours) < 0)
        return;
    if (neighbours.unanswered > 0)
        found(doctor, NO_ANSWER, .other = address_format(&neighbours.one, text),
              .numbers = {neighbours.unanswered, neighbours.known});
    else if (neighbours.known > 0)
        found(doctor, NEIGHBOURS, .numbers = {neighbours.known});
}

static bool has_host(const struct tap_addresses *addresses, const struct host_address *host)
{
    for (unsigned i = 0; i < addresses->count; i++)
        if (address_equal(&addresses->list[i].address, &host->address) &&
            addresses->list[i].length == host->length)
            return true;
    return false;
}

/* Of those that reach beyond the link: every interface with IPv6 has one that does not (RFC 4291,
 * 2.5.6). */
static unsigned count_wide(const struct tap_addresses *addresses)
{
    unsigned count = 0;

    for (unsigned i = 0; i < addresses->count; i++) {
        const struct address *address = &addresses->list[i].address;

        count += address->family == FAMILY_IPV4 || address->bytes[0] != 0xfe ||
                 (address->bytes[1] & 0xc0) != 0x80;
    }
    return count;
}

static void check_addresses(struct tap_doctor *doctor)
{
    const struct tap_config *config = &doctor->config;
    struct tap_addresses addresses;
    unsigned missing = 0;
    char text[PREFIX_TEXT_MAX];

    doctor->next = check_neighbours;
    if (tap_facts_addresses(doctor->ifindex, &addresses) < 0)
        return;
    for (uint32_t i = 0; i < config->host_count; i++)
        if (!has_host(&addresses, &config->hosts[i])) {
            found(doctor, ADDRESS_MISSING, .other = host_address_format(&config->hosts[i], text));
            missing++;
        }
    if (config->host_count > 0 && missing == 0)
        found(doctor, ADDRESSES, .numbers = {config->host_count});
    if (count_wide(&addresses) == 0 && config->host_count == 0 && !doctor->tap.master)
        found(doctor, NO_ADDRESS);
}

/* --- The bridge ---------------------------------------------------------------------------- */

static void judge_isolation(struct tap_doctor *doctor)
{
    if (has(doctor, TAP_ISOLATED) && !doctor->tap.isolated)
        found(doctor, ISOLATION_LOST);
    if (!doctor->tap.isolated)
        return;
    if (doctor->ports > 0 && doctor->isolated == doctor->ports)
        found(doctor, ISOLATED_FROM_ALL);
    else
        found(doctor, ISOLATED, .numbers = {doctor->isolated});
}

static void judge_uplink(struct tap_doctor *doctor)
{
    struct tap_addresses addresses;

    if (doctor->uplinks > 0)
        found(doctor, UPLINK, .numbers = {doctor->uplinks});
    else if (tap_facts_addresses(doctor->tap.master, &addresses) == 0 && count_wide(&addresses) > 0)
        found(doctor, HOST_ONLY);
    else
        found(doctor, NO_UPLINK);
}

static void judge_ports(struct tap_doctor *doctor)
{
    doctor->next = check_addresses;
    if (doctor->ports > 0)
        found(doctor, BRIDGE, .numbers = {doctor->ports});
    else
        found(doctor, ALONE);
    judge_isolation(doctor);
    judge_uplink(doctor);
    if (doctor->other_offload > 0)
        found(doctor, MIXED_OFFLOAD, .other = doctor->tap.offload ? "on" : "off",
              .numbers = {doctor->other_offload});
}

/* The port of the bridge with the least index behind the last one that was looked at. */
static unsigned next_port(const struct tap_doctor *doctor)
{
    const struct netif *netif = NULL;
    unsigned best = 0;

    while ((netif = netifs_next(doctor->netifs, netif)))
        if (netif->master == doctor->tap.master && netif->ifindex > doctor->place &&
            netif->ifindex != doctor->ifindex && (best == 0 || netif->ifindex < best))
            best = netif->ifindex;
    return best;
}

static const char *name_port(const struct tap_doctor *doctor, const struct tap_facts *port)
{
    struct target target = {0};

    target_add_interface(&target, port->name);
    return reader_may_read(&doctor->reader, tap_ops.read_verb, &target) ? port->name
                                                                        : "another port";
}

static void compare_port(struct tap_doctor *doctor, const struct tap_facts *port)
{
    doctor->ports++;
    doctor->isolated += port->isolated;
    doctor->uplinks += port->kind != FACTS_TAP;
    doctor->other_offload += port->kind == FACTS_TAP && port->offload != doctor->tap.offload;
    if (port->mtu == doctor->tap.mtu || doctor->mtu_told)
        return;
    doctor->mtu_told = true; /* of the first one: they are as many as there are ports */
    found(doctor, MTU_OF_PORT, .other = name_port(doctor, port),
          .numbers = {doctor->tap.mtu, port->mtu});
}

static void check_port(struct tap_doctor *doctor)
{
    struct tap_facts port;

    doctor->place = next_port(doctor);
    if (doctor->place == 0)
        doctor->next = judge_ports;
    else if (tap_facts_read(doctor->place, &port) == 0 && port.master == doctor->tap.master)
        compare_port(doctor, &port);
}

static void judge_stp(struct tap_doctor *doctor)
{
    uint64_t seconds = 2 * (uint64_t)doctor->bridge.delay_ms / 1000;

    if (doctor->bridge.stp && !doctor->tap.forwards)
        found(doctor, STP_WAITS, .numbers = {seconds});
    else if (doctor->bridge.stp)
        found(doctor, STP, .numbers = {seconds});
    else if (!doctor->tap.forwards && doctor->tap.up && doctor->tap.carrier && doctor->bridge.up)
        found(doctor, PORT_BLOCKED);
}

static bool has_bridge(const struct tap_doctor *doctor)
{
    return netifs_find(doctor->netifs, doctor->config.bridge) != NULL;
}

static void check_bridge(struct tap_doctor *doctor)
{
    doctor->next = check_addresses;
    if (!doctor->tap.master) {
        if (has_bridge(doctor))
            found(doctor, NOT_A_PORT);
        return;
    }
    if (tap_facts_read(doctor->tap.master, &doctor->bridge) < 0 ||
        doctor->bridge.kind != FACTS_BRIDGE)
        return;
    memcpy(doctor->config.bridge, doctor->bridge.name, sizeof doctor->config.bridge);
    if (!doctor->bridge.up)
        found(doctor, BRIDGE_DOWN);
    judge_stp(doctor);
    doctor->next = check_port;
}

/* --- The tap itself ------------------------------------------------------------------------ */

static void judge_carrier(struct tap_doctor *doctor)
{
    if (!doctor->tap.up)
        found(doctor, DOWN); /* then the carrier says nothing */
    else if (doctor->config.uplink[0] && doctor->tap.carrier)
        found(doctor, ON_UPLINK, .other = doctor->config.uplink);
    else if (doctor->config.uplink[0])
        found(doctor, UPLINK_DOWN, .other = doctor->config.uplink);
    else if (doctor->tap.carrier)
        found(doctor, CARRIER);
    else if (has(doctor, TAP_PERSISTENT))
        found(doctor, NOT_ATTACHED, .numbers = {doctor->uid});
    else
        found(doctor, NO_CARRIER);
}

static void check_tap(struct tap_doctor *doctor)
{
    doctor->next = NULL;
    if (doctor->state == TAP_OPENING)
        found(doctor, OPENING);
    else if (doctor->config.bridge[0] && !has_bridge(doctor))
        found(doctor, WAITS_FOR_BRIDGE);
    else if (!doctor->ifindex)
        found(doctor, NOT_MADE);
    if (!doctor->ifindex)
        return;
    if (tap_facts_read(doctor->ifindex, &doctor->tap) < 0) {
        found(doctor, GONE);
        return;
    }
    found(doctor, STATE, .numbers = {doctor->tap.mtu});
    if (strcmp(doctor->tap.name, doctor->config.name) != 0)
        found(doctor, RENAMED, .other = doctor->tap.name);
    judge_carrier(doctor);
    if (doctor->tap.mtu != doctor->config.mtu)
        found(doctor, MTU_CHANGED, .numbers = {doctor->tap.mtu, doctor->config.mtu});
    doctor->next = doctor->config.uplink[0] ? check_counters : check_bridge;
}

/* --- A question ---------------------------------------------------------------------------- */

static void note_relay(struct tap_doctor *doctor, const struct tap *tap)
{
    const struct told *told;

    doctor->clients = tap->relay.count;
    LIST_FOREACH (told, &tap->relay.list, in_tap) {
        doctor->losing += told->said.tx_dropped > 0;
        if (told->said.tx_dropped <= doctor->lost)
            continue;
        doctor->lost = told->said.tx_dropped;
        snprintf(doctor->loser, sizeof doctor->loser, "#%u %s", told->said.port,
                 told->said.name.text);
    }
}

void tap_doctor_begin(struct tap_doctor *doctor, const struct tap *tap, const struct reader *reader)
{
    memset(doctor, 0, sizeof *doctor);
    doctor->netifs = tap->taps->host.netifs;
    doctor->reader = *reader;
    doctor->config = tap->config;
    doctor->state = tap->state;
    doctor->ifindex = tap->ifindex;
    doctor->uid = tap->config.owner;
    doctor->next = check_tap;
    note_relay(doctor, tap);
}

bool tap_doctor_go_on(struct tap_doctor *doctor)
{
    if (doctor->next)
        doctor->next(doctor);
    return doctor->next != NULL;
}
