/* The whole way of a request: bytes into a session's socket, replies out of it, with all that is
 * below on the fake platform. A zero byte, which no request holds, and the byte behind it change
 * the world between two requests: interfaces come, go and change names, word of them is lost, the
 * kernel refuses something, the policy changes, the client stops reading or hangs up.
 *
 * No VIF may ever be lent to a stranger, each line that comes out is JSON, nothing is left over. */
#include "broker/service/leasing.h"
#include "broker/wire/dispatch.h"
#include "broker/wire/pending.h"
#include "broker/wire/server.h"
#include "broker/wire/services.h"
#include "fake.h"
#include "fuzz.h"
#include "keeper_end.h"
#include "resources/capture/kind.h"
#include "resources/inject/kind.h"
#include "resources/join/kind.h"
#include "resources/mroute/kind.h"
#include "resources/tap/kind.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAMES = 4, OUT_LIMIT = 1 << 22 };

struct fuzz {
    uv_loop_t loop;
    struct services services;
    struct keeper_end keeper;
    struct mroute_kind mroute;
    struct join_kind *join; /* NULL: there is none yet */
    struct tap_kind *tap;   /* the same */
    struct captures_kind *captures;
    struct injectors_kind *injectors;
    int client;
    struct json out; /* what came and is no whole line yet */
    bool exists[NAMES];
    bool deaf, closed;
    unsigned asked_count; /* tables */
    struct {
        uint8_t family;
        uint32_t table;
    } asked[TABLES_MAX];
};

static struct rule no_changes = {
    .name = "none", .deny = true, .everyone = true, .verb_count = 1, .verbs = {"*.write"}};

static const char *const names[NAMES] = {"a", "b", "c", "d"};

/* --- The broker's part --------------------------------------------------------------------- */

static bool open_table(void *context, uint8_t family, uint32_t table)
{
    struct fuzz *fuzz = context;

    must(fuzz->asked_count < TABLES_MAX, "each table is asked for once");
    fuzz->asked[fuzz->asked_count].family = family;
    fuzz->asked[fuzz->asked_count++].table = table;
    return true;
}

static void close_table(void *context, uint8_t family, uint32_t table)
{
    (void)context;
    (void)family;
    (void)table;
}

static void pass_event(void *context, enum route_event event, const struct route *route)
{
    publish_route(&((struct fuzz *)context)->services.events, event, route);
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    publish_upcall(&((struct fuzz *)context)->mroute, family, table, upcall);
}

static void pass_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct fuzz *fuzz = context;

    if (fuzz->mroute.mroute)
        mroute_netif_changed(fuzz->mroute.mroute, was, is);
    if (fuzz->join)
        joins_netif_changed(fuzz->join->joins, was, is);
    if (fuzz->tap)
        taps_netif_changed(&fuzz->tap->taps, was, is);
}

static void update_netifs(struct services *services)
{
    netifs_update(services->netifs);
}

static void note_close(void *context, struct session *session)
{
    (void)session;
    ((struct fuzz *)context)->closed = true;
}

/* The keeper's answer, which comes a turn later; it refuses tables of even numbers. */
static void answer_table(struct fuzz *fuzz)
{
    uint8_t family;
    uint32_t table;
    struct error error;
    int fd;

    if (fuzz->asked_count == 0)
        return;
    family = fuzz->asked[--fuzz->asked_count].family;
    table = fuzz->asked[fuzz->asked_count].table;
    error_set(&error, ERROR_IN_USE, "table", "owned");
    fd = table % 2 ? mroute_socket_open(family, table) : -1;
    mroute_table_opened(fuzz->mroute.mroute, family, table, fd, &error);
}

/* --- The client's part --------------------------------------------------------------------- */

static void check_lines(struct json *out)
{
    char *end;

    while (out->length && (end = memchr(out->text, '\n', out->length))) {
        size_t length = (size_t)(end - out->text);
        cJSON *tree = cJSON_ParseWithLength(out->text, length);

        must(tree != NULL, "each line is JSON");
        cJSON_Delete(tree);
        out->length -= length + 1;
        memmove(out->text, end + 1, out->length);
    }
    must(!out->failed, "no line is endless");
}

