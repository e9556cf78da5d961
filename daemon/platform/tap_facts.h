/* The seam, what the kernel tells of a tap, of the bridge that it is a port of, and of what the
 * host knows there: for those who look after it.
 *
 * It only reads, needs no privileges and waits for nobody. Functions return 0 or a negative errno;
 * what they fill in is whole, or all zero. */
#ifndef NB_PLATFORM_TAP_FACTS_H
#define NB_PLATFORM_TAP_FACTS_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* As the host's end counts: it receives what the program writes to the descriptor, and sends what
 * that reads. A frame is counted as sent when it is read, and as dropped when no more can wait. */
struct tap_counters {
    uint64_t rx_frames, rx_bytes, rx_dropped;
    uint64_t tx_frames, tx_bytes, tx_dropped;
};

enum facts_kind { FACTS_OTHER, FACTS_TAP, FACTS_BRIDGE };

/* Of any interface. */
struct tap_facts {
    char name[INTERFACE_NAME_MAX + 1];
    enum facts_kind kind;
    bool up;         /* administratively */
    bool carrier;    /* of a tap: somebody has attached it */
    unsigned mtu;    /* bytes */
    unsigned master; /* index of the bridge that it is a port of; 0: none */
    struct tap_counters counters;

    /* Of a tap. */
    bool offload;    /* IFF_VNET_HDR */
    bool persistent; /* as it is now: its holder may change that */

    /* Of a port of a bridge. */
    bool forwards; /* STP lets frames pass */
    bool isolated;

    /* Of a bridge. */
    bool stp;          /* a new port forwards nothing for twice its forward delay */
    unsigned delay_ms; /* that delay */
};

int tap_facts_read(unsigned ifindex, struct tap_facts *ret);

/* The same of the counters alone. */
int tap_facts_count(unsigned ifindex, struct tap_counters *ret);

enum { FACTS_ADDRESSES_MAX = 64 };

struct tap_addresses {
    unsigned count;
    struct host_address list[FACTS_ADDRESSES_MAX]; /* with more, only the first */
};

/* The host's addresses on the interface. */
int tap_facts_addresses(unsigned ifindex, struct tap_addresses *ret);

/* Whom the host has asked for on the interface by ARP or neighbour discovery (RFC 826, RFC 4861).
 */
struct tap_neighbours {
    unsigned known;      /* that have an Ethernet address */
    unsigned unanswered; /* that were asked for, and did not answer */
    struct address one;  /* of those who did not */
};

int tap_facts_neighbours(unsigned ifindex, struct tap_neighbours *ret);

#endif
