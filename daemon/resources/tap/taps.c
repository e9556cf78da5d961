#include "operations.h"
#include "tap_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap *tap_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct tap);
}

/* --- The registry -------------------------------------------------------------------------- */

static const struct pool_words words = {
    "taps",
    "taps",
    "taps-per-user of netbrokerd.conf(5)",
    "taps of netbrokerd.conf(5)",
    "Close one first; 'netbroker tap list' lists them.",
    false,
};

void taps_init(struct taps *taps, const struct resource_host *host,
               const struct taps_callbacks *callbacks)
{
    taps->host = *host;
    taps->callbacks = *callbacks;
    taps->prefix = host->config ? host->config->tap_prefix : TAP_PREFIX_DEFAULT;
    TAILQ_INIT(&taps->order);
    TAILQ_INIT(&taps->full);
    LIST_INIT(&taps->cursors);
    if (host->pools)
        pools_add(host->pools, &taps->pool, &words);
    told_init(&taps->links, host->pools);
    taps_set_limits(taps, &LIMITS_DEFAULT);
    stock_init(&taps->stock, taps, host->config ? host->config->tap_spares : 0);
    lifelines_init(&taps->lifelines, taps);
}

/* One more for each user, of those who have none. */
void taps_set_limits(struct taps *taps, const struct limits *limits)
{
    uint64_t size = limits->taps;

    pool_bound(&taps->pool,
               &(struct pool_bounds){size, limits->taps_per_user, size / POOL_RESERVE_PART, 1});
    told_set_limits(&taps->links, limits);
}

/* --- Finding ------------------------------------------------------------------------------- */

/* Names have zeros behind them. */
static uint64_t hash_name(const struct taps *taps, const char name[INTERFACE_NAME_MAX + 1])
{
    uint64_t parts[2];

    _Static_assert(sizeof parts == INTERFACE_NAME_MAX + 1, "a name is two words");
    memcpy(parts, name, sizeof parts);
    return hash_word(hash_word(taps->host.seed, parts[0]), parts[1]);
}

struct tap *taps_find_tap(const struct taps *taps, const char *name)
{
    char padded[INTERFACE_NAME_MAX + 1] = "";
    struct tap *tap;

    snprintf(padded, sizeof padded, "%s", name);
    HASH_FOREACH (tap, &taps->names, hash_name(taps, padded), in_names)
        if (strcmp(tap->config.name, padded) == 0)
            return tap;
    return NULL;
}

bool taps_is_free(const struct taps *taps, const char *name)
{
    return !taps_find_tap(taps, name) && !netifs_find(taps->host.netifs, name) &&
           !stock_find(&taps->stock, name);
}

/* Of so many names one is free, unless others than us have taken them. */
bool taps_choose_name(const struct taps *taps, char *ret)
{
    for (size_t i = 0; i <= 2 * taps->names.count + TAP_SPARES_MAX + 64; i++) {
        snprintf(ret, INTERFACE_NAME_MAX + 1, "%s%zu", taps->prefix, i);
        if (taps_is_free(taps, ret))
            return true;
    }
    return false;
}

/* --- What a request means ------------------------------------------------------------------ */

/* The same for the same name, on every start and every machine: FNV-1a, 64 bits. It is locally
 * administered, and higher than any that a maker gives: a bridge takes the lowest of its ports'
 * for its own, and would change it each time that such a port came or went. */
static void derive_mac(const char *name, uint8_t ret[MAC_BYTES])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    ret[0] = TAP_PORT_MAC_FIRST;
    for (unsigned i = 1; i < MAC_BYTES; i++, hash >>= 8)
        ret[i] = (uint8_t)hash;
}

struct tap_config tap_config_of(const struct args_open_tap *args, uid_t uid)
{
    struct tap_config config = {
        .mtu = args->mtu,
        .flags = (args->offload ? TAP_OFFLOAD : 0) | (args->isolated ? TAP_ISOLATED : 0) |
                 (args->persistent ? TAP_PERSISTENT : 0),
        .owner = uid, /* of a lent one as well: the kernel refuses 0 where root has no number */
        .queues = args->queues,
        .host_count = args->hosts.count,
        .route_count = args->routes.count,
    };

