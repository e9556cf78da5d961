/* mfc replace: a file becomes the set of the user's routes.
 *
 * The whole file is read first, so a mistake in it costs nothing. Then the set is staged, and the
 * service puts it in place in one step. Joins are no part of the set: they are tried before, and
 * added at the end. */
#include "cli.h"
#include "statements/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replacement {
    const struct command_line *line;
    const struct nb_request *begin;
    struct batch batch;
    bool failed; /* no memory, while the file is read */
    size_t mistakes;
};

/* What is reported behind the reasons. */
static const struct fault nothing_changed = {.code = "aborted"};

/* --- The file ------------------------------------------------------------------------------ */

static bool keep_statement(void *context, unsigned number, const struct line *line)
{
    struct replacement *replacement = context;
    struct batch_item item = {
        .file = replacement->line->file, .line = number, .action = line->request.action};

    replacement->failed = !batch_add(&replacement->batch, &item, &line->json);
    return !replacement->failed;
}

static void say_mistake(void *context, unsigned number, const struct error *error)
{
    struct replacement *replacement = context;

    replacement->mistakes++;
    report(replacement->line,
           &(struct fault){.code = error_word(error->code),
                           .field = error->field,
                           .file = replacement->line->file,
                           .line = number},
           "%s", error->message);
}

static int read_statements(struct replacement *replacement)
{
    const char *path = replacement->line->file;
    const struct lines_reader reader = {keep_statement, say_mistake, replacement};
    char *text = NULL;
    size_t length = 0;
    int result = file_read(path, &text, &length);

    if (result < 0)
        return explain_file(replacement->line, path, result);
    if (length == 0 && strcmp(path, "-") == 0) { /* of a generator that failed */
        free(text);
        report(replacement->line, &nothing_changed,
               "the standard input is empty; nothing was changed. 'netbroker mfc flush' deletes "
               "your routes.");
        return EXIT_REFUSED;
    }
    lines_read(text, length, &reader);
    free(text);
    if (replacement->mistakes > 0)
        report(replacement->line, &nothing_changed, "%zu mistake%s in %s; nothing was changed.",
               replacement->mistakes, replacement->mistakes == 1 ? "" : "s", path);
    return replacement->failed || replacement->mistakes > 0 ? EXIT_REFUSED : EXIT_DONE;
}

/* --- What is shown ------------------------------------------------------------------------- */

/* "2 added, 1 replaced, 0 deleted, 97 unchanged." */
static void print_counts(const struct nb_value *payload, size_t joins)
{
    static const char *const words[] = {"added", "replaced", "deleted", "unchanged"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        printf("%s%" PRId64 " %s", i ? ", " : "Routes: ", member_number(payload, words[i]),
               words[i]);
    puts(".");
    if (joins)
        printf("Joins: %zu.\n", joins);
}

static void print_outcome(const struct replacement *replacement, const struct nb_reply *reply)
{
    const struct nb_value *payload = nb_reply_payload(reply);

    if (replacement->line->json) {
        print_payload(reply);
        return;
    }
    print_changes(payload);
    print_counts(payload, batch_count(&replacement->batch, action_find("ADD_JOIN")));
}

/* --- The set ------------------------------------------------------------------------------- */

/* Returns an exit status, or a negative errno of the connection, as all below. */
static int ask(struct nb_client *client, const struct nb_request *request,
               const struct replacement *replacement, bool shown)
{
    struct nb_reply *reply;
    int result = nb_call(client, request, &reply);

    if (result < 0)
        return result;
    if (nb_reply_code(reply))
        result = explain_refusal(replacement->line, reply);
    else if (shown)
        print_outcome(replacement, reply);
    nb_reply_free(reply);
    return result;
}

static int ask_action(struct nb_client *client, const char *action, bool dry_run,
                      const struct replacement *replacement, bool shown)
{
    struct nb_request *request;
    int result = nb_request_new(&request, action);

    if (result < 0)
        return result;
    if (dry_run)
        nb_request_set_bool(request, "dry_run", true);
    result = ask(client, request, replacement, shown);
    nb_request_free(request);
    return result;
}

static int send_all(struct nb_client *client, const struct replacement *replacement,
                    const char *action, bool dry_run)
{
    struct batch_result sent;
    int result = batch_send(client, &replacement->batch, action_find(action), dry_run, &sent);

    if (result < 0)
        return result;
    return sent.refused ? EXIT_REFUSED : EXIT_DONE;
}

static int stage(struct nb_client *client, const struct replacement *replacement)
{
    int result = ask(client, replacement->begin, replacement, false);

    if (result != EXIT_DONE)
        return result;
    result = send_all(client, replacement, "ADD_MFC", false);
    if (result == EXIT_REFUSED) {
        report(replacement->line, &nothing_changed, "nothing was changed.");
        ask_action(client, "ABORT", false, replacement, false);
    }
    return result;
}

static int replace(struct nb_client *client, const struct replacement *replacement)
{
    bool dry_run = command_line_flag(replacement->line, "dry_run");
    int result = send_all(client, replacement, "ADD_JOIN", true);

    if (result == EXIT_REFUSED)
        report(replacement->line, &nothing_changed, "nothing was changed.");
    if (result == EXIT_DONE)
        result = stage(client, replacement);
    if (result == EXIT_DONE)
        result = ask_action(client, "COMMIT", dry_run, replacement, true);
    if (result == EXIT_DONE && !dry_run)
        result = send_all(client, replacement, "ADD_JOIN", false);
    return result;
}

int run_replace(const struct command_line *line, struct nb_request *begin)
{
    struct replacement replacement = {.line = line, .begin = begin, .batch.line = line};
    struct nb_client *client;
    int result = read_statements(&replacement);

    if (result == EXIT_DONE) {
        result = connect_service(line, &client);
        if (result == 0) {
            result = replace(client, &replacement);
            nb_close(client);
        }
    }
    batch_clear(&replacement.batch);
    return result < 0 ? explain_unreachable(line, result) : result;
}
