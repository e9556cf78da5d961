/* A learning Ethernet switch that joins the clients of one link. It is told of each frame that
 * comes in, and says where the frame goes; whoever has the ports reads and writes the frames.
 *
 * It makes no system call and allocates nothing: its memory and the time come from the caller.
 * Times are nanoseconds of a clock that does not go back (CLOCK_MONOTONIC); one reading serves for
 * all frames of a batch. A frame costs bounded work whatever was sent before. Nothing here is safe
 * against use by two threads at once.
 *
 * What clients can do to each other is bounded a port. A port that floods the table with MACs loses
 * only its own; what it floods, and the MACs that it takes from other ports, have a rate; a port
 * may be confined to its own MACs, may keep them from others, and may be isolated from others of
 * its kind.
 *
 * Tags of VLANs are not looked at: a MAC is at one port, whatever the tag. */
#ifndef NB_SWITCH_H
#define NB_SWITCH_H

#include "bucket.h"
#include "port_set.h"

#include <stddef.h>

enum {
    SWITCH_MAC_BYTES = 6,
    SWITCH_HEADER_BYTES = 14, /* two MACs and a type; a frame has no less */
    SWITCH_MACS_MAX = 1 << 20,
    SWITCH_ALLOWED_MAX = 8,
};

#define SWITCH_AGE_NS (UINT64_C(300) * 1000000000) /* five minutes, as IEEE 802.1D recommends */

/* Why a frame goes nowhere, in the order in which it is judged. Up to MOVES it teaches nothing.
 * D(name, word, what the count means) */
#define SWITCH_DROPS(D)                                                                            \
    D(DETACHED, "detached", "its port is not attached")                                            \
    D(SHORT, "short", "less than an Ethernet header")                                              \
    D(SOURCE, "source", "its source is a group, or zero")                                          \
    D(RESERVED, "reserved", "to 01:80:c2:00:00:0X, which switches do not forward")                 \
    D(SPOOFED, "spoofed", "its source is not among the MACs that its port may use")                \
    D(LOCKED, "locked", "its source belongs to a locked port")                                     \
    D(LIMIT, "limit", "its port is locked and has as many MACs as it may")                         \
    D(MOVES, "moves", "its port takes MACs from other ports too often")                            \
    D(SAME_PORT, "same-port", "its destination is at the port where it came from")                 \
    D(ISOLATED, "isolated", "its destination is isolated, as its port is")                         \
    D(NOBODY, "nobody", "there is no other port that it may reach")                                \
    D(FLOOD, "flood", "its port sends too much that goes to all ports")

enum switch_drop {
    SWITCH_NOT_DROPPED,
#define D(name, word, meaning) SWITCH_DROP_##name,
    SWITCH_DROPS(D)
#undef D
        SWITCH_DROP_COUNT
};

/* The word of a reason, for lists and metrics, and what its count means. */
const char *switch_drop_word(enum switch_drop reason);
const char *switch_drop_meaning(enum switch_drop reason);

struct switch_config {
    unsigned ports;   /* 1 to SWITCH_PORTS_MAX */
    uint32_t macs;    /* of all ports together; `ports` to SWITCH_MACS_MAX */
    uint64_t age_ns;  /* a MAC that is silent for longer is unknown; 0: SWITCH_AGE_NS */
    uint64_t seed[2]; /* random: who knows it can keep MACs of others from being learned */
};

struct switch_port {
    /* Reaches only ports that are not isolated. */
    bool isolated;
    /* The MACs that it has used stay its own until it is detached: they do not age, no other port
     * gets them, and behind the limit it gets no further ones. Lock what others must not take from
     * (a router, the host) before what you do not trust; with `allowed`, it has those from the
     * start, also where another port had learned them. */
    bool locked;
    /* The most MACs that it has at a time; the longest silent one makes room for a new one.
     * 0: its share, as much as each port can have. */
    uint32_t macs;
    /* The only MACs that it may send from; none: any. */
    unsigned allowed_count;
    uint8_t allowed[SWITCH_ALLOWED_MAX][SWITCH_MAC_BYTES];
    /* Of its frames that go to all ports: broadcast, multicast, and to MACs that are unknown. */
    struct switch_rate flood;
    /* Of its taking MACs from other ports. A loop or a thief moves them with each frame, and one
     * that is carried from port to port does it once. */
    struct switch_rate moves;
};

/* What was counted since the port was attached. tx is what was forwarded to the port; whether its
 * client took it, the caller knows. */
struct switch_counters {
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes; /* rx: also what was dropped */
    uint64_t flooded;                                  /* of rx: went to all ports */
    uint64_t learned, moved;                           /* new MACs; taken from other ports */
    uint64_t replaced;                                 /* MACs in use that the limit made forget */
    uint64_t no_place; /* not learned: the sets of the table that the MAC belongs to were full */
    uint64_t drops[SWITCH_DROP_COUNT];
};

/* Where a frame goes. */
enum switch_way { SWITCH_DROP, SWITCH_TO_PORT, SWITCH_TO_PORTS };

struct switch_verdict {
    enum switch_way way;
    enum switch_drop reason; /* of SWITCH_DROP */
    unsigned port;           /* of SWITCH_TO_PORT */
    struct port_set ports;   /* of SWITCH_TO_PORTS: never empty, never the frame's own */
};

struct switch_mac {
    uint8_t mac[SWITCH_MAC_BYTES];
    unsigned port;
    bool locked;
    uint64_t seen_ns; /* when, by the caller's clock */
};

struct ether_switch;

/* How much memory a switch needs; 0: there is none of this size. */
size_t switch_bytes(unsigned ports, uint32_t macs);

/* Makes a switch without ports in the memory, which must be aligned as malloc(3) aligns and stays
 * the caller's; there is nothing to end. NULL: too few bytes, or a number out of its range. */
struct ether_switch *switch_init(void *memory, size_t bytes, const struct switch_config *config);

/* Attaches a port. False: there is no such port, it is attached, `allowed` has what is no source,
 * or more than the limit of a locked port, or the limits of all ports would be more than the
 * switch's MACs. Nothing has changed then. */
bool switch_attach(struct ether_switch *sw, uint64_t now, unsigned port,
                   const struct switch_port *config);

/* Detaches a port, if it is attached, and forgets its MACs: constant work. */
void switch_detach(struct ether_switch *sw, unsigned port);

/* Learns from a frame and says where it goes. The caller has read all `length` bytes of the frame;
 * only the header is looked at. */
void switch_forward(struct ether_switch *sw, uint64_t now, unsigned ingress, const uint8_t *frame,
                    size_t length, struct switch_verdict *ret);

/* The counters of a port, also of one that was detached; NULL: there is no such port. */
const struct switch_counters *switch_counters(const struct ether_switch *sw, unsigned port);

/* The ports that are attached. */
const struct port_set *switch_ports(const struct ether_switch *sw);

/* What is known of a MAC; false: nothing. */
bool switch_find(const struct ether_switch *sw, uint64_t now, const uint8_t *mac,
                 struct switch_mac *ret);

/* Writes the next MACs that are known to ret, at most `room`, and says how many; each call looks at
 * a bounded part of the table. A cursor begins as 0 and is SWITCH_DUMP_END when all were told. Each
 * MAC that stays at its port meanwhile is told once. */
#define SWITCH_DUMP_END UINT32_MAX
size_t switch_dump(const struct ether_switch *sw, uint64_t now, uint32_t *cursor,
                   struct switch_mac *ret, size_t room);

#endif
