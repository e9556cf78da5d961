#include "slices.h"

enum {
    SLICE_NS = 100 * 1000,  /* then clients have their turn */
    LONGEST_WAIT_EVERY = 4, /* one of so many slices is the user's who waits longest */
};

/* --- Users --------------------------------------------------------------------------------- */

void slice_user_init(struct slice_user *user, const uint64_t *busy_ns,
                     void (*charge)(struct slice_user *user, uint64_t ns))
{
    *user = (struct slice_user){.busy_ns = busy_ns, .charge = charge};
    TAILQ_INIT(&user->jobs);
    TAILQ_INIT(&user->waiters);
    TAILQ_INIT(&user->due);
}

static void wake(struct slices *slices);

static void enter(struct slices *slices, struct slice_user *user)
{
    if (user == &slices->service && !user->slices)
        slices->service_ns = 0;
    if (!user->slices)
        TAILQ_INSERT_TAIL(&slices->users, user, in_slices);
    user->slices = slices;
    wake(slices);
}

/* Waiters are cancelled without a word, so users who have nothing more are noticed later. */
static bool leave_if_idle(struct slice_user *user)
{
    if (!TAILQ_EMPTY(&user->jobs) || !TAILQ_EMPTY(&user->waiters) || !TAILQ_EMPTY(&user->due))
        return false;
    if (user->slices)
        TAILQ_REMOVE(&user->slices->users, user, in_slices);
    user->slices = NULL;
    user->has_turn = false;
    return true;
}

bool slice_user_may_go(struct slice_user *user)
{
    return !(user->slices && user->slices->served == user) && leave_if_idle(user);
}

bool slice_user_has_room(const struct slice_user *user, struct error *error)
{
    return user->job_count < SLICE_JOBS_MAX ||
           error_set(error, ERROR_LIMIT, NULL,
                     "You have %u requests that take long, such as COMMIT and FLUSH_MFC, under "
                     "way, the limit of one user. Wait for a reply, and ask again.",
                     user->job_count);
}

static void charge_service(struct slice_user *user, uint64_t ns)
{
    user->slices->service_ns += ns;
}

/* --- Holding others up --------------------------------------------------------------------- */

static void resume_waiters(struct slice_user *user)
{
    struct waiter *waiter;

    TAILQ_FOREACH (waiter, &user->waiters, in_list)
        waiter->list = &user->due;
    TAILQ_CONCAT(&user->due, &user->waiters, in_list);
}

static void count_debts(struct slices *slices)
{
    const struct slice_user *user;

    slices->owes = false;
    TAILQ_FOREACH (user, &slices->users, in_slices)
        slices->owes |= user->has_turn && !TAILQ_EMPTY(&user->due);
}

static bool may_hold(const struct slices *slices)
{
    return !slices->holder && !slices->owes;
}

bool slices_hold(struct slices *slices, struct slice_job *job, enum slice_hold hold)
{
    if (hold == HOLD_OTHERS && slices->holder != job) {
        job->wants_hold = !may_hold(slices);
        if (job->wants_hold)
            return false;
        slices->holder = job;
    }
    job->hold = hold;
    return true;
}

void slices_release(struct slices *slices, struct slice_job *job)
{
    struct slice_user *user;

    if (job->hold == HOLD_OWN)
        resume_waiters(job->user);
    job->hold = HOLD_NOBODY;
    if (slices->holder != job)
        return;
    slices->holder = NULL;
    slices->owes = true;
    TAILQ_FOREACH (user, &slices->users, in_slices) {
        resume_waiters(user);
        user->has_turn = !TAILQ_EMPTY(&user->due);
    }
}

bool slices_hold_up(const struct slices *slices, const struct slice_user *user,
                    const struct request *request)
{
    const struct slice_job *own = TAILQ_FIRST(&user->jobs), *holder = slices->holder;

    return (own && own->hold != HOLD_NOBODY) ||
           (holder && (!holder->concerns || holder->concerns(holder, request)));
}

void slices_wait(struct slices *slices, struct slice_user *user, struct waiter *waiter)
{
    waiters_add(&user->waiters, waiter);
    enter(slices, user);
}

/* --- Turns --------------------------------------------------------------------------------- */

