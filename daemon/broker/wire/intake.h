/* The intake: what a client has sent and what was not performed yet, as a stream of requests, each
 * with its descriptors.
 *
 * Its buffer holds one request of the largest size and is there only while something is in it, so
 * that ten thousand idle clients cost nothing. */
#ifndef NB_INTAKE_H
#define NB_INTAKE_H

#include "fdpass.h"
#include "scan.h"
#include "services.h"

struct intake {
    char *bytes;                   /* REQUEST_MAX of them, owned; NULL while nothing is in it */
    size_t start, scanned, length; /* of the request that is being read, and of all there is */
    size_t taken;                  /* where the request begins that was taken out last */
    struct scan scan;
    bool starved;          /* the bytes there hold no whole request */
    bool ended;            /* the client sends no more */
    bool passes;           /* descriptors may arrive */
    bool hungry;           /* its user may have no buffer now: nothing is read */
    bool stopped;          /* some have, and the user may send none now: nothing is read */
    struct passed *passed; /* owned; those of a request that was not taken out yet; NULL: none */
    size_t charged;        /* bytes of its buffer */
    struct services *services;
    struct account *user; /* who is charged for what is received */
};

enum intake_result {
    INTAKE_REQUEST,   /* a whole one */
    INTAKE_STARVED,   /* the rest of it is not there yet */
    INTAKE_GARBAGE,   /* what comes next can begin no request */
    INTAKE_TOO_LARGE, /* it has more than REQUEST_MAX bytes */
};

void intake_init(struct intake *intake, bool passes, struct services *services,
                 struct account *user);

/* In two steps: requests are read out of its memory until the session is freed. */
void intake_end_fds(struct intake *intake);
void intake_end_charge(struct intake *intake);
void intake_free(struct intake *intake);

/* Whether its user may have what it needs to read: he is charged for the buffer. */
bool intake_may_read(const struct intake *intake);

/* Reads once from the socket, or finds that it may not. Returns 1 when there is more than before, 0
 * when there is not, or a negative errno: -ENOMEM when memory is short, -EMFILE when its user may
 * send no more descriptors, another when the connection is broken. */
int intake_read(struct intake *intake, int fd);

/* Takes the next request out; its bytes stay until intake_compact. */
enum intake_result intake_next(struct intake *intake, const char **ret_bytes, size_t *ret_length);

/* Takes the descriptors of the request that was taken out last, which names so many: *ret is the
 * caller's, or NULL where there are none. False: others came with it; they are closed. */
bool intake_take_fds(struct intake *intake, size_t names, struct passed **ret);

/* Closes and frees them. NULL is allowed. */
void intake_close_fds(struct intake *intake, struct passed *passed);

/* Forgets what was taken out: once the rest is waited for, or nothing is left. Until then more is
 * taken out, and to move what is behind it each time would cost more than to read it. */
void intake_compact(struct intake *intake);

/* Whether a request has begun. */
bool intake_is_inside(const struct intake *intake);

#endif
