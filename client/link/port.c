/* Ports: what they are made of, how they are polled, and how they end. */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Polling ------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct port *port = poll->data;
    struct link *link = port->link;

    link->now = uv_hrtime();
    if (status < 0)
        port->polled = 0;
    if (events & UV_WRITABLE)
        link_writable(port);
    if (!port->ending && (events & UV_READABLE || status < 0))
        port->kind->receive(port);
    if (!port->ending && status < 0)
        port->kind->failed(port);
    link_flush(link);
}

void port_poll(struct port *port)
{
    int events = (port->paused ? 0 : UV_READABLE) | (port->blocked ? UV_WRITABLE : 0);

    if (port->ending || events == port->polled)
        return;
    port->polled = events;
    if (events)
        uv_poll_start(&port->poll, events, on_poll);
    else
        uv_poll_stop(&port->poll);
}

void port_send_failed(struct port *port, int error)
{
    if (error == EAGAIN || error == ENOBUFS || error == EINTR) {
        port->blocked = true;
        return;
    }
    if (error == EPIPE || error == ECONNRESET || error == ECONNREFUSED)
        port_end(port, "it closed the connection");
    else
        port_end(port, "the connection failed: %s", strerror(error));
}

/* --- What it knows ------------------------------------------------------------------------- */

struct framing_counts *port_from(struct port *port)
{
    return port->kind == &stream_kind ? &port->decoder.counts : &port->from;
}

struct framing_counts *port_to(struct port *port)
{
    return port->kind->encodes ? &port->encoder.counts : &port->to;
}

/* The bytes of frames are those of Ethernet. */
static struct framing_counts without_prefix(const struct link *link,
                                            const struct framing_counts *counts)
{
    struct framing_counts told = *counts;

    told.bytes -= told.frames * link->prefix;
    return told;
}

void port_describe(struct port *port, struct link_port *ret)
{
    size_t pending = 0;

    if (port->kind->encodes)
        framing_encoder_pending(&port->encoder, &pending);
    *ret = (struct link_port){
        .number = port->number,
        .name = port->name,
        .framing = port->kind == &tap_kind ? "" : framing_row(port->framing)->name,
        .isolated = port->isolated,
        .pid = port->pid,
        .uid = port->uid,
        .since_ns = port->since_ns,
        .pending = pending,
        .from = without_prefix(port->link, port_from(port)),
        .to = without_prefix(port->link, port_to(port)),
        .flow = *switch_counters(port->link->sw, port->number),
    };
}

void port_refuse(struct port *port, enum framing_fate fate, size_t length)
{
    struct link *link = port->link;

    if (link->events.refused)
        link->events.refused(link, port->number, fate, length, link->config.context);
}

/* That the other end has no offload looks like this from the first frame on. */
static void tell_invalid(struct port *port, const char *why)
{
    if (!port->told_invalid)
        link_warn(
            port->link,
            "the offload header of a frame from %s is wrong: %s; if all are, the other end has "
            "no offload",
            port->name, why);
    port->told_invalid = true;
}

enum framing_fate port_judge(struct port *port, const unsigned char *frame, size_t length)
{
    const struct link *link = port->link;
    const char *why = NULL;
    enum framing_fate fate;

    if (link->prefix == 0)
        return framing_judge(length, link->limit);
    fate = offload_judge(frame, length, link->mtu_limit, &why);
    if (fate == FRAMING_INVALID)
        tell_invalid(port, why);
    return fate;
}

void port_take(struct port *port, const unsigned char *frame, size_t length)
{
    struct link *link = port->link;
    enum framing_fate fate = port_judge(port, frame, length);

    framing_count(&port->from, fate, length);
    if (fate == FRAMING_FITS)
        link_forward(link, port, frame, length);
    else
        port_refuse(port, fate, length);
}

/* --- Beginning ----------------------------------------------------------------------------- */

/* As many bytes as a batch of frames needs, within bounds, but always four frames. */
static size_t buffer_size(const struct link *link)
{
    size_t frame = (size_t)link->limit + FRAMING_HEADER_MAX + 1;
    size_t size = frame * FRAMING_BATCH;

    if (size < BUFFER_LEAST)
        size = BUFFER_LEAST;
    if (size > BUFFER_MOST)
        size = BUFFER_MOST;
    return size < 4 * frame ? 4 * frame : size;
}

static bool make_buffers(struct port *port)
{
    size_t size = buffer_size(port->link);
    uint32_t limit = framing_cap(port->framing, port->link->limit);
    bool stream = framing_row(port->framing)->stream;

    port->pending = malloc(size);
    if (!port->pending ||
        !framing_encoder_init(&port->encoder, stream ? port->framing : FRAMING_U32BE, limit,
                              port->pending, size))
        return false;
    if (!stream)
        return true;
    port->received = malloc(size);
    return port->received &&
           framing_decoder_init(&port->decoder, port->framing, limit, port->received, size);
}

static void free_port(struct port *port)
{
    free(port->pending);
    free(port->received);
    free(port);
}

static void on_closed(uv_handle_t *handle)
{
    struct port *port = handle->data;
    struct link *link = port->link;

    close(port->fd);
    free_port(port);
    link->handles--;
}

static unsigned free_number(const struct link *link)
{
    unsigned number = LINK_TAP + 1;

    while (number <= link->config.clients && link->ports[number])
        number++;
    return number;
}

static int attach(struct port *port, const struct switch_port *config)
{
    struct link *link = port->link;

    if (!switch_attach(link->sw, link->now, port->number, config))
        return link_fail(link, -EINVAL,
                         "the switch cannot have such a port: a MAC address that is allowed is "
                         "none, or it may have more than %u addresses",
                         link->config.macs);
    port->isolated = config->isolated;
    port->since_ns = link->now;
    link->ports[port->number] = port;
    link->clients += port->number != LINK_TAP;
    link_resume_tap(link);
    return 0;
}

