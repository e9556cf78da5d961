/* The joins' place in the broker: its loop does their work, the keeper opens their sockets, and
 * events and the log tell what happens to them. */
#ifndef NB_JOIN_KIND_H
#define NB_JOIN_KIND_H

#include "broker/wire/call.h"
#include "joins.h"

struct join_kind {
    struct resource_host host;
    struct joins *joins; /* owned */
    uv_idle_t idle;      /* active while there is work */
    struct keeper_call socket_call;
};

/* The joins of the service that the call is made to. */
struct joins *joins_of(const struct call *call);

/* What files want of joins. */
extern const struct configured_ops join_configured;

/* Publishes what happened to a join. */
void publish_join(struct events *events, enum join_event event, const struct join *join);

#endif
