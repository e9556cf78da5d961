/* sv publish: a stream of Sampled Values, of a network that is generated or of a recording. Frames
 * are made ahead of their time, as far as the ring goes, and the service sends each on the grid of
 * the sample rate, which begins with the full second. */
#include "publish.h"
#include "subscribe.h"
#include "sv_frames.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_MS = 1000, LEAD_MS = 200, RATE_LEAST = 100, CYCLE_SAMPLES = 80, WORD_MAX = 64 };

#define SECOND 1e9

struct sv_run {
    const struct command_line *line;
    struct sv_frames frames;
    struct sv_asdu asdu;
    uint32_t qualities[WAVEFORM_CHANNELS];
    double frequency;
    struct waveform waveform;
    struct recording recording; /* no points: the waveform is published */
    double period;              /* ns, of a pass through the recording; 0: there is one */
    uint64_t number, total;     /* frames */
};

/* --- Samples ------------------------------------------------------------------------------- */

static void take_recorded(struct sv_run *run, uint64_t number, int32_t *values, uint32_t *qualities)
{
    uint64_t second = number / run->frames.rate, rest = number % run->frames.rate;
    double time = (double)second * SECOND + (double)rest * SECOND / run->frames.rate;
    double recorded[RECORDING_CHANNELS];

    if (run->period > 0)
        time = fmod(time, run->period);
    recording_at(&run->recording, time, recorded);
    for (unsigned i = 0; i < RECORDING_CHANNELS; i++) {
        bool has_none = isnan(recorded[i]);

        values[i] = has_none ? 0 : waveform_round(recorded[i]);
        if (has_none)
            qualities[i] = (qualities[i] & ~UINT32_C(3)) | SV_INVALID;
    }
}

static void take_samples(void *context, uint64_t number, int32_t *values, uint32_t *qualities)
{
    struct sv_run *run = context;

    memcpy(qualities, run->qualities, sizeof run->qualities);
    if (run->recording.points)
        take_recorded(run, number, values, qualities);
    else
        waveform_sample(&run->waveform, number, values);
}

static enum supply_next next_frame(void *context, struct savefile_source_frame *ret,
                                   uint64_t *ret_offset)
{
    struct sv_run *run = context;
    const struct sv_samples samples = {run, take_samples};

    if (run->total && run->number >= run->total)
        return SUPPLY_END;
    *ret_offset = sv_frames_next(&run->frames, run->number++, &samples);
    *ret = (struct savefile_source_frame){.bytes = run->frames.frame, .length = run->frames.length};
    return SUPPLY_FRAME;
}

static void report_status(void *context, FILE *file, const struct injection_tally *tally)
{
    const struct sv_run *run = context;

    publish_status(file, run->asdu.sv_id, tally);
}

/* --- Options of the frames ------------------------------------------------------------------ */

/* The profiles 9-2LE and 61869-9 pair these. */
static unsigned usual_asdus(uint64_t rate)
{
    static const struct {
        uint32_t rate, asdus;
    } pairs[] = {{12800, 8}, {14400, 6}, {15360, 8}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].rate == rate)
            return pairs[i].asdus;
    return 1;
}

static bool take_rate(struct sv_run *run)
{
    uint64_t rate, asdus;

    run->frequency = 50;
    if (!subscribe_number(run->line, "frequency", 10, 400, &run->frequency))
        return false;
    rate = (uint64_t)(run->frequency * CYCLE_SAMPLES + 0.5);
    if (!publish_natural(run->line, "sample_rate", RATE_LEAST, SV_RATE_MAX, &rate))
        return false;
    asdus = usual_asdus(rate);
    if (!publish_natural(run->line, "asdus", 1, SV_ASDUS_MAX, &asdus))
        return false;
    if (rate % asdus)
        return publish_wrong(run->line, "asdus",
                             "%" PRIu64
                             " samples a second are no whole number of frames of %" PRIu64
                             " samples, and a full second would not begin with a frame.",
                             rate, asdus);
    run->frames.rate = (uint32_t)rate;
    run->frames.asdus = (unsigned)asdus;
    run->frames.channels = WAVEFORM_CHANNELS;
    return true;
}

