/* The options of a command become the fields of its request. What can be judged of them without the
 * service is judged here, by the decoder that the service has as well. */
#include "cli.h"
#include "decode.h"
#include "request.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Values -------------------------------------------------------------------------------- */

/* Where what the command line says goes. */
struct target {
    struct command_line *line;
    struct nb_request *request;
};

static bool wrong(const struct target *target, const struct field *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(const struct target *target, const struct field *field, const char *format, ...)
{
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    say_usage(target->line, target->line->command.row->cli, field ? field->name : NULL, "%s",
              message);
    return false;
}

static bool parse_integer(const char *text, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == '\0';
}

static bool set_integer(const struct target *target, const struct field *field, const char *text,
                        void (*set)(struct nb_request *, const char *, int64_t))
{
    int64_t value;
    char name[64];

    if (parse_integer(text, &value)) {
        set(target->request, field->name, value);
        return true;
    }
    return wrong(target, field, "'%s' is not an integer; %s takes %u to %u.", text,
                 option_title(field, name, sizeof name), field->low, field->high);
}

/* A list is written with commas between its parts; "" is the empty list. */
static bool set_list(const struct target *target, const struct field *field, const char *text)
{
    char *copy = strdup(text), *rest = copy, *part;
    bool right = copy != NULL;

    if (!*text)
        nb_request_set_empty_list(target->request, field->name);
    while (right && *text && (part = strsep(&rest, ","))) {
        if (type_row(field->type)->json != JSON_INTEGER)
            nb_request_add_string(target->request, field->name, part);
        else
            right = set_integer(target, field, part, nb_request_add_integer);
    }
    free(copy);
    return right;
}

/* A user by name or number, with the groups that this machine knows: it knows no users of
 * containers, who are in none. */
static bool set_user(const struct target *target, const struct field *field, const char *text)
{
    int64_t number;
    bool is_number = parse_integer(text, &number);
    bool is_uid = is_number && number >= 0 && number < UINT32_MAX;
    const struct passwd *entry = !is_number ? getpwnam(text)
                                 : is_uid   ? getpwuid((uid_t)number)
                                            : NULL;
    gid_t groups[USER_GROUPS_MAX];
    int count = USER_GROUPS_MAX;

    if (!entry && is_uid) {
        nb_request_set_user(target->request, field->name, (uint32_t)number, groups, 0);
        return true;
    }
    if (!entry)
        return wrong(target, field, "there is no user '%s' on this machine.", text);
    if (getgrouplist(entry->pw_name, entry->pw_gid, groups, &count) < 0)
        count = USER_GROUPS_MAX; /* the first ones */
    nb_request_set_user(target->request, field->name, entry->pw_uid, groups, (size_t)count);
    return true;
}

/* The same by number alone. */
static bool set_uid(const struct target *target, const struct field *field, const char *text)
{
    int64_t number;
    bool is_number = parse_integer(text, &number);
    const struct passwd *entry = is_number ? NULL : getpwnam(text);

    if (!is_number && !entry)
        return wrong(target, field, "there is no user '%s' on this machine.", text);
    nb_request_set_integer(target->request, field->name, entry ? entry->pw_uid : number);
    return true;
}

static bool set_seconds(const struct target *target, const struct field *field, const char *text)
{
    char name[64];

    return parse_seconds(text, &target->line->interval) ||
           wrong(target, field, "'%s' is not a time; %s takes %g to %g seconds.", text,
                 option_title(field, name, sizeof name), OPTION_SECONDS_MIN, OPTION_SECONDS_MAX);
}

/* The command has types of its own behind the protocol's. */
static bool takes_list(const struct field *field)
{
    return (int)field->type < FIELD_TYPE_COUNT && type_row(field->type)->shape == LIST;
}

/* Whether the request has it; else the command does something of its own with it. */
static bool is_requested(const struct command_line *line, const struct field *field)
{
    enum action action = action_find(line->command.row->name);

    const struct field *requested =
        action != ACTION_COUNT ? field_find(action_row(action), field->name) : NULL;

    /* One of another type is something that the command makes the field of. */
    return requested && (int)requested->type == (int)field->type;
}

static bool keep_value(const struct target *target, const struct field *field, const char *text)
{
    struct command_line *line = target->line;

    if (line->value_count == OPTION_VALUES_MAX)
        return wrong(target, field, "there are more than %d values.", OPTION_VALUES_MAX);
    line->values[line->value_count++] = (struct option_value){field, text};
    return true;
}

const char *command_line_value(const struct command_line *line, const char *name, unsigned nth)
{
    for (size_t i = 0; i < line->value_count; i++)
        if (strcmp(line->values[i].option->name, name) == 0 && nth-- == 0)
            return line->values[i].text;
    return NULL;
}

static bool set_own(const struct target *target, const struct field *field, const char *text)
{
    if ((int)field->type == OPTION_SECONDS)
        return set_seconds(target, field, text);
    if ((int)field->type == OPTION_FILE)
        target->line->file = text;
    return keep_value(target, field, text);
}

static bool set_field(const struct target *target, const struct field *field, const char *text)
{
    if (!is_requested(target->line, field))
        return set_own(target, field, text);
    if (!keep_value(target, field, text))
        return false;
    if (takes_list(field))
        return set_list(target, field, text);
    if (field->type == FIELD_uid)
        return set_uid(target, field, text);
    switch (type_row(field->type)->json) {
    case JSON_INTEGER:
        return set_integer(target, field, text, nb_request_set_integer);
    case JSON_OBJECT:
        return set_user(target, field, text);
    default:
        nb_request_set_string(target->request, field->name, text);
        return true;
    }
}

/* --- Options of the command: the fields of its action -------------------------------------- */

/* Letters that tcpdump(8) and dumpcap(1) have. */
static char letter_of(const struct field *field)
{
    static const struct {
        const char *name;
        char letter;
    } letters[] = {{"interface", 'i'}, {"filter", 'f'}, {"write", 'w'}, {"count", 'c'}};

    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (strcmp(field->name, letters[i].name) == 0)
            return letters[i].letter;
    return (int)field->type == OPTION_FILE ? 'f' : '\0';
}

static bool is_name(const struct field *field, const char *word, size_t length)
{
    char name[64];

    if (length == 2 && word[0] == '-' && word[1] && word[1] == letter_of(field))
        return true;
    option_name(field, name, sizeof name);
    if (memcmp(name, word, strnlen(name, length)) != 0)
        return false;
    /* A list of one may be called so: --oif eth1. */
    return strlen(name) == length ||
           (strlen(name) == length + 1 && name[length] == 's' && takes_list(field));
}

static const struct field *find_field(const struct action_row *row, const char *word)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (!option_is_command(&row->fields[i]) &&
            is_name(&row->fields[i], word, strcspn(word, "=")))
            return &row->fields[i];
    return NULL;
}

