/* Frames out of a file into the ring of OPEN_INJECT:
 *
 *     file ──► supply ──► pace ──► ring ──► the service, which sends them at their times
 *
 * This process is not on time itself, and need not be: it writes ahead as far as the ring goes. A
 * file that can be read twice is read once before, so that the request asks for what is in it, and
 * a file that is wrong is refused before anything was sent. */
#include "inject.h"

#include "inject_narrow.h"
#include "inject_report.h"
#include "supply.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 256,     /* frames, between looks at what happens */
    NOTES = 1 << 14, /* frames whose headers are kept, for what is said of refusals */
    NOTE_BYTES = 22, /* a header with two tags */
    PROGRESS_MS = 1000,
    LOOK_MS = 1,   /* when the end is near */
    KEEP_MIB = 64, /* of what can be read once, and is to be sent several times */
};

#define MS     UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

struct note {
    uint64_t sequence;
    uint8_t length;
    unsigned char header[NOTE_BYTES];
};

struct injection {
    const struct command_line *line;
    const struct injection_plan *plan;
    struct supply supply;
    struct pace pace;
    struct contents contents;
    bool is_known; /* the contents are those of all frames */
    struct nb_client *client;
    struct nb_inject *inject;
    int64_t number; /* of the injection, to close it */
    bool has_frame; /* that is not in the ring yet */
    struct savefile_source_frame frame;
    uint64_t offset; /* of that frame */
    uint64_t began;  /* CLOCK_MONOTONIC: of offset 0, or of the first frame; 0: not yet */
    uint64_t shown;
    uint32_t explained; /* a bit for each reason */
    bool shows_progress, has_progress;
    struct injection_tally tally;
    struct note *notes;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* --- Signals ------------------------------------------------------------------------------- */

/* The ends of a pipe. A second signal ends the process, whatever it waits for. */
static int bell[2] = {-1, -1};

static void ring(int unused)
{
    int error = errno;
    ssize_t written = write(bell[1], "", 1);

    (void)unused;
    (void)written;
    errno = error;
}

static bool take_signals(void)
{
    struct sigaction action = {.sa_handler = ring, .sa_flags = (int)SA_RESETHAND};

    if (pipe(bell) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(bell[i], F_SETFL, O_NONBLOCK);
        fcntl(bell[i], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    return true;
}

static bool is_interrupted(void)
{
    struct pollfd polled = {.fd = bell[0], .events = POLLIN};

    return poll(&polled, 1, 0) > 0;
}

/* --- Options ------------------------------------------------------------------------------- */

static bool take_decimal(const struct command_line *line, const char *option, unsigned places,
                         uint64_t low, uint64_t *ret)
{
    const char *text = command_line_value(line, option, 0);

    if (!text || (pace_parse(text, places, ret) && *ret >= low))
        return true;
    if (places == 0)
        say_usage(line, line->command.row->cli, option,
                  "--%s takes a number from %" PRIu64 " on, and '%s' is none.", option, low, text);
    else
        say_usage(line, line->command.row->cli, option,
                  "--%s takes a number such as 2.5, of up to %u decimal places and not 0, and '%s' "
                  "is none.",
                  option, places, text);
    return false;
}

bool injection_count(const struct command_line *line, const char *option, uint64_t low,
                     uint64_t *ret)
{
    return take_decimal(line, option, 0, low, ret);
}

bool injection_decimal(const struct command_line *line, const char *option, unsigned places,
                       uint64_t *ret)
{
    return take_decimal(line, option, places, 1, ret);
}

/* --- What is wrong with a file ------------------------------------------------------------- */

static int say_file(const struct injection *run, const char *sentence)
{
    const char *path = run->plan->path ? run->plan->path : "the frame";

    report(run->line, &(struct fault){.code = "file"}, "%s: %s.",
           strcmp(path, "-") == 0 ? "standard input" : path, sentence);
    return EXIT_REFUSED;
}

static int say_broken(const struct injection *run)
{
    report(run->line, &(struct fault){.code = "file"}, "%s.",
           savefile_source_problem(run->supply.source));
    return EXIT_REFUSED;
}

static int say_no_pace(const struct injection *run, enum pace_next why)
{
    char sentence[200];

    if (why == PACE_TOO_FAR)
        return say_file(run, "the frames would take centuries");
    snprintf(sentence, sizeof sentence,
             "frame %" PRIu64
             " has no time: --pps says how many to send in a second, or --topspeed",
             run->supply.number);
    return say_file(run, sentence);
}

static int say_once(const struct injection *run, int error)
{
    char sentence[200];

    if (error == -EFBIG)
        snprintf(
            sentence, sizeof sentence,
            "it has more than %u MiB and can be read once, but --%s asks for more: give a file "
            "instead",
            KEEP_MIB, run->plan->repeat);
    else
        snprintf(sentence, sizeof sentence, "it cannot be read again for --%s: %s",
                 run->plan->repeat, strerror(-error));
    return say_file(run, sentence);
}

/* --- Before anything is sent --------------------------------------------------------------- */

static int open_source(struct injection *run)
{
    const char *path = run->plan->path;
    int result = path ? savefile_source_open(&run->supply.source, path)
                      : savefile_source_text(&run->supply.source, run->plan->text);

    if (result == -ENOMEM)
        return explain_no_memory(run->line);
    return result < 0 ? explain_file(run->line, path, result) : EXIT_DONE;
}

/* One pass through the file, with the pace. */
static int look_through(struct injection *run, struct supply *supply, struct pace *pace)
{
    struct savefile_source_frame frame;
    enum supply_next next;
    enum pace_next paced = PACE_OFFSET;
    uint64_t offset;

    while (paced == PACE_OFFSET && (next = supply_next(supply, &frame)) == SUPPLY_FRAME) {
        contents_add(&run->contents, frame.bytes, frame.length);
        paced = pace_next(pace, frame.has_time, frame.time, &offset);
        if (supply->given % (64 * (uint64_t)BATCH) == 0 && is_interrupted())
            return EXIT_REFUSED;
    }
    run->supply.number = supply->number;
    if (paced != PACE_OFFSET)
        return say_no_pace(run, paced);
    return next == SUPPLY_BROKEN ? say_broken(run) : EXIT_DONE;
}

static int say_no_frame(const struct injection *run, const struct supply *supply)
{
    return say_file(run, supply->cut ? "the capture has no frame as a whole, but parts of them: "
                                       "a larger snapshot length would be right"
                                     : "there is no frame in it");
}

/* How many frames all passes have. */
static uint64_t count_all(const struct injection_plan *plan, uint64_t frames)
{
    uint64_t all = plan->passes && frames <= UINT64_MAX / plan->passes ? frames * plan->passes : 0;

    return plan->limit && (all == 0 || all > plan->limit) ? plan->limit : all;
}

/* Of what can be read once nothing is known before. */
static int look_before(struct injection *run)
{
    struct supply supply = run->supply;
    struct pace pace = run->pace;
    bool is_one_pass;
    int status;

    if (run->plan->passes != 1) {
        status = savefile_source_keep(supply.source, (uint64_t)KEEP_MIB << 20);
        if (status < 0)
            return say_once(run, status);
    }
    if (savefile_source_again(supply.source) < 0)
        return EXIT_DONE;
    supply.passes = 1;
    status = look_through(run, &supply, &pace);
    if (status != EXIT_DONE)
        return status;
    is_one_pass = run->plan->passes == 1 || (supply.limit && supply.given == supply.limit);
    if (supply.given == 0)
        return say_no_frame(run, &supply);
    if (!is_one_pass && !pace_pass(&pace))
        return say_file(run, "all frames have one time, and so there is none between passes: --pps "
                             "says how many to send in a second");
    run->is_known = true;
    run->tally.total = count_all(run->plan, supply.given);
    run->supply.number = 0;
    savefile_source_again(run->supply.source);
    return EXIT_DONE;
}

/* --- Into the ring ------------------------------------------------------------------------- */

enum step {
    STEP_MORE,   /* there are more frames */
    STEP_FULL,   /* the ring has no room */
    STEP_WAIT,   /* the file has nothing yet */
    STEP_OVER,   /* all frames were put */
    STEP_ENDED,  /* the ring has ended */
    STEP_FAILED, /* it was said why */
};

/* The next frame that is to be put. */
static enum step take_frame(struct injection *run)
{
    enum pace_next paced;

    switch (supply_next(&run->supply, &run->frame)) {
    case SUPPLY_FRAME:
        break;
    case SUPPLY_PASS:
        pace_pass(&run->pace);
        return STEP_MORE;
    case SUPPLY_END:
        return STEP_OVER;
    case SUPPLY_WAIT:
        return STEP_WAIT;
    case SUPPLY_BROKEN:
        say_broken(run);
        return STEP_FAILED;
    case SUPPLY_ONCE:
        say_once(run, -ESPIPE);
        return STEP_FAILED;
    }
    paced = pace_next(&run->pace, run->frame.has_time, run->frame.time, &run->offset);
    if (paced != PACE_OFFSET) {
        say_no_pace(run, paced);
        return STEP_FAILED;
    }
    run->has_frame = true;
    return STEP_MORE;
}

static void take_note(struct injection *run)
{
    struct note *note = &run->notes[run->tally.put % NOTES];

    note->sequence = run->tally.put;
    note->length = run->frame.length < NOTE_BYTES ? (uint8_t)run->frame.length : NOTE_BYTES;
    memcpy(note->header, run->frame.bytes, note->length);
}

static void count_put(struct injection *run)
{
    struct injection_tally *tally = &run->tally;

    if (tally->put == 0)
        tally->first = run->offset;
    take_note(run);
    tally->put++;
    tally->last = run->offset;
    if (tally->is_timed && run->began && now_ns(CLOCK_MONOTONIC) > run->began + run->offset)
        tally->starved++;
    run->has_frame = false;
}

static void end_progress(struct injection *run)
{
    if (run->has_progress)
        fputs("\r\033[K", stderr);
    run->has_progress = false;
}

static void count_too_long(struct injection *run)
{
    run->has_frame = false;
    if (run->tally.too_long++ > 0)
        return;
    end_progress(run);
    report(run->line, &(struct fault){.code = "too-long"},
           "frame %" PRIu64 " has %zu bytes, and %s takes %" PRIu32
           " at most, as its MTU says: it is not sent. Others of this kind are counted.",
           run->supply.number, run->frame.length, run->tally.interface,
           nb_inject_length_max(run->inject));
}

static enum step put_frame(struct injection *run)
{
    int put = run->frame.length > UINT32_MAX
                  ? -EMSGSIZE
                  : nb_inject_put(run->inject, run->frame.bytes, (uint32_t)run->frame.length,
                                  run->offset, run->supply.number);

    if (put == 0)
        return STEP_FULL;
    if (put == -ENODATA)
        return STEP_ENDED;
    if (put > 0)
        count_put(run);
    else
        count_too_long(run);
    return STEP_MORE;
}

/* Puts a batch of frames, and lets the service see them. */
static enum step fill(struct injection *run)
{
    enum step step = STEP_MORE;

    for (unsigned i = 0; i < BATCH && step == STEP_MORE; i++) {
        if (!run->has_frame)
            step = take_frame(run);
        if (step == STEP_MORE && run->has_frame)
            step = put_frame(run);
    }
    if (!run->tally.is_timed && run->began == 0)
        run->began = now_ns(CLOCK_MONOTONIC);
    return nb_inject_publish(run->inject) < 0 && step != STEP_FAILED ? STEP_ENDED : step;
}

/* --- What became of them ------------------------------------------------------------------- */

/* Offset 0 by the clock that does not jump. */
static void look_for_start(struct injection *run)
{
    uint64_t started;

    nb_inject_timing(run->inject, &run->tally.timing);
    started = run->tally.timing.started;
    if (run->tally.is_timed && run->began == 0 && started > 0)
        run->began = now_ns(CLOCK_MONOTONIC) + started - now_ns(CLOCK_REALTIME);
}

static void explain(struct injection *run, const struct nb_inject_refusal *refusal)
{
    const struct note *note = &run->notes[refusal->sequence % NOTES];

    end_progress(run);
    injection_explain(run->line, run->tally.interface, refusal, note->header,
                      note->sequence == refusal->sequence ? note->length : 0);
}

static void take_refusals(struct injection *run)
{
    struct nb_inject_refusal refusal;

    while (nb_inject_next_refusal(run->inject, &refusal) > 0) {
        uint32_t bit = UINT32_C(1) << (refusal.reason % 32);

        if (!(run->explained & bit))
            explain(run, &refusal);
        run->explained |= bit;
    }
}

static void look(struct injection *run)
{
    take_refusals(run);
    nb_inject_counts(run->inject, &run->tally.counts);
    look_for_start(run);
}

static void show_progress(struct injection *run)
{
    const struct injection_tally *tally = &run->tally;
    uint64_t now = now_ns(CLOCK_MONOTONIC);

    if (!run->shows_progress || now - run->shown < PROGRESS_MS * MS)
        return;
    run->shown = now;
    fprintf(stderr, "\r%s: %" PRIu64, tally->interface, tally->counts.sent);
    if (tally->total)
        fprintf(stderr, " of %" PRIu64, tally->total);
    fprintf(stderr, " frames sent, %" PRIu64 " not\033[K",
            tally->counts.judged - tally->counts.sent + tally->too_long + run->supply.cut);
    run->has_progress = true;
}

/* --- Waiting ------------------------------------------------------------------------------- */

/* For how long nothing is to be done, in ms. */
static int next_due(struct injection *run, enum step step)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), end = run->began + run->tally.last;

    if (step == STEP_MORE || nb_inject_end(run->inject)[0])
        return 0;
    if (step != STEP_OVER)
        return nb_inject_wait(run->inject, (uint32_t)run->frame.length) || step == STEP_WAIT
                   ? PROGRESS_MS
                   : 0;
    if (!run->tally.is_timed || run->began == 0 || end < now + 2 * MS * LOOK_MS)
        return LOOK_MS;
    return end - now > PROGRESS_MS * MS ? PROGRESS_MS : (int)((end - now) / MS) - LOOK_MS;
}

/* Returns 1, 0: it was interrupted, or a negative errno of the connection. */
static int wait_for_more(struct injection *run, enum step step)
{
    int source = step == STEP_WAIT ? savefile_source_fd(run->supply.source) : -1, result;
    struct pollfd polled[] = {
        {.fd = nb_fd(run->client), .events = nb_poll_events(run->client)},
        {.fd = bell[0], .events = POLLIN},
        {.fd = source, .events = POLLIN},
        {.fd = step == STEP_OVER ? -1 : nb_inject_fd(run->inject), .events = POLLIN},
    };

    if (poll(polled, 4, next_due(run, step)) < 0)
        return errno == EINTR ? 1 : -errno;
    if (polled[1].revents)
        return 0;
    if (!polled[0].revents)
        return 1;
    result = nb_dispatch(run->client);
    return result < 0 ? result : 1;
}

/* --- The end ------------------------------------------------------------------------------- */

/* Frames that were not sent yet are not: the service says what became of the others. */
static void close_ring(struct injection *run)
{
    struct nb_request *request = NULL;
    struct nb_reply *reply = NULL;

    if (nb_request_new(&request, "CLOSE_INJECT") == 0) {
        nb_request_set_integer(request, "inject", run->number);
        nb_call(run->client, request, &reply);
    }
    nb_reply_free(reply);
    nb_request_free(request);
}

static int say_gone(struct injection *run, int error)
{
    end_progress(run);
    report(run->line, &(struct fault){.code = "gone"},
           "the service is gone (%s), and with it the right to send on %s: what it had sent before "
           "is told below. Start it again, and the command once more.",
           strerror(-error), run->tally.interface);
    return EXIT_UNREACHABLE;
}

static int say_ended(struct injection *run)
{
    const char *why = nb_inject_end(run->inject);

    end_progress(run);
    report(run->line, &(struct fault){.code = "gone"}, "sending on %s has ended: %s.",
           run->tally.interface, why[0] ? why : "the ring cannot be used any more");
    return EXIT_REFUSED;
}

/* How long it took until now, when all were judged. */
static void measure(struct injection *run)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), first = run->began + run->tally.first;

    if (run->began && run->tally.put > 0 && now > first)
        run->tally.duration = now - first;
}

