#include "extcap.h"

#include "bounds.h"
#include "filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- The command line ---------------------------------------------------------------------- */

static const struct row {
    const char *name;
    bool takes_value;
    size_t place;     /* in struct options */
    const char *help; /* NULL: of Wireshark */
} rows[] = {
#define FLAG(name, member, help)                                                                   \
    {                                                                                              \
        name, false, offsetof(struct options, member), help                                        \
    }
#define TEXT(name, member, help)                                                                   \
    {                                                                                              \
        name, true, offsetof(struct options, member), help                                         \
    }
    FLAG("--extcap-interfaces", lists, NULL),
    FLAG("--extcap-dlts", dlts, NULL),
    FLAG("--extcap-config", config, NULL),
    FLAG("--capture", capture, NULL),
    TEXT("--extcap-interface", interface, NULL),
    TEXT("--extcap-capture-filter", filter, NULL),
    TEXT("--extcap-control-in", unused, NULL),
    TEXT("--extcap-control-out", unused, NULL),
    TEXT("--extcap-reload-option", unused, NULL),
    TEXT("--fifo", fifo, NULL),
    TEXT("--ethertypes", ethertypes, "only frames of these EtherTypes, such as 0x88ba,goose"),
    TEXT("--direction", direction, "only frames that come in (in) or go out (out)"),
    FLAG("--promiscuous", promiscuous, "also frames to other stations"),
    TEXT("--snaplen", snaplen, "only so many bytes of each frame"),
    TEXT("--buffer", buffer, "KiB in which frames wait"),
    TEXT("--latency", latency, "for so many ms the kernel may collect frames"),
    TEXT("--format", format, "pcapng (the default) or pcap"),
    FLAG("--help", help, "this text"),
    FLAG("--version", version, "the version"),
#undef FLAG
#undef TEXT
};

/* The row of a word, up to its "=". */
static const struct row *find(const char *word)
{
    size_t length = strcspn(word, "=");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, word, length) == 0)
            return &rows[i];
    return NULL;
}

static bool is_option(const char *word)
{
    return strncmp(word, "--", 2) == 0;
}

/* One that a later Wireshark may have, perhaps with a value. Returns how many words it has, 0: it
 * is none. --extcap-version is one: its value may be missing. */
static int pass_over(int argc, char **argv, int at)
{
    if (strncmp(argv[at], "--extcap-", 9) != 0)
        return 0;
    return strchr(argv[at], '=') || at + 1 == argc || is_option(argv[at + 1]) ? 1 : 2;
}

/* Returns how many words it has, or 0 after it said what is wrong. */
static int take_text(struct options *options, const struct row *row, int argc, char **argv, int at)
{
    const char *equals = strchr(argv[at], '='), *value = equals ? equals + 1 : argv[at + 1];

    if (!equals && at + 1 == argc) {
        say(EXIT_USAGE, "%s takes a value.", row->name);
        return 0;
    }
    /* A filter that is empty is one, and right. */
    if (value[0] || row->place == offsetof(struct options, filter))
        memcpy((char *)options + row->place, &value, sizeof value);
    return equals ? 1 : 2;
}

static int take_flag(struct options *options, const struct row *row, const char *word)
{
    static const char *const words[] = {"false", "true"};
    const char *equals = strchr(word, '=');
    bool value = true;

    if (equals && strcmp(equals + 1, words[0]) != 0 && strcmp(equals + 1, words[1]) != 0) {
        say(EXIT_USAGE, "%s takes true or false, and '%s' is neither.", row->name, equals + 1);
        return 0;
    }
    if (equals)
        value = strcmp(equals + 1, words[1]) == 0;
    memcpy((char *)options + row->place, &value, sizeof value);
    return 1;
}

