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

static void pass_event(void *context, enum capture_event event, const struct capture *capture)
{
    const struct captures_kind *kind = context;

    publish_capture(kind->host.events, event, capture);
}

static void close_fd(void *context, int fd)
{
    const struct captures_kind *kind = context;

    if (kind->host.closer)
        closer_take(kind->host.closer, NULL, &(struct closing){.fd = fd});
    else
        close(fd);
}

/* By a thread. */
static void wake(void *context)
{
    struct captures_kind *kind = context;

    if (kind->host.loop)
        uv_async_send(&kind->async);
}

static void settle(uv_async_t *async)
{
    struct captures_kind *kind = async->data;

    captures_settle(&kind->captures);
}

static bool start(const struct resource_host *host, void **ret_self)
{
    struct captures_kind *kind = calloc(1, sizeof *kind);

    if (!kind)
        return false;
    kind->host = *host;
    if (host->loop && uv_async_init(host->loop, &kind->async, settle) != 0) {
        free(kind);
        return false;
    }
    kind->async.data = kind;
    captures_init(&kind->captures, host,
                  &(struct captures_callbacks){pass_event, close_fd, wake, kind});
    *ret_self = kind;
    return true;
}

static void stop(void *self)
{
    struct captures_kind *kind = self;

    captures_stop(&kind->captures);
    if (kind->host.loop)
        uv_close((uv_handle_t *)&kind->async, NULL);
}

static void free_kind(void *self)
{
    struct captures_kind *kind = self;

    captures_stop(&kind->captures);
    captures_clear(&kind->captures);
    free(kind);
}

static void change_netif(void *self, const struct netif *was, const struct netif *is)
{
    struct captures_kind *kind = self;

    captures_netif_changed(&kind->captures, was, is);
}

static void set_limits(void *self, const struct limits *limits)
{
    struct captures_kind *kind = self;

    captures_set_limits(&kind->captures, limits);
}

static void tick(void *self)
{
    struct captures_kind *kind = self;

    captures_tick(&kind->captures);
}

struct captures *captures_of(const struct call *call)
{
    struct captures_kind *kind = call_kind(call, &capture_ops);

    return &kind->captures;
}

/* --- For people and monitors --------------------------------------------------------------- */

struct totals {
    size_t captures, sources;
    uint64_t fenced;
};

static struct totals totals_of(const struct captures_kind *kind)
{
    const struct capture_source *from;
    const struct capture *capture;
    struct totals totals = {0};

    TAILQ_FOREACH (capture, &kind->captures.order, in_order)
        totals.captures += capture->state != CAPTURE_CLOSING;
    TAILQ_FOREACH (from, &kind->captures.sources, in_sources) {
        totals.sources += from->source != NULL;
        totals.fenced += from->source ? source_fenced(from->source) : 0;
    }
    return totals;
}

static size_t count(void *self)
{
    return totals_of(self).captures;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    struct totals totals = totals_of(self);

    (void)reader; /* how many there are is no secret */
    json_key(out, "captures");
    json_open(out, '{');
    json_member_unsigned(out, "captures", totals.captures);
    json_member_unsigned(out, "sources", totals.sources);
    json_close(out, '}');
}

struct metrics {
    struct producer producer;
    const struct captures_kind *kind;
};

static bool write_metrics(struct producer *producer, struct json *out)
{
    const struct captures_kind *kind = ((struct metrics *)producer)->kind;
    struct totals totals = totals_of(kind);

    metric_number(out, "captures", "Captures that are held.", totals.captures);
    metric_number(out, "capture_sources", "Rings of frames that the kernel fills for them.",
                  totals.sources);
    metric_number(out, "captures_opened_total", "Captures that were opened since the broker began.",
                  kind->captures.opened);
    metric_number(out, "captures_refused_total", "Captures that the keeper or the kernel refused.",
                  kind->captures.refused);
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

/* --- What a capture is to the broker ------------------------------------------------------- */

static void describe(const struct resource *resource, char *text)
{
    const struct capture *capture = capture_of_resource(resource);
    const struct ethertype_list *list = &capture->config.packets.ethertypes;
    size_t used = (size_t)snprintf(text, RESOURCE_TEXT_MAX, "%u of %s", capture->number,
                                   capture->config.interface);

    if (capture->config.packets.directions != DIRECTION_BOTH)
        used += (size_t)snprintf(text + used, RESOURCE_TEXT_MAX - used, " %s",
                                 direction_word((uint8_t)capture->config.packets.directions));
    for (uint32_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, RESOURCE_TEXT_MAX - used, "%s0x%04x", i ? "," : " ",
                                 list->types[i]);
}

static void set_target(const struct capture *capture, struct target *ret)
{
    const struct packets_config *packets = &capture->config.packets;

    target_add_interface(ret, capture->config.interface);
    ret->ethertype_count = packets->ethertypes.count;
    memcpy(ret->ethertypes, packets->ethertypes.types, sizeof ret->ethertypes);
    ret->directions = (uint8_t)packets->directions;
    ret->promiscuous = packets->promiscuous != 0;
}

static void get_target(const struct resource *resource, struct target *ret)
{
    *ret = (struct target){0};
    set_target(capture_of_resource(resource), ret);
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    json_member_string(out, "action", "OPEN_CAPTURE");
    json_key(out, "payload");
    json_open(out, '{');
    write_capture_config(out, &capture_of_resource(resource)->config);
    json_close(out, '}');
}

/* What is ended is what the policy decides on. */
static void add_displaced(void *self, const struct request *request, struct target *target)
{
    const struct captures_kind *kind = self;
    const struct capture *capture = NULL;

    if (request->action == ACTION_CLOSE_CAPTURE)
        capture = captures_find(&kind->captures, request->args.close_capture.capture);
    if (capture)
        set_target(capture, target);
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    const struct captures_kind *kind = self;

    (void)uid;
    return !find_capture(&kind->captures, request->args.close_capture.capture, error);
}

const struct resource_ops capture_ops = {
    .kind = "capture",
    .verbs = "raw.capture", /* injectors have others that begin with raw */
    .read_verb = "raw.read",
    .end_action = "CLOSE_CAPTURE",
    .start = start,
    .stop = stop,
    .free = free_kind,
    .netif_changed = change_netif,
    .set_limits = set_limits,
    .tick = tick,
    .noun = "capture",
    .count = count,
    .write_status = write_status,
    .metrics = metrics,
    .release = capture_release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .add_displaced = add_displaced,
    .is_missing = is_missing,
};
