/* link serve: a tap of the service's, and a link between it and the programs that come. */
#include "files.h"
#include "link_nat.h"
#include "link_place.h"
#include "link_told.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct serve {
    const struct command_line *line;
    struct link_config config;
    struct link_places places;
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
static bool number_of(const struct serve *serve, const char *option, unsigned long most,
                      unsigned long *number)
{
    const char *text = command_line_value(serve->line, option, 0);
    char *end;

    if (!text)
        return true;
    errno = 0;
    *number = strtoul(text, &end, 10);
    if (errno == 0 && text[0] >= '0' && text[0] <= '9' && !*end && *number <= most)
        return true;
    say_usage(serve->line, serve->line->command.row->cli, option,
              "--%s takes a number, and '%s' is none that it can be.", option, text);
    return false;
}

static int read_numbers(struct serve *serve)
{
    unsigned long clients = 0, mtu = 0;

    if (!number_of(serve, "clients", LINK_CLIENTS_MAX, &clients) ||
        !number_of(serve, "tap_mtu", TAP_MTU_MAX, &mtu))
        return EXIT_USAGE;
    serve->config.clients = (unsigned)clients;
    serve->config.mtu = mtu ? (uint32_t)mtu : TAP_MTU_DEFAULT;
    return EXIT_DONE;
}

static int read_places(struct serve *serve)
{
    int status = link_places_read(serve->line, &serve->places);

    serve->config.macs = serve->places.macs;
    return status;
}

/* Before anything is opened: later, the number may be that of a descriptor of our own. */
static int check_descriptors(struct serve *serve)
{
    const struct link_place *list = serve->places.list;
    socklen_t length = sizeof(int);
    int type;

    for (unsigned i = 0; i < serve->places.count; i++) {
        if (list[i].way != LINK_FD)
            continue;
        if (getsockopt(atoi(list[i].where), SOL_SOCKET, SO_TYPE, &type, &length) < 0)
            return wrong(serve, "fd", "it takes the number of a socket that this command inherits");
        for (unsigned j = 0; j < i; j++)
            if (list[j].way == LINK_FD && atoi(list[j].where) == atoi(list[i].where))
                return wrong(serve, "fd", "a descriptor stands there twice");
    }
    return EXIT_DONE;
}

static bool has_nat(const struct serve *serve)
{
    return command_line_flag(serve->line, "nat");
}

static bool has_offload(const struct serve *serve)
{
    return command_line_flag(serve->line, "offload");
}

/* All of a link or nothing of it has offload: slirp4netns has not. */
static int read_offload(struct serve *serve)
{
    serve->config.offload = has_offload(serve);
    if (has_offload(serve) && has_nat(serve))
        return wrong(serve, "offload", "slirp4netns, which --nat starts, does not know it");
    return EXIT_DONE;
}

/* What the service would be asked for means nothing where it is not asked. */
static int check_without_service(struct serve *serve)
{
    static const char *const others[] = {"nat", "no_tap", "tap_fd"};
    const struct action_row *row = serve->line->command.row;
    const struct field *other = NULL;
    char title[64], instead[64];

    for (size_t i = 0; i < sizeof others / sizeof *others && !other; i++)
        if (command_line_flag(serve->line, others[i]))
            other = field_find(row, others[i]);
    for (size_t i = 0; other && i < row->field_count; i++) {
        const struct field *field = &row->fields[i];

        if (!command_line_flag(serve->line, field->name) ||
            !field_find(action_row(ACTION_OPEN_TAP), field->name) ||
            strcmp(field->name, "offload") == 0) /* of the whole link, with and without a tap */
            continue;
        return say_usage(serve->line, row->cli, field->name,
                         "%s is of a tap that the service makes, and with %s it makes none%s.",
                         option_title(field, title, sizeof title),
                         option_title(other, instead, sizeof instead),
                         strcmp(field->name, "mtu") == 0 ? "; write --tap-mtu" : "");
    }
    return EXIT_DONE;
}

