#include "farewell.h"

#include "fdpass.h"
#include "received.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct farewell {
    uv_poll_t poll;                    /* first */
    LIST_ENTRY(farewell) in_farewells; /* struct services; owned */
    struct services *services;
    struct account *user;
    int fd;
    bool passes; /* descriptors may arrive: nothing is read that has some */
    unsigned seconds;
    size_t dropped; /* bytes */
};

static void free_farewell(uv_handle_t *handle)
{
    free(handle);
}

static void end_farewell(struct farewell *farewell)
{
    LIST_REMOVE(farewell, in_farewells);
    uv_close((uv_handle_t *)&farewell->poll, free_farewell);
    received_end_connection(farewell->services, farewell->user, farewell->fd, farewell->passes);
}

/* Returns how many bytes were dropped, 0 at the end, or a negative errno.
 * #syscalls broker: recv recvfrom recvmsg */
static ssize_t drop_some(const struct farewell *farewell)
{
    char bytes[16384];
    bool bare = true;
    ssize_t length = sizeof bytes;

    if (farewell->passes)
        length = fdpass_peek(farewell->fd, bytes, sizeof bytes, &bare);
    if (length <= 0)
        return length;
    if (!bare)
        return 0;
    length = recv(farewell->fd, bytes, (size_t)length, 0);
    return length < 0 ? -errno : length;
}

static void on_input(uv_poll_t *poll, int status, int events)
{
    struct farewell *farewell = (struct farewell *)poll;
    ssize_t dropped = status < 0 ? status : drop_some(farewell);

    (void)events;
    if (dropped == -EAGAIN || dropped == -EINTR)
        return;
    farewell->dropped += dropped > 0 ? (size_t)dropped : 0;
    if (dropped <= 0 || farewell->dropped > FAREWELL_BYTES)
        end_farewell(farewell);
}

static size_t count(const struct services *services, const struct account *user, size_t *ret_all)
{
    struct farewell *farewell;
    size_t of_user = 0;

    *ret_all = 0;
    LIST_FOREACH (farewell, &services->farewells, in_farewells) {
        of_user += farewell->user == user;
        ++*ret_all;
    }
    return of_user;
}

static struct farewell *new_farewell(struct services *services, uv_loop_t *loop,
                                     struct account *user, int fd)
{
    struct farewell *farewell;
    size_t all;

    if (count(services, user, &all) >= FAREWELLS_PER_USER || all >= FAREWELLS_MAX)
        return NULL;
    farewell = calloc(1, sizeof *farewell);
    if (!farewell || uv_poll_init(loop, &farewell->poll, fd) < 0) {
        free(farewell);
        return NULL;
    }
    return farewell;
}

/* #syscalls broker: shutdown */
void farewell_begin(struct services *services, uv_loop_t *loop, struct account *user, int fd,
                    bool passes)
{
    struct farewell *farewell = new_farewell(services, loop, user, fd);

    if (!farewell) {
        received_end_connection(services, user, fd, passes);
        return;
    }
    farewell->services = services;
    farewell->user = user;
    farewell->fd = fd;
    farewell->passes = passes;
    LIST_INSERT_HEAD(&services->farewells, farewell, in_farewells);
    shutdown(fd, SHUT_WR);
    uv_poll_start(&farewell->poll, UV_READABLE, on_input);
}

void farewells_make_room(struct services *services, uid_t uid)
{
    struct users *users = &services->users;
    struct account *user = pools_find(&users->pools, uid);
    struct farewell *farewell, *next;
    unsigned has = user ? users_connections_of(users, user) : 0;
    size_t all, leaving = user ? count(services, user, &all) : 0;

    if (leaving == 0 || has < users->limits.connections_per_user ||
        has - leaving >= users->limits.connections_per_user)
        return;
    for (farewell = LIST_FIRST(&services->farewells); farewell; farewell = next) {
        next = LIST_NEXT(farewell, in_farewells);
        if (farewell->user == user)
            end_farewell(farewell);
    }
}

void farewells_tick(struct services *services)
{
    struct farewell *farewell, *next;

    for (farewell = LIST_FIRST(&services->farewells); farewell; farewell = next) {
        next = LIST_NEXT(farewell, in_farewells);
        if (++farewell->seconds > FAREWELL_SECONDS)
            end_farewell(farewell);
    }
}

void farewells_stop(struct services *services)
{
    while (!LIST_EMPTY(&services->farewells))
        end_farewell(LIST_FIRST(&services->farewells));
}
