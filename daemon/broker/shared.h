/* Something out of a pool that several users may use at a time, such as a socket. One of them is
 * charged for it: who came first and, when he uses it no more, one of the others. */
#ifndef NB_SHARED_H
#define NB_SHARED_H

#include "pool.h"

struct shared_user;

/* Zeros but for the pool: nobody uses it. */
struct shared {
    struct pool *pool;         /* borrowed; NULL: nothing is charged */
    uint64_t n;                /* what is charged for it */
    struct hash_table users;   /* owned */
    struct shared_user *payer; /* NULL: nobody uses it */
};

/* Counts one use more, or one less, by the user. Without memory it is not counted. */
void shared_use(struct shared *shared, uid_t uid);
void shared_leave(struct shared *shared, uid_t uid);

/* From now on it costs so much. */
void shared_set_cost(struct shared *shared, uint64_t n);

/* From now on it costs so much, if one of those who use it has room for that: he is charged. False:
 * none has, and nothing is changed. Where nobody uses it, it costs so much. */
bool shared_raise_cost(struct shared *shared, uint64_t n);

/* One of those who use it who has room for n more of the pool, who is charged first; false: none,
 * or nobody uses it. Of very many, the administrator and some are asked. */
bool shared_find_room(const struct shared *shared, uint64_t n, uid_t *ret);

/* Whether one more user fits: he would not be charged, or has room for it. error may be NULL. */
bool shared_may_use(const struct shared *shared, uid_t uid, struct error *error);

/* Who is charged. False: nobody is. */
bool shared_payer(const struct shared *shared, uid_t *ret);

/* Nobody uses it any more. */
void shared_clear(struct shared *shared);

#endif
