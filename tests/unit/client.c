#include "client.h"

#include "broker/service/leasing.h"
#include "broker/wire/server.h"
#include "resources/mroute/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DESCRIPTORS = 1000,
    SETTLE_TURNS = 20, /* and those in which the service is busy */
};

static void count_close(void *context, struct session *session)
{
    struct service *service = context;

    (void)session;
    service->closed++;
}

static void update_netifs(struct services *services)
{
    netifs_update(services->netifs);
}

static void publish_event(void *context, enum route_event event, const struct route *route)
{
    struct service *service = context;

    publish_route(&service->services.events, event, route);
    if (event == ROUTE_ADDED_EVENT)
        publish_losers(&service->services.events, route);
}

static bool judge_move(void *context, const struct route *from, const struct route *range,
                       const struct address *group)
{
    struct service *service = context;

    return rights_may_move(&service->services.policy, from, range, group);
}

static void tell_overridden(void *context, const struct route *loser, const struct prefix *source,
                            const struct prefix *group)
{
    struct service *service = context;

    publish_overridden(&service->services.events, loser, source, group);
}

static bool count_question(void *context, uint8_t family, uint32_t table)
{
    struct service *service = context;

    (void)family;
    service->kernel.asked++;
    service->kernel.asked_table = table;
    return true;
}

static void count_table_close(void *context, uint8_t family, uint32_t table)
{
    struct service *service = context;

    (void)family;
    (void)table;
    service->kernel.closed++;
}

static void take_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    struct service *service = context;

    publish_upcall(&service->mroute, family, table, upcall);
}

static void take_healed(void *context, const struct mroute_healed *healed)
{
    struct service *service = context;

    publish_healed(&service->services.events, healed);
}

static void take_need(void *context)
{
    (void)context;
}

static struct resource_host service_host(struct service *service)
{
    return (struct resource_host){
        .keeper = &service->keeper.link,
        .netifs = service->kernel.netifs,
        .leases = &service->services.leases,
        .slices = &service->services.slices,
        .events = &service->services.events,
        .pools = &service->services.users.pools,
        .policy = &service->services.policy,
        .config = &service->keeper.config,
        .closer = &service->services.closer,
        .counters = {-1, -1},
        .seed = 1,
    };
}

/* The module of the kernel fixture, but with callbacks that publish, as the broker's do. */
static void start_mroute(struct service *service)
{
    struct mroute_callbacks callbacks = {
        .open_table = count_question,
        .close_table = count_table_close,
        .route_event = publish_event,
        .upcall = take_upcall,
        .healed = take_healed,
        .may_move = judge_move,
        .overridden = tell_overridden,
        .needs_ticks = take_need,
        .context = service,
    };
    struct kernel *kernel = &service->kernel;

    mroute_free(kernel->mroute);
    kernel->mroute = mroute_new(kernel->netifs, &service->services.leases, &callbacks, 1);
    ck_assert_ptr_nonnull(kernel->mroute);
    mroute_use_pools(kernel->mroute, &service->services.users.pools);
    service->mroute.host = service_host(service);
    service->mroute.mroute = kernel->mroute;
    kind_set_self(&service->services.kinds, &mroute_ops, &service->mroute);
}

/* Routes and joins are told by the fixture. */
static void pass_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct service *service = context;

    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i] != &mroute_ops && kinds[i] != &join_ops && kinds[i]->netif_changed)
            kinds[i]->netif_changed(service->services.kinds.list[i], was, is);
}

/* The kinds that are as in the broker. */
static void start_others(struct service *service)
{
    struct resource_host host = service_host(service);
    void *self;

    host.loop = &service->loop;
    strcpy(service->keeper.config.tap_prefix, TAP_PREFIX_DEFAULT);
    keeper_end_start(&service->keeper, &service->loop);
    for (size_t i = 0; kinds[i]; i++) {
        if (kinds[i] == &mroute_ops)
            continue;
        ck_assert(kinds[i]->start(&host, &self));
        kind_set_self(&service->services.kinds, kinds[i], self);
    }
    service->join = kind_self(&service->services.kinds, &join_ops);
    service->kernel.joins = service->join->joins;
    service->kernel.netif_changed = pass_netif;
    service->kernel.netif_context = service;
}