static int finish(struct injection *run, int status)
{
    struct injection_tally *tally = &run->tally;

    measure(run);
    end_progress(run);
    take_refusals(run);
    nb_inject_counts(run->inject, &tally->counts);
    nb_inject_timing(run->inject, &tally->timing);
    tally->cut = run->supply.cut;
    tally->backwards = run->pace.backwards;
    (run->line->json ? injection_report_json : injection_report)(stdout, tally);
    if (status != EXIT_DONE)
        return status;
    return injection_is_complete(tally) ? EXIT_DONE : EXIT_REFUSED;
}

/* --- The loop ------------------------------------------------------------------------------ */

static int interrupt(struct injection *run)
{
    run->tally.interrupted = true;
    close_ring(run);
    return EXIT_DONE;
}

static int loop(struct injection *run)
{
    enum step step = STEP_MORE;

    for (;;) {
        int result;

        if (step != STEP_OVER)
            step = fill(run);
        look(run);
        if (step == STEP_FAILED) {
            close_ring(run);
            return EXIT_REFUSED;
        }
        if (step == STEP_OVER && run->tally.counts.judged >= run->tally.put)
            return EXIT_DONE;
        if (step == STEP_ENDED || nb_inject_end(run->inject)[0])
            return say_ended(run);
        show_progress(run);
        result = wait_for_more(run, step);
        if (result <= 0)
            return result == 0 ? interrupt(run) : say_gone(run, result);
    }
}

