/* A session: one client's connection, from its first byte to its last.
 *
 * Requests are taken from the stream in order, one at a time; the next one is looked at when the
 * reply to the one before is written and the client has read enough of it. So a client that sends
 * without reading stops itself, and what is held for it is bounded. A user who has no more requests
 * in this second, or whose replies take too much memory, is not read either: nothing is lost. */
#ifndef NB_SESSION_H
#define NB_SESSION_H

#include "call.h"
#include "events.h"
#include "platform/process.h"
#include "sessions.h"

#include <sys/queue.h>
#include <uv.h>

struct session;

struct session_host {
    uv_loop_t *loop;
    struct services *services;
    /* Before the requests of a turn: the outside world is looked at. */
    void (*before_requests)(struct services *services);
    /* Performs one request, and forgets one that waits: dispatch_request and pending_cancel. */
    enum outcome (*perform)(struct call *call, const char *bytes, size_t n);
    void (*cancel)(struct pending *pending);
    void (*closed)(void *context, struct session *session); /* it is freed afterwards */
    void *context;
};

/* Takes the connected, non-blocking socket, owned from now on, and what peer owns. NULL: no memory;
 * both stay the caller's. Whether the user may connect is asked before. */
struct session *session_new(const struct session_host *host, int fd, const struct peer *peer);

/* Ends the session at once. */
void session_close(struct session *session);

/* A second has passed: users may ask again, and what took too long ends. */
void sessions_tick(struct services *services);

/* The policy has changed: subscribers whom it does not allow any more are hung up on. */
void sessions_check_policy(struct services *services);

/* What the request waits for that is to be answered next, or *NULL. It ends with the session. */
struct pending **session_pending(struct session *session);
void session_free_pending(struct session *session);

/* A request that waited was answered. before: the length of what was to be read before. */
void session_answered(struct session *session, size_t before);

/* For dispatch: whether the reply may have descriptors of these names (words of an action's row).
 * They are charged to the user. */
bool session_reserve_fds(struct session *session, const char *names, struct error *error);

/* Writes the names of those that reply_fd was given, if any, into the reply that begins there. */
void session_queue_fds(struct session *session, size_t begin);

/* For dispatch: whether the request, which names so many, has descriptors of these types (words of
 * an action's row). */
bool session_take_fds(struct session *session, const char *types, size_t names,
                      struct error *error);

/* The service ends: it waits for no reader any more. */
void sessions_end_unread(struct sessions *sessions);

/* For actions: what ends with the session. */
struct held_leases *session_leases(struct session *session);

/* A request was refused: the set that it may belong to is not applied. A refused COMMIT is the end
 * of it. */
void session_note_refusal(struct session *session, enum action action);

/* The long work of the session's user. */
struct slice_user *session_work(struct session *session);

/* For actions: the session as one that subscribes. NULL: no memory. */
struct subscriber *session_subscriber(struct session *session);

#endif
