#include "pool.h"

#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { USER_SIZE = 64 };

/* --- Accounts ------------------------------------------------------------------------------ */

void pools_init(struct pools *pools, uid_t administrator)
{
    *pools = (struct pools){.administrators = {0, administrator}};
}

void pools_clear(struct pools *pools)
{
    struct account *user;

    HASH_FOREACH_ALL (user, &pools->accounts, in_accounts)
        free(user);
    hash_clear(&pools->accounts);
}

struct account *pools_find(const struct pools *pools, uid_t uid)
{
    struct account *user;

    HASH_FOREACH (user, &pools->accounts, uid, in_accounts)
        return user;
    return NULL;
}

bool pools_is_exempt(const struct pools *pools, uid_t uid)
{
    return uid == POOL_UID_NOBODY || uid == pools->administrators[0] ||
           uid == pools->administrators[1];
}

static struct account make_account(const struct pools *pools, uid_t uid)
{
    return (struct account){.uid = uid, .exempt = pools_is_exempt(pools, uid)};
}

/* As users_charge_time does. */
static void charge_work(struct slice_user *work, uint64_t ns)
{
    struct account *user = (struct account *)((char *)work - offsetof(struct account, work));

    user->busy_ns += ns;
    user->used_ns += ns;
}

struct account *pools_open(struct pools *pools, uid_t uid)
{
    struct account *user = pools_find(pools, uid);

    if (user)
        return user;
    user = malloc(sizeof *user);
    if (!user)
        return NULL;
    *user = make_account(pools, uid);
    slice_user_init(&user->work, &user->busy_ns, charge_work);
    TAILQ_INIT(&user->turns);
    hash_insert(&pools->accounts, &user->in_accounts, uid);
    return user;
}

void pools_settle(struct pools *pools, struct account *user)
{
    if (user->holds > 0 || user->requests > 0 || user->busy_ns > 0 ||
        !slice_user_may_go(&user->work))
        return;
    hash_remove(&pools->accounts, &user->in_accounts);
    free(user);
}

void pools_hold(struct account *user)
{
    user->holds++;
}

void pools_let_go(struct pools *pools, struct account *user)
{
    user->holds--;
    pools_settle(pools, user);
}

/* --- Pools --------------------------------------------------------------------------------- */

/* There are as many as the code adds. */
void pools_add(struct pools *pools, struct pool *pool, const struct pool_words *words)
{
    unsigned place = 0;

    while (place < POOLS_MAX && pools->list[place])
        place++;
    if (place == POOLS_MAX)
        abort();
    *pool = (struct pool){.words = words, .pools = pools, .place = place};
    pools->list[place] = pool;
}

void pools_remove(struct pools *pools, struct pool *pool)
{
    struct account *user;

    HASH_FOREACH_ALL (user, &pools->accounts, in_accounts) {
        pool_return_account(pool, user, user->used[pool->place]);
        user->told &= ~(UINT64_C(1) << pool->place);
        pools_settle(pools, user);
    }
    pools->list[pool->place] = NULL;
    pool->pools = NULL;
}

static uint64_t less_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void pool_bound(struct pool *pool, const struct pool_bounds *bounds)
{
    uint64_t size = bounds->size;

    pool->bounds = (struct pool_bounds){
        .size = size,
        .share = less_of(bounds->share, size),
        .reserve = less_of(bounds->reserve, size / POOL_RESERVE_PART),
        .least = bounds->least,
    };
    pool->kept = less_of(bounds->least * POOL_USERS, size / POOL_LEAST_PART);
}

/* What the user has is counted as that of the others, or no more. */
static void set_exempt(struct pools *pools, struct account *user, bool exempt)
{
    for (unsigned i = 0; i < POOLS_MAX && user->exempt != exempt; i++) {
        struct pool *pool = pools->list[i];
        uint64_t used = user->used[i], beyond = pool ? pool_beyond_least(pool, used) : 0;

        if (!pool)
            continue;
        pool->used_by_exempt += exempt ? used : -used;
        pool->common += exempt ? -beyond : beyond;
    }
    user->exempt = exempt;
}

