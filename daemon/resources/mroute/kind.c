#include "kind.h"

#include "keeper/kept.h"
#include "log.h"
#include "mroute_internal.h"
#include "operations.h"
#include "rights.h"
#include "route_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- What the kernel says ------------------------------------------------------------------ */

/* Then clients have their turn, after about 0.1 ms; the rest follows in the next one. */
enum { UPCALLS_A_TURN = 24 };

static void on_upcall(struct watch *watch, int events)
{
    const struct upcall_watch *upcalls = (const struct upcall_watch *)watch;

    (void)events;
    mroute_read_some_upcalls(upcalls->kind->mroute, upcalls->family, upcalls->table,
                             UPCALLS_A_TURN);
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
static void watch_upcalls(struct mroute_kind *kind, const struct mroute_socket *socket)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &kind->watches[i];

        if (watch->used)
            continue;
        *watch = (struct upcall_watch){
            .kind = kind,
            .fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0),
            .family = socket->family,
            .table = socket->table,
        };
        if (watch->fd < 0 ||
            watch_init(&watch->watch, kind->host.loop, watch->fd, on_upcall, kind) < 0) {
            log_line(LOG_ERR, "cannot watch the %s multicast table %u: %s.",
                     family_name(socket->family), socket->table, strerror(errno));
            return;
        }
        watch->used = true;
        watch_start(&watch->watch, UV_READABLE);
        return;
    }
}

static void unwatch_upcalls(struct mroute_kind *kind, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < TABLES_MAX; i++) {
        struct upcall_watch *watch = &kind->watches[i];

        if (watch->family == family && watch->table == table)
            close_watch(watch);
    }
}

static void give_table_back(void *context, uint8_t family, uint32_t table)
{
    struct mroute_kind *kind = context;

    unwatch_upcalls(kind, family, table);
    keeper_tell(kind->host.keeper, &(struct keeper_request){.operation = KEEPER_CLOSE_MROUTE,
                                                            .family = family,
                                                            .number = table});
}

/* A question to the keeper about a table: to open it, or to lead packets to it. */
struct table_call {
    struct keeper_call call; /* first */
    struct mroute_kind *kind;
};

/* NULL: no memory. */
static struct table_call *make_call(struct mroute_kind *kind, uint32_t operation, uint8_t family,
                                    uint32_t table)
{
    struct table_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    call->kind = kind;
    call->call.request = (struct keeper_request){
        .operation = operation,
        .family = family,
        .number = table,
    };
    return call;
}

static void explain_refusal(uint32_t table, const struct keeper_answer *answer, struct error *error)
{
    if (answer->error == -EADDRINUSE)
        error_set(error, ERROR_IN_USE, "table",
                  "Table %u is owned by another process: %s. Stop it, or use another table.", table,
                  answer->text);
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
            KEPT_NAMES_EVER_MAX, table);
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
    struct mroute_kind *kind = ((struct table_call *)answered)->kind;
    struct mroute_socket socket = {fd, (uint8_t)answered->request.family, answered->request.number};
    struct error error;

    free(answered);
    if (answer->error == -ECANCELED)
        return;
    if (fd >= 0)
        watch_upcalls(kind, &socket);
    else
        explain_refusal(socket.table, answer, &error);
    mroute_table_opened(kind->mroute, socket.family, socket.table, fd, &error);
}

static bool ask_for_table(void *context, uint8_t family, uint32_t table)
{
    struct mroute_kind *kind = context;
    struct table_call *call = make_call(kind, KEEPER_OPEN_MROUTE, family, table);

    if (!call)
        return false;
    call->call.done = table_opened;
    keeper_ask(kind->host.keeper, &call->call);
    return true;
}

static void rule_added(struct keeper_call *answered, const struct keeper_answer *answer, int fd)
{
    struct mroute_kind *kind = ((struct table_call *)answered)->kind;
    uint8_t family = (uint8_t)answered->request.family;
    uint32_t table = answered->request.number;

    (void)fd;
    free(answered);
    if (answer->error == -ECANCELED)
        return;
    if (answer->error < 0)
        log_line(LOG_ERR, "no rule leads packets to %s multicast table %u: %s.",
                 family_name(family), table, strerror(-answer->error));
    mroute_rule_answered(kind->mroute, family, table);
}

