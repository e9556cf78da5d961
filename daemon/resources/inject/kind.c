#include "kind.h"

#include "broker/closer.h"
#include "broker/guard/target.h"
#include "broker/metrics.h"
#include "decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Life ---------------------------------------------------------------------------------- */

static void pass_event(void *context, enum injector_event event, const struct injector *injector)
{
    const struct injectors_kind *kind = context;

    publish_injector(kind->host.events, event, injector);
}

static void close_fd(void *context, int fd)
{
    const struct injectors_kind *kind = context;

    if (kind->host.closer)
        closer_take(kind->host.closer, NULL, &(struct closing){.fd = fd});
    else
        close(fd);
}

/* By a thread. */
static void wake(void *context)
{
    struct injectors_kind *kind = context;

    if (kind->host.loop)
        uv_async_send(&kind->async);
}

static void settle(uv_async_t *async)
{
    struct injectors_kind *kind = async->data;

    injectors_settle(&kind->injectors);
}

static bool start(const struct resource_host *host, void **ret_self)
{
    struct injectors_kind *kind = calloc(1, sizeof *kind);

    if (!kind)
        return false;
    kind->host = *host;
    if (host->loop && uv_async_init(host->loop, &kind->async, settle) != 0) {
        free(kind);
        return false;
    }
    kind->async.data = kind;
    injectors_init(&kind->injectors, host,
                   &(struct injectors_callbacks){pass_event, close_fd, wake, kind});
    *ret_self = kind;
    return true;
}

static void stop(void *self)
{
    struct injectors_kind *kind = self;

    injectors_stop(&kind->injectors);
    if (kind->host.loop)
        uv_close((uv_handle_t *)&kind->async, NULL);
}

static void free_kind(void *self)
{
    struct injectors_kind *kind = self;

    injectors_stop(&kind->injectors);
    injectors_clear(&kind->injectors);
    free(kind);
}

static void change_netif(void *self, const struct netif *was, const struct netif *is)
{
    struct injectors_kind *kind = self;

    injectors_netif_changed(&kind->injectors, was, is);
}

static void set_limits(void *self, const struct limits *limits)
{
    struct injectors_kind *kind = self;

    injectors_set_limits(&kind->injectors, limits);
}

static void tick(void *self)
{
    struct injectors_kind *kind = self;

    injectors_tick(&kind->injectors);
}

struct injectors *injectors_of(const struct call *call)
{
    struct injectors_kind *kind = call_kind(call, &inject_ops);

    return &kind->injectors;
}

/* --- For people and monitors --------------------------------------------------------------- */

struct totals {
    size_t injectors, senders, timed;
    uint64_t sent, refused; /* of those that are there */
};

static struct totals totals_of(const struct injectors_kind *kind)
{
    const struct inject_port *from;
    const struct injector *injector;
    struct totals totals = {0};

    TAILQ_FOREACH (injector, &kind->injectors.order, in_order) {
        totals.injectors += injector->state != INJECT_CLOSING;
        totals.timed += injector->state != INJECT_CLOSING && injector->config.timed;
        totals.sent += outlet_sent(injector->outlet);
        totals.refused += outlet_refused(injector->outlet);
    }
    TAILQ_FOREACH (from, &kind->injectors.ports, in_ports)
        totals.senders += from->sender != NULL;
    return totals;
}

static size_t count(void *self)
{
    return totals_of(self).injectors;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    const struct injectors_kind *kind = self;
    struct totals totals = totals_of(kind);

    (void)reader; /* how many there are is no secret */
    json_key(out, "injectors");
    json_open(out, '{');
    json_member_unsigned(out, "injectors", totals.injectors);
    json_member_unsigned(out, "senders", totals.senders);
    json_member_unsigned(out, "timed", totals.timed);
    json_member_bool(out, "realtime", timed_thread_hurries(&kind->injectors.timed));
    json_member_bool(out, "locked", timed_thread_is_locked(&kind->injectors.timed));
    json_close(out, '}');
}

