/* The metrics of routes.
 *
 * All samples of a metric follow its two comment lines. So the VIFs and the routes are walked once
 * for each counter that they have, and the routes once more to count them by state; each walk goes
 * on piece by piece, so that any number of them costs the memory of a few and holds nobody up. */
#include "broker/metrics.h"
#include "actions.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

enum {
    /* Of a piece of work, which ends with whichever comes first. */
    LOOKS_A_PIECE = 64,
    WRITTEN_A_PIECE = 2048,
#define T(name, word) +1
    STATES = 0 ROUTE_STATES(T),
#undef T
};

/* --- Totals -------------------------------------------------------------------------------- */

static void write_kernel(struct json *out, const struct mroute_totals *totals)
{
    metric_number(out, "kernel_writes_total",
                  "Entries written to the kernel's tables or deleted from them.",
                  totals->kernel_writes);
    metric_head(out, "upcalls_total",
                "The kernel's reports about packets that it could not forward.");
    metric_line(out, "netbroker_upcalls_total{reason=\"no_route\"} %" PRIu64, totals->no_route);
    metric_line(out, "netbroker_upcalls_total{reason=\"wrong_interface\"} %" PRIu64,
                totals->wrong_interface);
    metric_number(out, "routes_learned", "Routes learned for ranges.", totals->learned);
    metric_number(out, "flows_dropped_total",
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

enum { VIF_METRICS = sizeof vif_metrics / sizeof *vif_metrics };

static void write_vif_sample(struct json *out, const struct vif_metric *metric,
                             const struct vif_view *vif)
{
    const void *value = (const char *)&vif->counters + metric->offset;
    char name[METRIC_LABEL_SIZE];

    metric_line(out, "netbroker_%s{family=\"%s\",table=\"%u\",interface=\"%s\"} %" PRIu64,
                metric->name, family_name(vif->family), vif->table, metric_label(vif->name, name),
                *(const uint64_t *)value);
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

/* A metric is a walk: first those of VIFs, then the counts of routes, then those of routes. */
enum { WALK_COUNTS = VIF_METRICS, WALK_ROUTES, WALKS = WALK_ROUTES + ROUTE_METRICS };

struct route_metrics {
    struct producer producer;
    struct reader reader;
    struct mroute *mroute;
    struct vif_cursor vifs;
    struct route_cursor routes;
    bool begun;
    bool walking; /* the walk has begun; the cursor of routes is open, where they are walked */
    unsigned walk;
    unsigned end; /* of the walks that are wanted */
    size_t table_count;
    struct route_count tables[TABLES_MAX];
};

static void add_table(void *context, const struct mroute_socket *socket)
{
    struct route_metrics *metrics = context;
    struct target target = {.table = socket->table};

    if (!reader_may_read(&metrics->reader, mroute_ops.read_verb, &target))
        return;
    if (metrics->table_count < TABLES_MAX)
        metrics->tables[metrics->table_count++] =
            (struct route_count){.family = socket->family, .table = socket->table};
}

static void count_route(struct route_metrics *metrics, const struct route *route)
{
    struct route_view view;

    route_describe(route, false, &view);
    for (size_t i = 0; i < metrics->table_count; i++)
        if (metrics->tables[i].family == view.family && metrics->tables[i].table == view.table)
            metrics->tables[i].routes[view.state]++;
}

static void write_counts(const struct route_metrics *metrics, struct json *out)
{
    metric_head(out, "routes", "Routes by state.");
    for (size_t i = 0; i < metrics->table_count; i++)
        for (unsigned state = 0; state < STATES; state++)
            metric_line(out, "netbroker_routes{family=\"%s\",table=\"%u\",state=\"%s\"} %" PRIu64,
                        family_name(metrics->tables[i].family), metrics->tables[i].table,
                        route_state_words[state], metrics->tables[i].routes[state]);
}

static void write_sample(struct json *out, const struct route_metric *metric,
                         const struct route *route)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX], iif[METRIC_LABEL_SIZE];
    struct route_view view;

    route_describe(route, true, &view);
    if (view.state == ROUTE_ON_DEMAND)
        return; /* what was learned from it has counters */

    const void *value = (const char *)&view.counters + metric->offset;

    metric_line(out, "netbroker_%s{source=\"%s\",group=\"%s\",iif=\"%s\",table=\"%u\"} %" PRIu64,
                metric->name, prefix_format(&view.source, source),
                prefix_format(&view.group, group), metric_label(view.iif, iif), view.table,
                *(const uint64_t *)value);
}

static bool walks_routes(const struct route_metrics *metrics)
{
    return metrics->walk >= WALK_COUNTS;
}

static void begin_walk(struct route_metrics *metrics, struct json *out)
{
    static const struct mroute_filter everything;
    unsigned walk = metrics->walk;

    metrics->vifs = (struct vif_cursor){0};
    if (walks_routes(metrics))
        route_cursor_open(&metrics->routes, metrics->mroute, &everything);
    metrics->walking = true;
    if (walk < WALK_COUNTS)
        metric_head(out, vif_metrics[walk].name, vif_metrics[walk].help);
    if (walk >= WALK_ROUTES)
        metric_head(out, route_metrics[walk - WALK_ROUTES].name,
                    route_metrics[walk - WALK_ROUTES].help);
}

static void end_walk(struct route_metrics *metrics, struct json *out)
{
    if (walks_routes(metrics))
        route_cursor_close(&metrics->routes);
    metrics->walking = false;
    if (metrics->walk++ == WALK_COUNTS)
        write_counts(metrics, out);
}

static bool may_read_vif(const struct route_metrics *metrics, const struct vif_view *vif)
{
    struct target target = {.table = vif->table};

    target_add_interface(&target, vif->name);
    return reader_may_read(&metrics->reader, mroute_ops.read_verb, &target);
}

static bool look_at_vif(struct route_metrics *metrics, struct json *out)
{
    static const struct mroute_filter everything;
    struct vif_view vif;
    bool there;

    if (!vif_cursor_look(&metrics->vifs, metrics->mroute, &everything, &there, &vif))
        return false;
    if (there && may_read_vif(metrics, &vif))
        write_vif_sample(out, &vif_metrics[metrics->walk], &vif);
    return true;
}

static bool look_at_route(struct route_metrics *metrics, struct json *out)
{
    const struct route *route;

    if (!route_cursor_look(&metrics->routes, &route))
        return false;
    if (route && metrics->walk == WALK_COUNTS)
        count_route(metrics, route);
    else if (route)
        write_sample(out, &route_metrics[metrics->walk - WALK_ROUTES], route);
    return true;
}

/* A piece of it. False when the walk is done. */
static bool walk(struct route_metrics *metrics, struct json *out)
{
    size_t end = out->length + WRITTEN_A_PIECE;
    bool (*look)(struct route_metrics * metrics, struct json * out) =
        walks_routes(metrics) ? look_at_route : look_at_vif;

    for (unsigned i = 0; i < LOOKS_A_PIECE && out->length < end; i++)
        if (!look(metrics, out))
            return false;
    return true;
}

/* What is written at once. */
static void write_totals(struct route_metrics *metrics, struct json *out)
{
    struct mroute_totals totals = mroute_totals(metrics->mroute);

    metrics->begun = true;
    write_kernel(out, &totals);
}

static bool produce(struct producer *producer, struct json *out)
{
    struct route_metrics *metrics = (struct route_metrics *)producer;

    if (!metrics->begun)
        write_totals(metrics, out);
    else if (!metrics->walking)
        begin_walk(metrics, out);
    if (metrics->walking && !walk(metrics, out))
        end_walk(metrics, out);
    return metrics->walk < metrics->end;
}

static void destroy(struct producer *producer)
{
    struct route_metrics *metrics = (struct route_metrics *)producer;

    if (metrics->walking && walks_routes(metrics))
        route_cursor_close(&metrics->routes);
    free(metrics);
}

struct producer *mroute_metrics(void *self, bool each, const struct reader *reader)
{
    const struct mroute_kind *kind = self;
    struct route_metrics *metrics = calloc(1, sizeof *metrics);

    if (!metrics)
        return NULL;
    metrics->producer = (struct producer){produce, destroy};
    metrics->mroute = kind->mroute;
    metrics->reader = *reader;
    metrics->end = each ? WALKS : WALK_ROUTES;
    mroute_visit_sockets(metrics->mroute, add_table, metrics);
    return &metrics->producer;
}
