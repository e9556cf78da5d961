#include "inject_report.h"

#include "contents.h"
#include "frame/frame.h"
#include "json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 8192 };

#define SECOND 1e9

/* --- Numbers ------------------------------------------------------------------------------- */

static uint64_t refused(const struct injection_tally *tally)
{
    uint64_t count = 0;

    for (unsigned i = 1; i < NB_INJECT_REASONS; i++)
        count += tally->counts.refused[i];
    return count;
}

/* Frames that were to be sent, but for cut ones. What has no end has one where it is interrupted.
 */
static uint64_t due(const struct injection_tally *tally)
{
    uint64_t judged = tally->counts.sent + refused(tally);

    if (tally->is_endless && tally->interrupted)
        return judged + tally->too_long;
    return tally->total ? tally->total : tally->put + tally->too_long;
}

static uint64_t asked(const struct injection_tally *tally)
{
    return due(tally) + tally->cut;
}

static uint64_t ended(const struct injection_tally *tally)
{
    uint64_t done = tally->counts.sent + refused(tally) + tally->too_long;

    return due(tally) > done ? due(tally) - done : 0;
}

bool injection_is_complete(const struct injection_tally *tally)
{
    return tally->counts.sent == asked(tally) && (!tally->interrupted || tally->is_endless);
}

/* Frames in a second, where the first one begins the time and does not count. */
static double rate(uint64_t frames, uint64_t duration)
{
    return frames > 1 && duration > 0 ? (double)(frames - 1) / ((double)duration / SECOND) : 0;
}

static uint64_t quantile(const struct injection_tally *tally, unsigned millionths)
{
    return nb_inject_lateness(&tally->timing, millionths);
}

/* --- For people ---------------------------------------------------------------------------- */

