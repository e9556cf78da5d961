/* What the parts of session.h's implementation share: session.c (requests and replies) and
 * session_ends.c (deadlines and a new policy). */
#ifndef NB_SESSION_INTERNAL_H
#define NB_SESSION_INTERNAL_H

#include "intake.h"
#include "services.h"
#include "session.h"

/* One of a session that subscribed: it has a kilobyte, which most sessions do without. */
struct subscription {
    struct subscriber subscriber; /* first */
    struct session *session;
};

/* What ends with a session, and with many of it later than the session: 65,536 routes take the
 * kernel 200 ms. */
struct session_end {
    struct slice_job job; /* first */
    struct session_holds holds;
};

struct session {
    LIST_ENTRY(session) in_sessions; /* struct sessions; not owned */
    struct session_host host;
    struct account *user;
    uv_poll_t poll;
    int fd;
    int watched; /* the events that poll waits for */
    struct peer peer;

    struct intake intake;
    struct json out; /* what the client has yet to read */
    bool ending;     /* nothing more is taken; the end comes when the client has read all */
    bool closed;

    struct producer *producer;         /* owned */
    struct deferral *deferral;         /* owned */
    struct subscription *subscription; /* owned; NULL: it never subscribed */
    struct session_end *end;           /* owned; what ends with the session */
    struct staging *staging;           /* owned; NULL: no set is collected */
    size_t queued;                     /* bytes, as they were counted last */
    unsigned ages[WAIT_COUNT];         /* seconds that each wait has taken */
};

/* Waits for what can be done next. */
void session_watch(struct session *session);

/* What cannot be delimited cannot be passed over: the session ends with the reply. */
void session_refuse_stream(struct session *session, enum error_code code, const char *message);

bool session_is_subscribed(const struct session *session);

#endif
