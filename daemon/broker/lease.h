/* Leases: who holds what.
 *
 * What can be held - a route, a join - embeds a `resource`. A lease is one hold on it, by a holder:
 * a user, until somebody releases it in the user's name; a session, until it ends; the
 * configuration, until its files name the resource no more. A resource goes when its last lease
 * ends.
 *
 * One registry has all leases of a service, whatever they are on: it finds them by their ids, lists
 * them, and tells its host of each that begins or ends. */
#ifndef NB_LEASE_H
#define NB_LEASE_H

#include "error.h"
#include "hash.h"
#include "transaction.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum {
    LEASE_ID_LENGTH = 12, /* hexadecimal digits */
    LEASE_ID_SIZE = LEASE_ID_LENGTH + 1,
    LEASE_TIME_SIZE = 32,
    /* On one resource; half of them are for users who have none on it. */
    RESOURCE_LEASES_MAX = 1024,
    RESOURCE_LEASES_OF_SEVERAL = RESOURCE_LEASES_MAX / 2,
    /* Of one user on one resource: its own, and those of its connections. */
    RESOURCE_LEASES_PER_USER = RESOURCE_LEASES_MAX / 4,
    /* No request for one is longer: 32 interfaces of 15 characters, each escaped. */
    LEASE_LINE_SIZE = 4096,
};

/* What is told of a lease. */
struct lease_info {
    uint64_t id;   /* 48 random bits, so that nobody guesses another's; 0: none is known */
    uid_t uid;     /* whose it is */
    int64_t since; /* seconds since 1970 */
};

/* The user of what was found without a record of its holder. */
#define LEASE_UID_UNKNOWN ((uid_t)-1)

/* H(NAME, word on the wire): who holds, and so how long. FOUND: the resource was there already, and
 * nobody knows whose it is. */
#define HOLDER_KINDS(H)                                                                            \
    H(USER, "client")                                                                              \
    H(SESSION, "session")                                                                          \
    H(CONFIGURATION, "configuration")                                                              \
    H(FOUND, "found")

enum holder_kind {
#define H(name, word) HOLDER_##name,
    HOLDER_KINDS(H)
#undef H
        HOLDER_KIND_COUNT
};

/* The word of a kind on the wire, and back. */
const char *holder_kind_word(enum holder_kind kind);
bool holder_kind_find(const char *word, enum holder_kind *ret);

/* What one holder has, oldest first: what a session holds ends with it, and what a user holds is
 * found by the user (struct holding). */
struct lease;
TAILQ_HEAD(held_leases, lease);

/* Who asks to hold something. */
struct holder {
    enum holder_kind kind;
    struct lease_info lease;     /* the one that begins; its uid is who asks */
    struct held_leases *session; /* of a HOLDER_SESSION */
    uint32_t generation;         /* of the set that names the resource */
    bool administrator;          /* may change what others hold */
};

struct resource;
struct resource_ops; /* of a kind: resource.h */

/* In what somebody may hold. */
struct resource {
    LIST_HEAD(, lease) leases; /* oldest first; the registry owns them */
    const struct resource_ops *ops;
};

struct lease {
    LIST_ENTRY(lease) in_resource; /* struct resource */
    TAILQ_ENTRY(lease) in_holder;  /* what its holder has */
    struct hash_link in_ids;       /* struct leases */
    TAILQ_ENTRY(lease) in_order;   /* struct leases, which owns it */
    struct resource *resource;
    struct held_leases *holder; /* the list of in_holder; a session's own is the session's */
    struct lease_info info;
    uint64_t serial;       /* grows with each lease */
    uint32_t generation;   /* of the set that named it last */
    uint8_t kind;          /* enum holder_kind */
    uint32_t cursors : 24; /* that stand at it */
};

struct leases_host {
    /* The last lease on the resource ended: it goes. */
    void (*release)(void *context, struct resource *resource);
    /* A lease begins, or ends; its resource is whole. */
    void (*begins)(void *context, const struct lease *lease);
    void (*ends)(void *context, const struct lease *lease);
    /* What those want who hold the resource is another now. */
    void (*changed)(void *context, const struct resource *resource);
    /* Whether so many leases, whose requests have n bytes in all, can be kept. NULL: always. */
    bool (*has_room)(void *context, size_t count, size_t n, struct error *error);
    /* What changed in the transaction is done. NULL: nobody wants to know. */
    void (*commit)(void *context, struct transaction *transaction);
    void *context;
};

struct lease_cursor;

/* What a user or the configuration holds, or what was found. */
struct holding {
    struct hash_link in_holders; /* struct leases, which owns it, while it has leases */
    struct held_leases leases;
    uint64_t key; /* kind and user */
};

/* The registry. */
struct leases {
    struct leases_host host;
    TAILQ_HEAD(, lease) order;
    struct hash_table by_id;   /* the ids are random already */
    struct hash_table holders; /* by the holding's key; those of sessions are not among them */
    uint64_t serial;           /* of the next lease */
    struct transaction *transaction; /* that changes belong to; NULL: they count at once */
    struct {
        const struct transaction *to; /* NULL: none is */
        size_t count, n;
    } promised;
    struct lease *spare;           /* owned; the memory of the next lease; NULL: none is reserved */
    struct holding *spare_holding; /* the same of its holder */
    LIST_HEAD(, lease_cursor) cursors; /* open ones */
    /* Random bytes for some ids at a time: a system call for each would cost a tenth of a route. */
    uint8_t random[240];
    size_t random_left;
};

