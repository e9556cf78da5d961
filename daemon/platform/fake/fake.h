/* The platform for tests and fuzzing: a kernel in memory.
 *
 * It answers as the real one does (net/ipv4/ipmr.c, net/ipv6/ip6mr.c): an interface that goes
 * frees its VIFs without a word, while the entries keep the numbers. Descriptors are real ones, so
 * that they can be polled, copied and closed; a table is released when all copies of its
 * descriptor are closed. There is one such kernel a process, reset by each test. */
#ifndef NB_FAKE_H
#define NB_FAKE_H

#include "platform/mroute.h"
#include "platform/netifs.h"
#include "platform/packets.h"
#include "platform/tap_facts.h"
#include "platform/taps.h"

/* Closes everything and begins anew, with no interfaces. */
void fake_reset(void);

/* --- Interfaces ---------------------------------------------------------------------------- */

/* Makes an interface that is up, and returns its index: each time another one. */
unsigned fake_netif_add(const char *name);
void fake_netif_join(const char *name, const char *bridge); /* NULL: none */
void fake_netif_del(const char *name);
void fake_netif_rename(const char *from, const char *to);
void fake_netif_set_type(const char *name, enum netif_type type);
void fake_netif_set_running(const char *name, bool running);
void fake_netif_change(const char *name, const uint8_t mac[MAC_BYTES], unsigned mtu);
void fake_netif_mark(const char *name); /* the service has made it, by this name */

/* What was to be told of interfaces is lost; the reader is told all again. */
void fake_netifs_overrun(void);

/* --- Tables -------------------------------------------------------------------------------- */

/* The entry of a source and group, or NULL. Valid until the next change. */
const struct mfc_entry *fake_mfc_find(uint8_t family, uint32_t table, const char *source,
                                      const char *group);
size_t fake_mfc_count(uint8_t family, uint32_t table);

/* The interface of a VIF, 0 where it is free; and how many are taken. */
unsigned fake_vif_ifindex(uint8_t family, uint32_t table, unsigned vif);
unsigned fake_vif_count(uint8_t family, uint32_t table);

/* Whether some copy of the table's descriptor is open. */
bool fake_table_is_owned(uint8_t family, uint32_t table);

/* A broker did this to the table's socket, as mroute_socket_renew tells of it. */
void fake_table_spoil(uint8_t family, uint32_t table, int renewal);

/* A message about a packet for the table's owner. */
void fake_upcall(uint8_t family, uint32_t table, const struct upcall *upcall);

/* --- Packets ------------------------------------------------------------------------------- */

enum fake_fate {
    FAKE_NOT_ROUTED, /* the interface has no VIF in the table */
    FAKE_FORWARDED,
    FAKE_NO_ROUTE,        /* it waits; the owner was asked, or was already */
    FAKE_WRONG_INTERFACE, /* it was dropped, and the owner told */
};

struct fake_delivery {
    enum fake_fate fate;
    unsigned count;
    unsigned oifs[VIFS_MAX]; /* indexes of the interfaces that it left by */
};

/* A packet comes in by an interface, with the greatest TTL; it is counted. */
struct fake_delivery fake_packet(uint8_t family, uint32_t table, unsigned ifindex,
                                 const struct address *source, const struct address *group);

/* Ten seconds pass: flows without a route are forgotten, and the next packet asks again. */
void fake_forget_flows(void);

/* How many flows wait for a route. */
size_t fake_unresolved(uint8_t family, uint32_t table);

/* How often an interface was given the number of a VIF that entries still named: each time an
 * old route would have begun to send to a stranger. Must be 0 at any time. */
unsigned fake_strangers(void);

/* --- Changes by others --------------------------------------------------------------------- */

/* Another process writes an entry of the default table, from VIF `parent` to VIF `oif`; deletes
 * one; adds a VIF, or deletes it (ifindex 0); deletes a rule of ours. */
void fake_foreign_set(const char *source, const char *group, unsigned parent, unsigned oif);
void fake_foreign_del(const char *source, const char *group);
void fake_foreign_vif(uint8_t family, unsigned vif, unsigned ifindex);
void fake_foreign_rule_del(uint8_t family, uint32_t table, const char *iif);

/* What was to be told of changes is lost. */
void fake_changes_overrun(void);

/* --- Rules --------------------------------------------------------------------------------- */

/* A rule that is there without the service's doing, or was made by one before it (ours). */
void fake_rule_add(uint8_t family, uint32_t table, const char *iif, bool ours);
bool fake_rule_exists(uint8_t family, uint32_t table, const char *iif, bool ours);
size_t fake_rule_count(void);

/* --- Memberships ----------------------------------------------------------------------------- */

/* Sockets take 20 groups each, and 10 sources of each. How many memberships there are on an
 * interface; and how many are on sockets still, whose interface is gone. */
size_t fake_memberships(unsigned ifindex);
size_t fake_dead_memberships(void);

/* The interface leaves its IPv6 groups, and the sockets know nothing of it. */
void fake_memberships_lose_ipv6(unsigned ifindex);

/* source NULL: of any. */
bool fake_is_member(unsigned ifindex, const char *source, const char *group);

/* Memberships that were left while their interface was there, since the reset. */
unsigned fake_left(void);

/* --- Taps ---------------------------------------------------------------------------------- */

/* A tap ends when the last copy of its descriptor is closed, unless it is persistent: the kernel
 * notices here, and tells of the interfaces that are gone. */
void fake_taps_settle(void);

/* What the tap of that name was made with, or NULL. Valid until the next change. */
const struct tap_config *fake_tap_find(const char *name);
size_t fake_tap_count(void);

/* So many attempts to open a macvtap's device node come before it is the service's. */
void fake_nodes_are_late(unsigned count);

/* What went through it, from now on. */
void fake_tap_set_counters(const char *name, const struct tap_counters *counters);

/* The host has this address on an interface that is none of ours; network: "192.168.0.1/24". */
void fake_host_add(const char *name, const char *network);
/* The host has this route to the interface. */
void fake_route_add(const char *name, const char *network);

/* --- Frames of interfaces ------------------------------------------------------------------ */

/* What the frames were opened with that were opened last, or NULL; and one frame for them. */
const struct packets_config *fake_packets(void);
bool fake_frame_put(const void *bytes, uint32_t length, bool outgoing);

/* Waits for a frame that was sent by the descriptor that was opened last: its length, or -1 where
 * none comes within 2 s. And takes no more: the interface is down. */
long fake_frame_take(void *bytes, size_t size);
void fake_frames_stop(void);

/* --- Calls --------------------------------------------------------------------------------- */

/* Calls since the reset that change a table, also those that failed. */
unsigned fake_writes(void);

/* The nth call from now that adds or sets something (1: the next) fails with this negative errno;
 * 0: none does. The kernel refuses no deletion of what is there. */
void fake_fail(unsigned nth, int result);

#endif
