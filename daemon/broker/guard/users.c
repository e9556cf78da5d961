#include "users.h"

#include "fdpass.h"
#include <stdio.h>

/* Less is not worth a record. */
enum { TIME_FORGOTTEN_NS = 100 * 1000 };

/* --- Pools --------------------------------------------------------------------------------- */

#define OF_CONF " of netbrokerd.conf(5)"

static const struct pool_words connections_words = {"connections",
                                                    "connections",
                                                    "connections-per-user" OF_CONF,
                                                    "connections" OF_CONF,
                                                    "Close one and connect again.",
                                                    false};
static const struct pool_words leases_words = {
    "leases", "leases", "leases-per-user" OF_CONF, NULL, "Release some first.", false};
static const struct pool_words bytes_words = {
    "queued_bytes",
    "bytes of requests, replies and events",
    "queued-bytes-per-user" OF_CONF,
    "queued-bytes" OF_CONF,
    "Read the replies on your connections, or close some.",
    false};
static const struct pool_words sent_words = {
    "descriptors_sent",
    "descriptors that were sent and not read",
    NULL,
    NULL,
    "Read the replies on your other connections, or close these, and ask again.",
    false};
static const struct pool_words received_words = {
    "descriptors_received",
    "descriptors that clients sent and that are not closed",
    NULL,
    NULL,
    "Send fewer.",
    false};

static const struct pool_words crowd_words = {"connections_to_refuse",
                                              "connections that wait to be refused",
                                              NULL,
                                              NULL,
                                              "Close some of your other connections first.",
                                              false};

static const char *name_user(void *context, uid_t uid, char *text, size_t size)
{
    struct users *users = context;
    char name[USER_TEXT_MAX];

    snprintf(text, size, "%s", user_format(users->names, uid, name));
    return text;
}

void users_init(struct users *users, const struct limits *limits, size_t descriptors,
                uid_t administrator)
{
    *users = (struct users){0};
    pools_init(&users->pools, administrator);
    users->pools.name_user = name_user;
    users->pools.context = users;
    pools_add(&users->pools, &users->connections, &connections_words);
    pools_add(&users->pools, &users->bytes, &bytes_words);
    pools_add(&users->pools, &users->leases, &leases_words);
    pools_add(&users->pools, &users->sent, &sent_words);
    pools_add(&users->pools, &users->received, &received_words);
    pools_add(&users->pools, &users->crowd, &crowd_words);
    users_set_limits(users, limits, descriptors);
}

void users_clear(struct users *users)
{
    pools_clear(&users->pools);
}

static void bound_connections(struct users *users, size_t descriptors)
{
    struct limits *l = &users->limits;

    if (l->connections > descriptors)
        l->connections = (unsigned)descriptors;
    if (l->connections_per_user == 0)
        l->connections_per_user = (l->connections + USERS_SHARE_PART - 1) / USERS_SHARE_PART;
    if (l->connections_per_user > l->connections)
        l->connections_per_user = l->connections;
    pool_bound(&users->connections,
               &(struct pool_bounds){l->connections, l->connections_per_user, USERS_RESERVE, 1});
}

void users_set_limits(struct users *users, const struct limits *limits, size_t descriptors)
{
    struct limits *l = &users->limits;
    size_t sent = descriptors / DESCRIPTORS_TO_ONE_SENT;
    size_t received = descriptors / DESCRIPTORS_TO_ONE_RECEIVED;
    size_t crowd = descriptors / DESCRIPTORS_TO_ONE_OF_CROWD;

    if (crowd > CROWD_MAX)
        crowd = CROWD_MAX;
    *l = *limits;
    limits_fill_in(l);
    bound_connections(users, descriptors - sent - received - crowd);
    pool_bound(&users->bytes, &(struct pool_bounds){l->queued_bytes, l->queued_bytes_per_user,
                                                    USERS_RESERVE_BYTES, USERS_LEAST_BYTES});
    pool_bound(&users->leases,
               &(struct pool_bounds){(uint64_t)l->leases_per_user * USERS_SHARE_PART,
                                     l->leases_per_user, USERS_RESERVE, 1});
    pool_bound(&users->sent, &(struct pool_bounds){sent, sent / USERS_SHARE_PART, 0, 0});
    pool_bound(&users->received, &(struct pool_bounds){received, RECEIVED_PER_USER, 0, 0});
    pool_bound(&users->crowd, &(struct pool_bounds){crowd, CROWD_PER_USER, 0, 0});
}

/* --- Connections --------------------------------------------------------------------------- */

bool users_are_full(const struct users *users)
{
    return users->connections.used >= users->connections.bounds.size;
}

static bool refuse_user(struct users *users, struct error *error)
{
    users->connections.refused++;
    return error_set(error, ERROR_LIMIT, NULL,
                     "%u users are connected, the limit of the service. Connect again later.",
                     users->connected);
}

bool users_may_connect(struct users *users, uid_t uid, bool is_known, struct error *error)
{
    is_known |= pools_find(&users->pools, uid) || pools_is_exempt(&users->pools, uid);
    /* Those who only hold leases, as many as a journal names, keep nobody away. */
    if (!is_known && users->connected >= USERS_MAX)
        return refuse_user(users, error);
    return pool_may(&users->connections, uid, &(struct pool_request){.more = 1}, error);
}

