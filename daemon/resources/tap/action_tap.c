/* The actions of taps: OPEN_TAP, CLOSE_TAP, SHOW_TAP, GET_TAP. */
#include "broker/wire/pending.h"
#include "counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum outcome refuse(struct call *call, const struct error *error)
{
    reply_error(call, error);
    return OUTCOME_REPLIED;
}

/* --- What is told of a tap ----------------------------------------------------------------- */

static const char *const state_words[] = {
#define T(name, word) [TAP_##name] = word,
    TAP_STATES(T)
#undef T
};

static void write_mac(struct json *out, const uint8_t mac[MAC_BYTES])
{
    char text[3 * MAC_BYTES];

    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    json_member_string(out, "mac", text);
}

static void write_hosts(struct json *out, const struct tap_config *config)
{
    char text[PREFIX_TEXT_MAX];

    json_key(out, "hosts");
    json_open(out, '[');
    for (uint32_t i = 0; i < config->host_count; i++)
        json_string(out, host_address_format(&config->hosts[i], text));
    json_close(out, ']');
}

static void write_routes(struct json *out, const struct tap_config *config)
{
    char text[PREFIX_TEXT_MAX];

    json_key(out, "routes");
    json_open(out, '[');
    for (uint32_t i = 0; i < config->route_count; i++)
        json_string(out, prefix_format(&config->routes[i], text));
    json_close(out, ']');
}

void write_tap_config(struct json *out, const struct tap_config *config)
{
    json_member_string(out, "name", config->name);
    write_mac(out, config->mac);
    json_member_unsigned(out, "mtu", config->mtu);
    write_hosts(out, config);
    write_routes(out, config);
    if (config->bridge[0])
        json_member_string(out, "bridge", config->bridge);
    if (config->uplink[0])
        json_member_string(out, "uplink", config->uplink);
    json_member_bool(out, "isolated", (config->flags & TAP_ISOLATED) != 0);
    json_member_bool(out, "offload", (config->flags & TAP_OFFLOAD) != 0);
    json_member_bool(out, "persistent", (config->flags & TAP_PERSISTENT) != 0);
    json_member_unsigned(out, "queues", config->queues);
}

static void write_lease(struct json *out, const struct lease *lease)
{
    char id[LEASE_ID_SIZE], since[LEASE_TIME_SIZE];

    if (lease->info.uid != LEASE_UID_UNKNOWN)
        json_member_unsigned(out, "uid", lease->info.uid);
    json_member_string(out, "lease", lease_id_format(lease->info.id, id));
    json_member_string(out, "since", lease_time_format(lease->info.since, since));
}

/* What others can change, its holder among them, is told as it is now. */
static struct tap_config config_now(const struct tap *tap, const struct netif *netif)
{
    struct tap_config config = tap->config;

    if (netif) {
        config.mtu = netif->mtu;
        memcpy(config.mac, netif->mac, sizeof config.mac);
    }
    return config;
}

/* As events tell of it. */
static void write_members(struct json *out, const struct tap *tap)
{
    const struct lease *lease = resource_first_lease(&tap->resource);
    const struct netif *netif =
        tap->ifindex ? netifs_find_index(tap->taps->host.netifs, tap->ifindex) : NULL;
    struct tap_config config = config_now(tap, netif);

    write_tap_config(out, &config);
    if (netif && strcmp(netif->name, config.name) != 0)
        json_member_string(out, "interface", netif->name);
    json_member_string(out, "state", state_words[tap->state]);
    json_member_unsigned(out, "ifindex", tap->ifindex);
    json_member_bool(out, "carrier", netif && netif->running);
    if (lease)
        write_lease(out, lease);
}

static void write_tap(struct json *out, const struct tap *tap)
{
    json_open(out, '{');
    write_members(out, tap);
    write_tap_counters(out, tap);
    json_close(out, '}');
}

static const char *const event_topics[] = {
#define V(name, topic) [TAP_##name##_EVENT] = topic,
    TAP_EVENTS(V)
#undef V
};

void publish_tap(struct events *events, enum tap_event event, const struct tap *tap)
{
    struct json payload = {.limit = OUT_MAX};
    struct target target;

    if (!events || !events_wanted(events, event_topics[event]))
        return;
    json_open(&payload, '{');
    write_members(&payload, tap);
    json_close(&payload, '}');
    tap_ops.get_target(&tap->resource, &target);
    events_publish(events, event_topics[event], &payload,
                   &(struct event_subject){tap_ops.read_verb, &target, &tap->resource});
    json_clear(&payload);
}

/* --- Opening ------------------------------------------------------------------------------- */

/* Whose it becomes. */
static uid_t owner_of(const struct call *call)
{
    const struct uid *owner = &call->request.args.open_tap.owner;

    return owner->given ? owner->number : call->peer->uid;
}

