/* The kernel is made to fit what is wanted, some memberships a turn. */
#include "join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* To leave one takes 0.15 ms where 10,000 are joined on the interface (measured on Linux 6.18,
 * which searches a list), to join one a tenth of it: then clients have their turn. */
enum { STEPS_A_TURN = 32, TURN_NS = 100 * 1000 };

enum {
    /* What one user may have in the kernel beside what is wanted. The configuration is not bounded:
     * who writes it takes nothing by that. */
    LEAVING_MAX = 1024,
    /* How many are left where nothing more can be joined: the places of a socket. */
    LEFT_AT_ONCE = 20,
};

/* Of what the kernel refused, and checks of what it has, behind a change of an interface. */
enum { RETRIES_MAX = 5 };

/* --- Events -------------------------------------------------------------------------------- */

static void tell(struct joins *joins, enum join_event event, const struct join *join)
{
    joins->callbacks.event(joins->callbacks.context, event, join);
}

static void begin_waiting(struct joins *joins, struct join *join)
{
    if (!join->announced || join->waiting || join->deleted)
        return;
    join->waiting = true;
    tell(joins, JOIN_WAITING_EVENT, join);
}

static void set_refused(struct joins *joins, struct join *join, bool refused)
{
    joins->refusals += refused;
    joins->refusals -= join->refused;
    join->refused = refused;
}

/* Nothing more can be done for the join now. */
static void report_idle(struct joins *joins, struct join *join)
{
    bool joined = join->ifindex && join->applied == join->size;

    if (joined)
        set_refused(joins, join, false);
    if (!join->announced) {
        join->announced = true;
        join->waiting = !joined;
        tell(joins, JOIN_ADDED_EVENT, join);
    } else if (joined && join->waiting) {
        join->waiting = false;
        tell(joins, JOIN_RESTORED_EVENT, join);
    } else if (!joined) {
        begin_waiting(joins, join);
    }
    waiters_resume(&join->waiters, NULL);
}

/* --- Queues -------------------------------------------------------------------------------- */

static void init_worker(struct join_worker *worker, uid_t uid)
{
    *worker = (struct join_worker){.uid = uid};
    for (int i = 0; i < WORK_COUNT; i++)
        TAILQ_INIT(&worker->work[i]);
}

void join_work_init(struct joins *joins)
{
    TAILQ_INIT(&joins->workers);
    init_worker(&joins->common, LEASE_UID_UNKNOWN);
    TAILQ_INSERT_TAIL(&joins->workers, &joins->common, in_workers);
}

static void free_worker(struct joins *joins, struct join_worker *worker)
{
    TAILQ_REMOVE(&joins->workers, worker, in_workers);
    if (worker != &joins->common)
        free(worker);
}

void join_work_end(struct joins *joins)
{
    struct join_worker *worker;
    struct join *join;

    while ((worker = TAILQ_FIRST(&joins->workers))) {
        for (int i = 0; i < WORK_COUNT; i++)
            while ((join = TAILQ_FIRST(&worker->work[i]))) {
                TAILQ_REMOVE(&worker->work[i], join, in_work);
                free(join);
            }
        free_worker(joins, worker);
    }
}

static struct join_worker *worker_of(struct joins *joins, uid_t uid)
{
    struct join_worker *worker;

    TAILQ_FOREACH (worker, &joins->workers, in_workers)
        if (worker->uid == uid)
            return worker;
    worker = malloc(sizeof *worker);
    if (!worker)
        return &joins->common;
    init_worker(worker, uid);
    TAILQ_INSERT_TAIL(&joins->workers, worker, in_workers);
    return worker;
}

static void count_leaving(struct joins *joins, const struct join *join, size_t change)
{
    if (join->work != WORK_LEAVE)
        return;
    join->worker->leaving += change;
    joins->leaving += change;
}

