/* From the bytes of one request to its reply.
 *
 * The request is decoded by the action table, and the function of the action is called. It writes
 * one reply, at once; or begins one that goes on in slices (a producer); or is deferred and called
 * again later. */
#ifndef NB_DISPATCH_H
#define NB_DISPATCH_H

#include "decode.h"
#include "json.h"
#include "platform/process.h"
#include "resources/lease.h"

struct services;
struct session;

/* A reply too long to be written at once: the session asks for more when the client has read. */
struct producer {
    /* Writes some more; false when the reply is complete. */
    bool (*more)(struct producer *producer, struct json *out);
    void (*destroy)(struct producer *producer);
};

/* One request on its way. */
struct call {
    struct request request;
    const struct peer *peer; /* who asks */
    struct lease lease;      /* that a request for one was granted; its id is 0 before */
    unsigned lease_limit;    /* of the rule that allows it; 0: of every user */
    bool done;               /* the change was made; the reply still waited for something */
    uint8_t change;          /* then: what it was, in the action's own terms; 0: nothing */
    bool failed;             /* the reply is an error */
    struct json *out;
    struct services *services;
    struct session *session;
};

enum outcome {
    OUTCOME_REPLIED,  /* the reply is written, or goes on by a producer of the session */
    OUTCOME_DEFERRED, /* the function will be called again; nothing was written */
};

/* Decodes and performs the request of n bytes. Of *call, out, services and session are set. */
enum outcome dispatch_request(struct call *call, const char *bytes, size_t n);

/* Performs a decoded request, if the policy allows it; again, e.g. after a wait, in which both the
 * policy and what the request is about may have changed. */
enum outcome dispatch_again(struct call *call);

/* Notes what the action changes, 0: nothing, so that it is known still when the function is called
 * again after a wait. Returns the change to report: the present one or, where the first call made
 * it, that one. */
unsigned call_note_change(struct call *call, unsigned change);

/* --- For the functions of actions: exactly one of these a request ------------------------- */

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

/* --- The functions, by the action table ---------------------------------------------------- */

#define A(NAME, function, policy, cli, fds, documentation)                                         \
    enum outcome handle_##function(struct call *call, const struct args_##function *args);
ACTIONS(A)
#undef A

#endif
