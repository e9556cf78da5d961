/* The server: takes connections from the listening sockets, up to a limit. */
#ifndef NB_SERVER_H
#define NB_SERVER_H

#include "session.h"

enum {
    LISTENERS = 4,
    /* Descriptors left for everything but sessions: log, tables, channel, state file. */
    DESCRIPTORS_RESERVED = 64,
    ACCEPTS_A_TURN = 64, /* then those who are connected have their turn */
};

struct server;

/* Serves on listening sockets, which stay the caller's. NULL with errno set. */
struct server *server_new(uv_loop_t *loop, const int *listeners, size_t count,
                          const struct session_host *sessions);

/* Ends all sessions and takes no more connections; it is freed when its handles are closed. */
void server_stop(struct server *server);

size_t server_session_count(const struct server *server);

#endif
