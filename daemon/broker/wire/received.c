#include "received.h"

#include "fdpass.h"
#include "session_internal.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void uncharge(struct services *services, const struct closing *closing)
{
    if (closing->is_connection)
        users_disconnect(&services->users, closing->user);
    else
        users_have_closed(&services->users, closing->user);
}

/* Without memory for the closer it is closed here and now. */
static void close_later(struct services *services, const struct closing *closing)
{
    if (!closer_take(&services->received_closer, services->received_closed, closing))
        uncharge(services, closing);
}

void received_close(struct services *services, struct account *user, int fd)
{
    close_later(services, &(struct closing){.fd = fd, .user = user});
}

/* Of a socket where nothing more arrives. What is before them is dropped: to close it with bytes
 * that were not read would be an error for the client (unix_release_sock() of Linux).
 * #syscalls broker: shutdown recv recvfrom recvmsg close */
static bool has_descriptors(int fd, bool passes)
{
    char bytes[16384];
    bool bare = true;
    ssize_t length = sizeof bytes;

    do
        if (passes)
            length = fdpass_peek(fd, bytes, sizeof bytes, &bare);
    while (length > 0 && bare && recv(fd, bytes, (size_t)length, 0) > 0);
    return !bare;
}

/* Beyond the connections that he may have it is one more descriptor that he sent. */
static void charge(struct services *services, struct closing *closing)
{
    struct users *users = &services->users;

    closing->is_connection =
        users_connections_of(users, closing->user) <= users->limits.connections_per_user;
    if (closing->is_connection)
        return;
    users_receive(users, closing->user, 1);
    users_disconnect(users, closing->user);
}

void received_end_connection(struct services *services, struct account *user, int fd, bool passes)
{
    struct closing closing = {.fd = fd, .user = user, .is_connection = true};

    shutdown(fd, SHUT_RDWR);
    if (passes)
        peer_read_in_line(fd);
    if (has_descriptors(fd, passes)) {
        charge(services, &closing);
        close_later(services, &closing);
        return;
    }
    close(fd);
    uncharge(services, &closing);
}

void received_end_read_connection(struct services *services, struct account *user, int fd)
{
    close(fd);
    users_disconnect(&services->users, user);
}

bool received_are_too_many(const struct services *services, uid_t uid)
{
    const struct pool *received = &services->users.received;
    const struct account *user = pools_find(&services->users.pools, uid);

    return user && user->used[received->place] > received->bounds.size / USERS_SHARE_PART;
}

static void uncharge_all(struct services *services, struct closings *done)
{
    struct closing *closing;

    while ((closing = STAILQ_FIRST(done))) {
        STAILQ_REMOVE_HEAD(done, in_list);
        uncharge(services, closing);
        free(closing);
    }
}

void received_note_closed(struct services *services)
{
    struct closings done = STAILQ_HEAD_INITIALIZER(done);
    struct session *session, *next;

    closer_take_done(services->received_closer, &done);
    uncharge_all(services, &done);
    for (session = LIST_FIRST(&services->sessions.list); session; session = next) {
        next = LIST_NEXT(session, in_sessions);
        if (session->intake.stopped)
            session_go_on(session);
    }
}

void received_stop(struct services *services)
{
    struct closings done = STAILQ_HEAD_INITIALIZER(done);

    closer_stop(services->received_closer, &done);
    services->received_closer = NULL;
    uncharge_all(services, &done);
}
