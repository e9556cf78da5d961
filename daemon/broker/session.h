/* A session: one client's connection, from its first byte to its last.
 *
 * Requests are taken from the stream in order, one at a time; the next one is looked at when the
 * reply to the one before is written and the client has read enough of it. So a client that sends
 * without reading stops itself, and what is held for it is bounded. A user who has no more requests
 * in this second, or whose replies take too much memory, is not read either: nothing is lost. */
#ifndef NB_SESSION_H
#define NB_SESSION_H

#include "dispatch.h"
#include "events.h"
#include "platform/process.h"

#include <sys/queue.h>
#include <uv.h>

enum {
    /* The rest of the reply waits while the client has this much to read. */
    OUT_PAUSE = 64 * 1024,
    /* The largest single reply that is not produced in slices is far below. */
    OUT_MAX = 1024 * 1024,
};

struct session;

/* W(NAME, its limit, name in STATUS): what a session waits for its client to do, for so many
 * seconds at most; then it ends. */
#define WAITS(W)                                                                                   \
    W(REST, request_seconds, "half_request")                                                       \
    W(REQUEST, idle_seconds, "idle")                                                               \
    W(READER, reply_seconds, "unread_reply")

enum wait {
#define W(name, limit, word) WAIT_##name,
    WAITS(W)
#undef W
        WAIT_COUNT
};

/* All sessions of a service. */
struct sessions {
    LIST_HEAD(session_list, session) list;
    size_t count;
    uint64_t ended[WAIT_COUNT]; /* because the wait was too long */
};

struct session_host {
    uv_loop_t *loop;
    struct services *services;
    struct events *events;
    /* Before the requests of a turn: the outside world is looked at. */
    void (*before_requests)(struct services *services);
    void (*closed)(void *context, struct session *session); /* it is freed afterwards */
    void *context;
};

/* Takes the connected, non-blocking socket, owned from now on, and what peer owns. NULL: no memory;
 * fd is closed, and the peer stays the caller's. Whether the user may connect is asked before. */
struct session *session_new(const struct session_host *host, int fd, const struct peer *peer);

/* Ends the session at once. */
void session_close(struct session *session);

/* A second has passed: users may ask again, and what took too long ends. */
void sessions_tick(struct services *services);

/* The policy has changed: subscribers whom it does not allow any more are hung up on. */
void sessions_check_policy(struct services *services);

/* For actions: the reply goes on by this producer, which is destroyed when it is complete or the
 * session ends. */
void session_produce(struct session *session, struct producer *producer);

/* A call that waits for something else than its client. The action that makes it embeds it. */
struct deferral {
    struct call call; /* a copy */
    char *id;         /* owned: the copy's request.id */
    struct session *session;
    /* The session ends: forget the deferral, which is freed afterwards. */
    void (*cancel)(struct deferral *deferral);
};

/* For actions: keeps the call in the deferral, which the session owns from now on (free() frees
 * it), until session_resume. False: no memory; the deferral stays the caller's. */
bool session_defer(struct deferral *deferral, const struct call *call);

/* Performs the deferred call, or answers it with the error, and goes on with the next requests. */
void session_resume(struct deferral *deferral, const struct error *error);

/* The same with what answers it. The deferral is freed. */
void session_answer(struct deferral *deferral, void (*answer)(struct call *call, const void *what),
                    const void *what);

/* For actions: what ends with the session. */
struct session_holds *session_holds(struct session *session);

/* For actions: the set of routes that the session collects; *it is NULL where there is none. It
 * ends with the session, or earlier, or is somebody else's to free from now on. */
struct staging;
struct staging **session_staging(struct session *session);
void session_end_staging(struct session *session);
struct staging *session_take_staging(struct session *session);

/* For actions: whether the set may take more memory. */
bool session_may_stage(const struct session *session);

/* A request was refused: the set that it may belong to is not applied. A refused COMMIT is the end
 * of it. */
void session_note_refusal(struct session *session, enum action action);

/* For actions: the session as one that subscribes. NULL: no memory. */
struct subscriber *session_subscriber(struct session *session);

#endif
