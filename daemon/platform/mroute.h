/* The seam, multicast routing: what netbroker needs of a kernel's multicast forwarding table.
 *
 * The socket that owns a table is made by the keeper (mroute_socket_open needs privileges); all
 * the rest works on it without any. Functions return 0 or a count, or a negative errno. */
#ifndef NB_PLATFORM_MROUTE_H
#define NB_PLATFORM_MROUTE_H

#include "address.h"
#include "bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mroute_socket {
    int fd; /* -1: none */
    uint8_t family;
    uint32_t table; /* the kernel's table id */
};

/* One forwarding entry, as the kernel is told of it. */
struct mfc_entry {
    struct address source; /* unspecified: any source; the entry then needs its parent in ttls */
    struct address group;
    unsigned parent;        /* the VIF that packets must arrive on */
    uint8_t ttls[VIFS_MAX]; /* by VIF: packets with a greater TTL leave there; 0: none do */
};

struct mfc_counters {
    uint64_t packets;
    uint64_t bytes;
    uint64_t wrong_interface; /* packets that came in elsewhere than on the parent */
};

struct vif_counters {
    uint64_t packets_in, bytes_in;
    uint64_t packets_out, bytes_out;
};

/* An entry as the kernel tells of it: by interface index, without the VIFs that are gone. */
struct mfc_found {
    struct address source;
    struct address group;
    unsigned iif; /* interface index; 0: its VIF is gone */
    unsigned oif_count;
    struct {
        unsigned ifindex;
        uint8_t ttl;
    } oifs[VIFS_MAX];
    bool unresolved; /* packets wait for a route; this is no entry */
    bool foreign;    /* written, or written over, by who does not own the table: it outlives it */
};

struct mroute_visitor {
    void (*vif)(void *context, unsigned vif, unsigned ifindex);
    void (*mfc)(void *context, const struct mfc_found *found);
    void *context;
};

enum upcall_kind { UPCALL_OTHER, UPCALL_NO_ROUTE, UPCALL_WRONG_INTERFACE };

/* A message of the kernel about a packet that it could not forward. */
struct upcall {
    enum upcall_kind kind;
    unsigned vif;
    struct address source, group;
};

/* Opens the socket that owns a table. Whoever holds it sends and receives no packets by it, but the
 * kernel's upcalls. Needs CAP_NET_RAW, and CAP_NET_ADMIN for another table than
 * the default. -EADDRINUSE: another process owns it. -ENOPROTOOPT, -EAFNOSUPPORT: the kernel has no
 * multicast routing for the family. */
int mroute_socket_open(uint8_t family, uint32_t table);

/* Puts right what a broker may have done to a table's socket: it owns the table again, and has room
 * for upcalls. Needs what mroute_socket_open does. 1: it did not own the table, which is empty now;
 * 0: it did; -ESHUTDOWN: the socket is spoilt for good. */
int mroute_socket_renew(const struct mroute_socket *socket);

/* Gives the table up, whoever has copies of its socket: another socket can own it at once. */
void mroute_socket_release(const struct mroute_socket *socket);

/* Names processes that may own the family's table, e.g. "smcrouted (pid 123)", as far as this
 * process may see them; else says how to find them. */
void mroute_owner_describe(uint8_t family, char *text, size_t size);

/* From now on upcalls tell of packets that come in by another interface than the entry's. What a
 * former owner of the table chose stays in force until somebody says so. */
int mroute_tell_wrong_interfaces(const struct mroute_socket *socket);

int mroute_vif_add(const struct mroute_socket *socket, unsigned vif, unsigned ifindex);
int mroute_vif_del(const struct mroute_socket *socket, unsigned vif);

/* Adds the entry, or replaces the one of its source and group, in one operation. */
int mroute_mfc_set(const struct mroute_socket *socket, const struct mfc_entry *entry);

/* Deletes the entry of this source and group. -ENOENT: there is none. */
int mroute_mfc_del(const struct mroute_socket *socket, const struct address *source,
                   const struct address *group);

int mroute_mfc_count(const struct mroute_socket *socket, const struct address *source,
                     const struct address *group, struct mfc_counters *ret);
