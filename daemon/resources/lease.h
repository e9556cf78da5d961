/* A lease: the named hold that a request was granted on a kernel resource. */
#ifndef NB_LEASE_H
#define NB_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LEASE_ID_LENGTH = 12, /* hexadecimal digits */
    LEASE_ID_SIZE = LEASE_ID_LENGTH + 1,
};

struct lease {
    uint64_t id;   /* 48 random bits, so that nobody guesses another's; 0: none is known */
    uid_t uid;     /* whose it is */
    int64_t since; /* seconds since 1970 */
};

/* The user of what was found without a record of its owner. */
#define LEASE_UID_UNKNOWN ((uid_t)-1)

/* Random bytes for some leases at a time: a system call for each would cost a tenth of a route. */
struct lease_source {
    uint8_t bytes[240];
    size_t left;
};

/* Makes a lease of the user that begins now. Its id is 0 when the system gave no random number. */
struct lease lease_new(struct lease_source *source, uid_t uid);

/* Writes the id to text[LEASE_ID_SIZE] and returns text. */
const char *lease_id_format(uint64_t id, char *text);

/* Reads an id: exactly its digits, and not 0. */
bool lease_id_parse(const char *text, uint64_t *ret);

#endif
