#include "status.h"

uint64_t inject_skipped(const struct inject_status *status, const char **ret_reason)
{
    uint64_t most = 0, skipped = status->too_long;

    *ret_reason = skipped ? "too-long" : "";
    for (unsigned i = 1; i < NB_INJECT_REASONS; i++) {
        skipped += status->counts->refused[i];
        if (status->counts->refused[i] > most) {
            most = status->counts->refused[i];
            *ret_reason = nb_inject_reason_word(i);
        }
    }
    return skipped;
}

static void write_quantile(struct json *json, const char *key,
                           const struct nb_inject_timing *timing, uint64_t millionths)
{
    json_member_unsigned(json, key, nb_inject_lateness(timing, millionths));
}

void inject_status_write(struct json *json, const struct inject_status *status)
{
    const struct nb_inject_timing *timing = status->timing;
    const char *reason;

    json_member_string(json, "id", status->id);
    json_member_string(json, "status", status->word);
    json_member_unsigned(json, "sent", status->counts->sent);
    json_member_unsigned(json, "late", timing->late);
    json_member_unsigned(json, "skipped", inject_skipped(status, &reason));
    write_quantile(json, "p50", timing, 500000);
    write_quantile(json, "p99", timing, 990000);
    write_quantile(json, "p99.9", timing, 999000);
    json_member_unsigned(json, "max", timing->latest);
    json_member_unsigned(json, "stalls", timing->stalls);
    json_member_unsigned(json, "stalled", timing->stalled_ns);
    json_member_unsigned(json, "starved", status->starved);
}
