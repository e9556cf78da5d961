/* The scanner: where does a request end?
 *
 * It finds the closing brace of one JSON object in a stream that may be split at any byte. It
 * keeps four words of state, allocates nothing and looks at each byte once. It does not judge the
 * object: that is check.h's work, on the complete bytes. */
#ifndef NB_SCAN_H
#define NB_SCAN_H

#include <stdbool.h>
#include <stddef.h>

enum scan_result {
    SCAN_MORE,     /* the object goes on: give the bytes that follow */
    SCAN_COMPLETE, /* the object ends at ret_used */
    SCAN_GARBAGE,  /* the byte at ret_used cannot begin a request */
};

struct scan { /* all zero: before the first byte */
    unsigned depth;
    bool in_string;
    bool escaped;
};

/* Takes the next n bytes. *ret_used is how many of them were looked at; leading white space
 * counts. After SCAN_COMPLETE the scanner is ready for the next request. */
enum scan_result scan_bytes(struct scan *scan, const char *bytes, size_t n, size_t *ret_used);

#endif
