/* Lines that wait to be written, where who reads them is slow, or does not read at all. Of those
 * that a later line makes up for, only some wait: the oldest are left out, and counted. Replies are
 * never left out: whoever writes lines for requests takes no more of those while many wait. Pure
 * code. */
#ifndef NB_STREAMS_LINES_H
#define NB_STREAMS_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lines_kind {
    LINES_REPLY,  /* is never left out */
    LINES_EVENT,  /* is left out where LINES_MAX bytes wait */
    LINES_STATUS, /* of each second: the oldest are left out where LINES_STATUS_MAX bytes wait */
};

enum { LINES_STATUS_MAX = 1 << 16, LINES_MAX = 1 << 20 };

struct line;

struct lines {
    struct line *first, *last;
    size_t bytes;     /* that wait */
    size_t written;   /* bytes of the first line */
    uint64_t dropped; /* lines that were left out and not told of */
    bool has_failed;  /* a reply had no memory */
};

/* Adds a line, which is copied and gets a newline. */
void lines_add(struct lines *lines, const char *text, enum lines_kind kind);

/* What is to be written next, as long as nothing is added; 0 bytes: nothing waits. */
size_t lines_next(const struct lines *lines, const char **ret);

/* So many bytes of it were written. */
void lines_wrote(struct lines *lines, size_t bytes);

/* Whether no more requests are to be taken. */
static inline bool lines_are_many(const struct lines *lines)
{
    return lines->bytes > LINES_MAX;
}

/* How many lines were left out since it was asked before; 0 as long as more may follow. */
uint64_t lines_take_dropped(struct lines *lines);

void lines_clear(struct lines *lines);

#endif
