#include "users.h"

#include "log.h"

#include <stdlib.h>

static struct user_bucket *bucket_of(struct users *users, uid_t uid)
{
    return &users->buckets[uid % USER_BUCKETS];
}

static struct account *find(const struct users *users, uid_t uid)
{
    struct account *user;

    LIST_FOREACH (user, &users->buckets[uid % USER_BUCKETS], in_bucket)
        if (user->uid == uid)
            return user;
    return NULL;
}

bool users_is_administrator(const struct users *users, uid_t uid)
{
    return uid == 0 || uid == users->administrator;
}

static struct account *find_or_add(struct users *users, uid_t uid)
{
    struct account *user = find(users, uid);

    if (user)
        return user;
    user = calloc(1, sizeof *user);
    if (!user)
        return NULL;
    user->uid = uid;
    user->exempt = users_is_administrator(users, uid);
    LIST_INSERT_HEAD(bucket_of(users, uid), user, in_bucket);
    users->count++;
    return user;
}

static void forget_if_empty(struct users *users, struct account *user)
{
    if (user->connections > 0 || user->leases > 0)
        return;
    LIST_REMOVE(user, in_bucket);
    users->count--;
    free(user);
}

void users_init(struct users *users, const struct limits *limits, size_t descriptors,
                uid_t administrator)
{
    *users = (struct users){.administrator = administrator};
    users_set_limits(users, limits, descriptors);
}

void users_clear(struct users *users)
{
    for (size_t i = 0; i < USER_BUCKETS; i++) {
        struct account *user;

        while ((user = LIST_FIRST(&users->buckets[i]))) {
            LIST_REMOVE(user, in_bucket);
            free(user);
        }
    }
    users->count = 0;
}

void users_set_limits(struct users *users, const struct limits *limits, size_t descriptors)
{
    struct limits *l = &users->limits;

    *l = *limits;
    if (l->connections > descriptors)
        l->connections = (unsigned)descriptors;
    if (l->connections_per_user == 0)
        l->connections_per_user = (l->connections + 3) / 4;
    if (l->connections_per_user > l->connections)
        l->connections_per_user = l->connections;
}

/* --- Connections --------------------------------------------------------------------------- */

bool users_are_full(const struct users *users)
{
    return users->connections >= users->limits.connections;
}

static bool refuse_connection(struct users *users, struct account *user, struct error *error)
{
    users->refused++;
    if (user && !user->refusal_told)
        log_line(LOG_WARNING, "user %u has %u connections; more are refused.", (unsigned)user->uid,
                 user->connections);
    if (user)
        user->refusal_told = true;
    return error_set(error, ERROR_LIMIT, NULL,
                     user ? "You have %u connections, the limit for one user "
                            "(connections-per-user of netbrokerd.conf(5)). Close one and "
                            "connect again."
                          : "%u users are connected, the limit of the service. Connect again "
                            "later.",
                     user ? user->connections : users->count);
}

bool users_may_connect(struct users *users, uid_t uid, struct error *error)
{
    struct account *user = find(users, uid);
    bool may = user ? user->connections < users->limits.connections_per_user
                    : users->count < USERS_MAX || users_is_administrator(users, uid);

    return may || refuse_connection(users, user, error);
}

struct account *users_connect(struct users *users, uid_t uid)
{
    struct account *user = find_or_add(users, uid);

    if (!user)
        return NULL;
    user->connections++;
    users->connections++;
    return user;
}

void users_disconnect(struct users *users, struct account *user)
{
    users->connections--;
    if (--user->connections <= users->limits.connections_per_user / 2)
        user->refusal_told = false;
    forget_if_empty(users, user);
}

/* --- Requests and memory ------------------------------------------------------------------- */

bool users_may_request(const struct users *users, const struct account *user)
{
    return user->exempt || user->requests < users->limits.requests_per_second;
}

void users_count_request(struct account *user)
{
    user->requests++;
}

void users_next_second(struct users *users)
{
    struct account *user;

    for (size_t i = 0; i < USER_BUCKETS; i++)
        LIST_FOREACH (user, &users->buckets[i], in_bucket) {
            users->throttled_seconds += !users_may_request(users, user);
            user->requests = 0;
        }
}

bool users_may_queue(const struct users *users, const struct account *user)
{
    return users->queued < users->limits.queued_bytes &&
           user->queued < users->limits.queued_bytes_per_user;
}

void users_count_queued(struct users *users, struct account *user, size_t before, size_t now)
{
    users->queued += now - before;
    user->queued += now - before;
}

/* --- Leases -------------------------------------------------------------------------------- */

bool users_may_hold_set(const struct users *users, uid_t uid, unsigned limit, size_t more,
                        size_t less, struct error *error)
{
    const struct account *user = find(users, uid);
    char text[USER_TEXT_MAX];
    const char *source =
        limit ? "leases of netbroker-policy(5)" : "leases-per-user of netbrokerd.conf(5)";

    if (limit == 0)
        limit = users->limits.leases_per_user;
    if (!user || user->exempt || user->leases + more <= limit + less)
        return true;
    return error_set(error, ERROR_LIMIT, NULL,
                     "User %s holds %u leases, and one user may hold at most %u (%s). Release "
                     "some first.",
                     user_format(users->names, uid, text), user->leases, limit, source);
}

bool users_may_hold_lease(const struct users *users, uid_t uid, unsigned limit, struct error *error)
{
    return users_may_hold_set(users, uid, limit, 1, 0, error);
}

void users_hold_lease(struct users *users, uid_t uid)
{
    struct account *user = find_or_add(users, uid);

    if (!user)
        return;
    user->leases++;
    users->leases++;
}

void users_release_lease(struct users *users, uid_t uid)
{
    struct account *user = find(users, uid);

    if (!user || user->leases == 0)
        return; /* there was no memory to count it */
    user->leases--;
    users->leases--;
    forget_if_empty(users, user);
}
