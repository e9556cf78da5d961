/* What the broker may ask of the keeper: operations, each with a check of its values, an act, and a
 * budget. See operations.c, and table.h for the rows. */
#ifndef NB_KEEPER_OPERATIONS_H
#define NB_KEEPER_OPERATIONS_H

#include "channel.h"
#include "errands.h"
#include "kept.h"
#include "spares.h"

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
    /* Has what takes long done later, in the order in which it came. False: there is too much of
     * it already. */
    bool (*defer)(void *context, const struct errand *errand);
    /* Sends it to the broker, if there is one. NULL: nobody is to hear of anything. */
    void (*notify)(void *context, const struct keeper_answer *notice);
    void *context;
    /* Descriptors that an operation hands over behind the one that it returns: for its answer, and
     * closed with it. */
    unsigned more_count;
    int more[KEEPER_FDS_MAX - 1];
    struct spares spares;
    struct budget budgets[KEEPER_OPERATION_COUNT];
};

#define O(name, check, perform, result, burst, per_second)                                         \
    int check(const struct operations *operations, const struct keeper_request *request);          \
    int perform(struct operations *operations, const struct keeper_request *request,               \
                struct keeper_answer *answer);
KEEPER_OPERATIONS(O)
#undef O

/* A new broker begins: what is kept is ready for it, and it has its budgets whole. */
void operations_begin(struct operations *operations);

/* Takes one request from the keeper's end of the channel, and answers it. False: the broker is
 * ending, or does what no broker of ours does; it must end. */
bool operations_take(struct operations *operations, const struct channel *channel);

#endif
