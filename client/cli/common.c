/* The options that every command has, and the way to the command behind them. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int say_usage(const struct command_line *line, const char *command, const char *field,
              const char *format, ...)
{
    struct fault fault = {.code = "usage", .field = field};
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report(line, &fault, "%s", message);
    if (!line->json)
        fprintf(stderr, "Try 'netbroker help%s%s'.\n", command[0] ? " " : "", command);
    return EXIT_USAGE;
}

const char *number_hint(const char *text)
{
    char *end;

    strtod(text, &end);
    if (end == text || !*end)
        return "";
    return *end == ',' ? " with a point and no comma" : " without a unit";
}

enum common { COMMON_JSON, COMMON_HELP, COMMON_VERSION, COMMON_SOCKET, COMMON_TIMEOUT, COMMONS };

static const char *const common_names[COMMONS] = {
    [COMMON_JSON] = "--json",     [COMMON_HELP] = "--help",       [COMMON_VERSION] = "--version",
    [COMMON_SOCKET] = "--socket", [COMMON_TIMEOUT] = "--timeout",
};

static enum common find_common(const char *word, size_t length)
{
    enum common common = 0;

    if (length == 2 && memcmp(word, "-h", 2) == 0)
        return COMMON_HELP;
    while (common < COMMONS && (strlen(common_names[common]) != length ||
                                memcmp(common_names[common], word, length) != 0))
        common++;
    return common;
}

bool shows_progress(const struct command_line *line)
{
    const char *terminal = getenv("TERM");

    return !line->json && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

bool parse_seconds(const char *text, double *ret)
{
    char *end;
    double seconds = strtod(text, &end);

    if (!text[0] || strspn(text, "0123456789.") != strlen(text) || *end != '\0' ||
        seconds < OPTION_SECONDS_MIN || seconds > OPTION_SECONDS_MAX)
        return false;
    *ret = seconds;
    return true;
}

bool common_is(const char *word)
{
    return find_common(word, strcspn(word, "=")) != COMMONS;
}

static bool set_common(struct command_line *line, enum common common, const char *value)
{
    const char *name = common_names[common];

    if (line->common_given >> common & 1) {
        say_usage(line, "", NULL, "%s is given twice.", name);
        return false;
    }
    line->common_given |= 1u << common;
    if (common == COMMON_SOCKET && !value[0]) {
        say_usage(line, "", NULL, "--socket takes a path, not an empty string.");
        return false;
    }
    if (common == COMMON_SOCKET)
        line->socket = value;
    else if (!parse_seconds(value, &line->timeout)) {
        say_usage(line, "", NULL, "'%s' is not a time; --timeout takes %g to %g seconds.", value,
                  OPTION_SECONDS_MIN, OPTION_SECONDS_MAX);
        return false;
    }
    return true;
}

int common_take(struct command_line *line, int argc, char **argv, int at)
{
    const char *word = argv[at], *equals = strchr(word, '=');
    enum common common = find_common(word, strcspn(word, "="));

    if (common == COMMONS)
        return 0;
    if (common < COMMON_SOCKET && equals) {
        say_usage(line, "", NULL, "%s takes no value.", common_names[common]);
        return -1;
    }
    if (common == COMMON_JSON)
        line->json = true;
    else if (common == COMMON_HELP)
        line->help = true;
    else if (common == COMMON_VERSION)
        line->version = true;
    else if (equals)
        return set_common(line, common, equals + 1) ? 1 : -1;
    else if (at + 1 == argc) {
        say_usage(line, "", NULL, "%s takes %s.", word,
                  common == COMMON_SOCKET ? "a path" : "a number of seconds");
        return -1;
    } else
        return set_common(line, common, argv[at + 1]) ? 2 : -1;
    return 1;
}

void common_consider(struct guess *guess)
{
    for (enum common common = 0; common < COMMONS; common++)
        guess_consider(guess, common_names[common]);
}

static int say_unknown_common(const struct command_line *line, const char *word)
{
    struct guess guess;

    guess_begin(&guess, word);
    common_consider(&guess);
    if (guess.best[0])
        return say_usage(line, "", NULL, "there is no option '%s'. Did you mean '%s'?", word,
                         guess.best);
    return say_usage(line, "", NULL,
                     "there is no option '%s' before a command; a command's own options follow it.",
                     word);
}

/* Mistakes are told as JSON wherever --json stands. */
static bool has_json(int argc, char **argv)
{
    for (int at = 1; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (strcmp(argv[at], common_names[COMMON_JSON]) == 0)
            return true;
    return false;
}

/* Options up to the next word. Returns false on a mistake. */
static bool take_commons(struct command_line *line, int argc, char **argv, int *at)
{
    while (*at < argc && argv[*at][0] == '-') {
        int words = common_take(line, argc, argv, *at);

        if (words == 0 && strcmp(argv[*at], "--") == 0) {
            ++*at;
            return true;
        }
        if (words == 0)
            say_unknown_common(line, argv[*at]);
        if (words <= 0)
            return false;
        *at += words;
    }
    return true;
}

/* "help mfc" and "mfc --help". */
static bool is_help_of_family(const struct command_line *line, int argc, char **argv, int at)
{
    const char *next = at + 1 < argc ? argv[at + 1] : NULL;

    if (!is_family(argv[at]))
        return false;
    if (!next)
        return line->help;
    return strcmp(next, "help") == 0 || find_common(next, strlen(next)) == COMMON_HELP;
}

/* "tap open NAME -- COMMAND" is tap exec. */
static void prefer_exec(struct command *command, int argc, char **argv, int at)
{
    char tap[] = "tap", exec[] = "exec", *words[] = {tap, exec};

    if (command->action != ACTION_OPEN_TAP)
        return;
    while (at < argc && strcmp(argv[at], "--") != 0)
        at++;
    if (at + 1 < argc)
        words_match(command, 2, words, 0);
}

int command_line_parse(struct command_line *line, int argc, char **argv)
{
    int at = 1, words;

    *line = (struct command_line){
        .words_end = argc, .json = has_json(argc, argv), .timeout = TIMEOUT_DEFAULT};
    if (!take_commons(line, argc, argv, &at))
        return EXIT_USAGE;
    while (at < argc && strcmp(argv[at], "help") == 0) {
        line->help = true;
        at++;
        if (!take_commons(line, argc, argv, &at))
            return EXIT_USAGE;
    }
    if (at == argc)
        return line->help || line->version ? EXIT_DONE
                                           : say_usage(line, "", NULL, "a command is missing.");
    words = words_match(&line->command, argc, argv, at);
    if (words == 0 && is_help_of_family(line, argc, argv, at)) {
        line->help = true;
        line->family = argv[at];
        return EXIT_DONE;
    }
    line->words_end = at + words;
    prefer_exec(&line->command, argc, argv, line->words_end);
    return words ? EXIT_DONE : say_unknown_command(line, argc, argv, at);
}
