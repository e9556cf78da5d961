#include "kind.h"

#include "join.h"
#include "log.h"
#include "operations.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void on_idle(uv_idle_t *idle)
{
    struct join_kind *kind = idle->data;

    if (!joins_work(kind->joins))
        uv_idle_stop(idle);
}

static void start_work(void *context)
{
    struct join_kind *kind = context;

    if (!uv_is_closing((uv_handle_t *)&kind->idle))
        uv_idle_start(&kind->idle, on_idle);
}

static void charge(void *context, uid_t uid, uint64_t ns)
{
    const struct join_kind *kind = context;
    struct account *user = kind->host.pools ? pools_find(kind->host.pools, uid) : NULL;

    if (user)
        user->work.charge(&user->work, ns);
}

static void socket_opened(struct keeper_call *answered, const struct keeper_answer *answer, int fd)
{
    struct join_kind *kind =
        (struct join_kind *)((char *)answered - offsetof(struct join_kind, socket_call));
    uint8_t family = (uint8_t)answered->request.family;
    int result = fd >= 0 ? fd : answer->error;
    struct error error;

    if (result == -ECANCELED)
        return;
    if (result == -ENFILE)
        error_set(&error, ERROR_LIMIT, NULL,
                  "The service keeps at most %d sockets for memberships, each for 20 IPv4 "
                  "groups or 10 IPv4 sources of a group. Delete some joins first.",
                  JOIN_SOCKETS_MAX);
    else if (result < 0)
        error_set(&error, result == -EAFNOSUPPORT ? ERROR_UNSUPPORTED : ERROR_INTERNAL, NULL,
                  "The kernel refused a socket for memberships (%s): %s.", family_name(family),
                  strerror(-result));
    joins_socket_opened(kind->joins, family, result, &error);
}

/* The joins ask for one at a time. */
static void open_socket(void *context, uint8_t family)
{
    struct join_kind *kind = context;

    kind->socket_call.request = (struct keeper_request){
        .operation = KEEPER_OPEN_JOINS,
        .family = family,
    };
    kind->socket_call.done = socket_opened;
    keeper_ask(kind->host.keeper, &kind->socket_call);
}

static void end_older_sockets(void *context)
{
    struct join_kind *kind = context;

    keeper_tell(kind->host.keeper, &(struct keeper_request){.operation = KEEPER_JOINED});
}

static void pass_event(void *context, enum join_event event, const struct join *join)
{
    struct join_kind *kind = context;

    publish_join(kind->host.events, event, join);
}

static void tell_refusal(void *context, const struct join *join, const struct error *error)
{
    char text[JOIN_TEXT_MAX];

    (void)context;
    log_line(LOG_WARNING, "the join of %s is not in force: %s", join_key_format(&join->key, text),
             error->message);
}

/* --- Beginning and ending ------------------------------------------------------------------ */

static bool start(const struct resource_host *host, void **ret_self)
{
    struct join_kind *kind = calloc(1, sizeof *kind);
    struct joins_callbacks callbacks = {
        .open_socket = open_socket,
        .needs_work = start_work,
        .charge = charge,
        .settled = end_older_sockets,
        .event = pass_event,
        .refused = tell_refusal,
        .context = kind,
    };

    if (!kind)
        return false;
    kind->host = *host;
    kind->joins = joins_new(host->netifs, host->leases, &callbacks, host->seed);
    if (!kind->joins) {
        free(kind);
        return false;
    }
    if (host->pools)
        joins_use_pools(kind->joins, host->pools);
    uv_idle_init(host->loop, &kind->idle);
    kind->idle.data = kind;
    *ret_self = kind;
    return true;
}

static void stop(void *self)
{
    struct join_kind *kind = self;

    uv_close((uv_handle_t *)&kind->idle, NULL);
}

static void free_kind(void *self)
{
    struct join_kind *kind = self;

    joins_free(kind->joins);
    free(kind);
}

/* Sockets of a broker before us are not taken over: all joins are made again, and then they are
 * closed. */
static enum restoring restore(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error)
{
    struct join_kind *kind = self;
    const struct args_add_join *args = &wanted->args.add_join;
    struct join_wish wish = {
        .key = {args->source, args->group, args->iif}, .wait = true, .restores = true};
    enum join_change change;

    (void)waiter;
    return joins_add(kind->joins, &wish, holder, &change, error) ? RESTORE_DONE : RESTORE_REFUSED;
}

static void settled(void *self, bool whole)
{
    struct join_kind *kind = self;

    (void)whole;
    joins_loaded(kind->joins);
}

static void change_netif(void *self, const struct netif *was, const struct netif *is)
{
    struct join_kind *kind = self;

    joins_netif_changed(kind->joins, was, is);
}

static void set_limits(void *self, const struct limits *limits)
{
    struct join_kind *kind = self;

    joins_set_share(kind->joins, limits->memberships_per_user);
}

static void tick(void *self)
{
    struct join_kind *kind = self;

    joins_tick(kind->joins);
}

struct joins *joins_of(const struct call *call)
{
    struct join_kind *kind = call_kind(call, &join_ops);

    return kind->joins;
}

/* --- For people and monitors --------------------------------------------------------------- */

static size_t count(void *self)
{
    const struct join_kind *kind = self;

    return joins_totals(kind->joins).joins;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    const struct join_kind *kind = self;
    struct joins_totals totals = joins_totals(kind->joins);

    (void)reader; /* how many there are is no secret */
    json_key(out, "joins");
    json_open(out, '{');
    json_member_unsigned(out, "joins", totals.joins);
    json_member_unsigned(out, "waiting", totals.waiting);
    json_member_unsigned(out, "memberships", totals.memberships);
    json_member_unsigned(out, "sockets", totals.sockets);
    json_close(out, '}');
}

/* --- What a join is to the broker ---------------------------------------------------------- */

static void describe(const struct resource *resource, char *text)
{
    join_key_format(&join_of_resource(resource)->key, text);
}

static void get_target(const struct resource *resource, struct target *ret)
{
    const struct join_key *key = &join_of_resource(resource)->key;

    *ret = (struct target){.group = key->group};
    target_add_interface(ret, key->iif.text);
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    const struct join_key *key = &join_of_resource(resource)->key;
    char text[PREFIX_TEXT_MAX];

    json_member_string(out, "action", "ADD_JOIN");
    json_key(out, "payload");
    json_open(out, '{');
    if (key->source.address.family)
        json_member_string(out, "source", prefix_format(&key->source, text));
    json_member_string(out, "group", prefix_format(&key->group, text));
    json_member_string(out, "iif", key->iif.text);
    json_close(out, '}');
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    const struct args_del_join *args = &request->args.del_join;
    struct join_key key = {args->source, args->group, args->iif};
    struct holder holder = {.lease = {.uid = uid}};
    bool kept;

    return !joins_del(((struct join_kind *)self)->joins, &key, &holder, true, &kept, error) &&
           error->code == ERROR_NOT_FOUND;
}

_Static_assert((int)JOIN_TEXT_MAX <= (int)RESOURCE_TEXT_MAX, "it is described whole");

const struct resource_ops join_ops = {
    .kind = "join",
    .verbs = "join",
    .read_verb = "join.read",
    .end_action = "DEL_JOIN",
    .start = start,
    .stop = stop,
    .free = free_kind,
    .restore = restore,
    .settled = settled,
    .netif_changed = change_netif,
    .set_limits = set_limits,
    .tick = tick,
    .noun = "join",
    .count = count,
    .write_status = write_status,
    .leased = join_leased,
    .release = join_release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .configured = &join_configured,
    .is_missing = is_missing,
};