void pools_set_administrators(struct pools *pools, const uid_t administrators[2])
{
    struct account *user;

    pools->administrators[0] = administrators[0];
    pools->administrators[1] = administrators[1];
    HASH_FOREACH_ALL (user, &pools->accounts, in_accounts)
        set_exempt(pools, user, pools_is_exempt(pools, user->uid));
}

/* --- Refusals ------------------------------------------------------------------------------ */

static const char *name_user(const struct pools *pools, uid_t uid, char *text)
{
    if (pools->name_user)
        return pools->name_user(pools->context, uid, text, USER_SIZE);
    snprintf(text, USER_SIZE, "%u", (unsigned)uid);
    return text;
}

static void put_setting(char *text, size_t size, const char *setting)
{
    text[0] = '\0';
    if (setting)
        snprintf(text, size, " (%s)", setting);
}

static bool refuse_share(const struct pool *pool, const struct account *user,
                         const struct pool_request *request, struct error *error)
{
    const struct pool_words *words = pool->words;
    const char *setting = request->share_setting ? request->share_setting : words->share_setting;
    char name[USER_SIZE], set_by[96];

    put_setting(set_by, sizeof set_by, setting);
    return error_set(error, ERROR_LIMIT, NULL,
                     "User %s has %" PRIu64 " %s, and one user may have at most %" PRIu64 "%s. %s",
                     name_user(pool->pools, user->uid, name), user->used[pool->place], words->noun,
                     request->share ? request->share : pool->bounds.share, set_by, words->remedy);
}

static bool refuse_full(const struct pool *pool, struct error *error)
{
    const struct pool_words *words = pool->words;
    char set_by[96];

    put_setting(set_by, sizeof set_by, words->size_setting);
    return error_set(
        error, ERROR_LIMIT, NULL,
        "All users together have %" PRIu64 " %s of %" PRIu64 " that there may be%s; %" PRIu64
        " are kept for root and for those who have none. Try again later.",
        pool->used, words->noun, pool->bounds.size, set_by, pool->kept + pool->bounds.reserve);
}

/* At most a line a second for each user, and one for all. */
static void tell(struct pool *pool, struct account *user, enum pool_verdict verdict)
{
    uint64_t bit = UINT64_C(1) << pool->place;
    char name[USER_SIZE];

    if (verdict == POOL_FULL && !pool->told)
        log_line(LOG_WARNING,
                 "all users together have %" PRIu64 " %s of %" PRIu64 "; more are refused.",
                 pool->used, pool->words->noun, pool->bounds.size);
    if (verdict == POOL_SHARE_USED && !(user->told & bit))
        log_line(LOG_WARNING, "user %s has %" PRIu64 " %s; more are refused.",
                 name_user(pool->pools, user->uid, name), user->used[pool->place],
                 pool->words->noun);
    pool->told |= verdict == POOL_FULL;
    user->told |= verdict == POOL_SHARE_USED ? bit : 0;
}

static bool refuse(struct pool *pool, struct account *user, const struct pool_request *request,
                   enum pool_verdict verdict, struct error *error)
{
    pool->refused++;
    if (!error)
        return false;
    tell(pool, user, verdict);
    return verdict == POOL_FULL ? refuse_full(pool, error)
                                : refuse_share(pool, user, request, error);
}

/* He has to give back a part first. */
static void forget_told(const struct pools *pools, struct account *user)
{
    for (unsigned i = 0; user->told && i < POOLS_MAX; i++)
        if (pools->list[i] && user->used[i] <= pools->list[i]->bounds.share / 2)
            user->told &= ~(UINT64_C(1) << i);
}

void pools_next_second(struct pools *pools)
{
    struct account *user;

    for (unsigned i = 0; i < POOLS_MAX; i++)
        if (pools->list[i] && pools->list[i]->used <= pools->list[i]->bounds.size / 2)
            pools->list[i]->told = false;
    HASH_FOREACH_ALL (user, &pools->accounts, in_accounts) {
        forget_told(pools, user);
        pools_settle(pools, user);
    }
}

