/* The port of a client whose frames come in a stream. */
#include "internal.h"

#include <errno.h>
#include <string.h>

static void end_of_stream(struct port *port)
{
    port_end(port, framing_decoder_is_within(&port->decoder)
                       ? "it closed the connection within a frame"
                       : "it closed the connection");
}

static void end_of_framing(struct port *port)
{
    const struct framing_measure *fault = &port->decoder.fault;

    port_end(port, "what it sends is not %s: %s (%u)", framing_row(port->framing)->name, fault->why,
             fault->value);
}

/* Why it was skipped is told by its length. */
static void skipped(struct port *port, size_t length)
{
    port_refuse(port, framing_judge(length, port->decoder.limit), length);
}

static void take(struct port *port, const struct framing_frame *frame)
{
    enum framing_fate fate = port_judge(port, frame->bytes, frame->length);

    if (fate == FRAMING_FITS) {
        link_forward(port->link, port, frame->bytes, frame->length);
        return;
    }
    framing_recount(&port->decoder.counts, fate, frame->length);
    port_refuse(port, fate, frame->length);
}

/* Takes the frames that were read, as many as there may be in a turn. */
static void stream_go_on(struct port *port)
{
    struct framing_frame frame;

    for (unsigned i = 0; i < TURN_FRAMES && !port->ending; i++)
        switch (framing_decoder_next(&port->decoder, &frame)) {
        case FRAMING_FRAME:
            take(port, &frame);
            break;
        case FRAMING_SKIPPED:
            skipped(port, frame.length);
            break;
        case FRAMING_MORE:
            port_set_remove(&port->link->behind, port->number);
            return;
        case FRAMING_BROKEN:
            end_of_framing(port);
            return;
        }
    if (port->ending)
        return;
    port_set_add(&port->link->behind, port->number);
    link_go_on(port->link);
}

static void stream_receive(struct port *port)
{
    unsigned char *bytes;
    size_t size;
    ssize_t n;

    if (port_set_has(&port->link->behind, port->number))
        return;
    bytes = framing_decoder_room(&port->decoder, &size);
    n = recv(port->fd, bytes, size, MSG_DONTWAIT);
    if (n > 0) {
        framing_decoder_filled(&port->decoder, (size_t)n);
        stream_go_on(port);
    } else if (n == 0)
        end_of_stream(port);
    else if (errno != EAGAIN && errno != EINTR)
        port_end(port, "the connection failed: %s", strerror(errno));
}

static void stream_send(struct port *port)
{
    size_t size;
    const unsigned char *bytes = framing_encoder_pending(&port->encoder, &size);
    ssize_t n;

    if (size == 0)
        return;
    n = send(port->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        port_send_failed(port, errno);
        return;
    }
    framing_encoder_consume(&port->encoder, (size_t)n);
    port->blocked = (size_t)n < size;
}

static void stream_failed(struct port *port)
{
    port_end(port, "the connection failed");
}

const struct port_kind stream_kind = {
    .receive = stream_receive,
    .go_on = stream_go_on,
    .send = stream_send,
    .encodes = true,
    .failed = stream_failed,
};
