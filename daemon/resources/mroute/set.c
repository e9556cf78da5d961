/* What is asked before a set of routes is applied: whether each could be added, whether there are
 * VIFs for all, and which routes are in the set. */
#include "admission.h"
#include "mroute_internal.h"

#include <stdlib.h>
#include <string.h>

bool mroute_check(const struct mroute *mroute, const struct args_add_mfc *args,
                  const struct holder *holder, enum route_change *ret, struct error *error)
{
    const struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct resolved resolved;
    struct route *old;

    return admission_compare(mfc, mroute->netifs, args, &resolved, &old, ret, error) &&
           shares_may_idle(mroute, holder->lease.uid, args->idle, error) &&
           (*ret != CHANGE_REPLACED || check_holder(old, holder, error));
}

static struct lease *find_lease(const struct mroute *mroute, const struct args_add_mfc *args,
                                const struct holder *holder)
{
    struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct prefix source = admission_source(args);
    struct route *route =
        mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;

    return route ? resource_lease(&route->resource, holder) : NULL;
}

bool mroute_mark(struct mroute *mroute, const struct args_add_mfc *args,
                 const struct holder *holder)
{
    struct lease *lease = find_lease(mroute, args, holder);

    if (lease)
        lease->generation = holder->generation;
    return lease != NULL;
}

/* --- VIFs and ifaces ------------------------------------------------------------------------ */

struct table_needs {
    uint8_t family;
    uint32_t table;
    unsigned vif_count, iface_count;
    unsigned vifs_present;  /* of vif_count */
    unsigned names_present; /* of iface_count */
    struct {
        unsigned ifindex; /* 0: a pattern, or an interface that is missing */
        char name[INTERFACE_NAME_MAX + 1];
    } ifaces[IFACES_MAX];
};

struct vif_needs {
    const struct mroute *mroute;
    uid_t uid; /* who will hold them */
    unsigned count;
    unsigned charged; /* tables that he would be charged for */
    struct table_needs tables[TABLES_MAX];
};

struct vif_needs *mroute_needs_new(const struct mroute *mroute, uid_t uid)
{
    struct vif_needs *needs = calloc(1, sizeof *needs);

    if (!needs)
        return NULL;
    needs->mroute = mroute;
    needs->uid = uid;
    return needs;
}

static bool need(struct table_needs *needs, const char *name, unsigned ifindex)
{
    for (unsigned i = 0; i < needs->iface_count; i++)
        if (needs->ifaces[i].ifindex == ifindex &&
            (ifindex || strcmp(needs->ifaces[i].name, name) == 0))
            return true;
    if (needs->iface_count == IFACES_MAX || (ifindex && needs->vif_count == VIFS_MAX))
        return false;
    needs->ifaces[needs->iface_count].ifindex = ifindex;
    strcpy(needs->ifaces[needs->iface_count++].name, name);
    needs->vif_count += ifindex != 0;
    return true;
}

/* Begins with what the table has now: it goes only after what is new has come. */
static void take_present(struct table_needs *needs, const struct mroute *mroute)
{
    const struct mfc *mfc = find_open_table(mroute, needs->family, needs->table);
    const struct iface *iface;

    if (!mfc)
        return;
    TAILQ_FOREACH (iface, &mfc->ifaces.list, in_ifaces)
        need(needs, iface->name, iface->ifindex);
    needs->vifs_present = needs->vif_count;
    needs->names_present = needs->iface_count;
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
    needs->charged += shares_would_charge(needs->mroute, family, table);
    return found;
}

static bool need_name(struct vif_needs *needs, struct table_needs *table, const char *name)
{
    const struct netif *netif =
        interface_name_is_pattern(name) ? NULL : netifs_find(needs->mroute->netifs, name);

    return need(table, name, netif ? netif->ifindex : 0);
}

static bool refuse_need(const struct table_needs *table, uint32_t id, struct error *error)
{
    if (!table)
        return error_set(error, ERROR_LIMIT, "table",
                         "The service keeps at most %d tables open, and table %u would be one "
                         "too many.",
                         TABLES_MAX, id);
    if (table->iface_count == IFACES_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "Together with the existing routes, the set names more than %d "
                         "interfaces in table %u, the limit of the service. Delete routes "
                         "first.",
                         IFACES_MAX, id);
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
    struct mfc *mfc = find_table(needs->mroute, family, id);
    bool fits = table && need_name(needs, table, args->iif.text);

    for (uint32_t i = 0; fits && i < args->oifs.count; i++)
        fits = need_name(needs, table, args->oifs.names[i].text);
    if (!fits)
        return refuse_need(table, id, error);
    return (!mfc ||
            shares_may_name(mfc, needs->uid, table->iface_count - table->names_present, error)) &&
           shares_have_room(needs->mroute, mfc, needs->uid, needs->charged,
                            table->vif_count - table->vifs_present, error);
}
