/* The broker holds no privilege: it works on descriptors that the keeper opened. Here its parts are
 * put together, and it is told when to begin, to read its configuration again, and to end.
 *
 * What libuv calls for its loop, signals and threads:
 * #syscalls broker: epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 pipe2
 * #syscalls broker: read readv write writev ioctl clone fcntl fcntl64 close dup dup2 dup3 getppid
 */
#include "broker.h"

#include "configured.h"
#include "joining.h"
#include "keeper_link.h"
#include "log.h"
#include "platform/process.h"
#include "policy_file.h"
#include "routing.h"
#include "server.h"
#include "services.h"
#include "state.h"
#include "status_line.h"
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 1000 };

struct broker {
    const struct broker_start *start;
    struct config config;
    uv_loop_t loop;
    uv_signal_t terminate, reload;
    struct watch links_watch;
    uv_timer_t tick;
    struct keeper_link keeper;
    struct services services;
    struct user_names names;
    struct routing routing;
    struct joining joining;
    struct server *server;
    struct state *state; /* NULL: none is kept */
    struct configured *configured;
    bool reload_wanted; /* when clients are served */
    bool has_policy;    /* the policy was read once without mistakes */
    bool doubtful;      /* see struct config */
    bool ending;
    int status;
    char told[STATUS_TEXT_MAX + 1]; /* to the manager */
};

/* --- What happens -------------------------------------------------------------------------- */

static void pass_link(void *context, const struct link_info *was, const struct link_info *is)
{
    struct broker *broker = context;

    if (broker->services.mroute) /* not yet, while the first ones are read */
        mroute_link_changed(broker->services.mroute, was, is);
    if (broker->services.joins)
        joins_link_changed(broker->services.joins, was, is);
}

static void keep_state(void *context)
{
    struct broker *broker = context;

    if (broker->state)
        state_touch(broker->state);
}

static bool start_joins(struct broker *broker, uint64_t seed)
{
    struct joining_host host = {keep_state, broker};

    return joining_start(&broker->joining, &broker->loop, &broker->services, &broker->keeper, &host,
                         seed);
}

static void update_links(struct services *services)
{
    links_update(services->links);
}

static void on_links(struct watch *watch, int events)
{
    struct broker *broker = watch->context;

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
    if (broker->configured)
        configured_stop(broker->configured);
    slices_finish(&broker->services.slices); /* so that the state file has all of it */
    slices_stop(&broker->services.slices);
    if (broker->state)
        state_stop(broker->state);
    routing_stop(&broker->routing);
    joining_stop(&broker->joining);
    watch_close(&broker->links_watch, NULL);
    uv_close((uv_handle_t *)&broker->tick, NULL);
    uv_close((uv_handle_t *)&broker->terminate, NULL);
    uv_close((uv_handle_t *)&broker->reload, NULL);
    keeper_link_stop(&broker->keeper);
}

static void lose_keeper(void *context)
{
    log_line(LOG_ERR, "the keeper has ended; stopping.");
    end(context, 1);
}

static void on_terminate(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data, 0);
}

static void tell_ready(struct broker *broker)
{
    keeper_tell(&broker->keeper, &(struct keeper_request){.operation = KEEPER_READY});
}

/* Tells the manager what the service does, where that has changed. */
static void tell_status(struct broker *broker)
{
    struct keeper_request request = {.operation = KEEPER_STATUS};

    status_line_format(&broker->services, request.text, sizeof request.text);
    if (strcmp(request.text, broker->told) == 0)
        return;
    memcpy(broker->told, request.text, sizeof broker->told);
    keeper_tell(&broker->keeper, &request);
}

/* --- The administrator's files ------------------------------------------------------------- */

/* The file of the start had a mistake, and this one has none. What it permits is what is in force,
 * unless it has other settings of the kind that hold from a start on. */