static bool take_synch(struct sv_run *run)
{
    static const char *const words[] = {"none", "local", "global"};
    const char *text = command_line_value(run->line, "smp_synch", 0);
    uint64_t number = 0;

    for (unsigned i = 0; text && i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            run->asdu.smp_synch = (uint8_t)i;
            return true;
        }
    if (text && !isdigit((unsigned char)text[0]))
        return publish_wrong(run->line, "smp_synch",
                             "--smp-synch takes none, local, global or a number from 0 to 254, and "
                             "'%s' is none of them.",
                             text);
    if (!publish_natural(run->line, "smp_synch", 0, 254, &number))
        return false;
    run->asdu.smp_synch = (uint8_t)number;
    return true;
}

/* --- Quality ------------------------------------------------------------------------------- */

#define Q(bit, name) {#name, UINT32_C(1) << (bit)},
static const struct {
    const char *word;
    uint32_t bits;
} quality_words[] = {{"good", SV_GOOD},
                     {"invalid", SV_INVALID},
                     {"questionable", SV_QUESTIONABLE},
                     SV_QUALITY_BITS(Q)};
#undef Q

static bool add_quality(const char *word, size_t n, uint32_t *quality)
{
    char text[WORD_MAX], *end;
    unsigned long number;

    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, word, n);
    text[n] = '\0';
    for (size_t i = 0; i < sizeof quality_words / sizeof *quality_words; i++)
        if (strcmp(text, quality_words[i].word) == 0) {
            *quality |= quality_words[i].bits;
            return true;
        }
    number = strtoul(text, &end, 0);
    *quality |= (uint32_t)number;
    return isdigit((unsigned char)text[0]) && !*end && number <= UINT32_MAX;
}

static bool set_quality(struct sv_run *run, const char *text)
{
    const char *equals = strchr(text, '=');
    int channel = equals ? sv_channel(text, (size_t)(equals - text)) : 0;
    uint32_t quality = 0;

    if (channel < 0)
        return false;
    for (text = equals ? equals + 1 : text;; text++) {
        size_t n = strcspn(text, ",");

        if (!add_quality(text, n, &quality))
            return false;
        text += n;
        if (!*text)
            break;
    }
    for (int i = 0; i < WAVEFORM_CHANNELS; i++)
        if (!equals || i == channel)
            run->qualities[i] = quality;
    return true;
}

static bool take_quality(struct sv_run *run)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(run->line, "quality", i)); i++)
        if (!set_quality(run, text))
            return publish_wrong(run->line, "quality",
                                 "'%s' is no quality: good, invalid, questionable, overflow, "
                                 "outOfRange, badReference, oscillatory, failure, oldData, "
                                 "inconsistent, inaccurate, substituted, test, operatorBlocked, "
                                 "derived or a number, with commas; of one channel Ia=invalid.",
                                 text);
    return true;
}

/* --- The stream ---------------------------------------------------------------------------- */

static bool take_frame(struct sv_run *run)
{
    struct iec_frame header;
    uint64_t conf_rev = 1;

    if (!publish_header(run->line, 0x4000, "01:0c:cd:04:00:01", &header) ||
        !publish_natural(run->line, "conf_rev", 0, UINT32_MAX, &conf_rev) ||
        !publish_text(run->line, "sv_id", "NETBROKER01", &run->asdu.sv_id) ||
        !publish_text(run->line, "dat_set", NULL, &run->asdu.dat_set) || !take_rate(run) ||
        !take_synch(run) || !take_quality(run))
        return false;
    run->asdu.conf_rev = (uint32_t)conf_rev;
    return sv_frames_begin(&run->frames, &header, &run->asdu) ||
           publish_wrong(run->line, "asdus",
                         "a frame with %u samples is longer than Ethernet has them: fewer --asdus "
                         "or a shorter --sv-id would be right.",
                         run->frames.asdus);
}

