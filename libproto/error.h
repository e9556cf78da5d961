/* What went wrong, as a row: a code for programs, and a sentence for people.
 *
 * An error is made where it happens and reaches the client unchanged. */
#ifndef NB_ERROR_H
#define NB_ERROR_H

#include <stdbool.h>

/* E(NAME, word on the wire, what it means). The words are a contract: programs test them. */
#define ERRORS(E)                                                                                  \
    E(INVALID_JSON, "invalid-json",                                                                \
      "The bytes are not a request: not JSON, or JSON that the protocol excludes.")                \
    E(TOO_LARGE, "too-large", "The request has more than 16 KiB.")                                 \
    E(TOO_SLOW, "too-slow",                                                                        \
      "The end of a request, the next request, or the reader of replies took too long.")           \
    E(UNKNOWN_ACTION, "unknown-action", "There is no such action.")                                \
    E(UNKNOWN_FIELD, "unknown-field", "The action does not take this field.")                      \
    E(MISSING_FIELD, "missing-field", "A required field is missing.")                              \
    E(INVALID_TYPE, "invalid-type", "A field has the wrong JSON type.")                            \
    E(OUT_OF_RANGE, "out-of-range",                                                                \
      "A number is too large or too small, or a list or text "                                     \
      "too long or too short.")                                                                    \
    E(INVALID_ADDRESS, "invalid-address",                                                          \
      "The text is not an address of the kind that the field takes.")                              \
    E(INVALID_NAME, "invalid-name", "The text is not a valid interface name.")                     \
    E(NOT_MULTICAST, "not-multicast", "The group is not a multicast address.")                     \
    E(NOT_FORWARDED, "not-forwarded", "The group is link-local, and no router forwards it.")       \
    E(INVALID_DESCRIPTOR, "invalid-descriptor",                                                    \
      "The descriptors that came with the request are not those that the action takes.")           \
    E(LOOP, "loop", "The inbound interface is also an outgoing interface.")                        \
    E(NOT_FOUND, "not-found", "There is no such interface, route, join, tap, capture or lease.")   \
    E(LIMIT, "limit", "A limit of the kernel or of the service is reached.")                       \
    E(NOT_ALLOWED, "not-allowed", "The policy does not allow it to this user.")                    \
    E(IN_USE, "in-use", "Another process or another user holds it.")                               \
    E(NOT_BEGUN, "not-begun", "This connection has not begun a set.")                              \
    E(ABORTED, "aborted", "A request of the set was refused, so none of it is applied.")           \
    E(UNSUPPORTED, "unsupported", "This kernel or system does not support it.")                    \
    E(NO_MEMORY, "no-memory", "The service is out of memory; try again later.")                    \
    E(INTERNAL, "internal", "The kernel refused what should work; the message says why.")

enum error_code {
    ERROR_NONE,
#define E(name, word, meaning) ERROR_##name,
    ERRORS(E)
#undef E
        ERROR_CODES
};

struct error {
    enum error_code code; /* ERROR_NONE: nothing went wrong */
    char field[32];       /* the request's field that is wrong, or "" */
    char message[320];    /* one or two sentences: what is wrong, what would be right */
};

/* The word of a code on the wire, e.g. "not-found". */
const char *error_word(enum error_code code);

/* Fills *error and returns false, so that a check can end with it. field may be NULL. A message
 * that does not fit is cut. */
bool error_set(struct error *error, enum error_code code, const char *field, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
