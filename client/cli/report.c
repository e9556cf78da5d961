/* What is wrong, on standard error: a sentence for people, or with --json an object a line. */
#include "cli.h"
#include "json.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MESSAGE_MAX = 4096 };

/* --- A report ------------------------------------------------------------------------------ */

static void print_object(const struct fault *fault, const char *message)
{
    struct json json = {.limit = (size_t)8 * MESSAGE_MAX};
    char *safe;

    json_open(&json, '{');
    json_member_string(&json, "code", fault->code);
    if (fault->field && fault->field[0])
        json_member_string(&json, "field", fault->field);
    json_member_string(&json, "message", message);
    if (fault->file) {
        json_member_string(&json, "file", fault->file);
        json_member_unsigned(&json, "line", fault->line);
    }
    json_close(&json, '}');
    json_bytes(&json, "", 1);
    safe = json.failed ? NULL : safe_json_text(json.text);
    fprintf(stderr, "%s\n", safe ? safe : "{\"code\":\"no-memory\"}");
    free(safe);
    json_clear(&json);
}

static const char invalid[] = "Invalid argument: ";

/* The code says it already, and a person sees it. */
static const char *without_prefix(const char *message)
{
    return strncmp(message, invalid, sizeof invalid - 1) == 0 ? message + sizeof invalid - 1
                                                              : message;
}

void report(const struct command_line *line, const struct fault *fault, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (line->json) {
        print_object(fault, message);
        return;
    }
    if (fault->file) {
        print_safe(stderr, fault->file);
        fprintf(stderr, ":%u: ", fault->line);
    } else {
        fputs("netbroker: ", stderr);
    }
    print_safe(stderr, without_prefix(message));
    putc('\n', stderr);
}

int explain_no_memory(const struct command_line *line)
{
    report(line, &(struct fault){.code = "no-memory"}, "Out of memory.");
    return EXIT_REFUSED;
}

int explain_file(const struct command_line *line, const char *path, int error)
{
    report(line, &(struct fault){.code = "file"}, "cannot read '%s': %s.", path, strerror(-error));
    return EXIT_REFUSED;
}

/* --- The words of the command -------------------------------------------------------------- */

/* The field whose name stands in quotes at the text's beginning, or NULL. */
static const struct field *quoted_field(const struct action_row *row, const char *text)
{
    for (size_t i = 0; i < row->field_count; i++) {
        const char *name = option_field(row, &row->fields[i]);
        size_t length = strlen(name);

        if (text[0] == '\'' && strncmp(text + 1, name, length) == 0 && text[length + 1] == '\'')
            return &row->fields[i];
    }
    return NULL;
}

/* Whether an interface is named there, which may be called as an option is. */
static bool follows_interface(const char *message, const char *at)
{
    static const char word[] = "nterface ";
    size_t length = sizeof word - 1;

    return (size_t)(at - message) > length && memcmp(at - length, word, length) == 0;
}

const char *in_command_words(const struct action_row *row, const char *message, char *text,
                             size_t size)
{
    size_t used = 0;
    char name[64];

    message = without_prefix(message);
    text[0] = '\0';
    for (const char *at = message; *at && used + 1 < size;) {
        const struct field *field = follows_interface(message, at) ? NULL : quoted_field(row, at);

        if (field) {
            used += (size_t)snprintf(text + used, size - used, "%s",
                                     option_title(field, name, sizeof name));
            at += strlen(option_field(row, field)) + 2;
        } else {
            text[used++] = *at++;
            text[used] = '\0';
        }
    }
    return text;
}

int explain_refusal(const struct command_line *line, const struct nb_reply *reply)
{
    struct fault fault = {.code = nb_reply_code(reply), .field = nb_reply_field(reply)};
    char text[MESSAGE_MAX];

    report(line, &fault, "%s",
           line->json
               ? nb_reply_message(reply)
               : in_command_words(line->command.row, nb_reply_message(reply), text, sizeof text));
    return EXIT_REFUSED;
}

int explain_capture_refusal(const struct command_line *line, const struct nb_reply *reply)
{
    int status = explain_refusal(line, reply);

    if (!line->json && strcmp(nb_reply_code(reply), "not-allowed") == 0)
        fputs("'netbroker capture interfaces' shows what you may capture; options make a request "
              "narrower.\n",
              stderr);
    return status;
}

/* --- The connection ------------------------------------------------------------------------ */

static void explain_no_access(const char *path, char *text, size_t size)
{
    struct stat status;
    const struct group *group = stat(path, &status) == 0 ? getgrgid(status.st_gid) : NULL;

    if (group)
        snprintf(text, size,
                 "Members of the group '%s' may connect: ask your administrator "
                 "to add you to it (usermod -aG %s USER), then log in again.",
                 group->gr_name, group->gr_name);
    else
        snprintf(text, size,
                 "Members of the socket's group may connect: ask your "
                 "administrator to add you to it, then log in again.");
}

/* What would help. */
static void write_help(const char *path, int error, char *text, size_t size)
{
    static const struct {
        int error;
        const char *help;
    } helps[] = {
        {-ENOENT, "Is netbrokerd running? (systemctl start netbrokerd)"},
        {-ECONNREFUSED, "No service listens there. Is netbrokerd running? (systemctl start "
                        "netbrokerd)"},
        {-EPIPE, "The service ended the connection."},
        {-ECONNRESET, "The service ended the connection."},
        {-EBADMSG, "The program that answers there is not netbrokerd."},
    };

    text[0] = '\0';
    for (size_t i = 0; i < sizeof helps / sizeof *helps; i++)
        if (helps[i].error == error)
            snprintf(text, size, "%s", helps[i].help);
    if (error == -EACCES)
        explain_no_access(path, text, size);
    if (error == -ETIMEDOUT)
        snprintf(text, size,
                 "It is not known whether the request was performed; 'netbroker leases' shows "
                 "what is held. --timeout SECONDS waits longer.");
}

int explain_unreachable(const struct command_line *line, int error)
{
    const char *path = nb_socket_path(line->socket);
    struct fault fault = {.code = error == -ETIMEDOUT ? "timeout" : "unreachable"};
    char help[512], what[256];

    if (error == -ENOMEM)
        return explain_no_memory(line);
    write_help(path, error, help, sizeof help);
    if (error == -ETIMEDOUT)
        snprintf(what, sizeof what, "no reply from the service at %s within %g s.", path,
                 line->timeout);
    else
        snprintf(what, sizeof what, "cannot reach the service at %s: %s.", path, strerror(-error));
    report(line, &fault, "%s%s%s", what, help[0] ? " " : "", help);
    return EXIT_UNREACHABLE;
}