static bool add_rule(struct mroute_kind *kind, const struct mroute_rule *rule, unsigned ifindex)
{
    struct table_call *call = make_call(kind, KEEPER_ADD_RULE, rule->family, rule->table);

    if (!call) {
        log_line(LOG_ERR, "no memory to lead %s to multicast table %u.", rule->iif, rule->table);
        return false;
    }
    call->call.request.ifindex = ifindex;
    call->call.done = rule_added;
    keeper_ask(kind->host.keeper, &call->call);
    return true;
}

static bool change_rule(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    struct mroute_kind *kind = context;
    struct keeper_request request = {
        .operation = KEEPER_DEL_RULE,
        .family = rule->family,
        .number = rule->table,
    };

    if (ifindex)
        return add_rule(kind, rule, ifindex);
    memcpy(request.name, rule->iif, sizeof request.name);
    keeper_tell(kind->host.keeper, &request);
    return false;
}

/* --- What happens -------------------------------------------------------------------------- */

static void pass_event(void *context, enum route_event event, const struct route *route)
{
    struct mroute_kind *kind = context;

    publish_route(kind->host.events, event, route);
    if (event == ROUTE_ADDED_EVENT)
        publish_losers(kind->host.events, route);
}

static void pass_overridden(void *context, const struct route *loser, const struct prefix *source,
                            const struct prefix *group)
{
    const struct mroute_kind *kind = context;

    publish_overridden(kind->host.events, loser, source, group);
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    publish_upcall(context, family, table, upcall);
}

static void pass_healed(void *context, const struct mroute_healed *healed)
{
    struct mroute_kind *kind = context;

    healing_report(&kind->healing, healed);
}

static bool judge_move(void *context, const struct route *from, const struct route *range,
                       const struct address *group)
{
    const struct mroute_kind *kind = context;

    return rights_may_move(kind->host.policy, from, range, group);
}

static void on_routes_timer(uv_timer_t *timer)
{
    struct mroute_kind *kind = timer->data;

    if (!mroute_tick(kind->mroute, uv_hrtime() / 1000000))
        uv_timer_stop(timer);
}

/* Learned routes are looked at as long as there are any. */
static void start_ticks(void *context)
{
    struct mroute_kind *kind = context;

    if (!kind->stopped && !uv_is_active((uv_handle_t *)&kind->timer))
        uv_timer_start(&kind->timer, on_routes_timer, MROUTE_TICK_MS, MROUTE_TICK_MS);
}

static enum slice_step go_on(struct slice_job *job)
{
    struct mroute_kind *kind =
        (struct mroute_kind *)((char *)job - offsetof(struct mroute_kind, work));

    return mroute_go_on(kind->mroute) ? SLICE_MORE : SLICE_DONE;
}

static void end_work(struct slice_job *job)
{
    struct mroute_kind *kind =
        (struct mroute_kind *)((char *)job - offsetof(struct mroute_kind, work));

    kind->works = false;
}

static void start_work(void *context)
{
    struct mroute_kind *kind = context;

    if (kind->works || kind->stopped)
        return;
    kind->works = true;
    kind->work = (struct slice_job){.step = go_on, .end = end_work};
    slices_add(kind->host.slices, &kind->host.slices->service, &kind->work);
}

static void reassure_keeper(void *context)
{
    keeper_reassure(((struct mroute_kind *)context)->host.keeper);
}

static void change_netif(void *self, const struct netif *was, const struct netif *is)
{
    struct mroute_kind *kind = self;

    mroute_netif_changed(kind->mroute, was, is);
}

static void set_limits(void *self, const struct limits *limits)
{
    struct mroute_kind *kind = self;
    struct mroute_limits bounds = {limits->learned_routes, limits->unmatched_flows};

    mroute_set_limits(kind->mroute, &bounds);
    mroute_set_shares(kind->mroute, limits);
}

/* --- Beginning and ending ------------------------------------------------------------------ */

