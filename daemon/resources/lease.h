/* A lease: the named hold that a request was granted on a kernel resource.
 *
 * A thing that can be held (a route, a join) embeds a `holding`: the list of those who hold it. It
 * goes when the last of them lets go. A user holds a thing until somebody lets go of it in its
 * name, a session until it ends, and the configuration until it names the thing no more. */
#ifndef NB_LEASE_H
#define NB_LEASE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
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

/* --- Holds --------------------------------------------------------------------------------- */

/* H(NAME, word on the wire): what a hold lasts as long as. FOUND: the thing was there already, and
 * nobody knows whose it is. */
#define HOLD_KINDS(H)                                                                              \
    H(USER, "client")                                                                              \
    H(SESSION, "session")                                                                          \
    H(CONFIGURATION, "configuration")                                                              \
    H(FOUND, "found")

enum hold_kind {
#define H(name, word) HOLD_##name,
    HOLD_KINDS(H)
#undef H
        HOLD_KIND_COUNT
};

/* The word of a kind on the wire. */
const char *hold_kind_word(enum hold_kind kind);

/* On one thing: LEASES lists them in one piece, of about 200 bytes each. */
enum { HOLDS_MAX = 1024 };

/* What a session holds: all ends with it. */
struct hold;
LIST_HEAD(session_holds, hold);

struct hold {
    LIST_ENTRY(hold) in_holding; /* struct holding owns it */
    LIST_ENTRY(hold) in_session; /* of a HOLD_SESSION: struct session_holds */
    struct holding *holding;
    struct session_holds *session; /* NULL: of none */
    struct lease lease;
    uint32_t generation; /* of the set that named it last */
    uint8_t kind;        /* enum hold_kind */
};

/* In what somebody may hold. */
struct holding {
    LIST_HEAD(, hold) holds;
    const struct holding_class *class; /* what kind of thing it is in */
};

/* What is done for a thing when holds go. */
struct holding_class {
    /* A session ended: lets go of the hold, and of the thing if it was the last one. */
    void (*session_ended)(struct hold *hold);
};

/* Who asks to hold something, and how long. */
struct owner {
    enum hold_kind kind;
    struct lease lease;            /* the new one; its uid is who asks */
    struct session_holds *session; /* of a HOLD_SESSION */
    uint32_t generation;
    bool administrator; /* may change what others hold */
};

void holding_init(struct holding *holding, const struct holding_class *class);

/* The owner's own hold, of its kind, user and session, or NULL. */
struct hold *holding_find(const struct holding *holding, const struct owner *owner);

/* Whether somebody holds it who is not the owner's user. */
bool holding_has_others(const struct holding *holding, const struct owner *owner);

bool holding_is_empty(const struct holding *holding);
unsigned holding_count(const struct holding *holding);

/* The oldest hold, or NULL: whose the thing is in the first place. */
const struct hold *holding_first(const struct holding *holding);

/* Whether one more owner may hold it: one that does already, or with less than HOLDS_MAX others. */
bool holding_has_room(const struct holding *holding, const struct owner *owner,
                      struct error *error);

/* Holds for the owner. The one that it has already is found again, with the owner's generation.
 * *ret_new says whether it is new. NULL: no memory. */
struct hold *holding_add(struct holding *holding, const struct owner *owner, bool *ret_new);

/* Takes all holds over from a thing that this one replaces. */
void holding_move(struct holding *to, struct holding *from);

/* Ends one hold, which is freed. */
void hold_release(struct hold *hold);

/* Ends all, telling nobody. */
void holding_clear(struct holding *holding);

/* Ends all that the session holds. */
void session_holds_end(struct session_holds *holds);

#endif
