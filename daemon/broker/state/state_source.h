/* A state file that is read: nothing of it is used before all of it was found whole. */
#ifndef NB_STATE_SOURCE_H
#define NB_STATE_SOURCE_H

#include "state_line.h"

#include <stdio.h>

struct state_source {
    FILE *file;                      /* NULL: there is none to read */
    bool has_head;                   /* it was read */
    bool has_digest;                 /* and is of a file with one */
    unsigned long lines, said_lines; /* that there are, and should be */
    uint64_t digest, said_digest;    /* the same */
};

/* Opens a file, if there is one that can be read: it is checked next. */
bool state_source_open(struct state_source *source, const char *path);

/* Looks at the next line, up to the end. True: there are more. A file that is not whole is closed
 * and put aside as PATH.damaged, and the log says why; one that is, is read from its start. */
bool state_source_check(struct state_source *source, const char *path);

/* The next line; false: the end. */
bool state_source_next(struct state_source *source, struct saved *ret);

void state_source_close(struct state_source *source);

#endif