    memcpy(config.name, args->name.text, sizeof config.name);
    memcpy(config.bridge, args->bridge.text, sizeof config.bridge);
    memcpy(config.uplink, args->uplink.text, sizeof config.uplink);
    memcpy(config.hosts, args->hosts.hosts, sizeof config.hosts);
    memcpy(config.routes, args->routes.prefixes, sizeof config.routes);
    if (!tap_has_family(&config, FAMILY_IPV6))
        config.flags |= TAP_QUIET;
    if (args->mac.given)
        memcpy(config.mac, args->mac.bytes, sizeof config.mac);
    else
        derive_mac(config.name, config.mac);
    return config;
}

bool taps_choose(struct taps *taps, const struct args_open_tap *args, char *ret)
{
    struct tap_config wanted = tap_config_of(args, 0);

    return (!args->mac.given && stock_choose(&taps->stock, &wanted, ret)) ||
           taps_choose_name(taps, ret);
}

/* --- Judging ------------------------------------------------------------------------------- */

/* It stands in scripts and in rules of a policy, where other characters mean something. */
static bool judge_name(const struct taps *taps, const char *name, struct error *error)
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_.";

    return (tap_name_is_allowed(taps->prefix, name) && strspn(name, characters) == strlen(name)) ||
           error_set(error, ERROR_INVALID_NAME, "name",
                     "Invalid argument: '%s' is no name of a tap; 'name' takes '%s' and more "
                     "letters, digits, '-', '_' and '.', %d bytes in all.",
                     name, taps->prefix, INTERFACE_NAME_MAX);
}

static bool judge_bridge(const struct taps *taps, const struct tap_config *config,
                         struct error *error)
{
    if (config->route_count > 0)
        return error_set(error, ERROR_INVALID_ADDRESS, "routes",
                         "Invalid argument: a port of a bridge has no route of its own; those are "
                         "the bridge's. Leave out 'routes' or 'bridge'.");
    if (config->host_count > 0)
        return error_set(error, ERROR_INVALID_ADDRESS, "hosts",
                         "Invalid argument: a port of a bridge has no address of its own; the "
                         "host's address there is the bridge's. Leave out 'hosts' or 'bridge'.");
    if (config->mac[0] != TAP_PORT_MAC_FIRST)
        return error_set(error, ERROR_INVALID_ADDRESS, "mac",
                         "Invalid argument: the address of a port of a bridge begins with %02x, "
                         "so that the bridge does not take it for its own; 'mac' is that of the "
                         "host's end, and not the one that a guest has.",
                         TAP_PORT_MAC_FIRST);
    return !taps->host.config ||
           tap_bridge_is_allowed(&taps->host.config->tap_bridges, config->bridge) ||
           error_set(error, ERROR_NOT_ALLOWED, "bridge",
                     "The service may make no tap a port of '%s': tap-bridges of "
                     "netbrokerd.conf(5) does not name it. Ask your administrator.",
                     config->bridge);
}

/* It is the other side's affair what it has: the host is no station there. */
static bool judge_uplink(const struct taps *taps, const struct tap_config *config,
                         struct error *error)
{
    if (!tap_can_be_on_uplink(config))
        return error_set(error, ERROR_INVALID_ADDRESS, "uplink",
                         "Invalid argument: a tap on an uplink has no 'bridge', 'hosts', 'routes', "
                         "'queues' or 'persistent'; its program is a station of the uplink's "
                         "network. Leave those out, or 'uplink'.");
    return !taps->host.config ||
           tap_bridge_is_allowed(&taps->host.config->tap_uplinks, config->uplink) ||
           error_set(error, ERROR_NOT_ALLOWED, "uplink",
                     "The service may make no tap on '%s': tap-uplinks of netbrokerd.conf(5) does "
                     "not name it. Ask your administrator.",
                     config->uplink);
}

static bool judge_hosts(const struct taps *taps, const struct tap_config *config,
                        struct error *error)
{
    char text[PREFIX_TEXT_MAX];

