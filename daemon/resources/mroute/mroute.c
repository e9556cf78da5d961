#include "mroute_internal.h"

#include "demand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Then clients have their turn, after about 2 ms; the rest follows in the next one. */
    UPCALLS_A_TURN = 512,
    /* Each costs half a microsecond. */
    LOOKS_A_TICK = 4096,
};

static const struct mroute_limits default_limits = {.learned = 65536, .unmatched = STRAYS_MAX};

static void pass_news(void *context, enum route_news news, struct route *route)
{
    struct mroute *mroute = context;

    mroute->callbacks.route_news(mroute->callbacks.context, news, route);
}

/* No cursor may point to a route that goes. */
static void pass_end(void *context, const struct route *route, struct route *successor)
{
    struct mroute *mroute = context;

    for (struct route_cursor *cursor = mroute->cursors; cursor; cursor = cursor->link)
        if (cursor->next == route)
            cursor->next = successor ? successor : route_after((struct route *)route);
}

static void pass_need(void *context)
{
    struct mroute *mroute = context;

    mroute->callbacks.needs_ticks(mroute->callbacks.context);
}

struct mroute *mroute_new(struct links *links, const struct mroute_callbacks *callbacks,
                          uint64_t seed)
{
    struct mroute *mroute = calloc(1, sizeof *mroute);

    if (!mroute)
        return NULL;
    TAILQ_INIT(&mroute->tables);
    mroute->host = (struct mfc_host){
        .links = links,
        .leases = &mroute->leases,
        .holding_class = &route_holding_class,
        .limits = default_limits,
        .route_news = pass_news,
        .route_goes = pass_end,
        .needs_ticks = pass_need,
        .context = mroute,
    };
    mroute->callbacks = *callbacks;
    mroute->seed = seed;
    return mroute;
}

void mroute_set_limits(struct mroute *mroute, const struct mroute_limits *limits)
{
    mroute->host.limits = *limits;
}

static void remove_table(struct mroute *mroute, struct mfc *mfc)
{
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
    struct mfc *mfc = mroute->table_count < TABLES_MAX
                          ? mfc_new(&mroute->host, family, table, mroute->seed)
                          : NULL;

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
        mfc_settle(mfc);
    return result;
}

/* --- Tables that open on demand ------------------------------------------------------------ */

void close_if_empty(struct mroute *mroute, struct mfc *mfc)
{
    uint8_t family = mfc->socket.family;
    uint32_t table = mfc->socket.table;

    rules_settle_tables(&mroute->tables, family);
    if (table == family_table(family, 0) || mfc->routes.count > 0 || mfc->waiters ||
        mfc->keepers > 0 || mfc->socket.fd < 0)
        return;
    remove_table(mroute, mfc);
    mroute->callbacks.close_table(mroute->callbacks.context, family, table);
}

/* A resumed request may close the table again, so the list is not the table's any more. */
static void resume_waiters(struct mroute_waiter *waiter, const struct error *error)
{
    while (waiter) {
        struct mroute_waiter *next = waiter->next;

        waiter->waiting = false;
        waiter->resume(waiter, error);
        waiter = next;
    }
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

    struct mroute_waiter *waiters = mfc->waiters;

    mfc->waiters = NULL;
    if (fd >= 0)
        mroute_adopt(mroute, &socket);
    else
        remove_table(mroute, mfc);
    resume_waiters(waiters, fd >= 0 ? NULL : error);
    mfc = find_open_table(mroute, family, table);
    if (mfc)
        close_if_empty(mroute, mfc);
}

static void append_waiter(struct mfc *mfc, struct mroute_waiter *waiter)
{
    struct mroute_waiter **end = &mfc->waiters;

    while (*end)
        end = &(*end)->next;
    waiter->next = NULL;
    waiter->waiting = true;
    *end = waiter;
}

bool mroute_table_is_open(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    return find_open_table(mroute, family, table) != NULL;
}

