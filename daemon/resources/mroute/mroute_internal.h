/* What the files of this folder share that make routes: what all tables have in common. mroute.c
 * has their life, change.c their routes and who holds them, set.c sets of routes, view.c walks and
 * views; of one table see mfc.h. */
#ifndef NB_MROUTE_INTERNAL_H
#define NB_MROUTE_INTERNAL_H

#include "foreign.h"
#include "mfc.h"

struct mroute {
    struct mfc_list tables;
    unsigned table_count;
    struct mroute_callbacks callbacks;
    LIST_HEAD(, route_cursor) cursors; /* open ones */
    struct netifs *netifs;             /* borrowed */
    struct leases *leases;             /* borrowed */
    struct rules_host rules;           /* change NULL: no rules are made yet */
    struct mroute_limits limits;
    struct mroute_shares shares;
    unsigned looks;      /* for callbacks.works */
    uint32_t generation; /* of the last set */
    size_t promised;     /* routes, to the set that is applied */
    uint64_t seed;
    uint64_t serial;             /* of the next route */
    size_t learned;              /* in all tables */
    uint64_t now_ms;             /* of the last tick */
    uint64_t erased;             /* entries that were deleted, in all tables */
    bool settled;                /* all that is wanted was told */
    struct mroute_totals closed; /* of tables that are closed */
    struct foreign foreign;
};

/* There is something for mroute_go_on. */
void need_work(struct mroute *mroute);

/* Tells what happened to the route. */
void tell_route(const struct route *route, enum route_event event);

/* A walk over the routes of the table; those of other tables that come then are no part of it. */
void route_cursor_open_table(struct route_cursor *cursor, struct mfc *mfc);

/* The route is about to go; another may be in its place (NULL: none). */
void move_cursors(struct mroute *mroute, const struct route *route, struct route *successor);

struct mfc *find_table(const struct mroute *mroute, uint8_t family, uint32_t table);
struct mfc *find_open_table(const struct mroute *mroute, uint8_t family, uint32_t table);

/* What others hold is changed by administrators only. */
bool check_holder(const struct route *old, const struct holder *holder, struct error *error);

/* Ends all leases, and the route. Leaves the table open, so that a loop over it may go on. */
void delete_route(struct mroute *mroute, struct route *route);

/* The routes that a deletion names: those of one source and group, from all interfaces or from one.
 */
enum { NAMED_MAX = IFACES_MAX };

struct named {
    unsigned count;
    struct route *routes[NAMED_MAX];
};

/* The last lease on a route ended. */
void route_release(struct resource *resource);

/* Gives a table back that has no route any more, but for the default one. */
void close_if_empty(struct mroute *mroute, struct mfc *mfc);

/* The route that comes after it in a walk over all tables, or NULL. */
struct route *route_after(struct route *route);

size_t count_routes(const struct mroute *mroute);

#endif
