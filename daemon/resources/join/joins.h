/* Joins: the groups that this host shall be a member of, and the kernel's memberships that are made
 * to fit.
 *
 * A router that forwards by static routes is no member of their groups, so a snooping switch or a
 * querier before it does not send them: a join makes it one (IGMP, RFC 3376; MLD, RFC 3810). A join
 * names an interface and a group, or a prefix of groups, and for source-specific multicast a source
 * or a prefix of sources: it stands for a membership each. A join whose interface is missing waits,
 * and is joined when the interface is there.
 *
 * The kernel takes up to 0.1 ms for a membership where there are thousands, so the work is queued,
 * by user, and done in turns. Of each user it is first what interfaces that are gone have left on
 * the sockets, then what is to be joined, and last what is to be left, so that what is wanted by
 * another join now is never left in between. But who has much to leave leaves it first, and all do
 * where there is no room for what is to be joined: what is deleted is charged to nobody. */
#ifndef NB_JOINS_H
#define NB_JOINS_H

#include "broker/netifs.h"
#include "broker/pool.h"
#include "broker/resource.h"
#include "broker/waiter.h"
#include "error.h"
#include "table.h"

enum {
    /* Of one request: 4,096 sources of a group, or groups, are a /20 or a /116. */
    JOIN_SIZE_MAX = 4096,
    /* Of all joins: as many IPv4 groups as the keeper's 512 sockets take. */
    JOIN_MEMBERSHIPS_MAX = 10240,
    JOIN_MEMBERSHIPS_RESERVE = 1024, /* for the administrator */
};

struct joins;
struct join;

/* Which join: there is one of each. */
struct join_key {
    struct prefix source; /* FAMILY_NONE: any source */
    struct prefix group;
    struct interface_name iif;
};

/* T(NAME, word on the wire) */
#define JOIN_STATES(T)                                                                             \
    T(JOINED, "joined")                                                                            \
    T(WAITING, "waiting")

enum join_state {
#define T(name, word) JOIN_##name,
    JOIN_STATES(T)
#undef T
};

/* J(NAME, topic): what can happen to a join, and the event that tells of it. */
#define JOIN_EVENTS(J)                                                                             \
    J(ADDED, "join.added")                                                                         \
    J(DELETED, "join.deleted")                                                                     \
    J(WAITING, "join.waiting")                                                                     \
    J(RESTORED, "join.restored")

enum join_event {
#define J(name, topic) JOIN_##name##_EVENT,
    JOIN_EVENTS(J)
#undef J
};

struct joins_callbacks {
    /* Asks the keeper for a socket; joins_socket_opened brings it. */
    void (*open_socket)(void *context, uint8_t family);
    /* joins_work is to be called soon. */
    void (*needs_work)(void *context);
    /* So much of the processor's time was used for the user. May be NULL. */
    void (*charge)(void *context, uid_t uid, uint64_t ns);
    /* After joins_loaded: the kernel has all that was wanted by then. */
    void (*settled)(void *context);
    /* Also while it is being deleted: the view is whole. */
    void (*event)(void *context, enum join_event event, const struct join *join);
    /* The kernel refused, and no request waits for it: the join goes, or waits. */
    void (*refused)(void *context, const struct join *join, const struct error *error);
    void *context;
};

/* seed: a random number that no client knows. NULL: no memory. */
struct joins *joins_new(struct netifs *netifs, struct leases *leases,
                        const struct joins_callbacks *callbacks, uint64_t seed);

/* From now on users are charged for memberships, by a pool in this registry. */
void joins_use_pools(struct joins *joins, struct pools *pools);

/* So many may one user have. */
void joins_set_share(struct joins *joins, unsigned share);

/* Closes its sockets; the memberships stay as long as the keeper holds its copies. */
void joins_free(struct joins *joins);

/* Does some of one user's work. False: there is none left, or it waits for a socket. */
bool joins_work(struct joins *joins);

/* The answer to open_socket: a descriptor, owned from now on, or negative with *error. */
void joins_socket_opened(struct joins *joins, uint8_t family, int fd, const struct error *error);

/* All that a broker before us wanted was added again: when the kernel has it, settled is called. */
void joins_loaded(struct joins *joins);

/* What adding did, or would do (dry_run). */
enum join_change { JOIN_UNCHANGED, JOIN_ADDED };

struct join_wish {
    struct join_key key;
    bool wait;     /* for an interface that is missing; else it is an error */
    bool restores; /* it was acknowledged before: its user's share is not asked for */
    bool dry_run;
};

/* How many memberships the key stands for; more than JOIN_SIZE_MAX: UINT_MAX. */
unsigned join_key_size(const struct join_key *key);

/* Whether a wish can be fulfilled, as far as it can be judged by itself. */
bool join_wish_is_sound(const struct join_wish *wish, struct error *error);

/* Adds a join, and holds it for the holder: all of it or, with *error, nothing. The kernel does it
 * later; see joins_wait. */
bool joins_add(struct joins *joins, const struct join_wish *wish, const struct holder *holder,
               enum join_change *ret, struct error *error);

/* Waits until the kernel has done what this join asks, or has refused it. False: there is nothing
 * to wait for. */
bool joins_wait(struct joins *joins, const struct join_key *key, struct waiter *waiter);

/* Gives up the holder's lease on a join. An administrator who has none deletes it. *ret_kept:
 * others hold it still. */
bool joins_del(struct joins *joins, const struct join_key *key, const struct holder *holder,
               bool dry_run, bool *ret_kept, struct error *error);

/* The join of this key, or NULL. */
const struct join *joins_find(const struct joins *joins, const struct join_key *key);

/* The join that such a resource is. */
struct join *join_of_resource(const struct resource *resource);

extern const struct resource_ops join_ops;

/* The listener's word on an interface: joins are joined, or wait. */
void joins_netif_changed(struct joins *joins, const struct netif *was, const struct netif *is);

/* Call it about once a second: what the kernel refused is tried again, and what the kernel has lost
 * is joined again, some times after each change of an interface. */
void joins_tick(struct joins *joins);

enum join_state join_state(const struct join *join);

/* Writes e.g. "239.1.1.0/24 from 10.0.0.5 on eth0" and returns text. */
enum { JOIN_TEXT_MAX = 2 * PREFIX_TEXT_MAX + INTERFACE_NAME_MAX + 16 };
const char *join_key_format(const struct join_key *key, char *text);

/* A walk over joins, oldest first, that may stop and go on later while joins come and go: it passes
 * over those that were added after its start. */
struct join_cursor {
    struct joins *joins;
    uint8_t family; /* of the groups; FAMILY_NONE: any */
    struct join *next;
    uint64_t last_serial;
    LIST_ENTRY(join_cursor) in_open; /* joins.cursors */
};

void join_cursor_open(struct join_cursor *cursor, struct joins *joins, uint8_t family);
/* Looks at one join more. False: there is none. *ret is it, or NULL where it is passed over. */
bool join_cursor_look(struct join_cursor *cursor, const struct join **ret);
const struct join *join_cursor_next(struct join_cursor *cursor); /* NULL: the end */
void join_cursor_close(struct join_cursor *cursor);

struct joins_totals {
    size_t joins, waiting;
    size_t memberships; /* in the kernel, each once */
    size_t sockets;
};

struct joins_totals joins_totals(const struct joins *joins);

#endif
