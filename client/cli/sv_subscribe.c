/* sv subscribe: streams of Sampled Values of an interface or a file, decoded and analysed. */
#include "subscribe.h"
#include "sv_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NS_PER_SECOND = 1000000000 };

struct sv_subscription {
    const struct command_line *line;
    struct sv_streams streams;
    struct sv_report report;
    bool each_cycle;
    uint64_t interval, due;
    uint64_t now; /* when the newest frame came */
    uint64_t frames, malformed, lost;
    struct iec_fault fault;         /* the newest */
    uint64_t shown[SV_STREAMS_MAX]; /* samples of each stream that were there at the last report */
};

/* --- Reports ------------------------------------------------------------------------------- */

static void report_stream(struct sv_subscription *run, unsigned number)
{
    struct sv_stream *stream = &run->streams.streams[number];
    struct sv_report *report = &run->report;

    report->stream = stream;
    report->number = number;
    report->fresh = stream->counting.samples - run->shown[number];
    if (report->fresh == 0)
        return;
    report->is_analysed = sv_stream_analyse(&run->streams, stream);
    (run->line->json ? sv_report_json : sv_report_plain)(report);
    run->shown[number] = stream->counting.samples;
    memset(&stream->jitter, 0, sizeof stream->jitter);
}

static void report_all(struct sv_subscription *run)
{
    if (!run->line->json && isatty(STDOUT_FILENO) && run->streams.count)
        fputs("\033[H\033[J", stdout);
    for (unsigned i = 0; i < run->streams.count; i++)
        report_stream(run, i);
}

static void take_time(void *context, uint64_t now)
{
    struct sv_subscription *run = context;

    if (run->each_cycle || now < run->due)
        return;
    if (run->due)
        report_all(run);
    run->due = now + run->interval;
}

/* Those of which another cycle is there. */
static void report_cycles(struct sv_subscription *run)
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
    struct sv_subscription *run = context;
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
    struct sv_subscription *run = context;

    run->lost += frames;
}

static void say_summary(const struct sv_subscription *run)
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
static bool take_channels(struct sv_subscription *run)
{
    const char *text = command_line_value(run->line, "channels", 0);

    if (!text || sv_layout_parse(text, strlen(text), &run->report.layout))
        return true;
    say_usage(run->line, run->line->command.row->cli, "channels",
              "--channels takes how many currents and voltages there are, at most %d in all, such "
              "as I4U4, and not '%s'.",
              SV_CHANNELS_MAX, text);
    return false;
}

static bool take_options(struct sv_subscription *run)
{
    const char *interval = command_line_value(run->line, "interval", 0);
    double rate = 0, seconds = 1;

    run->each_cycle = interval && strcmp(interval, "cycle") == 0;
    run->report.harmonics = command_line_flag(run->line, "harmonics");
    run->report.waveforms = command_line_flag(run->line, "waveforms");
    if (!command_line_real(run->line, "sample_rate", PHASOR_RATE_LEAST, 65535, &rate) ||
        !command_line_real(run->line, "frequency", PHASOR_FREQUENCY_LEAST, PHASOR_FREQUENCY_MAX,
                           &run->streams.nominal) ||
        (!run->each_cycle && !command_line_real(run->line, "interval", 0.01, 86400, &seconds)) ||
        !take_channels(run))
        return false;
    run->streams.rate = (uint32_t)rate;
    run->interval = (uint64_t)(seconds * NS_PER_SECOND);
    return true;
}

int run_sv_subscribe(const struct command_line *line, struct nb_request *request)
{
    struct sv_subscription run = {.line = line};
    const struct subscriber subscriber = {
        .ethertype = IEC_SV,
        .context = &run,
        .take = take_frame,
        .tick = take_time,
        .lost = take_lost,
    };
    int status;

    run.report.streams = &run.streams;
    if (!sv_streams_begin(&run.streams))
        return explain_no_memory(line);
    if (!take_options(&run)) {
        sv_streams_end(&run.streams);
        return EXIT_USAGE;
    }
    status = subscribe(line, request, &subscriber);
    if (status == EXIT_DONE || run.frames) {
        report_all(&run); /* what came since the last report */
        say_summary(&run);
    }
    sv_streams_end(&run.streams);
    return status;
}