static bool is_given(const struct command_line *line, const struct field *field)
{
    return line->given >> (field - line->command.row->fields) & 1;
}

bool command_line_flag(const struct command_line *line, const char *name)
{
    const struct field *field = field_find(line->command.row, name);

    return field && is_given(line, field);
}

bool command_line_real(const struct command_line *line, const char *name, double low, double high,
                       double *ret)
{
    const char *text = command_line_value(line, name, 0);
    char *end, option[64];
    double number;

    if (!text)
        return true;
    number = strtod(text, &end);
    if (!isdigit((unsigned char)text[0]) || *end || !(number >= low && number <= high)) {
        say_usage(line, line->command.row->cli, name,
                  "%s takes a number from %.10g to %.10g, and '%s' is none.",
                  option_name(field_find(line->command.row, name), option, sizeof option), low,
                  high, text);
        return false;
    }
    *ret = number;
    return true;
}

/* Each option once: of two values one would be lost. */
static bool note_given(const struct target *target, const struct field *field)
{
    char name[64];

    if (is_given(target->line, field) && !option_repeats(field)) {
        option_title(field, name, sizeof name);
        if (takes_list(field))
            return wrong(target, field,
                         "%s is given twice; a list is one word, with commas: %s A,B.", name, name);
        return wrong(target, field, "%s is given twice.", name);
    }
    target->line->given |= UINT64_C(1) << (field - target->line->command.row->fields);
    return true;
}

