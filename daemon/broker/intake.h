/* The intake: what a client has sent and what was not performed yet, as a stream of requests.
 *
 * Its buffer holds one request of the largest size and is there only while something is in it, so
 * that ten thousand idle clients cost nothing. */
#ifndef NB_INTAKE_H
#define NB_INTAKE_H

#include "scan.h"

struct intake {
    char *bytes;                   /* REQUEST_MAX of them, owned; NULL while nothing is in it */
    size_t start, scanned, length; /* of the request that is being read, and of all there is */
    struct scan scan;
    bool starved; /* the bytes there hold no whole request */
    bool ended;   /* the client sends no more */
};

enum intake_result {
    INTAKE_REQUEST,   /* a whole one */
    INTAKE_STARVED,   /* the rest of it is not there yet */
    INTAKE_GARBAGE,   /* what comes next can begin no request */
    INTAKE_TOO_LARGE, /* it has more than REQUEST_MAX bytes */
};

void intake_init(struct intake *intake);
void intake_clear(struct intake *intake);

/* Reads once from the socket. Returns 1 when there is more than before, 0 when there is not, -1
 * when the connection is broken or memory is short. */
int intake_read(struct intake *intake, int fd);

/* Takes the next request out; its bytes stay until intake_compact. */
enum intake_result intake_next(struct intake *intake, const char **ret_bytes, size_t *ret_length);

/* Forgets what was taken out. */
void intake_compact(struct intake *intake);

/* Whether a request has begun. */
bool intake_is_inside(const struct intake *intake);

#endif
