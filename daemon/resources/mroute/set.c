/* What is asked before a set of routes is applied: whether each could be added, whether there are
 * VIFs for all, and which routes are in the set. */
#include "admission.h"
#include "mroute_internal.h"

#include <stdlib.h>
#include <string.h>

bool mroute_check(const struct mroute *mroute, const struct args_add_mfc *args,
                  const struct owner *owner, enum route_change *ret, struct error *error)
{
    const struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct resolved resolved;
    struct route *old;

    return admission_compare(mfc, mroute->host.links, args, &resolved, &old, ret, error) &&
           (*ret != CHANGE_REPLACED || check_owner(old, owner, error));
}

static struct hold *find_hold(const struct mroute *mroute, const struct args_add_mfc *args,
                              const struct owner *owner)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct prefix source = admission_source(args);
    struct route *route =
        mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;

    return route ? holding_find(&route->holding, owner) : NULL;
}

bool mroute_mark(struct mroute *mroute, const struct args_add_mfc *args, const struct owner *owner)
{
    struct hold *hold = find_hold(mroute, args, owner);

    if (hold)
        hold->generation = owner->generation;
    return hold != NULL;
}

/* --- VIFs and ports ------------------------------------------------------------------------ */

struct table_needs {
    uint8_t family;
    uint32_t table;
    unsigned vif_count, port_count;
    struct {
        unsigned ifindex; /* 0: a pattern, or an interface that is missing */
        char name[INTERFACE_NAME_MAX + 1];
    } ports[PORTS_MAX];
};

struct vif_needs {
    const struct mroute *mroute;
    unsigned count;
    struct table_needs tables[TABLES_MAX];
};

struct vif_needs *mroute_needs_new(const struct mroute *mroute)
{
    struct vif_needs *needs = calloc(1, sizeof *needs);

    if (needs)
        needs->mroute = mroute;
    return needs;
}

static bool need(struct table_needs *needs, const char *name, unsigned ifindex)
{
    for (unsigned i = 0; i < needs->port_count; i++)
        if (needs->ports[i].ifindex == ifindex &&
            (ifindex || strcmp(needs->ports[i].name, name) == 0))
            return true;
    if (needs->port_count == PORTS_MAX || (ifindex && needs->vif_count == VIFS_MAX))
        return false;
    needs->ports[needs->port_count].ifindex = ifindex;
    strcpy(needs->ports[needs->port_count++].name, name);
    needs->vif_count += ifindex != 0;
    return true;
}

/* Begins with what the table has now: it goes only after what is new has come. */
static void take_present(struct table_needs *needs, const struct mroute *mroute)
{
    const struct mfc *mfc = find_open_table(mroute, needs->family, needs->table);
    const struct port *port;

    if (!mfc)
        return;
    TAILQ_FOREACH (port, &mfc->ports.list, in_ports)
        need(needs, port->name, port->ifindex);
}

static struct table_needs *find_needs(struct vif_needs *needs, uint8_t family, uint32_t table)
{
    struct table_needs *found;

    for (unsigned i = 0; i < needs->count; i++)
        if (needs->tables[i].family == family && needs->tables[i].table == table)
            return &needs->tables[i];
    if (needs->count == TABLES_MAX)
        return NULL;
    found = &needs->tables[needs->count++];
    found->family = family;
    found->table = table;
    take_present(found, needs->mroute);
    return found;
}

static bool need_name(struct vif_needs *needs, struct table_needs *table, const char *name)
{
    const struct link_info *link =
        port_name_is_pattern(name) ? NULL : links_find(needs->mroute->host.links, name);

    return need(table, name, link ? link->ifindex : 0);
}

static bool refuse_need(const struct table_needs *table, uint32_t id, struct error *error)
{
    if (!table)
        return error_set(error, ERROR_LIMIT, "table",
                         "The service keeps at most %d tables open, and table %u would be one "
                         "too many.",
                         TABLES_MAX, id);
    if (table->port_count == PORTS_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "Together with the existing routes, the set names more than %d "
                         "interfaces in table %u, the limit of the service. Delete routes "
                         "first.",
                         PORTS_MAX, id);
    return error_set(error, ERROR_LIMIT, NULL,
                     "Together with the existing routes, the set needs more than %d interfaces "
                     "in table %u, the limit of the kernel. Delete routes first.",
                     VIFS_MAX, id);
}

bool mroute_needs_add(struct vif_needs *needs, const struct args_add_mfc *args, struct error *error)
{
    uint8_t family = args->group.address.family;
    uint32_t id = family_table(family, args->table);
    struct table_needs *table = find_needs(needs, family, id);
    bool fits = table && need_name(needs, table, args->iif.text);

    for (uint32_t i = 0; fits && i < args->oifs.count; i++)
        fits = need_name(needs, table, args->oifs.names[i].text);
    return fits || refuse_need(table, id, error);
}
