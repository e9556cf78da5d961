/* The channel between keeper and broker: fixed-size messages without pointers.
 *
 * Requests go through a pipe, so that no descriptor can come with them, on any kernel: the close of
 * a descriptor may block. Answers, which lend descriptors, come on a socket that the keeper never
 * reads and has shut for what is sent to it. A message is smaller than PIPE_BUF: it is written
 * whole or not at all (pipe(7)).
 *
 * The keeper treats what comes from the broker as hostile: each operation is a row of its table,
 * with a check of every value and a budget (operations.c). A request carries an id, which the
 * answer repeats. Operations without an answer are statements: the keeper acts on them, and that is
 * all.
 */
#ifndef NB_KEEPER_CHANNEL_H
#define NB_KEEPER_CHANNEL_H

#include "bounds.h"

#include <stdint.h>

enum keeper_operation {
    KEEPER_READY,        /* statement: the broker serves; told to the service manager */
    KEEPER_ALIVE,        /* statement: its loop turns */
    KEEPER_OPEN_MROUTE,  /* open the socket that owns a multicast routing table, and lend it */
    KEEPER_CLOSE_MROUTE, /* statement: close the kept copy of it, and delete its rules */
    KEEPER_ADD_RULE,     /* lead packets from an interface to an open table */
    KEEPER_DEL_RULE,     /* statement: no more; the interface may be gone already */
    KEEPER_OPEN_JOINS,   /* open a socket for group memberships, and lend it */
    KEEPER_JOINED,       /* statement: all that is wanted is joined: older sockets may go */
    KEEPER_STATUS,       /* statement: what the service does; told to the service manager */
    KEEPER_OPERATION_COUNT
};

enum {
    /* The broker says so this often, and is taken for hung when it did not for so long. */
    ALIVE_INTERVAL_MS = 3000,
    ALIVE_TIMEOUT_MS = 15000,
    STATUS_TEXT_MAX = 255,
    /* A broker asks no oftener, whatever its clients do. It stays below the budgets of rules in
     * operations.c: who exceeds those is ended. */
    PACE_BURST = 4096,
    PACE_PER_SECOND = 800,
};

/* The ends that one side has. */
struct channel {
    int requests; /* of the pipe */
    int answers;  /* of the socket pair */
};

struct keeper_request {
    uint32_t id;        /* the answer has it again; of a statement it does not matter */
    uint32_t operation; /* enum keeper_operation */
    uint32_t family;    /* FAMILY_* */
    uint32_t table;
    uint32_t ifindex;                 /* KEEPER_ADD_RULE: the interface */
    char iif[INTERFACE_NAME_MAX + 1]; /* KEEPER_DEL_RULE: what it was called */
    char text[STATUS_TEXT_MAX + 1];   /* KEEPER_STATUS: printable ASCII */
};

/* With error 0, the answer to an operation that lends carries the descriptor. */
struct keeper_answer {
    uint32_t id;
    int32_t error;   /* 0 or a negative errno; -EAGAIN: too often; -EDQUOT: too many in all */
    char owner[160]; /* with -EADDRINUSE: who owns the table; terminated */
};

#endif
