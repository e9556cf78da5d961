/* All sessions of a service. */
#ifndef NB_SESSIONS_H
#define NB_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* W(NAME, its limit, name in STATUS): what a session waits for its client to do, for so many
 * seconds at most; then it ends. */
#define WAITS(W)                                                                                   \
    W(REST, request_seconds, "half_request")                                                       \
    W(REQUEST, idle_seconds, "idle")                                                               \
    W(READER, reply_seconds, "unread_reply")                                                       \
    W(MEMORY, reply_seconds, "memory")

enum wait {
#define W(name, limit, word) WAIT_##name,
    WAITS(W)
#undef W
        WAIT_COUNT
};

/* All sessions of a service. */
struct sessions {
    LIST_HEAD(session_list, session) list;
    LIST_HEAD(, reply_fds) unread; /* of sessions that have ended */
    size_t count;
    uint64_t ended[WAIT_COUNT]; /* because the wait was too long */
};

#endif
