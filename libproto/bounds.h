/* The limits of the protocol, each with its reason. Both sides include this file. */
#ifndef NB_BOUNDS_H
#define NB_BOUNDS_H

enum {
    /* A parsed request costs up to 40 times its size in heap, so the bytes are capped first. */
    REQUEST_MAX = 16 * 1024,
    /* The table's deepest request has four levels; a client's `id` may bring a few of its own. */
    DEPTH_MAX = 8,
    /* Keys are compared pairwise to refuse duplicates: 64 keys are 2,016 comparisons at most. */
    MEMBERS_MAX = 64,
    /* MAXVIFS of linux/mroute.h and MAXMIFS of linux/mroute6.h. */
    VIFS_MAX = 32,
    /* IFNAMSIZ - 1: what the kernel keeps of a name. */
    INTERFACE_NAME_MAX = 15,
    /* ETH_ALEN of linux/if_ether.h. */
    MAC_BYTES = 6,
    /* The host's own addresses on one link: one of each family, and some to move from. */
    TAP_HOSTS_MAX = 8,
    /* Networks behind a link: a route is a message to the kernel, of which the keeper awaits each.
     */
    TAP_ROUTES_MAX = 8,
    /* A queue is a descriptor, which a reply has to carry; more than a guest has processors help
     * nobody. The kernel allows 256 (MAX_TAP_QUEUES of drivers/net/tun.c). */
    TAP_QUEUES_MAX = 8,
    /* Every IPv4 host takes packets of 576 bytes (RFC 1122, 3.3.3); 65521 is what the kernel's tun
     * driver takes: 65535 without an Ethernet header (MAX_MTU of drivers/net/tun.c). */
    TAP_MTU_LEAST = 576,
    TAP_MTU_MAX = 65521,
    TAP_MTU_DEFAULT = 1500,
    /* Ports of a relay, whose numbers a set of 256 bits holds; the first is the tap's. */
    LINK_PORT_MAX = 255,
    /* Clients of one tap's relay that the service keeps in mind: some 20 KiB a tap. */
    LINK_TOLD_MAX = 32,
    /* A path of a Unix socket (108 bytes of sun_path), or an address with its port. */
    LABEL_LENGTH_MAX = 127,
    FRAMING_LENGTH_MAX = 15,
    /* EtherTypes that a capture names; less than TYPE_LEAST is a length (IEEE 802.3, 3.2.6). */
    ETHERTYPES_MAX = 16,
    ETHERTYPE_LEAST = 0x0600,
    /* Instructions of a filter: tcpdump's longest expressions in use are some 100. */
    PROGRAM_MAX = 256,
    /* Bytes of a frame: libpcap's MAXIMUM_SNAPLEN. */
    SNAPLEN_MAX = 262144,
    SNAPLEN_LEAST = 14,
    /* Bytes of a capture's ring: a frame of 64 KiB fits several times. By default some 10,000 long
     * frames: what comes in 30 ms, for which a reader may have to wait for a processor where others
     * want it (docs/capture-bench.md). */
    CAPTURE_BYTES_LEAST = 1 << 18,
    CAPTURE_BYTES_MAX = 1 << 26,
    CAPTURE_BYTES_DEFAULT = 1 << 24,
    /* Milliseconds for which the kernel may collect frames before it tells of them. */
    LATENCY_MAX = 1000,
    LATENCY_DEFAULT = 20,
    /* Bytes of an injector's ring: a frame of 64 KiB fits twice. */
    INJECT_BYTES_LEAST = 1 << 18,
    INJECT_BYTES_MAX = 1 << 24,
    INJECT_BYTES_DEFAULT = 1 << 20,
    /* Frames a second: 100 Gbit/s have 148,809,523. */
    INJECT_RATE_MAX = 150000000,
    /* us that a frame with a time may be late, and is sent all the same: a period of most that are
     * sent at fixed times is less. */
    INJECT_LATE_MAX = 1000000,
    INJECT_LATE_DEFAULT = 1000,
    /* Bytes of samples of a stream whose frames the service makes: of 64 bytes each, ten periods of
     * 96 samples, and up to 54 s of 4800 a second. */
    INJECT_TABLES_LEAST = 1 << 16,
    INJECT_TABLES_MAX = 1 << 24,
    INJECT_TABLES_DEFAULT = 1 << 20,
    /* Items of a list of addresses or VLANs: as many as a rule of the policy has. */
    SCOPE_LIST_MAX = 32,
    /* Groups that a question about a user may name. */
    USER_GROUPS_MAX = 64,
    /* Patterns one subscription may name. */
    TOPICS_MAX = 16,
    TOPIC_LENGTH_MAX = 47,
    /* The longest fixed word (an action's or a family's name) that a field can hold. */
    WORD_LENGTH_MAX = 31,
    /* "pimreg%u" must fit an interface name, so the kernel refuses 1,000,000,000 and more. */
    TABLE_ID_MAX = 999999999,
    /* How long a flow that a range matched may be silent, where a route does not say. */
    IDLE_SECONDS_DEFAULT = 60,
    OBSERVE_MS_DEFAULT = 1000, /* how long the doctor counts a flow's packets */
    OBSERVE_MS_MAX = 5000,
    IDLE_SECONDS_MAX = 86400,
    /* The tables that multicast routing uses when none is named: RT_TABLE_DEFAULT of
     * linux/rtnetlink.h, and RT6_TABLE_DFLT of the kernel's net/ip6_fib.h. */
    TABLE_ID_DEFAULT_IPV4 = 253,
    TABLE_ID_DEFAULT_IPV6 = 254,
};

#endif
