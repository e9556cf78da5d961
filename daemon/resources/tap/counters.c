/* The kernel is asked when somebody looks, one question a tap. METRICS are counters of the taps
 * that the reader may read, at most TAPS_SHOWN_MAX: all samples of a metric follow its head, so the
 * taps are asked first, one a piece of work, and written then, a metric a piece. */
#include "counters.h"

#include "broker/metrics.h"
#include "platform/tap_facts.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct counter {
    const char *key;    /* in replies */
    const char *metric; /* in METRICS */
    const char *help;
    size_t offset;
} counters[] = {
    {"rx_frames", "tap_receive_frames_total", "Frames that came from the tap's program.",
     offsetof(struct tap_counters, rx_frames)},
    {"rx_bytes", "tap_receive_bytes_total", "Their bytes.",
     offsetof(struct tap_counters, rx_bytes)},
    {"rx_dropped", "tap_receive_dropped_total", "Frames of the program's that the host dropped.",
     offsetof(struct tap_counters, rx_dropped)},
    {"tx_frames", "tap_transmit_frames_total", "Frames that the tap's program took.",
     offsetof(struct tap_counters, tx_frames)},
    {"tx_bytes", "tap_transmit_bytes_total", "Their bytes.",
     offsetof(struct tap_counters, tx_bytes)},
    {"tx_dropped", "tap_transmit_dropped_total", "Frames that the program did not take in time.",
     offsetof(struct tap_counters, tx_dropped)},
};

enum { COUNTERS = sizeof counters / sizeof *counters };

static uint64_t value_of(const struct tap_counters *values, unsigned i)
{
    return *(const uint64_t *)((const char *)values + counters[i].offset);
}

void write_tap_counters(struct json *out, const struct tap *tap)
{
    struct tap_counters values;

    if (!tap->ifindex || tap_facts_count(tap->ifindex, &values) < 0)
        return;
    for (unsigned i = 0; i < COUNTERS; i++)
        json_member_unsigned(out, counters[i].key, value_of(&values, i));
}

/* --- METRICS ------------------------------------------------------------------------------- */

enum { TAPS_SHOWN_MAX = 256 };

struct shown {
    char name[INTERFACE_NAME_MAX + 1];
    struct tap_counters values;
    unsigned clients; /* of a relay; the rest is of no tap without them */
    uint64_t told[TOLD_COUNTERS];
    bool relayed;
};

struct tap_metrics {
    struct producer producer;
    struct tap_kind *kind;
    struct reader reader;
    struct tap_cursor cursor;
    bool collecting;
    unsigned written; /* metrics */
    size_t count, omitted;
    struct shown shown[TAPS_SHOWN_MAX];
};

/* What its relay says, also of clients that have left. */
static void note_relay(const struct tap *tap, struct shown *shown)
{
    shown->clients = tap->relay.count;
    shown->relayed = tap->relay.relayed;
    for (unsigned i = 0; i < TOLD_COUNTERS; i++)
        shown->told[i] = told_total(tap, i);
}

/* False: there are no more. */
static bool collect(struct tap_metrics *metrics)
{
    const struct tap *tap;
    struct shown *shown;

    if (!tap_cursor_look(&metrics->cursor, &tap))
        return false;
    if (!tap || !tap->ifindex || !reader_may_see(&metrics->reader, &tap->resource))
        return true;
    if (metrics->count == TAPS_SHOWN_MAX) {
        metrics->omitted++;
        return true;
    }
    shown = &metrics->shown[metrics->count];
    memcpy(shown->name, tap->config.name, sizeof shown->name);
    note_relay(tap, shown);
    metrics->count += tap_facts_count(tap->ifindex, &shown->values) == 0;
    return true;
}

