#include "mroute_internal.h"

#include "demand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    UPCALLS_AT_ONCE = 512,
    /* Each costs half a microsecond. */
    LOOKS_A_TICK = 4096,
};

static const struct mroute_limits default_limits = {.learned = 65536, .unmatched = UNROUTED_MAX};

void tell_route(const struct route *route, enum route_event event)
{
    const struct mroute_callbacks *callbacks = &route->mfc->mroute->callbacks;

    callbacks->route_event(callbacks->context, event, route);
}

struct mroute *mroute_new(struct netifs *netifs, struct leases *leases,
                          const struct mroute_callbacks *callbacks, uint64_t seed)
{
    struct mroute *mroute = calloc(1, sizeof *mroute);

    if (!mroute)
        return NULL;
    TAILQ_INIT(&mroute->tables);
    mroute->netifs = netifs;
    mroute->leases = leases;
    mroute->limits = default_limits;
    mroute->callbacks = *callbacks;
    mroute->seed = seed;
    foreign_start(mroute);
    return mroute;
}

struct leases *mroute_leases(const struct mroute *mroute)
{
    return mroute->leases;
}

void mroute_set_limits(struct mroute *mroute, const struct mroute_limits *limits)
{
    mroute->limits = *limits;
}

void mroute_use_pools(struct mroute *mroute, struct pools *pools)
{
    shares_init(&mroute->shares, pools);
}

void mroute_set_shares(struct mroute *mroute, const struct limits *limits)
{
    struct mfc *mfc;

    shares_set_limits(&mroute->shares, limits);
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        table_shares_bound(&mroute->shares, mfc);
}

static void remove_table(struct mroute *mroute, struct mfc *mfc)
{
    foreign_forget(mroute, mfc);
    TAILQ_REMOVE(&mroute->tables, mfc, in_tables);
    mroute->table_count--;
    mroute->closed.kernel_writes += mfc->writes;
    mroute->closed.no_route += mfc->no_route;
    mroute->closed.wrong_interface += mfc->wrong_interface;
    mroute->closed.unmatched_dropped += mfc->unmatched_dropped;
    mfc_free(mfc);
}

void mroute_free(struct mroute *mroute)
{
    if (!mroute)
        return;
    while (!TAILQ_EMPTY(&mroute->tables))
        remove_table(mroute, TAILQ_FIRST(&mroute->tables));
    foreign_stop(mroute);
    free(mroute);
}

struct mfc *find_table(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc;

    table = family_table(family, table);

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.family == family && mfc->socket.table == table)
            return mfc;
    return NULL;
}

struct mfc *find_open_table(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_table(mroute, family, table);

    return mfc && mfc->socket.fd >= 0 ? mfc : NULL;
}

static struct mfc *add_table(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = mroute->table_count < TABLES_MAX ? mfc_new(mroute, family, table) : NULL;

    if (!mfc)
        return NULL;
    TAILQ_INSERT_TAIL(&mroute->tables, mfc, in_tables);
    mroute->table_count++;
    return mfc;
}

int mroute_adopt(struct mroute *mroute, const struct mroute_socket *socket)
{
    struct mfc *mfc = find_table(mroute, socket->family, socket->table);

    if (!mfc)
        mfc = add_table(mroute, socket->family, socket->table);
    if (!mfc) {
        close(socket->fd);
        return -ENOMEM;
    }
    mfc->socket.fd = socket->fd;

    int result = mfc_adopt(mfc);

    if (mroute->settled)
        mfc_settle(mfc, false);
    return result;
}

/* --- Tables that open on demand ------------------------------------------------------------ */

void close_if_empty(struct mroute *mroute, struct mfc *mfc)
{
    uint8_t family = mfc->socket.family;
    uint32_t table = mfc->socket.table;

    rules_settle_tables(&mroute->tables, family);
    if (table == family_table(family, 0) || mfc->routes.keys.count > 0 ||
        !TAILQ_EMPTY(&mfc->waiters) || mfc->keepers > 0 || mfc->socket.fd < 0)
        return;
    remove_table(mroute, mfc);
    mroute->callbacks.close_table(mroute->callbacks.context, family, table);
}

void mroute_table_opened(struct mroute *mroute, uint8_t family, uint32_t table, int fd,
                         const struct error *error)
{
    struct mfc *mfc = find_table(mroute, family, table);
    struct mroute_socket socket = {fd, family, table};

    if (!mfc) {
        if (fd >= 0)
            close(fd);
        return;
    }

    struct waiters waiters = TAILQ_HEAD_INITIALIZER(waiters); /* who may open the table anew */

    TAILQ_CONCAT(&waiters, &mfc->waiters, in_list);
    if (fd >= 0)
        mroute_adopt(mroute, &socket);
    else
        remove_table(mroute, mfc);
    waiters_resume(&waiters, fd >= 0 ? NULL : error);
    mfc = find_open_table(mroute, family, table);
    if (mfc)
        close_if_empty(mroute, mfc);
}

bool mroute_table_is_open(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    return find_open_table(mroute, family, table) != NULL;
}

