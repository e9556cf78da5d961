/* The broker holds no privilege: it works on descriptors that the keeper opened. Here its parts are
 * put together, and it is told when to begin, to read its configuration again, and to end.
 *
 * What libuv calls for its loop, signals and threads:
 * #syscalls broker: epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 pipe2
 * #syscalls broker: read readv write writev ioctl clone fcntl fcntl64 close dup dup2 dup3 getppid
 */
#include "broker.h"

#include "authorise.h"
#include "configured.h"
#include "joining.h"
#include "keeper_link.h"
#include "log.h"
#include "platform/process.h"
#include "policy_file.h"
#include "resources/mroute/rules.h"
#include "server.h"
#include "services.h"
#include "state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AUDIT_INTERVAL_MS = 1000 };

/* A table's socket, watched for upcalls. */
struct upcall_watch {
    uv_poll_t poll;
    struct broker *broker;
    int fd; /* a copy: the table may be closed before the handle is */
    uint8_t family;
    uint32_t table;
    bool used;
};

struct broker {
    const struct broker_start *start;
    struct config config;
    uv_loop_t loop;
    uv_signal_t terminate, reload;
    uv_poll_t links_poll;
    uv_timer_t audit_timer, routes_timer;
    struct keeper_link keeper;
    struct services services;
    struct joining joining;
    struct server *server;
    struct state *state; /* NULL: none is kept */
    struct configured *configured;
    struct upcall_watch upcalls[TABLES_MAX];
    bool ending;
    int status;
};

/* --- Tables -------------------------------------------------------------------------------- */

static void on_upcall(uv_poll_t *poll, int status, int events)
{
    struct upcall_watch *watch = poll->data;

    (void)status;
    (void)events;
    mroute_read_upcalls(watch->broker->services.mroute, watch->family, watch->table);
}

static void end_watch(uv_handle_t *handle)
{
    struct upcall_watch *watch = handle->data;

    close(watch->fd);
    watch->used = false;
}

/* libuv refuses a descriptor that it polls already, and tables close in the middle of a turn, so
 * each watch has a copy of its own. */
static void watch_upcalls(struct broker *broker, const struct mroute_socket *socket)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &broker->upcalls[i];

        if (watch->used)
            continue;
        *watch = (struct upcall_watch){
            .broker = broker,
            .fd = dup(socket->fd),
            .family = socket->family,
            .table = socket->table,
        };
        if (watch->fd < 0 || uv_poll_init(&broker->loop, &watch->poll, watch->fd) < 0)
            return;
        watch->used = true;
        watch->poll.data = watch;
        uv_poll_start(&watch->poll, UV_READABLE, on_upcall);
        return;
    }
}

static void unwatch_upcalls(struct broker *broker, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &broker->upcalls[i];

        if (watch->used && watch->family == family && watch->table == table &&
            !uv_is_closing((uv_handle_t *)&watch->poll))
            uv_close((uv_handle_t *)&watch->poll, end_watch);
    }
}

static void ask_for_table(void *context, uint8_t family, uint32_t table)
{
    struct broker *broker = context;

    keeper_link_open_mroute(&broker->keeper, family, table);
}

static void give_table_back(void *context, uint8_t family, uint32_t table)
{
    struct broker *broker = context;

    unwatch_upcalls(broker, family, table);
    keeper_link_close_mroute(&broker->keeper, family, table);
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

static void take_table(void *context, const struct keeper_answer *answer, int fd)
{
    struct broker *broker = context;
    struct mroute_socket socket = {fd, (uint8_t)answer->family, answer->table};
    struct error error;

    if (fd >= 0)
        watch_upcalls(broker, &socket);
    else
        explain_refusal(answer, &error);
    mroute_table_opened(broker->services.mroute, socket.family, socket.table, fd, &error);
}

static bool ask_for_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    struct broker *broker = context;

    if (ifindex)
        return keeper_link_add_rule(&broker->keeper, rule->family, rule->table, ifindex);
    keeper_link_del_rule(&broker->keeper, rule->family, rule->table, rule->iif);
    return false;
}

