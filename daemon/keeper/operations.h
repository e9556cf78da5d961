/* What the broker may ask of the keeper: a table of operations, each with a check of its values, an
 * act, and a budget. See operations.c. */
#ifndef NB_KEEPER_OPERATIONS_H
#define NB_KEEPER_OPERATIONS_H

#include "channel.h"
#include "keeper.h"

struct budget {
    unsigned left;
    int64_t filled_ms; /* when it was filled up last */
};

/* What the operations work on. */
struct operations {
    const struct config *config;
    struct kept *kept;
    /* The broker serves: for the first time, or again after a reload. */
    void (*ready)(void *context);
    /* The broker's loop turns. */
    void (*alive)(void *context);
    void *context;
    struct budget budgets[KEEPER_OPERATION_COUNT];
};

/* A new broker begins: it has its budgets whole. */
void operations_begin(struct operations *operations);

/* Takes one request from the keeper's end of the channel, and answers it. False: the broker is
 * ending, or does what no broker of ours does; it must end. */
bool operations_take(struct operations *operations, const struct channel *channel);

#endif
