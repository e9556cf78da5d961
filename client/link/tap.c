/* The tap's port: each read and each write is a frame. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void fail(struct port *port, int error)
{
    struct link *link = port->link;

    if (error == EBADFD || error == EBADF || error == ENODEV)
        link_end(link, link_fail(link, -EBADFD,
                                 "the tap was taken away: its interface does not exist any more"));
    else if (error == EIO && port->to.dropped + port->from.dropped <= 1)
        link_warn(link, "the tap is down: frames to it are lost until it is up again");
}

static void wait_for_clients(struct port *port)
{
    struct link *link = port->link;
    uint64_t left = (link->patient_until - link->now) / 1000000 + 1;

    port->paused = true;
    port_poll(port);
    uv_timer_start(&link->patience, link->patience.timer_cb, left, 0);
}

static void tap_receive(struct port *port)
{
    struct link *link = port->link;

    for (unsigned i = 0; i < FRAMING_BATCH && !port->ending; i++) {
        unsigned char *place;
        size_t size;
        ssize_t n;

        if (link_must_wait(link)) {
            wait_for_clients(port);
            return;
        }
        place = link_reserve(link, port, &size);
        n = read(port->fd, place, size);
        if (n >= (ssize_t)link->prefix && link->prefix > 0)
            offload_complete(place);
        if (n > 0)
            port_take(port, place, (size_t)n);
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            fail(port, errno);
        if (n <= 0)
            return;
    }
}

static void tap_send_frame(struct port *port, const unsigned char *frame, size_t length)
{
    ssize_t n = write(port->fd, frame, length);

    if (n == (ssize_t)length) {
        framing_count(&port->to, FRAMING_FITS, length);
        return;
    }
    framing_count(&port->to, FRAMING_DROPPED, length);
    if (n < 0)
        fail(port, errno);
}

static void tap_failed(struct port *port)
{
    port_poll(port);
}

const struct port_kind tap_kind = {
    .receive = tap_receive,
    .send_frame = tap_send_frame,
    .failed = tap_failed,
};
