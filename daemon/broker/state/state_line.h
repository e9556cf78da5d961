/* What stands for a lease in the journal and in the state file: a line with the request that would
 * make its resource, as a client would send it, and in the request's `id` the lease. */
#ifndef NB_STATE_LINE_H
#define NB_STATE_LINE_H

#include "broker/lease.h"
#include "decode.h"
#include "json.h"

/* What a line says. */
struct saved {
    struct request request;
    struct holder holder; /* of a HOLDER_SESSION: without the session */
};

/* Appends the line of a lease, without a newline. */
void state_line_write(struct json *json, const struct lease *lease);

/* Reads a line of n bytes, without its newline. False: it is damaged. */
bool state_line_read(const char *line, size_t n, struct saved *ret);

#endif
