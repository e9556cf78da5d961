/* Routes' place in the broker: its loop reads what the kernel says of packets and looks after what
 * was learned, the keeper opens tables and makes rules, and events tell what happens to routes. */
#ifndef NB_MROUTE_KIND_H
#define NB_MROUTE_KIND_H

#include "broker/watch.h"
#include "broker/wire/call.h"
#include "healing.h"
#include "mroute.h"

struct mroute_kind;

#define MFC_OVERRIDDEN "mfc.overridden" /* the event that tells of a loss */

/* A table's socket, watched for upcalls. */
struct upcall_watch {
    struct watch watch; /* first */
    struct mroute_kind *kind;
    int fd; /* a copy: the table may be closed before the handle is */
    uint8_t family;
    uint32_t table;
    bool used, closing;
};

struct mroute_kind {
    struct resource_host host;
    struct mroute *mroute; /* owned */
    uv_timer_t timer;      /* active while there is something learned */
    struct upcall_watch watches[TABLES_MAX];
    LIST_HEAD(, observation) observations; /* what DIAGNOSE watches */
    struct healing healing;                /* of what others change */
    struct slice_job work;                 /* what follows from changes; nobody waits for it */
    bool works;                            /* it is among the slices */
    bool stopped;
};

/* The kind of the service that the call is made to, and its routes. */
struct mroute_kind *mroute_kind_of(const struct call *call);
struct mroute *mroute_of(const struct call *call);

/* What files want of routes. */
extern const struct configured_ops mroute_configured;

/* The metrics of routes. NULL: no memory. */
struct producer *mroute_metrics(void *self, bool each, const struct reader *reader);

/* Publishes what happened to a route. */
void publish_route(struct events *events, enum route_event event, const struct route *route);

/* Publishes that a route lost what it would have had of these sources and groups to another. */
void publish_overridden(struct events *events, const struct route *loser,
                        const struct prefix *source, const struct prefix *group);

/* The operation visit_overridden of resource.h. */
void mroute_visit_overridden(void *self, const struct request *request, const struct holder *holder,
                             bool (*visit)(void *context, const struct resource *loser,
                                           const struct target *lost),
                             void *context);

/* Tells of all routes of others that lose to a new one. */
void publish_losers(struct events *events, const struct route *route);

/* Publishes that packets came for which there is no route, or by the wrong interface. */
void publish_upcall(struct mroute_kind *kind, uint8_t family, uint32_t table,
                    const struct upcall *upcall);

#endif