static void settle_doubts(struct broker *broker, const struct config *config)
{
    const struct config *ours = &broker->config;

    if ((!ours->policy_fixed && strcmp(config->policy, ours->policy) != 0) ||
        memcmp(&config->tables, &ours->tables, sizeof ours->tables) != 0)
        log_line(LOG_WARNING,
                 "'policy' or 'tables' of %s take effect at the next start; until then, only "
                 "root may do anything.",
                 ours->file);
    else
        broker->doubtful = false;
}

/* Only the log level and the limits may change while the service runs. It comes from the file
 * alone: what stood there before and is gone now has its default again. */
static void reload_config(struct broker *broker)
{
    struct mistakes *mistakes = &broker->services.mistakes.configuration;
    struct config config;

    config_init(&config);
    memcpy(config.file, broker->config.file, sizeof config.file);
    config.file_required = broker->config.file_required;
    *mistakes = (struct mistakes){0};
    if (!config_read(&config, mistakes)) {
        log_line(LOG_ERR, "the configuration stays as it was.");
        return;
    }
    if (!broker->config.log_level_fixed)
        log_set_level(config.log_level);
    users_set_limits(&broker->services.users, &config.limits, server_descriptors());
    routing_set_limits(&broker->routing, &config.limits);
    if (broker->doubtful)
        settle_doubts(broker, &config);
    log_line(LOG_NOTICE, "configuration read again.");
}

static void load_policy(struct broker *broker)
{
    struct services *services = &broker->services;
    const char *path = broker->config.policy;
    bool required = config_requires_policy(&broker->config);

    services->mistakes.policy = (struct mistakes){0};
    if (policy_load(&services->policy, path, required, &services->mistakes.policy)) {
        broker->has_policy = true;
        log_line(LOG_NOTICE, "policy read: %zu rules.", services->policy.count);
    } else if (broker->has_policy) {
        log_line(LOG_ERR, "the policy stays as it was: %zu rules.", services->policy.count);
    }
    services->policy.closed = !broker->has_policy || broker->doubtful;
    if (services->policy.closed)
        log_line(LOG_ERR, "only root may do anything until the mistakes are corrected; routes "
                          "stay in force.");
}

static void end_reload(void *context, const struct mistakes *mistakes)
{
    struct broker *broker = context;

    broker->services.mistakes.multicast = *mistakes;
    tell_status(broker);
    tell_ready(broker);
}

static void reload(struct broker *broker)
{
    reload_config(broker);
    load_policy(broker);
    sessions_check_policy(&broker->services);
    configured_load(broker->configured, CONFIGURED_ALL_OR_NONE, end_reload, broker);
}

static void on_reload(uv_signal_t *handle, int number)
{
    struct broker *broker = handle->data;

    (void)number;
    if (broker->server)
        reload(broker);
    else
        broker->reload_wanted = true;
}

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static bool make_services(struct broker *broker)
{
    const struct config *config = &broker->config;
    struct services *services = &broker->services;
    struct routing_host host = {keep_state, broker};
    uint64_t seed = 0;

    services->loop = &broker->loop;
    memcpy(services->counters, broker->start->counters, sizeof services->counters);
    slices_init(&services->slices, &broker->loop);
    uv_random(NULL, NULL, &seed, sizeof seed, 0, NULL);
    events_init(&services->events);
    users_init(&services->users, &config->limits, server_descriptors(), config->started_by);
    user_names_init(&broker->names, "/etc/passwd");
    services->names = services->users.names = &broker->names;
    services->links = links_new(pass_link, broker);
    if (!services->links)
        return false;
    if (!routing_start(&broker->routing, &broker->loop, services, &broker->keeper, &host, seed))
        return false;
    routing_set_limits(&broker->routing, &config->limits);
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
static void serve(void *context, const struct mistakes *mistakes)
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
    broker->services.mistakes.multicast = *mistakes;
    mroute_settle(broker->services.mroute);
    if (broker->state)
        state_drop_orphans(broker->state);
    joining_loaded(&broker->joining);
    broker->server = server_new(&broker->loop, kept->listeners, kept->listener_count, &sessions);
    if (!broker->server) {
        log_line(LOG_ERR, "no memory to serve clients.");
        _exit(1);
    }
    broker->services.server = broker->server;
    log_line(LOG_INFO, "serving on %s.", broker->config.socket);
    tell_status(broker);
    tell_ready(broker);
    if (!broker->config.foreground)
        log_to_syslog();
    if (broker->reload_wanted)
        reload(broker);
}

