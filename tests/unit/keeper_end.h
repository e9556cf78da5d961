/* The keeper's end of a channel, in the loop of a test: the keeper's table of operations on the
 * fake platform, and the broker's link to it. */
#ifndef NB_UNIT_KEEPER_END_H
#define NB_UNIT_KEEPER_END_H

#include "broker/keeper_link.h"
#include "keeper/operations.h"

struct keeper_end {
    struct config config;
    struct kept kept;
    struct operations operations;
    struct keeper_link link;
    uv_poll_t poll;
    struct channel channel; /* the keeper's ends */
    unsigned ready;         /* how often the broker said so */
    bool ended;             /* the keeper would have killed the broker */
};

/* Begins to answer. *end is zero, but for what the test chose in config and kept. */
void keeper_end_start(struct keeper_end *end, uv_loop_t *loop);

/* Requests wait, or are read again. */
void keeper_end_listen(struct keeper_end *end, bool listens);

/* Closes its handles and what it kept. */
void keeper_end_stop(struct keeper_end *end);

#endif
