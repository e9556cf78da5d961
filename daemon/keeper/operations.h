/* What the broker may ask of the keeper: operations, each with a check of its values, an act, and a
 * budget. See operations.c, and table.h for the rows. */
#ifndef NB_KEEPER_OPERATIONS_H
#define NB_KEEPER_OPERATIONS_H

#include "channel.h"
#include "errands.h"
#include "kept.h"

#include <stddef.h>

struct budget {
    unsigned left;
    int64_t filled_ms; /* when it was filled up last */
};

enum keeper_hook {
#define H(name) KEEPER_HOOKS_##name,
    KEEPER_HOOKS(H)
#undef H
        KEEPER_HOOKS_COUNT
};

/* So much of its own each kind with hooks may have in the keeper, which allocates nothing. */
enum { KEEPER_STATE_MAX = 32 << 10 };

struct kind_state {
    _Alignas(max_align_t) unsigned char bytes[KEEPER_STATE_MAX];
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
    struct kind_state states[KEEPER_HOOKS_COUNT]; /* zero at first; see operations_state */
    struct budget budgets[KEEPER_OPERATION_COUNT];
};

/* What a kind does in the keeper when nobody asks. NULL: nothing. */
struct keeper_hooks {
    /* A new broker begins: notices tell it what there is. */
    void (*begin)(struct operations *operations);
    /* Work of the process beside the loop is done (errands.h). */
    void (*errands_ended)(struct operations *operations);
    /* In a process that has nothing to do with it: closes what that has copies of. */
    void (*forked)(const struct operations *operations);
};

#define H(name) extern const struct keeper_hooks name##_hooks;
KEEPER_HOOKS(H)
#undef H

#define O(name, check, perform, result, burst, per_second)                                         \
    int check(const struct operations *operations, const struct keeper_request *request);          \
    int perform(struct operations *operations, const struct keeper_request *request,               \
                struct keeper_answer *answer);
KEEPER_OPERATIONS(O)
#undef O

/* The KEEPER_STATE_MAX bytes of this kind: its own from the keeper's start to its end, zero at
 * first. */
void *operations_state(const struct operations *operations, enum keeper_hook kind);

/* A new broker begins: what is kept is ready for it, and it has its budgets whole. */
void operations_begin(struct operations *operations);

/* Work of the process beside the loop is done. */
void operations_errands_ended(struct operations *operations);

/* In a broker: closes what the kinds have in the keeper alone. */
void operations_forked(const struct operations *operations);

/* Takes one request from the keeper's end of the channel, and answers it. False: the broker is
 * ending, or does what no broker of ours does; it must end. */
bool operations_take(struct operations *operations, const struct channel *channel);

#endif
