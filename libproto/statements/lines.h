/* Files of the configuration syntax (line.h). Reading is pure: bytes in, statements and mistakes
 * out. */
#ifndef NB_LINES_H
#define NB_LINES_H

#include "line.h"

/* What a whole file says goes to these. Lines are counted from 1. */
struct lines_reader {
    /* A request: its text and what it means, borrowed for the call. False ends the reading. */
    bool (*statement)(void *context, unsigned number, const struct line *line);
    void (*mistake)(void *context, unsigned number, const struct error *error);
    void *context;
};

/* Reads a file of n bytes, also behind a mistake. Thresholds hold for the whole file, wherever they
 * stand in it. Returns whether there was no mistake and no statement ended the reading. */
bool lines_read(const char *bytes, size_t n, const struct lines_reader *reader);

/* Whether no line with a mistake sets a threshold, or may have been meant to. Where one does, the
 * other lines do not say how far packets may go. */
bool lines_thresholds_are_right(const char *bytes, size_t n);

#endif