static int read_options(struct serve *serve)
{
    static int (*const readers[])(struct serve *) = {check_without_service, read_numbers,
                                                     read_offload, read_places, check_descriptors};
    int status = EXIT_DONE;

    for (size_t i = 0; status == EXIT_DONE && i < sizeof readers / sizeof *readers; i++)
        status = readers[i](serve);
    return status;
}

/* --- The tap ------------------------------------------------------------------------------- */

static int inherit_tap(struct serve *serve)
{
    unsigned long fd = 0;
    const char *problem = NULL;

    if (!number_of(serve, "tap_fd", INT32_MAX, &fd))
        return EXIT_USAGE;
    serve->tap.fd = (int)fd;
    if (link_prepare_tap(serve->tap.fd, has_offload(serve), serve->tap.name, &problem) == 0)
        return EXIT_DONE;
    return wrong(serve, "tap-fd", problem);
}

static int ask_for_tap(struct serve *serve, const struct nb_request *request)
{
    const char *problem = NULL;
    int status = tap_get(serve->line, request, &serve->tap);

    if (status != EXIT_DONE || !has_offload(serve) ||
        link_prepare_tap(serve->tap.fd, true, serve->tap.name, &problem) == 0)
        return status;
    report(serve->line, &(struct fault){.code = "link"}, "the tap of the service: %s.", problem);
    close(serve->tap.fd);
    return EXIT_REFUSED;
}

static int get_tap(struct serve *serve, const struct nb_request *request)
{
    if (command_line_flag(serve->line, "tap_fd"))
        return inherit_tap(serve);
    if (has_nat(serve) || command_line_flag(serve->line, "no_tap"))
        return EXIT_DONE;
    return ask_for_tap(serve, request);
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

static int refuse(const struct serve *serve)
{
    report(serve->line, &(struct fault){.code = "link"}, "%s.", link_problem(serve->link));
    return EXIT_REFUSED;
}

/* They are told of when all are there, so the first is enough to wait for. */
static int make_places(const struct serve *serve)
{
    const struct link_place *list = serve->places.list;

    for (unsigned i = 0; i < serve->places.count; i++)
        if (link_place_make(serve->link, &list[i]) < 0)
            return refuse(serve);
    for (unsigned i = 0; i < serve->places.count; i++)
        link_tell_ready(&serve->told, serve->tap.mac, list[i].where, &list[i].options);
    return EXIT_DONE;
}

/* What the clients reach beside each other: the host, or who brings them elsewhere. */
static int attach_far_end(struct serve *serve)
{
    struct switch_port port;

    if (has_nat(serve)) {
        serve->nat = nat_start(serve->link, &serve->told, serve->config.mtu);
        return serve->nat ? EXIT_DONE : EXIT_REFUSED;
    }
    if (serve->tap.fd < 0)
        return EXIT_DONE;
    guard_tap(serve, &port);
    if (link_attach_tap(serve->link, serve->tap.fd, &port) < 0)
        return refuse(serve);
    return EXIT_DONE;
}

static int prepare(struct serve *serve)
{
    const char *capture = command_line_value(serve->line, "pcap", 0);
    int status = attach_far_end(serve);

    if (status != EXIT_DONE)
        return status;
    if (capture && link_capture(serve->link, capture, 0) < 0)
        return refuse(serve);
    if (serve->line->interval > 0)
        link_report_every(serve->link, (unsigned)(serve->line->interval * 1000));
    link_end_by_signals(serve->link);
    return make_places(serve);
}

static int run(struct serve *serve)
{
    const char *capture = command_line_value(serve->line, "pcap", 0);
    int status;

    serve->told = (struct link_told){
        .line = serve->line, .tap = serve->tap.name, .offload = has_offload(serve)};
    if (capture && savefile_is_output(capture))
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
    link_news_end(&serve->told.news);
    link_free(serve->link);
    return status;
}

int run_link_serve(const struct command_line *line, struct nb_request *request)
{
    struct serve serve = {.line = line, .tap.fd = -1};
    int status = read_options(&serve);

    if (status == EXIT_DONE)
        status = get_tap(&serve, request);
    if (status == EXIT_DONE)
        status = run(&serve);
    link_places_free(&serve.places);
    return status;
}
