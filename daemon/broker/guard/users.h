/* Users: what each one has of the service, and whether he may have more.
 *
 * What can be counted is in pools (broker/pool.h), and their records have the rest as well: a
 * record stays until the time that the user used is forgotten, so that to connect anew is no way to
 * be a new user. To ask (users_may_...) and to count are two steps where what was there before the
 * service is counted as well. The administrator (root, and who started the service) is exempt from
 * every user's share and from the limit of requests, not from the size of a pool. */
#ifndef NB_USERS_H
#define NB_USERS_H

#include "bounds.h"
#include "broker/pool.h"
#include "error.h"
#include "limit.h"
#include "user_names.h"

#include <stdint.h>
#include <sys/types.h>

enum {
    /* Users at a time who may have connections. Others are refused. */
    USERS_MAX = POOL_USERS,
    /* One of so many descriptors may be on its way to a client. The kernel allows a user as many on
     * their way as a process may have, and charges them to us until they are read, also those that
     * a broker left that has died. */
    DESCRIPTORS_TO_ONE_SENT = 8,
    /* One of so many may have come from a client; and a user who has sent so many that are not
     * closed sends no more. One read can bring FDPASS_MAX. */
    DESCRIPTORS_TO_ONE_RECEIVED = 3,
    RECEIVED_PER_USER = 16,
    /* One of so many, and so many at most, may be connections that wait to be refused. */
    DESCRIPTORS_TO_ONE_OF_CROWD = 8,
    CROWD_MAX = 1024,
    CROWD_PER_USER = 256,
    /* One user has one of so many parts of a pool that no setting divides. */
    USERS_SHARE_PART = 4,
    /* Of connections and of leases, for the administrator. */
    USERS_RESERVE = 64,
    USERS_RESERVE_BYTES = 2 * 1024 * 1024,
    /* Each user may have one request that is being read, and a reply of this size. */
    USERS_LEAST_BYTES = 2 * REQUEST_MAX,
};

struct users {
    struct pools pools; /* the accounts of all users, and also what kinds give out */
    struct limits limits;
    struct user_names *names;   /* borrowed; NULL: users are numbers only */
    unsigned connected;         /* users who have connections */
    uint64_t throttled_seconds; /* in which a user had no more requests */
    struct pool connections, leases;
    struct pool bytes;          /* of requests, replies and events */
    struct pool sent, received; /* descriptors that the client, or the closer, has yet to take */
    struct pool crowd;          /* connections that wait to be refused */
};

/* No users yet. What is there is freed by users_clear. */
void users_init(struct users *users, const struct limits *limits, size_t descriptors,
                uid_t administrator);
void users_clear(struct users *users);

/* Other limits from now on; there are so many descriptors for connections and in replies. */
void users_set_limits(struct users *users, const struct limits *limits, size_t descriptors);

/* Whether there is room for a connection of whomever, and for one more of this user. A user whom
 * the system knows, or who has something, is not refused because there are many others. */
bool users_are_full(const struct users *users);
bool users_may_connect(struct users *users, uid_t uid, bool is_known, struct error *error);

/* Counts a connection. The record stays until users_disconnect. NULL: no memory. */
struct account *users_connect(struct users *users, uid_t uid);
void users_disconnect(struct users *users, struct account *user);
unsigned users_connections_of(const struct users *users, const struct account *user);

/* What a connection has that was taken and waits to be opened: the place of one, where its user may
 * have it, else one in a crowd of those who wait for the reason. USERS_PLACE_NONE: neither. It is
 * given back before the connection is opened or refused; the record stays where it is meanwhile. */
enum users_place { USERS_PLACE_NONE, USERS_PLACE_CONNECTION, USERS_PLACE_CROWD };

enum users_place users_take_place(struct users *users, struct account *user);
void users_leave_place(struct users *users, struct account *user, enum users_place place);

/* Whether the user has requests left in this second; and one less. */
bool users_may_request(const struct users *users, const struct account *user);
void users_count_request(struct account *user);
void users_next_second(struct users *users);

/* Charges the processor's time that was used for the user, also for work that goes on without a
 * connection. Who used less of it lately comes first (turns.h): a quarter of it is forgotten each
 * second, the rest once it is less than a turn. */
void users_charge_time(struct account *user, uint64_t ns);
void users_charge_time_of(struct users *users, uid_t uid, uint64_t ns);

/* Whether the user may have so many bytes more, for a request or a reply. */
bool users_may_have(const struct users *users, const struct account *user, size_t n);

/* The same with *error, which says why not. */
bool users_explain_memory(struct users *users, struct account *user, size_t n, struct error *error);

/* What the user has of them; and that one of his connections holds other ones than before. */
uint64_t users_queued_by(const struct users *users, const struct account *user);
void users_count_queued(struct users *users, struct account *user, size_t before, size_t now);

/* Whether so many descriptors more may be sent to the user; and that they are, or are read. He may
 * have a quarter of all that are on their way. */
bool users_may_send(struct users *users, struct account *user, unsigned count, struct error *error);
void users_send(struct users *users, struct account *user, unsigned count);
void users_have_read(struct users *users, struct account *user, unsigned count);

/* Whether as many descriptors may be received from the user as one read can bring; and that some
 * were, or that one of them is closed. The record stays until all are. */
bool users_may_receive(const struct users *users, const struct account *user);
void users_receive(struct users *users, struct account *user, size_t count);
void users_have_closed(struct users *users, struct account *user);

/* Whether the user may hold one lease more; and that there is one more, or one less. limit is what
 * a rule of the policy sets, 0 where it sets none. */
bool users_may_hold_lease(struct users *users, uid_t uid, unsigned limit, struct error *error);

/* The same for a set that brings some leases and ends others. */
bool users_may_hold_set(struct users *users, uid_t uid, unsigned limit, size_t more, size_t less,
                        struct error *error);

void users_hold_lease(struct users *users, uid_t uid);
void users_release_lease(struct users *users, uid_t uid);

#endif