static void set_work(struct joins *joins, struct join *join, enum join_work work)
{
    if (join->work == work)
        return;
    count_leaving(joins, join, -(size_t)join->applied);
    if (join->work)
        TAILQ_REMOVE(&join->worker->work[join->work], join, in_work);
    join->work = (uint8_t)work;
    if (!work)
        return;
    join->worker = worker_of(joins, join->uid);
    TAILQ_INSERT_TAIL(&join->worker->work[work], join, in_work);
    count_leaving(joins, join, join->applied);
    joins->callbacks.needs_work(joins->callbacks.context);
}

static void free_join(struct joins *joins, struct join *join)
{
    set_work(joins, join, WORK_NONE);
    set_refused(joins, join, false);
    free(join);
}

static bool carries(const struct netif *netif, const struct join *join)
{
    return join->key.group.address.family == FAMILY_IPV4 || netif->ipv6;
}

static unsigned wanted_ifindex(const struct joins *joins, const struct join *join)
{
    const struct netif *netif =
        join->deleted ? NULL : netifs_find(joins->netifs, join->key.iif.text);

    return netif && carries(netif, join) ? netif->ifindex : 0;
}

void join_plan(struct joins *joins, struct join *join)
{
    unsigned wanted = wanted_ifindex(joins, join);

    if (join->work == WORK_LOST)
        return;
    if (join->applied > 0 && join->ifindex != wanted) {
        begin_waiting(joins, join);
        set_work(joins, join, WORK_LEAVE);
        return;
    }
    join->ifindex = wanted;
    if (wanted && join->applied < join->size) {
        set_work(joins, join, WORK_JOIN);
        return;
    }
    set_work(joins, join, WORK_NONE);
    if (join->deleted)
        free_join(joins, join);
    else
        report_idle(joins, join);
}

/* Places on sockets are free again. */
static void retry_refused(struct joins *joins)
{
    struct join *join;

    if (joins->refusals > 0)
        TAILQ_FOREACH (join, &joins->order, in_order)
            if (join->refused && !join->work)
                join_plan(joins, join);
}

static bool is_lost(const struct joins *joins, const struct join *join)
{
    for (unsigned i = 0; i < join->applied; i++) {
        struct membership_key key = join_membership(join, i);

        if (join_sockets_is_lost(joins->sockets, &key))
            return true;
    }
    return false;
}

/* An interface that has no IPv6 for a moment, because its MTU is too small, leaves all IPv6 groups
 * (addrconf_notify() of net/ipv6/addrconf.c), and the sockets know nothing of it; and one that was
 * a member before that, when it is closed, takes away what another joined after it. */
static void check_members(struct joins *joins)
{
    struct join *join;

    if (join_sockets_memberships(joins->sockets) == 0 || join_sockets_check(joins->sockets) < 0)
        return;
    TAILQ_FOREACH (join, &joins->order, in_order)
        if (!join->work && join->applied > 0 && is_lost(joins, join)) {
            begin_waiting(joins, join);
            set_work(joins, join, WORK_LOST);
        }
}

/* An interface may not be ready yet when the kernel tells of it: Linux 6.17 and later join IPv6
 * groups without the lock under which IPv6 comes to the interface, and answer ENODEV. */