/* Tests pass the seconds themselves: a slow machine's would come on top. */
static void stop_clock(uv_handle_t *handle, void *context)
{
    (void)context;
    if (handle->type == UV_TIMER)
        uv_timer_stop((uv_timer_t *)handle);
}

/* Of service->kernel. */
static void start(struct service *service)
{
    signal(SIGPIPE, SIG_IGN); /* as the broker does */
    leasing_start(&service->services);
    users_init(&service->services.users, &LIMITS_DEFAULT, DESCRIPTORS, 0);
    start_mroute(service);
    uv_loop_init(&service->loop);
    service->host = (struct session_host){
        .loop = &service->loop,
        .services = &service->services,
        .before_requests = update_netifs,
        .perform = dispatch_request,
        .cancel = pending_cancel,
        .closed = count_close,
        .context = service,
    };
    service->services.netifs = service->kernel.netifs;
    service->services.facts.socket = "socket";
    service->services.facts.state_file = "";
    events_init(&service->services.events, &service->services.turns);
    turns_init(&service->services.turns, &service->loop);
    slices_init(&service->services.slices, &service->loop, &service->services.leases);
    start_others(service);
    service->services.server = server_new(&service->loop, NULL, 0, &service->host);
    uv_walk(&service->loop, stop_clock, NULL);
    for (int n = 0; n < CLIENTS_MAX; n++) {
        service->clients[n] = -1;
        service->received[n].limit = 1 << 26;
    }
}

void service_begin(struct service *service, const char *interfaces)
{
    memset(service, 0, sizeof *service);
    kernel_begin(&service->kernel, interfaces);
    start(service);
    close(kernel_open_table(&service->kernel, V4, TABLE_ID_DEFAULT_IPV4));
    close(kernel_open_table(&service->kernel, V6, TABLE_ID_DEFAULT_IPV6));
}

static void adopt(void *context, const struct mroute_socket *socket)
{
    struct mroute_socket copy = *socket;

    copy.fd = dup(socket->fd);
    ck_assert_int_eq(mroute_adopt(context, &copy), 0);
}

void service_follow(struct service *service, const struct service *dead)
{
    memset(service, 0, sizeof *service);
    kernel_start(&service->kernel);
    start(service);
    mroute_visit_sockets(dead->kernel.mroute, adopt, service->kernel.mroute);
}

static void note_restored(void *context)
{
    *(bool *)context = true;
}

void service_keep(struct service *service, int journal, const char *path)
{
    struct services *services = &service->services;
    struct state_host host = {&service->loop, &services->leases, &services->kinds, path, journal};
    bool restored = false;

    services->state = state_new(&host);
    ck_assert_ptr_nonnull(services->state);
    state_restore(services->state, note_restored, &restored);
    while (!restored) {
        uv_run(&service->loop, UV_RUN_NOWAIT);
        service->restore_turns++;
    }
    state_settle(services->state);
}

void service_apply_limits(struct service *service)
{
    struct limits limits = service->services.users.limits;

    users_set_limits(&service->services.users, &limits, DESCRIPTORS);
}

void service_end(struct service *service)
{
    for (int n = 0; n < CLIENTS_MAX; n++)
        client_close(service, n);
    service_settle(service);
    server_stop((struct server *)service->services.server);
    slices_finish(&service->services.slices);
    slices_stop(&service->services.slices);
    turns_stop(&service->services.turns);
    if (service->services.state)
        state_stop(service->services.state);
    service->services.state = NULL;
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i] != &mroute_ops && kinds[i]->stop)
            kinds[i]->stop(service->services.kinds.list[i]);
    keeper_end_stop(&service->keeper);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&service->loop), 0);
    ck_assert_uint_eq(service->services.sessions.count, 0);
    ck_assert_uint_eq(service->services.users.connections.used, 0);
    ck_assert_uint_eq(service->services.users.bytes.used, 0);
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i] != &mroute_ops)
            kinds[i]->free(service->services.kinds.list[i]);
    service->kernel.joins = NULL;
    service->kernel.netif_changed = NULL;
    kernel_end(&service->kernel);
    leases_clear(&service->services.leases);
    users_clear(&service->services.users);
    closer_stop(service->services.closer, NULL);
}

