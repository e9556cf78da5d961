/* The state file: the wanted routes and joins, kept over a restart.
 *
 * It is text, one request a line, between a head and an end that count them: what is read back
 * goes through the same decoder as a client's bytes, and a file that is not whole is not used at
 * all. It is replaced by rename, so that there is always one whole file. */
#ifndef NB_STATE_H
#define NB_STATE_H

#include "resources/joins/joins.h"
#include "resources/mroute/mroute.h"

#include <uv.h>

struct state;

/* Keeps routes and joins at path (borrowed). NULL: no memory. */
struct state *state_new(uv_loop_t *loop, struct mroute *mroute, struct joins *joins,
                        struct links *links, const char *path);

/* Reads the file and adds its routes and joins, then calls done, perhaps at once. With all: each of
 * the routes; else only those that name a missing interface, because all others are in the kernel,
 * or were deleted after the file was written. With joins: also its joins.
 * Says in the log what it could not use. */
void state_load(struct state *state, bool all, bool joins, void (*done)(void *context),
                void *context);

/* Ends what sessions held in the last broker's time. Call it after mroute_settle: what was learned
 * from their ranges goes with them. */
void state_drop_orphans(struct state *state);

/* A route or a join changed: the file is written within a second. */
void state_touch(struct state *state);

/* Why the last file could not be written, an errno; 0: it was. It is tried again by itself. */
int state_problem(const struct state *state);

/* Writes what is not written yet, at once, and frees the state when its handles are closed. */
void state_stop(struct state *state);

#endif
