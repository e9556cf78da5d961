#include "routing.h"

#include "authorise.h"
#include "keeper/keeper.h"
#include "log.h"
#include "resources/mroute/rules.h"

#include <string.h>
#include <unistd.h>

/* --- What the kernel says ------------------------------------------------------------------ */

static void on_upcall(uv_poll_t *poll, int status, int events)
{
    struct upcall_watch *watch = poll->data;

    (void)status;
    (void)events;
    mroute_read_upcalls(watch->routing->services->mroute, watch->family, watch->table);
}

static void end_watch(uv_handle_t *handle)
{
    struct upcall_watch *watch = handle->data;

    close(watch->fd);
    watch->used = false;
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
        if (watch->fd < 0 || uv_poll_init(routing->loop, &watch->poll, watch->fd) < 0)
            return;
        watch->used = true;
        watch->poll.data = watch;
        uv_poll_start(&watch->poll, UV_READABLE, on_upcall);
        return;
    }
}

static void unwatch_upcalls(struct routing *routing, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &routing->watches[i];

        if (watch->used && watch->family == family && watch->table == table &&
            !uv_is_closing((uv_handle_t *)&watch->poll))
            uv_close((uv_handle_t *)&watch->poll, end_watch);
    }
}

static void ask_for_table(void *context, uint8_t family, uint32_t table)
{
    struct routing *routing = context;

    keeper_link_open_mroute(routing->keeper, family, table);
}

static void give_table_back(void *context, uint8_t family, uint32_t table)
{
    struct routing *routing = context;

    unwatch_upcalls(routing, family, table);
    keeper_link_close_mroute(routing->keeper, family, table);
}

static void explain_refusal(const struct keeper_answer *answer, struct error *error)
{
    if (answer->error == -EADDRINUSE)
        error_set(error, ERROR_IN_USE, "table",
                  "Table %u is owned by another process: %s. Stop it, or use another table.",
                  answer->table, answer->owner);
    else if (answer->error == -ENFILE)
        error_set(error, ERROR_LIMIT, "table", "The service keeps %d tables open at most.",
                  KEPT_MAX);
    else if (answer->error == -EACCES)
        error_set(error, ERROR_UNSUPPORTED, "table",
                  "The configuration of the service does not let it use table %u; see 'tables' in "
                  "netbrokerd.conf(5).",
                  answer->table);
    else if (answer->error == -ENOPROTOOPT || answer->error == -EAFNOSUPPORT)
        error_set(error, ERROR_UNSUPPORTED, "table",
                  "This kernel has no multicast routing for the address family, or no tables but "
                  "the default one.");
    else
        error_set(error, ERROR_INTERNAL, "table", "The kernel refused table %u: %s.", answer->table,
                  strerror(-answer->error));
}

void routing_take_table(struct routing *routing, const struct keeper_answer *answer, int fd)
{
    struct mroute_socket socket = {fd, (uint8_t)answer->family, answer->table};
    struct error error;

    if (fd >= 0)
        watch_upcalls(routing, &socket);
    else
        explain_refusal(answer, &error);
    mroute_table_opened(routing->services->mroute, socket.family, socket.table, fd, &error);
}

static bool ask_for_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    struct routing *routing = context;

    if (ifindex)
        return keeper_link_add_rule(routing->keeper, rule->family, rule->table, ifindex);
    keeper_link_del_rule(routing->keeper, rule->family, rule->table, rule->iif);
    return false;
}

void routing_take_rule(struct routing *routing, const struct keeper_answer *answer)
{
    if (answer->error < 0)
        log_line(LOG_ERR, "no rule leads packets to %s multicast table %u: %s.",
                 family_name((uint8_t)answer->family), answer->table, strerror(-answer->error));
    mroute_rule_answered(routing->services->mroute, (uint8_t)answer->family, answer->table);
}

void routing_adopt(struct routing *routing, const struct kept *kept)
{
    struct rules_host rules = {ask_for_rule, routing};

    for (size_t i = 0; i < kept->table_count; i++) {
        const struct mroute_socket *table = &kept->tables[i];
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
        log_line(LOG_NOTICE, "%zu routes were in the kernel already; they are ours now.", count);
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
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &routing->watches[i];

        if (watch->used && !uv_is_closing((uv_handle_t *)&watch->poll))
            uv_close((uv_handle_t *)&watch->poll, end_watch);
    }
    uv_close((uv_handle_t *)&routing->timer, NULL);
}

void routing_set_limits(struct routing *routing, const struct limits *limits)
{
    struct mroute_limits bounds = {limits->learned_routes, limits->unmatched_flows};

    mroute_set_limits(routing->services->mroute, &bounds);
}
