/* tapserver: a tap for emulators, with the command line of fuzziqersoftware/tapserver.
 *
 * It gets a tap from the service, and relays between it and whoever connects, by client/link. */
#include "tapserver.h"
#include "link_told.h"
#include "tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct tapserver {
    struct link_told told; /* first: it is the context of the link's events */
    struct tap tap;
    struct tapserver_options options;
};

/* --- Frames that are shown ----------------------------------------------------------------- */

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

/* --- Serving ------------------------------------------------------------------------------- */

/* No client gets what is for the host: its MAC is the tap's alone. */
static int attach(struct link *link, const struct tapserver *server)
{
    struct switch_port port = {.locked = true, .allowed_count = 1};

    if (!mac_bytes(server->tap.mac, port.allowed[0]))
        return link_attach_tap(link, server->tap.fd, NULL);
    return link_attach_tap(link, server->tap.fd, &port);
}

/* The service's tap is there, so nobody connects in vain. */
static int listen_all(struct link *link, const struct tapserver *server)
{
    const struct link_options *options = &server->options.link;
    const char *place;
    int result = 0;

    for (unsigned i = 0;
         result == 0 && (place = command_line_value(server->told.line, "listen", i)); i++) {
        result = link_listen(link, place, options);
        if (result == 0)
            link_tell_ready(&server->told, server->tap.mac, place, options);
    }
    return result;
}

static int serve(struct tapserver *server)
{
    struct link_events events = link_told_events;
    const struct link_config config = {
        .mtu = server->tap.mtu, .events = &events, .context = &server->told};
    struct link *link = NULL;
    int status, result;

    if (server->options.show_data || server->options.show_size_warnings)
        events.frame = show_frame;
    result = link_new(&link, &config);
    if (result < 0)
        return explain_no_memory(server->told.line);
    result = attach(link, server);
    if (result == 0)
        result = link_end_by_signals(link);
    if (result == 0)
        result = listen_all(link, server);
    if (result == 0) {
        server->told.news = link_news_start(link, server->told.line, server->tap.name);
        result = link_run(link);
    }
    status = link_tell_end(link, &server->told, result);
    link_news_end(&server->told.news);
    link_free(link);
    return status;
}

int run_tapserver(const struct command_line *line, struct nb_request *request)
{
    struct tapserver server = {.told.line = line};
    int status = tapserver_read(line, request, &server.options);

    if (status != EXIT_DONE)
        return status;
    tapserver_tell_ignored(line);
    status = tap_get(line, request, &server.tap);
    server.told.tap = server.tap.name;
    return status == EXIT_DONE ? serve(&server) : status;
}
