#include "mroute.h"

#include "admission.h"
#include "mfc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UPCALLS_A_TURN = 4096 }; /* then other clients have their turn */

struct mroute {
    struct mfc_list tables;
    unsigned table_count;
    struct mfc_host host;
    struct mroute_callbacks callbacks;
    struct route_cursor *cursors; /* open ones */
    size_t route_count;
    struct lease_source leases;
    struct rules_host rules;
    uint64_t serial; /* of the next route */
    uint64_t seed;
    struct mroute_totals closed; /* of tables that are closed */
};

static void pass_news(void *context, enum route_news news, struct route *route)
{
    struct mroute *mroute = context;

    mroute->callbacks.route_news(mroute->callbacks.context, news, route);
}

static void pass_owner(struct mroute *mroute, uid_t was, uid_t is)
{
    if (was != is)
        mroute->callbacks.owner_changed(mroute->callbacks.context, was, is);
}

struct mroute *mroute_new(struct links *links, const struct mroute_callbacks *callbacks,
                          uint64_t seed)
{
    struct mroute *mroute = calloc(1, sizeof *mroute);

    if (!mroute)
        return NULL;
    TAILQ_INIT(&mroute->tables);
    mroute->host = (struct mfc_host){links, &mroute->leases, NULL, pass_news, mroute};
    mroute->callbacks = *callbacks;
    mroute->seed = seed;
    return mroute;
}

static void remove_table(struct mroute *mroute, struct mfc *mfc)
{
    TAILQ_REMOVE(&mroute->tables, mfc, in_tables);
    mroute->table_count--;
    mroute->closed.kernel_writes += mfc->writes;
    mroute->closed.no_route += mfc->no_route;
    mroute->closed.wrong_interface += mfc->wrong_interface;
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

static struct mfc *find_table(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    struct mfc *mfc;

    table = family_table(family, table);

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.family == family && mfc->socket.table == table)
            return mfc;
    return NULL;
}

static struct mfc *find_open_table(const struct mroute *mroute, uint8_t family, uint32_t table)
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

    int result = mfc_adopt(mfc, &mroute->serial);

    mroute->route_count += mfc->routes.count;
    return result;
}

/* --- Tables that open on demand ------------------------------------------------------------ */