static struct tap_config config_of(const struct call *call)
{
    return tap_config_of(&call->request.args.open_tap, owner_of(call));
}

/* A descriptor goes to who asks; and what another user holds counts for that user. */
static bool judge_owner(const struct call *call, struct error *error)
{
    if (owner_of(call) == call->peer->uid)
        return true;
    if (!call_is_administrator(call))
        return error_set(error, ERROR_NOT_ALLOWED, "owner",
                         "Only an administrator may make a tap for another user. Leave out "
                         "'owner', and it is yours; or ask your administrator for 'netbroker tap "
                         "create --owner'.");
    return call->request.args.open_tap.persistent ||
           error_set(error, ERROR_MISSING_FIELD, "persistent",
                     "Invalid argument: 'owner' is of a tap that its user opens by its name, and "
                     "needs 'persistent': the descriptor of another tap would come to you.");
}

static void reply_tap(struct call *call, const char *done, const struct tap *tap)
{
    struct tap_config config = config_of(call);
    char lease[LEASE_ID_SIZE];
    struct json *out = reply_open(call, "Tap %s %s.", config.name, done);

    json_member_string(out, "name", config.name);
    write_mac(out, config.mac);
    json_member_unsigned(out, "mtu", config.mtu);
    if (tap) {
        json_member_unsigned(out, "ifindex", tap->ifindex);
        json_member_string(out, "lease", lease_id_format(call->lease.id, lease));
    }
    reply_close(out);
}

/* It has just been opened: its lease ends before it does, and the wait with that. */
static enum outcome reply_opened(struct pending *pending)
{
    struct call *call = &pending->call;
    struct tap *tap = taps_find_tap(taps_of(call), call->request.args.open_tap.name.text);
    const char *name = "tap";
    int fd;

    while ((fd = tap_take_fd(tap)) >= 0) {
        reply_fd(call, name, fd);
        name = tap->config.uplink[0] ? "lifeline" : name;
    }
    reply_tap(call, tap->state == TAP_WAITING ? "opened; it waits for its bridge" : "opened", tap);
    return OUTCOME_REPLIED;
}

/* The lease is written down before there is anything that it is on, so that nothing is ever there
 * that no lease tells of. */
static enum outcome ask_keeper(struct call *call, struct tap *tap)
{
    struct pending *pending = pending_begin(call, reply_opened);
    struct leases *leases = tap->taps->host.leases;
    struct error error;

    if (!pending) {
        error_set(&error, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for a request that waits for the keeper.");
        resource_end_leases(leases, &tap->resource);
        tap_release(&tap->resource);
        return refuse(call, &error);
    }
    waiters_add(&tap->waiters, &pending->waiter);
    pending->lease_is_new = true;
    leases_commit(leases, leases->transaction);
    tap_ask(tap);
    return OUTCOME_PENDING;
}

static enum outcome open_now(struct call *call)
{
    struct tap_config config = config_of(call);
    struct taps *taps = taps_of(call);
    struct holder holder = call_holder(call, false);
    struct error error;
    struct tap *tap;

