/* What the parts of the command share. */
#ifndef NB_CLI_H
#define NB_CLI_H

#include "batch.h"
#include "commands.h"
#include "netbroker.h"

#include <stdio.h>

enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,     /* the service said no */
    EXIT_NEGATIVE = 1,    /* a question was answered: a problem was found, or it is not allowed */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_UNREACHABLE = 3, /* the service cannot be reached, or does not answer */
};

#define TIMEOUT_DEFAULT 10.0

enum { OPTION_VALUES_MAX = 64 };

/* What the command line gives of an option. */
struct option_value {
    const struct field *option;
    const char *text;
};

struct command_line {
    const char *socket; /* NULL: not given */
    bool json;
    bool help;
    bool version;
    unsigned common_given;  /* a bit for each of these options that has a value */
    double timeout;         /* how long to wait for a reply, in seconds */
    const char *family;     /* help is asked for its commands; NULL: for none or one command */
    struct command command; /* its row is NULL where no command is given */
    int words_end;          /* argv index behind the words of the command */
    const char *file;       /* of one of our own commands */
    uint64_t given;         /* a bit for each option of the command that is given */
    double interval;        /* of --watch, in seconds; 0: not given */
    char **words;           /* of a command to run, behind "--", with NULL at their end; or NULL */
    size_t value_count;
    struct option_value values[OPTION_VALUES_MAX];
};

/* --- words.c: commands, and what a mistyped word may mean ----------------------------------- */

/* The candidate that is nearest to a word; "" where none is near. */
struct guess {
    const char *word;
    size_t distance; /* candidates must be nearer */
    char best[64];
};

void guess_begin(struct guess *guess, const char *word);
void guess_consider(struct guess *guess, const char *candidate);

/* The second word of a command of this family, e.g. "add" of "mfc add" and "mfc"; NULL: it is of
 * another one. */
const char *verb_of(const char *command, const char *family);

/* Whether it is the first of the words of several commands, such as "mfc". */
bool is_family(const char *word);

/* Finds the command whose words stand at this place, the one of the most words. Returns how many
 * these are; 0: there is no such command, and its row is NULL. */
int words_match(struct command *command, int argc, char **argv, int at);

/* Says what may be meant by the word at this place. Returns EXIT_USAGE. */
int say_unknown_command(const struct command_line *line, int argc, char **argv, int at);

/* --- common.c: options of every command ---------------------------------------------------- */

/* Finds the command and the options that all commands have. Returns EXIT_DONE, or EXIT_USAGE after
 * it said what is wrong. */
int command_line_parse(struct command_line *line, int argc, char **argv);

/* Reads one of these options. Returns how many words it took, 0 if it is another one, -1 on a
 * mistake. */
int common_take(struct command_line *line, int argc, char **argv, int at);

/* Whether the word is one of them, perhaps with its value. */
bool common_is(const char *word);

/* Their names, for a word that is none. */
void common_consider(struct guess *guess);

/* Whether a person looks at the standard error, on a terminal that a line can be erased of. */
bool shows_progress(const struct command_line *line);

/* A number of seconds as options take it. */
bool parse_seconds(const char *text, double *ret);

/* Says what is wrong with the command line, and where help for this command is, or with "" for all.
 * field is that of the protocol, or NULL. Returns EXIT_USAGE. */