static void take_rule(void *context, const struct keeper_answer *answer)
{
    struct broker *broker = context;

    if (answer->error < 0)
        log_line(LOG_ERR, "no rule leads packets to %s multicast table %u: %s.",
                 family_name((uint8_t)answer->family), answer->table, strerror(-answer->error));
    mroute_rule_answered(broker->services.mroute, (uint8_t)answer->family, answer->table);
}

static void adopt_tables(struct broker *broker)
{
    struct rules_host rules = {ask_for_rule, broker};

    for (size_t i = 0; i < broker->start->kept->table_count; i++) {
        const struct mroute_socket *table = &broker->start->kept->tables[i];
        int result;

        watch_upcalls(broker, table);
        result = mroute_adopt(broker->services.mroute, table);
        if (result < 0)
            log_line(LOG_ERR, "cannot read the %s table %u: %s.", family_name(table->family),
                     table->table, strerror(-result));
    }
    mroute_keep_rules(broker->services.mroute, &rules);

    size_t count = mroute_totals(broker->services.mroute).routes;

    if (count > 0)
        log_line(LOG_NOTICE, "%zu routes were in the kernel already; they are ours now.", count);
}

/* --- What happens -------------------------------------------------------------------------- */

static void on_route_news(void *context, enum route_news news, const struct route *route)
{
    struct broker *broker = context;

    publish_route(&broker->services, news, route);
    if (broker->state && news < ROUTE_LEARNED_NEWS)
        state_touch(broker->state);
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    struct broker *broker = context;

    publish_upcall(&broker->services, family, table, upcall);
}

static void count_hold(void *context, const struct lease *lease)
{
    struct broker *broker = context;

    if (lease->uid != LEASE_UID_UNKNOWN)
        users_hold_lease(&broker->services.users, lease->uid);
    if (broker->state)
        state_touch(broker->state);
}

static void discount_hold(void *context, const struct route *route, const struct lease *lease)
{
    struct broker *broker = context;

    if (lease->uid != LEASE_UID_UNKNOWN)
        users_release_lease(&broker->services.users, lease->uid);
    record_release(&broker->services, route, lease);
    if (broker->state)
        state_touch(broker->state);
}

static void on_routes_timer(uv_timer_t *timer)
{
    struct broker *broker = timer->data;

    if (!mroute_tick(broker->services.mroute, uv_hrtime() / 1000000))
        uv_timer_stop(timer);
}

/* Learned routes are looked at as long as there are any. */
static void start_ticks(void *context)
{
    struct broker *broker = context;

    if (!broker->ending && !uv_is_active((uv_handle_t *)&broker->routes_timer))
        uv_timer_start(&broker->routes_timer, on_routes_timer, MROUTE_TICK_MS, MROUTE_TICK_MS);
}

static void pass_link(void *context, const struct link_info *was, const struct link_info *is)
{
    struct broker *broker = context;

    if (broker->services.mroute) /* not yet, while the first ones are read */
        mroute_link_changed(broker->services.mroute, was, is);
    if (broker->services.joins)
        joins_link_changed(broker->services.joins, was, is);
}

/* --- Joins --------------------------------------------------------------------------------- */

static void ask_for_joins(void *context, uint8_t family)
{
    struct broker *broker = context;

    keeper_link_open_joins(&broker->keeper, family);
}

static void take_joins(void *context, uint8_t family, int fd)
{
    struct broker *broker = context;

    joining_take(&broker->joining, family, fd);
}

static void end_older_joins(void *context)
{
    struct broker *broker = context;

    keeper_link_joined(&broker->keeper);
}

static void keep_state(void *context)
{
    struct broker *broker = context;

    if (broker->state)
        state_touch(broker->state);
}

static bool start_joins(struct broker *broker, uint64_t seed)
{
    struct joining_host host = {ask_for_joins, end_older_joins, keep_state, broker};

    return joining_start(&broker->joining, &broker->loop, &broker->services, &host, seed);
}

static void update_links(struct services *services)
{
    links_update(services->links);
}

static void on_links(uv_poll_t *poll, int status, int events)
{
    struct broker *broker = poll->data;

    (void)status;
    (void)events;
    links_update(broker->services.links);
}

/* --- Beginning and ending ------------------------------------------------------------------ */