static int inject(struct injection *run, const struct nb_reply *reply)
{
    const struct nb_value *payload = nb_reply_payload(reply);
    int result = nb_inject_open(&run->inject, reply);

    if (result < 0) {
        report(run->line, &(struct fault){.code = "internal"},
               "the service's reply brought no ring to send by: %s.", strerror(-result));
        return EXIT_REFUSED;
    }
    run->number = member_number(payload, "inject");
    run->tally.interface = member_text(payload, "interface");
    run->tally.has_realtime = nb_value_bool(nb_value_get(payload, "realtime"));
    savefile_source_never_wait(run->supply.source);
    return finish(run, loop(run));
}

static int ask(struct injection *run, const struct nb_request *request)
{
    struct nb_reply *reply = NULL;
    int status, result = nb_call(run->client, request, &reply);

    if (result < 0)
        status = explain_unreachable(run->line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal(run->line, reply);
    else
        status = inject(run, reply);
    nb_inject_close(run->inject);
    nb_reply_free(reply);
    return status;
}

static int prepare(struct injection *run, struct nb_request *request)
{
    int status = open_source(run);

    if (status == EXIT_DONE)
        status = look_before(run);
    if (status != EXIT_DONE)
        return status;
    if (run->is_known)
        injection_narrow(run->line, request, &run->contents);
    if (run->tally.is_timed)
        nb_request_set_bool(request, "timed", true);
    return EXIT_DONE;
}

static int begin(struct injection *run, struct nb_request *request)
{
    int result, status = prepare(run, request);

    if (status != EXIT_DONE)
        return status;
    result = connect_service(run->line, &run->client);
    if (result < 0)
        return explain_unreachable(run->line, result);
    status = ask(run, request);
    nb_close(run->client);
    return status;
}

int run_injection(const struct command_line *line, struct nb_request *request,
                  const struct injection_plan *plan)
{
    struct injection run = {
        .line = line,
        .plan = plan,
        .supply = {.passes = plan->passes, .limit = plan->limit},
        .pace = plan->pace,
        .tally = {.is_timed = plan->pace.kind != PACE_NONE,
                  .is_endless = plan->passes == 0 && plan->limit == 0},
        .shows_progress = !line->json && isatty(STDERR_FILENO),
        .notes = calloc(NOTES, sizeof(struct note)),
    };
    int status = run.notes && take_signals() ? begin(&run, request) : explain_no_memory(line);

    savefile_source_close(run.supply.source);
    free(run.notes);
    return status;
}
