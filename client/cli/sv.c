/* sv subscribe: streams of Sampled Values of an interface or a file, decoded and analysed. */
#include "subscribe.h"
#include "sv_streams.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NS_PER_SECOND = 1000000000, NAME_MAX_BYTES = 16 };

/* What a channel is: 9-2LE and 61869-9 have currents in steps of 1 mA, voltages of 10 mV. */
struct channel_kind {
    const char *unit;
    double scale;
};
static const struct channel_kind current = {"A", 0.001}, voltage = {"V", 0.01}, unknown = {"", 1};

struct sv_run {
    const struct command_line *line;
    struct sv_streams streams;
    unsigned currents, voltages; /* --channels; both 0: by how many there are */
    bool each_cycle, harmonics, waveforms;
    uint64_t interval, due;
    uint64_t now; /* when the newest frame came */
    uint64_t frames, malformed, lost;
    struct iec_fault fault;         /* the newest */
    uint64_t shown[SV_STREAMS_MAX]; /* samples of each stream that were there at the last report */
    struct sv_stream *stream;       /* for a report: the stream, its number */
    unsigned number;
};

/* --- Channels ------------------------------------------------------------------------------ */

static struct channel_kind kind_of(const struct sv_run *run, unsigned channels, unsigned channel,
                                   unsigned *ret_place)
{
    unsigned currents = run->currents, voltages = run->voltages;

    if (currents + voltages == 0 && channels == 8)
        currents = voltages = 4;
    *ret_place = channel < currents ? channel : channel - currents;
    return channel < currents ? current : channel < currents + voltages ? voltage : unknown;
}

/* Ia, Ib, Ic and In where there are four of a kind, as the profiles have them; else I1 and so on.
 */
static const char *name_of(const struct sv_run *run, unsigned channels, unsigned channel,
                           char name[NAME_MAX_BYTES])
{
    unsigned place, currents = run->currents ? run->currents : 4;
    unsigned voltages = run->voltages ? run->voltages : 4;
    struct channel_kind kind = kind_of(run, channels, channel, &place);
    bool is_current = kind.unit[0] == 'A', is_four = is_current ? currents == 4 : voltages == 4;

    if (!kind.unit[0])
        snprintf(name, NAME_MAX_BYTES, "ch%u", channel + 1);
    else if (is_four)
        snprintf(name, NAME_MAX_BYTES, "%c%c", is_current ? 'I' : 'V', "abcn"[place]);
    else
        snprintf(name, NAME_MAX_BYTES, "%c%u", is_current ? 'I' : 'V', place + 1);
    return name;
}

/* --- Names --------------------------------------------------------------------------------- */

/* How many streams before this one have the same svID. */
static unsigned same_before(const struct sv_run *run, unsigned number)
{
    const struct sv_stream *stream = &run->streams.streams[number];
    unsigned same = 0;

    for (unsigned i = 0; i < number; i++)
        same += strcmp(run->streams.streams[i].id, stream->id) == 0;
    return same;
}

/* The svID, and "#2" behind the second stream that has it. */
static void print_name(const struct sv_run *run, bool is_json)
{
    char text[SV_ID_MAX + 16];
    size_t length = run->stream->id_length;
    unsigned same = same_before(run, run->number);

    memcpy(text, run->stream->id, length);
    if (same)
        length += (size_t)snprintf(text + length, sizeof text - length, "#%u", same + 1);
    (is_json ? line_text : line_plain)(text, length);
}

static const char *synch_word(uint8_t synch, char text[32])
{
    static const char *const words[] = {"none", "local", "global"};

    if (synch < 3)
        return words[synch];
    snprintf(text, 32, "area %u", synch);
    return text;
}

/* --- Lines of JSON ------------------------------------------------------------------------- */

static void begin(const struct sv_run *run, const char *topic)
{
    line_begin(topic, run->stream->time);
    fputs("{\"stream\":", stdout);
    print_name(run, true);
}

