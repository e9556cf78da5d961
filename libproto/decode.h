/* The decoder: from the bytes of one request to a typed, valid struct. */
#ifndef NB_DECODE_H
#define NB_DECODE_H

#include "check.h"
#include "error.h"
#include "table.h"

struct request {
    enum action action;
    struct span id; /* borrowed from the bytes; start is NULL where the request has none */
    union args args;
};

/* Decodes n bytes that the scanner delimited. On an error *ret holds the id as far as it could be
 * read, and nothing else. The bytes must outlive ret->id. */
bool decode_request(const char *bytes, size_t n, struct request *ret, struct error *error);

/* Whether text can be the name of an interface: 1 to 15 bytes of printable ASCII without white
 * space, '/' and '%', and not "." or ".." (dev_valid_name() in the kernel's net/core/dev.c; '%'
 * would be a pattern in which the kernel puts a number). */
bool interface_name_is_valid(const char *text);

#endif
