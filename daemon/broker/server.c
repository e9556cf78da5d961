#include "server.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_MS = 200 }; /* out of descriptors: others may give some back without our notice */

struct server {
    uv_poll_t polls[LISTENERS];
    size_t listener_count;
    uv_timer_t retry;
    size_t open_handles;
    bool paused;
    bool stopping;
    struct session_host sessions;
    struct session **list; /* owned: the open sessions */
    size_t count, limit;
};

static void on_connection(uv_poll_t *poll, int status, int events);

static void listen_again(struct server *server)
{
    if (!server->paused || server->stopping)
        return;
    server->paused = false;
    for (size_t i = 0; i < server->listener_count; i++)
        uv_poll_start(&server->polls[i], UV_READABLE, on_connection);
}

static void on_retry(uv_timer_t *timer)
{
    listen_again(timer->data);
}

/* Connections wait in the listening socket until there is room. */
static void pause_listening(struct server *server, const char *why)
{
    if (server->paused)
        return;
    log_line(LOG_WARNING, "taking no more connections for now: %s.", why);
    server->paused = true;
    for (size_t i = 0; i < server->listener_count; i++)
        uv_poll_stop(&server->polls[i]);
    uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
}

static void forget_session(void *context, struct session *session)
{
    struct server *server = context;

    for (size_t i = 0; i < server->count; i++)
        if (server->list[i] == session) {
            server->list[i] = server->list[--server->count];
            break;
        }
    listen_again(server);
}

static bool prepare(int fd, struct peer *peer)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
           peer_identify(fd, peer) == 0;
}

static void add_session(struct server *server, int fd)
{
    struct peer peer;
    struct session *session;

    if (!prepare(fd, &peer)) {
        close(fd);
        return;
    }
    session = session_new(&server->sessions, fd, &peer);
    if (!session) {
        peer_release(&peer);
        return;
    }
    log_line(LOG_DEBUG, "connection of uid %d, pid %d.", (int)peer.uid, (int)peer.pid);
    server->list[server->count++] = session;
}

static bool is_exhaustion(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    int listener;

    (void)events;
    if (status < 0 || uv_fileno((uv_handle_t *)poll, &listener) < 0)
        return;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (server->count == server->limit) {
            pause_listening(server, "there are as many as there are descriptors for");
            return;
        }
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 && is_exhaustion(errno))
            pause_listening(server, strerror(errno));
        if (fd < 0)
            return;
        add_session(server, fd);
    }
}

static size_t session_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DESCRIPTORS_RESERVED;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > 65536)
        limit.rlim_cur = 65536;
    return limit.rlim_cur > 2UL * DESCRIPTORS_RESERVED ? limit.rlim_cur - DESCRIPTORS_RESERVED
                                                       : limit.rlim_cur / 2;
}

static void free_when_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;

    if (--server->open_handles > 0)
        return;
    free(server->list);
    free(server);
}

struct server *server_new(uv_loop_t *loop, const int *listeners, size_t count,
                          const struct session_host *sessions)
{
    struct server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->limit = session_limit();
    server->list = calloc(server->limit, sizeof(struct session *));
    if (!server->list) {
        free(server);
        return NULL;
    }
    server->sessions = *sessions;
    server->sessions.closed = forget_session;
    server->sessions.context = server;
    uv_timer_init(loop, &server->retry);
    server->retry.data = server;
    server->open_handles = 1;
    server->paused = true;
    for (size_t i = 0; i < count && i < LISTENERS; i++) {
        if (uv_poll_init(loop, &server->polls[i], listeners[i]) < 0)
            continue;
        server->polls[i].data = server;
        server->listener_count++;
        server->open_handles++;
    }
    listen_again(server);
    return server;
}

void server_stop(struct server *server)
{
    server->stopping = true;
    while (server->count > 0)
        session_close(server->list[server->count - 1]);
    for (size_t i = 0; i < server->listener_count; i++)
        uv_close((uv_handle_t *)&server->polls[i], free_when_closed);
    uv_close((uv_handle_t *)&server->retry, free_when_closed);
}

size_t server_session_count(const struct server *server)
{
    return server->count;
}
