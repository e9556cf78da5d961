/* One table of the kernel: the routes that are wanted in it, and how its forwarding cache (MFC) is
 * made to fit them. */
#ifndef NB_MFC_H
#define NB_MFC_H

#include "foreign.h"
#include "neighbours.h"
#include "range.h"
#include "route.h"
#include "rules.h"
#include "shares.h"
#include "unrouted.h"

struct mfc {
    TAILQ_ENTRY(mfc) in_tables;  /* struct mroute owns it */
    struct mroute_socket socket; /* fd -1: not open yet */
    struct ifaces ifaces;
    struct table_shares shares;
    struct route_set routes;
    struct ranges ranges;
    struct neighbours neighbours;
    struct rules rules;
    TAILQ_HEAD(, learned) learned; /* that to look at next first */
    struct mroute *mroute;         /* borrowed */
    bool unverified;               /* some entries were written by a process before us */
    size_t outdated;               /* learned routes that may have to change, from the first on */
    size_t looks;                  /* at so many learned routes, which are due */
    TAILQ_HEAD(, route) lingering; /* ranges that ended, until what was learned of them has */
    size_t waiting;                /* routes in ROUTE_WAITING */
    size_t learned_count;
    uint64_t writes; /* entries written or deleted */
    uint64_t no_route, wrong_interface, unmatched_dropped;
    struct unrouted unrouted;
    struct suspicion suspicion;
    struct waiters waiters; /* for the socket, or its rules */
    unsigned keepers;       /* who want it open although it may be empty */
};

/* The interfaces of a request, resolved to the kernel's indexes. */
struct resolved {
    unsigned iif;
    unsigned oifs[VIFS_MAX];
    bool restores;      /* it was acknowledged: those for which there is no VIF are waited for */
    bool judges_shares; /* of who asks; of a set they were judged before */
};

TAILQ_HEAD(mfc_list, mfc);

struct mfc *mfc_new(struct mroute *mroute, uint8_t family, uint32_t table);

/* Closes the socket, frees everything, tells nobody. */
void mfc_free(struct mfc *mfc);

/* See mroute_adopt; the socket is set already. */
int mfc_adopt(struct mfc *mfc);

/* See mroute_settle. */
void mfc_settle(struct mfc *mfc, bool whole);

/* Adds a route whose admission said `kind`, ADDED or REPLACED, in the place of old. NULL: *error
 * says why, and nothing was changed. The leases of the old one are the new one's. */
struct route *mfc_add(struct mfc *mfc, const struct args_add_mfc *args,
                      const struct resolved *resolved, struct route *old, struct error *error);

/* Takes a route out of the kernel and of the set, and frees it. event: what is told. */
void mfc_del(struct mfc *mfc, struct route *route, enum route_event event);

/* The same, for those who walk over routes: ifaces that could take its VIF are attached later. */
void mfc_remove(struct mfc *mfc, struct route *route, enum route_event event);

/* Forgets a range that ended before what was learned of it. */
void mfc_forget(struct mfc *mfc, struct route *range);

/* Puts a route that is in the kernel already in the place of another, which is freed. Its leases,
 * and what was learned from it, are the new one's. */
void mfc_replace(struct mfc *mfc, struct route *old, struct route *new);

/* Makes the kernel's entry fit the route, the other routes and the interfaces there are now.
 * Returns 0 or a negative errno. */
int mfc_sync(struct mfc *mfc, struct route *route);

/* Whether the kernel has an entry of the route that is not wanted any more, or has none that is. */
bool mfc_entry_is_wrong(const struct mfc *mfc, const struct route *route);

/* Writes an entry again that another process deleted or changed; rewrite: deletes it before, so
 * that nothing is left of what was foreign. False: the kernel refused, and the route waits. */
bool mfc_restore(struct mfc *mfc, struct route *route, bool rewrite);

/* Frees a route that is in no set, and releases its ifaces. */
void mfc_discard(struct mfc *mfc, struct route *route);

/* Interfaces that came while all VIFs were taken get those that are free now: first those that
 * routes name, then those that patterns mean. */
void mfc_attach_ifaces(struct mfc *mfc);

/* Rewrites what an earlier process wrote, so that no entry names a VIF that is not ours. */
void mfc_verify(struct mfc *mfc);

void mfc_netif_changed(struct mfc *mfc, const struct netif *was, const struct netif *is);

#endif