static void hear(struct fuzz *fuzz)
{
    char bytes[16384];
    ssize_t length;

    if (fuzz->deaf || fuzz->client < 0)
        return;
    while ((length = recv(fuzz->client, bytes, sizeof bytes, 0)) > 0)
        json_bytes(&fuzz->out, bytes, (size_t)length);
    check_lines(&fuzz->out);
}

static void turn(struct fuzz *fuzz)
{
    for (int i = 0; i < 4; i++) {
        uv_run(&fuzz->loop, UV_RUN_NOWAIT);
        hear(fuzz);
        answer_table(fuzz);
    }
    must(fake_strangers() == 0, "no VIF is lent to a stranger");
}

static void say(struct fuzz *fuzz, const uint8_t *bytes, size_t n)
{
    while (n > 0 && fuzz->client >= 0 && !fuzz->closed) {
        ssize_t sent = send(fuzz->client, bytes, n, MSG_NOSIGNAL);

        if (sent < 0 && (errno != EAGAIN || fuzz->deaf))
            return;
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        }
        turn(fuzz);
    }
}

static void toggle_netif(struct fuzz *fuzz, unsigned i)
{
    if (fuzz->exists[i])
        fake_netif_del(names[i]);
    else
        fake_netif_add(names[i]);
    fuzz->exists[i] = !fuzz->exists[i];
}

/* An interface gets the name of one that is missing. */
static void rename_netif(struct fuzz *fuzz, unsigned from, unsigned to)
{
    if (!fuzz->exists[from] || fuzz->exists[to])
        return;
    fake_netif_rename(names[from], names[to]);
    fuzz->exists[from] = false;
    fuzz->exists[to] = true;
}

static void hang_up(struct fuzz *fuzz)
{
    if (fuzz->client >= 0)
        close(fuzz->client);
    fuzz->client = -1;
}

static void change_world(struct fuzz *fuzz, uint8_t what)
{
    unsigned a = what & 3, b = what >> 2 & 3;

    switch (what >> 4) {
    case 0:
        toggle_netif(fuzz, a);
        break;
    case 1: /* gone and made again before anybody looks */
        toggle_netif(fuzz, a);
        toggle_netif(fuzz, a);
        break;
    case 2:
        rename_netif(fuzz, a, b);
        break;
    case 3:
        fake_netifs_overrun();
        break;
    case 4:
        fake_fail(what & 15, -ENOMEM);
        break;
    case 5:
        fuzz->deaf = !fuzz->deaf;
        break;
    case 6:
        shutdown(fuzz->client, SHUT_WR);
        break;
    case 7:
        hang_up(fuzz);
        break;
    case 8: /* nobody may change anything, or everybody again */
        fuzz->services.policy.count = !fuzz->services.policy.count;
        pendings_policy_changed(&fuzz->services);
        sessions_check_policy(&fuzz->services);
        break;
    default:
        netifs_update(fuzz->services.netifs);
    }
    turn(fuzz);
}

/* --- One run ------------------------------------------------------------------------------- */

static void adopt(struct fuzz *fuzz, uint8_t family)
{
    struct mroute_socket socket = {-1, family, family_table(family, 0)};

    socket.fd = mroute_socket_open(family, socket.table);
    must(mroute_adopt(fuzz->mroute.mroute, &socket) == 0, "a table is adopted");
}

static void pass_need(void *context)
{
    (void)context;
}

