#include "sv_report.h"

#include "iec61850/sv_words.h"
#include "subscribe.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { NS_PER_SECOND = 1000000000 };

/* --- Channels ------------------------------------------------------------------------------ */

/* The profiles have eight channels; of others nobody knows who is not told. */
static struct sv_layout layout_of(const struct sv_report *report)
{
    bool is_told = sv_layout_channels(&report->layout) > 0;
    unsigned of_each = !is_told && report->stream->channels == 8 ? 4 : 0;

    return is_told ? report->layout : (struct sv_layout){of_each, of_each};
}

/* --- Names --------------------------------------------------------------------------------- */

/* How many streams before this one have the same svID. */
static unsigned same_before(const struct sv_report *report, unsigned number)
{
    const struct sv_stream *stream = &report->streams->streams[number];
    unsigned same = 0;

    for (unsigned i = 0; i < number; i++)
        same += strcmp(report->streams->streams[i].id, stream->id) == 0;
    return same;
}

/* The svID, and "#2" behind the second stream that has it. */
static void print_name(const struct sv_report *report, bool is_json)
{
    char text[SV_ID_MAX + 16];
    size_t length = report->stream->id_length;
    unsigned same = same_before(report, report->number);

    memcpy(text, report->stream->id, length);
    if (same)
        length += (size_t)snprintf(text + length, sizeof text - length, "#%u", same + 1);
    (is_json ? line_text : line_plain)(text, length);
}

/* --- Lines of JSON ------------------------------------------------------------------------- */

static void begin(const struct sv_report *report, const char *topic)
{
    line_begin(topic, report->stream->time);
    fputs("{\"stream\":", stdout);
    print_name(report, true);
}

static void print_quality(uint32_t quality)
{
    printf("{\"validity\":\"%s\"", sv_validity_word(quality));
    for (unsigned i = SV_QUESTIONABLE + 1; i < SV_QUALITY_WORDS; i++) {
        uint32_t bit;
        const char *word = sv_quality_word(i, &bit);

        if (quality & bit)
            printf(",\"%s\":true", word);
    }
    putchar('}');
}

static void print_optional(const struct sv_stream *stream)
{
    if (stream->dat_set_length) {
        fputs(",\"datSet\":", stdout);
        line_text(stream->dat_set, stream->dat_set_length);
    }
    if (stream->has_refr_tm)
        printf(",\"refrTm\":\"%" PRIu64 "\",\"refrTmQuality\":%u", stream->refr_tm.ns,
               stream->refr_tm.quality);
    if (stream->has_smp_rate)
        printf(",\"smpRate\":%u", stream->smp_rate);
    if (stream->has_smp_mod)
        printf(",\"smpMod\":%u", stream->smp_mod);
    if (!stream->has_gm_identity)
        return;
    fputs(",\"gmIdentity\":\"", stdout);
    for (unsigned i = 0; i < SV_GM_IDENTITY_BYTES; i++)
        printf("%02x", stream->gm_identity[i]);
    putchar('"');
}

static void print_stream(const struct sv_report *report)
{
    const struct sv_stream *stream = report->stream;
    const struct quantiles *jitter = &stream->jitter;
    char word[SV_SYNCH_BYTES];

    begin(report, "analyzer/streams");
    fputs(",\"svID\":", stdout);
    line_text(stream->id, stream->id_length);
    printf(",\"appId\":\"0x%04x\",\"src\":", stream->frame.app_id);
    line_mac(stream->frame.source);
    fputs(",\"dst\":", stdout);
    line_mac(stream->frame.destination);
    if (stream->frame.tags)
        printf(",\"vlanId\":%u,\"vlanPrio\":%u",
               frame_vlan_id(stream->frame.tag[stream->frame.tags - 1]),
               frame_priority(stream->frame.tag[stream->frame.tags - 1]));
    printf(",\"confRev\":%" PRIu32 ",\"smpSynch\":\"%s\",\"simulated\":%s,\"asdus\":%u"
           ",\"sampleRate\":",
           stream->conf_rev, sv_synch_text(stream->smp_synch, word),
           stream->is_simulated ? "true" : "false", stream->asdus);
    line_real("%.0f", stream->counting.rate ? (double)stream->counting.rate : NAN);
    print_optional(stream);
    printf(",\"smpCnt\":%u,\"frames\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"repeated\":%" PRIu64 ",\"late\":%" PRIu64 ",\"restarts\":%" PRIu64,
           stream->counting.last, stream->frames, stream->counting.samples, stream->counting.lost,
           stream->counting.repeated, stream->counting.late, stream->counting.restarts);
    printf(",\"jitter\":{\"p50\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64
           "},\"quality\":[",
           quantiles_at(jitter, 500000), quantiles_at(jitter, 990000), jitter->most);
    for (unsigned i = 0; i < stream->channels; i++) {
        if (i)
            putchar(',');
        print_quality(stream->quality[i]);
    }
    fputs("]}", stdout);
    line_end();
}

