#include "publish.h"

#include "json.h"

#include <time.h>

#define SECOND UINT64_C(1000000000)
#define MS     UINT64_C(1000000)

enum { STATUS_MAX = 4096 };

uint64_t publish_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

uint64_t publish_start(struct nb_request *request, uint64_t lead, uint64_t grid)
{
    uint64_t start = (publish_now() / MS + lead + grid - 1) / grid * grid;

    nb_request_set_integer(request, "start", (int64_t)start);
    return start * MS;
}

static uint64_t not_sent(const struct injection_tally *tally, const char **ret_reason)
{
    uint64_t most = 0, skipped = tally->too_long;

    *ret_reason = skipped ? "too-long" : "";
    for (unsigned i = 1; i < NB_INJECT_REASONS; i++) {
        skipped += tally->counts.refused[i];
        if (tally->counts.refused[i] > most) {
            most = tally->counts.refused[i];
            *ret_reason = nb_inject_reason_word(i);
        }
    }
    return skipped;
}

static void add_quantile(struct json *json, const char *key, const struct injection_tally *tally,
                         uint64_t millionths)
{
    json_member_unsigned(json, key, nb_inject_lateness(&tally->timing, millionths));
}

static const char *status_word(const struct injection_tally *tally)
{
    if (tally->is_running)
        return "running";
    return injection_is_complete(tally) ? "completed" : tally->interrupted ? "stopped" : "failed";
}

static void add_notes(struct json *json, const struct publish_notes *notes)
{
    const struct clock_state *clock = notes->clock;

    if (notes->has_flaws) {
        json_member_unsigned(json, "dropped", notes->dropped);
        json_member_unsigned(json, "duplicated", notes->duplicated);
    }
    if (notes->synch)
        json_member_string(json, "smpSynch", notes->synch);
    if (!clock)
        return;
    json_key(json, "clock");
    json_open(json, '{');
    json_member_bool(json, "known", clock->is_known);
    if (clock->is_known) {
        json_member_bool(json, "synchronized", clock->is_synchronized);
        json_member_unsigned(json, "estimatedError", clock->error);
        json_member_unsigned(json, "maximumError", clock->error_max);
        json_member_string(json, "source", clock->has_pulse ? "pulse" : "unknown");
    }
    json_close(json, '}');
}

static void add_data(struct json *json, const char *id, const struct injection_tally *tally,
                     const struct publish_notes *notes)
{
    const char *reason;
    uint64_t skipped = not_sent(tally, &reason);

    json_member_string(json, "id", id);
    json_member_string(json, "status", status_word(tally));
    json_member_unsigned(json, "sent", tally->counts.sent);
    json_member_unsigned(json, "late", tally->timing.late);
    json_member_unsigned(json, "skipped", skipped);
    add_quantile(json, "p50", tally, 500000);
    add_quantile(json, "p99", tally, 990000);
    add_quantile(json, "p99.9", tally, 999000);
    json_member_unsigned(json, "max", tally->timing.latest);
    json_member_unsigned(json, "stalls", tally->timing.stalls);
    json_member_unsigned(json, "stalled", tally->timing.stalled_ns);
    json_member_unsigned(json, "starved", tally->starved);
    if (tally->knows_realtime)
        json_member_bool(json, "realtime", tally->has_realtime);
    add_notes(json, notes);
    json_member_string(json, "reason", reason);
}

void publish_status(FILE *file, struct iec_text id, const struct injection_tally *tally,
                    const struct publish_notes *notes)
{
    struct json json = {.limit = STATUS_MAX};
    char text[192], now[32];

    snprintf(text, sizeof text, "%.*s", (int)id.length, id.bytes);
    snprintf(now, sizeof now, "%llu", (unsigned long long)publish_now());
    json_open(&json, '{');
    json_member_string(&json, "topic", "stream/status");
    json_member_string(&json, "ts", now);
    json_key(&json, "data");
    json_open(&json, '{');
    add_data(&json, text, tally, notes);
    json_close(&json, '}');
    json_close(&json, '}');
    json_bytes(&json, "", 1);
    if (!json.failed)
        fprintf(file, "%s\n", json.text);
    fflush(file);
    json_clear(&json);
}
