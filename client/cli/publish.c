#include "publish.h"

#include "iec61850/sv_words.h"
#include "status.h"

#define SECOND UINT64_C(1000000000)
#define MS     UINT64_C(1000000)

enum { STATUS_MAX = 4096 };

uint64_t publish_start(struct nb_request *request, uint64_t lead, uint64_t grid)
{
    uint64_t start = (clock_now() / MS + lead + grid - 1) / grid * grid;

    nb_request_set_integer(request, "start", (int64_t)start);
    return start * MS;
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
    char text[SV_SYNCH_BYTES];

    if (notes->has_flaws) {
        json_member_unsigned(json, "dropped", notes->dropped);
        json_member_unsigned(json, "duplicated", notes->duplicated);
    }
    if (notes->has_synch)
        json_member_string(json, "smpSynch", sv_synch_text(notes->synch, text));
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
    const struct inject_status status = {.id = id,
                                         .word = status_word(tally),
                                         .counts = &tally->counts,
                                         .timing = &tally->timing,
                                         .too_long = tally->too_long,
                                         .starved = tally->starved};
    const char *reason;

    inject_skipped(&status, &reason);
    inject_status_write(json, &status);
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
    snprintf(now, sizeof now, "%llu", (unsigned long long)clock_now());
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