/* Frames of so many ns: each whose last sample is before the end. */
static uint64_t frames_in(const struct sv_run *run, double ns)
{
    uint64_t frames = (uint64_t)(ns / SECOND * run->frames.rate / run->frames.asdus + 1e-6);

    return frames ? frames : 1;
}

static bool take_end(struct sv_run *run)
{
    uint64_t duration = 0;

    if (!publish_duration(run->line, &duration) ||
        !publish_natural(run->line, "count", 1, UINT64_C(1000000000000000), &run->total))
        return false;
    if (duration && run->total)
        return publish_wrong(run->line, "count",
                             "--count and --duration both say the end: give "
                             "one.");
    if (duration)
        run->total = frames_in(run, (double)duration);
    return true;
}

/* The options that a source of samples has, and the other one does not. */
static bool belongs(const struct sv_run *run, bool is_recorded)
{
    static const char *const generated[] = {"signal_frequency", "currents",      "voltages",
                                            "harmonics",        "fault_at",      "fault_duration",
                                            "fault_currents",   "fault_voltages"};
    static const char *const recorded[] = {"channels", "loop"};
    const char *const *names = is_recorded ? generated : recorded;
    size_t count =
        is_recorded ? sizeof generated / sizeof *generated : sizeof recorded / sizeof *recorded;

    for (size_t i = 0; i < count; i++)
        if (command_line_flag(run->line, names[i]))
            return publish_wrong(run->line, names[i],
                                 is_recorded ? "with --comtrade nothing is generated."
                                             : "it is for a recording: --comtrade names one.");
    return true;
}

static int take_passes(struct sv_run *run)
{
    double length = recording_length(&run->recording);

    if (command_line_flag(run->line, "loop")) {
        run->period = recording_close(&run->recording);
        return run->period > 0 ? EXIT_DONE : explain_no_memory(run->line);
    }
    if (!run->total)
        run->total = frames_in(run, length + SECOND / run->frames.rate);
    return EXIT_DONE;
}

static int take_source(struct sv_run *run)
{
    const char *path = command_line_value(run->line, "comtrade", 0);
    int status;

    if (!belongs(run, path != NULL))
        return EXIT_USAGE;
    if (!path)
        return sv_network(run->line, run->frequency, run->frames.rate, &run->waveform) ? EXIT_DONE
                                                                                       : EXIT_USAGE;
    status = sv_comtrade(run->line, path, &run->recording);
    return status == EXIT_DONE ? take_passes(run) : status;
}

/* smpCnt is 0 at a full second. */
static bool take_start(const struct sv_run *run, struct nb_request *request)
{
    uint64_t start = 0;

    if (!command_line_flag(run->line, "start")) {
        publish_start(request, LEAD_MS, GRID_MS);
        return true;
    }
    return publish_natural(run->line, "start", 0, INT64_MAX, &start) &&
           (start % GRID_MS == 0 ||
            publish_wrong(run->line, "start",
                          "--start takes a full second, because smpCnt is 0 there: %" PRIu64
                          " would be right.",
                          start / GRID_MS * GRID_MS));
}

static int publish(struct sv_run *run, struct nb_request *request)
{
    const struct injection_feed feed = {
        .context = run,
        .sample = run->frames.frame,
        .sample_length = run->frames.length,
        .total = run->total,
        .is_endless = run->total == 0,
        .next = next_frame,
        .fd = -1,
        .report_json = report_status,
    };
    const struct injection_plan plan = {.feed = &feed, .pace = {.kind = PACE_INTERVAL}};

    nb_request_set_integer(request, "rate", run->frames.rate / run->frames.asdus);
    return take_start(run, request) ? run_injection(run->line, request, &plan) : EXIT_USAGE;
}

int run_sv_publish(const struct command_line *line, struct nb_request *request)
{
    struct sv_run *run = calloc(1, sizeof *run);
    int status;

    if (!run)
        return explain_no_memory(line);
    run->line = line;
    status = take_frame(run) && take_end(run) ? take_source(run) : EXIT_USAGE;
    if (status == EXIT_DONE)
        status = publish(run, request);
    recording_clear(&run->recording);
    free(run);
    return status;
}