static void close_if_empty(struct mroute *mroute, struct mfc *mfc)
{
    uint8_t family = mfc->socket.family;
    uint32_t table = mfc->socket.table;

    rules_settle_tables(&mroute->tables, family);
    if (table == family_table(family, 0) || mfc->routes.count > 0 || mfc->waiters ||
        mfc->socket.fd < 0)
        return;
    mroute->callbacks.close_table(mroute->callbacks.context, family, table);
    remove_table(mroute, mfc);
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
        mroute->callbacks.open_table(mroute->callbacks.context, family, mfc->socket.table);
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

/* --- Cursors ------------------------------------------------------------------------------- */

static struct route *first_route(struct mfc *mfc)
{
    while (mfc && TAILQ_EMPTY(&mfc->routes.order))
        mfc = TAILQ_NEXT(mfc, in_tables);
    return mfc ? TAILQ_FIRST(&mfc->routes.order) : NULL;
}

static struct route *route_after(struct route *route)
{
    struct route *next = TAILQ_NEXT(route, in_order);

    return next ? next : first_route(TAILQ_NEXT(route->mfc, in_tables));
}

void route_cursor_open(struct route_cursor *cursor, struct mroute *mroute,
                       const struct mroute_filter *filter)
{
    *cursor = (struct route_cursor){
        .mroute = mroute,
        .filter = *filter,
        .next = first_route(TAILQ_FIRST(&mroute->tables)),
        .last_serial = mroute->serial,
        .link = mroute->cursors,
    };
    mroute->cursors = cursor;
}

const struct route *route_cursor_next(struct route_cursor *cursor)
{
    struct route *route;

    while ((route = cursor->next)) {
        cursor->next = route_after(route);
        if (route->serial < cursor->last_serial && route_matches(&cursor->filter, route))
            return route;
    }
    return NULL;
}

void route_cursor_close(struct route_cursor *cursor)
{
    struct route_cursor **at = &cursor->mroute->cursors;

    while (*at != cursor)
        at = &(*at)->link;
    *at = cursor->link;
}

/* No cursor may point to a route that goes. */
static void move_cursors(struct mroute *mroute, const struct route *from, struct route *to)
{
    for (struct route_cursor *cursor = mroute->cursors; cursor; cursor = cursor->link)
        if (cursor->next == from)
            cursor->next = to;
}

/* --- Changes ------------------------------------------------------------------------------- */

static bool check_limits(const struct mroute *mroute, const struct mfc *mfc,
                         const struct args_add_mfc *args, struct error *error)
{
    if (!mfc && mroute->table_count >= TABLES_MAX)
        return error_set(error, ERROR_LIMIT, "table",
                         "Table %u would be one too many: the service keeps %d open at most.",
                         family_table(args->group.family, args->table), TABLES_MAX);
    if (mroute->route_count >= ROUTES_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The service keeps %d routes at most; delete some first.", ROUTES_MAX);
    return true;
}

static void note_added(struct mroute *mroute, struct route *old, struct route *new)
{
    pass_owner(mroute, old ? old->lease.uid : LEASE_UID_UNKNOWN, new->lease.uid);
    if (old) {
        move_cursors(mroute, old, new);
        mfc_drop_old(new->mfc, old);
    } else {
        mroute->serial++;
        mroute->route_count++;
    }
    pass_news(mroute, old ? ROUTE_REPLACED_NEWS : ROUTE_ADDED_NEWS, new);
}

bool mroute_add(struct mroute *mroute, const struct args_add_mfc *args, const struct lease *lease,
                bool wait, enum route_change *ret, struct error *error)
{
    struct lease unknown = {.uid = LEASE_UID_UNKNOWN};
    struct mfc *mfc = find_open_table(mroute, args->group.family, args->table);
    struct resolved resolved;
    struct mfc_change change;

    if (!check_limits(mroute, mfc, args, error))
        return false;
    if (args->dry_run)
        return admission_check(mfc, mroute->host.links, args, wait, &resolved, ret, error);
    if (!mfc)
        return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for a table.");
    if (!mfc_add(mfc, args, lease ? lease : &unknown, wait, mroute->serial, &change, error)) {
        close_if_empty(mroute, mfc);
        return false;
    }
    *ret = change.kind;
    if (change.kind != CHANGE_NONE)
        note_added(mroute, change.old, change.new);
    rules_settle_tables(&mroute->tables, mfc->socket.family);
    return true;
}

/* Leaves the table open, so that a loop over it may go on. */
static void delete_route(struct mroute *mroute, struct route *route)
{
    pass_news(mroute, ROUTE_DELETED_NEWS, route);
    pass_owner(mroute, route->lease.uid, LEASE_UID_UNKNOWN);
    move_cursors(mroute, route, route_after(route));
    mroute->route_count--;
    mfc_del(route->mfc, route);
}

static struct route *find_route(const struct mroute *mroute, const struct address *source,
                                const struct address *group, uint32_t table)
{
    struct mfc *mfc = find_open_table(mroute, group->family, table);
    struct address any = address_any(group->family);

    return mfc ? route_set_find(&mfc->routes, source->family ? source : &any, group) : NULL;
}

const struct route *mroute_find(const struct mroute *mroute, const struct address *source,
                                const struct address *group, uint32_t table)
{
    return find_route(mroute, source, group, table);
}

struct lease mroute_lease(struct mroute *mroute, uid_t uid)
{
    return lease_new(&mroute->leases, uid);
}

void mroute_restore_lease(struct mroute *mroute, const struct args_add_mfc *args,
                          const struct lease *lease)
{
    struct route *route = find_route(mroute, &args->source, &args->group, args->table);

    if (!route)
        return;
    pass_owner(mroute, route->lease.uid, lease->uid);
    route->lease = *lease;
}

bool mroute_del(struct mroute *mroute, const struct args_del_mfc *args, struct error *error)
{
    struct address source = args->source.family ? args->source : address_any(args->group.family);
    struct route *route = find_route(mroute, &args->source, &args->group, args->table);
    struct mfc *mfc;
    char source_text[ADDRESS_TEXT_MAX], group_text[ADDRESS_TEXT_MAX];

    if (!route)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "Invalid argument: there is no MFC entry for (%s, %s) in table %u. "
                         "'netbroker mfc show' lists them.",
                         address_format(&source, source_text),
                         address_format(&args->group, group_text),
                         family_table(args->group.family, args->table));
    if (args->dry_run)
        return true;
    mfc = route->mfc;
    delete_route(mroute, route);
    close_if_empty(mroute, mfc);
    return true;
}

static size_t flush_table(struct mroute *mroute, struct mfc *mfc,
                          const struct mroute_filter *filter, bool dry_run)
{
    size_t count = 0;
    struct route *route = TAILQ_FIRST(&mfc->routes.order);

    while (route) {
        struct route *next = TAILQ_NEXT(route, in_order);

        if (route_matches(filter, route)) {
            count++;
            if (!dry_run)
                delete_route(mroute, route);
        }
        route = next;
    }
    return count;
}

size_t mroute_flush(struct mroute *mroute, const struct mroute_filter *filter, bool dry_run)
{
    size_t count = 0;
    struct mfc *mfc = TAILQ_FIRST(&mroute->tables);

    while (mfc) {
        struct mfc *next = TAILQ_NEXT(mfc, in_tables);

        count += flush_table(mroute, mfc, filter, dry_run);
        if (!dry_run)
            close_if_empty(mroute, mfc);
        mfc = next;
    }
    return count;
}

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
        mfc_note_upcall(mfc, &upcall);
        if (upcall.kind != UPCALL_OTHER)
            mroute->callbacks.upcall(mroute->callbacks.context, family, table, &upcall);
    }
}

/* --- Views --------------------------------------------------------------------------------- */

void mroute_visit_vifs(struct mroute *mroute, const struct mroute_filter *filter,
                       void (*visit)(void *context, const struct vif_view *vif), void *context)
{
    struct mfc *mfc;
    struct port *port;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        if (!table_matches(filter, &mfc->socket))
            continue;
        TAILQ_FOREACH (port, &mfc->ports.list, in_ports) {
            struct vif_view view;

            if (port->vif < 0)
                continue;
            port_describe(&mfc->ports, port, &view);
            visit(context, &view);
        }
    }
}

void mroute_visit_sockets(struct mroute *mroute,
                          void (*visit)(void *context, const struct mroute_socket *socket),
                          void *context)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.fd >= 0)
            visit(context, &mfc->socket);
}

const struct mfc *mroute_table(const struct mroute *mroute, uint8_t family, uint32_t table)
{
    return find_open_table(mroute, family, table);
}

struct mroute_totals mroute_totals(const struct mroute *mroute)
{
    struct mroute_totals totals = mroute->closed;
    struct mfc *mfc;

    totals.routes = mroute->route_count;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        totals.waiting += mfc->waiting;
        totals.kernel_writes += mfc->writes;
        totals.no_route += mfc->no_route;
        totals.wrong_interface += mfc->wrong_interface;
    }
    return totals;
}
