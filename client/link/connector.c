/* Places to connect to, again and again. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DELAY_LEAST_MS = 100,
    DELAY_MOST_MS = 5000,
    LOOK_MS = 1000, /* between looks at a peer that cannot be heard to go */
};

#define LASTING_NS (UINT64_C(5) * 1000000000) /* a connection that was no failure */

/* --- Trying -------------------------------------------------------------------------------- */

static void drop_socket(struct place *place)
{
    place_poll_stop(place);
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

/* Of each reason it is told once, until another one comes or it succeeds. why: NULL, or what it is
 * beside the error. */
static void try_later(struct place *place, int error, const char *why)
{
    drop_socket(place);
    if (error != place->told)
        link_warn(place->link, "%s cannot be reached (%s); it is tried again", place->text,
                  why ? why : strerror(-error));
    place->told = error;
    place_timer(place, place->delay_ms);
    place->delay_ms = place->delay_ms * 2 < DELAY_MOST_MS ? place->delay_ms * 2 : DELAY_MOST_MS;
}

static void connected(struct place *place)
{
    char name[LINK_NAME_MAX];
    int fd = place->fd, result;

    place_poll_stop(place);
    place->fd = -1;
    endpoint_name(&place->address, name, sizeof name);
    result = place_port(place, fd, name);
    if (result < 0) {
        link_warn(place->link, "%s cannot be joined: %s", place->text, link_problem(place->link));
        try_later(place, result, NULL);
        return;
    }
    place->told = 0;
    if (place->socket_type == SOCK_DGRAM)
        place_timer(place, LOOK_MS);
}

/* Datagrams: the peer answers to a path. */
static int bind_local(struct place *place)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    struct endpoint local;
    char path[sizeof local.path.sun_path];
    int result;

    if (place->options.local)
        snprintf(path, sizeof path, "%s", place->options.local);
    else
        snprintf(path, sizeof path, "%s/netbroker-link-%ld-%p.sock", folder ? folder : "/tmp",
                 (long)getpid(), (void *)place);
    result = endpoint_parse(place->link, path, &local);
    if (result < 0)
        return result;
    if (local.any.sa_family != AF_UNIX)
        return link_fail(place->link, -EINVAL, "'%s' is no path", path);
    return place_bind(place, place->fd, &local);
}

static void try(struct place *place)
{
    const char *why = NULL;
    int result = 0;

    place->fd = socket_new(&place->address, place->socket_type);
    if (place->fd < 0)
        result = place->fd;
    else if (place->socket_type == SOCK_DGRAM && (result = bind_local(place)) < 0)
        why = link_problem(place->link); /* of the path here, not of the other program's */
    if (result == 0 && connect(place->fd, &place->address.any, place->address.length) < 0)
        result = -errno;
    if (result == -EINPROGRESS)
        result = place_poll(place, UV_WRITABLE);
    else if (result == 0)
        connected(place);
    if (result < 0)
        try_later(place, result, why);
}

/* --- Later --------------------------------------------------------------------------------- */

static void on_ready(struct place *place)
{
    int error = 0;
    socklen_t length = sizeof error;

    getsockopt(place->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error)
        try_later(place, -error, NULL);
    else
        connected(place);
}

static void on_timeout(struct place *place)
{
    if (!place->port) {
        try(place);
        return;
    }
    if (place_peer_is_gone(place))
        port_end(place->port, "it is gone");
    else
        place_timer(place, LOOK_MS);
}

static void leave_link(struct place *place)
{
    struct place **at = &place->link->places;

    while (*at != place)
        at = &(*at)->next;
    *at = place->next;
    place_close(place);
}

static void on_port_ended(struct place *place, const struct port *port)
{
    if (place->options.once) {
        leave_link(place);
        return;
    }
    if (place->link->now - port->since_ns > LASTING_NS)
        place->delay_ms = DELAY_LEAST_MS;
    place_timer(place, place->delay_ms);
    if (place->link->now - port->since_ns <= LASTING_NS && place->delay_ms < DELAY_MOST_MS / 2)
        place->delay_ms *= 2;
}

static const struct place_kind kind = {
    .ready = on_ready,
    .timeout = on_timeout,
    .port_ended = on_port_ended,
};

int link_connect(struct link *link, const char *text, const struct link_options *options)
{
    struct place *place;
    int result = place_new(link, text, options, &kind, &place);

    if (result < 0)
        return result;
    place->delay_ms = DELAY_LEAST_MS;
    result = endpoint_parse(link, text, &place->address);
    if (result == 0)
        result = socket_type_of(link, options, &place->address);
    if (result < 0) {
        link->places = place->next;
        place_close(place);
        return result;
    }
    place->socket_type = result;
    place->peer = place->address;
    try(place);
    return 0;
}

/* --- A socket that is connected already ---------------------------------------------------- */

static int examine_socket(struct link *link, int fd, const struct link_options *options)
{
    const struct framing_row *row = framing_row(options->framing);
    socklen_t length = sizeof(int);
    int type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
        return link_fail(link, -EINVAL, "descriptor %d is no socket: %s", fd, strerror(errno));
    if (row->stream != (type == SOCK_STREAM))
        return link_fail(link, -EINVAL, "descriptor %d is %s socket, and '%s' needs another", fd,
                         type == SOCK_STREAM ? "a stream" : "no stream", row->name);
    return link_check_framing(link, options->framing);
}

int link_adopt(struct link *link, int fd, const char *name, const struct link_options *options)
{
    char text[LINK_NAME_MAX];
    struct port_setup setup = {.fd = fd, .name = name ? name : text, .options = options};
    int result = examine_socket(link, fd, options);

    if (result < 0) {
        close(fd);
        return result;
    }
    link->now = uv_hrtime();
    snprintf(text, sizeof text, "fd %d", fd);
    return port_new(link, &setup);
}