static void write_totals(const struct tap_metrics *metrics, struct json *out)
{
    const struct taps *taps = &metrics->kind->taps;
    struct tap_totals totals = taps_total(taps);

    metric_number(out, "taps", "Taps that are held.", totals.taps);
    metric_number(out, "taps_waiting", "Taps that wait for their bridge, or to be made again.",
                  totals.waiting);
    metric_number(out, "taps_closing", "Taps that are being deleted.", totals.closing);
    metric_number(out, "taps_spare", "Taps that were made before somebody asked for them.",
                  totals.spares);
    metric_number(out, "taps_opened_total", "Taps that were made since the broker began.",
                  taps->opened);
    metric_number(out, "taps_refused_total", "Taps that the keeper or the kernel refused.",
                  taps->refused);
    metric_number(out, "taps_omitted", "Taps without counters here, because there are too many.",
                  metrics->omitted);
    metric_number(out, "link_events_withheld_total",
                  "Events that relays told of faster than is passed on.", taps->links.withheld);
}

static void write_counter(const struct tap_metrics *metrics, unsigned i, struct json *out)
{
    char label[METRIC_LABEL_SIZE];

    metric_head(out, counters[i].metric, counters[i].help);
    for (size_t n = 0; n < metrics->count; n++)
        metric_line(out, "netbroker_%s{tap=\"%s\"} %" PRIu64, counters[i].metric,
                    metric_label(metrics->shown[n].name, label),
                    value_of(&metrics->shown[n].values, i));
}

static void write_told(const struct tap_metrics *metrics, unsigned i, struct json *out)
{
    char label[METRIC_LABEL_SIZE];

    metric_head(out, told_counters[i].metric, told_counters[i].help);
    for (size_t n = 0; n < metrics->count; n++)
        if (metrics->shown[n].relayed)
            metric_line(out, "netbroker_%s{tap=\"%s\"} %" PRIu64, told_counters[i].metric,
                        metric_label(metrics->shown[n].name, label), metrics->shown[n].told[i]);
}

static void write_clients(const struct tap_metrics *metrics, struct json *out)
{
    char label[METRIC_LABEL_SIZE];

    metric_head(out, "link_clients", "Clients of a relay, as it says.");
    for (size_t n = 0; n < metrics->count; n++)
        if (metrics->shown[n].relayed)
            metric_line(out, "netbroker_link_clients{tap=\"%s\"} %u",
                        metric_label(metrics->shown[n].name, label), metrics->shown[n].clients);
}

/* One metric, the nth. False: it is the last. */
static bool write_next(const struct tap_metrics *metrics, unsigned n, struct json *out)
{
    if (n < COUNTERS)
        write_counter(metrics, n, out);
    else if (n == COUNTERS)
        write_clients(metrics, out);
    else if (told_counters[n - COUNTERS - 1].metric)
        write_told(metrics, n - COUNTERS - 1, out);
    return n < COUNTERS + TOLD_COUNTERS;
}

static bool produce(struct producer *producer, struct json *out)
{
    struct tap_metrics *metrics = (struct tap_metrics *)producer;

    if (metrics->collecting) {
        if (collect(metrics))
            return true;
        tap_cursor_close(&metrics->cursor);
        metrics->collecting = false;
        write_totals(metrics, out);
        return true;
    }
    return write_next(metrics, metrics->written++, out);
}

static void destroy(struct producer *producer)
{
    struct tap_metrics *metrics = (struct tap_metrics *)producer;

    if (metrics->collecting)
        tap_cursor_close(&metrics->cursor);
    free(metrics);
}

struct producer *tap_metrics(void *self, bool each, const struct reader *reader)
{
    struct tap_metrics *metrics = calloc(1, sizeof *metrics);

    (void)each;
    if (!metrics)
        return NULL;
    metrics->producer = (struct producer){produce, destroy};
    metrics->kind = self;
    metrics->reader = *reader;
    metrics->collecting = true;
    tap_cursor_open(&metrics->cursor, &metrics->kind->taps);
    return &metrics->producer;
}
