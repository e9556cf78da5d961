/* METRICS: counters in Prometheus' text format, version 0.0.4, as the one text of a JSON reply.
 *
 * All samples of a metric follow its two comment lines. So the routes are walked once to count them
 * by state, and once more for each counter that they have; each walk goes on slice by slice, and
 * any number of routes costs the memory of one slice and never more than one slice's time. */
#include "services.h"

#include "authorise.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum {
    ROUTES_A_SLICE = 4096,                     /* 0.1 ms, or 3 ms with counters */
    NAME_ESCAPED = 5 * INTERFACE_NAME_MAX + 1, /* the longest name, if all of it is escaped */
#define T(name, word) +1
    STATES = 0 ROUTE_STATES(T),
#undef T
};

/* --- Lines --------------------------------------------------------------------------------- */

static void line(struct json *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(struct json *out, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_text_part(out, text);
    json_text_part(out, "\n");
}

/* The two lines before the samples. A counter's name ends in _total. */
static void head(struct json *out, const char *name, const char *help)
{
    const char *last = strrchr(name, '_');
    bool counts = last && strcmp(last, "_total") == 0;

    line(out, "# HELP netbroker_%s %s", name, help);
    line(out, "# TYPE netbroker_%s %s", name, counts ? "counter" : "gauge");
}

static void number(struct json *out, const char *name, const char *help, uint64_t value)
{
    head(out, name, help);
    line(out, "netbroker_%s %" PRIu64, name, value);
}

static int escape_byte(char *text, char c)
{
    if (c == '"' || c == '\\')
        return sprintf(text, "\\%c", c);
    if (c == '\n')
        return sprintf(text, "\\n");
    return sprintf(text, "\\\\x%02x", (unsigned char)c);
}

/* The name of an interface as a label's value. The kernel lets it have nearly any bytes; what is no
 * UTF-8 is written as \xff, so that two names stay two. */
static const char *escape(const char *name, char text[NAME_ESCAPED])
{
    char *at = text;

    while (*name) {
        size_t length = utf8_sequence(name, strlen(name));

        if (length == 0 || strchr("\"\\\n", *name)) {
            at += escape_byte(at, *name++);
        } else {
            memcpy(at, name, length);
            at += length;
            name += length;
        }
    }
    *at = '\0';
    return text;
}

/* --- The service --------------------------------------------------------------------------- */

static void write_service(struct json *out, const struct services *services)
{
    const struct service_facts *facts = &services->facts;

    head(out, "info", "The version of the service.");
    line(out, "netbroker_info{version=\"%s\"} 1", NB_VERSION);
    number(out, "uptime_seconds", "Seconds since the broker was started.",
           (uv_hrtime() - facts->started_ns) / 1000000000);
    number(out, "broker_restarts_total", "Brokers that died since the keeper was started.",
           facts->restarts);
    number(out, "requests_total", "Requests since the broker was started, including refused ones.",
           services->requests);
    number(out, "sessions", "Clients that are connected.", services->sessions.count);
    number(out, "subscribers", "Clients that subscribed to events.", services->events.count);
    number(out, "events_lost_total", "Events that subscribers missed because they were too slow.",
           services->events.lost);
}

static void write_users(struct json *out, const struct services *services)
{
    const struct users *users = &services->users;

    number(out, "users", "Users who have connections or leases.", users->count);
    number(out, "leases", "Leases that users hold.", users->leases);
    number(out, "queued_bytes", "Bytes of replies and events that wait to be read.", users->queued);
    number(out, "connections_refused_total", "Connections refused because of a limit.",
           users->refused);
    number(out, "throttled_seconds_total", "Seconds in which a user reached the limit of requests.",
           users->throttled_seconds);
    head(out, "sessions_ended_total",
         "Connections that the service closed, by the timeout that was reached.");
#define W(name, limit, word)                                                                       \
    line(out, "netbroker_sessions_ended_total{wait=\"%s\"} %" PRIu64, word,                        \
         services->sessions.ended[WAIT_##name]);
    WAITS(W)
#undef W
}

static void write_kernel(struct json *out, const struct mroute_totals *totals)
{
    number(out, "kernel_writes_total",
           "Entries written to the kernel's tables or deleted from them.", totals->kernel_writes);
    head(out, "upcalls_total", "The kernel's reports about packets that it could not forward.");
    line(out, "netbroker_upcalls_total{reason=\"no_route\"} %" PRIu64, totals->no_route);
    line(out, "netbroker_upcalls_total{reason=\"wrong_interface\"} %" PRIu64,
         totals->wrong_interface);
    number(out, "routes_learned", "Routes learned for ranges.", totals->learned);
    number(out, "flows_dropped_total",
           "Unrouted flows dropped at once because of the limit unmatched-flows.",
           totals->unmatched_dropped);
}

/* --- VIFs ---------------------------------------------------------------------------------- */

static const struct vif_metric {
    const char *name, *help;
    size_t offset;
} vif_metrics[] = {
    {"vif_receive_packets_total", "Multicast packets received for routing.",
     offsetof(struct vif_counters, packets_in)},
    {"vif_receive_bytes_total", "Their bytes.", offsetof(struct vif_counters, bytes_in)},
    {"vif_transmit_packets_total", "Multicast packets forwarded.",
     offsetof(struct vif_counters, packets_out)},
    {"vif_transmit_bytes_total", "Their bytes.", offsetof(struct vif_counters, bytes_out)},
};

struct vif_list {
    size_t count;
    struct vif_view views[TABLES_MAX * VIFS_MAX];
};

static void add_vif(void *context, const struct vif_view *vif)
{
    struct vif_list *list = context;

    if (list->count < sizeof list->views / sizeof *list->views)
        list->views[list->count++] = *vif;
}

static void write_vif_metric(struct json *out, const struct vif_metric *metric,
                             const struct vif_list *list)
{
    head(out, metric->name, metric->help);
    for (size_t i = 0; i < list->count; i++) {
        const struct vif_view *vif = &list->views[i];
        const void *value = (const char *)&vif->counters + metric->offset;
        char name[NAME_ESCAPED];

        line(out, "netbroker_%s{family=\"%s\",table=\"%u\",interface=\"%s\"} %" PRIu64,
             metric->name, family_name(vif->family), vif->table, escape(vif->name, name),
             *(const uint64_t *)value);
    }
}

static void write_vifs(struct json *out, struct mroute *mroute)
{
    struct mroute_filter everything = {0};
    struct vif_list *list = calloc(1, sizeof *list);

    if (!list) {
        out->failed = true; /* the session answers that there is no memory */
        return;
    }
    mroute_visit_vifs(mroute, &everything, add_vif, list);
    for (size_t i = 0; i < sizeof vif_metrics / sizeof *vif_metrics; i++)
        write_vif_metric(out, &vif_metrics[i], list);
    free(list);
}

/* --- Routes -------------------------------------------------------------------------------- */

static const struct route_metric {
    const char *name, *help;
    size_t offset;
} route_metrics[] = {
    {"route_packets_total", "Packets that the route forwarded.",
     offsetof(struct mfc_counters, packets)},
    {"route_bytes_total", "Their bytes.", offsetof(struct mfc_counters, bytes)},
    {"route_wrong_interface_total",
     "Packets of the route that arrived on another interface than its iif.",
     offsetof(struct mfc_counters, wrong_interface)},
};

enum { ROUTE_METRICS = sizeof route_metrics / sizeof *route_metrics };

struct route_count {
    uint8_t family;
    uint32_t table;
    uint64_t routes[STATES];
};

struct metrics {
    struct producer producer;
    struct mroute *mroute;
    struct route_cursor cursor;
    bool walking;   /* the cursor is open */
    unsigned walks; /* that are done; the first one counts, the others are of route_metrics */
    unsigned walks_wanted;
    size_t table_count;
    struct route_count tables[TABLES_MAX];
};

static void add_table(void *context, const struct mroute_socket *socket)
{
    struct metrics *metrics = context;

    if (metrics->table_count < TABLES_MAX)
        metrics->tables[metrics->table_count++] =
            (struct route_count){.family = socket->family, .table = socket->table};
}

static void count_route(struct metrics *metrics, const struct route *route)
{
    struct route_view view;

    route_describe(route, false, &view);
    for (size_t i = 0; i < metrics->table_count; i++)
        if (metrics->tables[i].family == view.family && metrics->tables[i].table == view.table)
            metrics->tables[i].routes[view.state]++;
}

static void write_counts(const struct metrics *metrics, struct json *out)
{
    head(out, "routes", "Routes by state.");
    for (size_t i = 0; i < metrics->table_count; i++)
        for (unsigned state = 0; state < STATES; state++)
            line(out, "netbroker_routes{family=\"%s\",table=\"%u\",state=\"%s\"} %" PRIu64,
                 family_name(metrics->tables[i].family), metrics->tables[i].table,
                 route_state_words[state], metrics->tables[i].routes[state]);
}

static void write_sample(struct json *out, const struct route_metric *metric,
                         const struct route *route)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX], iif[NAME_ESCAPED];
    struct route_view view;

    route_describe(route, true, &view);
    if (view.state == ROUTE_ON_DEMAND)
        return; /* what was learned from it has counters */

    const void *value = (const char *)&view.counters + metric->offset;

    line(out, "netbroker_%s{source=\"%s\",group=\"%s\",iif=\"%s\",table=\"%u\"} %" PRIu64,
         metric->name, prefix_format(&view.source, source), prefix_format(&view.group, group),
         escape(view.iif, iif), view.table, *(const uint64_t *)value);
}

static void begin_walk(struct metrics *metrics, struct json *out)
{
    struct mroute_filter everything = {0};

    route_cursor_open(&metrics->cursor, metrics->mroute, &everything);
    metrics->walking = true;
    if (metrics->walks > 0)
        head(out, route_metrics[metrics->walks - 1].name, route_metrics[metrics->walks - 1].help);
}

static void end_walk(struct metrics *metrics, struct json *out)
{
    route_cursor_close(&metrics->cursor);
    metrics->walking = false;
    if (metrics->walks++ == 0)
        write_counts(metrics, out);
}

/* One slice. False when the walk is done. */
static bool walk(struct metrics *metrics, struct json *out)
{
    for (unsigned i = 0; i < ROUTES_A_SLICE && out->length < OUT_PAUSE; i++) {
        const struct route *route = route_cursor_next(&metrics->cursor);

        if (!route)
            return false;
        if (metrics->walks == 0)
            count_route(metrics, route);
        else
            write_sample(out, &route_metrics[metrics->walks - 1], route);
    }
    return true;
}

static bool produce(struct producer *producer, struct json *out)
{
    struct metrics *metrics = (struct metrics *)producer;

    while (metrics->walks < metrics->walks_wanted) {
        if (!metrics->walking)
            begin_walk(metrics, out);
        if (walk(metrics, out))
            return true;
        end_walk(metrics, out);
    }
    json_text_close(out);
    reply_close(out);
    return false;
}

static void destroy(struct producer *producer)
{
    struct metrics *metrics = (struct metrics *)producer;

    if (metrics->walking)
        route_cursor_close(&metrics->cursor);
    free(metrics);
}

/* --- The action ---------------------------------------------------------------------------- */

static void write_metrics(struct call *call, struct metrics *metrics)
{
    struct mroute_totals totals = mroute_totals(metrics->mroute);
    struct json *out = reply_open(call, "Metrics.");

    json_member_string(out, "content_type", CONTENT_TYPE);
    json_key(out, "text");
    json_text_open(out);
    write_service(out, call->services);
    write_users(out, call->services);
    write_kernel(out, &totals);
    write_vifs(out, metrics->mroute);
    if (produce(&metrics->producer, out))
        session_produce(call->session, &metrics->producer);
    else
        destroy(&metrics->producer);
}

enum outcome handle_metrics(struct call *call, const struct args_metrics *args)
{
    struct metrics *metrics;
    struct error error;

    if (args->routes && !authorise_also(call, "mroute.read", &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    metrics = calloc(1, sizeof *metrics);
    if (!metrics) {
        call->out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    metrics->producer = (struct producer){produce, destroy};
    metrics->mroute = call->services->mroute;
    metrics->walks_wanted = args->routes ? 1 + ROUTE_METRICS : 1;
    mroute_visit_sockets(metrics->mroute, add_table, metrics);
    write_metrics(call, metrics);
    return OUTCOME_REPLIED;
}
