/* What went wrong, as a row: a code for programs, and a sentence for people.
 *
 * An error is made where it happens and reaches the client unchanged. */
#ifndef NB_ERROR_H
#define NB_ERROR_H

#include <stdbool.h>

/* E(NAME, word on the wire, what it means). The words are a contract: programs test them. */
#define ERRORS(E)                                                                                  \
    E(INVALID_JSON, "invalid-json",                                                                \
      "The bytes are no request: not JSON, or not of our strict kind.")                            \
    E(TOO_LARGE, "too-large", "The request has more than 16 KiB.")                                 \
    E(TOO_SLOW, "too-slow", "The request was not whole in time.")                                  \
    E(UNKNOWN_ACTION, "unknown-action", "The action is not in the table.")                         \
    E(UNKNOWN_FIELD, "unknown-field", "The request has a field that the action does not take.")    \
    E(MISSING_FIELD, "missing-field", "A required field is not there.")                            \
    E(INVALID_TYPE, "invalid-type", "A field holds another JSON type than it takes.")              \
    E(OUT_OF_RANGE, "out-of-range", "A number, a list or a text is too large or too small.")       \
    E(INVALID_ADDRESS, "invalid-address",                                                          \
      "The text is no IPv4 or IPv6 address of the kind asked.")                                    \
    E(INVALID_NAME, "invalid-name", "The text cannot be the name of an interface.")                \
    E(NOT_MULTICAST, "not-multicast", "The group is no multicast address.")                        \
    E(NOT_FORWARDED, "not-forwarded", "The group is link-local: no router ever forwards it.")      \
    E(LOOP, "loop", "The inbound interface is among the outgoing ones.")                           \
    E(NOT_FOUND, "not-found", "There is no such interface, route or subscription.")                \
    E(LIMIT, "limit", "A limit of the kernel or of the service is reached.")                       \
    E(NOT_ALLOWED, "not-allowed", "The policy does not let this user do it.")                      \
    E(IN_USE, "in-use", "Another process, or another user, has what was asked for.")               \
    E(NOT_BEGUN, "not-begun", "There is no set that this connection began.")                       \
    E(ABORTED, "aborted", "A request of the set was refused, so none of it is applied.")           \
    E(UNSUPPORTED, "unsupported", "This kernel or system cannot do it.")                           \
    E(NO_MEMORY, "no-memory", "The service is out of memory; try again later.")                    \
    E(INTERNAL, "internal", "The kernel refused what should have worked; the message says how.")

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

/* Fills *error and returns false, so that a check can end with it. field may be NULL.
 * A message that does not fit is cut. */
bool error_set(struct error *error, enum error_code code, const char *field, const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