static void print_channel(const struct sv_report *report, unsigned channel)
{
    const struct sv_stream *stream = report->stream;
    const struct phasor_channel *found = &stream->phasors.channels[channel];
    const struct sv_layout layout = layout_of(report);
    double step = sv_layout_step(&layout, channel);
    char name[SV_NAME_BYTES];

    sv_layout_name(&layout, channel, name);
    printf("{\"name\":\"%s\",\"unit\":\"%s\",\"magnitude\":", name,
           sv_layout_unit(&layout, channel));
    line_real("%.9g", found->harmonics[1].magnitude * step);
    fputs(",\"angleDeg\":", stdout);
    line_real("%.4f", found->harmonics[1].angle);
    fputs(",\"rms\":", stdout);
    line_real("%.9g", found->rms * step);
    fputs(",\"thd\":", stdout);
    line_real("%.6g", found->thd);
    putchar('}');
}

static void print_phasors(const struct sv_report *report)
{
    const struct sv_stream *stream = report->stream;

    begin(report, "analyzer/phasors");
    printf(",\"sampleRate\":%" PRIu32 ",\"samplesPerCycle\":%.10g,\"frequency\":",
           stream->counting.rate, stream->counting.rate / stream->nominal);
    line_real("%.6f", stream->phasors.frequency > 0 ? stream->phasors.frequency : NAN);
    fputs(",\"channels\":[", stdout);
    for (unsigned channel = 0; channel < stream->channels; channel++) {
        if (channel)
            putchar(',');
        print_channel(report, channel);
    }
    fputs("]}", stdout);
    line_end();
}

static void print_harmonics(const struct sv_report *report, unsigned channel)
{
    const struct sv_stream *stream = report->stream;
    const struct sv_layout layout = layout_of(report);
    double step = sv_layout_step(&layout, channel);
    char name[SV_NAME_BYTES];

    sv_layout_name(&layout, channel, name);
    begin(report, "analyzer/harmonics");
    printf(",\"channel\":\"%s\",\"harmonics\":[", name);
    for (unsigned order = 1; order <= stream->phasors.order; order++) {
        const struct phasor_harmonic *harmonic =
            &stream->phasors.channels[channel].harmonics[order];

        printf("%s{\"order\":%u,\"magnitude\":", order > 1 ? "," : "", order);
        line_real("%.9g", harmonic->magnitude * step);
        fputs(",\"angleDeg\":", stdout);
        line_real("%.4f}", harmonic->angle);
    }
    fputs("]}", stdout);
    line_end();
}

/* The newest samples without a gap: those since the last report, if the history has them. */
static void print_waveforms(const struct sv_report *report)
{
    const struct sv_stream *stream = report->stream;
    const struct phasor_history *history = &stream->history;
    uint64_t count = history->end;
    uint32_t end = stream->counting.rate ? stream->counting.rate : 65536;
    const struct sv_layout layout = layout_of(report);
    char name[SV_NAME_BYTES];

    count = count < report->fresh ? count : report->fresh;
    count = count < PHASOR_HISTORY ? count : PHASOR_HISTORY;
    begin(report, "analyzer/waveforms");
    printf(",\"sampleRate\":%" PRIu32 ",\"first\":%u,\"time\":\"%" PRIu64 "\",\"channels\":[",
           stream->counting.rate,
           (unsigned)((stream->newest + 2 * (uint64_t)end - (count ? count - 1 : 0)) % end),
           stream->time - (stream->counting.rate && count
                               ? (count - 1) * NS_PER_SECOND / stream->counting.rate
                               : 0));
    for (unsigned channel = 0; channel < stream->channels; channel++) {
        sv_layout_name(&layout, channel, name);
        printf("%s{\"name\":\"%s\",\"unit\":\"%s\",\"scale\":%g,\"samples\":[", channel ? "," : "",
               name, sv_layout_unit(&layout, channel), sv_layout_step(&layout, channel));
        for (uint64_t i = count; i > 0; i--)
            printf("%s%" PRId32, i < count ? "," : "",
                   phasor_sample(history, history->end - i)[channel]);
        fputs("]}", stdout);
    }
    fputs("]}", stdout);
    line_end();
}

void sv_report_json(const struct sv_report *report)
{
    print_stream(report);
    if (report->is_analysed)
        print_phasors(report);
    for (unsigned i = 0; report->is_analysed && report->harmonics && i < report->stream->channels;
         i++)
        print_harmonics(report, i);
    if (report->waveforms)
        print_waveforms(report);
}