static const char *time_text(uint64_t ns, char text[32])
{
    if (ns < 1000000)
        snprintf(text, 32, "%.1f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(text, 32, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(text, 32, "%.3f s", (double)ns / SECOND);
    return text;
}

void injection_settle(struct injection_tally *tally)
{
    uint64_t most = tally->last - tally->first + tally->timing.latest;

    if (tally->is_timed && tally->duration > most)
        tally->duration = most;
}

static void print_rates(FILE *file, const struct injection_tally *tally)
{
    uint64_t wanted = tally->last - tally->first;
    char text[2][32];

    fprintf(file, "Rate: %.2f frames/s achieved", rate(tally->counts.sent, tally->duration));
    if (tally->is_timed)
        fprintf(file, ", %.2f asked", rate(tally->put, wanted));
    fprintf(file, "; time: %s", time_text(tally->duration, text[0]));
    if (tally->is_timed && !tally->interrupted)
        fprintf(file, ", %s asked", time_text(wanted, text[1]));
    fputs(".\n", file);
}

static void print_lateness(FILE *file, const struct injection_tally *tally)
{
    const struct nb_inject_timing *timing = &tally->timing;
    char text[4][32];

    fprintf(
        file,
        "Lateness: p50 %s, p99 %s, p99.9 %s, most %s; %" PRIu64 " frames more than 0.1 ms late.\n",
        time_text(quantile(tally, 500000), text[0]), time_text(quantile(tally, 990000), text[1]),
        time_text(quantile(tally, 999000), text[2]), time_text(timing->latest, text[3]),
        timing->late);
    fprintf(file, "The machine stalled %" PRIu64 " times, for %s; real-time priority: %s.\n",
            timing->stalls, time_text(timing->stalled_ns, text[0]),
            !tally->knows_realtime ? "not known"
            : tally->has_realtime  ? "yes"
                                   : "no");
    if (tally->starved > 0)
        fprintf(file, "Starved: %" PRIu64 " frames were ready after their time only.\n",
                tally->starved);
}

static void print_reason(FILE *file, uint64_t count, const char *reason, const char *meaning)
{
    if (count > 0)
        fprintf(file, "Not sent: %" PRIu64 " (%s): %s.\n", count, reason, meaning);
}

static void print_losses(FILE *file, const struct injection_tally *tally)
{
    for (unsigned i = 1; i < NB_INJECT_REASONS; i++)
        print_reason(file, tally->counts.refused[i], nb_inject_reason_word(i),
                     nb_inject_reason_meaning(i));
    print_reason(file, tally->too_long, "too-long", "the service sends none that is so long");
    print_reason(file, tally->cut, "cut", "the capture has a part of the frame only");
    print_reason(file, ended(tally), "ended",
                 tally->interrupted ? "it was interrupted before" : "the injection ended before");
    if (tally->backwards > 0)
        fprintf(file,
                "%" PRIu64 " frames have a time before that of an earlier one, and went with it.\n",
                tally->backwards);
}

void injection_report(FILE *file, const struct injection_tally *tally)
{
    fprintf(file, "%" PRIu64 " of %" PRIu64 " frames sent on %s, %" PRIu64 " bytes%s.\n",
            tally->counts.sent, asked(tally), tally->interface, tally->counts.sent_bytes,
            tally->interrupted ? "; interrupted" : "");
    if (tally->counts.sent > 1)
        print_rates(file, tally);
    if (tally->is_timed && tally->counts.judged > 0)
        print_lateness(file, tally);
    print_losses(file, tally);
}

/* --- For programs -------------------------------------------------------------------------- */

static void add_number(struct json *json, const char *key, double number)
{
    char text[64];
    int length = snprintf(text, sizeof text, "%.6f", number);

    json_key(json, key);
    json_raw(json, text, (size_t)length);
}

static void add_refused(struct json *json, const struct injection_tally *tally)
{
    json_key(json, "refused");
    json_open(json, '{');
    for (unsigned i = 1; i < NB_INJECT_REASONS; i++)
        if (tally->counts.refused[i] > 0)
            json_member_unsigned(json, nb_inject_reason_word(i), tally->counts.refused[i]);
    json_close(json, '}');
}

static void add_timing(struct json *json, const struct injection_tally *tally)
{
    json_key(json, "lateness_ns");
    json_open(json, '{');
    json_member_unsigned(json, "p50", quantile(tally, 500000));
    json_member_unsigned(json, "p99", quantile(tally, 990000));
    json_member_unsigned(json, "p99.9", quantile(tally, 999000));
    json_member_unsigned(json, "max", tally->timing.latest);
    json_close(json, '}');
    json_member_unsigned(json, "late", tally->timing.late);
    json_member_unsigned(json, "starved", tally->starved);
    json_member_unsigned(json, "stalls", tally->timing.stalls);
    json_member_unsigned(json, "stalled_ns", tally->timing.stalled_ns);
    json_member_unsigned(json, "started_ns", tally->timing.started);
    if (tally->knows_realtime)
        json_member_bool(json, "realtime", tally->has_realtime);
    add_number(json, "asked_duration", (double)(tally->last - tally->first) / SECOND);
    add_number(json, "asked_rate", rate(tally->put, tally->last - tally->first));
}

void injection_report_json(FILE *file, const struct injection_tally *tally)
{
    struct json json = {.limit = REPORT_MAX};

    json_open(&json, '{');
    json_member_string(&json, "interface", tally->interface);
    json_member_unsigned(&json, "frames", asked(tally));
    json_member_unsigned(&json, "sent", tally->counts.sent);
    json_member_unsigned(&json, "sent_bytes", tally->counts.sent_bytes);
    add_refused(&json, tally);
    json_member_unsigned(&json, "too_long", tally->too_long);
    json_member_unsigned(&json, "cut", tally->cut);
    json_member_unsigned(&json, "ended", ended(tally));
    json_member_unsigned(&json, "backwards", tally->backwards);
    json_member_bool(&json, "interrupted", tally->interrupted);
    add_number(&json, "duration", (double)tally->duration / SECOND);
    add_number(&json, "rate", rate(tally->counts.sent, tally->duration));
    if (tally->is_timed)
        add_timing(&json, tally);
    json_close(&json, '}');
    json_bytes(&json, "", 1);
    if (!json.failed)
        fprintf(file, "%s\n", json.text);
    json_clear(&json);
}

/* --- Refusals ------------------------------------------------------------------------------ */

/* What the frame has that it was refused for, a sentence with a space before it. */
typedef void describer(const struct frame_view *view, char *text, size_t size);

static void tell_source(const struct frame_view *view, char *text, size_t size)
{
    char mac[MAC_TEXT];

    snprintf(text, size, " It is from %s: --sources names what may be, or 'any'.",
             mac_text(mac_number(view->source), mac));
}

static void tell_destination(const struct frame_view *view, char *text, size_t size)
{
    char mac[MAC_TEXT];

    snprintf(text, size, " It is to %s: --destinations names what may be.",
             mac_text(mac_number(view->destination), mac));
}

static void tell_ethertype(const struct frame_view *view, char *text, size_t size)
{
    snprintf(text, size, " Its EtherType is 0x%04x: --ethertypes names what may be.",
             view->ethertype);
}

static void tell_vlan(const struct frame_view *view, char *text, size_t size)
{
    if (view->tags == 0)
        snprintf(text, size, " It has no tag, and --vlans names tags only: see 'none' there.");
    else
        snprintf(text, size, " Its tag is of VLAN %u: --vlans names what may be.",
                 frame_vlan_id(view->tag[0]));
}

/* By the word of the reason. The sentence has one %s, for the interface, or none. */
static const struct advice {
    const char *word;
    describer *describe;
    const char *sentence;
} advices[] = {
    {"too-long", NULL, " The MTU of %s is less."},
    {"source", tell_source, NULL},
    {"destination", tell_destination, NULL},
    {"ethertype", tell_ethertype, NULL},
    {"vlan", tell_vlan, NULL},
    {"rate", NULL, " A slower pace (--pps, --speed) or a higher --rate would be right."},
    {"kernel", NULL, " Its queue is full, or its driver takes no such frames."},
    {"down", NULL, " Bring it up: ip link set dev %s up."},
    {"late", NULL, " With --late 0 such frames are sent all the same."},
};

static const struct advice *advice_of(const char *word)
{
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        if (strcmp(advices[i].word, word) == 0)
            return &advices[i];
    return NULL;
}

void injection_explain(const struct command_line *line, const char *interface,
                       const struct nb_inject_refusal *refusal, const unsigned char *header,
                       size_t length)
{
    const char *word = nb_inject_reason_word(refusal->reason);
    const struct advice *advice = advice_of(word);
    struct frame_view view;
    char right[160] = "";

    if (advice && advice->sentence)
        snprintf(right, sizeof right, advice->sentence, interface);
    else if (advice && frame_parse(header, length, &view))
        advice->describe(&view, right, sizeof right);
    report(line, &(struct fault){.code = word},
           "frame %" PRIu64 " (%" PRIu32 " bytes) was not sent on %s: %s.%s Others of this kind "
           "are counted.",
           refusal->tag, refusal->length, interface, nb_inject_reason_meaning(refusal->reason),
           right);
}