static bool start(const struct resource_host *host, void **ret_self)
{
    struct mroute_kind *kind = calloc(1, sizeof *kind);
    struct mroute_callbacks callbacks = {
        .open_table = ask_for_table,
        .close_table = give_table_back,
        .route_event = pass_event,
        .upcall = pass_upcall,
        .healed = pass_healed,
        .may_move = judge_move,
        .overridden = pass_overridden,
        .needs_work = host->slices ? start_work : NULL,
        .needs_ticks = start_ticks,
        .works = reassure_keeper,
        .context = kind,
    };

    if (!kind)
        return false;
    kind->host = *host;
    kind->mroute = mroute_new(host->netifs, host->leases, &callbacks, host->seed);
    if (!kind->mroute) {
        free(kind);
        return false;
    }
    mroute_use_pools(kind->mroute, host->pools);
    LIST_INIT(&kind->observations);
    uv_timer_init(host->loop, &kind->timer);
    kind->timer.data = kind;
    healing_start(&kind->healing, host->loop, kind->mroute, host->events);
    *ret_self = kind;
    return true;
}

static void stop(void *self)
{
    struct mroute_kind *kind = self;

    kind->stopped = true;
    for (size_t i = 0; i < TABLES_MAX; i++)
        close_watch(&kind->watches[i]);
    healing_stop(&kind->healing);
    uv_close((uv_handle_t *)&kind->timer, NULL);
}

static void free_kind(void *self)
{
    struct mroute_kind *kind = self;

    mroute_free(kind->mroute);
    free(kind);
}

static bool inherit(void *self, const char *name, int fd)
{
    struct mroute_kind *kind = self;
    struct mroute_socket socket;
    int result;

    if (!mroute_parse_name(name, fd, &socket))
        return false;
    watch_upcalls(kind, &socket);
    result = mroute_adopt(kind->mroute, &socket);
    if (result < 0)
        log_line(LOG_ERR, "cannot read the %s table %u: %s.", family_name(socket.family),
                 socket.table, strerror(-result));
    return true;
}

static void begin(void *self)
{
    struct mroute_kind *kind = self;
    struct rules_host rules = {change_rule, kind};
    size_t count;

    mroute_keep_rules(kind->mroute, &rules);
    count = mroute_totals(kind->mroute).routes;
    if (count > 0)
        log_line(LOG_NOTICE,
                 "%zu routes were in the kernel already; the service has taken them over.", count);
}

static enum restoring restore(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error)
{
    struct mroute_kind *kind = self;
    const struct args_add_mfc *args = &wanted->args.add_mfc;

    if (!mroute_table_is_open(kind->mroute, args->group.address.family, args->table) &&
        mroute_table_open(kind->mroute, args->group.address.family, args->table, 0, waiter))
        return RESTORE_WAITS;
    return mroute_restore(kind->mroute, args, holder, error) ? RESTORE_DONE : RESTORE_REFUSED;
}

static void settled(void *self, bool whole)
{
    struct mroute_kind *kind = self;

    mroute_settle(kind->mroute, whole);
}

struct mroute_kind *mroute_kind_of(const struct call *call)
{
    return call_kind(call, &mroute_ops);
}

struct mroute *mroute_of(const struct call *call)
{
    return mroute_kind_of(call)->mroute;
}

/* --- For people and monitors --------------------------------------------------------------- */

static size_t count(void *self)
{
    struct mroute_kind *kind = self;

    return mroute_totals(kind->mroute).routes;
}

struct table_list {
    struct json *out;
    const struct reader *reader;
};

