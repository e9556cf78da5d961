/* What the administrator's files want of multicast routing and joins: read at the start and at a
 * reload, and applied as a difference. What clients asked for is not touched. See admin_files.h on
 * which files, and netbroker-multicast.conf(5) on what stands in them. */
#ifndef NB_CONFIGURED_H
#define NB_CONFIGURED_H

#include "resources/joins/joins.h"
#include "resources/mroute/mroute.h"

/* Reads the files, saying in the log what is wrong, and applies nothing. A file that is not there
 * is as good as an empty one. *ret_count: the statements in them. */
bool configured_check(const char *path, uid_t administrator, size_t *ret_count);

struct configured;

/* path is borrowed. NULL: no memory. */
struct configured *configured_new(struct mroute *mroute, struct joins *joins, const char *path,
                                  uid_t administrator);
void configured_free(struct configured *configured);

/* Reads and applies the files: all of them or, with a mistake in any, none. Tables that are not
 * open are opened first, so done may be called later; it is called once. */
void configured_load(struct configured *configured, void (*done)(void *context), void *context);

#endif