/* What clients asked for before is there; what the administrator wants comes over it. */
static void load_configured(void *context)
{
    struct broker *broker = context;

    configured_load(broker->configured, CONFIGURED_WHAT_IS_RIGHT, serve, broker);
}

/* The end of a flood is told although nothing follows it. */
static void on_tick(uv_timer_t *timer)
{
    struct broker *broker = timer->data;

    audit_summarise(&broker->services.audit);
    joins_tick(broker->services.joins);
    if (broker->server)
        tell_status(broker);
}

static void watch_all(struct broker *broker)
{
    sigset_t reload;

    uv_signal_init(&broker->loop, &broker->terminate);
    uv_signal_init(&broker->loop, &broker->reload);
    broker->terminate.data = broker->reload.data = broker;
    uv_signal_start(&broker->terminate, on_terminate, SIGTERM);
    uv_signal_start(&broker->reload, on_reload, SIGHUP);
    sigemptyset(&reload);
    sigaddset(&reload, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &reload, NULL); /* the keeper started the broker with it blocked */
    watch_init(&broker->links_watch, &broker->loop, links_fd(broker->services.links), on_links,
               broker);
    watch_start(&broker->links_watch, UV_READABLE);
    uv_timer_init(&broker->loop, &broker->tick);
    broker->tick.data = broker;
    uv_timer_start(&broker->tick, on_tick, TICK_MS, TICK_MS);
    broker->keeper.channel = broker->start->channel;
    broker->keeper.lost = lose_keeper;
    broker->keeper.context = broker;
    keeper_link_start(&broker->keeper, &broker->loop);
}

static bool make_configured(struct broker *broker)
{
    struct configured_host host = {
        .loop = &broker->loop,
        .slices = &broker->services.slices,
        .mroute = broker->services.mroute,
        .joins = broker->services.joins,
    };

    broker->configured =
        configured_new(&host, broker->config.multicast, config_requires_multicast(&broker->config),
                       broker->config.started_by);
    return broker->configured != NULL;
}

static int run(struct broker *broker)
{
    bool recorded;

    uv_loop_init(&broker->loop);
    if (!make_services(broker)) {
        log_line(LOG_ERR, "cannot read the interfaces: %s.", strerror(errno));
        return 1;
    }
    fill_facts(broker);
    broker->services.policy.administrator = broker->config.started_by;
    audit_open(&broker->services.audit, now_ms);
    broker->services.audit.names = &broker->names;
    broker->doubtful = broker->config.doubtful;
    broker->services.mistakes.configuration = broker->config.mistakes;
    load_policy(broker);
    watch_all(broker);
    routing_adopt(&broker->routing, broker->start->kept);
    recorded = joining_record(&broker->joining, broker->start->kept->joins.record);
    if (broker->config.state[0])
        broker->state = state_new(&broker->loop, broker->services.mroute, broker->services.joins,
                                  broker->services.links, broker->config.state);
    broker->services.state = broker->state;
    if (!make_configured(broker))
        return 1;
    if (broker->state)
        state_load(broker->state, broker->start->fresh, !recorded, load_configured, broker);
    else
        load_configured(broker);
    uv_run(&broker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&broker->loop);
    audit_close(&broker->services.audit);
    policy_clear(&broker->services.policy);
    users_clear(&broker->services.users);
    user_names_clear(&broker->names);
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
