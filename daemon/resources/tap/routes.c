/* Networks behind taps. A route that is within another tap's, or the other way round, would share
 * the other's packets out anew: that is refused, whoever has the other tap. What other interfaces
 * have, the keeper finds. */
#include "operations.h"
#include "tap_internal.h"

/* --- By itself ----------------------------------------------------------------------------- */

/* The kernel makes that route itself, of the address. */
static bool is_of_host(const struct tap_config *config, const struct prefix *route)
{
    for (uint32_t i = 0; i < config->host_count; i++) {
        struct prefix network = prefix_of(&config->hosts[i].address, config->hosts[i].length);

        if (prefix_equal(&network, route))
            return true;
    }
    return false;
}

static bool judge_route(const struct taps *taps, const struct tap_config *config,
                        const struct prefix *route, struct error *error)
{
    char text[PREFIX_TEXT_MAX];

    prefix_format(route, text);
    if (!tap_has_family(config, route->address.family))
        return error_set(error, ERROR_MISSING_FIELD, "hosts",
                         "Invalid argument: the route to %s needs an address of the host on the "
                         "link: name one of its family in 'hosts'.",
                         text);
    if (is_of_host(config, route))
        return error_set(error, ERROR_INVALID_ADDRESS, "routes",
                         "Invalid argument: %s is the network of an address in 'hosts', which is "
                         "on the link already. Leave it out of 'routes'.",
                         text);
    return !taps->host.config || tap_network_is_allowed(&taps->host.config->tap_networks, route) ||
           error_set(error, ERROR_NOT_ALLOWED, "routes",
                     "The service may lead no packets for %s to a tap: no network of tap-networks "
                     "of netbrokerd.conf(5) has the whole of it. Ask your administrator.",
                     text);
}

bool tap_judge_routes(const struct taps *taps, const struct tap_config *config, struct error *error)
{
    for (uint32_t i = 0; i < config->route_count; i++)
        if (!judge_route(taps, config, &config->routes[i], error))
            return false;
    return true;
}

/* --- Beside others ------------------------------------------------------------------------- */

static bool has_route(const struct tap_config *config, const struct prefix *network)
{
    for (uint32_t i = 0; i < config->route_count; i++)
        if (prefix_overlaps(&config->routes[i], network))
            return true;
    return false;
}

/* One of the addresses whose network overlaps a route of the other one; NULL: none does. */
static const struct host_address *find_host(const struct tap_config *config,
                                            const struct tap_config *other)
{
    for (uint32_t i = 0; i < config->host_count && other->route_count > 0; i++) {
        struct prefix network = prefix_of(&config->hosts[i].address, config->hosts[i].length);

        if (has_route(other, &network))
            return &config->hosts[i];
    }
    return NULL;
}

static const struct prefix *find_route(const struct tap_config *config,
                                       const struct tap_config *other)
{
    for (uint32_t i = 0; i < config->route_count; i++)
        if (has_route(other, &config->routes[i]))
            return &config->routes[i];
    return NULL;
}

static bool refuse(const char *field, const char *what, struct error *error)
{
    return error_set(error, ERROR_IN_USE, field,
                     "A tap that is there has packets of %s. Take a network that no other tap has, "
                     "or close that one first; 'netbroker tap list' lists yours.",
                     what);
}

static bool judge_other(const struct tap_config *config, const struct tap_config *other,
                        struct error *error)
{
    const struct host_address *host = find_host(config, other);
    const struct prefix *route = find_route(config, other);
    char text[PREFIX_TEXT_MAX];

    if (host)
        return refuse("hosts", host_address_format(host, text), error);
    if (route)
        return refuse("routes", prefix_format(route, text), error);
    host = find_host(other, config);
    return !host || refuse("routes", host_address_format(host, text), error);
}

bool tap_judge_others(const struct taps *taps, const struct tap_config *config, struct error *error)
{
    const struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->state != TAP_CLOSING && !judge_other(config, &tap->config, error))
            return false;
    return true;
}
