/* Pools: what there is a bounded amount of, such as memory, connections or leases, and what each
 * user has of it. There is one way to account for all of them.
 *
 * Whoever gives something out owns its pool and adds it to the registry, at the start. A user is
 * charged before anything is allocated for him (pool_charge), and refused with a sentence that says
 * what there is, who has it, and what would help. What is there already, such as what was found
 * after a restart, is counted whatever the bounds are (pool_force). All of it is given back
 * (pool_return).
 *
 * A pool of `size` has three parts. Each user who has less than `least` may have it, however much
 * the others have. The last `reserve` is for the administrator alone. The rest is everybody's, up
 * to `share` for one user. The administrator has no share: he may have all that there is. What
 * nobody in particular holds, such as what the configuration names, is his as well. */
#ifndef NB_POOL_H
#define NB_POOL_H

#include "error.h"
#include "hash.h"
#include "slices.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum {
    POOLS_MAX = 48,
    /* Users at a time for whom `least` is kept. */
    POOL_USERS = 1024,
    /* Parts of the pool, each one of so many, that the reserve and what is kept for all users
     * together have at most. */
    POOL_RESERVE_PART = 8,
    POOL_LEAST_PART = 4,
};

/* Whose that is: of no user. */
#define POOL_UID_NOBODY ((uid_t)-1)

/* What one user has. There is a record while he has something, or while what he did lately counts
 * against him. */
struct account {
    struct hash_link in_accounts; /* struct pools, which owns it; the number is the hash */
    uid_t uid;
    bool exempt;              /* the administrator */
    uint64_t told;            /* pools, as bits, whose refusal is in the log */
    unsigned holds;           /* pools of which he has something, and pools_hold */
    uint64_t used[POOLS_MAX]; /* by pool.place */
    /* See guard/users.h: */
    unsigned requests;      /* in this second */
    uint64_t busy_ns;       /* the processor's time that was used for him lately */
    uint64_t used_ns;       /* all of it, since the record is there */
    struct slice_user work; /* what takes long */
    /* See wire/turns.h: */
    TAILQ_ENTRY(account) in_turns; /* while somebody waits in turns */
    TAILQ_HEAD(, turn) turns;      /* of his sessions; not owned */
};

/* What a pool is to people. */
struct pool_words {
    const char *name;          /* in STATUS and METRICS, e.g. "queued_bytes" */
    const char *noun;          /* e.g. "bytes of memory" */
    const char *share_setting; /* what sets the share, e.g. "leases-per-user of ..."; NULL: none */
    const char *size_setting;  /* what sets the size; NULL: none */
    const char *remedy;        /* for who has his share, a sentence: "Close one and ..." */
    bool tells;                /* its name tells of what not everybody may read */
};

struct pool_bounds {
    uint64_t size, share, reserve, least;
};

struct pool {
    const struct pool_words *words;
    struct pools *pools;       /* borrowed; NULL: it is in none, and nothing is counted */
    struct pool_bounds bounds; /* as they are in force: see pool_bound */
    uint64_t kept;             /* for those who have less than `least`, all together */
    uint64_t used;             /* by all */
    uint64_t used_by_exempt;   /* part of it */
    uint64_t common;           /* by others, beyond each one's `least` */
    uint64_t refused;          /* charges, and requests for them */
    unsigned place;            /* in pools.list and account.used */
    bool told;                 /* that it is full, in this second */
};

struct pools {
    struct pool *list[POOLS_MAX]; /* borrowed; NULL: none has the place */
    struct hash_table accounts;
    uid_t administrators[2]; /* who is exempt; (uid_t)-1: nobody */
    /* Writes the user to text of size bytes, for a sentence; returns text. NULL: the number. */
    const char *(*name_user)(void *context, uid_t uid, char *text, size_t size);
    void *context;
};

/* No pools and no accounts yet. What is there is freed by pools_clear. administrator: beside root.
 */
void pools_init(struct pools *pools, uid_t administrator);

void pools_clear(struct pools *pools);

/* Others are exempt from now on. */
void pools_set_administrators(struct pools *pools, const uid_t administrators[2]);

/* Adds a pool that is zeros, and stays where it is as long as the registry. Its bounds are zero:
 * see pool_bound. words: borrowed. */