struct account *users_connect(struct users *users, uid_t uid)
{
    struct account *user = pools_open(&users->pools, uid);

    if (!user)
        return NULL;
    users->connected += user->used[users->connections.place] == 0;
    pool_force_account(&users->connections, user, 1);
    return user;
}

void users_disconnect(struct users *users, struct account *user)
{
    users_leave_place(users, user, USERS_PLACE_CONNECTION);
    pools_settle(&users->pools, user);
}

enum users_place users_take_place(struct users *users, struct account *user)
{
    if (pool_has_room(&users->connections, user, 1)) {
        users->connected += user->used[users->connections.place] == 0;
        pool_force_account(&users->connections, user, 1);
        return USERS_PLACE_CONNECTION;
    }
    if (pool_charge_account(&users->crowd, user, 1, NULL))
        return USERS_PLACE_CROWD;
    users->connections.refused++;
    return USERS_PLACE_NONE;
}

void users_leave_place(struct users *users, struct account *user, enum users_place place)
{
    if (place == USERS_PLACE_CROWD)
        pool_return_account(&users->crowd, user, 1);
    if (place != USERS_PLACE_CONNECTION)
        return;
    pool_return_account(&users->connections, user, 1);
    users->connected -= user->used[users->connections.place] == 0;
}

unsigned users_connections_of(const struct users *users, const struct account *user)
{
    return (unsigned)user->used[users->connections.place];
}

/* --- Descriptors --------------------------------------------------------------------------- */

/* One reply with descriptors is always allowed, if the whole service has room. */
bool users_may_send(struct users *users, struct account *user, unsigned count, struct error *error)
{
    const struct pool *sent = &users->sent;
    uint64_t share = user->used[sent->place] == 0 ? sent->bounds.size : sent->bounds.share;

    return pool_may(&users->sent, user->uid, &(struct pool_request){.more = count, .share = share},
                    error);
}

void users_send(struct users *users, struct account *user, unsigned count)
{
    pool_force_account(&users->sent, user, count);
}

void users_have_read(struct users *users, struct account *user, unsigned count)
{
    pool_return_account(&users->sent, user, count);
}

bool users_may_receive(const struct users *users, const struct account *user)
{
    const struct pool *received = &users->received;

    return user->used[received->place] < received->bounds.share &&
           received->used + FDPASS_MAX <= received->bounds.size;
}

void users_receive(struct users *users, struct account *user, size_t count)
{
    pool_force_account(&users->received, user, count);
}

void users_have_closed(struct users *users, struct account *user)
{
    pool_return_account(&users->received, user, 1);
    pools_settle(&users->pools, user);
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

static void forget_time(struct account *user)
{
    user->busy_ns -= user->busy_ns / 4;
    if (user->busy_ns < TIME_FORGOTTEN_NS)
        user->busy_ns = 0;
}

void users_next_second(struct users *users)
{
    struct account *user;

    HASH_FOREACH_ALL (user, &users->pools.accounts, in_accounts) {
        users->throttled_seconds += !users_may_request(users, user);
        user->requests = 0;
        forget_time(user);
    }
    pools_next_second(&users->pools);
}

void users_charge_time(struct account *user, uint64_t ns)
{
    user->busy_ns += ns;
    user->used_ns += ns;
}

void users_charge_time_of(struct users *users, uid_t uid, uint64_t ns)
{
    struct account *user = pools_open(&users->pools, uid);

    if (user)
        users_charge_time(user, ns);
}

bool users_may_have(const struct users *users, const struct account *user, size_t n)
{
    return n == 0 || pool_has_room(&users->bytes, user, n);
}

bool users_explain_memory(struct users *users, struct account *user, size_t n, struct error *error)
{
    return pool_may(&users->bytes, user->uid, &(struct pool_request){.more = n}, error);
}

uint64_t users_queued_by(const struct users *users, const struct account *user)
{
    return user->used[users->bytes.place];
}

void users_count_queued(struct users *users, struct account *user, size_t before, size_t now)
{
    if (now > before)
        pool_force_account(&users->bytes, user, now - before);
    else
        pool_return_account(&users->bytes, user, before - now);
}

/* --- Leases -------------------------------------------------------------------------------- */

bool users_may_hold_set(struct users *users, uid_t uid, unsigned limit, size_t more, size_t less,
                        struct error *error)
{
    struct pool_request request = {more, less, limit,
                                   limit ? "leases of netbroker-policy(5)" : NULL};

    return pool_may(&users->leases, uid, &request, error);
}

bool users_may_hold_lease(struct users *users, uid_t uid, unsigned limit, struct error *error)
{
    return users_may_hold_set(users, uid, limit, 1, 0, error);
}

void users_hold_lease(struct users *users, uid_t uid)
{
    pool_force(&users->leases, uid, 1);
}

void users_release_lease(struct users *users, uid_t uid)
{
    pool_return(&users->leases, uid, 1);
}
