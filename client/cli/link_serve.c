/* link serve: a tap of the service's, and a link between it and the programs that come. */
#include "link_nat.h"
#include "link_told.h"
#include "tap.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct serve {
    const struct command_line *line;
    struct link_config config;
    struct link_options options;
    struct tap tap; /* fd -1: none */
    struct link_told told;
    struct link *link;
    struct nat *nat; /* --nat, instead of a tap */
};

/* --- Options ------------------------------------------------------------------------------- */

static int wrong(const struct serve *serve, const char *option, const char *sentence)
{
    return say_usage(serve->line, serve->line->command.row->cli, option, "--%s: %s.", option,
                     sentence);
}

/* A number of an option; the default where it is not given. False: it is none. */
static bool number_of(const struct serve *serve, const char *option, unsigned base,
                      unsigned long most, unsigned long *number)
{
    const char *text = command_line_value(serve->line, option, 0);
    char *end;

    if (!text)
        return true;
    errno = 0;
    *number = strtoul(text, &end, (int)base);
    if (errno == 0 && text[0] >= '0' && text[0] <= '9' && !*end && *number <= most)
        return true;
    say_usage(serve->line, serve->line->command.row->cli, option,
              base == 8 ? "--%s takes a mode such as 0660, not '%s'."
                        : "--%s takes a number, and '%s' is none that it can be.",
              option, text);
    return false;
}

static int read_framing(struct serve *serve)
{
    const char *text = command_line_value(serve->line, "framing", 0);
    bool datagrams = command_line_flag(serve->line, "datagrams");

    if (!text && datagrams)
        text = "message";
    if (text && !framing_parse(text, &serve->options.framing))
        return wrong(serve, "framing", "it is u16le, u16be, u32be, message or unframed");
    if (datagrams && serve->options.framing != FRAMING_MESSAGE)
        return wrong(serve, "datagrams", "the framing of datagrams is 'message'");
    if (datagrams)
        serve->options.socket = LINK_SOCKET_DGRAM;
    return EXIT_DONE;
}

/* --allow-mac A,B */
static int read_macs(struct serve *serve)
{
    const char *text = command_line_value(serve->line, "allow_mac", 0);
    struct switch_port *port = &serve->options.port;
    char part[MAC_TEXT_MAX];

    while (text && *text) {
        size_t length = strcspn(text, ",");

        snprintf(part, sizeof part, "%.*s", (int)length, text);
        if (port->allowed_count == SWITCH_ALLOWED_MAX || length >= sizeof part ||
            !mac_bytes(part, port->allowed[port->allowed_count]))
            return wrong(serve, "allow-mac",
                         "it takes up to 8 Ethernet addresses with commas between them");
        port->allowed_count++;
        text += length + (text[length] == ',');
    }
    return EXIT_DONE;
}

static int read_access(struct serve *serve)
{
    const char *group = command_line_value(serve->line, "group", 0);
    const struct group *entry = group ? getgrnam(group) : NULL;
    unsigned long mode = 0;

    if (!number_of(serve, "mode", 8, 0777, &mode))
        return EXIT_USAGE;
    if (group && !entry)
        return wrong(serve, "group", "there is no such group on this machine");
    serve->options.has_mode = command_line_value(serve->line, "mode", 0) != NULL;
    serve->options.mode = (mode_t)mode;
    serve->options.has_group = entry != NULL;
    if (entry)
        serve->options.group = entry->gr_gid;
    return EXIT_DONE;
}

static int read_numbers(struct serve *serve)
{
    unsigned long clients = 0, flood = 0, macs = 0, mtu = 0;

    if (!number_of(serve, "clients", 10, LINK_CLIENTS_MAX, &clients) ||
        !number_of(serve, "flood_rate", 10, UINT32_MAX, &flood) ||
        !number_of(serve, "macs", 10, LINK_TAP_MACS, &macs) ||
        !number_of(serve, "tap_mtu", 10, TAP_MTU_MAX, &mtu))
        return EXIT_USAGE;
    serve->config.clients = (unsigned)clients;
    serve->config.macs = (uint32_t)macs;
    serve->config.mtu = mtu ? (uint32_t)mtu : TAP_MTU_DEFAULT;
    serve->options.port.macs = (uint32_t)macs;
    serve->options.port.flood.per_second = (uint32_t)flood;
    return EXIT_DONE;
}

/* --anti-spoof: who has used an address first has it until he leaves, and no more than one, unless
 * --macs says so. */
static void read_flags(struct serve *serve)
{
    serve->options.local = command_line_value(serve->line, "local", 0);
    serve->options.port.isolated = command_line_flag(serve->line, "isolate");
    serve->options.port.locked = command_line_flag(serve->line, "anti_spoof");
    if (serve->options.port.locked && !serve->options.port.macs)
        serve->options.port.macs = serve->options.port.allowed_count ? SWITCH_ALLOWED_MAX : 1;
}

static int read_options(struct serve *serve)
{
    static int (*const readers[])(struct serve *) = {read_framing, read_numbers, read_macs,
                                                     read_access};
    int status = EXIT_DONE;

    for (size_t i = 0; status == EXIT_DONE && i < sizeof readers / sizeof *readers; i++)
        status = readers[i](serve);
    if (status != EXIT_DONE)
        return status;
    read_flags(serve);
    if (command_line_value(serve->line, "listen", 0) ||
        command_line_value(serve->line, "connect", 0) || command_line_value(serve->line, "fd", 0))
        return EXIT_DONE;
    return say_usage(serve->line, serve->line->command.row->cli, NULL,
                     "'link serve' needs --listen, --connect or --fd: where the other end is.");
}

