/* What the parts of the command share. */
#ifndef NB_CLI_H
#define NB_CLI_H

#include "netbroker.h"
#include "table.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,     /* the service said no */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_UNREACHABLE = 3, /* the service cannot be reached */
};

struct command_line {
    const char *socket; /* NULL: not given */
    bool json;
    bool help;
    bool version;
    enum action action; /* ACTION_COUNT: none */
    int words_end;      /* argv index behind the words of the command */
};

/* --- arguments.c: the command line, by the action table ------------------------------------ */

/* Finds the command and the options that all commands have. Returns EXIT_DONE, or EXIT_USAGE after
 * it said what is wrong. */
int command_line_parse(struct command_line *line, int argc, char **argv);

/* Fills the request with the command's own options; common ones may stand among them. Returns as
 * command_line_parse. */
int command_line_request(struct command_line *line, int argc, char **argv,
                         struct nb_request *request);

/* --- help.c -------------------------------------------------------------------------------- */

void help_print(void);
void help_print_action(enum action action);

/* "--dry-run" for the field dry_run; text has room for a field's name and 3 bytes more. */
const char *option_name(const struct field *field, char *text, size_t size);

/* --- columns.c: tables for people ---------------------------------------------------------- */

struct columns;

/* Begins a table with these headings, NULL behind the last. Ends the program without memory. */
struct columns *columns_new(const char *const *headings);

/* Adds the next cell, row by row. */
void columns_add(struct columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the table and releases it. On a terminal, lines are cut to its width. */
void columns_print(struct columns *columns);

/* --- How replies are shown ----------------------------------------------------------------- */

typedef void printer(const struct nb_reply *reply);

printer print_message, print_routes, print_vifs, print_everything, print_leases, print_status,
    print_schema, print_findings, print_metrics;

/* Prints events until the connection ends. */
int watch_events(struct nb_client *client, const struct nb_request *request, bool json);

/* Says what keeps the service from being reached, and what would help. Returns EXIT_UNREACHABLE. */
int explain_unreachable(const char *path, int error);

/* Prints why the service refused. Returns EXIT_REFUSED. */
int explain_refusal(const struct nb_reply *reply);

#endif
