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

static void add_data(struct json *json, const char *id, const struct injection_tally *tally)
{
    const char *reason;
    uint64_t skipped = not_sent(tally, &reason);

    json_member_string(json, "id", id);
    json_member_string(json, "status",
                       injection_is_complete(tally) ? "completed"
                       : tally->interrupted         ? "stopped"
                                                    : "failed");
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
    json_member_string(json, "reason", reason);
}

void publish_status(FILE *file, struct iec_text id, const struct injection_tally *tally)
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
    add_data(&json, text, tally);
    json_close(&json, '}');
    json_close(&json, '}');
    json_bytes(&json, "", 1);
    if (!json.failed)
        fprintf(file, "%s\n", json.text);
    json_clear(&json);
}