int say_usage(const struct command_line *line, const char *command, const char *field,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

/* --- arguments.c: the command line, by the action table ------------------------------------ */

/* Fills the request with the command's own options; common ones may stand among them. Of a command
 * that is no action, files go into *line instead. Returns as command_line_parse. */
int command_line_request(struct command_line *line, int argc, char **argv,
                         struct nb_request *request);

/* Judges the request as the service would without a look at anything but it. Returns as
 * command_line_parse. */
int command_line_check(const struct command_line *line, const struct nb_request *request);

/* Whether this option of the command was given, by its name in the row. */
bool command_line_flag(const struct command_line *line, const char *name);

/* What is given of an option that takes a value: the text that stands there as the nth, from 0.
 * NULL: there are no more. */
const char *command_line_value(const struct command_line *line, const char *name, unsigned nth);

/* The number that is given of it, from low to high; *ret stays where it is not given. False:
 * say_usage has said what is wrong. */
bool command_line_real(const struct command_line *line, const char *name, double low, double high,
                       double *ret);

/* --- help.c -------------------------------------------------------------------------------- */

void help_print(void);
void help_print_family(const char *family);
void help_print_command(const struct action_row *row);

/* "--dry-run" for the field dry_run; text has room for a field's name and 3 bytes more. */
const char *option_name(const struct field *field, char *text, size_t size);

/* The same for an option with a name; else what stands for it, e.g. "LEASE". */
const char *option_title(const struct field *field, char *text, size_t size);

/* "mfc add --group GROUP[/LENGTH] --iif INTERFACE ...", with what is required. Returns text. */
const char *usage_form(const struct action_row *row, char *text, size_t size);

/* --- report.c: what is wrong, on standard error --------------------------------------------- */

struct fault {
    const char *code;  /* a word for programs: of error.h, or usage, unreachable, timeout, file */
    const char *field; /* of the protocol; NULL or "": none */
    const char *file;  /* where the mistake stands, by the line; NULL: in none */
    unsigned line;
};

/* A sentence for people, or with --json an object on a line. */
void report(const struct command_line *line, const struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the service says, said of the options of the command: "--group ..." for "Invalid argument:
 * 'group' ...". Returns text. */
const char *in_command_words(const struct action_row *row, const char *message, char *text,
                             size_t size);

/* Says what keeps the service from being reached, and what would help. Returns EXIT_UNREACHABLE. */
int explain_unreachable(const struct command_line *line, int error);

/* Says why the service refused. Returns EXIT_REFUSED. */
int explain_refusal(const struct command_line *line, const struct nb_reply *reply);

/* Says why a file cannot be read, by a negative errno. Returns EXIT_REFUSED. */
int explain_file(const struct command_line *line, const char *path, int error);

/* Says that there is no memory. Returns EXIT_REFUSED. */
int explain_no_memory(const struct command_line *line);

/* --- safe.c: text from outside, made harmless ----------------------------------------------- */

/* With "\\x1b" for a byte that plays with a terminal or reorders a line: control characters, also
 * those of C1, bidirectional controls, and bytes that are no UTF-8. The text is yours; NULL: no
 * memory. */
char *safe_text(const char *text);

/* Prints it so; the second lets the newlines of a text of several lines pass. */
void print_safe(FILE *file, const char *text);
void print_safe_lines(FILE *file, const char *text);

/* The same on standard output, as printf(3) prints it by a format with one "%s". */
void printf_safe(const char *format, const char *text);

/* The value as JSON text on one line, where such characters are escaped as JSON has it, which means
 * the same. The text is yours; NULL: no memory. */
char *safe_json(const struct nb_value *value);
char *safe_json_text(const char *json);

/* --- columns.c: tables for people ---------------------------------------------------------- */

struct columns;

/* Begins a table. Ends the program without memory. */
struct columns *columns_new(void);

/* Adds the next cell, row by row, and makes it harmless. The first row are the headings. */
void columns_add(struct columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void columns_end_headings(struct columns *columns);

/* The column may be left out where a terminal has no room for all; what is named first goes first.
 * if_same: only where all its cells are the same. */
void columns_may_leave_out(struct columns *columns, const char *heading, bool if_same);

/* Prints the table, in so many lines at most (0: any number; of rows that do not fit it tells the
 * number), and releases it. On a terminal that is too narrow, columns that may be are left out, and
 * then lines are cut. */
void columns_print(struct columns *columns, size_t lines);

/* The width of the terminal; 0: any will do, because no person looks. */
size_t terminal_width(void);

/* Prints text, made harmless, in lines of at most width, broken between words. Each but the first
 * is behind indent spaces; of the first as many are used already. */
void print_wrapped(const char *text, size_t indent, size_t width);

/* --- How replies are shown ----------------------------------------------------------------- */

typedef void printer(const struct nb_reply *reply);

printer print_message, print_addition, print_tap, print_tap_facts, print_everything, print_status,
    print_schema, print_findings, print_metrics;

/* The exit status that a reply which answers a question means, however it is shown. */
typedef int judge(const struct nb_reply *reply);

judge judge_findings, judge_decision;

/* The payload as one line of JSON, for programs. */
void print_payload(const struct nb_reply *reply);

/* A member of an object: "" or 0 where there is none. */
const char *member_text(const struct nb_value *object, const char *key);
int64_t member_number(const struct nb_value *object, const char *key);

/* The outgoing interfaces of a route as "eth1 eth2(ttl 16)", with the thresholds that are not 1. */
void route_oifs(const struct nb_value *route, char *line, size_t size);

/* The source of a route, "*" for any. */
const char *route_source(const struct nb_value *route);

/* --- lists.c: lists of items of one kind --------------------------------------------------- */

struct live; /* live.c */

struct column {
    const char *heading; /* NULL behind the last one */
    const char *key;     /* of the item's member */
    void (*add)(struct columns *columns, const struct nb_value *item, const char *key);
};

/* Where --watch shows the growth of the counters. */
#define COLUMN_RATES                                                                               \
    {                                                                                              \
        "", NULL, NULL                                                                             \
    }

enum { LISTING_COLUMNS_MAX = 15, LISTING_KEYS_MAX = 5 };

struct listing {
    const char *list; /* the payload's member that has the items */
    const char *none; /* what is said where there is none; NULL: nothing */
    struct column columns[LISTING_COLUMNS_MAX + 1];
    /* The headings that a terminal may have no room for, from what says least on: "=" where all its
     * cells are the same, "?" also where all are of their family's default table, "+" where it is
     * watched. */
    const char *spare;
    const char *identity[LISTING_KEYS_MAX + 1]; /* the members that tell an item from others */
};

/* How the reply of an action is listed; NULL: it is no list. */
const struct listing *listing_of(enum action action);

/* The column of its counter of this number, NULL behind the last. */
const struct column *listing_counter(const struct listing *listing, size_t index);

/* Prints the payload's list. live is NULL where nothing is watched. False: there is nothing in the
 * list. */
bool print_list(const struct listing *listing, const struct nb_value *payload, struct live *live);

/* What a set of routes changed. */
void print_changes(const struct nb_value *payload);

/* --- Commands of our own, that are no action ----------------------------------------------- */

/* They return an exit status, and say on standard error what is wrong. The request has the options
 * that are fields of its action. */
int run_replace(const struct command_line *line, struct nb_request *begin);
int run_import(const struct command_line *line, struct nb_request *unused);
int run_tap_exec(const struct command_line *line, struct nb_request *request);
int run_tapserver(const struct command_line *line, struct nb_request *request);
int run_link_serve(const struct command_line *line, struct nb_request *request);
int run_capture(const struct command_line *line, struct nb_request *request);
int run_send(const struct command_line *line, struct nb_request *request);
int run_replay(const struct command_line *line, struct nb_request *request);
int run_sv_subscribe(const struct command_line *line, struct nb_request *request);
int run_goose_subscribe(const struct command_line *line, struct nb_request *request);
int run_sv_run(const struct command_line *line, struct nb_request *unused);
int run_sv_publish(const struct command_line *line, struct nb_request *request);
int run_goose_publish(const struct command_line *line, struct nb_request *request);

/* --- live.c: the same again and again, with rates ------------------------------------------ */

/* Asks every line->interval seconds, and shows each reply with the rates since the one before.
 * Returns an exit status when that fails; else a signal ends it. */
int live_run(const struct command_line *line, const struct nb_request *request);

/* The cells of an item's rates, and how many lines there are for a table (0: any number). */
void live_add_rates(struct live *live, struct columns *columns, const struct nb_value *item);
size_t live_lines(const struct live *live);

/* Prints events until the connection ends. */
int watch_events(struct nb_client *client, const struct command_line *line,
                 const struct nb_request *request);

/* Connects as the command line says. Returns as nb_connect_within does. */
int connect_service(const struct command_line *line, struct nb_client **ret_client);

/* Closes a connection whose service is gone, and asks for the same by another one: *client is that,
 * or NULL. Returns the reply, or NULL: nobody is there, or it was refused. */
struct nb_reply *call_again(const struct command_line *line, const struct nb_request *request,
                            struct nb_client **client);

/* --timeout, as the library takes it. */
unsigned timeout_ms(const struct command_line *line);

#endif
