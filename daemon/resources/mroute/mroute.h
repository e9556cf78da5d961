/* Multicast routing: the routes that are wanted, and the kernel's tables that are made to fit.
 *
 * A route is of one flow, or of a range of sources, groups or interfaces, for whose flows exact
 * routes are learned as they come (see route.h). A route names interfaces. Each interface that a
 * table's routes name is a port of the table; a port whose interface exists holds one of the
 * kernel's 32 VIFs, made when the first route names it and given back when the last one goes. A
 * route whose inbound interface is missing waits; one of whose outgoing interfaces some are missing
 * is partial; both are completed when the interfaces come back. See mfc.c on how VIFs are never
 * lent to a stranger. */
#ifndef NB_MROUTE_H
#define NB_MROUTE_H

#include "error.h"
#include "platform/mroute.h"
#include "resources/lease.h"
#include "resources/links.h"
#include "table.h"

enum {
    /* Each costs about 150 bytes here and 200 in the kernel. */
    ROUTES_MAX = 262144,
    /* One socket each, and a client may name any table. */
    TABLES_MAX = 16,
    /* Interfaces that a table's routes may name; only 32 of them can have a VIF at a time. */
    PORTS_MAX = 256,
};

struct mroute;
struct route;

/* T(NAME, word on the wire). ON_DEMAND: a range whose flows are learned as they come. */
#define ROUTE_STATES(T)                                                                            \
    T(INSTALLED, "installed")                                                                      \
    T(PARTIAL, "partial")                                                                          \
    T(WAITING, "waiting")                                                                          \
    T(ON_DEMAND, "on-demand")

enum route_state {
#define T(name, word) ROUTE_##name,
    ROUTE_STATES(T)
#undef T
};

/* R(NAME, topic): what can happen to a route, and the event that tells of it. LEARNED, MOVED (to
 * another inbound interface) and EXPIRED are for learned ones. */
#define ROUTE_NEWS(R)                                                                              \
    R(ADDED, "mfc.added")                                                                          \
    R(REPLACED, "mfc.replaced")                                                                    \
    R(DELETED, "mfc.deleted")                                                                      \
    R(WAITING, "mfc.waiting")                                                                      \
    R(RESTORED, "mfc.restored")                                                                    \
    R(LEARNED, "mfc.learned")                                                                      \
    R(MOVED, "mfc.moved")                                                                          \
    R(EXPIRED, "mfc.expired")

enum route_news {
#define R(name, topic) ROUTE_##name##_NEWS,
    ROUTE_NEWS(R)
#undef R
};

/* Everything about a route, for those who show it. Names are borrowed until the route changes. */
struct route_view {
    uint8_t family;
    uint32_t table;
    struct prefix source, group;
    const struct holding *holding; /* who holds it; of a learned one nobody */
    bool learned;
    uint32_t idle; /* seconds without a packet until what was learned is forgotten; 0: it stays */
    const char *iif;
    unsigned iif_index; /* 0: the interface is missing, or this is a pattern */
    uint32_t oif_count;
    struct {
        const char *name;
        unsigned index; /* like iif_index */
        uint8_t ttl;
    } oifs[VIFS_MAX];
    enum route_state state;
    struct mfc_counters counters; /* all zero while it waits */
};

struct vif_view {
    uint8_t family;
    uint32_t table;
    const char *name;
    unsigned ifindex;
    unsigned vif;
    unsigned ref_count; /* routes that name it */
    struct vif_counters counters;
};

/* Whether a name stands for all interfaces that begin so: "eth+". */
bool port_name_is_pattern(const char *name);

/* Which routes or VIFs are meant; what is zero or FAMILY_NONE does not matter. */
struct mroute_filter {
    uint8_t family;
    uint32_t table;
    struct prefix source, group; /* all that lies within */
    uint64_t lease;              /* its id */
    bool learned;                /* only those that were learned */
};

/* A request that must wait until a table is open. resume is called once, from the loop. */
struct mroute_waiter {
    void (*resume)(struct mroute_waiter *waiter, const struct error *error); /* NULL: it is open */
    struct mroute_waiter *next;
    bool waiting;
};

struct mroute_callbacks {
    /* Asks the keeper for the socket of a table; mroute_table_opened brings it. */
    bool (*open_table)(void *context, uint8_t family, uint32_t table); /* false: no memory */
    /* The keeper may drop its copy: the table has no route any more. */
    void (*close_table)(void *context, uint8_t family, uint32_t table);
    /* Also while it is being deleted: the view is whole. */
    void (*route_news)(void *context, enum route_news news, const struct route *route);
    /* The kernel has packets and no route for them, or they came in by the wrong interface. */
    void (*upcall)(void *context, uint8_t family, uint32_t table, const struct upcall *upcall);
    /* A lease on a route begins, or ends; what it holds is still there. */
    void (*hold_begins)(void *context, const struct lease *lease);
    void (*hold_ends)(void *context, const struct route *route, const struct lease *lease);
    /* There is something to do for mroute_tick, every MROUTE_TICK_MS. */
    void (*needs_ticks)(void *context);
    void *context;
};

