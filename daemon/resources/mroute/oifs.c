/* The outgoing interfaces of a route that is there: what a request adds to them, and what is left
 * when some of them go. Both end as a request for the whole route, so that a route is replaced in
 * one way only: by one write of its entry, in which the other interfaces are what they were. */
#include "oifs.h"

#include "admission.h"
#include "mroute_internal.h"

#include <string.h>

static void add_oif(struct args_add_mfc *args, const char *name, uint8_t ttl)
{
    strcpy(args->oifs.names[args->oifs.count++].text, name);
    if (args->group.address.family == FAMILY_IPV4)
        args->ttls.values[args->ttls.count++] = ttl;
}

static bool is_listed(const struct interface_list *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i].text, name) == 0)
            return true;
    return false;
}

/* The request that would make the route without the interfaces `but` (NULL: as it is). It waits for
 * interfaces, because a route keeps those that are missing. */
static void request_of(const struct route *route, const struct interface_list *but,
                       struct args_add_mfc *ret)
{
    *ret = (struct args_add_mfc){
        .source = route->source,
        .group = route->group,
        .idle = route->idle,
        .table = route->mfc->socket.table,
        .wait = true,
    };
    strcpy(ret->iif.text, route->iif->name);
    for (unsigned i = 0; i < route->oif_count; i++)
        if (!but || !is_listed(but, route->oifs[i].iface->name))
            add_oif(ret, route->oifs[i].iface->name, route->oifs[i].ttl);
}

/* --- Adding -------------------------------------------------------------------------------- */

static bool refuse_iif(const struct route *route, const struct args_add_mfc *args,
                       struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, "iif",
                     "Invalid argument: the existing route has the inbound interface '%s', not "
                     "'%s'. 'append' takes the same 'iif'; without 'append', the route is "
                     "replaced.",
                     route->iif->name, args->iif.text);
}

/* A threshold that the request does not give stays what it is. */
static bool append(struct args_add_mfc *whole, const struct args_add_mfc *args, uint32_t i,
                   struct error *error)
{
    const char *name = args->oifs.names[i].text;
    uint32_t at = 0;

    while (at < whole->oifs.count && strcmp(whole->oifs.names[at].text, name) != 0)
        at++;
    if (at == VIFS_MAX)
        return error_set(error, ERROR_LIMIT, "oifs",
                         "With '%s', the route would have more than %d outgoing interfaces, "
                         "the limit of the kernel. Delete some of them first.",
                         name, VIFS_MAX);
    if (at == whole->oifs.count)
        add_oif(whole, name, admission_ttl_of(args, i));
    else if (args->ttls.count)
        whole->ttls.values[at] = args->ttls.values[i];
    return true;
}

bool mroute_append(const struct mroute *mroute, const struct args_add_mfc *args,
                   struct args_add_mfc *ret, struct error *error)
{
    const struct mfc *mfc = find_open_table(mroute, args->group.address.family, args->table);
    struct prefix source = admission_source(args);
    const struct route *route =
        mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;

    *ret = *args;
    if (!route)
        return true;
    if (strcmp(route->iif->name, args->iif.text) != 0)
        return refuse_iif(route, args, error);
    if (!mroute_args_are_sound(args, error) || !admission_oifs_exist(mroute->netifs, args, error))
        return false;
    request_of(route, NULL, ret);
    ret->dry_run = args->dry_run;
    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (!append(ret, args, i, error))
            return false;
    return true;
}

/* --- Deleting ------------------------------------------------------------------------------ */

static bool has_oif(const struct route *route, const char *name)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (strcmp(route->oifs[i].iface->name, name) == 0)
            return true;
    return false;
}

/* The request that makes the route one without these interfaces. False: it has none of them. */
static bool take_oifs(const struct route *route, const struct interface_list *list,
                      struct args_add_mfc *ret)
{
    request_of(route, list, ret);
    return ret->oifs.count < route->oif_count;
}

static bool refuse_oif(const struct named *named, const char *name, struct error *error)
{
    const struct route *route = named->routes[0];
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    return error_set(error, ERROR_NOT_FOUND, "oifs",
                     "Invalid argument: '%s' is not an outgoing interface of the MFC entry for "
                     "(%s, %s). 'netbroker mfc show' lists its outgoing interfaces.",
                     name, prefix_format(&route->source, source),
                     prefix_format(&route->group, group));
}

static bool check_oifs(const struct named *named, const struct interface_list *oifs,
                       struct error *error)
{
    for (uint32_t i = 0; i < oifs->count; i++) {
        bool found = false;

        for (unsigned j = 0; j < named->count && !found; j++)
            found = has_oif(named->routes[j], oifs->names[i].text);
        if (!found)
            return refuse_oif(named, oifs->names[i].text, error);
    }
    return true;
}

/* Replaces the route, or would; who holds it stays the same. */
static bool lessen(struct mroute *mroute, struct route *route, const struct args_add_mfc *args,
                   bool dry_run, struct error *error)
{
    struct resolved resolved = {0};
    struct route *old, *lesser;
    enum route_change change;

    if (!admission_compare(route->mfc, mroute->netifs, args, &resolved, &old, &change, error))
        return false;
    if (dry_run)
        return true;
    lesser = mfc_add(route->mfc, args, &resolved, route, error);
    if (lesser)
        resource_changed(mroute->leases, &lesser->resource);
    if (lesser)
        tell_route(lesser, ROUTE_REPLACED_EVENT);
    return lesser != NULL;
}

/* One route of a deletion with oifs. */
static bool del_oifs(struct mroute *mroute, struct route *route, const struct args_del_mfc *args,
                     bool dry_run, struct route_deletion *ret, struct error *error)
{
    struct args_add_mfc rest;

    if (!take_oifs(route, &args->oifs, &rest))
        return true;
    if (rest.oifs.count > 0) {
        ret->replaced++;
        return lessen(mroute, route, &rest, dry_run, error);
    }
    ret->deleted++;
    if (!dry_run)
        delete_route(mroute, route);
    return true;
}

static bool del_all_oifs(struct mroute *mroute, const struct named *named,
                         const struct args_del_mfc *args, bool dry_run, struct route_deletion *ret,
                         struct error *error)
{
    *ret = (struct route_deletion){0};
    for (unsigned i = 0; i < named->count; i++)
        if (!del_oifs(mroute, named->routes[i], args, dry_run, ret, error))
            return false;
    return true;
}

/* It changes the routes for all who hold them. */
static bool check_holders(const struct named *named, const struct args_del_mfc *args,
                          const struct holder *holder, struct error *error)
{
    struct args_add_mfc unused;

    for (unsigned i = 0; i < named->count; i++)
        if (take_oifs(named->routes[i], &args->oifs, &unused) &&
            !check_holder(named->routes[i], holder, error))
            return false;
    return true;
}

/* All is tried before anything is done. */
bool oifs_del(struct mroute *mroute, const struct named *named, const struct args_del_mfc *args,
              const struct holder *holder, struct route_deletion *ret, struct error *error)
{
    return check_oifs(named, &args->oifs, error) && check_holders(named, args, holder, error) &&
           del_all_oifs(mroute, named, args, true, ret, error) &&
           (args->dry_run || del_all_oifs(mroute, named, args, false, ret, error));
}
