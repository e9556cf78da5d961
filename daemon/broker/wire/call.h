/* One request on its way, and what the functions of actions do with it: this header and resource.h
 * are what a kind sees of the broker. */
#ifndef NB_CALL_H
#define NB_CALL_H

#include "broker/guard/audit.h"
#include "broker/guard/reader.h"
#include "broker/resource.h"
#include "broker/slices.h"
#include "events.h"
#include "platform/process.h"

struct services;
struct session;

enum {
    /* A reply that goes on by a producer waits while the client has this much to read. */
    OUT_PAUSE = 64 * 1024,
    /* Most replies, and pieces of long ones, are smaller: a request is taken where there is room
     * for so much. */
    OUT_ROOM = 4096,
    /* The largest single reply that is not produced in slices is far below. */
    OUT_MAX = 1024 * 1024,
};

/* A reply too long to be written at once: the session asks for more when the client has read, as
 * long as its turn lasts. */
struct producer {
    /* Works for some 20 us at most, and may write something; false when the reply is complete. */
    bool (*more)(struct producer *producer, struct json *out);
    void (*destroy)(struct producer *producer);
};

/* One request on its way. */
struct call {
    struct request request;
    const struct peer *peer;        /* who asks */
    struct lease_info lease;        /* that a request for one was granted; its id is 0 before */
    unsigned lease_limit;           /* of the rule that allows it; 0: of every user */
    uint32_t rate_limit;            /* the same for the rate of what it sends; 0: none */
    struct grant grant;             /* for the audit log */
    struct transaction transaction; /* of what it changes */
    bool failed;                    /* the reply is an error */
    struct json *out;
    struct services *services;
    struct session *session;
};

enum outcome {
    OUTCOME_REPLIED, /* the reply is written, or goes on by a producer of the session */
    OUTCOME_PENDING, /* it waits, and goes on by pending.h; nothing was written */
};

/* --- Descriptors --------------------------------------------------------------------------- */

/* Takes the descriptor of this place in the row out of the request; -1: it was taken. What is not
 * taken is closed, in a thread, when the request is answered. */
int call_take_fd(struct call *call, size_t place);

/* Before a reply without an error, where the action's row has descriptors: this one goes with it,
 * under its name, in the order of the row, and all of the row's or none. It is the reply's from now
 * on, so a copy (dup(2)) where it is kept here as well, and closed, in a thread, if it is not sent.
 */
void reply_fd(struct call *call, const char *name, int fd);

/* Before such a reply, and before the request waits: it has so many descriptors more than the row
 * says, under this name, a constant. False: so many may not be sent. */
bool call_lend_more(struct call *call, const char *name, unsigned more, struct error *error);

/* --- Replies: exactly one of these a request ----------------------------------------------- */