static void print_quality(uint32_t quality)
{
    static const char *const validities[] = {"good", "invalid", "reserved", "questionable"};

    printf("{\"validity\":\"%s\"", validities[quality & 3]);
#define Q(bit, name)                                                                               \
    if (quality >> (bit)&1)                                                                        \
        fputs(",\"" #name "\":true", stdout);
    SV_QUALITY_BITS(Q)
#undef Q
    putchar('}');
}

static void print_stream(const struct sv_run *run)
{
    const struct sv_stream *stream = run->stream;
    const struct quantiles *jitter = &stream->jitter;
    char word[32];

    begin(run, "analyzer/streams");
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
           stream->conf_rev, synch_word(stream->smp_synch, word),
           stream->is_simulated ? "true" : "false", stream->asdus);
    line_real("%.0f", stream->counting.rate ? (double)stream->counting.rate : NAN);
    printf(",\"smpCnt\":%u,\"frames\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"repeated\":%" PRIu64 ",\"late\":%" PRIu64 ",\"restarts\":%" PRIu64,
           stream->counting.last, stream->frames, stream->counting.samples, stream->counting.lost,
           stream->counting.repeated, stream->counting.late, stream->counting.restarts);
    printf(",\"jitter\":{\"p50\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64
           "},\"quality\":[",
           quantiles_at(jitter, 0.5), quantiles_at(jitter, 0.99), jitter->most);
    for (unsigned i = 0; i < stream->channels; i++) {
        if (i)
            putchar(',');
        print_quality(stream->quality[i]);
    }
    fputs("]}", stdout);
    line_end();
}

static void print_channel(const struct sv_run *run, unsigned channel)
{
    const struct sv_stream *stream = run->stream;
    const struct phasor_channel *found = &stream->phasors.channels[channel];
    char name[NAME_MAX_BYTES];
    unsigned place;
    struct channel_kind kind = kind_of(run, stream->channels, channel, &place);

    printf("{\"name\":\"%s\",\"unit\":\"%s\",\"magnitude\":",
           name_of(run, stream->channels, channel, name), kind.unit);
    line_real("%.9g", found->harmonics[1].magnitude * kind.scale);
    fputs(",\"angleDeg\":", stdout);
    line_real("%.4f", found->harmonics[1].angle);
    fputs(",\"rms\":", stdout);
    line_real("%.9g", found->rms * kind.scale);
    fputs(",\"thd\":", stdout);
    line_real("%.6g", found->thd);
    putchar('}');
}

static void print_phasors(const struct sv_run *run)
{
    const struct sv_stream *stream = run->stream;

    begin(run, "analyzer/phasors");
    printf(",\"sampleRate\":%" PRIu32 ",\"samplesPerCycle\":%.10g,\"frequency\":",
           stream->counting.rate, stream->counting.rate / stream->nominal);
    line_real("%.6f", stream->phasors.frequency > 0 ? stream->phasors.frequency : NAN);
    fputs(",\"channels\":[", stdout);
    for (unsigned channel = 0; channel < stream->channels; channel++) {
        if (channel)
            putchar(',');
        print_channel(run, channel);
    }
    fputs("]}", stdout);
    line_end();
}

static void print_harmonics(const struct sv_run *run, unsigned channel)
{
    const struct sv_stream *stream = run->stream;
    char name[NAME_MAX_BYTES];
    unsigned place;
    double scale = kind_of(run, stream->channels, channel, &place).scale;

    begin(run, "analyzer/harmonics");
    printf(",\"channel\":\"%s\",\"harmonics\":[", name_of(run, stream->channels, channel, name));
    for (unsigned order = 1; order <= stream->phasors.order; order++) {
        const struct phasor_harmonic *harmonic =
            &stream->phasors.channels[channel].harmonics[order];

        printf("%s{\"order\":%u,\"magnitude\":", order > 1 ? "," : "", order);
        line_real("%.9g", harmonic->magnitude * scale);
        fputs(",\"angleDeg\":", stdout);
        line_real("%.4f}", harmonic->angle);
    }
    fputs("]}", stdout);
    line_end();
}

