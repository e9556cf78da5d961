/* sv publish: a stream of Sampled Values, of a network that is generated or of a recording. Frames
 * are made ahead of their time, as far as the ring goes, and the service sends each on the grid of
 * the sample rate, which begins with the full second. */
#include "sv_publish.h"

#include "iec61850/sv_words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_MS = 1000, LEAD_MS = 200 };

#define SECOND 1e9
#define MS     UINT64_C(1000000)

/* --- Samples ------------------------------------------------------------------------------- */

static bool is_in_fault(const struct sv_publication *run, uint64_t number)
{
    return !run->recording.points && waveform_state(&run->waveform, number) == SV_FAULT_STATE;
}

static void take_samples(void *context, uint64_t number, int32_t *values, uint32_t *qualities)
{
    struct sv_publication *run = context;

    memcpy(qualities, is_in_fault(run, number) ? run->fault_qualities : run->qualities,
           run->frames.channels * sizeof *qualities);
    if (run->recording.points)
        recording_sample(&run->recording, run->frames.rate, run->period, number, values, qualities);
    else
        waveform_sample(&run->waveform, number, values);
}

/* --- The clock ----------------------------------------------------------------------------- */

static const struct sv_synch_change *synch_now(const struct sv_publication *run)
{
    return run->synched ? &run->synch[run->synched - 1] : NULL;
}

static void say_synch(const struct sv_publication *run, uint8_t synch)
{
    const struct clock_state *clock = &run->clock;
    char text[SV_SYNCH_BYTES];

    if (run->line->json)
        return;
    if (!clock->is_known || !clock->is_synchronized)
        fprintf(stderr, "netbroker: smpSynch is %s: %s.\n", sv_synch_text(synch, text),
                clock->is_known ? "nobody keeps this machine's clock with another one"
                                : "the system does not tell whether somebody keeps its clock");
    else
        fprintf(stderr,
                "netbroker: smpSynch is %s: this machine's clock is kept within %.3f ms, it is not "
                "known whether by PTP.\n",
                sv_synch_text(synch, text), (double)clock->error_max / (double)MS);
}

static void set_synch(struct sv_publication *run, uint8_t synch)
{
    run->asdu.smp_synch = synch;
    sv_frames_synch(&run->frames, synch);
}

static void look_at_clock(struct sv_publication *run, uint64_t sample)
{
    bool is_first = run->looked == 0;
    uint8_t synch;

    if (!is_first && sample < run->looked)
        return;
    run->looked = sample + run->frames.rate;
    run->clock = clock_look();
    synch = sv_frames_synch_of(&run->clock);
    if (is_first || synch != run->asdu.smp_synch)
        say_synch(run, synch);
    set_synch(run, synch);
}

/* What smpSynch is from the next frame on. */
static void take_synch(struct sv_publication *run)
{
    uint64_t last = (run->number + 1) * run->frames.asdus - 1;

    while (run->synched < run->synchs && run->synch[run->synched].sample <= last) {
        run->looked = 0;
        set_synch(run, run->synch[run->synched++].synch);
    }
    if (run->synched && synch_now(run)->is_auto)
        look_at_clock(run, last);
}

/* --- Frames -------------------------------------------------------------------------------- */

static bool is_over(const struct sv_publication *run)
{
    return run->total && run->number >= run->total;
}

static void skip_dropped(struct sv_publication *run)
{
    while (!is_over(run) && sv_fate(&run->flaws, run->number) == SV_FATE_DROP) {
        run->number++;
        run->dropped++;
    }
}

static enum supply_next next_frame(void *context, struct savefile_source_frame *ret,
                                   uint64_t *ret_offset)
{
    struct sv_publication *run = context;
    const struct sv_samples samples = {run, take_samples};

    if (!run->is_again) {
        skip_dropped(run);
        if (is_over(run))
            return SUPPLY_END;
        take_synch(run);
        run->is_again = sv_fate(&run->flaws, run->number) == SV_FATE_TWICE;
        run->offset = sv_frames_next(&run->frames, run->number++, &samples);
    } else {
        run->is_again = false;
        run->duplicated++;
    }
    *ret_offset = run->offset;
    *ret = (struct savefile_source_frame){.bytes = run->frames.frame, .length = run->frames.length};
    return SUPPLY_FRAME;
}