static bool set_flag(const struct target *target, const struct field *field, const char *equals)
{
    char name[64];

    if (equals)
        return wrong(target, field, "%s takes no value; leave it out to turn it off.",
                     option_name(field, name, sizeof name));
    if (is_requested(target->line, field))
        nb_request_set_bool(target->request, field->name, true);
    return true;
}

static int say_unknown_option(const struct target *target, const char *word)
{
    const struct action_row *row = target->line->command.row;
    char name[64], plain[64];
    struct guess guess;

    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(word, "="), word);
    guess_begin(&guess, plain);
    for (size_t i = 0; i < row->field_count; i++)
        guess_consider(&guess, option_name(&row->fields[i], name, sizeof name));
    common_consider(&guess);
    if (guess.best[0])
        wrong(target, NULL, "'%s' has no option '%s'. Did you mean '%s'?", row->cli, word,
              guess.best);
    else
        wrong(target, NULL, "'%s' has no option '%s'.", row->cli, word);
    return -1;
}

static bool is_option(const struct command_line *line, const char *word)
{
    return common_is(word) || find_field(line->command.row, word);
}

/* Reads one option of the command. Returns how many words it took, -1 on a mistake. */
static int take_option(const struct target *target, int argc, char **argv, int at)
{
    const struct field *field = find_field(target->line->command.row, argv[at]);
    const char *equals = strchr(argv[at], '=');
    bool alone = at + 1 == argc || is_option(target->line, argv[at + 1]);

    if (!field)
        return say_unknown_option(target, argv[at]);
    if (!note_given(target, field))
        return -1;
    if (field->type == FIELD_flag)
        return set_flag(target, field, equals) ? 1 : -1;
    if (equals)
        return set_field(target, field, equals + 1) ? 1 : -1;
    if ((int)field->type == OPTION_SECONDS && (alone || argv[at + 1][0] == '-')) {
        target->line->interval = OPTION_SECONDS_DEFAULT;
        return 1;
    }
    if (alone) {
        wrong(target, field, "%s takes %s, and none follows.", argv[at],
              option_metavariable(field));
        return -1;
    }
    return set_field(target, field, argv[at + 1]) ? 2 : -1;
}

/* --- Words without a name ------------------------------------------------------------------ */

/* The field that the next word without a name is for, or NULL. It may have been given by its name:
 * -i eth0. */
static const struct field *next_argument(const struct command_line *line)
{
    const struct action_row *row = line->command.row;

    for (size_t i = 0; i < row->field_count; i++)
        if (option_is_argument(&row->fields[i]) && !option_is_command(&row->fields[i]) &&
            !is_given(line, &row->fields[i]))
            return &row->fields[i];
    return NULL;
}

/* "--oifs eth1 eth2": the words from the list's value on, as one. */
static void join_words(int argc, char **argv, int at, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (; at < argc && argv[at][0] != '-' && used < size; at++) {
        char *rest = argv[at];

        while (*rest && used < size) {
            size_t length = strcspn(rest, ",");

            if (length)
                used += (size_t)snprintf(text + used, size - used, "%s%.*s", used ? "," : "",
                                         (int)length, rest);
            rest += length + (rest[length] == ',');
        }
    }
}

/* A word for which there is no place: answers with the right form. Returns -1. */
static int say_surplus(const struct target *target, int argc, char **argv, int at)
{
    const struct action_row *row = target->line->command.row;
    const struct field *before =
        at - 2 >= target->line->words_end ? find_field(row, argv[at - 2]) : NULL;
    char name[64], text[512];

    if (before && takes_list(before) && !strchr(argv[at - 2], '=')) {
        join_words(argc, argv, at - 1, text, sizeof text);
        wrong(target, before, "a list is one word, with commas and without spaces: write %s %s.",
              argv[at - 2], text);
        return -1;
    }
    snprintf(name, sizeof name, "--%.60s", argv[at]);
    if (find_field(row, name)) {
        wrong(target, NULL, "options begin with '--': write %s instead of '%s'.", name, argv[at]);
        return -1;
    }
    usage_form(row, text, sizeof text);
    wrong(target, NULL, "'%s' is not expected here. Write: netbroker %s", argv[at], text);
    return -1;
}

