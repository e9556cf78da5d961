/* The way of a frame from port to port.
 *
 * A turn reads frames of one port and gives each to the ports that the switch names: to the tap at
 * once, to clients into their encoders. At its end each port that was given something gets it by
 * one write. A client that does not take it is blocked: frames wait in its encoder, which is
 * bounded, and are then dropped and counted. No other port notices.
 *
 * Where no client can take anything at all, the tap is left alone for a while: its queue in the
 * kernel is longer than an encoder, and a client that is merely slow loses less so. */
#include "internal.h"

enum { PATIENCE_MS = 100 };

unsigned char *link_reserve(struct link *link, const struct port *from, size_t *ret_size)
{
    struct port *to = link->ports[from->likely];
    unsigned char *place = NULL;

    if (to && to != from && to->kind->encodes && to->encoder.limit == link->limit)
        place = framing_encoder_reserve(&to->encoder, ret_size);
    if (place)
        return place;
    *ret_size = (size_t)link->limit + 1;
    return link->scratch;
}

bool link_must_wait(const struct link *link)
{
    return link->clients > 0 && link->full == link->clients && link->now < link->patient_until;
}

void link_resume_tap(struct link *link)
{
    struct port *tap = link->ports[LINK_TAP];

    if (!tap || !tap->paused)
        return;
    tap->paused = false;
    port_poll(tap);
}

/* Whether there is room for another frame, which tells if the tap may be read. */
static void note_room(struct port *port)
{
    struct link *link = port->link;
    size_t size;
    bool full = port->blocked && !framing_encoder_reserve(&port->encoder, &size);

    if (port->ending || full == port->full)
        return;
    port->full = full;
    link->full += full ? 1 : -1U;
    if (full)
        link->patient_until = link->now + PATIENCE_MS * UINT64_C(1000000);
    else
        link_resume_tap(link);
}

static enum framing_taken encode(struct port *port, const unsigned char *frame, size_t length)
{
    size_t size;

    if (framing_encoder_reserve(&port->encoder, &size) == frame)
        return framing_encoder_commit(&port->encoder, length);
    return framing_encoder_append(&port->encoder, frame, length);
}

static void queue(struct port *port, const unsigned char *frame, size_t length)
{
    enum framing_taken taken = encode(port, frame, length);

    if (taken == FRAMING_FULL && !port->blocked) {
        port->kind->send(port);
        taken = port->ending ? FRAMING_REFUSED : encode(port, frame, length);
    }
    if (taken == FRAMING_FULL)
        framing_count(&port->encoder.counts, FRAMING_DROPPED, length);
    if (port->ending)
        return;
    port_set_add(&port->link->dirty, port->number);
    if (port->blocked)
        note_room(port);
}

static void give(struct link *link, unsigned number, const unsigned char *frame, size_t length)
{
    struct port *port = link->ports[number];

    if (!port)
        return;
    if (port->kind->encodes)
        queue(port, frame, length);
    else
        port->kind->send_frame(port, frame, length);
}

static void observe(struct link *link, const struct port *from, const unsigned char *frame,
                    size_t length)
{
    if (link->capture)
        capture_frame(link->capture, frame, length);
    if (link->events.frame)
        link->events.frame(link, from->number, frame, length, link->config.context);
}

void link_forward(struct link *link, struct port *from, const unsigned char *frame, size_t length)
{
    const unsigned char *ethernet = frame + link->prefix;
    struct switch_verdict verdict;

    if (link->observed)
        observe(link, from, ethernet, length - link->prefix);
    switch_forward(link->sw, link->now, from->number, ethernet, length - link->prefix, &verdict);
    if (verdict.way == SWITCH_TO_PORT) {
        from->likely = verdict.port;
        give(link, verdict.port, frame, length);
    } else if (verdict.way == SWITCH_TO_PORTS) {
        PORT_SET_FOREACH(egress, &verdict.ports)
        give(link, egress, frame, length);
    }
}

void link_flush(struct link *link)
{
    struct port_set dirty = link->dirty;

    link->dirty = (struct port_set){0};
    PORT_SET_FOREACH(number, &dirty)
    {
        struct port *port = link->ports[number];

        if (port && !port->blocked)
            port->kind->send(port);
        if (port) {
            note_room(port);
            port_poll(port);
        }
    }
}

void link_writable(struct port *port)
{
    port->blocked = false;
    port->kind->send(port);
    note_room(port);
    port_poll(port);
}
