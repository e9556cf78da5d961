#include "cli.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int say_usage(const char *format, const char *what)
{
    fputs("netbroker: ", stderr);
    fprintf(stderr, format, what);
    fputs("\nTry 'netbroker --help'.\n", stderr);
    return EXIT_USAGE;
}

/* --- The words of the command -------------------------------------------------------------- */

/* How many words of argv the command takes if it is the one that is meant; 0: it is not. */
static int match_words(const char *command, int argc, char **argv, int at)
{
    int words = 0;

    while (*command) {
        size_t length = strcspn(command, " ");

        if (at + words >= argc || strlen(argv[at + words]) != length ||
            memcmp(argv[at + words], command, length) != 0)
            return 0;
        words++;
        command += length + (command[length] == ' ');
    }
    return words;
}

static bool is_family(const char *word)
{
    const struct action_row *row;

    for (size_t i = 0; (row = command_at(i).row); i++) {
        const char *command = row->cli;
        size_t length = strcspn(command, " ");

        if (command[length] && strlen(word) == length && memcmp(command, word, length) == 0)
            return true;
    }
    return false;
}

static int say_unknown_command(int argc, char **argv, int at)
{
    const struct action_row *row;

    if (!is_family(argv[at]))
        return say_usage("there is no command '%s'.", argv[at]);
    fprintf(stderr, "netbroker: '%s%s%s' is no command; there are:", argv[at],
            at + 1 < argc ? " " : "", at + 1 < argc ? argv[at + 1] : "");
    for (size_t i = 0; (row = command_at(i).row); i++) {
        const char *command = row->cli;
        size_t length = strlen(argv[at]);

        if (strncmp(command, argv[at], length) == 0 && command[length] == ' ')
            fprintf(stderr, " '%s'", command);
    }
    fputs(".\n", stderr);
    return EXIT_USAGE;
}

/* --- Options that every command has -------------------------------------------------------- */

/* Reads one of them. Returns how many words it took, 0 if it is another option, -1 on a mistake. */
static int take_common(struct command_line *line, int argc, char **argv, int at)
{
    static const char socket[] = "--socket";
    const char *word = argv[at];

    if (strcmp(word, "--json") == 0)
        line->json = true;
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        line->help = true;
    else if (strcmp(word, "--version") == 0)
        line->version = true;
    else if (strncmp(word, socket, sizeof socket - 1) == 0 && word[sizeof socket - 1] == '=')
        line->socket = word + sizeof socket;
    else if (strcmp(word, socket) == 0) {
        if (at + 1 == argc)
            return -1;
        line->socket = argv[at + 1];
        return 2;
    } else
        return 0;
    return 1;
}

static int find_command(struct command_line *line, int argc, char **argv, int at)
{
    struct command command;

    for (size_t i = 0; (command = command_at(i)).row; i++) {
        int words = match_words(command.row->cli, argc, argv, at);

        if (words > 0) {
            line->command = command;
            line->words_end = at + words;
            return EXIT_DONE;
        }
    }
    return say_unknown_command(argc, argv, at);
}

int command_line_parse(struct command_line *line, int argc, char **argv)
{
    int at = 1;

    *line = (struct command_line){.words_end = argc};
    while (at < argc && argv[at][0] == '-') {
        int words = take_common(line, argc, argv, at);

        if (words < 0)
            return say_usage("%s takes a path.", argv[at]);
        if (words == 0)
            return say_usage("there is no option '%s' before a command.", argv[at]);
        at += words;
    }
    if (at == argc)
        return line->help || line->version ? EXIT_DONE : say_usage("%s.", "a command is missing");
    return find_command(line, argc, argv, at);
}

/* --- Options of the command: the fields of its action -------------------------------------- */

