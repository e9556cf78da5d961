/* The server: takes connections from the listening sockets, up to a limit, opens their sessions in
 * the turns of their users (arrivals.h), and counts the seconds for them.
 *
 * When there is no room for more, or no descriptor, it stops looking at the listening sockets, in
 * which clients wait, until a session ends or some time has passed: it never spins. */
#ifndef NB_SERVER_H
#define NB_SERVER_H

#include "keeper/kept.h"
#include "session.h"

enum {
    LISTENERS = 4,
    /* Descriptors left for everything but sessions: log, channel, state file, and what the keeper
     * lends. */
    DESCRIPTORS_RESERVED = 48 + LENT_MAX,
    /* Between two lines in the log that say that no more connections are taken. */
    TELL_PAUSE_MS = 10000,
};

struct server;

/* Serves on listening sockets, which stay the caller's. NULL with errno set. */
struct server *server_new(uv_loop_t *loop, const int *listeners, size_t count,
                          const struct session_host *sessions);

/* Ends all sessions and takes no more connections; it is freed when its handles are closed. */
void server_stop(struct server *server);

/* How many descriptors there may be for sessions. Raises the limit of them as far as it goes. */
size_t server_descriptors(void);

#endif