/* --- The report ---------------------------------------------------------------------------- */

static struct publish_notes notes_of(const struct sv_publication *run)
{
    bool is_auto = run->synched && synch_now(run)->is_auto;

    return (struct publish_notes){
        .has_flaws = run->flaws.count > 0,
        .dropped = run->dropped,
        .duplicated = run->duplicated,
        .has_synch = true,
        .synch = run->asdu.smp_synch,
        .clock = is_auto ? &run->clock : NULL,
    };
}

static void report_status(void *context, FILE *file, const struct injection_tally *tally)
{
    const struct sv_publication *run = context;
    const struct publish_notes notes = notes_of(run);

    publish_status(file, run->asdu.sv_id, tally, &notes);
}

static void report_flaws(void *context, FILE *file)
{
    const struct sv_publication *run = context;

    if (run->flaws.count)
        fprintf(file, "On purpose: %" PRIu64 " frames were left out, and %" PRIu64 " sent twice.\n",
                run->dropped, run->duplicated);
}

/* --- The stream ---------------------------------------------------------------------------- */

/* Frames of so many ns: each whose last sample is before the end. */
static uint64_t frames_in(const struct sv_publication *run, double ns)
{
    uint64_t frames = (uint64_t)(ns / SECOND * run->frames.rate / run->frames.asdus + 1e-6);

    return frames ? frames : 1;
}

static bool take_end(struct sv_publication *run)
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
static bool belongs(const struct sv_publication *run, bool is_recorded)
{
    static const char *const generated[] = {"signal_frequency", "currents",       "voltages",
                                            "harmonics",        "fault_at",       "fault_duration",
                                            "fault_currents",   "fault_voltages", "fault_quality"};
    static const char *const recorded[] = {"loop"};
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

static int take_passes(struct sv_publication *run)
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

static int take_source(struct sv_publication *run)
{
    const char *path = command_line_value(run->line, "comtrade", 0);
    int status;

    if (!belongs(run, path != NULL))
        return EXIT_USAGE;
    if (!path)
        return sv_network(run->line, &run->layout, run->frequency, run->frames.rate, &run->waveform)
                   ? EXIT_DONE
                   : EXIT_USAGE;
    status = sv_comtrade(run->line, path, &run->layout, &run->recording);
    return status == EXIT_DONE ? take_passes(run) : status;
}

/* smpCnt is 0 at a full second. */
static bool take_start(struct sv_publication *run, struct nb_request *request)
{
    uint64_t start = 0;

    if (!command_line_flag(run->line, "start")) {
        run->frames.start = publish_start(request, LEAD_MS, GRID_MS);
        return true;
    }
    if (!publish_natural(run->line, "start", 0, INT64_MAX, &start))
        return false;
    run->frames.start = start * MS;
    return start % GRID_MS == 0 ||
           publish_wrong(run->line, "start",
                         "--start takes a full second, because smpCnt is 0 there: %" PRIu64
                         " would be right.",
                         start / GRID_MS * GRID_MS);
}

static int publish(struct sv_publication *run, struct nb_request *request)
{
    const struct injection_feed feed = {
        .context = run,
        .sample = run->frames.frame,
        .sample_length = run->frames.length,
        .total = run->flaws.count ? 0 : run->total,
        .is_endless = run->total == 0,
        .next = next_frame,
        .fd = -1,
        .report_json = report_status,
        .report = report_flaws,
    };
    const struct injection_plan plan = {.feed = &feed, .pace = {.kind = PACE_INTERVAL}};

    nb_request_set_integer(request, "rate", run->frames.rate / run->frames.asdus);
    return take_start(run, request) ? run_injection(run->line, request, &plan) : EXIT_USAGE;
}

int run_sv_publish(const struct command_line *line, struct nb_request *request)
{
    struct sv_publication *run = calloc(1, sizeof *run);
    int status;

    if (!run)
        return explain_no_memory(line);
    run->line = line;
    status = sv_options(run) && take_end(run) ? take_source(run) : EXIT_USAGE;
    if (status == EXIT_DONE)
        status = publish(run, request);
    recording_clear(&run->recording);
    free(run);
    return status;
}
