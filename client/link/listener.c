/* Places where clients come: a listening socket, or a bound one of datagrams. */
#include "internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCEPTS = 8,     /* in a turn */
    RETRY_MS = 1000, /* after there was no descriptor for a connection */
    LOOK_MS = 1000,  /* between looks at a peer that cannot be heard to go */
};

static const struct place_kind stream_place, message_place;

/* --- Connections --------------------------------------------------------------------------- */

static void name_of(const struct place *place, int fd, char *ret, size_t size)
{
    struct endpoint peer = {.length = sizeof peer.storage};

    if (place->address.any.sa_family != AF_UNIX && getpeername(fd, &peer.any, &peer.length) == 0)
        endpoint_name(&peer, ret, size);
    else
        endpoint_name(&place->address, ret, size);
}

static void welcome(struct place *place, int fd)
{
    char name[LINK_NAME_MAX];

    socket_set_flags(fd);
    name_of(place, fd, name, sizeof name);
    if (place_port(place, fd, name) < 0)
        link_warn(place->link, "a client of %s is turned away: %s", place->text,
                  link_problem(place->link));
}

/* The kernel says again and again that somebody waits: it is asked later. */
static void rest(struct place *place, int error)
{
    link_warn(place->link, "no connection can be accepted at %s: %s", place->text, strerror(error));
    place_poll_stop(place);
    place_timer(place, RETRY_MS);
}

static void accept_some(struct place *place)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        int fd = accept(place->fd, NULL, NULL);

        if (fd >= 0) {
            welcome(place, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(place, errno);
        if (errno != ECONNABORTED)
            return;
    }
}

static void accept_again(struct place *place)
{
    if (!place->poll && place_poll(place, UV_READABLE) < 0)
        place_timer(place, RETRY_MS);
}

static void client_ended(struct place *place, const struct port *port)
{
    (void)place;
    (void)port;
}

static const struct place_kind stream_place = {
    .ready = accept_some,
    .timeout = accept_again,
    .port_ended = client_ended,
};

/* --- Datagrams: the first who sends is the peer -------------------------------------------- */

/* The datagram stays, and the port will read it. */
static int find_peer(struct place *place)
{
    char byte;

    place->peer.length = sizeof place->peer.storage;
    if (recvfrom(place->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, &place->peer.any,
                 &place->peer.length) < 0)
        return -errno;
    if (place->peer.length <= sizeof place->peer.any.sa_family)
        return -EDESTADDRREQ;
    return connect(place->fd, &place->peer.any, place->peer.length) < 0 ? -errno : 0;
}

static void disconnect(struct place *place)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    (void)connect(place->fd, &nobody, sizeof nobody); /* connected or not, it is not then */
}

static void meet(struct place *place)
{
    char name[LINK_NAME_MAX], byte;
    int error = find_peer(place), fd = error ? -1 : dup(place->fd);

    if (error == -EAGAIN || error == -EINTR)
        return;
    if (fd >= 0) {
        socket_set_flags(fd);
        endpoint_name(&place->peer, name, sizeof name);
        place_poll_stop(place);
        error = place_port(place, fd, name);
        place_timer(place, LOOK_MS);
        if (error == 0)
            return;
        disconnect(place);
    }
    recv(place->fd, &byte, 1, MSG_DONTWAIT);
    link_warn(place->link, "who sends to %s cannot be answered: %s", place->text,
              fd >= 0 ? link_problem(place->link) : strerror(error ? -error : errno));
}

static void look(struct place *place)
{
    if (place->port && place_peer_is_gone(place))
        port_end(place->port, "it is gone");
    if (!place->port && !place->poll)
        place_poll(place, UV_READABLE);
    place_timer(place, LOOK_MS);
}

static void peer_ended(struct place *place, const struct port *port)
{
    (void)port;
    disconnect(place);
    place_timer(place, 1); /* the port's descriptor is still polled in this turn */
}

static const struct place_kind message_place = {
    .ready = meet,
    .timeout = look,
    .port_ended = peer_ended,
};

/* --- Beginning ----------------------------------------------------------------------------- */

static int begin(struct place *place)
{
    struct link *link = place->link;
    int type = endpoint_parse(link, place->text, &place->address);

    if (type < 0)
        return type;
    type = socket_type_of(link, &place->options, &place->address);
    if (type < 0)
        return type;
    place->socket_type = type;
    if (type == SOCK_DGRAM)
        place->kind = &message_place;
    place->fd = socket_new(&place->address, type);
    if (place->fd < 0)
        return link_fail(link, place->fd, "no socket can be made: %s", strerror(-place->fd));
    type = place_bind(place, place->fd, &place->address);
    if (type < 0)
        return type;
    if (place->kind == &stream_place && listen(place->fd, LINK_BACKLOG) < 0)
        return link_fail(link, -errno, "%s cannot be served: %s", place->text, strerror(errno));
    return place_poll(place, UV_READABLE);
}

int link_listen(struct link *link, const char *text, const struct link_options *options)
{
    struct place *place;
    int result = place_new(link, text, options, &stream_place, &place);

    if (result < 0)
        return result;
    result = begin(place);
    if (result < 0) {
        link->places = place->next;
        place_close(place);
    }
    return result;
}