void client_connect(struct service *service, int n)
{
    client_connect_as(service, n, 0);
}

void client_connect_as(struct service *service, int n, uid_t uid)
{
    const struct peer peer = {.uid = uid, .kernel_uid = uid, .gid = (gid_t)uid};
    int pair[2], size = 16384;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    for (int i = 0; i < 2; i++)
        fcntl(pair[i], F_SETFL, O_NONBLOCK);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    service->clients[n] = pair[0];
    ck_assert_ptr_nonnull(session_new(&service->host, pair[1], &peer));
}

void client_close(struct service *service, int n)
{
    if (service->clients[n] >= 0)
        close(service->clients[n]);
    service->clients[n] = -1;
    json_clear(&service->received[n]);
}

static void turn(struct service *service)
{
    uv_run(&service->loop, UV_RUN_NOWAIT);
}

/* The joins work, or the keeper is asked and listens. */
static bool is_busy(const struct service *service)
{
    const struct keeper_link *link = &service->keeper.link;

    return uv_is_active((const uv_handle_t *)&service->join->idle) ||
           uv_is_active((const uv_handle_t *)&service->services.turns.idle) ||
           (uv_is_active((const uv_handle_t *)&service->keeper.poll) &&
            (!TAILQ_EMPTY(&link->calls) || !TAILQ_EMPTY(&link->unsent)));
}

bool service_is_at_work(const struct service *service)
{
    return is_busy(service) || uv_is_active((const uv_handle_t *)&service->services.slices.idle);
}

void service_settle(struct service *service)
{
    for (int i = 0; i < SETTLE_TURNS; i += !is_busy(service))
        turn(service);
}

/* Reads what is there. 0: the end; negative: nothing is there. */
static ssize_t receive(struct service *service, int n)
{
    char bytes[16384];
    ssize_t length = recv(service->clients[n], bytes, sizeof bytes, 0);

    if (length > 0)
        json_bytes(&service->received[n], bytes, (size_t)length);
    return length;
}

void client_send(struct service *service, int n, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(service->clients[n], bytes, length, MSG_NOSIGNAL);

        ck_assert(sent > 0 || errno == EAGAIN);
        if (sent < 0) { /* the service waits until this client has read */
            turn(service);
            receive(service, n);
            continue;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
}

void client_say(struct service *service, int n, const char *text)
{
    client_send(service, n, text, strlen(text));
}

static char *take_line(struct json *received)
{
    char *end = received->length ? memchr(received->text, '\n', received->length) : NULL;
    char *line;

    if (!end)
        return NULL;
    line = strndup(received->text, (size_t)(end - received->text));
    received->length -= (size_t)(end + 1 - received->text);
    memmove(received->text, end + 1, received->length);
    return line;
}

cJSON *client_line(struct service *service, int n, char **ret_line)
{
    char *line = NULL;
    cJSON *tree;

    for (int idle = 0; idle < SETTLE_TURNS && !(line = take_line(&service->received[n]));) {
        turn(service);
        idle = receive(service, n) > 0 ? 0 : idle + !service_is_at_work(service);
    }
    if (!line)
        return NULL;
    tree = cJSON_Parse(line);
    ck_assert_msg(tree != NULL, "not JSON: %.200s", line);
    if (ret_line)
        *ret_line = line;
    else
        free(line);
    return tree;
}

cJSON *client_ask(struct service *service, int n, const char *text)
{
    cJSON *reply;

    client_say(service, n, text);
    reply = client_line(service, n, NULL);
    ck_assert_msg(reply != NULL, "no reply to %s", text);
    return reply;
}

bool client_at_end(struct service *service, int n)
{
    service_settle(service);
    while (receive(service, n) > 0)
        service_settle(service);
    return service->received[n].length == 0 && receive(service, n) == 0;
}

void expect(cJSON *reply, const char *word)
{
    ck_assert_msg(reply != NULL, "no reply, '%s' was expected", word);

    const cJSON *status = cJSON_GetObjectItem(reply, "status");
    const cJSON *code = cJSON_GetObjectItem(reply, "code");

    ck_assert_str_eq((code ? code : status)->valuestring, word);
    cJSON_Delete(reply);
}
