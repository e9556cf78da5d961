/* Walks over routes, and views of what there is. */
#include "mroute_internal.h"

/* --- Cursors ------------------------------------------------------------------------------- */

static struct route *first_route(struct mfc *mfc)
{
    while (mfc && TAILQ_EMPTY(&mfc->routes.order))
        mfc = TAILQ_NEXT(mfc, in_tables);
    return mfc ? TAILQ_FIRST(&mfc->routes.order) : NULL;
}

struct route *route_after(struct route *route)
{
    struct route *next = TAILQ_NEXT(route, in_order);

    return next ? next : first_route(TAILQ_NEXT(route->mfc, in_tables));
}

/* Routes count who stands at them: most that go are stood at by nobody. */
static void stand_at(struct route_cursor *cursor, struct route *route)
{
    if (cursor->next)
        cursor->next->cursors--;
    cursor->next = route;
    if (route)
        route->cursors++;
}

static void open_at(struct route_cursor *cursor, struct mroute *mroute,
                    const struct mroute_filter *filter, struct route *first)
{
    *cursor = (struct route_cursor){
        .mroute = mroute,
        .filter = *filter,
        .last_serial = mroute->serial,
    };
    stand_at(cursor, first);
    LIST_INSERT_HEAD(&mroute->cursors, cursor, in_open);
}

void route_cursor_open(struct route_cursor *cursor, struct mroute *mroute,
                       const struct mroute_filter *filter)
{
    open_at(cursor, mroute, filter, first_route(TAILQ_FIRST(&mroute->tables)));
}

void route_cursor_open_table(struct route_cursor *cursor, struct mfc *mfc)
{
    struct mroute_filter all = {0};

    open_at(cursor, mfc->mroute, &all, TAILQ_FIRST(&mfc->routes.order));
}

bool route_cursor_look(struct route_cursor *cursor, const struct route **ret)
{
    struct route *route = cursor->next;

    if (!route)
        return false;
    stand_at(cursor, route_after(route));
    *ret =
        route->serial < cursor->last_serial && route_matches(&cursor->filter, route) ? route : NULL;
    return true;
}

const struct route *route_cursor_next(struct route_cursor *cursor)
{
    const struct route *route = NULL;

    while (!route && route_cursor_look(cursor, &route))
        ;
    return route;
}

void route_cursor_close(struct route_cursor *cursor)
{
    stand_at(cursor, NULL);
    LIST_REMOVE(cursor, in_open);
}

/* No cursor may point to a route that goes. */
void move_cursors(struct mroute *mroute, const struct route *route, struct route *successor)
{
    struct route_cursor *cursor;

    if (route->cursors == 0)
        return;
    LIST_FOREACH (cursor, &mroute->cursors, in_open)
        if (cursor->next == route)
            stand_at(cursor, successor ? successor : route_after((struct route *)route));
}

/* --- Views --------------------------------------------------------------------------------- */

static struct mfc *table_at(const struct mroute *mroute, unsigned place)
{
    struct mfc *mfc = TAILQ_FIRST(&mroute->tables);

    while (mfc && place-- > 0)
        mfc = TAILQ_NEXT(mfc, in_tables);
    return mfc;
}

bool vif_cursor_look(struct vif_cursor *cursor, const struct mroute *mroute,
                     const struct mroute_filter *filter, bool *ret, struct vif_view *view)
{
    const struct mfc *mfc = table_at(mroute, cursor->place / VIFS_MAX);
    const struct iface *iface;

    *ret = false;
    if (!mfc)
        return false;
    iface = iface_of_vif(&mfc->ifaces, cursor->place++ % VIFS_MAX);
    if (!iface || !table_matches(filter, &mfc->socket))
        return true;
    iface_describe(&mfc->ifaces, iface, view);
    *ret = true;
    return true;
}

bool vif_is_first(const struct mroute *mroute, const struct vif_view *vif, unsigned *ret_routes)
{
    const struct iface *iface;
    const struct mfc *mfc;
    bool before = false, passed = false;

    *ret_routes = 0;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        passed |= mfc->socket.family == vif->family && mfc->socket.table == vif->table;
        iface = iface_find(&mfc->ifaces, vif->name, vif->ifindex);
        if (!iface || iface->vif < 0)
            continue;
        before |= !passed;
        *ret_routes += iface->ref_count;
    }
    return !before;
}

const char *mroute_vif_name(const struct mroute *mroute, uint8_t family, uint32_t table,
                            unsigned vif)
{
    const struct mfc *mfc = find_open_table(mroute, family, table);
    const struct iface *iface = mfc ? iface_of_vif(&mfc->ifaces, vif) : NULL;

    return iface ? iface->name : "";
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

size_t count_routes(const struct mroute *mroute)
{
    const struct mfc *mfc;
    size_t count = 0;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        count += mfc->routes.keys.count;
    return count;
}

struct mroute_totals mroute_totals(const struct mroute *mroute)
{
    struct mroute_totals totals = mroute->closed;
    struct mfc *mfc;

    totals.routes = count_routes(mroute);
    totals.learned = mroute->learned;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        totals.waiting += mfc->waiting;
        totals.kernel_writes += mfc->writes;
        totals.no_route += mfc->no_route;
        totals.wrong_interface += mfc->wrong_interface;
        totals.unmatched_dropped += mfc->unmatched_dropped;
    }
    return totals;
}