struct metrics {
    struct producer producer;
    const struct injectors_kind *kind;
};

static bool write_metrics(struct producer *producer, struct json *out)
{
    const struct injectors_kind *kind = ((struct metrics *)producer)->kind;
    struct totals totals = totals_of(kind);

    metric_number(out, "injectors", "Injectors that are held.", totals.injectors);
    metric_number(out, "inject_senders", "Threads that send their frames.", totals.senders);
    metric_number(out, "injectors_opened_total",
                  "Injectors that were opened since the broker began.", kind->injectors.opened);
    metric_number(out, "injectors_refused_total",
                  "Injectors that the keeper or the kernel refused.", kind->injectors.refused);
    metric_number(out, "inject_sent_total", "Frames that were sent.",
                  kind->injectors.sent + totals.sent);
    metric_number(out, "inject_refused_total", "Frames that were refused.",
                  kind->injectors.refused_frames + totals.refused);
    return false;
}

static void free_metrics(struct producer *producer)
{
    free(producer);
}

static struct producer *metrics(void *self, bool each, const struct reader *reader)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);

    (void)each;
    (void)reader;
    if (!metrics)
        return NULL;
    *metrics = (struct metrics){{write_metrics, free_metrics}, self};
    return &metrics->producer;
}

/* --- What an injector is to the broker ------------------------------------------------------- */

static void describe(const struct resource *resource, char *text)
{
    const struct injector *injector = injector_of_resource(resource);
    const struct injector_config *config = &injector->config;
    const struct ethertype_list *list = &config->ethertypes;
    size_t used =
        (size_t)snprintf(text, RESOURCE_TEXT_MAX, "%u of %s", injector->number, config->interface);

    for (uint32_t i = 0; i < list->count && used < RESOURCE_TEXT_MAX; i++)
        used += (size_t)snprintf(text + used, RESOURCE_TEXT_MAX - used, "%s0x%04x", i ? "," : " ",
                                 list->types[i]);
}

static void set_target(const struct injector *injector, struct target *ret)
{
    const struct injector_config *config = &injector->config;

    target_add_interface(ret, config->interface);
    ret->ethertype_count = config->ethertypes.count;
    memcpy(ret->ethertypes, config->ethertypes.types, sizeof ret->ethertypes);
    ret->scope = config->scope;
    ret->rate = config->rate;
}

static void get_target(const struct resource *resource, struct target *ret)
{
    *ret = (struct target){0};
    set_target(injector_of_resource(resource), ret);
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    json_member_string(out, "action", "OPEN_INJECT");
    json_key(out, "payload");
    json_open(out, '{');
    write_injector_config(out, &injector_of_resource(resource)->config);
    json_close(out, '}');
}

/* What is ended is what the policy decides on. */
static void add_displaced(void *self, const struct request *request, struct target *target)
{
    const struct injectors_kind *kind = self;
    const struct injector *injector = NULL;

    if (request->action == ACTION_CLOSE_INJECT)
        injector = injectors_find(&kind->injectors, request->args.close_inject.inject);
    if (injector)
        set_target(injector, target);
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    const struct injectors_kind *kind = self;

    (void)uid;
    return !find_injector(&kind->injectors, request->args.close_inject.inject, error);
}

const struct resource_ops inject_ops = {
    .kind = "inject",
    .verbs = "raw.inject", /* captures have others that begin with raw */
    .read_verb = "raw.read",
    .end_action = "CLOSE_INJECT",
    .start = start,
    .stop = stop,
    .free = free_kind,
    .netif_changed = change_netif,
    .set_limits = set_limits,
    .tick = tick,
    .noun = "injector",
    .count = count,
    .write_status = write_status,
    .metrics = metrics,
    .release = injector_release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .add_displaced = add_displaced,
    .is_missing = is_missing,
};
