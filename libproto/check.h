/* The check: is this one strict JSON object?
 *
 * JSON libraries differ in what they let pass, and each difference is a way round a later check
 * ("a\u0000b" read as "a", 2^53+1 rounded, the second of two equal keys ignored). So the complete
 * bytes of a request are held against RFC 8259, and against a stricter rule of our own, before a
 * library sees them: valid UTF-8, no NUL, no control bytes, no lone surrogates, no key twice in an
 * object and no escapes in keys, at most DEPTH_MAX levels and MEMBERS_MAX members, and numbers
 * only as exact integers of at most 15 digits (which every JSON library holds exactly).
 *
 * It allocates nothing. */
#ifndef NB_CHECK_H
#define NB_CHECK_H

#include "error.h"

#include <stddef.h>

struct span {
    const char *start; /* NULL: not there */
    size_t length;
};

/* Checks the n bytes of one object. *ret_id, borrowed from bytes, is the raw text of the value of
 * the top-level member "id", which goes back to the client byte for byte, also when a later part
 * of the request is refused. Numbers in it may be of any kind. */
bool check_request(const char *bytes, size_t n, struct span *ret_id, struct error *error);

#endif
