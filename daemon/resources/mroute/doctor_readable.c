/* What the doctor may tell: routes, interfaces and tables that the asker may not read are as if
 * they were not there, but for the word that there are some. */
#include "doctor_checks.h"

#include <stdio.h>

bool may_tell_route(const struct examination *e, const struct route *route)
{
    struct target target;

    if (!e->reader)
        return true;
    mroute_ops.get_target(&route->resource, &target);
    return reader_may_read(e->reader, mroute_ops.read_verb, &target) ||
           reader_holds(e->reader, &wanted_route(route)->resource);
}

const struct route *tell_route_of(struct examination *e, const struct route *route)
{
    if (!route || may_tell_route(e, route))
        return route;
    e->hidden = true;
    return NULL;
}

bool may_tell_netif(const struct examination *e, const char *name, uint32_t table)
{
    struct target target = {.table = table};

    if (e->group.family)
        target.group = prefix_single(&e->group);
    target_add_interface(&target, name);
    return !e->reader || reader_may_read(e->reader, mroute_ops.read_verb, &target);
}

const char *tell_table(const struct examination *e, uint32_t table, char text[TABLE_TEXT_MAX])
{
    bool may = may_tell_netif(e, e->iif ? e->iif : "", table);

    if (may)
        snprintf(text, TABLE_TEXT_MAX, "multicast routing table %u", table);
    else
        snprintf(text, TABLE_TEXT_MAX, "another multicast routing table");
    return text;
}