    for (uint32_t i = 0; i < config->host_count && taps->host.config; i++) {
        const struct host_address *host = &config->hosts[i];
        struct prefix network = prefix_of(&host->address, host->length);

        if (!tap_network_is_allowed(&taps->host.config->tap_networks, &network))
            return error_set(error, ERROR_NOT_ALLOWED, "hosts",
                             "The service may give no tap the address %s: no network of "
                             "tap-networks of netbrokerd.conf(5) has the whole of its prefix. Ask "
                             "your administrator.",
                             host_address_format(host, text));
    }
    return true;
}

bool taps_judge(const struct taps *taps, const struct tap_config *config, struct error *error)
{
    if (!judge_name(taps, config->name, error))
        return false;
    if (config->uplink[0])
        return judge_uplink(taps, config, error);
    if (config->bridge[0])
        return judge_bridge(taps, config, error);
    if (config->flags & TAP_ISOLATED)
        return error_set(error, ERROR_MISSING_FIELD, "bridge",
                         "Invalid argument: 'isolated' is about ports of a bridge and taps on an "
                         "uplink, and needs 'bridge' or 'uplink'.");
    return judge_hosts(taps, config, error) && tap_judge_routes(taps, config, error);
}

static bool judge_port(const struct taps *taps, const char *bridge, struct error *error)
{
    return !bridge[0] || netifs_find(taps->host.netifs, bridge) ||
           error_set(error, ERROR_NOT_FOUND, "bridge",
                     "Invalid argument: Interface '%s' not found. 'bridge' takes a bridge that "
                     "'ip link' lists.",
                     bridge);
}

static bool judge_station(const struct taps *taps, const char *uplink, struct error *error)
{
    return !uplink[0] || netifs_find(taps->host.netifs, uplink) ||
           error_set(error, ERROR_NOT_FOUND, "uplink",
                     "Invalid argument: Interface '%s' not found. 'uplink' takes an Ethernet "
                     "interface that 'ip link' lists.",
                     uplink);
}

bool taps_have_room(struct taps *taps, const struct tap_config *config, uid_t uid,
                    struct error *error)
{
    if (!stock_find(&taps->stock, config->name) && !taps_is_free(taps, config->name))
        return error_set(error, ERROR_IN_USE, "name",
                         "There is an interface '%s' already. Take another name, or leave it out: "
                         "then the service takes one that is free.",
                         config->name);
    return judge_port(taps, config->bridge, error) && judge_station(taps, config->uplink, error) &&
           tap_judge_others(taps, config, error) &&
           pool_may(&taps->pool, uid, &(struct pool_request){.more = 1}, error);
}

static bool has_share(const struct pool *pool, uid_t uid)
{
    const struct account *user = pool->pools ? pools_find(pool->pools, uid) : NULL;

    return user && pool_judge(pool, user, 1, pool->bounds.share) == POOL_SHARE_USED;
}

bool taps_room_may_come(const struct taps *taps, uid_t uid)
{
    const struct tap *tap;

    if (!has_share(&taps->pool, uid))
        return false;
    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->uid == uid && (tap->state == TAP_CLOSING || !(tap->config.flags & TAP_PERSISTENT)))
            return true;
    return false;
}

/* --- Adding and forgetting ----------------------------------------------------------------- */

static struct tap *new_tap(struct taps *taps, const struct tap_config *config, uid_t uid)
{
    struct tap *tap = calloc(1, sizeof *tap);

    if (!tap)
        return NULL;
    tap->taps = taps;
    tap->config = *config;
    tap->uid = uid;
    tap->serial = taps->serial++;
    tap->state = TAP_OPENING;
    TAILQ_INIT(&tap->waiters);
    resource_init(&tap->resource, &tap_ops);
    TAILQ_INSERT_TAIL(&taps->order, tap, in_order);
    hash_insert(&taps->names, &tap->in_names, hash_name(taps, config->name));
    pool_force(&taps->pool, uid, 1);
    return tap;
}