void joins_tick(struct joins *joins)
{
    if (joins->retries == 0)
        return;
    joins->retries--;
    retry_refused(joins);
    check_members(joins);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

/* netif: as it is now, or NULL. Where its MTU fell below IPv6's, the kernel has left all IPv6
 * groups (addrconf_notify() of net/ipv6/addrconf.c), and the sockets know nothing of it. */
static void lose_netif(struct joins *joins, struct join_queue *queue, unsigned ifindex,
                       const struct netif *netif)
{
    struct join *join, *next;

    for (join = TAILQ_FIRST(queue); join; join = next) {
        next = queue == &joins->order ? TAILQ_NEXT(join, in_order) : TAILQ_NEXT(join, in_work);
        if (join->ifindex != ifindex || (netif && carries(netif, join)))
            continue;
        begin_waiting(joins, join);
        if (join->applied > 0)
            set_work(joins, join, WORK_LOST);
        else
            join_plan(joins, join);
    }
}

static void netif_appeared(struct joins *joins, const struct netif *netif)
{
    struct join *join, *next;

    for (join = TAILQ_FIRST(&joins->order); join; join = next) {
        bool named = strcmp(join->key.iif.text, netif->name) == 0;

        next = TAILQ_NEXT(join, in_order);
        if ((named && carries(netif, join)) != (join->ifindex == netif->ifindex) ||
            (named && join->refused))
            join_plan(joins, join);
    }
}

void joins_netif_changed(struct joins *joins, const struct netif *was, const struct netif *is)
{
    struct join_worker *worker;

    joins->retries = RETRIES_MAX;
    if (was && (!is || (was->ipv6 && !is->ipv6))) {
        TAILQ_FOREACH (worker, &joins->workers, in_workers)
            lose_netif(joins, &worker->work[WORK_LEAVE], was->ifindex, is);
        lose_netif(joins, &joins->order, was->ifindex, is);
    }
    if (is &&
        (!was || strcmp(was->name, is->name) != 0 || is->ipv6 != was->ipv6 || joins->refusals > 0))
        netif_appeared(joins, is);
}

/* --- Steps --------------------------------------------------------------------------------- */

static void ask(struct joins *joins, uint8_t family)
{
    joins->asked = family;
    joins->callbacks.open_socket(joins->callbacks.context, family);
}

/* A new join that the kernel refuses is none. One that was joined before waits. */
static void refuse(struct joins *joins, struct join *join, const struct error *error)
{
    struct error copy = *error;
    bool awaited = !TAILQ_EMPTY(&join->waiters);

    set_work(joins, join, WORK_NONE);
    if (join->announced ? !join->refused : !awaited)
        joins->callbacks.refused(joins->callbacks.context, join, &copy);
    if (join->announced) {
        set_refused(joins, join, true);
        report_idle(joins, join);
        return;
    }
    waiters_resume(&join->waiters, &copy);
    join_delete(joins, join);
}

static void explain(const struct join *join, const struct membership_key *key, int result,
                    struct error *error)
{
    char group[ADDRESS_TEXT_MAX];
    bool memory = result == -ENOBUFS || result == -ENOMEM;

    error_set(error, memory ? ERROR_NO_MEMORY : ERROR_INTERNAL, NULL,
              "The kernel refused the membership of %s on %s: %s.%s",
              address_format(&key->group, group), join->key.iif.text, strerror(-result),
              result == -ENODEV || result == -EINVAL
                  ? " The interface has no addresses of the family."
                  : "");
}

static void step_join(struct joins *joins, struct join *join)
{
    uint8_t family = join->key.group.address.family;
    struct membership_key key = join_membership(join, join->applied);
    int result = join_sockets_join(joins->sockets, &key);
    struct error error;

    if (result == 0) {
        if (++join->applied == join->size)
            join_plan(joins, join);
    } else if (result == -EAGAIN && joins->refused_family == family) {
        joins->refused_family = FAMILY_NONE;
        if (joins->leaving > 0)
            joins->crowded = LEFT_AT_ONCE;
        else
            refuse(joins, join, &joins->refusal);
    } else if (result == -EAGAIN) {
        ask(joins, family);
    } else {
        explain(join, &key, result, &error);
        refuse(joins, join, &error);
    }
}

static void step_leave(struct joins *joins, struct join *join)
{
    struct membership_key key = join_membership(join, --join->applied);

    count_leaving(joins, join, -(size_t)1);
    joins->crowded -= joins->crowded > 0;
    join_sockets_leave(joins->sockets, &key);
    if (join->applied > 0)
        return;
    set_work(joins, join, WORK_NONE);
    join->ifindex = 0;
    join_plan(joins, join);
    retry_refused(joins);
}

/* What must be left before anything is joined. */
static bool leaves_first(const struct joins *joins, const struct join_worker *worker)
{
    return (joins->crowded && joins->leaving > 0) ||
           (worker->leaving > LEAVING_MAX && worker->uid != LEASE_UID_UNKNOWN);
}

/* The next thing to be done for the user. While a socket is on its way, what would be left may be
 * joined again by those who wait for it. */
static enum join_work next_work(const struct joins *joins, const struct join_worker *worker)
{
    if (!TAILQ_EMPTY(&worker->work[WORK_LOST]))
        return WORK_LOST;
    if (joins->asked)
        return WORK_NONE;
    if (!TAILQ_EMPTY(&worker->work[WORK_JOIN]) && !leaves_first(joins, worker))
        return WORK_JOIN;
    return TAILQ_EMPTY(&worker->work[WORK_LEAVE]) ? WORK_NONE : WORK_LEAVE;
}

static bool step(struct joins *joins, struct join_worker *worker)
{
    enum join_work work = next_work(joins, worker);
    struct join *join = TAILQ_FIRST(&worker->work[work]);

    if (work == WORK_NONE)
        return false;
    /* A join that ended is in no list any more; the analyser takes the list's first one to be still
     * the same. NOLINTBEGIN(clang-analyzer-unix.Malloc) */
    if (work == WORK_JOIN)
        step_join(joins, join);
    else
        step_leave(joins, join);
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
    return true;
}

static bool is_idle(const struct join_worker *worker)
{
    for (int i = 0; i < WORK_COUNT; i++)
        if (!TAILQ_EMPTY(&worker->work[i]))
            return false;
    return true;
}

/* Whose turn it is; NULL: nobody has anything to do. */
static struct join_worker *choose(struct joins *joins)
{
    struct join_worker *worker, *next;

    for (worker = TAILQ_FIRST(&joins->workers); worker; worker = next) {
        next = TAILQ_NEXT(worker, in_workers);
        if (next_work(joins, worker) != WORK_NONE)
            return worker;
        if (is_idle(worker) && worker != &joins->common)
            free_worker(joins, worker);
    }
    return NULL;
}

static bool is_done(const struct joins *joins)
{
    const struct join_worker *worker;

    TAILQ_FOREACH (worker, &joins->workers, in_workers)
        if (!TAILQ_EMPTY(&worker->work[WORK_LOST]) || !TAILQ_EMPTY(&worker->work[WORK_JOIN]))
            return false;
    return true;
}

static void check_settled(struct joins *joins)
{
    if (!joins->loaded || joins->settled || !is_done(joins))
        return;
    joins->settled = true;
    joins->retries = RETRIES_MAX; /* the sockets of a broker before us are closed now */
    joins->callbacks.settled(joins->callbacks.context);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One turn of the user, who is the last one then. */
static void serve(struct joins *joins, struct join_worker *worker)
{
    uint64_t begin = now_ns(), now = begin;

    for (int i = 0; i < STEPS_A_TURN && now - begin < TURN_NS && step(joins, worker); i++)
        now = now_ns();
    TAILQ_REMOVE(&joins->workers, worker, in_workers);
    TAILQ_INSERT_TAIL(&joins->workers, worker, in_workers);
    if (joins->callbacks.charge)
        joins->callbacks.charge(joins->callbacks.context, worker->uid, now - begin);
}

bool joins_work(struct joins *joins)
{
    struct join_worker *worker = choose(joins);

    if (worker)
        serve(joins, worker);
    check_settled(joins);
    return worker != NULL;
}

void joins_loaded(struct joins *joins)
{
    joins->loaded = true;
    check_settled(joins);
}

void joins_socket_opened(struct joins *joins, uint8_t family, int fd, const struct error *error)
{
    joins->asked = FAMILY_NONE;
    joins->refused_family = FAMILY_NONE;
    if (fd < 0) {
        joins->refused_family = family;
        joins->refusal = *error;
    } else if (join_sockets_add(joins->sockets, family, fd) < 0) {
        joins->refused_family = family;
        error_set(&joins->refusal, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for a socket.");
    }
    joins->callbacks.needs_work(joins->callbacks.context);
}
