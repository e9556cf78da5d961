/* What the parts of session.h's implementation share: session.c (requests and replies),
 * session_fds.c (their descriptors), session_ends.c (deadlines and a new policy) and
 * session_close.c (the end). */
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

/* What ends with a session, and with many of it later than the session: the end of 65,536 leases
 * takes the kernel 200 ms. */
struct session_end {
    struct slice_job job;    /* first */
    struct leases *registry; /* borrowed */
    struct held_leases leases;
};

struct session {
    LIST_ENTRY(session) in_sessions; /* struct sessions; not owned */
    struct session_host host;
    struct account *user;
    uv_poll_t poll;
    int fd;
    int watched; /* the events that poll waits for */
    struct turn turn;
    bool readable, broken; /* as poll said; the next turn reads, or ends it */
    bool keeps_replies;    /* they are sent with those of the next turn */
    struct peer peer;

    struct intake intake;
    struct json out; /* what the client has yet to read */
    bool ending;     /* nothing more is taken; the end comes when the client has read all */
    bool closed;
    bool inside; /* the client has the beginning of a reply whose end was not sent */

    enum action action;          /* that was performed last */
    struct producer *producer;   /* owned */
    struct reply_fds *reply_fds; /* owned; NULL: none are to be sent or to be read */
    struct passed *request_fds;  /* owned; those of the request that is performed; NULL: none */
    struct pending *pending;     /* owned; NULL: no request waits */
    struct subscription *subscription; /* owned; NULL: it never subscribed */
    struct session_end *end;           /* owned; what ends with the session */
    struct collected *collected;       /* owned; NULL: no set is collected */
    size_t queued;                     /* bytes, as they were counted last */
    unsigned ages[WAIT_COUNT];         /* seconds that each wait has taken */
};

/* Waits for a turn where something can be done, else for what that needs. */
void session_watch(struct session *session);

/* Reads on, where descriptors stopped it. */
void session_go_on(struct session *session);

/* The session ends, and its leases with it: now, or as a job. Frees session->end, or leaves that to
 * the job. */
void session_end_leases(struct session *session);

/* What cannot be delimited cannot be passed over: the session ends with the reply. */
void session_refuse_stream(struct session *session, enum error_code code, const char *message);

/* Ends the session at once. What its client has not read yet is lost, and perhaps a reply stops in
 * the middle: the reason comes in a line of its own, and the socket makes room for it. */
void session_break_off(struct session *session, enum error_code code, const char *message);

/* Ends the reply that is being produced, if any. */
void session_end_producer(struct session *session);

/* Sends what the socket takes. False when the connection is broken. */
bool session_flush(struct session *session);

/* --- session_fds.c ------------------------------------------------------------------------- */

/* A request was answered, or waits: what it needs no more is closed. */
void session_settle_fds(struct session *session);

/* The reply will not be sent. */
void session_drop_fds(struct session *session);

/* The session ends. Its fd is -1 afterwards where the socket has to stay open, and counts. */
void session_end_fds(struct session *session);

/* Whether it waits for its client to read descriptors. */
bool session_has_unread_fds(const struct session *session);

/* Sends what the socket takes, the descriptors of a reply with its first byte. Returns how many
 * bytes, or a negative errno. */
ssize_t session_send(struct session *session);

/* Whether its user has his share of memory, or all have theirs, and it cannot go on. */
bool session_waits_for_memory(const struct session *session);

bool session_is_subscribed(const struct session *session);

#endif