enum { MROUTE_TICK_MS = 250 };

/* What the network may cause; a client is bounded by its leases. */
struct mroute_limits {
    unsigned learned;   /* routes that are learned at a time */
    unsigned unmatched; /* flows without a route that the kernel may have in mind at a time */
};

/* seed: a random number that no client knows. NULL: no memory. */
struct mroute *mroute_new(struct links *links, const struct mroute_callbacks *callbacks,
                          uint64_t seed);

void mroute_set_limits(struct mroute *mroute, const struct mroute_limits *limits);

/* From now on rules lead packets to the tables that are not the default ones; those of ours that
 * lead to a table that is not open are deleted, so call it when the tables of a broker before us
 * are adopted. Until then no rules are made or deleted. */
struct rules_host;
void mroute_keep_rules(struct mroute *mroute, const struct rules_host *host);

/* Whether rules of the table are under way. mroute_table_open waits for them, too. */
bool mroute_rules_pending(const struct mroute *mroute, uint8_t family, uint32_t table);

/* Another table that gets the packets of the interface, because its routes named it first (see
 * rules.h); 0: none does, or the name is a pattern. */
uint32_t mroute_packets_elsewhere(const struct mroute *mroute, uint8_t family, uint32_t table,
                                  const char *iif);

/* The answer to a change of a rule of the table. */
void mroute_rule_answered(struct mroute *mroute, uint8_t family, uint32_t table);

/* Closes its sockets; the routes stay in the kernel as long as the keeper holds its copies. */
void mroute_free(struct mroute *mroute);

/* Takes a table's socket, owned from now on, and what the table holds: entries of a broker before
 * us become routes; entries that name no live interface are deleted. Returns 0, or the negative
 * errno that kept the table from being read; it is open all the same. */
int mroute_adopt(struct mroute *mroute, const struct mroute_socket *socket);

/* The answer to open_table: fd is a descriptor, owned from now on, or negative with *error. */
void mroute_table_opened(struct mroute *mroute, uint8_t family, uint32_t table, int fd,
                         const struct error *error);

bool mroute_table_is_open(const struct mroute *mroute, uint8_t family, uint32_t table);

/* Opens a table that is not open; the waiter is resumed when it is, or when that failed. False:
 * there are too many tables, or no memory; mroute_add then says so. */
bool mroute_table_open(struct mroute *mroute, uint8_t family, uint32_t table,
                       struct mroute_waiter *waiter);
void mroute_waiter_cancel(struct mroute *mroute, struct mroute_waiter *waiter);

/* Keeps an open table open although it may have no route; and no more, which may close it. */
void mroute_table_hold(struct mroute *mroute, uint8_t family, uint32_t table);
void mroute_table_release(struct mroute *mroute, uint8_t family, uint32_t table);

/* What a change did, or would do (dry_run). */
enum route_change { CHANGE_NONE, CHANGE_ADDED, CHANGE_REPLACED };

/* Adds or replaces one route: all of it or, with *error, nothing. Its table must be open, but for
 * a dry run. What is there with the same content is left as it is, and the owner holds it too;
 * what others hold is changed by administrators only. */
bool mroute_add(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner,
                enum route_change *ret, struct error *error);

/* What `append` means: *ret is the request for the whole route, with the outgoing interfaces that
 * are there and those of the arguments. Without a route it is the arguments' own. False with
 * *error: the arguments do not fit the route. */
bool mroute_append(const struct mroute *mroute, const struct args_add_mfc *args,
                   struct args_add_mfc *ret, struct error *error);

/* A new lease, for an owner. */
struct lease mroute_lease(struct mroute *mroute, uid_t uid);

/* Holds the route that the arguments name, if there is one, for the owner. Its interfaces stay what
 * they are; its idle time is that of the arguments. */
bool mroute_hold(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner);

/* What became of the routes that a deletion names, or would become (dry_run). */
struct route_deletion {
    size_t deleted;
    size_t kept;     /* let go of by the owner; others hold them */
    size_t replaced; /* lost some of their outgoing interfaces */
};

/* Lets go, for the owner, of the routes that the arguments name. An administrator who holds none
 * deletes them. With oifs, takes these from the routes, for all who hold them: who may replace a
 * route may do that. All of it is done or, with *error, nothing. */
bool mroute_del(struct mroute *mroute, const struct args_del_mfc *args, const struct owner *owner,
                struct route_deletion *ret, struct error *error);

/* Deletes the routes that the filter selects, whoever holds them; returns how many there were. */
size_t mroute_flush(struct mroute *mroute, const struct mroute_filter *filter, bool dry_run);

