/* The routes' place in the broker: its loop reads what the kernel says of packets and looks after
 * what was learned, the keeper opens tables and makes rules, and clients, users, the log and the
 * state file are told what happens to routes. */
#ifndef NB_ROUTING_H
#define NB_ROUTING_H

#include "keeper_link.h"
#include "limit.h"
#include "services.h"
#include "watch.h"

#include <uv.h>

struct kept;

struct routing_host {
    /* The state file is to be written. */
    void (*changed)(void *context);
    void *context;
};

/* A table's socket, watched for upcalls. */
struct upcall_watch {
    struct watch watch; /* first */
    struct routing *routing;
    int fd; /* a copy: the table may be closed before the handle is */
    uint8_t family;
    uint32_t table;
    bool used, closing;
};

struct routing {
    uv_loop_t *loop;
    uv_timer_t timer; /* active while there is something learned */
    struct services *services;
    struct keeper_link *keeper;
    struct routing_host host;
    struct upcall_watch watches[TABLES_MAX];
    bool stopped;
};

/* Makes services->mroute, which mroute_free frees when the loop has ended. False: no memory. */
bool routing_start(struct routing *routing, uv_loop_t *loop, struct services *services,
                   struct keeper_link *keeper, const struct routing_host *host, uint64_t seed);
void routing_stop(struct routing *routing);

void routing_set_limits(struct routing *routing, const struct limits *limits);

/* Takes over the tables that the keeper holds, and what they hold. */
void routing_adopt(struct routing *routing, const struct kept *kept);

#endif
