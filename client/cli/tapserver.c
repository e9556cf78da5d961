/* tapserver: a tap for emulators, with the command line of fuzziqersoftware/tapserver.
 *
 * It gets a tap from the service, and relays between it and whoever connects, by client/link. */
#include "tapserver.h"
#include "tap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tapserver {
    const struct command_line *line;
    struct tap tap;
    struct tapserver_options options;
};

/* --- What is told meanwhile ---------------------------------------------------------------- */

/* "client connected: /tmp/dolphin-tap, process 4711": several have the name of one socket. */
static void say_client(const char *what, const struct link_port *port)
{
    fprintf(stderr, "client %s: ", what);
    print_safe(stderr, port->name);
    if (port->pid > 0)
        fprintf(stderr, ", process %ld", (long)port->pid);
}

static void say_attached(struct link *link, const struct link_port *port, void *context)
{
    (void)link;
    (void)context;
    if (port->number == LINK_TAP)
        return;
    say_client("connected", port);
    putc('\n', stderr);
}

static void say_detached(struct link *link, const struct link_port *port, const char *why,
                         void *context)
{
    (void)link;
    (void)context;
    if (port->number == LINK_TAP)
        return;
    say_client("disconnected", port);
    fputs(": ", stderr);
    print_safe(stderr, why);
    fprintf(stderr, "; %" PRIu64 " frames from it, %" PRIu64 " to it, %" PRIu64 " dropped\n",
            port->from.frames, port->to.frames, port->to.dropped);
}

static void say_warning(struct link *link, const char *sentence, void *context)
{
    const struct tapserver *server = context;

    (void)link;
    report(server->line, &(struct fault){.code = "note"}, "%s.", sentence);
}

/* Sixteen bytes a line, as hexadecimal digits and as ASCII. */
static void print_frame(const unsigned char *frame, size_t length)
{
    for (size_t at = 0; at < length; at += 16) {
        size_t end = at + 16 < length ? at + 16 : length;

        fprintf(stderr, "%04zx |", at);
        for (size_t i = at; i < at + 16; i++)
            i < end ? fprintf(stderr, " %02x", frame[i]) : fprintf(stderr, "   ");
        fputs(" | ", stderr);
        for (size_t i = at; i < end; i++)
            putc(frame[i] >= ' ' && frame[i] <= '~' ? frame[i] : '.', stderr);
        putc('\n', stderr);
    }
}

/* Whether it could not pass unframed: its headers tell no length, or another. */
static bool warn_of_size(unsigned port, const unsigned char *frame, size_t length)
{
    struct framing_measure measure;
    enum framing_found found = framing_infer(frame, length, &measure);
    const char *way = port == LINK_TAP ? "outgoing" : "incoming";

    if (found == FRAMING_LENGTH && measure.length == length)
        return false;
    if (found == FRAMING_UNKNOWN)
        fprintf(stderr, "\nWarning: %s frame of %zu bytes whose headers tell no length: %s\n", way,
                length, measure.why);
    else
        fprintf(stderr, "\nWarning: %s frame of %zu bytes, of which its headers say %" PRIu32 "\n",
                way, length, found == FRAMING_LENGTH ? measure.length : 0);
    return true;
}

static void show_frame(struct link *link, unsigned port, const unsigned char *frame, size_t length,
                       void *context)
{
    const struct tapserver *server = context;
    bool warned = server->options.show_size_warnings && warn_of_size(port, frame, length);

    (void)link;
    if (server->options.show_data && !warned)
        fprintf(stderr, port == LINK_TAP ? "\nTo tap client:\n" : "\nFrom tap client:\n");
    if (server->options.show_data || warned)
        print_frame(frame, length);
}

static const struct link_events quiet_events = {
    .attached = say_attached, .detached = say_detached, .warned = say_warning};
static const struct link_events showing_events = {
    .attached = say_attached, .detached = say_detached, .warned = say_warning, .frame = show_frame};

/* --- Serving ------------------------------------------------------------------------------- */

static int say_problem(const struct tapserver *server, const struct link *link, int error)
{
    const char *problem = link_problem(link);

    report(server->line, &(struct fault){.code = error == -EADDRINUSE ? "in-use" : "link"}, "%s.",
           problem[0] ? problem : strerror(-error));
    return EXIT_REFUSED;
}

/* No client gets what is for the host: its MAC is the tap's alone. */
static int attach(struct link *link, const struct tapserver *server)
{
    struct switch_port port = {.locked = true, .allowed_count = 1};
    unsigned bytes[MAC_BYTES];

    if (sscanf(server->tap.mac, "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
               &bytes[4], &bytes[5]) != MAC_BYTES)
        return link_attach_tap(link, server->tap.fd, NULL);
    for (unsigned i = 0; i < MAC_BYTES; i++)
        port.allowed[0][i] = (uint8_t)bytes[i];
    return link_attach_tap(link, server->tap.fd, &port);
}

static int listen_all(struct link *link, const struct tapserver *server)
{
    const char *place;

    for (unsigned i = 0; (place = command_line_value(server->line, "listen", i)); i++) {
        int result = link_listen(link, place, &server->options.link);

        if (result < 0)
            return result;
    }
    return link_end_by_signals(link);
}

static void say_serving(const struct tapserver *server)
{
    const char *place;

    if (server->line->json) {
        printf("{\"name\":\"%s\",\"mac\":\"%s\",\"mtu\":%" PRIu32 "}\n", server->tap.name,
               server->tap.mac, server->tap.mtu);
        fflush(stdout);
        return;
    }
    fprintf(stderr, "%s (%s) is up, MTU %" PRIu32 "\n", server->tap.name, server->tap.mac,
            server->tap.mtu);
    for (unsigned i = 0; (place = command_line_value(server->line, "listen", i)); i++) {
        fputs("listening on ", stderr);
        print_safe(stderr, place);
        putc('\n', stderr);
    }
}

static int serve(struct tapserver *server)
{
    const struct link_config config = {
        .mtu = server->tap.mtu,
        .events = server->options.show_data || server->options.show_size_warnings ? &showing_events
                                                                                  : &quiet_events,
        .context = server,
    };
    struct link *link = NULL;
    int status = EXIT_DONE, result = link_new(&link, &config);

    if (result < 0)
        return explain_no_memory(server->line);
    result = attach(link, server);
    if (result == 0)
        result = listen_all(link, server);
    if (result == 0) {
        say_serving(server);
        result = link_run(link);
    }
    if (result < 0)
        status = say_problem(server, link, result);
    link_free(link);
    return status;
}

int run_tapserver(const struct command_line *line, struct nb_request *request)
{
    struct tapserver server = {.line = line};
    int status = tapserver_read(line, request, &server.options);

    if (status != EXIT_DONE)
        return status;
    tapserver_tell_ignored(line);
    status = tap_get(line, request, &server.tap);
    return status == EXIT_DONE ? serve(&server) : status;
}
