/* The port of a client for which each message is a frame. What waits for it is in an encoder of
 * FRAMING_U32BE, whose headers say here where messages end, and are not sent. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

static bool has_hung_up(const struct port *port)
{
    struct pollfd polled = {.fd = port->fd, .events = 0};

    return poll(&polled, 1, 0) > 0 && polled.revents & (POLLHUP | POLLERR);
}

/* Of SOCK_SEQPACKET, nothing is either the end or a message of no bytes. */
static bool is_end(const struct port *port)
{
    return port->socket_type == SOCK_SEQPACKET && has_hung_up(port);
}

static void message_receive(struct port *port)
{
    for (unsigned i = 0; i < FRAMING_BATCH && !port->ending; i++) {
        size_t size;
        unsigned char *place = link_reserve(port->link, port, &size);
        ssize_t n = recv(port->fd, place, size, MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0) {
            if (errno != EAGAIN && errno != EINTR)
                port_end(port, "the connection failed: %s", strerror(errno));
            return;
        }
        if (n == 0 && is_end(port)) {
            port_end(port, "it closed the connection");
            return;
        }
        port_take(port, place, (size_t)n);
    }
}

static uint32_t length_of(const unsigned char *header)
{
    struct framing_measure measure = {0};

    framing_row(FRAMING_U32BE)->measure(header, FRAMING_HEADER_MAX, &measure);
    return measure.length;
}

/* The socket takes no message of this length, nor will it. */
static void count_too_long(struct port *port, uint32_t length)
{
    framing_recount(&port->encoder.counts, FRAMING_OVERSIZE, length);
}

static void message_send(struct port *port)
{
    const unsigned char *bytes;
    size_t size;

    while (bytes = framing_encoder_pending(&port->encoder, &size), size > 0) {
        uint32_t length = length_of(bytes);
        ssize_t n = send(port->fd, bytes + FRAMING_HEADER_MAX, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        int error = n < 0 ? errno : 0;

        if (error && error != EMSGSIZE) {
            port_send_failed(port, error);
            return;
        }
        framing_encoder_consume(&port->encoder, FRAMING_HEADER_MAX + length);
        if (error)
            count_too_long(port, length);
    }
}

static void message_failed(struct port *port)
{
    port_end(port, "the connection failed");
}

const struct port_kind message_kind = {
    .receive = message_receive,
    .send = message_send,
    .encodes = true,
    .failed = message_failed,
};
