/* The broker holds no privilege: it works on descriptors that the keeper opened. Here its parts are
 * put together, and it is told when to begin, to read its configuration again, and to end.
 *
 * What libuv calls for its loop, signals and threads:
 * #syscalls broker: epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 pipe2
 * #syscalls broker: read readv write writev ioctl clone fcntl fcntl64 close dup2 dup3 getppid
 */
#include "broker.h"

#include "broker/guard/policy_file.h"
#include "broker/service/configured.h"
#include "broker/service/leasing.h"
#include "broker/service/status_line.h"
#include "broker/state/state.h"
#include "broker/wire/dispatch.h"
#include "broker/wire/pending.h"
#include "broker/wire/server.h"
#include "broker/wire/services.h"
#include "broker/wire/session.h"
#include "keeper_link.h"
#include "log.h"
#include "platform/process.h"
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
    struct watch netifs_watch;
    uv_timer_t tick;
    struct keeper_link keeper;
    struct services services;
    struct user_names names;
    struct subuids subuids;
    struct server *server;
    struct configured *configured;
    bool reload_wanted; /* when clients are served */
    bool has_policy;    /* the policy was read once without mistakes */
    bool doubtful;      /* see struct config */
    bool ending;
    int status;
    char told[STATUS_TEXT_MAX + 1]; /* to the manager */
};

/* --- What happens -------------------------------------------------------------------------- */

/* Each kind that has begun. */
#define KINDS_FOREACH(broker, i, self)                                                             \
    for (size_t i = 0; kinds[i]; i++)                                                              \
        for (void *self = kind_self(&(broker)->services.kinds, kinds[i]); self; self = NULL)

static void pass_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct broker *broker = context;

    KINDS_FOREACH (broker, i, self)
        if (kinds[i]->netif_changed)
            kinds[i]->netif_changed(self, was, is);
}

static void update_netifs(struct services *services)
{
    netifs_update(services->netifs);
}

