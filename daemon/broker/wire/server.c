#include "server.h"

#include "arrivals.h"
#include "authorise.h"
#include "backlog.h"
#include "broker/watch.h"
#include "farewell.h"
#include "log.h"
#include "received.h"
#include "services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_MS = 200 }; /* out of descriptors: others may give some back without our notice */

enum { SECOND_MS = 1000 };

struct server {
    struct watch watches[LISTENERS];
    size_t listener_count;
    struct backlog backlogs[LISTENERS];
    uv_timer_t retry, second;
    uv_async_t closed; /* descriptors of clients */
    size_t open_handles;
    struct arrivals arrivals;
    bool paused;
    bool full; /* why it is paused */
    bool stopping;
    bool short_of_room; /* since the last time that nobody waited */
    uint64_t told_ms;   /* when the log said so last; 0: never */
    struct session_host sessions;
};

static void listen_again(struct server *server)
{
    if (!server->paused || server->stopping)
        return;
    server->paused = server->full = false;
    for (size_t i = 0; i < server->listener_count; i++)
        watch_start(&server->watches[i], UV_READABLE);
}

static void on_retry(uv_timer_t *timer)
{
    listen_again(timer->data);
}

/* #syscalls broker: listen */
static void note_waiting(struct server *server, size_t i, bool is_empty)
{
    struct backlog *backlog = &server->backlogs[i];
    int listener;

    if (backlog_note(backlog, is_empty, uv_hrtime()) &&
        uv_fileno((uv_handle_t *)&server->watches[i].poll, &listener) == 0)
        listen(listener, backlog->is_short ? BACKLOG_SHORT : BACKLOG_LONG);
}

static void on_second(uv_timer_t *timer)
{
    struct server *server = timer->data;

    for (size_t i = 0; i < server->listener_count; i++)
        if (server->backlogs[i].is_short)
            note_waiting(server, i, true);
    sessions_tick(server->sessions.services);
}

static void on_closed(uv_async_t *async)
{
    struct server *server = async->data;

    received_note_closed(server->sessions.services);
    listen_again(server);
}

/* Once, until all who waited were taken; and not each time where that is soon again. */
static void tell_pause(struct server *server, const char *why)
{
    uint64_t now = uv_now(server->retry.loop);

    if (server->short_of_room)
        return;
    server->short_of_room = true;
    if (server->told_ms && now - server->told_ms < TELL_PAUSE_MS)
        return;
    server->told_ms = now;
    log_line(LOG_WARNING, "not accepting connections for now: %s.", why);
}

/* Connections wait in the listening socket until there is room. */
static void pause_listening(struct server *server, const char *why)
{
    tell_pause(server, why);
    if (server->paused)
        return;
    server->paused = true;
    for (size_t i = 0; i < server->listener_count; i++)
        watch_start(&server->watches[i], 0);
    uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
}

static void forget_session(void *context, struct session *session)
{
    (void)session;
    listen_again(context);
}

/* Answers the request that the client has sent or will send, and ends the connection. */
static void turn_away(const struct session_host *host, int fd, const struct peer *peer,
                      const struct error *error)
{
    struct services *services = host->services;
    struct json out = {.limit = OUT_MAX};
    struct call call = {.peer = peer, .out = &out};
    struct account *user;

    reply_error(&call, error);
    if (!out.failed && send(fd, out.text, out.length, 0) < 0)
        log_line(LOG_DEBUG, "uid %u has disconnected already.", (unsigned)peer->uid);
    json_clear(&out);
    user = users_connect(&services->users, peer->uid); /* until its end is known */
    if (user)
        farewell_begin(services, host->loop, user, fd, peer_passes_descriptors(fd));
    else
        closer_take(&services->closer, NULL, &(struct closing){.fd = fd});
}

static bool may_connect(struct services *services, struct peer *peer, struct error *error)
{
    bool is_known = identity_settle(&services->identity, &services->policy, peer, error);

    farewells_make_room(services, peer->uid);
    if (is_known)
        return users_may_connect(&services->users, peer->uid, !peer->stranger, error);
    record_stranger(services, peer);
    return false;
}