int options_read(struct options *ret, int argc, char **argv)
{
    *ret = (struct options){0};
    for (int at = 1, words; at < argc; at += words) {
        const struct row *row = find(argv[at]);

        if (row)
            words = row->takes_value ? take_text(ret, row, argc, argv, at)
                                     : take_flag(ret, row, argv[at]);
        else if ((words = pass_over(argc, argv, at)) == 0)
            say(EXIT_USAGE, "'%s' is no option; --help lists them.", argv[at]);
        if (words == 0)
            return EXIT_USAGE;
    }
    return EXIT_DONE;
}

void options_help(void)
{
    puts("Usage: " PROGRAM " --capture --extcap-interface " PREFIX "INTERFACE --fifo PATH "
         "[OPTION...]\n"
         "Wireshark and tshark start this program; see netbroker-extcap(1).\n"
         "\n"
         "Options:");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].help)
            printf("  %-14s %s\n", rows[i].name, rows[i].help);
}

/* --- The request --------------------------------------------------------------------------- */

const char *options_interface(const struct options *options)
{
    size_t length = sizeof PREFIX - 1;

    if (!options->interface) {
        say(EXIT_USAGE, "--extcap-interface is missing.");
        return NULL;
    }
    if (strncmp(options->interface, PREFIX, length) == 0 && options->interface[length])
        return options->interface + length;
    say(EXIT_USAGE, "'%s' is none of the interfaces that --extcap-interfaces lists.",
        options->interface);
    return NULL;
}

/* Sets a number of the request, times a unit. What it may be the service says as well, in its own
 * unit. */
static bool set_number(struct nb_request *request, const char *field, const char *text,
                       uint32_t least, uint32_t most, uint32_t unit)
{
    unsigned long long number;
    char *end;

    if (!text)
        return true;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number < least || number > most) {
        say(EXIT_USAGE, "--%s takes %u to %u, and '%s' is none of these.", field, least, most,
            text);
        return false;
    }
    nb_request_set_integer(request, field, (int64_t)number * unit);
    return true;
}

static bool set_ethertypes(struct nb_request *request, const char *text)
{
    char *copy = text ? strdup(text) : NULL, *rest = copy, *type;

    while (rest && (type = strsep(&rest, ", ")))
        if (*type)
            nb_request_add_string(request, "ethertypes", type);
    free(copy);
    return copy || !text;
}

static bool set_filter(struct nb_request *request, const char *expression)
{
    char problem[FILTER_PROBLEM_MAX], *program;

    if (!expression || !expression[0])
        return true;
    program = capture_filter_compile(expression, SNAPLEN_MAX, problem);
    if (!program) {
        say(EXIT_USAGE, "the capture filter '%s': %s.", expression, problem);
        return false;
    }
    nb_request_set_string(request, "filter", program);
    free(program);
    return true;
}

static bool set_fields(const struct options *options, struct nb_request *request)
{
    const char *interface = options_interface(options);

    if (!interface)
        return false;
    nb_request_set_string(request, "interface", interface);
    if (options->direction)
        nb_request_set_string(request, "direction", options->direction);
    if (options->promiscuous)
        nb_request_set_bool(request, "promiscuous", true);
    return set_ethertypes(request, options->ethertypes) &&
           set_number(request, "snaplen", options->snaplen, SNAPLEN_LEAST, SNAPLEN_MAX, 1) &&
           set_number(request, "buffer", options->buffer, CAPTURE_BYTES_LEAST / 1024,
                      CAPTURE_BYTES_MAX / 1024, 1024) &&
           set_number(request, "latency", options->latency, 1, LATENCY_MAX, 1) &&
           set_filter(request, options->filter);
}

int options_request(const struct options *options, struct nb_request **ret)
{
    if (options->format && strcmp(options->format, "pcapng") != 0 &&
        strcmp(options->format, "pcap") != 0)
        return say(EXIT_USAGE, "--format takes pcapng or pcap, and not '%s'.", options->format);
    if (nb_request_new(ret, "OPEN_CAPTURE") < 0)
        return say(EXIT_REFUSED, "out of memory.");
    if (set_fields(options, *ret))
        return EXIT_DONE;
    nb_request_free(*ret);
    return EXIT_USAGE;
}