static int take_argument(const struct target *target, int argc, char **argv, int at)
{
    const struct field *field = next_argument(target->line);

    if (!field)
        return say_surplus(target, argc, argv, at);
    return note_given(target, field) && set_field(target, field, argv[at]) ? 1 : -1;
}

/* --- The whole ----------------------------------------------------------------------------- */

static int check_required(const struct command_line *line)
{
    const struct action_row *row = line->command.row;
    char name[64], form[512];

    for (size_t i = 0; i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        if (!field_is_required(field) || is_given(line, field))
            continue;
        option_title(field, name, sizeof name);
        return say_usage(line, row->cli, field->name, "'%s' needs %s%s%s. Write: netbroker %s",
                         row->cli, name, field->need == ARGUMENT ? "" : " ",
                         field->need == ARGUMENT ? "" : option_metavariable(field),
                         usage_form(row, form, sizeof form));
    }
    return EXIT_DONE;
}

/* What the service would refuse so is wrong usage. */
int command_line_check(const struct command_line *line, const struct nb_request *request)
{
    struct json text = {.limit = (size_t)2 * REQUEST_MAX};
    const struct action_row *row = line->command.row;
    struct request decoded;
    struct error error;
    char message[sizeof error.message + 64];
    int status = EXIT_DONE;

    if (request_append(request, &text) == 0 &&
        !decode_request(text.text, text.length - 1, &decoded, &error))
        status = error.code == ERROR_INVALID_JSON
                     ? say_usage(line, row->cli, NULL, "a value is not valid UTF-8.")
                     : say_usage(line, row->cli, error.field, "%s",
                                 in_command_words(row, error.message, message, sizeof message));
    json_clear(&text);
    return status;
}

/* Behind "--": the words of a command, of those that run one. */
static bool take_command(const struct target *target, char **words)
{
    const struct action_row *row = target->line->command.row;

    for (size_t i = 0; i < row->field_count; i++)
        if (option_is_command(&row->fields[i])) {
            if (!words[0])
                return false; /* it is required, and missing */
            target->line->words = words;
            return note_given(target, &row->fields[i]);
        }
    return false;
}

/* Reads the next word or two. Returns how many, -1 on a mistake. */
static int take_word(const struct target *target, int argc, char **argv, int at, bool named)
{
    int words = named ? common_take(target->line, argc, argv, at) : 0;

    if (words == 0 && named && argv[at][0] == '-' && argv[at][1])
        words = take_option(target, argc, argv, at);
    return words ? words : take_argument(target, argc, argv, at);
}

/* An import reads its files first, and to read a capture file nothing is asked of the service. */
static bool is_a_request(const struct command_line *line)
{
    bool subscribes =
        line->command.own == OWN_SV_SUBSCRIBE || line->command.own == OWN_GOOSE_SUBSCRIBE;

    return line->command.own != OWN_IMPORT && line->command.own != OWN_SV_RUN &&
           (!subscribes || command_line_flag(line, "interface"));
}

int command_line_request(struct command_line *line, int argc, char **argv,
                         struct nb_request *request)
{
    const struct target target = {line, request};
    bool named = true; /* "--" was not there yet */
    int status;

    for (int at = line->words_end, words; at < argc; at += words) {
        if (named && strcmp(argv[at], "--") == 0) {
            named = false;
            words = take_command(&target, argv + at + 1) ? argc - at : 1;
        } else {
            words = take_word(&target, argc, argv, at, named);
        }
        if (words < 0)
            return EXIT_USAGE;
    }
    if (line->help)
        return EXIT_DONE;
    status = check_required(line);
    return status == EXIT_DONE && is_a_request(line) ? command_line_check(line, request) : status;
}