/* Takes what the peer owns, if it begins. */
static bool begin_session(struct server *server, int fd, struct peer *peer)
{
    const struct session_host *host = &server->sessions;
    struct error error;

    if (may_connect(host->services, peer, &error)) {
        if (session_new(host, fd, peer))
            return true;
        error_set(&error, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for one more connection. Connect again later.");
    }
    turn_away(host, fd, peer, &error);
    if (received_are_too_many(host->services, peer->uid))
        pause_listening(server, "descriptors that clients sent are being closed");
    return false;
}

/* Of an arrival, in its user's turn. */
static void open_session(void *context, int fd, struct peer *peer)
{
    struct server *server = context;

    if (peer_find_groups(fd, peer) < 0) {
        closer_take(&server->sessions.services->closer, NULL, &(struct closing){.fd = fd});
        return;
    }
    if (begin_session(server, fd, peer))
        log_line(LOG_DEBUG, "connection of uid %u, pid %d.", (unsigned)peer->kernel_uid,
                 (int)peer->pid);
    else
        peer_release(peer);
}

/* One that was not opened left its place to the next one. */
static void note_settled(void *context)
{
    struct server *server = context;

    if (server->full)
        listen_again(server);
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* False: nobody waits, or there is no room. */
static bool accept_next(struct server *server, int listener)
{
    int fd;

    if (users_are_full(&server->sessions.services->users)) {
        pause_listening(server, "there are as many as there may be");
        server->full = true;
        return false;
    }
    fd = peer_accept(listener);
    if (fd < 0 && is_exhaustion(-fd))
        pause_listening(server, strerror(-fd));
    if (fd < 0)
        server->short_of_room &= server->paused; /* else nobody waits any more */
    else
        arrivals_take(&server->arrivals, fd);
    return fd >= 0 && !server->paused;
}

/* For as long as a turn; then those who are connected have theirs. */
static void on_connection(struct watch *watch, int events)
{
    struct server *server = watch->context;
    uint64_t until = uv_hrtime() + TURN_NS;
    bool more = true;
    int listener;

    (void)events;
    if (uv_fileno((uv_handle_t *)&watch->poll, &listener) < 0)
        return;
    while (more && uv_hrtime() < until)
        more = accept_next(server, listener);
    note_waiting(server, (size_t)(watch - server->watches), !more && !server->paused);
}

size_t server_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DESCRIPTORS_RESERVED;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 2UL * DESCRIPTORS_RESERVED ? limit.rlim_cur - DESCRIPTORS_RESERVED
                                                       : limit.rlim_cur / 2;
}

static void free_when_closed(struct server *server)
{
    if (--server->open_handles == 0)
        free(server);
}

static void end_watch(struct watch *watch)
{
    free_when_closed(watch->context);
}

static void end_handle(uv_handle_t *handle)
{
    free_when_closed(handle->data);
}

static void start_handles(struct server *server, uv_loop_t *loop)
{
    uv_async_init(loop, &server->closed, on_closed);
    uv_timer_init(loop, &server->retry);
    uv_timer_init(loop, &server->second);
    server->retry.data = server->second.data = server->closed.data = server;
    server->open_handles = 3;
    server->sessions.services->received_closed = &server->closed;
    uv_timer_start(&server->second, on_second, SECOND_MS, SECOND_MS);
}

struct server *server_new(uv_loop_t *loop, const int *listeners, size_t count,
                          const struct session_host *sessions)
{
    struct server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->sessions = *sessions;
    server->sessions.closed = forget_session;
    server->sessions.context = server;
    arrivals_init(&server->arrivals,
                  &(struct arrivals_host){sessions->services, open_session, note_settled, server});
    start_handles(server, loop);
    server->paused = true;
    for (size_t i = 0; i < count && i < LISTENERS; i++) {
        if (watch_init(&server->watches[i], loop, listeners[i], on_connection, server) < 0)
            continue;
        listen(listeners[i], BACKLOG_LONG); /* a broker before this one may have left it short */
        server->listener_count++;
        server->open_handles++;
    }
    listen_again(server);
    return server;
}

void server_stop(struct server *server)
{
    struct services *services = server->sessions.services;
    struct sessions *sessions = &services->sessions;

    server->stopping = true;
    arrivals_stop(&server->arrivals);
    while (!LIST_EMPTY(&sessions->list))
        session_close(LIST_FIRST(&sessions->list));
    sessions_end_unread(sessions);
    farewells_stop(services);
    received_stop(services);
    for (size_t i = 0; i < server->listener_count; i++)
        watch_close(&server->watches[i], end_watch);
    uv_close((uv_handle_t *)&server->closed, end_handle);
    uv_close((uv_handle_t *)&server->second, end_handle);
    uv_close((uv_handle_t *)&server->retry, end_handle);
}
