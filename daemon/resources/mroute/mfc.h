/* One table of the kernel: the routes that are wanted in it, and how its forwarding cache (MFC) is
 * made to fit them. */
#ifndef NB_MFC_H
#define NB_MFC_H

#include "route.h"
#include "rules.h"
#include "stray.h"

/* What a table needs of the module that holds all tables. */
struct mfc_host {
    struct links *links;
    struct lease_source *leases;
    const struct rules_host *rules;
    void (*route_news)(void *context, enum route_news news, struct route *route);
    void *context;
};

struct mfc {
    TAILQ_ENTRY(mfc) in_tables;  /* struct mroute owns it */
    struct mroute_socket socket; /* fd -1: not open yet */
    struct ports ports;
    struct route_set routes;
    struct rules rules;
    const struct mfc_host *host; /* borrowed */
    bool unverified;             /* some entries were written by a process before us */
    size_t waiting;              /* routes in ROUTE_WAITING */
    uint64_t writes;             /* entries written or deleted */
    uint64_t no_route, wrong_interface;
    struct strays strays;
    struct mroute_waiter *waiters; /* for the socket */
};

TAILQ_HEAD(mfc_list, mfc);

struct mfc *mfc_new(const struct mfc_host *host, uint8_t family, uint32_t table, uint64_t seed);

/* Closes the socket, frees everything, tells nobody. */
void mfc_free(struct mfc *mfc);

/* See mroute_adopt; the socket is set already. serial is that of the next route. */
int mfc_adopt(struct mfc *mfc, uint64_t *serial);

/* What mfc_add did. The replaced route is to be given to mfc_drop_old. */
struct mfc_change {
    enum route_change kind;
    struct route *old, *new; /* NULL: none */
};

/* Adds, replaces or leaves a route. serial is for a route that replaces no other. */
bool mfc_add(struct mfc *mfc, const struct args_add_mfc *args, const struct lease *lease, bool wait,
             uint64_t serial, struct mfc_change *ret, struct error *error);
void mfc_drop_old(struct mfc *mfc, struct route *old);

/* Takes a route out of the kernel and of the set, and frees it. */
void mfc_del(struct mfc *mfc, struct route *route);

/* Counts a message of the kernel, and keeps in mind which flow had no route. */
void mfc_note_upcall(struct mfc *mfc, const struct upcall *upcall);

void mfc_link_changed(struct mfc *mfc, const struct link_info *was, const struct link_info *is);

#endif