static void end(struct broker *broker, int status)
{
    if (broker->ending)
        return;
    broker->ending = true;
    broker->status = status;
    if (broker->server)
        server_stop(broker->server);
    if (broker->state)
        state_stop(broker->state);
    for (size_t i = 0; i < TABLES_MAX; i++)
        if (broker->upcalls[i].used && !uv_is_closing((uv_handle_t *)&broker->upcalls[i].poll))
            uv_close((uv_handle_t *)&broker->upcalls[i].poll, end_watch);
    joining_stop(&broker->joining);
    uv_close((uv_handle_t *)&broker->links_poll, NULL);
    uv_close((uv_handle_t *)&broker->audit_timer, NULL);
    uv_close((uv_handle_t *)&broker->routes_timer, NULL);
    uv_close((uv_handle_t *)&broker->terminate, NULL);
    uv_close((uv_handle_t *)&broker->reload, NULL);
    keeper_link_stop(&broker->keeper);
}

static void lose_keeper(void *context)
{
    log_line(LOG_ERR, "the keeper is gone; ending.");
    end(context, 1);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data, 0);
}

static void set_network_limits(struct broker *broker, const struct limits *limits)
{
    struct mroute_limits bounds = {limits->learned_routes, limits->unmatched_flows};

    mroute_set_limits(broker->services.mroute, &bounds);
}

/* Only the log level and the limits may change while the service runs. It comes from the file
 * alone: what stood there before and is gone now has its default again. */
static void reload_config(struct broker *broker)
{
    struct config config;

    config_init(&config);
    memcpy(config.file, broker->config.file, sizeof config.file);
    config.file_required = broker->config.file_required;
    if (!config_read(&config)) {
        log_line(LOG_ERR, "the configuration stays as it was.");
        return;
    }
    if (!broker->config.log_level_fixed)
        log_set_level(config.log_level);
    users_set_limits(&broker->services.users, &config.limits, server_descriptors());
    set_network_limits(broker, &config.limits);
    log_line(LOG_NOTICE, "configuration read again.");
}

static void reload_policy(struct broker *broker)
{
    if (policy_load(&broker->services.policy, broker->config.policy)) {
        sessions_check_policy(&broker->services);
        log_line(LOG_NOTICE, "policy read: %zu rules.", broker->services.policy.count);
    } else {
        log_line(LOG_ERR, "the policy stays as it was: %zu rules.", broker->services.policy.count);
    }
}

static void end_reload(void *context)
{
    struct broker *broker = context;

    keeper_link_ready(&broker->keeper);
}

static void on_reload(uv_signal_t *handle, int number)
{
    struct broker *broker = handle->data;

    (void)number;
    reload_config(broker);
    reload_policy(broker);
    configured_load(broker->configured, end_reload, broker);
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static bool make_services(struct broker *broker)
{
    const struct config *config = &broker->config;
    struct services *services = &broker->services;
    struct mroute_callbacks callbacks = {
        .open_table = ask_for_table,
        .close_table = give_table_back,
        .route_news = on_route_news,
        .upcall = pass_upcall,
        .hold_begins = count_hold,
        .hold_ends = discount_hold,
        .needs_ticks = start_ticks,
        .context = broker,
    };
    uint64_t seed = 0;

    uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL);
    events_init(&services->events);
    users_init(&services->users, &config->limits, server_descriptors(), config->started_by);
    services->links = links_new(pass_link, broker);
    if (!services->links)
        return false;
    services->mroute = mroute_new(services->links, &callbacks, seed);
    if (!services->mroute)
        return false;
    set_network_limits(broker, &config->limits);
    return start_joins(broker, seed);
}

static void fill_facts(struct broker *broker)
{
    struct service_facts *facts = &broker->services.facts;

    facts->keeper = broker->start->keeper;
    facts->broker = getpid();
    facts->restarts = broker->start->restarts;
    facts->started_ns = uv_hrtime();
    facts->socket = broker->config.socket;
    facts->state_file = broker->config.state;
    memcpy(facts->keeper_privileges, broker->start->keeper_privileges,
           sizeof facts->keeper_privileges);
    memcpy(facts->broker_privileges, broker->start->broker_privileges,
           sizeof facts->broker_privileges);
    memcpy(facts->keeper_sandbox, broker->start->keeper_sandbox.in_force,
           sizeof facts->keeper_sandbox);
    memcpy(facts->broker_sandbox, broker->start->broker_sandbox.in_force,
           sizeof facts->broker_sandbox);
}

