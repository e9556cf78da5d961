#include "client.h"

#include "server.h"

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

static void update_links(struct services *services)
{
    links_update(services->links);
}

static void publish_news(void *context, enum route_news news, const struct route *route)
{
    struct service *service = context;

    publish_route(&service->services, news, route);
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

    publish_upcall(&service->services, family, table, upcall);
}

static void take_hold(void *context, const struct lease *lease)
{
    struct service *service = context;

    if (lease->uid != LEASE_UID_UNKNOWN)
        users_hold_lease(&service->services.users, lease->uid);
}

static void take_release(void *context, const struct route *route, const struct lease *lease)
{
    struct service *service = context;

    (void)route;
    if (lease->uid != LEASE_UID_UNKNOWN)
        users_release_lease(&service->services.users, lease->uid);
}

static void ignore(void *context)
{
    (void)context;
}

static void take_need(void *context)
{
    (void)context;
}

/* The module of the kernel fixture, but with callbacks that publish, as the broker's do. */
static void start_mroute(struct service *service)
{
    struct mroute_callbacks callbacks = {
        .open_table = count_question,
        .close_table = count_table_close,
        .route_news = publish_news,
        .upcall = take_upcall,
        .hold_begins = take_hold,
        .hold_ends = take_release,
        .needs_ticks = take_need,
        .context = service,
    };
    struct kernel *kernel = &service->kernel;

    mroute_free(kernel->mroute);
    kernel->mroute = mroute_new(kernel->links, &callbacks, 1);
    ck_assert_ptr_nonnull(kernel->mroute);
    close(kernel_open_table(kernel, V4, TABLE_ID_DEFAULT_IPV4));
    close(kernel_open_table(kernel, V6, TABLE_ID_DEFAULT_IPV6));
}

static void start_joins(struct service *service)
{
    struct joining_host host = {ignore, service};

    keeper_end_start(&service->keeper, &service->loop);
    ck_assert(joining_start(&service->joining, &service->loop, &service->services,
                            &service->keeper.link, &host, 1));
    service->kernel.joins = service->services.joins;
}

void service_begin(struct service *service, const char *interfaces)
{
    memset(service, 0, sizeof *service);
    signal(SIGPIPE, SIG_IGN); /* as the broker does */
    kernel_begin(&service->kernel, interfaces);
    start_mroute(service);
    uv_loop_init(&service->loop);
    service->host = (struct session_host){
        .loop = &service->loop,
        .services = &service->services,
        .events = &service->services.events,
        .before_requests = update_links,
        .closed = count_close,
        .context = service,
    };
    users_init(&service->services.users, &LIMITS_DEFAULT, DESCRIPTORS, 0);
    service->services.mroute = service->kernel.mroute;
    service->services.links = service->kernel.links;
    service->services.facts.socket = "socket";
    service->services.facts.state_file = "";
    events_init(&service->services.events);
    slices_init(&service->services.slices, &service->loop);
    start_joins(service);
    service->services.server = server_new(&service->loop, NULL, 0, &service->host);
    for (int n = 0; n < CLIENTS_MAX; n++) {
        service->clients[n] = -1;
        service->received[n].limit = 1 << 26;
    }
}

void service_end(struct service *service)
{
    for (int n = 0; n < CLIENTS_MAX; n++)
        client_close(service, n);
    service_settle(service);
    server_stop((struct server *)service->services.server);
    slices_finish(&service->services.slices);
    slices_stop(&service->services.slices);
    joining_stop(&service->joining);
    keeper_end_stop(&service->keeper);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&service->loop), 0);
    ck_assert_uint_eq(service->services.sessions.count, 0);
    ck_assert_uint_eq(service->services.users.connections, 0);
    ck_assert_uint_eq(service->services.users.queued, 0);
    joins_free(service->services.joins);
    service->kernel.joins = NULL;
    kernel_end(&service->kernel);
    users_clear(&service->services.users);
}

void client_connect(struct service *service, int n)
{
    client_connect_as(service, n, 0);
}

void client_connect_as(struct service *service, int n, uid_t uid)
{
    const struct peer peer = {.uid = uid, .gid = (gid_t)uid};
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

/* The joins work, or the keeper is asked. */
static bool is_busy(const struct service *service)
{
    const struct keeper_link *link = &service->keeper.link;

    return uv_is_active((const uv_handle_t *)&service->joining.idle) ||
           !TAILQ_EMPTY(&link->calls) || !TAILQ_EMPTY(&link->unsent);
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
        idle = receive(service, n) > 0 ? 0 : idle + !is_busy(service);
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
