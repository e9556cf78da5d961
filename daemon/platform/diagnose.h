/* The seam, diagnosis: what a kernel does with multicast packets before, beside and after its
 * forwarding table, so that somebody can be told why they are not forwarded.
 *
 * It only reads, needs no privileges and waits for nobody. Functions return 0 or a negative errno;
 * what they fill in is whole, or all zero. */
#ifndef NB_PLATFORM_DIAGNOSE_H
#define NB_PLATFORM_DIAGNOSE_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* The rule by which packets are dropped for their source address; the greater of an interface's
 * own and of all interfaces' is in force (rp_filter in Documentation/networking/ip-sysctl.rst of
 * the kernel, RFC 3704). IPv6 has none. */
enum source_filter {
    SOURCE_FILTER_OFF,
    SOURCE_FILTER_STRICT, /* the way back to the source must lead out by the same interface */
    SOURCE_FILTER_LOOSE,  /* there must be a way back */
};

struct input_facts {
    bool routes_multicast;     /* packets from here are shown to multicast routing */
    bool all_routes_multicast; /* IPv6: that from any interface with a VIF are */
    bool has_address;          /* without one the loose filter is as strict as the strict one */
    enum source_filter own_filter, all_filter;
};

int diagnose_input(uint8_t family, unsigned ifindex, struct input_facts *ret);

enum netif_kind { NETIF_OTHER, NETIF_BRIDGE, NETIF_AGGREGATE /* a bond or team */ };

struct netif_facts {
    enum netif_kind kind;
    bool snooping, querier; /* bridges: it learns who joined; it asks for that itself */
    unsigned mtu;
    bool counts;   /* what it has sent is known */
    uint64_t sent; /* packets; some network cards tell a second late */
};

int diagnose_netif(unsigned ifindex, struct netif_facts *ret);

/* Opens the kernel's counters of a family's packets, for the network namespace of now. To be called
 * before the process gives up its paths. Returns a descriptor. */
int diagnose_counters_open(uint8_t family);

/* How many multicast packets were sent so far, of this host or forwarded, behind all hooks of a
 * firewall. fd: of the above. */
int diagnose_multicast_sent(uint8_t family, int fd, uint64_t *ret);

enum { RETURN_NETIFS_MAX = 8 };

/* By which interfaces packets to the source would leave: none where there is no route. */
struct return_path {
    bool local; /* the address is this host's own */
    unsigned count;
    unsigned netifs[RETURN_NETIFS_MAX]; /* interface indexes; with more, only the first */
};

int diagnose_return_path(const struct address *source, struct return_path *ret);

enum { CHOSEN_TABLES_MAX = 16 };

/* The multicast routing tables that are asked for a packet, in this order, until there is one. */
struct chosen_tables {
    unsigned count;
    uint32_t tables[CHOSEN_TABLES_MAX];
};

/* iif: the interface that packets come in by, or NULL for the rules that hold for all. */
int diagnose_tables(uint8_t family, const char *iif, struct chosen_tables *ret);

#endif
