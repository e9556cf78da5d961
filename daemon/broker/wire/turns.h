/* Turns: who is served next, and for how long.
 *
 * A session that has something to do waits in the queue of its user's account; accounts with such
 * sessions stand in a ring. Of these the one is served next that used the least of the processor's
 * time lately (users.h): who asks seldom waits for nobody but who is being served. Each fourth turn
 * goes to the account that waits longest, so that who used much is served as well. After TURN_NS
 * the loop looks for what has come meanwhile, and who was served goes behind the others: sessions
 * of a user take turns, whatever each asks. */
#ifndef NB_TURNS_H
#define NB_TURNS_H

#include "broker/guard/users.h"

#include <sys/queue.h>
#include <uv.h>

enum {
    /* A piece of work between two looks at the clock takes at most a fifth of it, or it is said
     * there why not. */
    TURN_NS = 100 * 1000,
};

/* Embedded in who takes turns. */
struct turn {
    TAILQ_ENTRY(turn) in_user; /* struct account; not owned */
    struct account *user;      /* while it waits; else NULL */
    /* Works, until there is nothing to do or turns_are_over; does not free the account. */
    void (*take)(struct turn *turn);
    /* The time was charged: it waits for another turn, or for something else, or ends. */
    void (*settle)(struct turn *turn);
};

struct turns {
    uv_check_t check;
    uv_idle_t idle;                 /* the loop does not sleep while somebody waits */
    uint64_t (*clock)(void);        /* in ns; uv_hrtime */
    TAILQ_HEAD(, account) accounts; /* who wait longest come first; not owned */
    uint64_t until;
    uint64_t looked;   /* when the clock was looked at last */
    uint64_t piece_ns; /* the work between the last two looks */
    unsigned count;    /* turns that were given to accounts */
};

void turns_init(struct turns *turns, uv_loop_t *loop);

/* Closes its handles. Who waits is served no more. */
void turns_stop(struct turns *turns);

/* Waits for a turn as the user's, or does so already. */
void turns_enter(struct turns *turns, struct turn *turn, struct account *user);
void turns_leave(struct turns *turns, struct turn *turn);

/* Whether nobody waits. */
static inline bool turns_are_empty(const struct turns *turns)
{
    return TAILQ_EMPTY(&turns->accounts);
}

static inline bool turn_waits(const struct turn *turn)
{
    return turn->user != NULL;
}

/* For who works in a turn, after each piece: whether others have theirs now. */
bool turns_are_over(struct turns *turns);

#endif
