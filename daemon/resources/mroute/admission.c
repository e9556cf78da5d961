#include "admission.h"

#include <string.h>

static bool refuse_interface(const char *field, const char *name, struct error *error)
{
    return error_set(error, ERROR_NOT_FOUND, field,
                     "Invalid argument: Interface '%s' not found. '%s' takes interfaces that "
                     "'ip link' lists; with 'wait', also interfaces that do not exist yet.",
                     name, field);
}

/* The index of an interface. 0: it is a pattern, or is waited for. */
static bool resolve_name(const struct netifs *netifs, const char *field, const char *name,
                         bool wait, unsigned *ret, struct error *error)
{
    const struct netif *netif = interface_name_is_pattern(name) ? NULL : netifs_find(netifs, name);

    *ret = netif ? netif->ifindex : 0;
    return netif || wait || interface_name_is_pattern(name) || refuse_interface(field, name, error);
}

static bool resolve_oifs(const struct netifs *netifs, const struct args_add_mfc *args,
                         struct resolved *ret, struct error *error)
{
    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (!resolve_name(netifs, "oifs", args->oifs.names[i].text, args->wait, &ret->oifs[i],
                          error))
            return false;
    return true;
}

static bool resolve(const struct netifs *netifs, const struct args_add_mfc *args,
                    struct resolved *ret, struct error *error)
{
    return resolve_name(netifs, "iif", args->iif.text, args->wait, &ret->iif, error) &&
           resolve_oifs(netifs, args, ret, error);
}

bool admission_oifs_exist(const struct netifs *netifs, const struct args_add_mfc *args,
                          struct error *error)
{
    struct resolved unused;

    return resolve_oifs(netifs, args, &unused, error);
}

struct prefix admission_source(const struct args_add_mfc *args)
{
    struct prefix any = {.address = address_any(args->group.address.family)};

    return args->source.address.family ? args->source : any;
}

static bool check_ttls(const struct args_add_mfc *args, struct error *error)
{
    if (args->ttls.count == 0)
        return true;
    if (args->group.address.family == FAMILY_IPV6)
        return error_set(error, ERROR_UNSUPPORTED, "ttls",
                         "Invalid argument: 'ttls' is for IPv4; the kernel has no hop limit "
                         "threshold for IPv6 routes. Leave it out.");
    if (args->ttls.count != args->oifs.count)
        return error_set(
            error, ERROR_OUT_OF_RANGE, "ttls",
            "Invalid argument: 'ttls' has %u number%s, but 'oifs' has %u interface%s; it "
            "takes one number for each of them.",
            args->ttls.count, args->ttls.count == 1 ? "" : "s", args->oifs.count,
            args->oifs.count == 1 ? "" : "s");
    return true;
}

bool mroute_args_are_sound(const struct args_add_mfc *args, struct error *error)
{
    struct prefix source = admission_source(args);
    bool any = source.length == 0;

    if (source.address.family != args->group.address.family)
        return error_set(error, ERROR_INVALID_ADDRESS, "source",
                         "Invalid argument: 'source' is an %s address and 'group' an %s one; both "
                         "take the same family.",
                         source.address.family == FAMILY_IPV4 ? "IPv4" : "IPv6",
                         args->group.address.family == FAMILY_IPV4 ? "IPv4" : "IPv6");
    if (any && prefix_is_single(&args->group) && args->oifs.count == 0)
        return error_set(error, ERROR_OUT_OF_RANGE, "oifs",
                         "Invalid argument: 'oifs' is empty, so a route for any source would "
                         "forward nothing; it takes one interface or more. To stop one source, "
                         "name it as 'source'.");
    for (uint32_t i = 0; i < args->oifs.count && !any; i++)
        if (strcmp(args->oifs.names[i].text, args->iif.text) == 0 &&
            !interface_name_is_pattern(args->iif.text))
            return error_set(error, ERROR_LOOP, "oifs",
                             "Invalid argument: 'oifs' holds the inbound interface '%s'; the "
                             "packets would be sent back onto their own link. Leave it out.",
                             args->iif.text);
    return check_ttls(args, error);
}

/* In a route for any source the iif among the oifs says nothing, but where it stands alone. A
 * pattern means its other interfaces. */
