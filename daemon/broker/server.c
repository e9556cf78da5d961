#include "server.h"

#include "log.h"
#include "services.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
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
    uv_timer_t retry, second;
    size_t open_handles;
    bool paused;
    bool stopping;
    bool short_of_room; /* since the last time that nobody waited */
    uint64_t told_ms;   /* when the log said so last; 0: never */
    struct session_host sessions;
};

static void listen_again(struct server *server)
{
    if (!server->paused || server->stopping)
        return;
    server->paused = false;
    for (size_t i = 0; i < server->listener_count; i++)
        watch_start(&server->watches[i], UV_READABLE);
}

static void on_retry(uv_timer_t *timer)
{
    listen_again(timer->data);
}

static void on_second(uv_timer_t *timer)
{
    struct server *server = timer->data;

    sessions_tick(server->sessions.services);
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

static bool prepare(int fd, struct peer *peer)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           peer_identify(fd, peer) == 0;
}

/* Answers the request that the client has sent or will send, and ends the connection. */
static void turn_away(int fd, const struct peer *peer, const struct error *error)
{
    struct json out = {.limit = OUT_MAX};
    struct call call = {.peer = peer, .out = &out};

    reply_error(&call, error);
    if (!out.failed && send(fd, out.text, out.length, 0) < 0)
        log_line(LOG_DEBUG, "uid %u has disconnected already.", (unsigned)peer->uid);
    json_clear(&out);
    close(fd);
}

/* Takes what the peer owns. */
static bool begin_session(struct server *server, int fd, const struct peer *peer)
{
    struct error error;

    if (users_may_connect(&server->sessions.services->users, peer->uid, &error))
        return session_new(&server->sessions, fd, peer) != NULL;
    turn_away(fd, peer, &error);
    return false;
}

static void add_session(struct server *server, int fd)
{
    struct peer peer;

    if (!prepare(fd, &peer)) {
        close(fd);
        return;
    }
    if (begin_session(server, fd, &peer))
        log_line(LOG_DEBUG, "connection of uid %u, pid %d.", (unsigned)peer.uid, (int)peer.pid);
    else
        peer_release(&peer);
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* #syscalls broker: accept accept4 */
static void on_connection(struct watch *watch, int events)
{
    struct server *server = watch->context;
    int listener;

    (void)events;
    if (uv_fileno((uv_handle_t *)&watch->poll, &listener) < 0)
        return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (users_are_full(&server->sessions.services->users)) {
            pause_listening(server, "there are as many as there may be");
            return;
        }
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 && is_exhaustion(errno))
            pause_listening(server, strerror(errno));
        if (fd < 0) {
            server->short_of_room &= server->paused; /* else nobody waits any more */
            return;
        }
        add_session(server, fd);
    }
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

static void end_timer(uv_handle_t *handle)
{
    free_when_closed(handle->data);
}

static void start_timers(struct server *server, uv_loop_t *loop)
{
    uv_timer_init(loop, &server->retry);
    uv_timer_init(loop, &server->second);
    server->retry.data = server->second.data = server;
    server->open_handles = 2;
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
    start_timers(server, loop);
    server->paused = true;
    for (size_t i = 0; i < count && i < LISTENERS; i++) {
        if (watch_init(&server->watches[i], loop, listeners[i], on_connection, server) < 0)
            continue;
        server->listener_count++;
        server->open_handles++;
    }
    listen_again(server);
    return server;
}

void server_stop(struct server *server)
{
    struct sessions *sessions = &server->sessions.services->sessions;

    server->stopping = true;
    while (!LIST_EMPTY(&sessions->list))
        session_close(LIST_FIRST(&sessions->list));
    for (size_t i = 0; i < server->listener_count; i++)
        watch_close(&server->watches[i], end_watch);
    uv_close((uv_handle_t *)&server->second, end_timer);
    uv_close((uv_handle_t *)&server->retry, end_timer);
}
