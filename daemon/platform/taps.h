/* The seam, taps: Ethernet interfaces whose cable end is a descriptor. What the host sends on one
 * is read from the descriptor, a frame a read, and what is written to it the host receives.
 *
 * A tap that is not persistent ends with the last copy of its descriptor. Its end takes the kernel
 * tens of milliseconds, in whichever process closes or deletes it. Functions return 0 or a negative
 * errno, unless they say something else. */
#ifndef NB_PLATFORM_TAPS_H
#define NB_PLATFORM_TAPS_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* The first byte of a port of a bridge: a bridge takes the lowest address of its ports for its
     * own (br_stp_recalculate_bridge_id of net/bridge/br_stp_if.c), and no port of ours is that. */
    TAP_PORT_MAC_FIRST = 0xfe,
};

enum tap_flags {
    TAP_OFFLOAD = 1,    /* a struct virtio_net_hdr is before each frame */
    TAP_ISOLATED = 2,   /* from other isolated ports of its bridge, or all others on its uplink */
    TAP_QUIET = 4,      /* the host has no IPv6 on it, as where no host address is of IPv6 */
    TAP_PERSISTENT = 8, /* it stays without a descriptor, and its owner opens it by name */
    TAP_FLAGS_ALL = 15,
};

struct tap_config {
    char name[INTERFACE_NAME_MAX + 1];   /* that nothing has yet */
    char bridge[INTERFACE_NAME_MAX + 1]; /* whose port it becomes; "": none's */
    char uplink[INTERFACE_NAME_MAX + 1]; /* a macvtap on this interface; "": it is a tap */
    uint8_t mac[MAC_BYTES];              /* of the host's end; of a bridge's port, as above */
    uint32_t mtu;                        /* TAP_MTU_LEAST to TAP_MTU_MAX */
    uint32_t flags;                      /* of enum tap_flags */
    uint32_t owner;                      /* the uid that may attach it by name, and no other */
    uint32_t queues;                     /* 1 to TAP_QUEUES_MAX; see taps_open_queue */
    uint32_t host_count;                 /* 0 of a bridge's port */
    struct host_address hosts[TAP_HOSTS_MAX];
    uint32_t route_count;                 /* 0 where the host has no address of the family */
    struct prefix routes[TAP_ROUTES_MAX]; /* what the host sends there besides */
};

/* Makes a tap that is up and carries frames already. Returns its descriptor, which does not block;
 * that of a persistent one may be closed. A failure leaves nothing. -EBUSY: there is an interface
 * of this name; -ENODEV: there is no such bridge. */
int taps_open(const struct tap_config *config);

/* Opens another queue of a tap that taps_open made, for several: its descriptor is one more of the
 * tap's. Frames to it are shared out between its queues by flows, and the tap ends with the last of
 * all. Returns the descriptor or a negative errno; -EINVAL: it is made for one. */
int taps_open_queue(const struct tap_config *config);

/* Makes a macvtap on config->uplink that is up and carries frames already, with neither bridge nor
 * hosts nor routes, of one queue, and not persistent. It does not end with its descriptor, which
 * does not block: taps_delete ends it, or the end of its uplink. What is sent on the uplink to its
 * address is read, and what is written leaves there; the host sees none of it.
 *
 * -EINPROGRESS: it is made, and its device node is not yet the service's: udev(7) gives it. Then
 * this is called again, with `again`, which takes what was made before. Another failure leaves
 * nothing, if it was not called again. -EBUSY: there is an interface of this name; -ENODEV: no such
 * uplink; -EMLINK: the uplink is a port of a bridge or the like; -EMSGSIZE: the MTU is more than
 * the uplink's; -EADDRINUSE: there is a station of this address; -EPROTOTYPE: the uplink is no
 * Ethernet interface; -EXDEV: the device node is missing, or another interface's. */
int taps_open_on_uplink(const struct tap_config *config, bool again);

/* The index of the interface of that name; 0: there is none. Returns at once. */
unsigned taps_find(const char *name);

/* The same by a socket of taps_open_socket (or a negative errno), for who asks often: to make one
 * takes the kernel longer than to answer. */
int taps_open_socket(void);
unsigned taps_find_by(int socket, const char *name);

/* Whether an interface of this index is in the network namespace of this process. Returns at once.
 */
bool taps_is_here(unsigned ifindex);

/* Whether the interface of this descriptor is gone: then to close it costs nothing. Returns at
 * once. */
bool taps_is_gone(int fd);

/* Deletes a tap that taps_open made, whatever its holder did to it: each copy of its descriptor is
 * useless then (EBADFD). Blocks until it is gone. 0 also where there is none of that index; -EPERM:
 * it is none of ours. */
int taps_delete(unsigned ifindex);

/* Deletes those of them that are taps of ours, at the cost of one; which are left is found by
 * taps_delete of each. Meanwhile nobody changes an interface: 1 ms each. */
void taps_delete_together(const unsigned *ifindexes, size_t count);

/* Makes a tap of ours a port of the bridge, also where that was made anew or it was another's.
 * -EPERM: it is none of ours; -ENODEV: there is no such tap, or no such bridge. */
int taps_join(const char *name, const char *bridge, bool isolated);

/* Finds an interface with an address whose prefix overlaps this one: writes its name to
 * ret[INTERFACE_NAME_MAX + 1] and returns 1. 0: there is none. Needs no privileges. */
int taps_find_overlap(const struct prefix *network, char *ret);

/* Finds a route of the main table for just this prefix: writes the name of its interface, or "",
 * to ret[INTERFACE_NAME_MAX + 1] and returns 1. 0: there is none. Needs no privileges. */
int taps_find_route(const struct prefix *network, char *ret);

/* What the administrator can do about an error of taps_open, or NULL; the same of
 * taps_open_on_uplink. */
const char *taps_explain(int error);
const char *taps_explain_uplink(int error);

#endif