bool admission_is_implied(const struct args_add_mfc *args, uint32_t i)
{
    return args->oifs.count > 1 && strcmp(args->oifs.names[i].text, args->iif.text) == 0 &&
           !interface_name_is_pattern(args->iif.text);
}

uint8_t admission_ttl_of(const struct args_add_mfc *args, uint32_t i)
{
    return args->ttls.count ? (uint8_t)args->ttls.values[i] : 1;
}

static bool has_oif(const struct route *route, const struct args_add_mfc *args, uint32_t i)
{
    for (unsigned j = 0; j < route->oif_count; j++)
        if (strcmp(route->oifs[j].iface->name, args->oifs.names[i].text) == 0)
            return route->oifs[j].ttl == admission_ttl_of(args, i);
    return false;
}

static bool is_same(const struct route *route, const struct args_add_mfc *args)
{
    unsigned count = 0;

    if (strcmp(route->iif->name, args->iif.text) != 0 ||
        (route->is_range && route->idle != args->idle))
        return false;
    for (uint32_t i = 0; i < args->oifs.count; i++) {
        if (admission_is_implied(args, i))
            continue;
        if (!has_oif(route, args, i))
            return false;
        count++;
    }
    return count == route->oif_count;
}

static bool needs_vif(const struct mfc *mfc, const char *name, unsigned ifindex)
{
    const struct iface *iface = mfc ? iface_find(&mfc->ifaces, name, ifindex) : NULL;

    return ifindex && (!iface || iface->vif < 0);
}

static bool is_new_name(const struct mfc *mfc, const char *name, unsigned ifindex)
{
    return !iface_find(&mfc->ifaces, name, ifindex);
}

static bool check_names(const struct mfc *mfc, const struct args_add_mfc *args,
                        const struct resolved *resolved, struct error *error)
{
    unsigned names;

    if (!mfc || !resolved->judges_shares)
        return true;
    names = is_new_name(mfc, args->iif.text, resolved->iif);
    for (uint32_t i = 0; i < args->oifs.count; i++)
        names += is_new_name(mfc, args->oifs.names[i].text, resolved->oifs[i]);
    return shares_may_name(mfc, mfc->ifaces.asker, names, error);
}

static bool check_vifs(const struct mfc *mfc, const struct args_add_mfc *args,
                       const struct resolved *resolved, struct error *error)
{
    unsigned needed = needs_vif(mfc, args->iif.text, resolved->iif);
    unsigned available = mfc ? ifaces_free_vifs(&mfc->ifaces) : VIFS_MAX;

    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (strcmp(args->oifs.names[i].text, args->iif.text) != 0)
            needed += needs_vif(mfc, args->oifs.names[i].text, resolved->oifs[i]);
    if (needed <= available)
        return !mfc || !resolved->judges_shares ||
               pool_may(mfc->ifaces.pool, mfc->ifaces.asker, &(struct pool_request){.more = needed},
                        error);
    return error_set(error, ERROR_LIMIT, "oifs",
                     "The route needs %u more interfaces, but table %u has room for %u: the "
                     "kernel routes between at most %d. 'netbroker vif show' lists those in "
                     "use.",
                     needed, family_table(args->group.address.family, args->table), available,
                     VIFS_MAX);
}

bool admission_compare(const struct mfc *mfc, const struct netifs *netifs,
                       const struct args_add_mfc *args, struct resolved *resolved,
                       struct route **ret_old, enum route_change *ret, struct error *error)
{
    struct prefix source = admission_source(args);
    struct route *old;

    if (!mroute_args_are_sound(args, error) || !resolve(netifs, args, resolved, error))
        return false;
    old = mfc ? route_set_find(&mfc->routes, &source, &args->group, args->iif.text) : NULL;
    *ret_old = old;
    *ret = !old ? CHANGE_ADDED : is_same(old, args) ? CHANGE_NONE : CHANGE_REPLACED;
    return true;
}

bool admission_check(const struct mfc *mfc, const struct netifs *netifs,
                     const struct args_add_mfc *args, struct resolved *resolved,
                     struct route **ret_old, enum route_change *ret, struct error *error)
{
    return admission_compare(mfc, netifs, args, resolved, ret_old, ret, error) &&
           (*ret == CHANGE_NONE || resolved->restores ||
            (check_names(mfc, args, resolved, error) && check_vifs(mfc, args, resolved, error)));
}