static void on_netifs(struct watch *watch, int events)
{
    struct broker *broker = watch->context;

    (void)events;
    netifs_update(broker->services.netifs);
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
    turns_stop(&broker->services.turns);
    if (broker->services.state)
        state_stop(broker->services.state);
    broker->services.state = NULL;
    KINDS_FOREACH (broker, i, self)
        if (kinds[i]->stop)
            kinds[i]->stop(self);
    watch_close(&broker->netifs_watch, NULL);
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

static void set_limits(struct broker *broker, const struct limits *limits)
{
    users_set_limits(&broker->services.users, limits, server_descriptors());
    KINDS_FOREACH (broker, i, self)
        if (kinds[i]->set_limits)
            kinds[i]->set_limits(self, limits);
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
    config.started_by = broker->config.started_by;
    *mistakes = (struct mistakes){0};
    if (!config_read(&config, mistakes)) {
        log_line(LOG_ERR, "the configuration stays as it was.");
        return;
    }
    if (!broker->config.log_level_fixed)
        log_set_level(config.log_level);
    set_limits(broker, &config.limits);
    if (broker->doubtful)
        settle_doubts(broker, &config);
    log_line(LOG_NOTICE, "configuration read again.");
}

/* Whom the policy names is exempt from limits, and no one else is. */
static void take_administrators(struct services *services)
{
    struct administrators administrators = policy_administrators(&services->policy);

    pools_set_administrators(&services->users.pools, administrators.uids);
    services->audit.shares.administrator =
        administrators.uids[0] ? administrators.uids[0] : administrators.uids[1];
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
    take_administrators(services);
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
    pendings_policy_changed(&broker->services);
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

static bool start_kinds(struct broker *broker)
{
    struct services *services = &broker->services;
    struct resource_host host = {
        .loop = &broker->loop,
        .keeper = &broker->keeper,
        .ending = &broker->ending,
        .netifs = services->netifs,
        .leases = &services->leases,
        .slices = &services->slices,
        .events = &services->events,
        .pools = &services->users.pools,
        .policy = &services->policy,
        .config = &broker->config,
        .closer = &services->closer,
    };

    memcpy(host.counters, broker->start->counters, sizeof host.counters);
    uv_random(NULL, NULL, &host.seed, sizeof host.seed, 0, NULL);
    for (size_t i = 0; kinds[i]; i++) {
        void *self;

        if (!kinds[i]->start(&host, &self))
            return false;
        kind_set_self(&services->kinds, kinds[i], self);
    }
    set_limits(broker, &broker->config.limits);
    return true;
}

/* The numbers of /etc/subuid are those of the machine. */
static void find_users(struct broker *broker)
{
    const struct place *place = &broker->config.place;
    struct services *services = &broker->services;

    user_names_init(&broker->names, "/etc/passwd");
    subuids_init(&broker->subuids, place->maps_users ? NULL : "/etc/subuid", &broker->names);
    services->names = services->users.names = &broker->names;
    services->identity = (struct identity){&broker->names, &broker->subuids, *place};
    if (!place->netns)
        log_line(LOG_WARNING, "this kernel does not tell the network namespaces of clients: rules "
                              "hold for clients of all of them.");
}

static bool make_services(struct broker *broker)
{
    const struct config *config = &broker->config;
    struct services *services = &broker->services;

    turns_init(&services->turns, &broker->loop);
    slices_init(&services->slices, &broker->loop, &services->leases);
    events_init(&services->events, &services->turns);
    users_init(&services->users, &config->limits, server_descriptors(), config->started_by);
    find_users(broker);
    services->netifs = netifs_new(pass_netif, broker);
    leasing_start(services);
    return services->netifs && start_kinds(broker);
}

/* Takes over what the keeper kept, and what that holds. */
static void inherit(struct broker *broker)
{
    const struct kept *kept = broker->start->kept;

    for (size_t n = 0; n < kept->count; n++)
        KINDS_FOREACH (broker, i, self)
            if (kinds[i]->inherit)
                kinds[i]->inherit(self, kept->entries[n].name, kept->entries[n].fd);
    KINDS_FOREACH (broker, i, self)
        if (kinds[i]->begin)
            kinds[i]->begin(self);
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
    facts->keeper_sandbox = &broker->start->keeper_sandbox;
    facts->broker_sandbox = &broker->start->broker_sandbox;
}

/* What is wanted is in force: clients may come. */
static void serve(void *context, const struct mistakes *mistakes)
{
    struct broker *broker = context;
    struct session_host sessions = {
        .loop = &broker->loop,
        .services = &broker->services,
        .before_requests = update_netifs,
        .perform = dispatch_request,
        .cancel = pending_cancel,
    };
    const struct kept *kept = broker->start->kept;

    if (broker->ending)
        return;
    broker->services.mistakes.multicast = *mistakes;
    state_settle(broker->services.state);
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
    KINDS_FOREACH (broker, i, self)
        if (kinds[i]->tick)
            kinds[i]->tick(self);
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
    watch_init(&broker->netifs_watch, &broker->loop, netifs_fd(broker->services.netifs), on_netifs,
               broker);
    watch_start(&broker->netifs_watch, UV_READABLE);
    uv_timer_init(&broker->loop, &broker->tick);
    broker->tick.data = broker;
    uv_timer_start(&broker->tick, on_tick, TICK_MS, TICK_MS);
    broker->keeper.channel = broker->start->channel;
    broker->keeper.names_ever = (uint32_t)broker->start->kept->name_ever_count;
    broker->keeper.lost = lose_keeper;
    broker->keeper.context = broker;
    keeper_link_start(&broker->keeper, &broker->loop);
}

static bool make_state(struct broker *broker)
{
    struct services *services = &broker->services;
    struct state_host host = {
        .loop = &broker->loop,
        .leases = &services->leases,
        .kinds = &services->kinds,
        .path = broker->config.state,
        .journal = kept_find(broker->start->kept, KEPT_JOURNAL),
    };

    services->state = state_new(&host);
    return services->state != NULL;
}

static int run(struct broker *broker)
{
    uv_loop_init(&broker->loop);
    if (!make_services(broker)) {
        log_line(LOG_ERR, "cannot read the interfaces: %s.", strerror(errno));
        return 1;
    }
    fill_facts(broker);
    broker->services.policy.started_by = broker->config.started_by;
    audit_open(&broker->services.audit, now_ms);
    broker->services.audit.journal = broker->start->journal_log;
    broker->services.audit.names = &broker->names;
    broker->services.audit.shares.administrator = broker->config.started_by;
    broker->doubtful = broker->config.doubtful;
    broker->services.mistakes.configuration = broker->config.mistakes;
    load_policy(broker);
    watch_all(broker);
    inherit(broker);
    broker->configured =
        configured_new(&broker->loop, &broker->services.kinds, broker->config.multicast,
                       config_requires_multicast(&broker->config), broker->config.started_by);
    if (!broker->configured || !make_state(broker))
        return 1;
    state_restore(broker->services.state, load_configured, broker);
    uv_run(&broker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&broker->loop);
    audit_close(&broker->services.audit);
    policy_clear(&broker->services.policy);
    users_clear(&broker->services.users);
    closer_stop(broker->services.closer, NULL);
    subuids_clear(&broker->subuids);
    user_names_clear(&broker->names);
    configured_free(broker->configured);
    KINDS_FOREACH (broker, i, self)
        kinds[i]->free(self);
    leases_clear(&broker->services.leases);
    netifs_free(broker->services.netifs);
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