static void write_table(void *context, const struct mroute_socket *socket)
{
    const struct table_list *list = context;
    struct target target = {.table = socket->table};
    struct json *out = list->out;

    if (!reader_may_read(list->reader, mroute_ops.read_verb, &target))
        return;
    json_open(out, '{');
    json_member_string(out, "family", family_name(socket->family));
    json_member_unsigned(out, "table", socket->table);
    json_close(out, '}');
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    struct table_list list = {out, reader};
    struct mroute_kind *kind = self;
    struct mroute_totals totals = mroute_totals(kind->mroute);

    json_key(out, "mroute");
    json_open(out, '{');
    json_key(out, "tables");
    json_open(out, '[');
    mroute_visit_sockets(kind->mroute, write_table, &list);
    json_close(out, ']');
    json_member_unsigned(out, "routes", totals.routes);
    json_member_unsigned(out, "waiting", totals.waiting);
    json_member_unsigned(out, "learned", totals.learned);
    json_member_unsigned(out, "kernel_writes", totals.kernel_writes);
    json_member_unsigned(out, "no_route", totals.no_route);
    json_member_unsigned(out, "wrong_interface", totals.wrong_interface);
    json_member_unsigned(out, "unmatched_dropped", totals.unmatched_dropped);
    json_member_unsigned(out, "tables_ever", kind->host.keeper->names_ever);
    json_member_unsigned(out, "tables_ever_limit", KEPT_NAMES_EVER_MAX);
    json_close(out, '}');
}

/* --- What a route is to the broker --------------------------------------------------------- */

static void describe(const struct resource *resource, char *text)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];
    struct route_view view;

    route_describe(route_of_resource(resource), false, &view);
    snprintf(text, RESOURCE_TEXT_MAX, "(%s, %s) from %s in table %u",
             prefix_format(&view.source, source), prefix_format(&view.group, group), view.iif,
             view.table);
}

static void add_interfaces(const struct route *route, struct target *target)
{
    target_add_interface(target, route->iif->name);
    for (uint32_t i = 0; i < route->oif_count; i++)
        target_add_interface(target, route->oifs[i].iface->name);
}

static void get_target(const struct resource *resource, struct target *ret)
{
    const struct route *route = route_of_resource(resource);

    *ret = (struct target){.group = route->group, .table = route->mfc->socket.table};
    add_interfaces(route, ret);
    if (ret->everywhere)
        ret->interface_count = 0;
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    struct route_view view;

    route_describe(route_of_resource(resource), false, &view);
    json_member_string(out, "action", "ADD_MFC");
    json_key(out, "payload");
    json_open(out, '{');
    route_json_write(out, &view);
    if (view.idle)
        json_member_unsigned(out, "idle", view.idle);
    json_member_unsigned(out, "table", view.table);
    json_close(out, '}');
}

/* Of a deletion all routes of one source and group, or the one from the interface iif. */
static void add_displaced(void *self, const struct request *request, struct target *target)
{
    const struct mroute_kind *kind = self;
    const struct args_add_mfc *add = &request->args.add_mfc;
    const struct args_del_mfc *del = &request->args.del_mfc;
    const struct route *route = NULL;

    if (request->action == ACTION_ADD_MFC)
        route = mroute_find(kind->mroute, &add->source, &add->group, add->iif.text, target->table);
    if (route)
        add_interfaces(route, target);
    if (request->action != ACTION_DEL_MFC)
        return;
    route = mroute_find(kind->mroute, &del->source, &del->group, NULL, target->table);
    for (; route; route = mroute_find_next(route))
        if (!del->iif.text[0] || strcmp(route->iif->name, del->iif.text) == 0)
            add_interfaces(route, target);
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    const struct mroute_kind *kind = self;
    struct args_del_mfc args = request->args.del_mfc;
    struct holder holder = {.lease = {.uid = uid}};
    struct route_deletion unused;

    args.dry_run = true;
    return !mroute_del(kind->mroute, &args, &holder, &unused, error) &&
           error->code == ERROR_NOT_FOUND;
}

const struct resource_ops mroute_ops = {
    .kind = "mfc",
    .verbs = "mroute",
    .read_verb = "mroute.read",
    .end_action = "DEL_MFC",
    .start = start,
    .stop = stop,
    .free = free_kind,
    .inherit = inherit,
    .begin = begin,
    .restore = restore,
    .settled = settled,
    .netif_changed = change_netif,
    .set_limits = set_limits,
    .noun = "route",
    .count = count,
    .write_status = write_status,
    .metrics = mroute_metrics,
    .leased = route_leased,
    .release = route_release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .configured = &mroute_configured,
    .add_displaced = add_displaced,
    .visit_overridden = mroute_visit_overridden,
    .is_missing = is_missing,
};
