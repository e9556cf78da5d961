/* The joins' place in the broker: its loop does their work, the keeper opens their sockets, and
 * clients, users, the log and the state file are told what happens to them. */
#ifndef NB_JOINING_H
#define NB_JOINING_H

#include "join_record.h"
#include "keeper_link.h"
#include "services.h"

#include <uv.h>

struct joining_host {
    /* The state file is to be written. */
    void (*changed)(void *context);
    void *context;
};

struct joining {
    uv_idle_t idle; /* active while there is work */
    struct services *services;
    struct keeper_link *keeper;
    struct keeper_call socket_call;
    struct joining_host host;
    struct join_record record;
};

/* Makes services->joins, which joins_free frees when the loop has ended. False: no memory. */
bool joining_start(struct joining *joining, uv_loop_t *loop, struct services *services,
                   struct keeper_link *keeper, const struct joining_host *host, uint64_t seed);

/* Records the joins in this file, which stays the caller's; those that a broker before us recorded
 * are added. Returns whether there was one that did: what it had is all there is to have. */
bool joining_record(struct joining *joining, int fd);

/* All joins of the start were added. */
void joining_loaded(struct joining *joining);
void joining_stop(struct joining *joining);

#endif
