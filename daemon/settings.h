/* Files of headings and settings: netbrokerd.conf(5) and netbroker-policy(5).
 *
 *     # a comment
 *     [HEADING]
 *     NAME = VALUE    ; a comment
 *
 * Reading knows no names; it hands each line to its reader, with the line's number. */
#ifndef NB_SETTINGS_H
#define NB_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

enum { SETTINGS_LINE_MAX = 198 }; /* bytes, without the newline */

/* What a file says goes to these. Lines are counted from 1. Texts are borrowed for the call. */
struct settings_reader {
    /* heading: NULL where it is a mistake, of which mistake() was told. */
    void (*heading)(void *context, int line, const char *heading);
    void (*setting)(void *context, int line, const char *name, const char *value);
    /* what: what is wrong with the line; right: what would be right. */
    void (*mistake)(void *context, int line, const char *what, const char *right);
    /* An indented line holds a further value of the setting before it. Without this, indentation
     * means nothing. */
    bool lists;
    void *context;
};

/* Reads the file to its end, also behind a mistake. Returns 0, or a negative errno where the file
 * cannot be read. */
int settings_read(FILE *file, const struct settings_reader *reader);

#endif