/* The same for the next route of a walk. *count is one more if it is gone, or would be. False:
 * there is none left. */
struct route_cursor;
bool mroute_flush_next(struct route_cursor *cursor, bool dry_run, size_t *count);

/* Ends the hold of this lease; false: there is none. */
bool mroute_revoke(struct mroute *mroute, uint64_t lease);

/* A number for the generation of a set that is applied: the owner's, for mroute_add. */
uint32_t mroute_next_generation(struct mroute *mroute);

/* What is swept is what the owner holds and is of another generation than the owner's: his hold on
 * a route that others hold as well, or the route. */
enum sweep { SWEEP_NONE, SWEEP_HOLD, SWEEP_ROUTE };
enum sweep mroute_would_sweep(const struct route *route, const struct owner *owner);

/* Does it. True: the route is gone. */
bool mroute_sweep(struct mroute *mroute, struct route *route, const struct owner *owner);

/* Whether the arguments of a route fit each other, whatever interfaces there are. */
bool mroute_args_are_sound(const struct args_add_mfc *args, struct error *error);

/* Whether the route could be added, and what that would change. Whether there are VIFs for it is
 * not looked at. */
bool mroute_check(const struct mroute *mroute, const struct args_add_mfc *args,
                  const struct owner *owner, enum route_change *ret, struct error *error);

/* Whether there are VIFs and ports for several routes beside what is there: free() frees what was
 * begun; NULL: no memory. */
struct vif_needs;
struct vif_needs *mroute_needs_new(const struct mroute *mroute);
bool mroute_needs_add(struct vif_needs *needs, const struct args_add_mfc *args,
                      struct error *error);

/* Makes the owner's hold on this route one of the owner's generation. False: there is none. */
bool mroute_mark(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner);

/* All that is wanted was told. What was found in the kernel beside it, and is of a range, was
 * learned; the rest is held by nobody that is known. */
void mroute_settle(struct mroute *mroute);

/* The wanted route of this source (FAMILY_NONE: any), group and, for a range, interface (NULL: the
 * first that there is), or NULL. */
const struct route *mroute_find(const struct mroute *mroute, const struct prefix *source,
                                const struct prefix *group, const char *iif, uint32_t table);

/* The next wanted route of the same source and group, from another interface, or NULL. */
const struct route *mroute_find_next(const struct route *route);

/* The owner's hold on a route, or NULL. */
const struct hold *route_hold(const struct route *route, const struct owner *owner);

/* Forgets what was learned and is silent, and brings up to date what was learned before routes or
 * interfaces changed. now: of a steady clock. False: there is nothing left to do. */
bool mroute_tick(struct mroute *mroute, uint64_t now_ms);

/* A walk over routes, oldest first, that may stop and go on later while routes come and go: it
 * passes over those that were added after its start. */
struct route_cursor {
    struct mroute *mroute;
    struct mroute_filter filter;
    struct route *next;
    uint64_t last_serial;
    struct route_cursor *link;
};

void route_cursor_open(struct route_cursor *cursor, struct mroute *mroute,
                       const struct mroute_filter *filter);
const struct route *route_cursor_next(struct route_cursor *cursor); /* NULL: the end */
void route_cursor_close(struct route_cursor *cursor);

/* with_counters asks the kernel, about 0.5 us. */
void route_describe(const struct route *route, bool with_counters, struct route_view *ret);

void mroute_visit_vifs(struct mroute *mroute, const struct mroute_filter *filter,
                       void (*visit)(void *context, const struct vif_view *vif), void *context);

/* The interface that has the VIF, or "". Borrowed until the table changes. */
const char *mroute_vif_name(const struct mroute *mroute, uint8_t family, uint32_t table,
                            unsigned vif);

/* Each open table's socket, for those who poll it or look into it. */
void mroute_visit_sockets(struct mroute *mroute,
                          void (*visit)(void *context, const struct mroute_socket *socket),
                          void *context);

/* The open table, for those of this folder who look into it, or NULL. */
struct mfc;
const struct mfc *mroute_table(const struct mroute *mroute, uint8_t family, uint32_t table);

/* Reads all upcalls that wait on one table's socket. */
void mroute_read_upcalls(struct mroute *mroute, uint8_t family, uint32_t table);

/* The listener's word on an interface: routes are completed, or wait. */
void mroute_link_changed(struct mroute *mroute, const struct link_info *was,
                         const struct link_info *is);

struct mroute_totals {
    size_t routes, waiting, learned;
    uint64_t kernel_writes;             /* entries written or deleted since the start */
    uint64_t no_route, wrong_interface; /* upcalls since the start */
    uint64_t unmatched_dropped;         /* of no_route: flows dropped because there were too many */
};

struct mroute_totals mroute_totals(const struct mroute *mroute);

#endif
