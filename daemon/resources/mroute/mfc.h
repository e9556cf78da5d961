/* One table of the kernel: the routes that are wanted in it, and how its forwarding cache (MFC) is
 * made to fit them. */
#ifndef NB_MFC_H
#define NB_MFC_H

#include "range.h"
#include "route.h"
#include "rules.h"
#include "stray.h"

/* What a table needs of the module that holds all tables, and tells it. */
struct mfc_host {
    struct links *links;
    struct lease_source *leases;
    const struct holding_class *holding_class; /* of routes */
    const struct rules_host *rules;            /* NULL: no rules are made */
    struct mroute_limits limits;
    size_t learned;  /* in all tables */
    uint64_t serial; /* of the next route */
    void (*route_news)(void *context, enum route_news news, struct route *route);
    /* The route is about to go; another may be in its place (NULL: none). */
    void (*route_goes)(void *context, const struct route *route, struct route *successor);
    void (*needs_ticks)(void *context);
    void *context;
};

struct mfc {
    TAILQ_ENTRY(mfc) in_tables;  /* struct mroute owns it */
    struct mroute_socket socket; /* fd -1: not open yet */
    struct ports ports;
    struct route_set routes;
    struct ranges ranges;
    struct rules rules;
    TAILQ_HEAD(, learned) learned; /* that to look at next first */
    struct mfc_host *host;         /* borrowed */
    bool unverified;               /* some entries were written by a process before us */
    size_t outdated;               /* learned routes that may have to change, from the first on */
    size_t waiting;                /* routes in ROUTE_WAITING */
    size_t learned_count;
    uint64_t writes; /* entries written or deleted */
    uint64_t no_route, wrong_interface, unmatched_dropped;
    struct strays strays;
    struct mroute_waiter *waiters; /* for the socket */
    unsigned keepers;              /* who want it open although it may be empty */
};

/* The interfaces of a request, resolved to the kernel's indexes. */
struct resolved {
    unsigned iif;
    unsigned oifs[VIFS_MAX];
};

TAILQ_HEAD(mfc_list, mfc);

struct mfc *mfc_new(struct mfc_host *host, uint8_t family, uint32_t table, uint64_t seed);

/* Closes the socket, frees everything, tells nobody. */
void mfc_free(struct mfc *mfc);

/* See mroute_adopt; the socket is set already. */
int mfc_adopt(struct mfc *mfc);

/* See mroute_settle. */
void mfc_settle(struct mfc *mfc);

/* Adds a route whose admission said `kind`, ADDED or REPLACED, in the place of old. NULL: *error
 * says why, and nothing was changed. The holds of the old one are the new one's. */
struct route *mfc_add(struct mfc *mfc, const struct args_add_mfc *args,
                      const struct resolved *resolved, struct route *old, struct error *error);

/* Takes a route out of the kernel and of the set, and frees it. news: what is told. */
void mfc_del(struct mfc *mfc, struct route *route, enum route_news news);

/* The same, for those who walk over routes: ports that could take its VIF are attached later. */
void mfc_remove(struct mfc *mfc, struct route *route, enum route_news news);

/* Puts a route that is in the kernel already in the place of another, which is freed. Its holds,
 * and what was learned from it, are the new one's. */
void mfc_replace(struct mfc *mfc, struct route *old, struct route *new);

/* Makes the kernel's entry fit the route, the other routes and the interfaces there are now.
 * Returns 0 or a negative errno. */
int mfc_sync(struct mfc *mfc, struct route *route);

/* Frees a route that is in no set, and lets go of its ports. */
void mfc_discard(struct mfc *mfc, struct route *route);

/* Interfaces that came while all VIFs were taken get those that are free now: first those that
 * routes name, then those that patterns mean. */
void mfc_attach_ports(struct mfc *mfc);

/* Rewrites what an earlier process wrote, so that no entry names a VIF that is not ours. */
void mfc_verify(struct mfc *mfc);

void mfc_link_changed(struct mfc *mfc, const struct link_info *was, const struct link_info *is);

#endif
