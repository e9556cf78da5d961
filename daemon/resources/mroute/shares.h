/* What routes take out of the pools of users: tables, the VIFs of a table, and learned routes.
 *
 * A table and a VIF are charged to one of the users who hold routes of it or with it (shared.h). A
 * learned route is charged to the oldest holder of its range who has room; and of his share one
 * range has a part, so that a flood at one of them leaves the others theirs. */
#ifndef NB_MROUTE_SHARES_H
#define NB_MROUTE_SHARES_H

#include "broker/shared.h"
#include "route.h"

enum {
    /* One range may learn one of so many parts of its holder's share. */
    RANGE_PART = 2,
    /* Of many holders of a range, the oldest are asked for the room that they have. */
    HOLDERS_ASKED_MAX = 8,
    /* For the administrator: tables that are not the default ones, and VIFs of a table. */
    TABLES_RESERVE = 2,
    VIFS_RESERVE = 2,
    /* Interfaces that routes of a table name, whether or not they are there: of IFACES_MAX so many
     * are for one user, and so many for the administrator. */
    NAMES_PER_USER = IFACES_MAX / 2,
    NAMES_RESERVE = IFACES_MAX / 8,
};

struct limits;

/* Of all tables. */
struct mroute_shares {
    struct pools *registry; /* borrowed; NULL: nothing is charged */
    struct pool tables, learned;
    unsigned vifs_per_user, idle_max;
};

/* Of one table. */
struct table_shares {
    struct shared shared; /* the table itself; the default ones cost nothing */
    struct pool vifs;
    struct pool_words words;
    char name[32], noun[48];
};

void shares_init(struct mroute_shares *shares, struct pools *registry);
void shares_set_limits(struct mroute_shares *shares, const struct limits *limits);

void table_shares_init(struct mroute_shares *shares, struct mfc *mfc);
void table_shares_bound(const struct mroute_shares *shares, struct mfc *mfc);
void table_shares_end(struct mroute_shares *shares, struct mfc *mfc);

/* Whether who holds a route of the table next would be charged for the table. */
bool shares_would_charge(const struct mroute *mroute, uint8_t family, uint32_t table);

/* Whether the user may have so many tables more, and so many VIFs more in this one, which may be
 * NULL. */
bool shares_have_room(const struct mroute *mroute, struct mfc *mfc, uid_t uid, unsigned tables,
                      unsigned vifs, struct error *error);

/* Whether the routes of the user may name so many interfaces of the table that none names yet. */
bool shares_may_name(const struct mfc *mfc, uid_t uid, unsigned names, struct error *error);

/* Whether the user may have routes whose flows may be silent for so long. */
bool shares_may_idle(const struct mroute *mroute, uid_t uid, uint32_t idle, struct error *error);

/* A lease of the user on the route begins, or ends. */
void route_leased(struct resource *resource, uid_t uid, bool begins);

/* The interfaces of a route are charged to all who hold it; or not any more, because it is going to
 * have other ones or other holders. */
void shares_enter(struct route *route);
void shares_exit(struct route *route);

/* Who is charged for what the range learns next. */
uid_t shares_range_payer(const struct route *range);

/* Whether the range may learn one route more. */
bool shares_may_learn(const struct route *range);

/* A learned route, whose range is set, is charged; or not any more. */
void shares_enter_learned(struct route *route);
void shares_exit_learned(struct route *route);

/* Who is charged for it may hold its range no more: another one is charged. */
void shares_settle_learned(struct route *route);

#endif