void leases_init(struct leases *leases, const struct leases_host *host);

/* All resources have gone, or forgot their leases. */
void leases_clear(struct leases *leases);

/* A lease of the user that would begin now, for a holder. Its id is 0 when the system gave no
 * random number. */
struct lease_info lease_prepare(struct leases *leases, uid_t uid);

/* Writes when a lease began, as "2026-01-31T23:59:59Z", to text[LEASE_TIME_SIZE] and returns text.
 */
const char *lease_time_format(int64_t since, char *text);

/* Writes the id to text[LEASE_ID_SIZE] and returns text. */
const char *lease_id_format(uint64_t id, char *text);

/* Reads an id: exactly its digits, and not 0. */
bool lease_id_parse(const char *text, uint64_t *ret);

/* The lease of this id, or NULL. */
struct lease *leases_find(const struct leases *leases, uint64_t id);

/* Makes sure that the next lease_begin, and one change of its resource, will not fail. */
bool leases_reserve(struct leases *leases, struct error *error);

/* Whether so many leases may begin or change one after the other, whose requests have n bytes in
 * all, while others begin as well. */
bool leases_have_room(const struct leases *leases, size_t count, size_t n, struct error *error);

/* So many leases, whose requests have n bytes in all, begin in the transaction that is in use: what
 * is left of the room is the others', until it is committed. One transaction at a time. */
void leases_promise(struct leases *leases, size_t count, size_t n);

/* From here on changes belong to the transaction; NULL: they count at once. Returns the one before,
 * to be used again. */
struct transaction *leases_use(struct leases *leases, struct transaction *transaction);

/* All that changed in the transaction is done. Before anybody is told of it. */
void leases_commit(struct leases *leases, struct transaction *transaction);

/* Begins the holder's lease on the resource. One that it has already is found again, with the
 * holder's generation. Whoever holds what was found takes it over. NULL: no memory. */
struct lease *lease_begin(struct leases *leases, struct resource *resource,
                          const struct holder *holder);

/* Ends the lease, which is freed. With the last one its resource is released: true. */
bool lease_end(struct leases *leases, struct lease *lease);

/* Ends what the configuration holds of a kind and has not named in this generation; returns how
 * many leases. */
size_t leases_sweep(struct leases *leases, const struct resource_ops *ops, uint32_t generation);

/* --- Of one resource ----------------------------------------------------------------------- */

void resource_init(struct resource *resource, const struct resource_ops *ops);

/* The holder's own lease, of its kind, user and session, or NULL. */
struct lease *resource_lease(const struct resource *resource, const struct holder *holder);

/* The oldest lease, or NULL: whose the resource is in the first place. */
const struct lease *resource_first_lease(const struct resource *resource);

bool resource_is_free(const struct resource *resource);
unsigned resource_lease_count(const struct resource *resource);

/* Whether somebody holds it who is not the holder's user. */
bool resource_has_others(const struct resource *resource, const struct holder *holder);

/* Whether the user holds it, in its own name or by a session. */
bool resource_has_user(const struct resource *resource, uid_t uid);

/* Whether one more may hold it: the holder does already, or there are less than
 * RESOURCE_LEASES_MAX, and not too many of its user. */
bool resource_has_room(const struct resource *resource, const struct holder *holder,
                       struct error *error);

/* Whether the holder may give it up: it has a lease of its own, or is an administrator. */
bool resource_may_give_up(const struct resource *resource, const struct holder *holder,
                          struct error *error);

/* Ends the holder's own leases: its user's, those of its session, and what was found. An
 * administrator who has none takes the resource away, whoever holds it. Returns whether others hold
 * it still; with dry_run whether they would, and nothing is done. */
bool resource_give_up(struct leases *leases, struct resource *resource, const struct holder *holder,
                      bool dry_run);

/* Ends all, for who takes the resource away whoever holds it. It is not released. */
void resource_end_leases(struct leases *leases, struct resource *resource);

/* Frees all, telling nobody: the process ends, or the kind does. */
void resource_forget(struct leases *leases, struct resource *resource);

/* Takes all leases over from a resource that this one replaces. */
void resource_move_leases(struct resource *to, struct resource *from);

/* What the resource is has changed, and so what its holders want. */
void resource_changed(struct leases *leases, const struct resource *resource);

/* --- Walks --------------------------------------------------------------------------------- */

/* A walk over leases, oldest first, that may stop and go on later while leases come and go: it
 * passes over those that begin after its start. */
struct lease_cursor {
    struct leases *leases;
    struct lease *next;
    uint64_t last_serial;
    bool of_holder;                   /* only one holder's */
    LIST_ENTRY(lease_cursor) in_open; /* leases.cursors */
};

void lease_cursor_open(struct lease_cursor *cursor, struct leases *leases);

/* A walk over what the holder has, of its kind, user and session. */
void lease_cursor_open_holder(struct lease_cursor *cursor, struct leases *leases,
                              const struct holder *holder);
const struct lease *lease_cursor_next(struct lease_cursor *cursor); /* NULL: the end */
void lease_cursor_close(struct lease_cursor *cursor);

#endif
