/* What the parts of mroute.h's implementation share: mroute.c (life and tables), change.c (routes
 * and who holds them), set.c (sets of routes), view.c (walks and views). */
#ifndef NB_MROUTE_INTERNAL_H
#define NB_MROUTE_INTERNAL_H

#include "mfc.h"

struct mroute {
    struct mfc_list tables;
    unsigned table_count;
    struct mfc_host host;
    struct mroute_callbacks callbacks;
    struct route_cursor *cursors; /* open ones */
    struct lease_source leases;
    struct rules_host rules;
    uint32_t generation; /* of the last set */
    uint64_t seed;
    bool settled;                /* all that is wanted was told */
    struct mroute_totals closed; /* of tables that are closed */
};

extern const struct holding_class route_holding_class;

struct mfc *find_table(const struct mroute *mroute, uint8_t family, uint32_t table);
struct mfc *find_open_table(const struct mroute *mroute, uint8_t family, uint32_t table);

/* What others hold is changed by administrators only. */
bool check_owner(const struct route *old, const struct owner *owner, struct error *error);

/* Ends all holds, and the route. Leaves the table open, so that a loop over it may go on. */
void delete_route(struct mroute *mroute, struct route *route);

/* The routes that a deletion names: those of one source and group, from all interfaces or from one.
 */
enum { NAMED_MAX = PORTS_MAX };

struct named {
    unsigned count;
    struct route *routes[NAMED_MAX];
};

/* Gives a table back that has no route any more, but for the default one. */
void close_if_empty(struct mroute *mroute, struct mfc *mfc);

/* The route that comes after it in a walk over all tables, or NULL. */
struct route *route_after(struct route *route);

size_t count_routes(const struct mroute *mroute);

#endif
