/* One line of the state file: a request, as a client would send it, and in its `id` the hold that
 * asked for it. */
#ifndef NB_STATE_LINE_H
#define NB_STATE_LINE_H

#include "decode.h"
#include "json.h"
#include "resources/joins/joins.h"
#include "resources/mroute/mroute.h"

/* What a line says. */
struct saved {
    struct request request; /* ADD_MFC or ADD_JOIN, that waits for its interfaces */
    struct owner owner;     /* of a HOLD_SESSION: without the session */
    /* Of a route: what its names meant, a digest of the indices of its inbound interface and of the
     * others in their order (state_digest_index); 0: the line does not say. */
    uint64_t interfaces;
};

/* Appends the line of one hold on a route. */
void state_line_write(struct json *json, const struct route_view *view, const struct hold *hold);

/* The same of one hold on a join. */
void state_line_write_join(struct json *json, const struct join_view *view,
                           const struct hold *hold);

/* Reads a line of n bytes, without its newline. False: it is damaged. */
bool state_line_read(const char *line, size_t n, struct saved *ret);

/* The digest of all lines so far (FNV-1a, 64 bits): a disk's mistakes are found by it, an
 * attacker's are not. Begins with STATE_DIGEST_START. */
#define STATE_DIGEST_START UINT64_C(0xcbf29ce484222325)
uint64_t state_digest(uint64_t digest, const char *bytes, size_t n);

/* The digest with one more index, which is 0 for a pattern and for what is missing. */
uint64_t state_digest_index(uint64_t digest, unsigned index);

#endif
