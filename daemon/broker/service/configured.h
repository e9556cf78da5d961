/* What the administrator's files want, of any kind: read at the start and at a reload, and applied
 * as a difference. What clients asked for is not touched. See admin_files.h on
 * which files, and netbroker-multicast.conf(5) on their words. */
#ifndef NB_CONFIGURED_H
#define NB_CONFIGURED_H

#include "broker/resource.h"
#include "mistakes.h"

/* For --check-config: reads the files, adding to *mistakes what is wrong, and applies nothing. A
 * file that is not there is as good as an empty one, unless it is required. *ret_count: the
 * statements in them. */
bool configured_check(const char *path, bool required, uid_t administrator,
                      struct mistakes *mistakes, size_t *ret_count);

struct configured;

/* All is borrowed. required: a mistake, where no file is there. NULL: no memory. */
struct configured *configured_new(uv_loop_t *loop, const struct kind_selves *selves,
                                  const char *path, bool required, uid_t administrator);

enum configured_use {
    CONFIGURED_ALL_OR_NONE, /* at a reload: with a mistake, what is in force stays */
    /* At a start: with mistakes, what has none is applied, and what is in force from before stays
     * as well. A file with a mistake in a line that sets a threshold is left out: without the
     * threshold what it asks for would reach further than it may. */
    CONFIGURED_WHAT_IS_RIGHT,
};

/* Reads and applies the files. They are read in a thread and applied in slices, and done is called
 * later, once, with the mistakes that were found; where a load is under way, this one follows it,
 * and those that are asked for until then are one. */
typedef void configured_done(void *context, const struct mistakes *mistakes);
void configured_load(struct configured *configured, enum configured_use use, configured_done *done,
                     void *context);

/* No done is called any more, and nothing applied but what has begun (see slices_finish). */
void configured_stop(struct configured *configured);

/* When the loop has ended. */
void configured_free(struct configured *configured);

#endif
