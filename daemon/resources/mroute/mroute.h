/* Multicast routing: the routes that are wanted, and the kernel's tables that are made to fit.
 *
 * A route is of one flow, or of a range of sources, groups or interfaces, for whose flows exact
 * routes are learned as they come (see route.h). A route names interfaces. Each interface that a
 * table's routes name is an iface of the table; an iface whose interface exists has one of the
 * kernel's 32 VIFs, made when the first route names it and given back when the last one goes. A
 * route whose inbound interface is missing waits; one of whose outgoing interfaces some are missing
 * is partial; both are completed when the interfaces come back. See mfc.c on how VIFs are never
 * lent to a stranger. */
#ifndef NB_MROUTE_H
#define NB_MROUTE_H

#include "broker/netifs.h"
#include "broker/resource.h"
#include "broker/waiter.h"
#include "decode.h"
#include "error.h"
#include "platform/mroute.h"
#include "table.h"

enum {
    /* Each costs about 150 bytes here and 200 in the kernel. */
    ROUTES_MAX = 262144,
    /* One socket each, and a client may name any table. */
    TABLES_MAX = 16,
    /* Interfaces that a table's routes may name; only 32 of them can have a VIF at a time. */
    IFACES_MAX = 256,
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
#define ROUTE_EVENTS(R)                                                                            \
    R(ADDED, "mfc.added")                                                                          \
    R(REPLACED, "mfc.replaced")                                                                    \
    R(DELETED, "mfc.deleted")                                                                      \
    R(WAITING, "mfc.waiting")                                                                      \
    R(RESTORED, "mfc.restored")                                                                    \
    R(LEARNED, "mfc.learned")                                                                      \
    R(MOVED, "mfc.moved")                                                                          \
    R(EXPIRED, "mfc.expired")

enum route_event {
#define R(name, topic) ROUTE_##name##_EVENT,
    ROUTE_EVENTS(R)
#undef R
};

/* Everything about a route, for those who show it. Names are borrowed until the route changes. */
struct route_view {
    uint8_t family;
    uint32_t table;
    struct prefix source, group;
    const struct resource *resource; /* who holds it; of a learned one nobody */
    bool learned;
    uint32_t idle; /* seconds without a packet until what was learned is forgotten; 0: it stays */
    const char *iif;
    uint32_t oif_count;
    struct {
        const char *name;
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

/* Which routes or VIFs are meant; what is zero or FAMILY_NONE does not matter. */
struct mroute_filter {
    uint8_t family;
    uint32_t table;
    struct prefix source, group; /* all that lies within */
    bool learned;                /* only those that were learned */
};

/* What was undone of the changes that another process made to a table. */
struct mroute_healed {
    uint8_t family;
    uint32_t table;
    unsigned restored;    /* routes that were written again */
    unsigned forgotten;   /* learned ones */
    unsigned deleted;     /* entries of no route */
    unsigned vifs, rules; /* made again, or VIFs deleted */
    bool fought;          /* it happens so often that from now on it takes longer */
};

struct mroute_callbacks {
    /* Asks the keeper for the socket of a table; mroute_table_opened brings it. */
    bool (*open_table)(void *context, uint8_t family, uint32_t table); /* false: no memory */
    /* The keeper may drop its copy: the table has no route any more. */
    void (*close_table)(void *context, uint8_t family, uint32_t table);
    /* Also while it is being deleted: the view is whole. */
    void (*route_event)(void *context, enum route_event event, const struct route *route);
    /* The kernel has packets and no route for them, or they came in by the wrong interface. */
    void (*upcall)(void *context, uint8_t family, uint32_t table, const struct upcall *upcall);
    void (*healed)(void *context, const struct mroute_healed *healed);
    /* Whether a learned flow of the group, which comes in where `range` has it, may be made one of
     * it. NULL: always. */
    bool (*may_move)(void *context, const struct route *from, const struct route *range,
                     const struct address *group);
    /* The route lost what it would have had of these sources and groups to another. NULL: nobody
     * is told. */
    void (*overridden)(void *context, const struct route *loser, const struct prefix *source,
                       const struct prefix *group);
    /* There is something to do for mroute_go_on, soon and often. NULL: all is done at once. */
    void (*needs_work)(void *context);
    /* There is something to do for mroute_tick, every MROUTE_TICK_MS. */
    void (*needs_ticks)(void *context);
    /* Now and then while a whole table is taken over or settled. NULL: nobody wants to know. */
    void (*works)(void *context);
    void *context;
};

enum { MROUTE_TICK_MS = 250 };

/* What the network may cause; a client is bounded by its leases. */
struct mroute_limits {
    unsigned learned;   /* routes that are learned at a time */
    unsigned unmatched; /* flows without a route that the kernel may have in mind at a time */
};

/* seed: a random number that no client knows. NULL: no memory. */
struct mroute *mroute_new(struct netifs *netifs, struct leases *leases,
                          const struct mroute_callbacks *callbacks, uint64_t seed);

void mroute_set_limits(struct mroute *mroute, const struct mroute_limits *limits);

/* From now on users are charged for what they have, by pools in this registry; before there is a
 * table. And how much one user may have. */
struct limits;
void mroute_use_pools(struct mroute *mroute, struct pools *pools);
void mroute_set_shares(struct mroute *mroute, const struct limits *limits);

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

/* Opens a table that is not open, for this user; the waiter is resumed when it is, or when that
 * failed. False: there are too many tables, or he has his share, or no memory; mroute_add then says
 * so. */
bool mroute_table_open(struct mroute *mroute, uint8_t family, uint32_t table, uid_t uid,
                       struct waiter *waiter);

/* Whether the user may open one table more. error may be NULL. */
bool mroute_may_open(const struct mroute *mroute, uid_t uid, struct error *error);

/* Keeps an open table open although it may have no route; and lets it close again. */
void mroute_table_keep(struct mroute *mroute, uint8_t family, uint32_t table);
void mroute_table_release(struct mroute *mroute, uint8_t family, uint32_t table);

/* What a change did, or would do (dry_run). */
enum route_change { CHANGE_NONE, CHANGE_ADDED, CHANGE_REPLACED };

/* Adds or replaces one route: all of it or, with *error, nothing. Its table must be open, but for
 * a dry run. What is there with the same content is left as it is, and the holder holds it too;
 * what others hold is changed by administrators only. */
bool mroute_add(struct mroute *mroute, const struct args_add_mfc *args, const struct holder *holder,
                enum route_change *ret, struct error *error);

/* What `append` means: *ret is the request for the whole route, with the outgoing interfaces that
 * are there and those of the arguments. Without a route it is the arguments' own. False with
 * *error: the arguments do not fit the route. */
bool mroute_append(const struct mroute *mroute, const struct args_add_mfc *args,
                   struct args_add_mfc *ret, struct error *error);

/* Adds a route that was acknowledged before, in an open table. What its interfaces lack now, also
 * VIFs, it waits for. */
bool mroute_restore(struct mroute *mroute, const struct args_add_mfc *wanted,
                    const struct holder *holder, struct error *error);

/* What became of the routes that a deletion names, or would become (dry_run). */
struct route_deletion {
    size_t deleted;
    size_t kept;     /* given up by the holder; others hold them */
    size_t replaced; /* lost some of their outgoing interfaces */
};

/* Gives up the holder's leases on the routes that the arguments name. An administrator who has none
 * deletes them. With oifs, takes these from the routes, for all who hold them: who may replace a
 * route may do that. All of it is done or, with *error, nothing. */
bool mroute_del(struct mroute *mroute, const struct args_del_mfc *args, const struct holder *holder,
                struct route_deletion *ret, struct error *error);

/* Looks at the next route of a walk, and deletes it, whoever holds it: those that were learned go
 * with the range that they are of, unless the filter means only them. *count is one more if it is
 * gone. False: there is none left. */
struct route_cursor;
bool mroute_flush_next(struct route_cursor *cursor, size_t *count);

/* How many that would be, of a filter by family, table and `learned`. */
size_t mroute_flush_count(const struct mroute *mroute, const struct mroute_filter *filter);

/* A number for the generation of a set that is applied: the holder's, for mroute_add. */
uint32_t mroute_next_generation(struct mroute *mroute);

/* What is swept is what the holder holds and is of another generation than the holder's: the lease
 * on a route that others hold as well, or the route. */
enum sweep { SWEEP_NONE, SWEEP_LEASE, SWEEP_ROUTE };
enum sweep mroute_would_sweep(const struct route *route, const struct holder *holder);

/* Does it. True: the route is gone. */
bool mroute_sweep(struct mroute *mroute, struct route *route, const struct holder *holder);

/* Whether the arguments of a route fit each other, whatever interfaces there are. */
bool mroute_args_are_sound(const struct args_add_mfc *args, struct error *error);

/* Whether the route could be added, and what that would change. Whether there are VIFs for it is
 * not looked at. */
bool mroute_check(const struct mroute *mroute, const struct args_add_mfc *args,
                  const struct holder *holder, enum route_change *ret, struct error *error);

/* Whether there are tables, VIFs and ifaces for several routes of the user beside what is there,
 * and within his share: free() frees what was begun; NULL: no memory. */
struct vif_needs;
struct vif_needs *mroute_needs_new(const struct mroute *mroute, uid_t uid);
bool mroute_needs_add(struct vif_needs *needs, const struct args_add_mfc *args,
                      struct error *error);

/* Gives the holder's lease on this route the holder's generation. False: there is no lease. */
bool mroute_mark(struct mroute *mroute, const struct args_add_mfc *args,
                 const struct holder *holder);

/* All that is wanted was told. What was found in the kernel beside it, and is of a range, was
 * learned. The rest nobody wants, and it is deleted; unless not all is known (whole is false): then
 * it is held by nobody that is known. */
void mroute_settle(struct mroute *mroute, bool whole);

/* The route that the lease is on, or NULL: it is on something else, or the filter does not mean it.
 */
struct route *mroute_leased(const struct lease *lease, const struct mroute_filter *filter);

/* So many routes more will come of a set that is applied, which is of a generation: others have
 * what is left of ROUTES_MAX. 0: none. */
void mroute_promise(struct mroute *mroute, size_t routes);

/* The wanted route of this source (FAMILY_NONE: any), group and, for a range, interface (NULL: the
 * first that there is), or NULL. */
const struct route *mroute_find(const struct mroute *mroute, const struct prefix *source,
                                const struct prefix *group, const char *iif, uint32_t table);

/* The next wanted route of the same source and group, from another interface, or NULL. */
const struct route *mroute_find_next(const struct route *route);

/* The registry of the leases on routes. */
struct leases *mroute_leases(const struct mroute *mroute);

/* The resource that a route is, to those who hold it; and back. */
const struct resource *route_resource(const struct route *route);
struct route *route_of_resource(const struct resource *resource);

extern const struct resource_ops mroute_ops;

/* Does some microseconds of what follows from changes that were made. False: all is done. */
bool mroute_go_on(struct mroute *mroute);

/* Lets mroute_go_on forget what was learned and is silent, and bring up to date what was learned
 * before routes or interfaces changed. now: of a steady clock. False: there is nothing left to do.
 */
bool mroute_tick(struct mroute *mroute, uint64_t now_ms);

/* A walk over routes, oldest first, that may stop and go on later while routes come and go: it
 * passes over those that were added after its start. */
struct route_cursor {
    struct mroute *mroute;
    struct mroute_filter filter;
    struct route *next;
    uint64_t last_serial;
    LIST_ENTRY(route_cursor) in_open; /* mroute.cursors */
};

void route_cursor_open(struct route_cursor *cursor, struct mroute *mroute,
                       const struct mroute_filter *filter);
/* Looks at one route more. False: there is none. *ret is it, or NULL where the filter passes over
 * it: a filter that selects nothing costs its asker many looks, and nobody else. */
bool route_cursor_look(struct route_cursor *cursor, const struct route **ret);

/* The next route that the filter selects; NULL: the end. */
const struct route *route_cursor_next(struct route_cursor *cursor);
void route_cursor_close(struct route_cursor *cursor);

/* with_counters asks the kernel, about 0.5 us. */
void route_describe(const struct route *route, bool with_counters, struct route_view *ret);

/* A walk over VIFs by their places, of which there are VIFS_MAX in each table: tables and VIFs may
 * come and go meanwhile. Zero: the start. */
struct vif_cursor {
    unsigned place;
};

/* Looks at one place more. False: there is none. *ret is 1 if there is a VIF that the filter
 * selects: then *view is what is known of it. */
bool vif_cursor_look(struct vif_cursor *cursor, const struct mroute *mroute,
                     const struct mroute_filter *filter, bool *ret, struct vif_view *view);

/* Whether the VIF is the first one of its interface in such a walk, and how many routes name any
 * of these. */
bool vif_is_first(const struct mroute *mroute, const struct vif_view *vif, unsigned *ret_routes);

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

/* Reads the upcalls that wait on one table's socket: all but very many, or so many at most. */
void mroute_read_upcalls(struct mroute *mroute, uint8_t family, uint32_t table);
void mroute_read_some_upcalls(struct mroute *mroute, uint8_t family, uint32_t table,
                              unsigned count);

/* The socket that tells of what others change in the tables, or a negative errno. */
int mroute_changes_fd(const struct mroute *mroute);

/* What to do about it: call mroute_read_changes when it is readable, but only while `listen`, and
 * mroute_heal in so many milliseconds, if not 0. */
struct mroute_listening {
    bool listen;
    unsigned heal_ms;
};
struct mroute_listening mroute_read_changes(struct mroute *mroute, uint64_t now_ms);
struct mroute_listening mroute_heal(struct mroute *mroute, uint64_t now_ms);

/* The listener's word on an interface: routes are completed, or wait. */
void mroute_netif_changed(struct mroute *mroute, const struct netif *was, const struct netif *is);

struct mroute_totals {
    size_t routes, waiting, learned;
    uint64_t kernel_writes;             /* entries written or deleted since the start */
    uint64_t no_route, wrong_interface; /* upcalls since the start */
    uint64_t unmatched_dropped;         /* of no_route: flows dropped because there were too many */
};

struct mroute_totals mroute_totals(const struct mroute *mroute);

#endif