/* The newest samples without a gap: those since the last report, if the history has them. */
static void print_waveforms(const struct sv_run *run)
{
    const struct sv_stream *stream = run->stream;
    const struct phasor_history *history = &stream->history;
    uint64_t fresh = stream->counting.samples - run->shown[run->number], count = history->end;
    uint32_t end = stream->counting.rate ? stream->counting.rate : 65536;
    char name[NAME_MAX_BYTES];
    unsigned place;

    count = count < fresh ? count : fresh;
    count = count < PHASOR_HISTORY ? count : PHASOR_HISTORY;
    begin(run, "analyzer/waveforms");
    printf(",\"sampleRate\":%" PRIu32 ",\"first\":%u,\"time\":\"%" PRIu64 "\",\"channels\":[",
           stream->counting.rate,
           (unsigned)((stream->newest + 2 * (uint64_t)end - (count ? count - 1 : 0)) % end),
           stream->time - (stream->counting.rate && count
                               ? (count - 1) * NS_PER_SECOND / stream->counting.rate
                               : 0));
    for (unsigned channel = 0; channel < stream->channels; channel++) {
        struct channel_kind kind = kind_of(run, stream->channels, channel, &place);

        printf("%s{\"name\":\"%s\",\"unit\":\"%s\",\"scale\":%g,\"samples\":[", channel ? "," : "",
               name_of(run, stream->channels, channel, name), kind.unit, kind.scale);
        for (uint64_t i = count; i > 0; i--)
            printf("%s%" PRId32, i < count ? "," : "",
                   history->values[(history->end - i) % PHASOR_HISTORY][channel]);
        fputs("]}", stdout);
    }
    fputs("]}", stdout);
    line_end();
}

static void print_json(const struct sv_run *run, bool is_analysed)
{
    print_stream(run);
    if (is_analysed)
        print_phasors(run);
    for (unsigned i = 0; is_analysed && run->harmonics && i < run->stream->channels; i++)
        print_harmonics(run, i);
    if (run->waveforms)
        print_waveforms(run);
}

/* --- For people ---------------------------------------------------------------------------- */

static void print_head(const struct sv_run *run, bool is_analysed)
{
    const struct sv_stream *stream = run->stream;
    const struct quantiles *jitter = &stream->jitter;
    char word[32];

    print_name(run, false);
    printf(": APPID 0x%04x", stream->frame.app_id);
    if (stream->frame.tags)
        printf(", VLAN %u priority %u", frame_vlan_id(stream->frame.tag[stream->frame.tags - 1]),
               frame_priority(stream->frame.tag[stream->frame.tags - 1]));
    printf(", confRev %" PRIu32 ", clock %s%s", stream->conf_rev,
           synch_word(stream->smp_synch, word), stream->is_simulated ? ", simulated" : "");
    if (stream->counting.rate)
        printf(", %" PRIu32 " samples/s", stream->counting.rate);
    if (is_analysed && stream->phasors.frequency > 0)
        printf(", %.4f Hz", stream->phasors.frequency);
    printf("\n  %" PRIu64 " samples, %" PRIu64 " lost, %" PRIu64 " repeated, %" PRIu64
           " late; frames off their time by p50 %.1f us, p99 %.1f us, at most %.1f us\n",
           stream->counting.samples, stream->counting.lost, stream->counting.repeated,
           stream->counting.late, (double)quantiles_at(jitter, 0.5) / 1000,
           (double)quantiles_at(jitter, 0.99) / 1000, (double)jitter->most / 1000);
}

