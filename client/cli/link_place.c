/* Places of a link: a table of what may be said of one, which serves the options of the command and
 * those behind a place alike. */
#include "link_place.h"

#include "tap.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    OF_LISTEN = 1 << LINK_LISTEN,
    OF_CONNECT = 1 << LINK_CONNECT,
    OF_FD = 1 << LINK_FD,
    OF_ALL = OF_LISTEN | OF_CONNECT | OF_FD,
};

/* --- Ways ---------------------------------------------------------------------------------- */

static int adopt(struct link *link, const char *where, const struct link_options *options)
{
    return link_adopt(link, atoi(where), NULL, options);
}

static const struct {
    const char *option;
    int (*make)(struct link *link, const char *where, const struct link_options *options);
} ways[] = {
    [LINK_LISTEN] = {"listen", link_listen},
    [LINK_CONNECT] = {"connect", link_connect},
    [LINK_FD] = {"fd", adopt},
};

/* --- What may be said ---------------------------------------------------------------------- */

static bool read_number(const char *text, unsigned base, unsigned long most, unsigned long *ret)
{
    char *end;

    errno = 0;
    *ret = strtoul(text, &end, (int)base);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && !*end && *ret <= most;
}

/* Each sets what its text says, and returns NULL, or a sentence on what would be right. */

static const char *set_framing(struct link_options *options, const char *text)
{
    return framing_parse(text, &options->framing)
               ? NULL
               : "it is u16le, u16be, u32be, message or unframed";
}

static const char *set_local(struct link_options *options, const char *text)
{
    options->local = text;
    return *text ? NULL : "it is a path";
}

static const char *set_mode(struct link_options *options, const char *text)
{
    unsigned long mode = 0;
    bool right = read_number(text, 8, 0777, &mode);

    options->has_mode = true;
    options->mode = (mode_t)mode;
    return right ? NULL : "it takes a mode such as 0660";
}

static const char *set_group(struct link_options *options, const char *text)
{
    const struct group *entry = getgrnam(text);
    unsigned long number = 0;

    options->has_group = true;
    if (entry)
        options->group = entry->gr_gid;
    else if (read_number(text, 10, UINT32_MAX - 1, &number))
        options->group = (gid_t)number;
    else
        return "it takes a group of this machine, by its name or number";
    return NULL;
}

/* One, or several with commas between them. */
static const char *set_allow_mac(struct link_options *options, const char *text)
{
    struct switch_port *port = &options->port;
    char part[MAC_TEXT_MAX];

    do {
        size_t length = strcspn(text, ",");

        snprintf(part, sizeof part, "%.*s", (int)length, text);
        if (port->allowed_count == SWITCH_ALLOWED_MAX || length >= sizeof part ||
            !mac_bytes(part, port->allowed[port->allowed_count]))
            return "it takes up to 8 Ethernet addresses, such as 52:54:00:12:34:56";
        port->allowed_count++;
        text += length + (text[length] == ',');
    } while (*text);
    return NULL;
}

static const char *set_macs(struct link_options *options, const char *text)
{
    unsigned long number = 0;
    bool right = read_number(text, 10, LINK_TAP_MACS, &number) && number > 0;

    options->port.macs = (uint32_t)number;
    return right ? NULL : "it takes a number from 1 to 1024";
}

static const char *set_flood_rate(struct link_options *options, const char *text)
{
    unsigned long number = 0;
    bool right = read_number(text, 10, UINT32_MAX, &number);

    options->port.flood.per_second = (uint32_t)number;
    return right ? NULL : "it takes a number of frames a second, or 0 for any";
}

static void set_datagrams(struct link_options *options, bool on)
{
    options->socket = on ? LINK_SOCKET_DGRAM : LINK_SOCKET_DEFAULT;
}

static void set_isolate(struct link_options *options, bool on)
{
    options->port.isolated = on;
}

static void set_anti_spoof(struct link_options *options, bool on)
{
    options->port.locked = on;
}

enum { SAYS_FRAMING, SAYS_DATAGRAMS, SAYS_ALLOW_MAC = 4 };