static bool is_ready(const struct slices *slices, const struct slice_user *user)
{
    const struct slice_job *job = TAILQ_FIRST(&user->jobs);

    if (!TAILQ_EMPTY(&user->due))
        return true;
    return job && !job->waits && (!job->wants_hold || may_hold(slices));
}

/* Who is at work for others' sake has every second slice. */
static struct slice_user *choose(struct slices *slices)
{
    bool longest = slices->count++ % LONGEST_WAIT_EVERY == 0;
    struct slice_user *user, *next, *chosen = NULL;

    count_debts(slices);
    slices->holder_was_last = slices->holder && !slices->holder_was_last;
    if (slices->holder_was_last && is_ready(slices, slices->holder->user))
        return slices->holder->user;
    for (user = TAILQ_FIRST(&slices->users); user; user = next) {
        next = TAILQ_NEXT(user, in_slices);
        if (!leave_if_idle(user) && is_ready(slices, user) &&
            (!chosen || (!longest && *user->busy_ns < *chosen->busy_ns)))
            chosen = user;
    }
    return chosen;
}

static void forget(struct slices *slices, struct slice_job *job)
{
    slices_release(slices, job);
    TAILQ_REMOVE(&job->user->jobs, job, in_user);
    job->user->job_count--;
}

static void step_job(struct slices *slices, struct slice_job *job)
{
    struct transaction *before = leases_use(slices->leases, &job->transaction);
    enum slice_step step = job->step(job);

    leases_use(slices->leases, before);
    job->waits = step == SLICE_WAIT && !job->wants_hold;
    if (step != SLICE_DONE)
        return;
    leases_commit(slices->leases, &job->transaction);
    forget(slices, job);
    job->end(job);
}

static void step_user(struct slices *slices, struct slice_user *user)
{
    struct waiter *waiter = TAILQ_FIRST(&user->due);

    if (!waiter) {
        step_job(slices, TAILQ_FIRST(&user->jobs));
        return;
    }
    waiter_cancel(waiter);
    waiter->resume(waiter, NULL);
}

static void serve(struct slices *slices, struct slice_user *user)
{
    uint64_t begin = slices->clock(), now;

    slices->served = user;
    do {
        step_user(slices, user);
        now = slices->clock();
    } while (now - begin < SLICE_NS && is_ready(slices, user));
    slices->served = NULL;
    user->has_turn = false;
    user->charge(user, now - begin);
    if (leave_if_idle(user))
        return;
    TAILQ_REMOVE(&slices->users, user, in_slices);
    TAILQ_INSERT_TAIL(&slices->users, user, in_slices);
}

static void on_idle(uv_idle_t *idle)
{
    struct slices *slices = idle->data;
    struct slice_user *user = choose(slices);

    if (user)
        serve(slices, user);
    else
        uv_idle_stop(idle);
}

static void wake(struct slices *slices)
{
    if (!uv_is_closing((uv_handle_t *)&slices->idle))
        uv_idle_start(&slices->idle, on_idle);
}

/* --- Jobs ---------------------------------------------------------------------------------- */

void slices_init(struct slices *slices, uv_loop_t *loop, struct leases *leases)
{
    *slices = (struct slices){.clock = uv_hrtime, .leases = leases};
    TAILQ_INIT(&slices->users);
    slice_user_init(&slices->service, &slices->service_ns, charge_service);
    uv_idle_init(loop, &slices->idle);
    slices->idle.data = slices;
}

void slices_stop(struct slices *slices)
{
    uv_close((uv_handle_t *)&slices->idle, NULL);
}

void slices_wake(struct slices *slices, struct slice_job *job)
{
    job->waits = false;
    wake(slices);
}

void slices_add(struct slices *slices, struct slice_user *user, struct slice_job *job)
{
    job->user = user;
    TAILQ_INSERT_TAIL(&user->jobs, job, in_user);
    user->job_count++;
    enter(slices, user);
}

void slices_cancel(struct slices *slices, struct slice_job *job)
{
    forget(slices, job);
    wake(slices);
}

bool slices_are_busy(const struct slices *slices)
{
    const struct slice_user *user;

    TAILQ_FOREACH (user, &slices->users, in_slices)
        if (!TAILQ_EMPTY(&user->jobs))
            return true;
    return false;
}

void slices_finish(struct slices *slices)
{
    struct slice_user *user;

    while ((user = choose(slices)))
        serve(slices, user);
}