static const char *quality_word(uint32_t quality, char text[64])
{
    static const char *const validities[] = {"good", "invalid", "reserved", "questionable"};
    static const char *const bits[] = {
#define Q(bit, name) [bit] = #name,
        SV_QUALITY_BITS(Q)
#undef Q
    };
    size_t used = (size_t)snprintf(text, 64, "%s", validities[quality & 3]);

    for (unsigned bit = 2; bit < sizeof bits / sizeof *bits && used < 64; bit++)
        if (quality >> bit & 1)
            used += (size_t)snprintf(text + used, 64 - used, " %s", bits[bit]);
    return text;
}

static void print_table(const struct sv_run *run)
{
    static const char *const headings[] = {"CHANNEL", "MAGNITUDE", "",       "ANGLE",
                                           "RMS",     "THD",       "QUALITY"};
    const struct sv_stream *stream = run->stream;
    struct columns *columns = columns_new();

    for (unsigned i = 0; i < sizeof headings / sizeof *headings; i++)
        columns_add(columns, "%s", headings[i]);
    columns_end_headings(columns);
    for (unsigned i = 0; i < stream->channels; i++) {
        const struct phasor_channel *found = &stream->phasors.channels[i];
        char name[NAME_MAX_BYTES], quality[64];
        unsigned place;
        struct channel_kind kind = kind_of(run, stream->channels, i, &place);

        columns_add(columns, "%s", name_of(run, stream->channels, i, name));
        columns_add(columns, "%.3f", found->harmonics[1].magnitude * kind.scale);
        columns_add(columns, "%s", kind.unit);
        columns_add(columns, "%.2f", found->harmonics[1].angle);
        columns_add(columns, "%.3f", found->rms * kind.scale);
        columns_add(columns, "%.2f %%", 100 * found->thd);
        columns_add(columns, "%s", quality_word(stream->quality[i], quality));
    }
    columns_print(columns, 0);
}

static void print_plain(const struct sv_run *run, bool is_analysed)
{
    print_head(run, is_analysed);
    if (is_analysed)
        print_table(run);
    else
        puts("  no phasors yet: they need the sample rate, and two cycles without a lost sample");
    putchar('\n');
}

/* --- Reports ------------------------------------------------------------------------------- */

static void report_stream(struct sv_run *run, unsigned number)
{
    bool is_analysed;

    run->number = number;
    run->stream = &run->streams.streams[number];
    if (run->stream->counting.samples == run->shown[number])
        return; /* nothing came */
    is_analysed = sv_stream_analyse(run->stream, run->streams.nominal);
    if (run->line->json)
        print_json(run, is_analysed);
    else
        print_plain(run, is_analysed);
    run->shown[number] = run->stream->counting.samples;
    memset(&run->stream->jitter, 0, sizeof run->stream->jitter);
}

static void report_all(struct sv_run *run)
{
    if (!run->line->json && isatty(STDOUT_FILENO) && run->streams.count)
        fputs("\033[H\033[J", stdout);
    for (unsigned i = 0; i < run->streams.count; i++)
        report_stream(run, i);
}

static void take_time(void *context, uint64_t now)
{
    struct sv_run *run = context;

    if (run->each_cycle || now < run->due)
        return;
    if (run->due)
        report_all(run);
    run->due = now + run->interval;
}

/* Those of which another cycle is there. */
static void report_cycles(struct sv_run *run)
{
    for (unsigned i = 0; i < run->streams.count; i++) {
        const struct sv_stream *stream = &run->streams.streams[i];
        double frequency = stream->nominal > 0 ? stream->nominal : PHASOR_FREQUENCY_LEAST;

        if ((double)(stream->counting.samples - run->shown[i]) * frequency >=
                (double)stream->counting.rate &&
            stream->counting.rate)
            report_stream(run, i);
    }
}

