/* The decoder: from the bytes of one request to a typed, valid struct. */
#ifndef NB_DECODE_H
#define NB_DECODE_H

#include "check.h"
#include "error.h"
#include "table.h"

struct request {
    enum action action;
    struct span id;  /* borrowed from the bytes; start is NULL where the request has none */
    size_t fd_count; /* of the descriptors that it brings: none, or all that the action takes */
    union args args;
};

/* Decodes n bytes that the scanner delimited. On an error *ret holds the id as far as it could be
 * read, and nothing else. The bytes must outlive ret->id. */
bool decode_request(const char *bytes, size_t n, struct request *ret, struct error *error);

/* Decodes one JSON object of a request that was decoded, e.g. its id, by the fields of a row of its
 * own; ret is the struct that their offsets are of. */
bool decode_fields(const struct action_row *row, const struct span *object, void *ret,
                   struct error *error);

/* Whether the request's action has a flag of this name, and the request sets it. */
bool request_flag(const struct request *request, const char *name);

/* Whether text can be the name of an interface: 1 to 15 bytes of printable ASCII without white
 * space, '/' and '%', and not "." or ".." (dev_valid_name() in the kernel's net/core/dev.c; '%'
 * would be a pattern in which the kernel puts a number). */
bool interface_name_is_valid(const char *text);

/* Whether a name stands for all interfaces that begin so: "eth+". */
bool interface_name_is_pattern(const char *name);

/* Whether each interface that the name, which may be a pattern too, can mean is one of the
 * pattern. */
bool interface_pattern_has(const char *pattern, const char *name);

/* An EtherType as text: "0x88ba", or one of ETHERTYPE_NAMES. False: it is none. */
bool ethertype_parse(const char *text, uint16_t *ret);

/* The clock that "kernel" or "interface" names, and back; 0 is the kernel's. */
bool timestamps_parse(const char *text, uint8_t *ret);
const char *timestamps_word(uint8_t timestamps);

/* The direction that "in", "out" or "both" names, and back; 0 is both. */
bool direction_parse(const char *text, uint8_t *ret);
const char *direction_word(uint8_t direction);

#endif