static bool has_nat(const struct serve *serve)
{
    return command_line_flag(serve->line, "nat");
}

/* --- The tap ------------------------------------------------------------------------------- */

static int inherit_tap(struct serve *serve)
{
    unsigned long fd = 0;
    const char *problem = NULL;

    if (!number_of(serve, "tap_fd", 10, INT32_MAX, &fd))
        return EXIT_USAGE;
    serve->tap.fd = (int)fd;
    if (link_examine_tap(serve->tap.fd, serve->tap.name, &problem) == 0)
        return EXIT_DONE;
    return wrong(serve, "tap-fd", problem);
}

static int get_tap(struct serve *serve, const struct nb_request *request)
{
    if (has_nat(serve))
        return EXIT_DONE;
    if (command_line_value(serve->line, "tap_fd", 0))
        return inherit_tap(serve);
    return tap_get(serve->line, request, &serve->tap);
}

/* No client gets the host's address. In a bridge there are others behind the tap. */
static void guard_tap(const struct serve *serve, struct switch_port *port)
{
    *port = (struct switch_port){.macs = LINK_TAP_MACS};
    if (command_line_flag(serve->line, "bridge") || !serve->tap.mac[0])
        return;
    if (mac_bytes(serve->tap.mac, port->allowed[0])) {
        port->allowed_count = 1;
        port->locked = true;
    }
}

/* --- The link ------------------------------------------------------------------------------ */

static int refuse(const struct serve *serve, const char *what)
{
    report(serve->line, &(struct fault){.code = "link"}, "%s: %s.", what,
           link_problem(serve->link));
    return EXIT_REFUSED;
}

typedef int place_maker(struct link *link, const char *text, const struct link_options *options);

static int adopt(struct link *link, const char *text, const struct link_options *options)
{
    return link_adopt(link, atoi(text), NULL, options);
}

static int make_places(const struct serve *serve, const char *option, place_maker *make,
                       const char **where)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(serve->line, option, i)); i++) {
        if (make(serve->link, text, &serve->options) < 0)
            return refuse(serve, text);
        *where = *where ? *where : text;
    }
    return EXIT_DONE;
}

static int make_ports(const struct serve *serve)
{
    const char *where = NULL;
    int status = make_places(serve, "listen", link_listen, &where);

    if (status == EXIT_DONE)
        status = make_places(serve, "connect", link_connect, &where);
    if (status == EXIT_DONE)
        status = make_places(serve, "fd", adopt, &where);
    if (status == EXIT_DONE)
        link_tell_ready(&serve->told, serve->tap.mac, where, &serve->options);
    return status;
}

/* What the clients reach: the host, or who brings them elsewhere. */
static int attach_far_end(struct serve *serve)
{
    struct switch_port port;

    if (has_nat(serve)) {
        serve->nat = nat_start(serve->link, &serve->told, serve->config.mtu);
        return serve->nat ? EXIT_DONE : EXIT_REFUSED;
    }
    guard_tap(serve, &port);
    if (link_attach_tap(serve->link, serve->tap.fd, &port) < 0)
        return refuse(serve, "the tap");
    return EXIT_DONE;
}

static int prepare(struct serve *serve)
{
    const char *capture = command_line_value(serve->line, "pcap", 0);
    int status = attach_far_end(serve);

    if (status != EXIT_DONE)
        return status;
    if (capture && link_capture(serve->link, capture, 0) < 0)
        return refuse(serve, "--pcap");
    if (serve->line->interval > 0)
        link_report_every(serve->link, (unsigned)(serve->line->interval * 1000));
    link_end_by_signals(serve->link);
    return make_ports(serve);
}

static int run(struct serve *serve)
{
    const char *capture = command_line_value(serve->line, "pcap", 0);
    int status;

    serve->told = (struct link_told){.line = serve->line, .tap = serve->tap.name};
    if (capture && strcmp(capture, "-") == 0)
        serve->told.out = stderr;
    serve->config.events = &link_told_events;
    serve->config.context = &serve->told;
    if (serve->tap.mtu)
        serve->config.mtu = serve->tap.mtu;
    if (link_new(&serve->link, &serve->config) < 0) {
        if (serve->tap.fd >= 0)
            close(serve->tap.fd);
        return say_usage(serve->line, serve->line->command.row->cli, "tap-mtu",
                         "the link cannot be made of these numbers.");
    }
    status = prepare(serve);
    if (status == EXIT_DONE) {
        if (serve->tap.name[0])
            serve->told.news = link_news_start(serve->link, serve->line, serve->tap.name);
        status = link_tell_end(serve->link, &serve->told, link_run(serve->link));
    }
    if (nat_has_ended(serve->nat)) {
        report(serve->line, &(struct fault){.code = "gone"}, "slirp4netns has ended.");
        status = EXIT_REFUSED;
    }
    if (serve->line->interval > 0)
        link_tell_counters(serve->link, &serve->told);
    nat_end(serve->nat);
    link_news_end(serve->told.news);
    link_free(serve->link);
    return status;
}

int run_link_serve(const struct command_line *line, struct nb_request *request)
{
    struct serve serve = {.line = line, .tap.fd = -1};
    int status = read_options(&serve);

    if (status == EXIT_DONE)
        status = get_tap(&serve, request);
    return status == EXIT_DONE ? run(&serve) : status;
}