/* The routes are in force: clients may come. */
static void serve(void *context)
{
    struct broker *broker = context;
    struct session_host sessions = {
        .loop = &broker->loop,
        .services = &broker->services,
        .events = &broker->services.events,
        .before_requests = update_links,
    };
    const struct kept *kept = broker->start->kept;

    if (broker->ending)
        return;
    mroute_settle(broker->services.mroute);
    joins_loaded(broker->services.joins);
    broker->server = server_new(&broker->loop, kept->listeners, kept->listener_count, &sessions);
    if (!broker->server) {
        log_line(LOG_ERR, "no memory to serve clients.");
        _exit(1);
    }
    broker->services.server = broker->server;
    log_line(LOG_INFO, "serving on %s.", broker->config.socket);
    keeper_link_ready(&broker->keeper);
    if (!broker->config.foreground)
        log_to_syslog();
}

/* What clients asked for before is there; what the administrator wants comes over it. */
static void load_configured(void *context)
{
    struct broker *broker = context;

    configured_load(broker->configured, serve, broker);
}

/* The end of a flood is told although nothing follows it. */
static void on_audit_timer(uv_timer_t *timer)
{
    struct broker *broker = timer->data;

    audit_summarise(&broker->services.audit);
}

static void watch_all(struct broker *broker)
{
    uv_signal_init(&broker->loop, &broker->terminate);
    uv_signal_init(&broker->loop, &broker->reload);
    broker->terminate.data = broker->reload.data = broker;
    uv_signal_start(&broker->terminate, on_terminate, SIGTERM);
    uv_signal_start(&broker->reload, on_reload, SIGHUP);
    uv_poll_init(&broker->loop, &broker->links_poll, links_fd(broker->services.links));
    broker->links_poll.data = broker;
    uv_poll_start(&broker->links_poll, UV_READABLE, on_links);
    uv_timer_init(&broker->loop, &broker->audit_timer);
    broker->audit_timer.data = broker;
    uv_timer_init(&broker->loop, &broker->routes_timer);
    broker->routes_timer.data = broker;
    uv_timer_start(&broker->audit_timer, on_audit_timer, AUDIT_INTERVAL_MS, AUDIT_INTERVAL_MS);
    broker->keeper.channel = broker->start->channel;
    broker->keeper.opened = take_table;
    broker->keeper.ruled = take_rule;
    broker->keeper.joins_opened = take_joins;
    broker->keeper.lost = lose_keeper;
    broker->keeper.context = broker;
    keeper_link_start(&broker->keeper, &broker->loop);
}

static int run(struct broker *broker)
{
    uv_loop_init(&broker->loop);
    if (!make_services(broker)) {
        log_line(LOG_ERR, "cannot read the interfaces: %s.", strerror(errno));
        return 1;
    }
    fill_facts(broker);
    broker->services.policy.administrator = broker->config.started_by;
    audit_open(&broker->services.audit, now_ms);
    reload_policy(broker);
    watch_all(broker);
    adopt_tables(broker);
    if (broker->config.state[0])
        broker->state = state_new(&broker->loop, broker->services.mroute, broker->services.joins,
                                  broker->services.links, broker->config.state);
    broker->configured = configured_new(broker->services.mroute, broker->services.joins,
                                        broker->config.multicast, broker->config.started_by);
    if (!broker->configured)
        return 1;
    if (broker->state)
        state_load(broker->state, broker->start->fresh, load_configured, broker);
    else
        load_configured(broker);
    uv_run(&broker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&broker->loop);
    audit_close(&broker->services.audit);
    policy_clear(&broker->services.policy);
    users_clear(&broker->services.users);
    configured_free(broker->configured);
    joins_free(broker->services.joins);
    mroute_free(broker->services.mroute);
    links_free(broker->services.links);
    return broker->status;
}

int broker_run(const struct broker_start *start)
{
    struct broker *broker = calloc(1, sizeof *broker);
    int status;

    if (!broker)
        return 1;
    broker->start = start;
    broker->config = *start->config;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* of a terminal: the keeper decides */
    status = run(broker);
    free(broker);
    return status;
}
