#include "kind.h"

#include "broker/closer.h"
#include "broker/guard/target.h"
#include "counters.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Life ---------------------------------------------------------------------------------- */

static void pass_event(void *context, enum tap_event event, const struct tap *tap)
{
    const struct tap_kind *kind = context;

    publish_tap(kind->host.events, event, tap);
}

static void close_fd(void *context, int fd)
{
    const struct tap_kind *kind = context;

    if (kind->host.closer)
        closer_take(kind->host.closer, NULL, &(struct closing){.fd = fd});
    else
        close(fd);
}

static void pass_told(void *context, enum link_event event, const struct told *told,
                      const char *why)
{
    const struct tap_kind *kind = context;

    publish_link(kind->host.events, event, told, why);
}

static bool start(const struct resource_host *host, void **ret_self)
{
    struct tap_kind *kind = calloc(1, sizeof *kind);

    if (!kind)
        return false;
    kind->host = *host;
    taps_init(&kind->taps, host, &(struct taps_callbacks){pass_event, close_fd, pass_told, kind});
    *ret_self = kind;
    return true;
}

static void stop(void *self)
{
    struct tap_kind *kind = self;

    stock_stop(&kind->taps.stock);
}

static void free_kind(void *self)
{
    struct tap_kind *kind = self;

    taps_clear(&kind->taps);
    free(kind);
}

static enum restoring restore(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error)
{
    struct tap_kind *kind = self;
    struct tap_config config = tap_config_of(&wanted->args.open_tap, holder->lease.uid);

    (void)waiter;
    return taps_restore(&kind->taps, &config, holder, error);
}

static void settled(void *self, bool whole)
{
    struct tap_kind *kind = self;

    taps_settle(&kind->taps, whole);
}

static void change_netif(void *self, const struct netif *was, const struct netif *is)
{
    struct tap_kind *kind = self;

    taps_netif_changed(&kind->taps, was, is);
}

static void set_limits(void *self, const struct limits *limits)
{
    struct tap_kind *kind = self;

    taps_set_limits(&kind->taps, limits);
}

static void tick(void *self)
{
    struct tap_kind *kind = self;

    taps_tick(&kind->taps);
    refuse_impatient(&kind->taps);
    told_tick(&kind->taps);
}

struct taps *taps_of(const struct call *call)
{
    struct tap_kind *kind = call_kind(call, &tap_ops);

    return &kind->taps;
}

/* --- For people and monitors --------------------------------------------------------------- */

static size_t count(void *self)
{
    const struct tap_kind *kind = self;

    return taps_total(&kind->taps).taps;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    const struct tap_kind *kind = self;
    struct tap_totals totals = taps_total(&kind->taps);

    (void)reader; /* how many there are is no secret */
    json_key(out, "taps");
    json_open(out, '{');
    json_member_unsigned(out, "taps", totals.taps);
    json_member_unsigned(out, "waiting", totals.waiting);
    json_member_unsigned(out, "closing", totals.closing);
    json_member_unsigned(out, "spares", totals.spares);
    json_close(out, '}');
}

/* --- What a tap is to the broker ----------------------------------------------------------- */

static void describe(const struct resource *resource, char *text)
{
    const struct tap_config *config = &tap_of_resource(resource)->config;

    strcpy(text, config->name);
    if (config->bridge[0])
        strcat(strcat(text, " of "), config->bridge);
}

static void get_target(const struct resource *resource, struct target *ret)
{
    const struct tap_config *config = &tap_of_resource(resource)->config;

    *ret = (struct target){0};
    target_add_interface(ret, config->name);
    target_add_interface(ret, config->bridge);
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    json_member_string(out, "action", "OPEN_TAP");
    json_key(out, "payload");
    json_open(out, '{');
    write_tap_config(out, &tap_of_resource(resource)->config);
    json_close(out, '}');
}

/* The one that the request would open, if its user does not name one: it is the first that is free,
 * and the policy decides on that. */
static void add_displaced(void *self, const struct request *request, struct target *target)
{
    struct tap_kind *kind = self;

    if (request->action == ACTION_OPEN_TAP && !request->args.open_tap.name.text[0] &&
        taps_choose(&kind->taps, &request->args.open_tap, kind->chosen))
        target_add_interface(target, kind->chosen);
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    const struct tap_kind *kind = self;

    (void)uid;
    return !find_open_tap(&kind->taps, request->args.close_tap.name.text, error);
}

const struct resource_ops tap_ops = {
    .kind = "tap",
    .verbs = "tap",
    .read_verb = "tap.read",
    .end_action = "CLOSE_TAP",
    .start = start,
    .stop = stop,
    .free = free_kind,
    .restore = restore,
    .settled = settled,
    .netif_changed = change_netif,
    .set_limits = set_limits,
    .tick = tick,
    .noun = "tap",
    .count = count,
    .write_status = write_status,
    .metrics = tap_metrics,
    .release = tap_release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .add_displaced = add_displaced,
    .is_missing = is_missing,
};
