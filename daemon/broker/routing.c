#include "routing.h"

#include "authorise.h"
#include "keeper/keeper.h"
#include "log.h"
#include "resources/mroute/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- What the kernel says ------------------------------------------------------------------ */

static void on_upcall(struct watch *watch, int events)
{
    const struct upcall_watch *upcalls = (const struct upcall_watch *)watch;

    (void)events;
    mroute_read_upcalls(upcalls->routing->services->mroute, upcalls->family, upcalls->table);
}

static void end_watch(struct watch *watch)
{
    ((struct upcall_watch *)watch)->used = false;
}

static void close_watch(struct upcall_watch *upcalls)
{
    if (!upcalls->used || upcalls->closing)
        return;
    upcalls->closing = true;
    watch_close(&upcalls->watch, end_watch);
    close(upcalls->fd); /* at once: the table may be opened again before end_watch */
}

/* libuv refuses a descriptor that it polls already, and tables close in the middle of a turn, so
 * each watch has a copy of its own. */
static void watch_upcalls(struct routing *routing, const struct mroute_socket *socket)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &routing->watches[i];

        if (watch->used)
            continue;
        *watch = (struct upcall_watch){
            .routing = routing,
            .fd = dup(socket->fd),
            .family = socket->family,
            .table = socket->table,
        };
        if (watch->fd < 0 ||
            watch_init(&watch->watch, routing->loop, watch->fd, on_upcall, routing) < 0)
            return;
        watch->used = true;
        watch_start(&watch->watch, UV_READABLE);
        return;
    }
}

static void unwatch_upcalls(struct routing *routing, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &routing->watches[i];

        if (watch->family == family && watch->table == table)
            close_watch(watch);
    }
}

static void give_table_back(void *context, uint8_t family, uint32_t table)
{
    struct routing *routing = context;

    unwatch_upcalls(routing, family, table);
    keeper_tell(routing->keeper, &(struct keeper_request){.operation = KEEPER_CLOSE_MROUTE,
                                                          .family = family,
                                                          .table = table});
}

/* A question to the keeper about a table: to open it, or to lead packets to it. */
struct table_call {
    struct keeper_call call; /* first */
    struct routing *routing;
};

/* NULL: no memory. */
static struct table_call *make_call(struct routing *routing, uint32_t operation, uint8_t family,
                                    uint32_t table)
{
    struct table_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->routing = routing;
    call->call.request = (struct keeper_request){
        .operation = operation,
        .family = family,
        .table = table,
    };
    return call;
}

static void explain_refusal(uint32_t table, const struct keeper_answer *answer, struct error *error)
{
    if (answer->error == -EADDRINUSE)
        error_set(error, ERROR_IN_USE, "table",
                  "Table %u is owned by another process: %s. Stop it, or use another table.", table,
                  answer->owner);
    else if (answer->error == -ENFILE)
        error_set(error, ERROR_LIMIT, "table", "The service keeps at most %d tables open.",
                  KEPT_TABLES_MAX);
    else if (answer->error == -EACCES)
        error_set(error, ERROR_UNSUPPORTED, "table",
                  "The configuration does not allow the service to use table %u; see 'tables' "
                  "in netbrokerd.conf(5).",
                  table);
    else if (answer->error == -EDQUOT)
        error_set(
            error, ERROR_LIMIT, "table",
            "The service opened %d tables since it started, and the kernel keeps each as long "
            "as the network namespace lasts; table %u would be one more. Use one of those.",
            TABLE_IDS_MAX, table);
    else if (answer->error == -EAGAIN)
        error_set(error, ERROR_LIMIT, "table",
                  "Tables are opened and closed too often; try again in a second.");
    else if (answer->error == -ENOPROTOOPT || answer->error == -EAFNOSUPPORT)
        error_set(error, ERROR_UNSUPPORTED, "table",
                  "This kernel has no multicast routing for the address family, or only its "
                  "default table.");
    else
        error_set(error, ERROR_INTERNAL, "table", "The kernel refused table %u: %s.", table,
                  strerror(-answer->error));
}

static void table_opened(struct keeper_call *answered, const struct keeper_answer *answer, int fd)
{
    struct routing *routing = ((struct table_call *)answered)->routing;
    struct mroute_socket socket = {fd, (uint8_t)answered->request.family, answered->request.table};
    struct error error;

    free(answered);
    if (answer->error == -ECANCELED)
        return;
    if (fd >= 0)
        watch_upcalls(routing, &socket);
    else
        explain_refusal(socket.table, answer, &error);
    mroute_table_opened(routing->services->mroute, socket.family, socket.table, fd, &error);
}

static bool ask_for_table(void *context, uint8_t family, uint32_t table)
{
    struct routing *routing = context;
    struct table_call *call = make_call(routing, KEEPER_OPEN_MROUTE, family, table);

    if (!call)
        return false;
    call->call.done = table_opened;
    keeper_ask(routing->keeper, &call->call);
    return true;
}