/* --- For people ---------------------------------------------------------------------------- */

static void print_optional_plain(const struct sv_stream *stream)
{
    static const char *const modes[] = {" a period", " a second", " s of each"};
    static const char clock[] = "0123456789abcdef";

    if (stream->dat_set_length) {
        fputs(", datSet ", stdout);
        line_plain(stream->dat_set, stream->dat_set_length);
    }
    if (stream->has_smp_rate)
        printf(", smpRate %u%s", stream->smp_rate,
               stream->has_smp_mod && stream->smp_mod < 3 ? modes[stream->smp_mod] : "");
    if (stream->has_refr_tm)
        printf(", refrTm %" PRIu64 ".%09u%s", stream->refr_tm.ns / NS_PER_SECOND,
               (unsigned)(stream->refr_tm.ns % NS_PER_SECOND),
               stream->refr_tm.quality & IEC_CLOCK_NOT_SYNCHRONIZED ? " (not synchronised)" : "");
    if (!stream->has_gm_identity)
        return;
    fputs(", clock ", stdout);
    for (unsigned i = 0; i < SV_GM_IDENTITY_BYTES; i++)
        printf("%c%c", clock[stream->gm_identity[i] >> 4], clock[stream->gm_identity[i] & 15]);
}

static void print_head(const struct sv_report *report)
{
    const struct sv_stream *stream = report->stream;
    const struct quantiles *jitter = &stream->jitter;
    char word[SV_SYNCH_BYTES];

    print_name(report, false);
    printf(": APPID 0x%04x", stream->frame.app_id);
    if (stream->frame.tags)
        printf(", VLAN %u priority %u", frame_vlan_id(stream->frame.tag[stream->frame.tags - 1]),
               frame_priority(stream->frame.tag[stream->frame.tags - 1]));
    printf(", confRev %" PRIu32 ", clock %s%s", stream->conf_rev,
           sv_synch_text(stream->smp_synch, word), stream->is_simulated ? ", simulated" : "");
    if (stream->counting.rate)
        printf(", %" PRIu32 " samples/s", stream->counting.rate);
    if (report->is_analysed && stream->phasors.frequency > 0)
        printf(", %.4f Hz", stream->phasors.frequency);
    print_optional_plain(stream);
    printf("\n  %" PRIu64 " samples, %" PRIu64 " lost, %" PRIu64 " repeated, %" PRIu64
           " late; frames off their time by p50 %.1f us, p99 %.1f us, at most %.1f us\n",
           stream->counting.samples, stream->counting.lost, stream->counting.repeated,
           stream->counting.late, (double)quantiles_at(jitter, 500000) / 1000,
           (double)quantiles_at(jitter, 990000) / 1000, (double)jitter->most / 1000);
}

static const char *quality_word(uint32_t quality, char text[64])
{
    size_t used = (size_t)snprintf(text, 64, "%s", sv_validity_word(quality));

    for (unsigned i = SV_QUESTIONABLE + 1; i < SV_QUALITY_WORDS && used < 64; i++) {
        uint32_t bits;
        const char *word = sv_quality_word(i, &bits);

        if (quality & bits)
            used += (size_t)snprintf(text + used, 64 - used, " %s", word);
    }
    return text;
}

static void print_table(const struct sv_report *report)
{
    static const char *const headings[] = {"CHANNEL", "MAGNITUDE", "",       "ANGLE",
                                           "RMS",     "THD",       "QUALITY"};
    const struct sv_stream *stream = report->stream;
    const struct sv_layout layout = layout_of(report);
    struct columns *columns = columns_new();

    for (unsigned i = 0; i < sizeof headings / sizeof *headings; i++)
        columns_add(columns, "%s", headings[i]);
    columns_end_headings(columns);
    for (unsigned i = 0; i < stream->channels; i++) {
        const struct phasor_channel *found = &stream->phasors.channels[i];
        double step = sv_layout_step(&layout, i);
        char name[SV_NAME_BYTES], quality[64];

        sv_layout_name(&layout, i, name);
        columns_add(columns, "%s", name);
        columns_add(columns, "%.3f", found->harmonics[1].magnitude * step);
        columns_add(columns, "%s", sv_layout_unit(&layout, i));
        columns_add(columns, "%.2f", found->harmonics[1].angle);
        columns_add(columns, "%.3f", found->rms * step);
        columns_add(columns, "%.2f %%", 100 * found->thd);
        columns_add(columns, "%s", quality_word(stream->quality[i], quality));
    }
    columns_print(columns, 0);
}

void sv_report_plain(const struct sv_report *report)
{
    print_head(report);
    if (report->is_analysed)
        print_table(report);
    else
        puts("  no phasors yet: they need the sample rate, and two cycles without a lost sample");
    putchar('\n');
}
