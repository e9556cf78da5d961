/* METRICS: counters in Prometheus' text format, as the one text of a JSON reply: those of the
 * service, and behind them each kind's, slice by slice. */
#include "broker/metrics.h"
#include "broker/wire/authorise.h"
#include "broker/wire/services.h"
#include "pools_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* --- The service --------------------------------------------------------------------------- */

static void write_service(struct json *out, const struct services *services)
{
    const struct service_facts *facts = &services->facts;

    metric_head(out, "info", "The version of the service.");
    metric_line(out, "netbroker_info{version=\"%s\"} 1", NB_VERSION);
    metric_number(out, "uptime_seconds", "Seconds since the broker was started.",
                  (uv_hrtime() - facts->started_ns) / 1000000000);
    metric_number(out, "broker_restarts_total", "Brokers that died since the keeper was started.",
                  facts->restarts);
    metric_number(out, "requests_total",
                  "Requests since the broker was started, including refused ones.",
                  services->requests);
    metric_number(out, "sessions", "Clients that are connected.", services->sessions.count);
    metric_number(out, "subscribers", "Clients that subscribed to events.", services->events.count);
    metric_number(out, "events_lost_total",
                  "Events that subscribers missed because they were too slow.",
                  services->events.lost);
}

/* By this a slow action is found: it delays everybody. */
static void write_longest(struct json *out, const struct services *services)
{
    metric_head(out, "longest_piece_seconds",
                "The longest time, since the broker was started, in which only one request of the "
                "action was worked on.");
    for (enum action action = 0; action < ACTION_COUNT; action++)
        if (services->longest_ns[action])
            metric_line(out, "netbroker_longest_piece_seconds{action=\"%s\"} %.6f",
                        action_row(action)->name, (double)services->longest_ns[action] / 1e9);
}

static void write_users(struct json *out, const struct services *services,
                        const struct reader *reader)
{
    const struct users *users = &services->users;

    metric_number(out, "users", "Users who have connections or leases.",
                  users->pools.accounts.count);
    metric_number(out, "leases", "Leases that users hold.", users->leases.used);
    metric_number(out, "queued_bytes", "Bytes of replies and events that wait to be read.",
                  users->bytes.used);
    metric_number(out, "connections_refused_total", "Connections refused because of a limit.",
                  users->connections.refused);
    metric_number(out, "throttled_seconds_total",
                  "Seconds in which a user reached the limit of requests.",
                  users->throttled_seconds);
    metric_head(out, "sessions_ended_total",
                "Connections that the service closed, by the timeout that was reached.");
#define W(name, limit, word)                                                                       \
    metric_line(out, "netbroker_sessions_ended_total{wait=\"%s\"} %" PRIu64, word,                 \
                services->sessions.ended[WAIT_##name]);
    WAITS(W)
#undef W
    pools_write_metrics(&users->pools, reader, out);
}

/* --- The kinds ----------------------------------------------------------------------------- */

struct metrics {
    struct producer producer;
    const struct services *services;
    struct reader reader;
    const struct resource_ops *const *next; /* kind */
    struct producer *kind;                  /* owned; the one whose turn it is */
    bool each;
};

/* False: no memory. */
static bool begin_next(struct metrics *metrics)
{
    const struct resource_ops *ops = *metrics->next++;

    if (!ops->metrics)
        return true;
    metrics->kind =
        ops->metrics(kind_self(&metrics->services->kinds, ops), metrics->each, &metrics->reader);
    return metrics->kind != NULL;
}

static void end_kind(struct metrics *metrics)
{
    if (metrics->kind)
        metrics->kind->destroy(metrics->kind);
    metrics->kind = NULL;
}

static bool produce(struct producer *producer, struct json *out)
{
    struct metrics *metrics = (struct metrics *)producer;

    if (metrics->kind || *metrics->next) {
        if (!metrics->kind && !begin_next(metrics)) {
            out->failed = true; /* the session answers that there is no memory, or ends */
            return false;
        }
        if (!metrics->kind || !metrics->kind->more(metrics->kind, out))
            end_kind(metrics);
        return true;
    }
    json_text_close(out);
    reply_close(out);
    return false;
}

static void destroy(struct producer *producer)
{
    end_kind((struct metrics *)producer);
    free(producer);
}

/* --- The action ---------------------------------------------------------------------------- */

static void write_metrics(struct call *call, struct metrics *metrics)
{
    struct json *out = reply_open(call, "Metrics.");

    json_member_string(out, "content_type", CONTENT_TYPE);
    json_key(out, "text");
    json_text_open(out);
    write_service(out, call->services);
    write_longest(out, call->services);
    write_users(out, call->services, &metrics->reader);
    reply_produce(call, &metrics->producer);
}

/* The counters of each resource are for those who may read them. */
static bool may_read_each(const struct call *call, struct error *error)
{
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i]->metrics && !authorise_also(call, kinds[i]->read_verb, error))
            return false;
    return true;
}

enum outcome handle_metrics(struct call *call, const struct args_metrics *args)
{
    struct metrics *metrics;
    struct error error;

    if (args->routes && !may_read_each(call, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    metrics = calloc(1, sizeof *metrics);
    if (!metrics) {
        call->out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    metrics->producer = (struct producer){produce, destroy};
    metrics->services = call->services;
    metrics->reader = call_reader(call);
    metrics->next = kinds;
    metrics->each = args->routes;
    write_metrics(call, metrics);
    return OUTCOME_REPLIED;
}