bool mroute_table_open(struct mroute *mroute, uint8_t family, uint32_t table,
                       struct mroute_waiter *waiter)
{
    struct mfc *mfc = find_table(mroute, family, table);

    if (!mfc) {
        mfc = add_table(mroute, family, family_table(family, table));
        if (!mfc)
            return false;
        if (!mroute->callbacks.open_table(mroute->callbacks.context, family, mfc->socket.table)) {
            remove_table(mroute, mfc);
            return false;
        }
    }
    append_waiter(mfc, waiter);
    return true;
}

void mroute_waiter_cancel(struct mroute *mroute, struct mroute_waiter *waiter)
{
    struct mfc *mfc;

    if (!waiter->waiting)
        return;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        for (struct mroute_waiter **at = &mfc->waiters; *at; at = &(*at)->next)
            if (*at == waiter) {
                *at = waiter->next;
                waiter->waiting = false;
                return;
            }
}

void mroute_table_hold(struct mroute *mroute, uint8_t family, uint32_t table)
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

static bool is_known(const void *mroute, uint8_t family, uint32_t table)
{
    return find_table(mroute, family, table) != NULL;
}

void mroute_keep_rules(struct mroute *mroute, const struct rules_host *host)
{
    struct mfc *mfc;

    mroute->rules = *host;
    mroute->host.rules = &mroute->rules;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        mfc->rules.host = &mroute->rules;
        mfc->ports.iifs_changed = true; /* also rules that were there may be unwanted */
    }
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
    rules_delete_leftovers(host, FAMILY_IPV4, is_known, mroute);
    rules_delete_leftovers(host, FAMILY_IPV6, is_known, mroute);
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
    const struct link_info *link = links_find(mroute->host.links, iif);
    const struct port *port = mfc && link ? port_find(&mfc->ports, iif, link->ifindex) : NULL;

    return port ? rules_elsewhere(&mroute->tables, mfc, port) : 0;
}

void mroute_rule_answered(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, family, table);
    struct mroute_waiter *waiters;

    if (!mfc)
        return;
    rules_answered(&mfc->rules);
    if (mfc->rules.pending > 0)
        return;
    waiters = mfc->waiters;
    mfc->waiters = NULL;
    resume_waiters(waiters, NULL);
    mfc = find_open_table(mroute, family, table);
    if (mfc)
        close_if_empty(mroute, mfc);
}

/* --- What happens outside ------------------------------------------------------------------ */

void mroute_link_changed(struct mroute *mroute, const struct link_info *was,
                         const struct link_info *is)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.fd >= 0)
            mfc_link_changed(mfc, was, is);
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
}

void mroute_read_upcalls(struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, family, table);
    struct upcall upcall;

    for (int i = 0; mfc && i < UPCALLS_A_TURN; i++) {
        if (mroute_upcall_read(&mfc->socket, &upcall) < 0)
            return;
        if (upcall.kind != UPCALL_OTHER && !demand_take(mfc, &upcall))
            mroute->callbacks.upcall(mroute->callbacks.context, family, table, &upcall);
    }
}

void mroute_settle(struct mroute *mroute)
{
    struct mfc *mfc;

    mroute->settled = true;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        mfc_settle(mfc);
}

static unsigned count_learning(const struct mroute *mroute)
{
    const struct mfc *mfc;
    unsigned count = 0;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        count += mfc->learned_count > 0;
    return count;
}

/* Each table has its share. */
bool mroute_tick(struct mroute *mroute, uint64_t now_ms)
{
    unsigned tables = count_learning(mroute);
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        unsigned budget = LOOKS_A_TICK / (tables ? tables : 1);

        demand_tick(mfc, now_ms, &budget);
        if (mfc->ports.passed_over)
            mfc_attach_ports(mfc);
    }
    rules_settle_tables(&mroute->tables, FAMILY_IPV4);
    rules_settle_tables(&mroute->tables, FAMILY_IPV6);
    return mroute->host.learned > 0;
}