void pools_add(struct pools *pools, struct pool *pool, const struct pool_words *words);

/* Forgets it, and what is charged. */
void pools_remove(struct pools *pools, struct pool *pool);

/* Whether the user is the administrator, or nobody, and so has no share. */
bool pools_is_exempt(const struct pools *pools, uid_t uid);

/* Other bounds from now on; what is there stays. What does not fit the size is made less: the
 * share, the reserve and what is kept. */
void pool_bound(struct pool *pool, const struct pool_bounds *bounds);

/* The user's record, or NULL; pools_open makes it where there is none, NULL: no memory. Who has
 * nothing has none for long: pool_charge before the next second, or pools_settle. */
struct account *pools_find(const struct pools *pools, uid_t uid);
struct account *pools_open(struct pools *pools, uid_t uid);

/* Frees the record of a user who has nothing, and of whom nothing counts. */
void pools_settle(struct pools *pools, struct account *user);

/* The record stays, whatever the user has, until pools_let_go. */
void pools_hold(struct account *user);
void pools_let_go(struct pools *pools, struct account *user);

/* A second has passed: what was told may be told again. */
void pools_next_second(struct pools *pools);

/* Charges n, or refuses them with *error. NULL: without words, nor in the log. */
bool pool_charge(struct pool *pool, uid_t uid, uint64_t n, struct error *error);

/* Counts n, whatever the bounds are. False: there is no memory for the record. */
bool pool_force(struct pool *pool, uid_t uid, uint64_t n);

/* Gives n back, or what there is where that is less: there was no memory to count them. */
void pool_return(struct pool *pool, uid_t uid, uint64_t n);

/* The same for a record, which stays while something is charged to it. */
bool pool_charge_account(struct pool *pool, struct account *user, uint64_t n, struct error *error);
void pool_force_account(struct pool *pool, struct account *user, uint64_t n);
void pool_return_account(struct pool *pool, struct account *user, uint64_t n);

/* What is asked for where some is given back as well, or another share holds. */
struct pool_request {
    uint64_t more, less;
    uint64_t share;            /* 0: the pool's */
    const char *share_setting; /* what sets it; NULL: what sets the pool's */
};

/* Whether the user may have it; nothing is charged. error: as above; NULL: it is only a question,
 * and no refusal. */
bool pool_may(struct pool *pool, uid_t uid, const struct pool_request *request,
              struct error *error);

/* The same without words, and not counted as a refusal. */
bool pool_would_have(const struct pool *pool, uid_t uid, uint64_t more);

enum pool_verdict { POOL_HAS_ROOM, POOL_SHARE_USED, POOL_FULL };

/* The same without words: a few instructions, for what is asked on each request. */
static inline uint64_t pool_beyond_least(const struct pool *pool, uint64_t n)
{
    return n > pool->bounds.least ? n - pool->bounds.least : 0;
}

static inline enum pool_verdict pool_judge(const struct pool *pool, const struct account *user,
                                           uint64_t more, uint64_t share)
{
    const struct pool_bounds *bounds = &pool->bounds;
    uint64_t has = user->used[pool->place], exempt = pool->used_by_exempt, common = pool->common;

    if (!pool->pools)
        return POOL_HAS_ROOM;
    if (!user->exempt && has + more > share)
        return POOL_SHARE_USED;
    if (pool->used + more > bounds->size)
        return POOL_FULL;
    if (user->exempt || has + more <= bounds->least)
        return POOL_HAS_ROOM;
    common += pool_beyond_least(pool, has + more) - pool_beyond_least(pool, has);
    if (exempt < bounds->reserve)
        exempt = bounds->reserve;
    return common + exempt + pool->kept <= bounds->size ? POOL_HAS_ROOM : POOL_FULL;
}

static inline bool pool_has_room(const struct pool *pool, const struct account *user, uint64_t more)
{
    return pool_judge(pool, user, more, pool->bounds.share) == POOL_HAS_ROOM;
}

/* Who has most of each pool, by its place; NULL: nobody has any. Looks at all users. */
void pools_find_largest(const struct pools *pools, const struct account *ret[POOLS_MAX]);

#endif