static void rule_added(struct keeper_call *answered, const struct keeper_answer *answer, int fd)
{
    struct routing *routing = ((struct table_call *)answered)->routing;
    uint8_t family = (uint8_t)answered->request.family;
    uint32_t table = answered->request.table;

    (void)fd;
    free(answered);
    if (answer->error == -ECANCELED)
        return;
    if (answer->error < 0)
        log_line(LOG_ERR, "no rule leads packets to %s multicast table %u: %s.",
                 family_name(family), table, strerror(-answer->error));
    mroute_rule_answered(routing->services->mroute, family, table);
}

static bool add_rule(struct routing *routing, const struct mroute_rule *rule, unsigned ifindex)
{
    struct table_call *call = make_call(routing, KEEPER_ADD_RULE, rule->family, rule->table);

    if (!call) {
        log_line(LOG_ERR, "no memory to lead %s to multicast table %u.", rule->iif, rule->table);
        return false;
    }
    call->call.request.ifindex = ifindex;
    call->call.done = rule_added;
    keeper_ask(routing->keeper, &call->call);
    return true;
}

static bool change_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    struct routing *routing = context;
    struct keeper_request request = {
        .operation = KEEPER_DEL_RULE,
        .family = rule->family,
        .table = rule->table,
    };

    if (ifindex)
        return add_rule(routing, rule, ifindex);
    memcpy(request.iif, rule->iif, sizeof request.iif);
    keeper_tell(routing->keeper, &request);
    return false;
}

void routing_adopt(struct routing *routing, const struct kept *kept)
{
    struct rules_host rules = {change_rule, routing};

    for (size_t i = 0; i < kept->tables.count; i++) {
        const struct mroute_socket *table = &kept->tables.sockets[i];
        int result;

        watch_upcalls(routing, table);
        result = mroute_adopt(routing->services->mroute, table);
        if (result < 0)
            log_line(LOG_ERR, "cannot read the %s table %u: %s.", family_name(table->family),
                     table->table, strerror(-result));
    }
    mroute_keep_rules(routing->services->mroute, &rules);

    size_t count = mroute_totals(routing->services->mroute).routes;

    if (count > 0)
        log_line(LOG_NOTICE,
                 "%zu routes were in the kernel already; the service has taken them over.", count);
}

/* --- What happens -------------------------------------------------------------------------- */

static void on_route_news(void *context, enum route_news news, const struct route *route)
{
    struct routing *routing = context;

    publish_route(routing->services, news, route);
    if (news < ROUTE_LEARNED_NEWS)
        routing->host.changed(routing->host.context);
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    struct routing *routing = context;

    publish_upcall(routing->services, family, table, upcall);
}

static void count_hold(void *context, const struct lease *lease)
{
    struct routing *routing = context;

    if (lease->uid != LEASE_UID_UNKNOWN)
        users_hold_lease(&routing->services->users, lease->uid);
    routing->host.changed(routing->host.context);
}

static void discount_hold(void *context, const struct route *route, const struct lease *lease)
{
    struct routing *routing = context;

    if (lease->uid != LEASE_UID_UNKNOWN)
        users_release_lease(&routing->services->users, lease->uid);
    record_release(routing->services, route, lease);
    routing->host.changed(routing->host.context);
}

static void on_routes_timer(uv_timer_t *timer)
{
    struct routing *routing = timer->data;

    if (!mroute_tick(routing->services->mroute, uv_hrtime() / 1000000))
        uv_timer_stop(timer);
}

/* Learned routes are looked at as long as there are any. */
static void start_ticks(void *context)
{
    struct routing *routing = context;

    if (!routing->stopped && !uv_is_active((uv_handle_t *)&routing->timer))
        uv_timer_start(&routing->timer, on_routes_timer, MROUTE_TICK_MS, MROUTE_TICK_MS);
}

/* --- Beginning and ending ------------------------------------------------------------------ */

bool routing_start(struct routing *routing, uv_loop_t *loop, struct services *services,
                   struct keeper_link *keeper, const struct routing_host *host, uint64_t seed)
{
    struct mroute_callbacks callbacks = {
        .open_table = ask_for_table,
        .close_table = give_table_back,
        .route_news = on_route_news,
        .upcall = pass_upcall,
        .hold_begins = count_hold,
        .hold_ends = discount_hold,
        .needs_ticks = start_ticks,
        .context = routing,
    };

    routing->loop = loop;
    routing->services = services;
    routing->keeper = keeper;
    routing->host = *host;
    uv_timer_init(loop, &routing->timer);
    routing->timer.data = routing;
    services->mroute = mroute_new(services->links, &callbacks, seed);
    return services->mroute != NULL;
}

void routing_stop(struct routing *routing)
{
    routing->stopped = true;
    for (size_t i = 0; i < TABLES_MAX; i++)
        close_watch(&routing->watches[i]);
    uv_close((uv_handle_t *)&routing->timer, NULL);
}

void routing_set_limits(struct routing *routing, const struct limits *limits)
{
    struct mroute_limits bounds = {limits->learned_routes, limits->unmatched_flows};

    mroute_set_limits(routing->services->mroute, &bounds);
}
