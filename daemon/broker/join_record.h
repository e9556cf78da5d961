/* What is joined, as the next broker finds it: records of one size in a file in memory, which the
 * keeper and, in its store, the service manager keep. Each change is in it before its reply is
 * written, so a broker may die at any time. The state file, which a disk has a moment later, is for
 * a start of the whole service.
 *
 * Holds of sessions are not in it: they end with the broker. What is read is checked as if it came
 * from a client. */
#ifndef NB_JOIN_RECORD_H
#define NB_JOIN_RECORD_H

#include "resources/joins/joins.h"

struct join_record {
    int fd;          /* -1: nothing is recorded. Not owned. */
    uint64_t *slots; /* owned: the lease of each record; 0: free */
    size_t count, capacity;
    uint64_t serial; /* of the next record: they are read in this order */
};

void join_record_init(struct join_record *record, int fd);
void join_record_clear(struct join_record *record);

/* Adds what a broker before us recorded. False: there is none, or it had not begun to: nothing is
 * added, and the record is empty. */
bool join_record_load(struct join_record *record, struct joins *joins);

/* All is there that is to be there at the start: from now on the record is the truth. */
void join_record_begin(struct join_record *record);

void join_record_hold(struct join_record *record, const struct join *join, const struct hold *hold);
void join_record_release(struct join_record *record, const struct hold *hold);

#endif
