/* Many requests of files, sent one behind the other without waiting for each reply. */
#ifndef NB_BATCH_H
#define NB_BATCH_H

#include "json.h"
#include "netbroker.h"
#include "table.h"

struct command_line;

/* A request, and where it stands. */
struct batch_item {
    const char *file; /* its name, the caller's */
    unsigned line;
    enum action action;
    size_t start, length; /* in the batch's text */
};

struct batch { /* all zero but for the line: empty */
    /* How mistakes are told, and how long each reply is waited for. */
    const struct command_line *line;
    struct batch_item *items;
    size_t count, capacity;
    struct json text;
};

/* What became of the requests of one sending. */
struct batch_result {
    size_t done, refused;
};

void batch_clear(struct batch *batch);

/* Appends the text of a request that the decoder accepts. False after it said that there is no
 * memory. */
bool batch_add(struct batch *batch, const struct batch_item *where, const struct json *text);

/* How many requests of this action it has. */
size_t batch_count(const struct batch *batch, enum action action);

/* Sends all requests of the action, as a trial where dry_run says so, and waits for the replies,
 * for each so long as the command line says.
 * Says on standard error what the service refuses, by file and line; the first ones in full.
 * Returns 0, or a negative errno of the connection. */
int batch_send(struct nb_client *client, const struct batch *batch, enum action action,
               bool dry_run, struct batch_result *ret);

/* --- Files --------------------------------------------------------------------------------- */

/* Reads a whole file, or the standard input where path is "-". The text is the caller's: release
 * it with free. Returns 0 or a negative errno, -EFBIG above 64 MiB. */
int file_read(const char *path, char **ret_text, size_t *ret_length);

#endif
