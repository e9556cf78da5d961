/* Users: what each one has of the service, and whether he may have more.
 *
 * A user has a record while he has connections or leases. To ask (users_may_...) and to count are
 * two steps: what was there before the service, or is exempt, is counted as well. The administrator
 * (root, and who started the service) is exempt from the limits of leases and of requests; of
 * connections and memory he, too, cannot take what others need. */
#ifndef NB_USERS_H
#define NB_USERS_H

#include "error.h"
#include "limit.h"
#include "user_names.h"

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum {
    /* Users at a time who may have connections. Others are refused. */
    USERS_MAX = 1024,
    USER_BUCKETS = 256,
};

struct account {
    LIST_ENTRY(account) in_bucket; /* struct users, which owns it */
    uid_t uid;
    bool exempt;
    bool refusal_told; /* in the log, until he has given back half of what he may have */
    unsigned connections, leases;
    unsigned requests; /* in this second */
    size_t queued;     /* bytes */
};

struct users {
    struct limits limits;
    uid_t administrator;      /* beside root */
    struct user_names *names; /* borrowed; NULL: users are numbers only */
    LIST_HEAD(user_bucket, account) buckets[USER_BUCKETS];
    unsigned count;
    unsigned connections;
    unsigned leases;
    size_t queued;              /* bytes, of all users */
    uint64_t refused;           /* connections */
    uint64_t throttled_seconds; /* in which a user had no more requests */
};

/* Whether the user is root, or the one who started the service. */
bool users_is_administrator(const struct users *users, uid_t uid);

/* No users yet. What is there is freed by users_clear. */
void users_init(struct users *users, const struct limits *limits, size_t descriptors,
                uid_t administrator);
void users_clear(struct users *users);

/* Other limits from now on; there are so many descriptors for connections. */
void users_set_limits(struct users *users, const struct limits *limits, size_t descriptors);

/* Whether there is room for a connection of whomever, and for one more of this user. */
bool users_are_full(const struct users *users);
bool users_may_connect(struct users *users, uid_t uid, struct error *error);

/* Counts a connection. The record stays until users_disconnect. NULL: no memory. */
struct account *users_connect(struct users *users, uid_t uid);
void users_disconnect(struct users *users, struct account *user);

/* Whether the user has requests left in this second; and one less. */
bool users_may_request(const struct users *users, const struct account *user);
void users_count_request(struct account *user);
void users_next_second(struct users *users);

/* Whether more bytes may be queued for the user's connections; and that one of them holds other
 * ones than before. */
bool users_may_queue(const struct users *users, const struct account *user);
void users_count_queued(struct users *users, struct account *user, size_t before, size_t now);

/* Whether the user may hold one lease more; and that there is one more, or one less. limit is what
 * a rule of the policy sets, 0 where it sets none. */
bool users_may_hold_lease(const struct users *users, uid_t uid, unsigned limit,
                          struct error *error);

/* The same for a set that brings some leases and ends others. */
bool users_may_hold_set(const struct users *users, uid_t uid, unsigned limit, size_t more,
                        size_t less, struct error *error);

void users_hold_lease(struct users *users, uid_t uid);
void users_release_lease(struct users *users, uid_t uid);

#endif
