#include "turns.h"

/* One of so many turns is of the account that waits longest. */
enum { LONGEST_WAIT_EVERY = 4 };

/* --- The ring ------------------------------------------------------------------------------ */

static struct account *least_used(const struct turns *turns)
{
    struct account *account, *least = NULL;

    TAILQ_FOREACH (account, &turns->accounts, in_turns)
        if (!least || account->busy_ns < least->busy_ns)
            least = account;
    return least;
}

static struct turn *next_turn(struct turns *turns)
{
    struct account *account = turns->count++ % LONGEST_WAIT_EVERY == 0
                                  ? TAILQ_FIRST(&turns->accounts)
                                  : least_used(turns);

    return TAILQ_FIRST(&account->turns);
}

void turns_leave(struct turns *turns, struct turn *turn)
{
    struct account *account = turn->user;

    if (!account)
        return;
    turn->user = NULL;
    TAILQ_REMOVE(&account->turns, turn, in_user);
    TAILQ_REMOVE(&turns->accounts, account, in_turns);
    if (!TAILQ_EMPTY(&account->turns)) /* behind the others, as it was served */
        TAILQ_INSERT_TAIL(&turns->accounts, account, in_turns);
}

/* --- The loop ------------------------------------------------------------------------------ */

static uint64_t look_at_clock(struct turns *turns)
{
    uint64_t before = turns->looked;

    turns->looked = turns->clock();
    turns->piece_ns = turns->looked - before;
    return turns->looked;
}

static void serve(struct turns *turns, struct turn *turn)
{
    struct account *account = turn->user;
    uint64_t begin = turns->looked;

    turns_leave(turns, turn);
    turn->take(turn);
    users_charge_time(account, look_at_clock(turns) - begin);
    turn->settle(turn);
}

static void on_check(uv_check_t *check)
{
    struct turns *turns = check->data;

    turns->until = look_at_clock(turns) + TURN_NS;
    while (!TAILQ_EMPTY(&turns->accounts) && turns->looked < turns->until)
        serve(turns, next_turn(turns));
    if (!TAILQ_EMPTY(&turns->accounts))
        return;
    uv_check_stop(&turns->check);
    uv_idle_stop(&turns->idle);
}

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

void turns_enter(struct turns *turns, struct turn *turn, struct account *user)
{
    if (turn->user)
        return;
    turn->user = user;
    if (TAILQ_EMPTY(&user->turns))
        TAILQ_INSERT_TAIL(&turns->accounts, user, in_turns);
    TAILQ_INSERT_TAIL(&user->turns, turn, in_user);
    if (uv_is_closing((uv_handle_t *)&turns->check))
        return;
    uv_check_start(&turns->check, on_check);
    uv_idle_start(&turns->idle, on_idle);
}

bool turns_are_over(struct turns *turns)
{
    return look_at_clock(turns) >= turns->until;
}

/* --- The beginning and the end ------------------------------------------------------------- */

void turns_init(struct turns *turns, uv_loop_t *loop)
{
    *turns = (struct turns){.clock = uv_hrtime};
    TAILQ_INIT(&turns->accounts);
    uv_check_init(loop, &turns->check);
    uv_idle_init(loop, &turns->idle);
    turns->check.data = turns;
}

void turns_stop(struct turns *turns)
{
    uv_close((uv_handle_t *)&turns->check, NULL);
    uv_close((uv_handle_t *)&turns->idle, NULL);
}
