/* The kernel is made to fit what is wanted, some memberships a turn. */
#include "join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* To leave one takes 0.15 ms where 10,000 are joined on the interface (measured on Linux 6.18,
 * which searches a list), to join one a tenth of it: then clients have their turn. */
enum { STEPS_A_TURN = 32 };

enum { RETRIES_MAX = 5 }; /* of what the kernel refused, behind a change of an interface */

/* --- News ---------------------------------------------------------------------------------- */

static void tell(struct joins *joins, enum join_news news, const struct join *join)
{
    joins->callbacks.news(joins->callbacks.context, news, join);
}

static void begin_waiting(struct joins *joins, struct join *join)
{
    if (!join->announced || join->waiting || join->deleted)
        return;
    join->waiting = true;
    tell(joins, JOIN_WAITING_NEWS, join);
}

/* A waiter may do anything to the join, so the list is not the join's any more. */
void join_resume_waiters(struct join *join, const struct error *error)
{
    LIST_HEAD(, join_waiter) list = LIST_HEAD_INITIALIZER(list);
    struct join_waiter *waiter;

    while (
        (waiter = LIST_FIRST(&join->waiters))) { /* newest first; so the oldest comes to the head */
        LIST_REMOVE(waiter, in_join);
        LIST_INSERT_HEAD(&list, waiter, in_join);
    }
    while ((waiter = LIST_FIRST(&list))) {
        LIST_REMOVE(waiter, in_join);
        waiter->waiting = false;
        waiter->resume(waiter, error);
    }
}

static void set_refused(struct joins *joins, struct join *join, bool refused)
{
    joins->refusals += refused;
    joins->refusals -= join->refused;
    join->refused = refused;
}

/* Nothing more can be done for the join now. */
static void rest(struct joins *joins, struct join *join)
{
    bool joined = join->ifindex && join->applied == join->size;

    if (joined)
        set_refused(joins, join, false);
    if (!join->announced) {
        join->announced = true;
        join->waiting = !joined;
        tell(joins, JOIN_ADDED_NEWS, join);
    } else if (joined && join->waiting) {
        join->waiting = false;
        tell(joins, JOIN_RESTORED_NEWS, join);
    } else if (!joined) {
        begin_waiting(joins, join);
    }
    join_resume_waiters(join, NULL);
}

/* --- Queues -------------------------------------------------------------------------------- */

static void set_work(struct joins *joins, struct join *join, enum join_work work)
{
    if (join->work == work)
        return;
    if (join->work)
        TAILQ_REMOVE(&joins->work[join->work], join, in_work);
    join->work = (uint8_t)work;
    if (!work)
        return;
    TAILQ_INSERT_TAIL(&joins->work[work], join, in_work);
    joins->callbacks.needs_work(joins->callbacks.context);
}

static void free_join(struct joins *joins, struct join *join)
{
    set_work(joins, join, WORK_NONE);
    set_refused(joins, join, false);
    free(join);
}

static bool carries(const struct link_info *link, const struct join *join)
{
    return join->key.group.address.family == FAMILY_IPV4 || link->ipv6;
}

static unsigned wanted_ifindex(const struct joins *joins, const struct join *join)
{
    const struct link_info *link =
        join->deleted ? NULL : links_find(joins->links, join->key.iif.text);

    return link && carries(link, join) ? link->ifindex : 0;
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
        rest(joins, join);
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

/* An interface may not be ready yet when the kernel tells of it: Linux 6.17 and later join IPv6
 * groups without the lock under which IPv6 comes to the interface, and answer ENODEV. */
void joins_tick(struct joins *joins)
{
    if (joins->refusals == 0 || joins->retries == 0)
        return;
    joins->retries--;
    retry_refused(joins);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

/* link: as it is now, or NULL. Where its MTU fell below IPv6's, the kernel has left all IPv6 groups
 * (addrconf_notify() of net/ipv6/addrconf.c), and the sockets know nothing of it. */
static void lose_link(struct joins *joins, struct join_queue *queue, unsigned ifindex,
                      const struct link_info *link)
{
    struct join *join, *next;

    for (join = TAILQ_FIRST(queue); join; join = next) {
        next = queue == &joins->order ? TAILQ_NEXT(join, in_order) : TAILQ_NEXT(join, in_work);
        if (join->ifindex != ifindex || (link && carries(link, join)))
            continue;
        begin_waiting(joins, join);
        if (join->applied > 0)
            set_work(joins, join, WORK_LOST);
        else
            join_plan(joins, join);
    }
}

static void meet_link(struct joins *joins, const struct link_info *link)
{
    struct join *join, *next;

    for (join = TAILQ_FIRST(&joins->order); join; join = next) {
        bool named = strcmp(join->key.iif.text, link->name) == 0;

        next = TAILQ_NEXT(join, in_order);
        if ((named && carries(link, join)) != (join->ifindex == link->ifindex) ||
            (named && join->refused))
            join_plan(joins, join);
    }
}

void joins_link_changed(struct joins *joins, const struct link_info *was,
                        const struct link_info *is)
{
    joins->retries = RETRIES_MAX;
    if (was && (!is || (was->ipv6 && !is->ipv6))) {
        lose_link(joins, &joins->work[WORK_LEAVE], was->ifindex, is);
        lose_link(joins, &joins->order, was->ifindex, is);
    }
    if (is &&
        (!was || strcmp(was->name, is->name) != 0 || is->ipv6 != was->ipv6 || joins->refusals > 0))
        meet_link(joins, is);
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
    bool awaited = !LIST_EMPTY(&join->waiters);

    set_work(joins, join, WORK_NONE);
    if (join->announced ? !join->refused : !awaited)
        joins->callbacks.refused(joins->callbacks.context, join, &copy);
    if (join->announced) {
        set_refused(joins, join, true);
        rest(joins, join);
        return;
    }
    join_resume_waiters(join, &copy);
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

    join_sockets_leave(joins->sockets, &key);
    if (join->applied > 0)
        return;
    set_work(joins, join, WORK_NONE);
    join->ifindex = 0;
    join_plan(joins, join);
    retry_refused(joins);
}

/* While a socket is on its way, what would be left may be joined again by those who wait for it. */
static bool step(struct joins *joins)
{
    struct join *lost = TAILQ_FIRST(&joins->work[WORK_LOST]);
    struct join *join = TAILQ_FIRST(&joins->work[WORK_JOIN]);
    struct join *left = TAILQ_FIRST(&joins->work[WORK_LEAVE]);

    if (lost)
        step_leave(joins, lost);
    else if (joins->asked)
        return false;
    else if (join)
        step_join(joins, join);
    else if (left)
        step_leave(joins, left);
    return lost || join || left;
}

static bool is_done(const struct joins *joins)
{
    return TAILQ_EMPTY(&joins->work[WORK_LOST]) && TAILQ_EMPTY(&joins->work[WORK_JOIN]);
}

static void check_settled(struct joins *joins)
{
    if (!joins->loaded || joins->settled || !is_done(joins))
        return;
    joins->settled = true;
    joins->callbacks.settled(joins->callbacks.context);
}

bool joins_work(struct joins *joins)
{
    bool more = true;

    for (int i = 0; i < STEPS_A_TURN && more; i++)
        more = step(joins);
    check_settled(joins);
    return more;
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