/* The name stands behind a place so, and is that of the command's option. */
static const struct place_row {
    const char *name, *option; /* option: its name in the table of commands */
    unsigned ways;
    const char *(*set)(struct link_options *options, const char *text); /* NULL: it is a flag */
    void (*turn)(struct link_options *options, bool on);
} rows[] = {
    [SAYS_FRAMING] = {"framing", "framing", OF_ALL, set_framing, NULL},
    [SAYS_DATAGRAMS] = {"datagrams", "datagrams", OF_ALL, NULL, set_datagrams},
    {"isolate", "isolate", OF_ALL, NULL, set_isolate},
    {"anti-spoof", "anti_spoof", OF_ALL, NULL, set_anti_spoof},
    [SAYS_ALLOW_MAC] = {"allow-mac", "allow_mac", OF_ALL, set_allow_mac, NULL},
    {"macs", "macs", OF_ALL, set_macs, NULL},
    {"flood-rate", "flood_rate", OF_ALL, set_flood_rate, NULL},
    {"mode", "mode", OF_LISTEN, set_mode, NULL},
    {"group", "group", OF_LISTEN, set_group, NULL},
    {"local", "local", OF_CONNECT, set_local, NULL},
};

enum { ROWS = sizeof rows / sizeof *rows };

/* What goes together of what was said, a bit for each row. */
static const char *settle(struct link_options *options, unsigned said)
{
    bool datagrams = options->socket == LINK_SOCKET_DGRAM;

    if (said >> SAYS_DATAGRAMS & 1 && datagrams) {
        if (said >> SAYS_FRAMING & 1 && options->framing != FRAMING_MESSAGE)
            return "the framing of datagrams is 'message'";
        options->framing = FRAMING_MESSAGE;
    } else if (options->framing != FRAMING_MESSAGE)
        options->socket = LINK_SOCKET_DEFAULT; /* of another place */
    return NULL;
}

/* --- Options of the command ---------------------------------------------------------------- */

static int read_defaults(const struct command_line *line, struct link_options *ret)
{
    const char *command = line->command.row->cli, *problem = NULL;
    unsigned said = 0, i = 0;

    for (; i < ROWS && !problem; i++) {
        const char *text = command_line_value(line, rows[i].option, 0);

        if (!command_line_flag(line, rows[i].option))
            continue;
        said |= 1U << i;
        if (!rows[i].set)
            rows[i].turn(ret, true);
        else if ((problem = rows[i].set(ret, text)))
            return say_usage(line, command, rows[i].option, "--%s: %s, and not '%s'.", rows[i].name,
                             problem, text);
    }
    problem = settle(ret, said);
    return problem ? say_usage(line, command, "datagrams", "--datagrams: %s.", problem) : EXIT_DONE;
}

/* --- Options behind a place ---------------------------------------------------------------- */

struct reading {
    const struct command_line *line;
    struct link_place *place;
    unsigned said;
};