static void begin_services(struct fuzz *fuzz)
{
    struct services *services = &fuzz->services;
    struct mroute_callbacks callbacks = {
        .open_table = open_table,
        .close_table = close_table,
        .route_event = pass_event,
        .upcall = pass_upcall,
        .needs_ticks = pass_need,
        .context = fuzz,
    };

    struct resource_host host;
    void *self;

    fake_reset();
    for (unsigned i = 0; i < 3; i++)
        toggle_netif(fuzz, i);
    events_init(&services->events, &services->turns);
    users_init(&services->users, &LIMITS_DEFAULT, 1000, 0);
    services->facts.socket = services->facts.state_file = "";
    services->netifs = netifs_new(pass_netif, fuzz);
    services->policy.rules = &no_changes;
    leasing_start(services);
    turns_init(&services->turns, &fuzz->loop);
    slices_init(&services->slices, &fuzz->loop, &services->leases);
    strcpy(fuzz->keeper.config.tap_prefix, "nb-");
    must(tap_bridges_parse("a, b", &fuzz->keeper.config.tap_bridges) &&
             tap_networks_parse("10.0.0.0/8, fd00::/8", &fuzz->keeper.config.tap_networks),
         "these are settings");
    keeper_end_start(&fuzz->keeper, &fuzz->loop);
    host = (struct resource_host){
        .loop = &fuzz->loop,
        .keeper = &fuzz->keeper.link,
        .netifs = services->netifs,
        .leases = &services->leases,
        .slices = &services->slices,
        .events = &services->events,
        .pools = &services->users.pools,
        .config = &fuzz->keeper.config,
        .closer = &services->closer,
        .counters = {-1, -1},
        .seed = 1,
    };
    fuzz->mroute.host = host;
    fuzz->mroute.mroute = mroute_new(services->netifs, &services->leases, &callbacks, 1);
    must(fuzz->mroute.mroute != NULL, "there is memory");
    kind_set_self(&services->kinds, &mroute_ops, &fuzz->mroute);
    must(join_ops.start(&host, &self), "there is memory");
    kind_set_self(&services->kinds, &join_ops, self);
    fuzz->join = self;
    must(tap_ops.start(&host, &self), "there is memory");
    kind_set_self(&services->kinds, &tap_ops, self);
    fuzz->tap = self;
    must(capture_ops.start(&host, &self), "there is memory");
    kind_set_self(&services->kinds, &capture_ops, self);
    fuzz->captures = self;
    must(inject_ops.start(&host, &self), "there is memory");
    kind_set_self(&services->kinds, &inject_ops, self);
    fuzz->injectors = self;
    adopt(fuzz, FAMILY_IPV4);
    adopt(fuzz, FAMILY_IPV6);
}

static void begin_session(struct fuzz *fuzz)
{
    struct session_host host = {
        .loop = &fuzz->loop,
        .services = &fuzz->services,
        .before_requests = update_netifs,
        .perform = dispatch_request,
        .cancel = pending_cancel,
        .closed = note_close,
        .context = fuzz,
    };
    static const struct peer peer;
    int pair[2], size = 4096;

    fuzz->services.server = server_new(&fuzz->loop, NULL, 0, &host);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "there are descriptors");
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    fuzz->client = pair[0];
    must(session_new(&host, pair[1], &peer) != NULL, "there is memory");
}

static void end(struct fuzz *fuzz)
{
    hang_up(fuzz);
    for (int i = 0; i < 20 && !fuzz->closed; i++)
        turn(fuzz);
    must(fuzz->closed, "the session ends with its client");
    must(fuzz->services.events.count == 0, "a subscription ends with its session");
    server_stop((struct server *)fuzz->services.server);
    slices_finish(&fuzz->services.slices);
    slices_stop(&fuzz->services.slices);
    turns_stop(&fuzz->services.turns);
    capture_ops.stop(fuzz->captures);
    inject_ops.stop(fuzz->injectors);
    tap_ops.stop(fuzz->tap);
    join_ops.stop(fuzz->join);
    keeper_end_stop(&fuzz->keeper);
    uv_run(&fuzz->loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&fuzz->loop) == 0, "no handle is left");
    join_ops.free(fuzz->join);
    tap_ops.free(fuzz->tap);
    capture_ops.free(fuzz->captures);
    inject_ops.free(fuzz->injectors);
    fuzz->tap = NULL;
    mroute_free(fuzz->mroute.mroute);
    leases_clear(&fuzz->services.leases);
    users_clear(&fuzz->services.users);
    closer_stop(fuzz->services.closer, NULL);
    netifs_free(fuzz->services.netifs);
    json_clear(&fuzz->out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct fuzz fuzz = {.out.limit = OUT_LIMIT};

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&fuzz.loop);
    begin_services(&fuzz);
    begin_session(&fuzz);
    for (size_t at = 0; at < n;) {
        size_t length = strnlen((const char *)bytes + at, n - at);

        say(&fuzz, bytes + at, length);
        at += length + 1;
        if (at < n)
            change_world(&fuzz, bytes[at++]);
    }
    turn(&fuzz);
    end(&fuzz);
    return 0;
}
