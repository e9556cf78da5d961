/* The state that the files of this folder share. */
#ifndef NB_FAKE_KERNEL_H
#define NB_FAKE_KERNEL_H

#include "fake.h"
#include "platform/joins.h"
#include "platform/netifs.h"
#include "platform/packets.h"
#include "platform/tap_facts.h"
#include "platform/taps.h"

enum {
    FAKE_NETIFS_MAX = 2048,
    FAKE_TAPS_MAX = 1536,
    FAKE_HOSTS_MAX = 16,
    FAKE_EVENT_MAX = 4096,
    FAKE_TABLES_MAX = 32,
    FAKE_RULES_MAX = 1024,
    FAKE_MEMBERSHIPS_MAX = 16384,
    FAKE_CHANGES_MAX = 4096,
    FAKE_UNRESOLVED_MAX = 4096, /* of a table; then packets are dropped without a word */
};

struct fake_netif_event {
    bool gone;
    struct netif netif;
};

struct fake_entry {
    struct mfc_entry entry;
    struct mfc_counters counters;
    bool foreign;
};

/* A flow whose packets wait for a route. */
struct fake_flow {
    struct address source, group;
};

struct fake_table {
    int peer; /* the kernel's end of the owner's socket; -1: no table */
    uint8_t family;
    uint32_t table;
    unsigned vifs[VIFS_MAX]; /* interface indexes; 0: free */
    unsigned had[VIFS_MAX];  /* the last ones */
    struct fake_entry *entries;
    size_t count, capacity;
    struct fake_flow *unresolved;
    size_t unresolved_count;
    int renewal; /* what mroute_socket_renew finds */
};

struct fake_rule {
    struct mroute_rule rule;
    bool ours;
};

struct fake_membership {
    uint64_t socket;
    struct membership_key key;
    bool first; /* of its group on its socket */
    bool live;  /* its interface is there */
};

struct fake_host {
    char name[INTERFACE_NAME_MAX + 1];
    struct prefix network;
};

struct fake_tap {
    struct tap_config config;
    unsigned ifindex;
    int peer; /* the kernel's end of the holder's descriptor; -1: a persistent one without any */
    int queues[TAP_QUEUES_MAX - 1]; /* the same of its other queues */
    unsigned queue_count;
    struct tap_counters counters;
};

struct fake {
    struct netif netifs[FAKE_NETIFS_MAX];
    size_t netif_count;
    unsigned last_ifindex;
    struct fake_netif_event event[FAKE_EVENT_MAX];
    size_t event_count;
    int netifs_peer;  /* the kernel's end of the socket that tells of interfaces; -1: not open */
    int changes_peer; /* the same of changes to the tables */
    struct mroute_change changes[FAKE_CHANGES_MAX];
    size_t change_count;
    bool overrun, changes_lost; /* what was told of interfaces, and of changes */

    struct fake_table tables[FAKE_TABLES_MAX];
    struct fake_rule rules[FAKE_RULES_MAX];
    size_t rule_count;
    struct fake_membership memberships[FAKE_MEMBERSHIPS_MAX];
    size_t membership_count;
    struct fake_tap taps[FAKE_TAPS_MAX];
    size_t tap_count;
    unsigned left;       /* memberships of live interfaces that were left */
    unsigned nodes_late; /* openings of macvtaps that find the device node not accessible */
    struct fake_host hosts[FAKE_HOSTS_MAX]; /* addresses of the host on other interfaces */
    size_t host_count;
    struct fake_host routes[FAKE_HOSTS_MAX]; /* of the main table */
    size_t route_count;
    int packets_peer;       /* the kernel's end of the last one that was opened; 0: none */
    uint64_t iface_dropped; /* by interfaces, of frames */
    struct packets_config packets;
    int injection_peer; /* the same of frames that are sent */
    unsigned writes, fail_in, strangers;
    int fail_result;
    bool used; /* false: never reset, all zero */
};

struct fake *fake_kernel(void);

/* What the tables lose with an interface. */
void fake_tables_lose_netif(unsigned ifindex);
void fake_tables_reset(void);

void fake_tell_change(const struct mroute_change *change);
void fake_mark_foreign(const struct mroute_socket *socket, const struct mfc_entry *entry);

void fake_taps_reset(void);
void fake_memberships_lose_netif(unsigned ifindex);

/* Counts a write that may be refused; a negative errno when it is the one to fail. */
int fake_begin_addition(void);
bool fake_netif_exists(unsigned ifindex);

/* A pair of connected, non-blocking sockets; the kernel keeps ret[0]. 0 or a negative errno. */
int fake_pair(int ret[2]);

#endif
