/* Places: what listening sockets and connections out have in common. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Life ---------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct place *place = timer->data;

    place->link->now = uv_hrtime();
    place->kind->timeout(place);
}

void place_timer(struct place *place, unsigned milliseconds)
{
    uv_timer_start(&place->timer, on_timer, milliseconds, 0);
}

int place_new(struct link *link, const char *text, const struct link_options *options,
              const struct place_kind *kind, struct place **ret)
{
    struct place *place = calloc(1, sizeof *place);

    if (!place || !(place->text = strdup(text))) {
        free(place);
        return link_fail(link, -ENOMEM, "out of memory");
    }
    place->link = link;
    place->kind = kind;
    place->options = *options;
    place->fd = -1;
    place->next = link->places;
    link->places = place;
    uv_timer_init(&link->loop, &place->timer);
    place->timer.data = place;
    link->handles++;
    *ret = place;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct place *place = handle->data;

    place->link->handles--;
    free(place->text);
    free(place->bound);
    free(place);
}

/* A path that has become another one's is left alone. */
static void remove_bound(struct place *place)
{
    struct stat status;

    if (place->bound && lstat(place->bound, &status) == 0 && status.st_dev == place->device &&
        status.st_ino == place->inode)
        unlink(place->bound);
}

void place_close(struct place *place)
{
    place_poll_stop(place);
    remove_bound(place);
    if (place->fd >= 0)
        close(place->fd);
    for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
        if (place->link->ports[i] && place->link->ports[i]->place == place)
            place->link->ports[i]->place = NULL;
    uv_close((uv_handle_t *)&place->timer, on_closed);
}

/* --- Polling ------------------------------------------------------------------------------- */

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct place *place = poll->data;

    (void)status;
    (void)events;
    place->link->now = uv_hrtime();
    place->kind->ready(place);
}

int place_poll(struct place *place, int events)
{
    struct link *link = place->link;
    int result;

    place->poll = malloc(sizeof *place->poll);
    if (!place->poll)
        return link_fail(link, -ENOMEM, "out of memory");
    result = uv_poll_init(&link->loop, place->poll, place->fd);
    if (result < 0) {
        free(place->poll);
        place->poll = NULL;
        return link_fail(link, result, "the socket cannot be polled: %s", strerror(-result));
    }
    place->poll->data = place;
    link->handles++;
    return uv_poll_start(place->poll, events, on_ready);
}

static void on_poll_closed(uv_handle_t *handle)
{
    link_closed(handle);
    free(handle);
}

void place_poll_stop(struct place *place)
{
    if (!place->poll)
        return;
    place->poll->data = place->link;
    uv_close((uv_handle_t *)place->poll, on_poll_closed);
    place->poll = NULL;
}

/* --- Ports --------------------------------------------------------------------------------- */

int place_port(struct place *place, int fd, const char *name)
{
    const struct port_setup setup = {
        .fd = fd,
        .name = name,
        .options = &place->options,
        .place = place,
    };

    return port_new(place->link, &setup);
}

/* Connecting once more to where it is connected fails if nobody is there. Sending would tell as
 * well, but only a message of no bytes is harmless to the frames, and some peers end by one. */
bool place_peer_is_gone(struct place *place)
{
    return connect(place->port->fd, &place->peer.any, place->peer.length) < 0 &&
           errno == ECONNREFUSED;
}

/* --- Paths --------------------------------------------------------------------------------- */

/* What connecting to the socket that is there says: ECONNREFUSED where nobody listens, EACCES where
 * that cannot be told, ENOTSOCK where it is no socket. */
static int examine_path(const struct endpoint *address, int type)
{
    struct stat status;
    int fd, error;

    if (lstat(address->path.sun_path, &status) < 0)
        return errno;
    if (!S_ISSOCK(status.st_mode))
        return ENOTSOCK;
    fd = socket_new(address, type);
    if (fd < 0)
        return -fd;
    error = connect(fd, &address->any, address->length) < 0 ? errno : 0;
    close(fd);
    return error;
}

static int bind_path(int fd, const struct endpoint *address)
{
    mode_t before = umask(0177);
    int result = bind(fd, &address->any, address->length) < 0 ? -errno : 0;

    umask(before);
    return result;
}

/* Nobody can connect yet: the socket does not listen. */
static int set_access(struct place *place, const char *path)
{
    const struct link_options *options = &place->options;

    if (options->has_group && chown(path, (uid_t)-1, options->group) < 0)
        return link_fail(place->link, -errno, "%s cannot be given to the group: %s", path,
                         errno == EPERM ? "you are no member of it" : strerror(errno));
    if (options->has_mode && chmod(path, options->mode) < 0)
        return link_fail(place->link, -errno, "the mode of %s cannot be set: %s", path,
                         strerror(errno));
    return 0;
}

static int say_not_bound(struct place *place, const char *path, int error)
{
    const char *why = strerror(-error);

    if (error == -ENOENT || error == -ENOTDIR)
        why = "there is no such folder";
    else if (error == -EACCES)
        why = "you may make nothing in that folder";
    return link_fail(place->link, error, "%s cannot be made: %s", path, why);
}

/* Found: what is there, as examine_path() says. */
static int say_in_use(struct place *place, const char *path, int found)
{
    struct link *link = place->link;

    if (found == ENOTSOCK)
        return link_fail(link, -EADDRINUSE, "%s is there, and is no socket", path);
    if (found == EACCES || found == EPERM)
        return link_fail(link, -EADDRINUSE,
                         "%s is a socket that you may not connect to; take another path", path);
    if (found == ECONNREFUSED)
        return link_fail(link, -EADDRINUSE,
                         "%s is a socket that nobody serves, and you may not remove it; take "
                         "another path",
                         path);
    return link_fail(link, -EADDRINUSE, "another program serves at %s", path);
}

static int note_bound(struct place *place, const char *path)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return link_fail(place->link, -errno, "%s is gone: %s", path, strerror(errno));
    place->device = status.st_dev;
    place->inode = status.st_ino;
    free(place->bound);
    place->bound = strdup(path);
    return place->bound ? 0 : link_fail(place->link, -ENOMEM, "out of memory");
}

static int bind_at_path(struct place *place, int fd, const struct endpoint *address)
{
    const char *path = address->path.sun_path;
    int result = bind_path(fd, address), found;

    if (result == -EADDRINUSE) {
        found = examine_path(address, place->socket_type);
        if (found == ECONNREFUSED && unlink(path) == 0)
            found = ENOENT;
        if (found != ENOENT)
            return say_in_use(place, path, found);
        result = bind_path(fd, address);
    }
    if (result == -EADDRINUSE) /* somebody was faster */
        return say_in_use(place, path, 0);
    if (result < 0)
        return say_not_bound(place, path, result);
    result = note_bound(place, path);
    return result < 0 ? result : set_access(place, path);
}

int place_bind(struct place *place, int fd, const struct endpoint *address)
{
    int yes = 1;

    if (address->any.sa_family == AF_UNIX)
        return bind_at_path(place, fd, address);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &address->any, address->length) < 0)
        return link_fail(place->link, -errno, "%s cannot be served: %s", place->text,
                         errno == EACCES ? "only root may serve such a port" : strerror(errno));
    return 0;
}