/* --- Charges ------------------------------------------------------------------------------- */

void pool_force_account(struct pool *pool, struct account *user, uint64_t n)
{
    uint64_t had = user->used[pool->place];

    if (n == 0 || !pool->pools)
        return;
    user->holds += had == 0;
    user->used[pool->place] = had + n;
    pool->used += n;
    if (user->exempt)
        pool->used_by_exempt += n;
    else
        pool->common += pool_beyond_least(pool, had + n) - pool_beyond_least(pool, had);
}

void pool_return_account(struct pool *pool, struct account *user, uint64_t n)
{
    uint64_t had = user->used[pool->place];

    n = less_of(n, had);
    if (n == 0 || !pool->pools)
        return;
    user->used[pool->place] = had - n;
    user->holds -= had == n;
    pool->used -= n;
    if (user->exempt)
        pool->used_by_exempt -= n;
    else
        pool->common -= pool_beyond_least(pool, had) - pool_beyond_least(pool, had - n);
}

bool pool_charge_account(struct pool *pool, struct account *user, uint64_t n, struct error *error)
{
    enum pool_verdict verdict = pool_judge(pool, user, n, pool->bounds.share);

    if (verdict != POOL_HAS_ROOM)
        return refuse(pool, user, &(struct pool_request){.more = n}, verdict, error);
    pool_force_account(pool, user, n);
    return true;
}

bool pool_force(struct pool *pool, uid_t uid, uint64_t n)
{
    struct account *user = pool->pools && n > 0 ? pools_open(pool->pools, uid) : NULL;

    if (user)
        pool_force_account(pool, user, n);
    return user || !pool->pools || n == 0;
}

void pool_return(struct pool *pool, uid_t uid, uint64_t n)
{
    struct account *user = pool->pools ? pools_find(pool->pools, uid) : NULL;

    if (!user)
        return;
    pool_return_account(pool, user, n);
    pools_settle(pool->pools, user);
}

bool pool_may(struct pool *pool, uid_t uid, const struct pool_request *request, struct error *error)
{
    uint64_t share = request->share ? request->share : pool->bounds.share;
    uint64_t more = request->more > request->less ? request->more - request->less : 0;
    struct account *user, nobody;
    enum pool_verdict verdict;

    if (!pool->pools || more == 0)
        return true;
    user = pools_find(pool->pools, uid);
    if (!user) { /* who is refused has no record for it */
        nobody = make_account(pool->pools, uid);
        user = &nobody;
    }
    verdict = pool_judge(pool, user, more, share);
    return verdict == POOL_HAS_ROOM || (error && refuse(pool, user, request, verdict, error));
}

bool pool_would_have(const struct pool *pool, uid_t uid, uint64_t more)
{
    const struct account *user = pool->pools ? pools_find(pool->pools, uid) : NULL;
    struct account nobody;

    if (!pool->pools)
        return true;
    nobody = make_account(pool->pools, uid);
    return pool_has_room(pool, user ? user : &nobody, more);
}

bool pool_charge(struct pool *pool, uid_t uid, uint64_t n, struct error *error)
{
    if (!pool_may(pool, uid, &(struct pool_request){.more = n}, error))
        return false;
    if (pool_force(pool, uid, n))
        return true;
    return error && error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory left.");
}

void pools_find_largest(const struct pools *pools, const struct account *ret[POOLS_MAX])
{
    const struct account *user;

    for (unsigned i = 0; i < POOLS_MAX; i++)
        ret[i] = NULL;
    HASH_FOREACH_ALL (user, &pools->accounts, in_accounts)
        for (unsigned i = 0; i < POOLS_MAX; i++)
            if (user->used[i] > (ret[i] ? ret[i]->used[i] : 0))
                ret[i] = user;
}