int mroute_vif_count(const struct mroute_socket *socket, unsigned vif, struct vif_counters *ret);

/* Reads the entry of exactly this source and group as the kernel has it. -ENOENT: there is none. A
 * kernel that cannot tell of one entry (IPv6 before Linux 6.0) answers with another error. */
int mroute_mfc_find(const struct mroute_socket *socket, const struct address *source,
                    const struct address *group, struct mfc_found *ret);

/* Tells the visitor of each VIF, then of each entry of the socket's table. */
int mroute_dump(const struct mroute_socket *socket, const struct mroute_visitor *visitor);

/* The same of the VIFs alone. */
int mroute_dump_vifs(const struct mroute_socket *socket, const struct mroute_visitor *visitor);

/* The same of the entries alone, some hundred at a time. Returns a descriptor for mroute_dump_next,
 * to be closed, or a negative errno. Entries that come or go meanwhile may be missed. */
int mroute_dump_begin(const struct mroute_socket *socket);

/* 1: there are more. 0: these were the last. Negative: an errno. */
int mroute_dump_next(int fd, const struct mroute_socket *socket,
                     const struct mroute_visitor *visitor);

/* Reads one message of the kernel from a table's socket. *ret says what it was; UPCALL_OTHER for
 * the IGMP or ICMPv6 packets that come on the same socket. -EAGAIN: there is none. */
int mroute_upcall_read(const struct mroute_socket *socket, struct upcall *ret);

/* The parser of the above: any bytes may come. */
void mroute_upcall_parse(uint8_t family, const void *bytes, size_t length, struct upcall *ret);

/* --- Changes by others ---------------------------------------------------------------------- */

/* Any process with CAP_NET_ADMIN may change a table that it does not own: by a raw socket of its
 * own, and, of IPv4, by rtnetlink(7). What the owner writes is not told of, but what it deletes. */
enum mroute_change_kind {
    MROUTE_ENTRY_WRITTEN, /* by another than the owner */
    MROUTE_ENTRY_DELETED, /* by anybody */
    MROUTE_VIFS_CHANGED,  /* by anybody, in any table of the family */
    MROUTE_RULE_DELETED,  /* by anybody */
};

struct mroute_change {
    enum mroute_change_kind kind;
    uint8_t family;
    uint32_t table;               /* 0: any */
    struct address source, group; /* of an entry */
};

/* Opens a socket that tells of changes. Returns a non-blocking descriptor to poll for reading, or a
 * negative errno. Needs no privileges. */
int mroute_changes_open(void);

/* Takes up to so many messages. Returns how many there were, which may be no change; 0: there is
 * none. -ENOBUFS: some were lost, the rest can be read on. */
typedef void mroute_change_visit(void *context, const struct mroute_change *change);
int mroute_changes_read(int fd, unsigned limit, mroute_change_visit *visit, void *context);

/* The parser of the above, for one datagram: any bytes may come. */
void mroute_changes_parse(const void *bytes, size_t length, mroute_change_visit *visit,
                          void *context);

/* --- Rules ---------------------------------------------------------------------------------- */

/* A rule: packets from this interface are a table's business. A table that is not the default one
 * sees only what rules lead to it. */
struct mroute_rule {
    uint8_t family;
    uint32_t table;
    char iif[INTERFACE_NAME_MAX + 1];
};

/* Makes the rule, marked as ours, for the name that the interface has now. Needs CAP_NET_ADMIN.
 * -EEXIST: it is there. -ENODEV: there is no such interface. */
int mroute_rule_add(uint8_t family, uint32_t table, unsigned ifindex);

/* Deletes a rule if it is ours. Needs CAP_NET_ADMIN. -ENOENT: there is none of ours. */
int mroute_rule_del(const struct mroute_rule *rule);

/* Deletes all of ours that lead to the table, or, where it is 0, to any. As mroute_rule_del. */
int mroute_rules_clear(uint8_t family, uint32_t table);

/* Tells of all rules that ask nothing but the inbound interface; ours: we made it. */
typedef void mroute_rule_visit(void *context, const struct mroute_rule *rule, bool ours);
int mroute_rules_read(uint8_t family, mroute_rule_visit *visit, void *context);

#endif