static void take_frame(void *context, const unsigned char *bytes, size_t length, uint64_t time)
{
    struct sv_run *run = context;
    struct sv_message message;
    struct iec_fault fault;

    if (!sv_decode(bytes, length, &message, &fault)) {
        run->malformed++;
        run->fault = fault;
        return;
    }
    run->frames++;
    run->now = time;
    sv_streams_take(&run->streams, &message, time);
    if (run->each_cycle)
        report_cycles(run);
}

static void take_lost(void *context, uint64_t frames)
{
    struct sv_run *run = context;

    run->lost += frames;
}

static void say_summary(const struct sv_run *run)
{
    if (run->line->json) {
        line_begin("analyzer/end", run->now);
        printf("{\"frames\":%" PRIu64 ",\"streams\":%u,\"lost\":%" PRIu64 ",\"malformed\":%" PRIu64
               "}",
               run->frames, run->streams.count, run->lost, run->malformed);
        line_end();
    } else
        fprintf(stderr,
                "%" PRIu64 " frames of %u streams; %" PRIu64
                " frames were lost on their way to this command.\n",
                run->frames, run->streams.count, run->lost);
    if (run->malformed)
        report(run->line, &(struct fault){.code = "malformed"},
               "%" PRIu64 " frames are no Sampled Values, the last one because %s (byte %zu).",
               run->malformed, run->fault.why, run->fault.offset);
    if (run->streams.refused)
        report(run->line, &(struct fault){.code = "limit"},
               "%" PRIu64 " samples are of more than %d streams, and not followed.",
               run->streams.refused, SV_STREAMS_MAX);
}

/* --- Options ------------------------------------------------------------------------------- */

/* As IEC 61869-9 writes it: I4U4. */
static bool take_channels(struct sv_run *run)
{
    const char *text = command_line_value(run->line, "channels", 0);
    int end = 0;

    if (!text)
        return true;
    if (sscanf(text, "I%2uU%2u%n", &run->currents, &run->voltages, &end) == 2 && !text[end] &&
        run->currents + run->voltages > 0 && run->currents + run->voltages <= PHASOR_CHANNELS_MAX)
        return true;
    say_usage(run->line, run->line->command.row->cli, "channels",
              "--channels takes how many currents and voltages there are, at most %d in all, such "
              "as I4U4, and not '%s'.",
              PHASOR_CHANNELS_MAX, text);
    return false;
}

static bool take_options(struct sv_run *run)
{
    const char *interval = command_line_value(run->line, "interval", 0);
    double rate = 0, seconds = 1;

    run->each_cycle = interval && strcmp(interval, "cycle") == 0;
    run->harmonics = command_line_flag(run->line, "harmonics");
    run->waveforms = command_line_flag(run->line, "waveforms");
    if (!subscribe_number(run->line, "sample_rate", PHASOR_RATE_LEAST, 65535, &rate) ||
        !subscribe_number(run->line, "frequency", PHASOR_FREQUENCY_LEAST, PHASOR_FREQUENCY_MAX,
                          &run->streams.nominal) ||
        (!run->each_cycle && !subscribe_number(run->line, "interval", 0.01, 86400, &seconds)) ||
        !take_channels(run))
        return false;
    run->streams.rate = (uint32_t)rate;
    run->interval = (uint64_t)(seconds * NS_PER_SECOND);
    return true;
}

int run_sv_subscribe(const struct command_line *line, struct nb_request *request)
{
    struct sv_run run = {.line = line};
    const struct subscriber subscriber = {
        .ethertype = IEC_SV,
        .context = &run,
        .take = take_frame,
        .tick = take_time,
        .lost = take_lost,
    };
    int status;

    if (!take_options(&run))
        return EXIT_USAGE;
    run.streams.streams = calloc(SV_STREAMS_MAX, sizeof *run.streams.streams);
    if (!run.streams.streams)
        return explain_no_memory(line);
    status = subscribe(line, request, &subscriber);
    if (status == EXIT_DONE || run.frames) {
        report_all(&run); /* what came since the last report */
        say_summary(&run);
    }
    free(run.streams.streams);
    return status;
}