static bool is_name(const struct field *field, const char *word, size_t length)
{
    char name[64];

    if ((int)field->type == OPTION_FILE && length == 2 && memcmp(word, "-f", 2) == 0)
        return true;
    option_name(field, name, sizeof name);
    if (memcmp(name, word, strnlen(name, length)) != 0)
        return false;
    /* A list of one may be called so: --oif eth1. */
    return strlen(name) == length ||
           (field_is_list(field->type) && strlen(name) == length + 1 && name[length] == 's');
}

static const struct field *find_field(const struct action_row *row, const char *word, size_t length)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (is_name(&row->fields[i], word, length))
            return &row->fields[i];
    return NULL;
}

static bool parse_integer(const char *text, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool set_integer(struct nb_request *request, const struct field *field, const char *text,
                        void (*set)(struct nb_request *, const char *, int64_t))
{
    int64_t value;

    if (parse_integer(text, &value)) {
        set(request, field->name, value);
        return true;
    }
    fprintf(stderr, "netbroker: '%s' is no integer; '%s' takes %u to %u.\n", text, field->name,
            field->low, field->high);
    return false;
}

/* A list is written with commas between its parts; "" is the empty list. */
static bool set_list(struct nb_request *request, const struct field *field, char *text)
{
    char *rest = text, *part;

    if (!*text)
        nb_request_set_empty_list(request, field->name);
    while (*text && (part = strsep(&rest, ","))) {
        if (field->type != FIELD_numbers)
            nb_request_add_string(request, field->name, part);
        else if (!set_integer(request, field, part, nb_request_add_integer))
            return false;
    }
    return true;
}

/* A user by name or number, with the groups that this machine knows. */
static bool set_user(struct nb_request *request, const struct field *field, const char *text)
{
    int64_t number;
    const struct passwd *entry =
        parse_integer(text, &number) ? getpwuid((uid_t)number) : getpwnam(text);
    gid_t groups[USER_GROUPS_MAX];
    int count = USER_GROUPS_MAX;

    if (!entry) {
        fprintf(stderr, "netbroker: there is no user '%s' on this machine.\n", text);
        return false;
    }
    if (getgrouplist(entry->pw_name, entry->pw_gid, groups, &count) < 0)
        count = USER_GROUPS_MAX; /* the first ones */
    nb_request_set_user(request, field->name, entry->pw_uid, groups, (size_t)count);
    return true;
}

/* Where what the command line says goes. */
struct target {
    struct command_line *line;
    struct nb_request *request;
};

static bool set_seconds(struct command_line *line, const char *name, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (strspn(text, "0123456789.") == strlen(text) && end != text && *end == '\0' &&
        seconds >= OPTION_SECONDS_MIN && seconds <= OPTION_SECONDS_MAX) {
        line->interval = seconds;
        return true;
    }
    fprintf(stderr, "netbroker: '%s' is no time; --%s takes %g to %g seconds.\n", text, name,
            OPTION_SECONDS_MIN, OPTION_SECONDS_MAX);
    return false;
}

static bool set_field(const struct target *target, const struct field *field, char *text)
{
    struct nb_request *request = target->request;

    if ((int)field->type == OPTION_FILE) {
        target->line->file = text;
        return true;
    }
    if ((int)field->type == OPTION_SECONDS)
        return set_seconds(target->line, field->name, text);
    if (field_is_list(field->type))
        return set_list(request, field, text);
    switch (field->type) {
    case FIELD_number:
    case FIELD_table:
        return set_integer(request, field, text, nb_request_set_integer);
    case FIELD_user:
        return set_user(request, field, text);
    default:
        nb_request_set_string(request, field->name, text);
        return true;
    }
}

static void set_flag(const struct target *target, const struct field *field)
{
    const struct command *command = &target->line->command;

    target->line->flags |= UINT64_C(1) << (field - command->row->fields);
    if (command->action != ACTION_COUNT)
        nb_request_set_bool(target->request, field->name, true);
}

bool command_line_flag(const struct command_line *line, const char *name)
{
    const struct action_row *row = line->command.row;

    for (size_t i = 0; i < row->field_count; i++)
        if (strcmp(row->fields[i].name, name) == 0)
            return line->flags >> i & 1;
    return false;
}

/* The field that the next word without a name is for, or NULL. *given counts such words. */
static const struct field *next_argument(const struct action_row *row, unsigned given)
{
    for (size_t i = 0; i < row->field_count; i++) {
        enum field_need need = row->fields[i].need;

        if ((need == ARGUMENT || need == OPTIONAL_ARGUMENT) && given-- == 0)
            return &row->fields[i];
    }
    return NULL;
}

/* Reads one option of the command. Returns how many words it took, -1 on a mistake. */
static int take_option(const struct target *target, int argc, char **argv, int at)
{
    const struct action_row *row = target->line->command.row;
    char *equals = strchr(argv[at], '=');
    size_t length = equals ? (size_t)(equals - argv[at]) : strlen(argv[at]);
    const struct field *field = find_field(row, argv[at], length);

    if (!field) {
        fprintf(stderr, "netbroker: '%s' has no option '%s'.\nTry 'netbroker %s --help'.\n",
                row->cli, argv[at], row->cli);
        return -1;
    }
    if (field->type == FIELD_flag) {
        set_flag(target, field);
        return 1;
    }
    if (equals)
        return set_field(target, field, equals + 1) ? 1 : -1;
    if ((int)field->type == OPTION_SECONDS && (at + 1 == argc || argv[at + 1][0] == '-')) {
        target->line->interval = OPTION_SECONDS_DEFAULT;
        return 1;
    }
    if (at + 1 == argc) {
        fprintf(stderr, "netbroker: %s takes %s.\n", argv[at], option_metavariable(field));
        return -1;
    }
    return set_field(target, field, argv[at + 1]) ? 2 : -1;
}

static bool is_given(const struct field *field, int argc, char **argv, int at)
{
    for (; at < argc; at++)
        if (is_name(field, argv[at], strcspn(argv[at], "=")))
            return true;
    return false;
}

static int check_required(const struct action_row *row, int argc, char **argv, int at,
                          unsigned arguments)
{
    const struct field *argument = next_argument(row, arguments);
    char name[64];

    if (argument && argument->need == ARGUMENT && !is_given(argument, argc, argv, at)) {
        fprintf(stderr, "netbroker: '%s' needs a %s.\nTry 'netbroker %s --help'.\n", row->cli,
                argument->name, row->cli);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < row->field_count; i++)
        if (row->fields[i].need == REQUIRED && !is_given(&row->fields[i], argc, argv, at)) {
            fprintf(stderr, "netbroker: '%s' needs %s %s.\nTry 'netbroker %s --help'.\n", row->cli,
                    option_name(&row->fields[i], name, sizeof name),
                    option_metavariable(&row->fields[i]), row->cli);
            return EXIT_USAGE;
        }
    return EXIT_DONE;
}

/* Reads one word without a name. Returns 1, 0 when it has a name, -1 on a mistake. */
static int take_argument(const struct target *target, char *word, unsigned *given)
{
    const struct field *field = next_argument(target->line->command.row, *given);

    if ((word[0] == '-' && word[1]) || !field)
        return 0;
    ++*given;
    return set_field(target, field, word) ? 1 : -1;
}

int command_line_request(struct command_line *line, int argc, char **argv,
                         struct nb_request *request)
{
    const struct target target = {line, request};
    int at = line->words_end;
    unsigned arguments = 0;

    while (at < argc) {
        int words = take_common(line, argc, argv, at);

        if (words == 0)
            words = take_argument(&target, argv[at], &arguments);
        if (words == 0)
            words = take_option(&target, argc, argv, at);
        if (words < 0)
            return EXIT_USAGE;
        at += words;
    }
    if (line->help)
        return EXIT_DONE;
    return check_required(line->command.row, argc, argv, line->words_end, arguments);
}
