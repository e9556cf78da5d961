/* The journal: what is wanted, in memory that outlives the broker (platform/memory.h). The broker
 * that comes after one that died reads it and finds exactly what was acknowledged.
 *
 * It is a log of records. A put says what a lease is (a line of text), a drop that it ended; both
 * belong to a transaction and count when its commit was written, which is done before anybody is
 * told of the change. For each lease the last record that counts wins. A write is a copy and the
 * store of the new end: no system call, and a broker that is killed in between leaves what was
 * there before.
 *
 * The memory has two halves. When one has much that does not count any more, what does is copied
 * to the other, in slices, and one store makes that the one that is read.
 *
 *     head    what it is, which half is read (its generation), and where each half ends
 *     half 0  records, each of a multiple of 8 bytes, with a checksum that depends on its place
 *     half 1  the same
 *
 * A journal is opened to be read and to be written anew: what it has stays until journal_trust says
 * that the new broker has written all that it took over. */
#ifndef NB_JOURNAL_H
#define NB_JOURNAL_H

#include "broker/transaction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* What was found in the memory. */
enum journal_content {
    JOURNAL_NEW,     /* nobody has written to it */
    JOURNAL_WHOLE,   /* what the last broker acknowledged */
    JOURNAL_DAMAGED, /* nothing of it can be used */
};

struct journal_found {
    enum journal_content content;
    size_t damage; /* the offset in the memory of what is not as it was written */
};

/* Maps the memory (borrowed; of a fixed size). NULL: errno says why there is no journal. */
struct journal *journal_begin(int fd);

/* Looks through so many records of what the memory has, before anything else: a full one takes some
 * hundred milliseconds. 1: there are more; 0: *ret is what was found; a negative errno: there is
 * no memory for it, and the journal can only be closed. */
int journal_find(struct journal *journal, size_t records, struct journal_found *ret);

/* Both, at once. */
struct journal *journal_open(int fd, struct journal_found *ret);
void journal_close(struct journal *journal);

/* What a lease is. */
struct journal_line {
    uint64_t lease;
    const char *text; /* not terminated; until the next one is read */
    size_t length;    /* 0: somebody has changed it since the journal was opened */
    size_t offset;    /* of its record in the memory */
};

/* The next lease of a whole journal, in the order in which they came. *position begins at 0. False:
 * there is none. */
bool journal_next(struct journal *journal, size_t *position, struct journal_line *ret);

/* From now on what was written since it was opened is the truth, and what it had before is gone. */
void journal_trust(struct journal *journal);

/* Whether that many lines of n bytes in all can be put. Asked before changes are made: a record
 * for which there is no room is the end of the journal. */
bool journal_has_room(struct journal *journal, size_t lines, size_t n);

/* The lease is what the line of n bytes (REQUEST_MAX at most) says, or ended. Without a transaction
 * it counts at once. */
void journal_put(struct journal *journal, struct transaction *transaction, uint64_t lease,
                 const char *line, size_t n);
void journal_drop(struct journal *journal, struct transaction *transaction, uint64_t lease);

/* All of the transaction counts from now on. It is as it began, then. */
void journal_commit(struct journal *journal, struct transaction *transaction);

/* Whether there is enough that does not count any more to compact it, or that has begun. It goes on
 * by each call of journal_compact, which looks at some records; false: it is done. */
bool journal_wants_compaction(const struct journal *journal);
bool journal_compact(struct journal *journal, size_t records);

struct journal_use {
    size_t used, capacity; /* bytes */
    const char *problem;   /* why it is not written any more; NULL: it is */
};

struct journal_use journal_use(const struct journal *journal);

#endif
