/* A state file that is read: nothing of it is used before all of it was found whole. */
#ifndef NB_STATE_SOURCE_H
#define NB_STATE_SOURCE_H

#include "state_line.h"

#include <stdio.h>

/* The first line; the number is the version. What the first version lacks is the digest in the end.
 */
#define STATE_HEAD    "{\"netbroker-state\":2}\n"
#define STATE_HEAD_V1 "{\"netbroker-state\":1}\n"

struct state_source {
    FILE *file; /* NULL: there is none to read */
    bool has_digest;
    unsigned long lines, said_lines; /* that there are, and should be */
    uint64_t digest, said_digest;    /* the same */
};

/* Opens a file that is there and whole. False: there is none, or the log says what is wrong with
 * it; a damaged one is put aside as PATH.damaged. */
bool state_source_open(struct state_source *source, const char *path);

/* The next line; false: the end. */
bool state_source_next(struct state_source *source, struct saved *ret);

void state_source_close(struct state_source *source);

#endif