/* Releases the descriptor and the port after an error. */
static int discard(struct link *link, struct port *port, int fd, int error)
{
    close(fd);
    if (port)
        free_port(port);
    return error ? error : link_fail(link, -ENOMEM, "out of memory");
}

static int begin(struct port *port, const struct switch_port *config)
{
    struct link *link = port->link;
    int result = uv_poll_init(&link->loop, &port->poll, port->fd);

    if (result < 0) {
        link_fail(link, result, "the descriptor cannot be polled: %s", strerror(-result));
        discard(link, port, port->fd, result);
        return result;
    }
    port->poll.data = port;
    link->handles++;
    result = attach(port, config);
    if (result < 0)
        uv_close((uv_handle_t *)&port->poll, on_closed);
    else
        port_poll(port);
    return result;
}

static void tell_attached(struct port *port)
{
    struct link *link = port->link;
    struct link_port told;

    port_describe(port, &told);
    if (link->events.attached && port->number != LINK_TAP)
        link->events.attached(link, &told, link->config.context);
}

static struct port *allocate(struct link *link, int fd, const char *name)
{
    struct port *port = calloc(1, sizeof *port);

    if (!port)
        return NULL;
    port->link = link;
    port->fd = fd;
    snprintf(port->name, sizeof port->name, "%s", name);
    return port;
}

/* Rates and numbers that every client has, where the options do not say others. */
static struct switch_port with_defaults(const struct link *link, const struct switch_port *given)
{
    struct switch_port config = *given;

    if (!config.macs)
        config.macs = link->config.macs;
    if (!config.moves.per_second)
        config.moves = (struct switch_rate){.per_second = 10, .burst = 20};
    return config;
}

int port_new(struct link *link, const struct port_setup *setup)
{
    struct switch_port config = with_defaults(link, &setup->options->port);
    struct port *port = allocate(link, setup->fd, setup->name);
    socklen_t length = sizeof port->socket_type;
    int result;

    if (!port)
        return discard(link, NULL, setup->fd, 0);
    port->number = free_number(link);
    port->framing = setup->options->framing;
    port->place = setup->place;
    port->kind = framing_row(port->framing)->stream ? &stream_kind : &message_kind;
    if (port->number > link->config.clients)
        return discard(link, port, setup->fd,
                       link_fail(link, -ENOSPC, "there are %u clients, as many as there may be",
                                 link->clients));
    if (!make_buffers(port))
        return discard(link, port, setup->fd, 0);
    getsockopt(port->fd, SOL_SOCKET, SO_TYPE, &port->socket_type, &length);
    system_peer(port->fd, &port->pid, &port->uid);
    socket_tune(port->fd);
    result = begin(port, &config);
    if (result == 0) {
        if (port->place)
            port->place->port = port;
        tell_attached(port);
    }
    return result;
}

int link_attach_tap(struct link *link, int fd, const struct switch_port *config)
{
    const struct switch_port free_one = {.macs = LINK_TAP_MACS};
    struct switch_port own = config ? *config : free_one;
    struct port *port;

    link->now = uv_hrtime();
    if (link->ports[LINK_TAP])
        return discard(link, NULL, fd, link_fail(link, -EEXIST, "the link has a tap already"));
    port = allocate(link, fd, "tap");
    if (!port)
        return discard(link, NULL, fd, 0);
    port->kind = &tap_kind;
    if (!own.macs)
        own.macs = LINK_TAP_MACS;
    return begin(port, &own);
}

/* --- End ----------------------------------------------------------------------------------- */

static void add_counts(struct framing_counts *sum, const struct framing_counts *counts)
{
    sum->frames += counts->frames;
    sum->bytes += counts->bytes;
    sum->zero += counts->zero;
    sum->undersize += counts->undersize;
    sum->oversize += counts->oversize;
    sum->uncarried += counts->uncarried;
    sum->invalid += counts->invalid;
    sum->dropped += counts->dropped;
}

void link_totals(const struct link *link, struct framing_counts *ret_from,
                 struct framing_counts *ret_to)
{
    *ret_from = link->past_from;
    *ret_to = link->past_to;
    for (unsigned i = LINK_TAP + 1; i <= link->config.clients; i++)
        if (link->ports[i]) {
            add_counts(ret_from, port_from(link->ports[i]));
            add_counts(ret_to, port_to(link->ports[i]));
        }
    *ret_from = without_prefix(link, ret_from);
    *ret_to = without_prefix(link, ret_to);
}

static void leave(struct port *port)
{
    struct link *link = port->link;

    if (port->kind->encodes)
        framing_encoder_restart(&port->encoder);
    link->ports[port->number] = NULL;
    port_set_remove(&link->dirty, port->number);
    port_set_remove(&link->behind, port->number);
    link->full -= port->full;
    if (port->number == LINK_TAP)
        return;
    link->clients--;
    add_counts(&link->past_from, port_from(port));
    add_counts(&link->past_to, port_to(port));
    link_resume_tap(link);
}

void port_end(struct port *port, const char *format, ...)
{
    struct link *link = port->link;
    struct link_port told;
    char why[PROBLEM_MAX];
    va_list arguments;

    if (port->ending)
        return;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    port->ending = true;
    leave(port);
    port_describe(port, &told);
    switch_detach(link->sw, port->number);
    uv_close((uv_handle_t *)&port->poll, on_closed);
    if (link->events.detached && port->number != LINK_TAP)
        link->events.detached(link, &told, why, link->config.context);
    if (port->place) {
        port->place->port = NULL;
        port->place->kind->port_ended(port->place, port);
    }
    link_end_if_idle(link);
}