/* Cursors stand at the one behind it from now on. */
static void move_cursors(const struct tap *tap)
{
    struct tap_cursor *cursor;

    if (tap->cursors == 0)
        return;
    LIST_FOREACH (cursor, &tap->taps->cursors, in_open)
        if (cursor->next == tap) {
            cursor->next = TAILQ_NEXT(tap, in_order);
            if (cursor->next)
                cursor->next->cursors++;
        }
}

void tap_close_fds(struct tap *tap)
{
    int fd;

    while ((fd = tap_take_fd(tap)) >= 0)
        tap->taps->callbacks.close(tap->taps->callbacks.context, fd);
}

static void free_tap(struct tap *tap)
{
    lifeline_end(tap);
    tap_close_fds(tap);
    free(tap);
}

void tap_set_state(struct tap *tap, enum tap_state state)
{
    tap->taps->waiting += (state == TAP_WAITING) - (tap->state == TAP_WAITING);
    tap->state = state;
    if (state == TAP_CLOSING)
        told_forget(tap, "the tap was closed");
}

void tap_forget(struct tap *tap)
{
    struct taps *taps = tap->taps;

    move_cursors(tap);
    tap_set_state(tap, TAP_CLOSING);
    TAILQ_REMOVE(&taps->order, tap, in_order);
    hash_remove(&taps->names, &tap->in_names);
    pool_return(&taps->pool, tap->uid, 1);
    tap->forgotten = true;
    waiters_resume(&tap->waiters, NULL);
    if (!tap->asked)
        free_tap(tap);
}

void tap_answered(struct tap *tap)
{
    tap->asked = false;
    if (tap->forgotten)
        free_tap(tap);
}

/* The memory was reserved before. */
struct tap *taps_add(struct taps *taps, const struct tap_config *config,
                     const struct holder *holder, struct error *error)
{
    struct tap *tap;

    if (!leases_reserve(taps->host.leases, error))
        return NULL;
    tap = new_tap(taps, config, holder->lease.uid);
    if (tap && lease_begin(taps->host.leases, &tap->resource, holder))
        return tap;
    if (tap)
        tap_forget(tap);
    error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another tap.");
    return NULL;
}

int tap_take_fd(struct tap *tap)
{
    return tap->fd_taken < tap->fd_count ? tap->fds[tap->fd_taken++] : -1;
}

void taps_clear(struct taps *taps)
{
    taps->callbacks.told = NULL; /* nobody is left to be told */
    for (struct tap *tap = TAILQ_FIRST(&taps->order), *next; tap; tap = next) {
        next = TAILQ_NEXT(tap, in_order);
        resource_forget(taps->host.leases, &tap->resource);
        tap->asked = false;
        tap_forget(tap);
    }
    hash_clear(&taps->names);
}

/* --- Views --------------------------------------------------------------------------------- */

struct tap_totals taps_total(const struct taps *taps)
{
    struct tap_totals totals = {.waiting = taps->waiting, .spares = stock_count(&taps->stock)};
    const struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order) {
        totals.closing += tap->state == TAP_CLOSING;
        totals.taps += tap->state != TAP_CLOSING;
    }
    return totals;
}

static void stand_at(struct tap_cursor *cursor, struct tap *tap)
{
    if (cursor->next)
        cursor->next->cursors--;
    cursor->next = tap;
    if (tap)
        tap->cursors++;
}

void tap_cursor_open(struct tap_cursor *cursor, struct taps *taps)
{
    *cursor = (struct tap_cursor){.taps = taps, .last_serial = taps->serial};
    stand_at(cursor, TAILQ_FIRST(&taps->order));
    LIST_INSERT_HEAD(&taps->cursors, cursor, in_open);
}

bool tap_cursor_look(struct tap_cursor *cursor, const struct tap **ret)
{
    struct tap *tap = cursor->next;

    if (!tap)
        return false;
    stand_at(cursor, TAILQ_NEXT(tap, in_order));
    *ret = tap->serial < cursor->last_serial && tap->state != TAP_CLOSING ? tap : NULL;
    return true;
}

void tap_cursor_close(struct tap_cursor *cursor)
{
    stand_at(cursor, NULL);
    LIST_REMOVE(cursor, in_open);
}
