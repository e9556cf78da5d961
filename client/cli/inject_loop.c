/* Frames go into the ring, as far ahead as that goes, and what became of them is told. What ends
 * it: the last frame, a signal, the file, the interface, the service. */
#include "inject_run.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <time.h>

enum {
    BATCH = 256, /* frames, between looks at what happens */
    PROGRESS_MS = 1000,
    LOOK_MS = 1,   /* when the end is near */
    END_MS = 1000, /* for the service to end a ring */
};

#define MS     UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
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

static enum supply_next next_frame(struct injection *run)
{
    const struct injection_feed *feed = run->plan->feed;
    enum supply_next next;

    if (!feed)
        return supply_next(&run->supply, &run->frame);
    next = feed->next(feed->context, &run->frame, &run->offset);
    run->supply.number += next == SUPPLY_FRAME;
    return next;
}

/* The next frame that is to be put. */
static enum step take_frame(struct injection *run)
{
    enum pace_next paced = PACE_OFFSET;

    switch (next_frame(run)) {
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
        if (!run->plan->feed)
            injection_say_broken(run);
        return STEP_FAILED;
    case SUPPLY_ONCE:
        injection_say_once(run, -ESPIPE);
        return STEP_FAILED;
    }
    if (!run->plan->feed)
        paced = pace_next(&run->pace, run->frame.has_time, run->frame.time, &run->offset);
    if (paced != PACE_OFFSET) {
        injection_say_no_pace(run, paced);
        return STEP_FAILED;
    }
    run->has_frame = true;
    return STEP_MORE;
}

static void take_note(struct injection *run)
{
    struct injection_note *note = &run->notes[run->tally.put % INJECTION_NOTES];

    note->sequence = run->tally.put;
    note->length = run->frame.length < INJECTION_NOTE_BYTES ? (uint8_t)run->frame.length
                                                            : INJECTION_NOTE_BYTES;
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
           "frame %" PRIu64 " (%zu bytes) was not sent on %s: the service sends frames of up to "
           "%" PRIu32 " bytes. Others of this kind are counted.",
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
    const struct injection_note *note = &run->notes[refusal->sequence % INJECTION_NOTES];

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

/* A feed tells of itself to programs as well. */
static void show_feed(struct injection *run)
{
    const struct injection_feed *feed = run->plan->feed;

    if (!run->began) /* nothing was due yet */
        return;
    run->tally.is_running = true;
    feed->report_json(feed->context, stdout, &run->tally);
    run->tally.is_running = false;
}

static void show_progress(struct injection *run)
{
    const struct injection_tally *tally = &run->tally;
    bool has_lines = run->line->json && run->plan->feed;
    uint64_t now = now_ns(CLOCK_MONOTONIC);

    if ((!run->shows_progress && !has_lines) || now - run->shown < PROGRESS_MS * MS)
        return;
    run->shown = now;
    if (has_lines) {
        show_feed(run);
        return;
    }
    fprintf(stderr, "\r%s: %" PRIu64, tally->interface, tally->counts.sent);
    if (tally->total)
        fprintf(stderr, " of %" PRIu64, tally->total);
    fprintf(stderr, " frames sent, %" PRIu64 " not\033[K",
            tally->counts.judged - tally->counts.sent + tally->too_long + run->supply.cut);
    run->has_progress = true;
}

/* --- Waiting ------------------------------------------------------------------------------- */

static int source_fd(const struct injection *run)
{
    return run->plan->feed ? run->plan->feed->fd : savefile_source_fd(run->supply.source);
}

static int source_wait(const struct injection *run)
{
    const struct injection_feed *feed = run->plan->feed;

    return feed && feed->wait ? feed->wait(feed->context) : PROGRESS_MS;
}

/* For how long nothing is to be done, in ms. */
static int next_due(struct injection *run, enum step step)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC), end = run->began + run->tally.last;

    if (step == STEP_MORE || nb_inject_end(run->inject)[0])
        return 0;
    if (step == STEP_WAIT)
        return source_wait(run);
    if (step != STEP_OVER)
        return nb_inject_wait(run->inject, (uint32_t)run->frame.length) ? PROGRESS_MS : 0;
    if (!run->tally.is_timed || run->began == 0 || end < now + 2 * MS * LOOK_MS)
        return LOOK_MS;
    return end - now > PROGRESS_MS * MS ? PROGRESS_MS : (int)((end - now) / MS) - LOOK_MS;
}

/* Returns 1, 0: it was interrupted, or a negative errno of the connection. */
static int wait_for_more(struct injection *run, enum step step)
{
    int source = step == STEP_WAIT ? source_fd(run) : -1, result;
    struct pollfd polled[] = {
        {.fd = nb_fd(run->client), .events = nb_poll_events(run->client)},
        {.fd = run->signals, .events = POLLIN},
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

/* The thread that sends ends the ring behind its last words. */
static void wait_for_end(struct injection *run)
{
    for (unsigned i = 0; i < END_MS && !nb_inject_end(run->inject)[0]; i++) {
        nb_inject_wait(run->inject, UINT32_MAX); /* looks for it */
        poll(NULL, 0, 1);
    }
}

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
    wait_for_end(run);
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

/* Whoever may not know the service's status does not know this. */
static void look_for_priority(struct injection *run)
{
    struct nb_request *request = NULL;
    struct nb_reply *reply = NULL;
    const struct nb_value *realtime;

    if (nb_request_new(&request, "STATUS") < 0)
        return;
    if (nb_call(run->client, request, &reply) == 0) {
        realtime = nb_value_get(nb_value_get(nb_reply_payload(reply), "injectors"), "realtime");
        run->tally.knows_realtime = realtime != NULL;
        run->tally.has_realtime = nb_value_bool(realtime);
    }
    nb_reply_free(reply);
    nb_request_free(request);
}

static void tell(const struct injection *run)
{
    const struct injection_feed *feed = run->plan->feed;

    if (!run->line->json) {
        injection_report(stdout, &run->tally);
        if (feed && feed->report)
            feed->report(feed->context, stdout);
    } else if (feed)
        feed->report_json(feed->context, stdout, &run->tally);
    else
        injection_report_json(stdout, &run->tally);
}

static int finish(struct injection *run, int status)
{
    struct injection_tally *tally = &run->tally;

    measure(run);
    end_progress(run);
    if (tally->is_timed && status != EXIT_UNREACHABLE)
        look_for_priority(run);
    take_refusals(run);
    nb_inject_counts(run->inject, &tally->counts);
    nb_inject_timing(run->inject, &tally->timing);
    injection_settle(tally);
    tally->cut = run->supply.cut;
    tally->backwards = run->pace.backwards;
    tell(run);
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

static int send_all(struct injection *run)
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

int injection_run(struct injection *run)
{
    return finish(run, send_all(run));
}
