/* The channel between keeper and broker: fixed-size messages without pointers.
 *
 * Requests go through a pipe, so that no descriptor can come with them, on any kernel: the close of
 * a descriptor may block. Answers, which lend descriptors, come on a socket that the keeper never
 * reads and has shut for what is sent to it. A message is smaller than PIPE_BUF: it is written
 * whole or not at all (pipe(7)).
 *
 * The keeper treats what comes from the broker as hostile: each operation is a row of its table,
 * with a check of every value and a budget (table.h). A request carries an id, which the answer
 * repeats. Operations without an answer are statements: the keeper acts on them, and that is all.
 */
#ifndef NB_KEEPER_CHANNEL_H
#define NB_KEEPER_CHANNEL_H

#include "address.h"
#include "bounds.h"
#include "keeper/table.h"
#include "platform/packets.h"
#include "platform/taps.h"

#include <limits.h>
#include <stdint.h>

enum keeper_operation {
#define O(name, check, perform, result, burst, per_second) KEEPER_##name,
    KEEPER_OPERATIONS(O)
#undef O
        KEEPER_OPERATION_COUNT
};

enum {
    /* The broker says so this often, and is taken for hung when it did not for so long. */
    ALIVE_INTERVAL_MS = 3000,
    ALIVE_TIMEOUT_MS = 15000,
    STATUS_TEXT_MAX = 255,
    KEEPER_FDS_MAX = 8,       /* that one answer brings */
    KEEPER_PAYLOAD_MAX = 512, /* bytes that one notice brings */
    /* A broker asks no oftener, whatever its clients do. It stays below what the rows of rules
     * grant (table.h): who exceeds that is ended. */
    PACE_BURST = 4096,
    PACE_PER_SECOND = 800,
};

/* The ends that one side has. */
struct channel {
    int requests; /* of the pipe */
    int answers;  /* of the socket pair */
};

/* Which arguments an operation takes stands in its row. */
struct keeper_request {
    uint32_t id;        /* the answer has it again; of a statement it does not matter */
    uint32_t operation; /* enum keeper_operation */
    uint32_t family;    /* FAMILY_* */
    uint32_t number;
    uint32_t ifindex;
    char name[INTERFACE_NAME_MAX + 1]; /* of an interface */
    char text[STATUS_TEXT_MAX + 1];    /* printable ASCII */
    struct tap_config tap;
    struct packets_config packets;
};

_Static_assert(sizeof(struct keeper_request) < PIPE_BUF, "a pipe takes it whole or not at all");

/* With error 0, the answer to an operation that lends carries the descriptor.
 *
 * A notice has id 0, and nobody has asked for it: it is about what the operation makes, and goes to
 * who listens for that one. What its error and payload say is the affair of the operation's kind.
 */
struct keeper_answer {
    uint32_t id;
    uint32_t operation;  /* of a notice: enum keeper_operation */
    int32_t error;       /* 0 or a negative errno; -EAGAIN: too often; -EDQUOT: too many in all */
    uint32_t names_ever; /* how many of KEPT_NAMES_EVER_MAX were kept by now (kept.h) */
    char text[160];      /* more about an error, where there is more to say; terminated */
    unsigned char payload[KEEPER_PAYLOAD_MAX]; /* of a notice; without pointers */
};

#endif