bool mroute_table_open(struct mroute *mroute, uint8_t family, uint32_t table, uid_t uid,
                       struct waiter *waiter)
{
    struct mfc *mfc = find_table(mroute, family, table);

    if (!mfc && !mroute_may_open(mroute, uid, NULL))
        return false;
    if (!mfc) {
        mfc = add_table(mroute, family, family_table(family, table));
        if (!mfc)
            return false;
        if (!mroute->callbacks.open_table(mroute->callbacks.context, family, mfc->socket.table)) {
            remove_table(mroute, mfc);
            return false;
        }
    }
    waiters_add(&mfc->waiters, waiter);
    return true;
}

void mroute_table_keep(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, family, table);

    if (mfc)
        mfc->keepers++;
}

void mroute_table_release(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, family, table);

    if (!mfc)
        return;
    mfc->keepers--;
    close_if_empty(mroute, mfc);
}

/* --- Rules --------------------------------------------------------------------------------- */

void mroute_keep_rules(struct mroute *mroute, const struct rules_host *host)
{
    struct mfc *mfc;

    mroute->rules = *host;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        mfc->rules.host = &mroute->rules;
        mfc->ifaces.iifs_changed = true; /* also rules that were there may be unwanted */
    }
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
}

bool mroute_rules_pending(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    const struct mfc *mfc = find_open_table(mroute, family, table);

    return mfc && mfc->rules.pending > 0;
}

uint32_t mroute_packets_elsewhere(const struct mroute *mroute, uint8_t family, uint32_t table,
                                  const char *iif)
{
    const struct mfc *mfc = find_open_table(mroute, family, table);
    const struct netif *netif = netifs_find(mroute->netifs, iif);
    const struct iface *iface = mfc && netif ? iface_find(&mfc->ifaces, iif, netif->ifindex) : NULL;

    return iface ? rules_elsewhere(&mroute->tables, mfc, iface) : 0;
}

void mroute_rule_answered(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, family, table);

    if (!mfc)
        return;
    rules_answered(&mfc->rules);
    if (mfc->rules.pending > 0)
        return;
    waiters_resume(&mfc->waiters, NULL);
    mfc = find_open_table(mroute, family, table);
    if (mfc)
        close_if_empty(mroute, mfc);
}

/* --- What happens outside ------------------------------------------------------------------ */

static struct mfc *find_lingering(const struct mroute *mroute)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (!TAILQ_EMPTY(&mfc->lingering))
            return mfc;
    return NULL;
}

void mroute_netif_changed(struct mroute *mroute, const struct netif *was, const struct netif *is)
{
    struct mfc *mfc;

    /* What lingers is in no set, and would not be told of ifaces that become others. */
    while ((mfc = find_lingering(mroute)))
        demand_go_on(mfc);
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.fd >= 0)
            mfc_netif_changed(mfc, was, is);
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
}

void mroute_read_upcalls(struct mroute *mroute, uint8_t family, uint32_t table)
{
    mroute_read_some_upcalls(mroute, family, table, UPCALLS_AT_ONCE);
}

void mroute_read_some_upcalls(struct mroute *mroute, uint8_t family, uint32_t table, unsigned count)
{
    struct mfc *mfc = find_open_table(mroute, family, table);
    struct upcall upcall;

    for (unsigned i = 0; mfc && i < count; i++) {
        if (mroute_upcall_read(&mfc->socket, &upcall) < 0)
            return;
        if (upcall.kind != UPCALL_OTHER && !demand_take(mfc, &upcall))
            mroute->callbacks.upcall(mroute->callbacks.context, family, table, &upcall);
    }
}

void mroute_settle(struct mroute *mroute, bool whole)
{
    struct mfc *mfc, *next;

    mroute->settled = true;
    for (mfc = TAILQ_FIRST(&mroute->tables); mfc; mfc = next) {
        next = TAILQ_NEXT(mfc, in_tables);
        mfc_settle(mfc, whole);
        close_if_empty(mroute, mfc);
    }
}

static unsigned count_learning(const struct mroute *mroute)
{
    const struct mfc *mfc;
    unsigned count = 0;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        count += mfc->learned_count > 0;
    return count;
}

bool mroute_go_on(struct mroute *mroute)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (neighbours_go_on(mfc) || demand_go_on(mfc))
            return true;
    return false;
}

void need_work(struct mroute *mroute)
{
    if (mroute->callbacks.needs_work)
        mroute->callbacks.needs_work(mroute->callbacks.context);
    while (!mroute->callbacks.needs_work && mroute_go_on(mroute))
        ;
}

/* Each table has its share. */
bool mroute_tick(struct mroute *mroute, uint64_t now_ms)
{
    unsigned tables = count_learning(mroute);
    struct mfc *mfc;

    mroute->now_ms = now_ms;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        demand_tick(mfc, LOOKS_A_TICK / (tables ? tables : 1));
        if (mfc->ifaces.passed_over)
            mfc_attach_ifaces(mfc);
    }
    need_work(mroute);
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
    return mroute->learned > 0;
}
