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

void route_cursor_open(struct route_cursor *cursor, struct mroute *mroute,
                       const struct mroute_filter *filter)
{
    *cursor = (struct route_cursor){
        .mroute = mroute,
        .filter = *filter,
        .next = first_route(TAILQ_FIRST(&mroute->tables)),
        .last_serial = mroute->host.serial,
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

const char *mroute_vif_name(const struct mroute *mroute, uint8_t family, uint32_t table,
                            unsigned vif)
{
    const struct mfc *mfc = find_open_table(mroute, family, table);
    const struct port *port = mfc ? port_of_vif(&mfc->ports, vif) : NULL;

    return port ? port->name : "";
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
        count += mfc->routes.count;
    return count;
}

struct mroute_totals mroute_totals(const struct mroute *mroute)
{
    struct mroute_totals totals = mroute->closed;
    struct mfc *mfc;

    totals.routes = count_routes(mroute);
    totals.learned = mroute->host.learned;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables) {
        totals.waiting += mfc->waiting;
        totals.kernel_writes += mfc->writes;
        totals.no_route += mfc->no_route;
        totals.wrong_interface += mfc->wrong_interface;
        totals.unmatched_dropped += mfc->unmatched_dropped;
    }
    return totals;
}
