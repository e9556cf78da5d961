/* The state file: all leases but those of sessions, for a start of the whole service.
 *
 * It is text, a lease a line (state_line.h), between a head and an end that count them and have a
 * digest. It is replaced by rename, so that there is always one whole file, a moment after
 * something has changed. What fails is tried again. */
#ifndef NB_CHECKPOINT_H
#define NB_CHECKPOINT_H

#include "broker/lease.h"

#include <uv.h>

/* The first line; the number is the version. What the first version lacks is the digest in the end.
 */
#define STATE_HEAD    "{\"netbroker-state\":2}\n"
#define STATE_HEAD_V1 "{\"netbroker-state\":1}\n"

/* The digest of all lines so far (FNV-1a, 64 bits): a disk's mistakes are found by it, an
 * attacker's are not. Begins with STATE_DIGEST_START. */
#define STATE_DIGEST_START UINT64_C(0xcbf29ce484222325)
uint64_t state_digest(uint64_t digest, const char *bytes, size_t n);

struct checkpoint;

/* Writes the leases to path (borrowed) when something has changed. NULL: no memory. */
struct checkpoint *checkpoint_new(uv_loop_t *loop, struct leases *leases, const char *path);

/* All that the file has is there, so it may be replaced from now on. */
void checkpoint_begin(struct checkpoint *checkpoint);

/* A lease has changed: the file is written within a second. */
void checkpoint_touch(struct checkpoint *checkpoint);

/* A lease has changed in a transaction; and all of one that has changed some is done. No file has a
 * part of a transaction, unless there is one at any time for ten seconds. */
void checkpoint_change(struct checkpoint *checkpoint, const struct transaction *transaction);
void checkpoint_commit(struct checkpoint *checkpoint);

/* Why the last file could not be written, an errno; 0: it was. */
int checkpoint_problem(const struct checkpoint *checkpoint);

/* Writes what is not written yet, at once, and frees the checkpoint when its handles are closed. */
void checkpoint_stop(struct checkpoint *checkpoint);

#endif