void reply_error(struct call *call, const struct error *error);
void reply_success(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Begins a reply whose payload is an object; write its members, then close. */
struct json *reply_open(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_close(struct json *out);

/* Begins a reply whose payload is the one JSON value that is written next; end it so. */
struct json *reply_open_value(struct call *call, const char *message);
void reply_close_value(struct json *out);

/* The reply goes on by this producer, which writes its first slice at once, and is destroyed when
 * the reply is complete or the session ends. */
void reply_produce(struct call *call, struct producer *producer);

/* How one kind of list is written; a cursor says how far it is. */
struct reply_list {
    const char *key;
    bool is_object; /* its elements are members */
    /* Looks at the next element, and writes it if it is one of the list; false: there is none.
     * It looks at one only: lists go on by time. */
    bool (*write_next)(void *cursor, struct json *out);
    void (*write_rest)(void *cursor, struct json *out); /* members behind the list; may be NULL */
    const struct reply_list *then; /* that comes behind it, of the same cursor; or NULL */
    void (*close)(void *cursor);   /* of the last list: before the cursor is freed; may be NULL */
};

/* Ends the payload with the list: any number of elements costs the memory of one slice. cursor:
 * allocated, owned from now on; NULL: the session answers that there is no memory. */
enum outcome reply_list(struct call *call, const struct reply_list *list, void *cursor);

/* --- The service that is called ------------------------------------------------------------ */

/* The first mistake of the administrator's files, or NULL; *ret_closed: because of it only
 * administrators are answered. */
const char *call_first_mistake(const struct call *call, bool *ret_closed);

/* What the peer is told instead, where there are mistakes and it may not read the policy; else
 * NULL. */
const char *call_hidden_mistakes(const struct call *call);

/* --- Who asks ------------------------------------------------------------------------------ */

/* What the kind's operations work on, in the service that is called. */
void *call_kind(const struct call *call, const struct resource_ops *ops);

bool call_is_administrator(const struct call *call);

/* The holder that the peer would be, by the lease that the call was granted. */
struct holder call_holder(const struct call *call, bool while_connected);

/* The same of a peer who gives up what its user or its session holds. */
struct holder call_releaser(const struct call *call);

/* Whether the holder may have a lease on the resource, or on a new one (NULL): one more is one too
 * many, unless it is the holder's already. It counts for the holder's user. */
bool call_may_hold(const struct call *call, const struct resource *resource,
                   const struct holder *holder, struct error *error);

/* The same for many at once, some more and some less; limit is the least of the rules that allow
 * them, 0: none sets one. */
bool call_may_hold_set(const struct call *call, unsigned limit, size_t more, size_t less,
                       struct error *error);

/* Whether the user may have one long work more, asked before it is begun; and begins it. */
bool call_may_work(const struct call *call, struct error *error);
void call_begin_work(struct call *call, struct slice_job *job);

/* The lease that the call was granted is the holder's on the resource: a holder who has it already
 * keeps it, and the audit names that one. Returns whether it is the one prepared. */
bool call_note_lease(struct call *call, const struct resource *resource,
                     const struct holder *holder);

/* --- The policy ---------------------------------------------------------------------------- */

/* Whether the policy lets the peer do what the decoded request asks: again after a wait, in which
 * what it would replace may have come. A refusal says what was refused and whom to ask, and is
 * recorded. */
bool authorise(struct call *call, struct error *error);

/* What the peer of the call may be told of; see guard/reader.h. It lives as long as the session. */
struct reader call_reader(const struct call *call);

/* Records what was allowed and is done, the first time that it is called; a request of a set is
 * recorded as `staged`. Dry runs and what only reads are passed over. */
void record_grant(struct call *call);

/* Whether the policy lets the peer of a call do another request, one of a set, or release a
 * resource that its request does not name. *ret_limit: see lease_limit. Refusals are recorded. */
bool authorise_request(const struct call *call, const struct request *request, unsigned *ret_limit,
                       struct error *error);
bool authorise_release(const struct call *call, const struct resource *resource,
                       struct error *error);

/* --- Sets ---------------------------------------------------------------------------------- */

/* Whether the call has to wait while a set is at work: what that has checked must hold until it is
 * applied (slices_hold_up). */
bool waits_for_set(const struct call *call);

/* Makes it wait, to go on with the step. */
struct pending;
enum outcome wait_for_set(struct call *call, enum outcome (*step)(struct pending *pending));

/* Requests that a session collects, to be applied together. A kind's set begins with it. */
struct collected {
    size_t bytes; /* that it takes; they are charged to its user */
    bool failed;  /* a request was refused: it will not be applied */
    void (*destroy)(struct collected *collected);
};

/* The set that the call's session collects; *it is NULL where there is none. It ends with the
 * session, or earlier, or is somebody else's from now on. */
struct collected **call_collected(const struct call *call);
void session_end_collected(struct session *session);

/* Whether the set may take more memory. */
bool call_may_collect(const struct call *call);

/* --- The functions, by the action table ---------------------------------------------------- */

#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    enum outcome handle_##function(struct call *call, const struct args_##function *args);
ACTIONS(A)
#undef A

#endif
