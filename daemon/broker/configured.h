/* What the administrator's files want of multicast routing and joins: read at the start and at a
 * reload, and applied as a difference. What clients asked for is not touched. See admin_files.h on
 * which files, and netbroker-multicast.conf(5) on what stands in them. */
#ifndef NB_CONFIGURED_H
#define NB_CONFIGURED_H

#include "resources/joins/joins.h"
#include "resources/mroute/mroute.h"
#include "slices.h"

/* For --check-config: reads the files, saying in the log what is wrong, and applies nothing. A file
 * that is not there is as good as an empty one. *ret_count: the statements in them. */
bool configured_check(const char *path, uid_t administrator, size_t *ret_count);

struct configured;

/* What it works on, all borrowed. */
struct configured_host {
    uv_loop_t *loop;
    struct slices *slices;
    struct mroute *mroute;
    struct joins *joins;
};

/* path is borrowed. NULL: no memory. */
struct configured *configured_new(const struct configured_host *host, const char *path,
                                  uid_t administrator);

/* Reads and applies the files: all of them or, with a mistake in any, none. It is read in a thread
 * and applied in slices, and done is called later, once, with whether the files were without
 * mistake; where a load is under way, this one follows it, and those that are asked for until then
 * are one. */
void configured_load(struct configured *configured, void (*done)(void *context, bool read),
                     void *context);

/* No done is called any more, and nothing applied but what has begun (see slices_finish). */
void configured_stop(struct configured *configured);

/* When the loop has ended. */
void configured_free(struct configured *configured);

#endif