    holder.lease.uid = owner_of(call);
    if (!judge_owner(call, &error) || !taps_have_room(taps, &config, holder.lease.uid, &error) ||
        !call_may_hold(call, NULL, &holder, &error))
        return refuse(call, &error);
    if (call->request.args.open_tap.dry_run) {
        reply_tap(call, "would be opened", NULL);
        return OUTCOME_REPLIED;
    }
    tap = taps_add(taps, &config, &holder, &error);
    if (!tap)
        return refuse(call, &error);
    call_note_lease(call, &tap->resource, &holder);
    record_grant(call);
    return ask_keeper(call, tap);
}

/* What its user has not chosen is chosen now, once for all steps. */
static bool complete(struct call *call, struct error *error)
{
    char *name = call->request.args.open_tap.name.text;

    return name[0] || taps_choose(taps_of(call), &call->request.args.open_tap, name) ||
           error_set(error, ERROR_LIMIT, "name",
                     "The service finds no free name for a tap; give it one with 'name'.");
}

/* For taps of the user's own, which the kernel ends more slowly than a script opens them. */
enum { PATIENCE_SECONDS = 3 };

/* Its pending's `change`: the name was chosen for the user, and another one would do. */
enum { NAME_IS_CHOSEN = 1 };

/* Requests that wait so at a time, of one user and of all. Each looks again when a tap has ended.
 */
enum { WAITING_OF_USER_MAX = 16, WAITING_MAX = 256 };

static bool has_place_to_wait(const struct taps *taps, uid_t uid)
{
    unsigned of_user = 0, all = 0;
    const struct waiter *waiter;

    TAILQ_FOREACH (waiter, &taps->full, in_list) {
        of_user += ((const struct pending *)waiter)->call.peer->uid == uid;
        all++;
    }
    return of_user < WAITING_OF_USER_MAX && all < WAITING_MAX;
}

static enum outcome open_when_one_ended(struct pending *pending);

/* until: as its pending has it; 0: it has not waited yet. False: there is nothing to wait for. */
static bool waits_for_room(struct call *call, bool name_is_chosen, unsigned until)
{
    struct taps *taps = taps_of(call);
    struct pending *pending;

    if (call->request.args.open_tap.dry_run || (until > 0 && taps->seconds >= until) ||
        !has_place_to_wait(taps, call->peer->uid) || !taps_room_may_come(taps, owner_of(call)))
        return false;
    pending = pending_begin(call, open_when_one_ended);
    if (!pending)
        return false;
    pending->change = name_is_chosen ? NAME_IS_CHOSEN : 0;
    pending->until = until > 0 ? until : taps->seconds + PATIENCE_SECONDS;
    waiters_add(&taps->full, &pending->waiter);
    return true;
}

/* Others may have waited as well, and have the name now. The policy decides on names. */
static bool choose_again(struct call *call, struct error *error)
{
    struct interface_name *name = &call->request.args.open_tap.name;

    if (taps_is_free(taps_of(call), name->text))
        return true;
    memset(name, 0, sizeof *name);
    return authorise(call, error) && complete(call, error);
}

static enum outcome open_when_one_ended(struct pending *pending)
{
    bool name_is_chosen = pending->change == NAME_IS_CHOSEN;
    struct call *call = &pending->call;
    struct error error;

    if (waits_for_room(call, name_is_chosen, pending->until))
        return OUTCOME_PENDING;
    return name_is_chosen && !choose_again(call, &error) ? refuse(call, &error) : open_now(call);
}

static enum outcome open_after_another(struct pending *pending)
{
    struct call *call = &pending->call;

    return waits_for_room(call, false, 0) ? OUTCOME_PENDING : open_now(call);
}

/* Its name is free when the interface is gone: that of a tap that is closing, or of a spare that is
 * not what is wanted. */
static enum outcome wait_for_end(struct call *call, struct tap *tap, struct stock_spare *spare)
{
    struct pending *pending = pending_begin(call, open_after_another);
    struct error error;

    if (pending)
        pending->until = taps_of(call)->seconds + PATIENCE_SECONDS;
    if (pending && tap)
        waiters_add(&tap->waiters, &pending->waiter);
    else if (pending)
        stock_give_up(spare, &pending->waiter);
    if (pending)
        return OUTCOME_PENDING;
    error_set(&error, ERROR_NO_MEMORY, NULL,
              "The service has no memory for a request that waits for the end of a tap.");
    return refuse(call, &error);
}

/* The first on the list that has waited long enough; NULL: none. Others wait there for a tap that
 * is being made. */
static struct pending *find_impatient(const struct waiters *list, unsigned now)
{
    struct waiter *waiter;

    TAILQ_FOREACH (waiter, list, in_list) {
        struct pending *pending = (struct pending *)waiter;

        if (pending->step == open_after_another && now >= pending->until)
            return pending;
    }
    return NULL;
}

static struct pending *find_impatient_of_all(const struct taps *taps)
{
    struct pending *found = NULL;
    const struct tap *tap;

    TAILQ_FOREACH (tap, &taps->order, in_order)
        if (tap->state == TAP_CLOSING && (found = find_impatient(&tap->waiters, taps->seconds)))
            return found;
    for (size_t i = 0; i < TAP_SPARES_MAX && !found; i++)
        found = find_impatient(&taps->stock.spares[i].waiters, taps->seconds);
    return found;
}

/* Each may change the lists. */
void refuse_impatient(struct taps *taps)
{
    struct pending *pending;
    struct error error;

    while ((pending = find_impatient_of_all(taps))) {
        error_set(
            &error, ERROR_IN_USE, "name",
            "The kernel has not ended the interface that had the name '%s' within %d seconds. "
            "Try it again later, or take another name.",
            pending->call.request.args.open_tap.name.text, PATIENCE_SECONDS);
        waiter_cancel(&pending->waiter);
        pending_resume(pending, &error);
    }
}

static enum outcome refuse_taken(struct call *call, const struct tap *tap)
{
    const struct lease *lease = resource_first_lease(&tap->resource);
    struct reader reader = call_reader(call);
    struct error error;

