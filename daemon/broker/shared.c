#include "shared.h"

#include <stdlib.h>

/* Each one is asked for the room that he has. */
enum { USERS_ASKED_MAX = 32 };

struct shared_user {
    struct hash_link in_users; /* shared.users, which owns it; the number is the hash */
    uid_t uid;
    unsigned count; /* uses */
};

static struct shared_user *find(const struct shared *shared, uid_t uid)
{
    struct shared_user *user;

    HASH_FOREACH (user, &shared->users, uid, in_users)
        return user;
    return NULL;
}

static struct shared_user *add(struct shared *shared, uid_t uid)
{
    struct shared_user *user = calloc(1, sizeof *user);

    if (!user)
        return NULL;
    user->uid = uid;
    hash_insert(&shared->users, &user->in_users, uid);
    return user;
}

/* NULL: nobody. */
static void set_payer(struct shared *shared, struct shared_user *user)
{
    if (shared->pool && shared->payer)
        pool_return(shared->pool, shared->payer->uid, shared->n);
    shared->payer = user;
    if (shared->pool && user)
        pool_force(shared->pool, user->uid, shared->n);
}

void shared_use(struct shared *shared, uid_t uid)
{
    struct shared_user *user = find(shared, uid);

    if (!user)
        user = add(shared, uid);
    if (!user)
        return;
    user->count++;
    if (!shared->payer)
        set_payer(shared, user);
}

void shared_leave(struct shared *shared, uid_t uid)
{
    struct shared_user *user = find(shared, uid);
    struct hash_link *other;

    if (!user || --user->count > 0)
        return;
    hash_remove(&shared->users, &user->in_users);
    other = hash_from(&shared->users, 0);
    if (shared->payer == user)
        set_payer(shared, other ? HASH_ELEMENT(other, user, in_users) : NULL);
    free(user);
}

void shared_set_cost(struct shared *shared, uint64_t n)
{
    struct shared_user *payer = shared->payer;

    if (shared->n == n)
        return;
    set_payer(shared, NULL);
    shared->n = n;
    set_payer(shared, payer);
}

static bool has_room(const struct shared *shared, const struct shared_user *user, uint64_t n)
{
    return user && pool_would_have(shared->pool, user->uid, n);
}

static const struct shared_user *find_administrator(const struct shared *shared)
{
    const struct pools *pools = shared->pool->pools;
    const struct shared_user *user = find(shared, POOL_UID_NOBODY);

    for (int i = 0; pools && i < 2 && !user; i++)
        user = find(shared, pools->administrators[i]);
    return user;
}

static const struct shared_user *find_room(const struct shared *shared, uint64_t n)
{
    const struct shared_user *user = shared->payer;
    unsigned asked = 0;

    if (has_room(shared, user, n))
        return user;
    user = find_administrator(shared);
    if (has_room(shared, user, n))
        return user;
    HASH_FOREACH_ALL (user, &shared->users, in_users) {
        if (has_room(shared, user, n))
            return user;
        if (++asked == USERS_ASKED_MAX)
            break;
    }
    return NULL;
}

bool shared_find_room(const struct shared *shared, uint64_t n, uid_t *ret)
{
    const struct shared_user *user = shared->payer;

    if (user && shared->pool)
        user = find_room(shared, n);
    if (user)
        *ret = user->uid;
    return user != NULL;
}

bool shared_raise_cost(struct shared *shared, uint64_t n)
{
    uid_t uid;

    if (shared->payer && n > shared->n) {
        if (!shared_find_room(shared, n - shared->n, &uid))
            return false;
        set_payer(shared, find(shared, uid));
    }
    shared_set_cost(shared, n);
    return true;
}

bool shared_may_use(const struct shared *shared, uid_t uid, struct error *error)
{
    return shared->payer || !shared->pool ||
           pool_may(shared->pool, uid, &(struct pool_request){.more = shared->n}, error);
}

bool shared_payer(const struct shared *shared, uid_t *ret)
{
    if (shared->payer)
        *ret = shared->payer->uid;
    return shared->payer != NULL;
}

void shared_clear(struct shared *shared)
{
    struct shared_user *user;

    set_payer(shared, NULL);
    HASH_FOREACH_ALL (user, &shared->users, in_users)
        free(user);
    hash_clear(&shared->users);
}
