/* The configuration syntax: requests as lines for people.
 *
 *     route source 10.0.1.10 group 239.10.20.30 iif eth0 oifs eth1,eth2    # a comment
 *     join group 239.10.20.30 iif eth0
 *     interface eth2 ttl 16
 *     {"action": "ADD_MFC", "payload": {"group": "239.1.1.1", "iif": "eth0", "oifs": ["eth1"]}}
 *
 * A statement is a word for an action, then the names of the action's fields with their values, as
 * the action table has them. It becomes the text of a request, which the decoder judges like one
 * that came by the socket.
 *
 * What stands in a file stays, so `wait` is implied there where the action has it, and what makes
 * sense for one moment only (while_connected, dry_run) is refused. */
#ifndef NB_LINE_H
#define NB_LINE_H

#include "decode.h"
#include "json.h"
#include "thresholds.h"

enum line_kind {
    LINE_BLANK,     /* white space and comments only */
    LINE_REQUEST,   /* json and request are set */
    LINE_THRESHOLD, /* threshold is set */
    LINE_WRONG,     /* the error says what would be right */
};

/* What a line says. All zero before the first line; used again for the next one. */
struct line {
    struct json json; /* the text of the request; release it with json_clear at the end */
    struct request request;
    struct threshold threshold;
};

/* Reads one line of n bytes, without its newline. IPv4 routes that give no thresholds get those of
 * their oifs. */
enum line_kind line_read(const char *bytes, size_t n, const struct thresholds *thresholds,
                         struct line *ret_line, struct error *error);

/* Whether a file may not have this field of an action: it is for one moment only. */
bool line_refuses(const char *field);

/* Whether the line may be a LINE_THRESHOLD: a quick look at its beginning. */
bool line_is_threshold(const char *bytes, size_t n);

/* Whether the line, with or without a mistake, cannot have been meant for a LINE_THRESHOLD: it is
 * blank, or begins as a request does. */
bool line_is_no_threshold(const char *bytes, size_t n);

#endif