    if (lease && lease->info.uid == call->peer->uid)
        error_set(&error, ERROR_IN_USE, "name",
                  "You have the tap '%s' already: it is open until its program ends, or 'netbroker "
                  "tap close %s'.",
                  tap->config.name, tap->config.name);
    else if (lease && reader_may_see(&reader, &tap->resource))
        error_set(&error, ERROR_IN_USE, "name",
                  "The tap '%s' is of the user with uid %u. Take another name.", tap->config.name,
                  (unsigned)lease->info.uid);
    else
        error_set(&error, ERROR_IN_USE, "name", "Another user has the tap '%s'. Take another name.",
                  tap->config.name);
    return refuse(call, &error);
}

/* Descriptors behind the first one. False: so many may not be sent. */
static bool lend_more(struct call *call, const struct args_open_tap *args, struct error *error)
{
    if (args->persistent)
        return true;
    if (args->uplink.text[0])
        return call_lend_more(call, "lifeline", 1, error);
    return args->queues <= 1 || call_lend_more(call, "tap", args->queues - 1, error);
}

enum outcome handle_open_tap(struct call *call, const struct args_open_tap *args)
{
    bool name_is_chosen = !args->name.text[0];
    struct taps *taps = taps_of(call);
    struct stock_spare *spare;
    struct tap_config config;
    struct error error;
    struct tap *tap;

    if (!complete(call, &error))
        return refuse(call, &error);
    config = config_of(call);
    if (!taps_judge(taps, &config, &error))
        return refuse(call, &error);
    if (name_is_chosen && !args->mac.given && !args->dry_run)
        stock_note(&taps->stock, &config);
    tap = taps_find_tap(taps, args->name.text);
    if (tap && tap->state != TAP_CLOSING)
        return refuse_taken(call, tap);
    if (!lend_more(call, args, &error))
        return refuse(call, &error);
    spare = stock_find(&taps->stock, args->name.text);
    if (spare && stock_offers(spare, &config))
        spare = NULL;
    if ((tap || spare) && !args->dry_run)
        return wait_for_end(call, tap, spare);
    return waits_for_room(call, name_is_chosen, 0) ? OUTCOME_PENDING : open_now(call);
}

/* --- Closing and showing ------------------------------------------------------------------- */

static struct tap *refuse_missing(const char *name, struct error *error)
{
    error_set(error, ERROR_NOT_FOUND, "name",
              "Invalid argument: there is no tap '%s'. 'netbroker tap list' lists them.", name);
    return NULL;
}

struct tap *find_open_tap(const struct taps *taps, const char *name, struct error *error)
{
    struct tap *tap = taps_find_tap(taps, name);

    return tap && tap->state != TAP_CLOSING ? tap : refuse_missing(name, error);
}

struct tap *find_readable_tap(const struct call *call, const char *name, struct error *error)
{
    struct reader reader = call_reader(call);
    struct tap *tap = find_open_tap(taps_of(call), name, error);

    return tap && !reader_may_see(&reader, &tap->resource) ? refuse_missing(name, error) : tap;
}

enum outcome handle_close_tap(struct call *call, const struct args_close_tap *args)
{
    struct tap *tap;
    struct holder holder = call_releaser(call);
    struct taps *taps = taps_of(call);
    struct error error;

    tap = find_open_tap(taps, args->name.text, &error);
    if (!tap || !resource_may_give_up(&tap->resource, &holder, &error))
        return refuse(call, &error);
    resource_give_up(taps->host.leases, &tap->resource, &holder, args->dry_run);
    reply_success(call, "Tap %s %sclosed.", args->name.text, args->dry_run ? "would be " : "");
    return OUTCOME_REPLIED;
}

static bool write_next(void *cursor, struct json *out)
{
    const struct tap *tap;

    if (!tap_cursor_look(cursor, &tap))
        return false;
    if (tap)
        write_tap(out, tap);
    return true;
}

static void close_cursor(void *cursor)
{
    tap_cursor_close(cursor);
}

enum outcome handle_show_tap(struct call *call, const struct args_show_tap *args)
{
    static const struct reply_list list = {
        .key = "taps", .write_next = write_next, .close = close_cursor};
    struct tap_cursor *cursor = malloc(sizeof *cursor);

    (void)args;
    if (cursor)
        tap_cursor_open(cursor, taps_of(call));
    reply_open(call, "Taps.");
    return reply_list(call, &list, cursor);
}

enum outcome handle_get_tap(struct call *call, const struct args_get_tap *args)
{
    struct error error;
    const struct tap *tap = find_readable_tap(call, args->name.text, &error);
    struct json *out;

    if (!tap)
        return refuse(call, &error);
    out = reply_open(call, "Tap %s.", tap->config.name);
    json_key(out, "taps");
    json_open(out, '[');
    write_tap(out, tap);
    json_close(out, ']');
    reply_close(out);
    return OUTCOME_REPLIED;
}