static int wrong(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(const struct reading *reading, const char *format, ...)
{
    const char *option = ways[reading->place->way].option;
    char sentence[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return say_usage(reading->line, reading->line->command.row->cli, option, "--%s %s: %s.", option,
                     reading->place->where, sentence);
}

/* Ends the part of the text that begins there at its comma, and makes one of two commas in a row.
 * Returns the next part, or NULL. */
static char *cut_part(char *part)
{
    char *to = part;

    for (; *part; part++) {
        if (*part == ',' && *++part != ',') {
            *to = '\0';
            return part;
        }
        *to++ = *part;
    }
    *to = '\0';
    return NULL;
}

static int say_unknown(const struct reading *reading, const char *name)
{
    struct guess guess;
    char names[256] = "";

    guess_begin(&guess, name);
    for (unsigned i = 0; i < ROWS; i++) {
        size_t used = strlen(names);

        guess_consider(&guess, rows[i].name);
        if (rows[i].ways >> reading->place->way & 1)
            snprintf(names + used, sizeof names - used, "%s%s%s", used ? ", " : "", rows[i].name,
                     rows[i].set ? "=" : "");
    }
    if (guess.best[0])
        return wrong(
            reading,
            "'%s' is no option of it; did you mean '%s'? A comma of a path is written ',,'", name,
            guess.best);
    return wrong(reading,
                 "'%s' is no option of it, which are %s; a comma of a path is written ',,'", name,
                 names);
}

static const char *turn(const struct place_row *row, struct link_options *options, const char *text)
{
    if (text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return "it is yes or no";
    row->turn(options, !text || strcmp(text, "yes") == 0);
    return NULL;
}

static const char *set(struct reading *reading, unsigned number, const char *text)
{
    struct link_options *options = &reading->place->options;

    if (!rows[number].set)
        return turn(&rows[number], options, text);
    if (!text)
        return "a value has to follow, behind '='";
    if (number == SAYS_ALLOW_MAC && !(reading->said >> number & 1))
        options->port.allowed_count = 0; /* those of the command are for others */
    return rows[number].set(options, text);
}

/* NAME, NAME=VALUE */
static int read_part(struct reading *reading, char *part)
{
    char *equals = strchr(part, '=');
    const char *problem;
    unsigned i = 0;

    if (equals)
        *equals = '\0';
    while (i < ROWS && strcmp(rows[i].name, part) != 0)
        i++;
    if (i == ROWS)
        return say_unknown(reading, part);
    if (!(rows[i].ways >> reading->place->way & 1))
        return wrong(reading, "'%s' is for --%s", part,
                     rows[i].ways == OF_LISTEN ? "listen" : "connect");
    if (reading->said >> i & 1 && i != SAYS_ALLOW_MAC)
        return wrong(reading, "'%s' stands there twice", part);
    problem = set(reading, i, equals ? equals + 1 : NULL);
    reading->said |= 1U << i;
    return problem ? wrong(reading, "%s: %s", part, problem) : EXIT_DONE;
}

/* Without a limit of its own, a client that may not change its address has one. */
static void fill_macs(struct switch_port *port)
{
    if (port->macs)
        return;
    port->macs = LINK_MACS;
    if (port->locked)
        port->macs = port->allowed_count ? SWITCH_ALLOWED_MAX : 1;
}

static int read_place(struct reading *reading, const struct link_options *defaults)
{
    struct link_place *place = reading->place;
    unsigned long number;
    const char *problem;
    char *part, *next;

    place->options = *defaults;
    next = cut_part(place->text);
    place->where = place->text;
    if (place->way == LINK_FD && !read_number(place->where, 10, INT32_MAX, &number))
        return wrong(reading, "it is the number of a descriptor");
    while ((part = next)) {
        int status;

        next = cut_part(part);
        status = read_part(reading, part);
        if (status != EXIT_DONE)
            return status;
    }
    problem = settle(&place->options, reading->said);
    if (!problem && command_line_flag(reading->line, "offload") &&
        !framing_row(place->options.framing)->offload)
        return wrong(reading,
                     "its framing '%s' cannot carry --offload, whose frames are too long for it; "
                     "u32be and message can",
                     framing_row(place->options.framing)->name);
    fill_macs(&place->options.port);
    return problem ? wrong(reading, "%s", problem) : EXIT_DONE;
}

/* --- All of them --------------------------------------------------------------------------- */

static int read_way(const struct command_line *line, enum link_way way,
                    const struct link_options *defaults, struct link_places *ret)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, ways[way].option, i)); i++) {
        struct link_place *place = &ret->list[ret->count++];
        struct reading reading = {.line = line, .place = place};
        int status;

        *place = (struct link_place){.way = way, .text = strdup(text)};
        status = place->text ? read_place(&reading, defaults) : explain_no_memory(line);
        if (status != EXIT_DONE)
            return status;
        if (ret->macs < place->options.port.macs)
            ret->macs = place->options.port.macs;
    }
    return EXIT_DONE;
}

int link_places_read(const struct command_line *line, struct link_places *ret)
{
    struct link_options defaults = {.framing = FRAMING_U16LE};
    int status = read_defaults(line, &defaults);

    for (enum link_way way = 0; way < LINK_WAYS && status == EXIT_DONE; way++)
        status = read_way(line, way, &defaults, ret);
    if (status != EXIT_DONE || ret->count > 0)
        return status;
    return say_usage(line, line->command.row->cli, NULL,
                     "'%s' needs --listen, --connect or --fd: where the other end is.",
                     line->command.row->cli);
}

void link_places_free(struct link_places *places)
{
    while (places->count > 0)
        free(places->list[--places->count].text);
}

int link_place_make(struct link *link, const struct link_place *place)
{
    return ways[place->way].make(link, place->where, &place->options);
}
