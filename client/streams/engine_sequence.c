/* The sequence of the engine: orders of the state machine become changes of streams, and GOOSE
 * messages become trips. */
#include "engine_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEGIN_MS = 300,    /* from the request to the first state */
    LEAD_MS = 200,     /* an order is given so long before it is to come true */
    SEEN_MS = 2,       /* the service sees what was written */
    NEAR_MS = 8,       /* and at least so long, that it is done in time by all streams */
    TICKS_LEAST = 250, /* in a second: else those of the fastest stream are taken */
    GOOSE_ETHERTYPE = 0x88b8,
    BATCH = 256, /* messages, between looks at streams */
    CAPTURE_BYTES = 1 << 18,
    PROGRESS_MS = 1000,
};

/* --- Ticks --------------------------------------------------------------------------------- */

static uint64_t tick_at(const struct streams_engine *engine, uint64_t now)
{
    return sv_sample_at(engine->sequence.ticks, engine_since(engine, now));
}

uint64_t engine_time_of(const struct streams_engine *engine, uint64_t tick)
{
    uint64_t ticks = engine->sequence.ticks;

    return engine->start + tick / ticks * ENGINE_SECOND +
           (tick % ticks * ENGINE_SECOND + ticks - 1) / ticks;
}

/* The first sample that is not before the tick. */
static uint64_t sample_of(const struct streams_engine *engine, const struct stream *stream,
                          uint64_t tick)
{
    uint64_t ticks = engine->sequence.ticks, rate = stream->spec.rate;

    return tick / ticks * rate + (tick % ticks * rate + ticks - 1) / ticks;
}

/* Ticks are moments at which each stream begins a frame, where there are enough of them. */
static uint32_t choose_ticks(const struct streams_engine *engine)
{
    uint64_t common = 0, fastest = 1;

    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        uint64_t frames = stream->spec.rate / stream->spec.asdus;

        if (!engine_sequence_has(engine, stream->id))
            continue;
        common = tables_gcd(common, frames);
        fastest = frames > fastest ? frames : fastest;
    }
    return (uint32_t)(common >= TICKS_LEAST ? common : fastest);
}

/* The first tick for which all streams can still change: what they play is computed until then. */
static uint64_t earliest(const struct streams_engine *engine, uint64_t now)
{
    uint64_t samples = 0;

    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (engine_sequence_has(engine, stream->id))
            samples += stream_samples_ahead(stream);
    return tick_at(engine, now + (NEAR_MS + samples / STREAM_SAMPLES_A_MS) * ENGINE_MS) + 1;
}

/* --- Streams ------------------------------------------------------------------------------- */

bool engine_sequence_has(const struct streams_engine *engine, const char *id)
{
    const struct spec_sequence *spec = engine->sequence.spec;

    for (unsigned i = 0; spec && i < spec->settings; i++)
        if (strcmp(spec->setting[i].id, id) == 0)
            return true;
    return false;
}

static const struct spec_change *setting_of(const struct spec_sequence *spec, uint32_t state,
                                            const char *id)
{
    const struct spec_state *row = &spec->state[state];

    for (unsigned i = row->first_setting; i < row->first_setting + row->settings; i++)
        if (strcmp(spec->setting[i].id, id) == 0)
            return &spec->setting[i].change;
    return NULL;
}

/* A state is what it says beside what the stream was before the sequence. */
static void set_stream(struct streams_engine *engine, struct stream *stream,
                       const struct sequence_order *order)
{
    struct spec_channels channels = stream->channels;
    const struct spec_change *change =
        order->what == SEQUENCE_ENTER ? setting_of(engine->sequence.spec, order->state, stream->id)
                                      : NULL;

    if (change)
        spec_apply(&channels, change);
    stream_set(stream, &channels, sample_of(engine, stream, order->tick));
}

static void follow(struct streams_engine *engine, const struct sequence_order *order)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (engine_sequence_has(engine, stream->id))
            set_stream(engine, stream, order);
}

static void give_orders(struct streams_engine *engine, uint64_t now)
{
    struct engine_sequence *sequence = &engine->sequence;
    struct sequence_order order;

    while (sequence_order(&sequence->machine, tick_at(engine, now),
                          sequence->ticks * LEAD_MS / 1000, &order)) {
        follow(engine, &order);
        sequence->ordered = engine_time_of(engine, order.tick);
    }
}

/* --- Progress ------------------------------------------------------------------------------ */

static void tell(struct streams_engine *engine, uint64_t now, const char *message, uint64_t begins,
                 uint64_t trip)
{
    engine->sequence.told = now;
    engine_say_progress(engine, now, message, begins, trip);
}

static const char *state_name(const struct streams_engine *engine, uint32_t state)
{
    return engine->sequence.spec->state[state].name;
}

static double ms_between(uint64_t one, uint64_t other)
{
    return (double)(int64_t)(other - one) / (double)ENGINE_MS;
}

/* What ended the state before the one that begins. `began`: the tick at which that one did. */
static void describe(const struct streams_engine *engine, const struct sequence_news *news,
                     uint64_t began, char text[WHY_MAX])
{
    const struct engine_sequence *sequence = &engine->sequence;
    bool is_over = news->state == sequence->machine.states;
    char now[SPEC_NAME_MAX + 32];

    if (is_over)
        snprintf(now, sizeof now, "completed");
    else
        snprintf(now, sizeof now, "'%s' begins", state_name(engine, news->state));
    switch (news->cause) {
    case SEQUENCE_BY_START:
        snprintf(text, WHY_MAX, "%s", now);
        break;
    case SEQUENCE_BY_TIME:
        snprintf(text, WHY_MAX, "%s: the time of '%s' is over", now,
                 state_name(engine, news->state - 1));
        break;
    case SEQUENCE_BY_TIMEOUT:
        snprintf(text, WHY_MAX, "%s: no trip came in '%s'", now,
                 state_name(engine, news->state - 1));
        break;
    case SEQUENCE_BY_TRIP:
        snprintf(text, WHY_MAX,
                 "%s: a trip came in '%s', %.3f ms after it began and %.3f ms "
                 "before this",
                 now, state_name(engine, news->state - 1),
                 ms_between(engine_time_of(engine, began), sequence->tripped),
                 ms_between(sequence->tripped, engine_time_of(engine, news->tick)));
        break;
    }
}

/* False: it is over. */
static bool take_news(struct streams_engine *engine, uint64_t now)
{
    struct engine_sequence *sequence = &engine->sequence;
    uint64_t began = sequence->machine.begin; /* the state that ends now */
    struct sequence_news news;

    while (sequence_news(&sequence->machine, tick_at(engine, now), &news)) {
        uint64_t begins = engine_time_of(engine, news.tick);
        char text[WHY_MAX];

        describe(engine, &news, began, text);
        tell(engine, now, text, begins, news.cause == SEQUENCE_BY_TRIP ? sequence->tripped : 0);
        give_orders(engine, now);
        began = sequence->machine.begin;
    }
    return sequence_is_on(&sequence->machine);
}

/* --- Trips --------------------------------------------------------------------------------- */

static void take_message(struct streams_engine *engine, const struct engine_capture *capture,
                         const struct nb_capture_record *record)
{
    struct engine_sequence *sequence = &engine->sequence;
    struct goose_message message;
    struct iec_fault fault;

    if (record->flags & NB_CAPTURE_CUT ||
        !goose_decode(record->bytes, record->length, &message, &fault))
        return;
    for (uint32_t i = 0; i < sequence->machine.states; i++) {
        struct trip *trip = &sequence->trips[i];

        if (!trip->spec || strcmp(trip->spec->interface, capture->interface) != 0 ||
            !trip_take(trip, &message) || i != sequence->machine.current ||
            record->time < engine_time_of(engine, sequence->machine.begin) ||
            !sequence_trip(&sequence->machine, earliest(engine, clock_now())))
            continue;
        sequence->tripped = record->time;
    }
}

/* False: the capture has ended. */
static bool take_messages(struct streams_engine *engine, struct engine_capture *capture)
{
    struct nb_capture_record record;
    int got = 1;

    for (unsigned i = 0; i < BATCH && got > 0; i++) {
        got = nb_capture_next(capture->capture, &record);
        if (got > 0 && record.kind == NB_CAPTURE_FRAME)
            take_message(engine, capture, &record);
    }
    nb_capture_release(capture->capture);
    return got >= 0;
}

/* --- Captures ------------------------------------------------------------------------------ */

static bool open_capture(struct streams_engine *engine, struct engine_capture *capture,
                         char why[WHY_MAX])
{
    struct nb_request *request = NULL;
    int result = nb_request_new(&request, "OPEN_CAPTURE");

    if (result == 0) {
        nb_request_set_string(request, "interface", capture->interface);
        nb_request_add_string(request, "ethertypes", "goose");
        nb_request_set_string(request, "direction", "in");
        nb_request_set_integer(request, "latency", 1);
        nb_request_set_integer(request, "buffer", CAPTURE_BYTES);
        if (capture->is_promiscuous)
            nb_request_set_bool(request, "promiscuous", true);
    }
    capture->reply = engine_call(engine, request, why);
    nb_request_free(request);
    if (!capture->reply)
        return false;
    result = nb_capture_open(&capture->capture, capture->reply);
    if (result < 0)
        snprintf(why, WHY_MAX, "the service's reply brought no capture: %s", strerror(-result));
    capture->number = nb_value_integer(nb_value_get(nb_reply_payload(capture->reply), "capture"));
    return result == 0;
}

bool engine_open_captures(struct streams_engine *engine, char why[WHY_MAX])
{
    for (unsigned i = 0; i < engine->sequence.captures; i++)
        if (!engine->sequence.capture[i].capture &&
            !open_capture(engine, &engine->sequence.capture[i], why))
            return false;
    return true;
}

static void ask_to_close(struct streams_engine *engine, int64_t number)
{
    struct nb_request *request = NULL;
    char why[WHY_MAX];

    if (!engine->client || nb_request_new(&request, "CLOSE_CAPTURE") < 0)
        return;
    nb_request_set_integer(request, "capture", number);
    nb_reply_free(engine_call(engine, request, why));
    nb_request_free(request);
}

void engine_close_captures(struct streams_engine *engine)
{
    for (unsigned i = 0; i < engine->sequence.captures; i++) {
        struct engine_capture *capture = &engine->sequence.capture[i];

        if (capture->capture)
            ask_to_close(engine, capture->number);
        nb_capture_close(capture->capture);
        nb_reply_free(capture->reply);
        capture->capture = NULL;
        capture->reply = NULL;
    }
}

static bool add_capture(struct engine_sequence *sequence, const struct spec_trip *trip,
                        struct spec_error *error)
{
    struct engine_capture *capture;

    for (unsigned i = 0; i < sequence->captures; i++)
        if (strcmp(sequence->capture[i].interface, trip->interface) == 0) {
            sequence->capture[i].is_promiscuous |= trip->is_promiscuous;
            return true;
        }
    if (sequence->captures == CAPTURES_MAX) {
        snprintf(error->text, sizeof error->text,
                 "trips come from more than %d interfaces, which is the most", CAPTURES_MAX);
        return false;
    }
    capture = &sequence->capture[sequence->captures++];
    *capture = (struct engine_capture){.is_promiscuous = trip->is_promiscuous};
    strcpy(capture->interface, trip->interface);
    return true;
}

/* --- Begin and end ------------------------------------------------------------------------- */

void engine_clear_sequence(struct streams_engine *engine)
{
    engine_close_captures(engine);
    spec_sequence_free(engine->sequence.spec);
    memset(&engine->sequence, 0, sizeof engine->sequence);
}

static bool judge_setting(const struct streams_engine *engine, const struct spec_setting *setting,
                          struct spec_error *error)
{
    struct stream *stream = engine_find(engine, setting->id);
    struct spec_channels channels;

    if (!stream || stream->status != STREAM_RUNNING) {
        snprintf(error->text, sizeof error->text, "the stream '%s' of a state %s: \"%s\" it before",
                 setting->id, stream ? "does not run" : "is not there",
                 stream ? "start" : "create");
        return false;
    }
    if (stream->recording.points) {
        snprintf(error->text, sizeof error->text,
                 "the stream '%s' of a state plays a recording, which has no phasors to change",
                 setting->id);
        return false;
    }
    channels = stream->channels;
    spec_apply(&channels, &setting->change);
    return spec_judge_orders(error, &stream->spec, &channels);
}

static bool judge(const struct streams_engine *engine, const struct spec_sequence *spec,
                  struct spec_error *error)
{
    if (spec->settings == 0) {
        snprintf(error->text, sizeof error->text,
                 "no state names a stream: \"streams\":{\"mu1\":{\"channels\":{...}}} would");
        return false;
    }
    for (unsigned i = 0; i < spec->settings; i++)
        if (!judge_setting(engine, &spec->setting[i], error))
            return false;
    return true;
}

static bool take_states(struct streams_engine *engine, struct spec_sequence *spec,
                        struct spec_error *error)
{
    struct engine_sequence *sequence = &engine->sequence;

    sequence->spec = spec;
    sequence->ticks = choose_ticks(engine);
    for (unsigned i = 0; i < spec->states; i++) {
        struct spec_state *state = &spec->state[i];
        uint64_t length = (uint64_t)llround(state->seconds * (double)sequence->ticks);

        sequence->states[i] = (struct sequence_state){length ? length : 1, state->has_trip};
        if (!state->has_trip)
            continue;
        if (!state->trip.interface[0])
            snprintf(state->trip.interface, sizeof state->trip.interface, "%s",
                     engine->options.interface);
        sequence->trips[i].spec = &state->trip;
        if (!add_capture(sequence, &state->trip, error))
            return false;
    }
    return true;
}

bool engine_begin_sequence(struct streams_engine *engine, struct spec_sequence *spec,
                           struct spec_error *error)
{
    struct engine_sequence *sequence = &engine->sequence;

    if (streams_have_sequence(engine)) {
        snprintf(error->text, sizeof error->text,
                 "a sequence is running: wait for its end, or \"cancel\" it");
        return false;
    }
    if (!judge(engine, spec, error))
        return false;
    engine_clear_sequence(engine);
    if (!take_states(engine, spec, error) || !engine_open_captures(engine, error->text)) {
        sequence->spec = NULL; /* the caller's still */
        engine_clear_sequence(engine);
        return false;
    }
    sequence->told = clock_now();
    sequence_begin(&sequence->machine, sequence->states, spec->states,
                   tick_at(engine, sequence->told + BEGIN_MS * ENGINE_MS) + 1);
    give_orders(engine, sequence->told);
    return true;
}

/* --- While it is running ---------------------------------------------------------------------- */

static bool say_none(struct spec_error *error, const char *what)
{
    snprintf(error->text, sizeof error->text, "%s", what);
    return false;
}

bool engine_pause(struct streams_engine *engine, struct spec_error *error)
{
    uint64_t now = clock_now();

    if (!streams_have_sequence(engine))
        return say_none(error, "no sequence is running");
    if (!sequence_pause(&engine->sequence.machine, tick_at(engine, now), earliest(engine, now)))
        return say_none(error, "the sequence is paused already, or its first state is to begin");
    give_orders(engine, now);
    tell(engine, now, "paused: the state goes on until it is resumed", 0, 0);
    return true;
}

bool engine_resume(struct streams_engine *engine, struct spec_error *error)
{
    uint64_t now = clock_now();

    if (!streams_have_sequence(engine))
        return say_none(error, "no sequence is running");
    if (!sequence_resume(&engine->sequence.machine, tick_at(engine, now), earliest(engine, now)))
        return say_none(error, "the sequence is not paused");
    give_orders(engine, now);
    tell(engine, now, "resumed", 0, 0);
    return true;
}

static void stop_sequence(struct streams_engine *engine, enum sequence_status as, const char *what)
{
    struct engine_sequence *sequence = &engine->sequence;
    uint64_t now = clock_now(), begin;
    char text[WHY_MAX];

    if (!sequence_stop(&sequence->machine, earliest(engine, now), as))
        return;
    give_orders(engine, now);
    begin = engine_time_of(engine, sequence->machine.begin);
    if (sequence->machine.current == SEQUENCE_BEFORE)
        snprintf(text, sizeof text, "%s, before its first state", what);
    else
        snprintf(text, sizeof text,
                 "%s, in state %" PRIu32 " of %" PRIu32 " ('%s'), %.3f s after "
                 "it began",
                 what, sequence->machine.current + 1, sequence->machine.states,
                 state_name(engine, sequence->machine.current),
                 now > begin ? (double)(now - begin) / (double)ENGINE_SECOND : 0);
    tell(engine, now, text, 0, 0);
    engine_close_captures(engine);
}

bool engine_cancel(struct streams_engine *engine, struct spec_error *error)
{
    if (!streams_have_sequence(engine))
        return say_none(error, "no sequence is running");
    stop_sequence(engine, SEQUENCE_CANCELLED, "cancelled");
    return true;
}

void engine_cut(struct streams_engine *engine, const struct stream *stream, const char *why)
{
    char text[WHY_MAX];

    if (!streams_have_sequence(engine) || !engine_sequence_has(engine, stream->id))
        return;
    snprintf(text, sizeof text, "cut short because the stream '%s' %s", stream->id, why);
    engine->has_failed = true;
    stop_sequence(engine, SEQUENCE_CUT, text);
}

void engine_cut_for_clock(struct streams_engine *engine, const char *why)
{
    char text[WHY_MAX];

    if (!streams_have_sequence(engine))
        return;
    snprintf(text, sizeof text, "cut short because %s", why);
    engine->has_failed = true;
    stop_sequence(engine, SEQUENCE_CUT, text);
    engine->sequence.ordered = 0; /* streams begin with it */
}

static void cut_for_capture(struct streams_engine *engine, const struct engine_capture *capture)
{
    char text[WHY_MAX];

    snprintf(text, sizeof text, "cut short because GOOSE of %s is not heard any more (%s)",
             capture->interface, nb_capture_end(capture->capture));
    engine->has_failed = true;
    stop_sequence(engine, SEQUENCE_CUT, text);
}

void engine_run_sequence(struct streams_engine *engine, uint64_t now)
{
    struct engine_sequence *sequence = &engine->sequence;

    if (!streams_have_sequence(engine))
        return;
    give_orders(engine, now);
    if (!take_news(engine, now)) {
        engine_close_captures(engine);
        return;
    }
    for (unsigned i = 0; i < sequence->captures; i++)
        if (sequence->capture[i].capture && !take_messages(engine, &sequence->capture[i])) {
            cut_for_capture(engine, &sequence->capture[i]);
            return;
        }
    give_orders(engine, now);
    if (now >= sequence->told + PROGRESS_MS * ENGINE_MS)
        tell(engine, now, "", 0, 0);
}

/* The service needs SEEN_MS to see what was written. */
void engine_report_late(struct streams_engine *engine)
{
    uint64_t now = clock_now(), ordered = engine->sequence.ordered;
    char text[WHY_MAX];

    engine->sequence.ordered = 0;
    if (ordered == 0 || now + SEEN_MS * ENGINE_MS <= ordered)
        return;
    snprintf(
        text, sizeof text,
        "late: this machine wrote the change %.3f ms before it was due, and streams may change "
        "with different samples",
        (double)(int64_t)(ordered - now) / (double)ENGINE_MS);
    tell(engine, now, text, 0, 0);
}

uint64_t engine_sequence_due(const struct streams_engine *engine)
{
    const struct engine_sequence *sequence = &engine->sequence;
    uint64_t due, begin, lead = LEAD_MS * ENGINE_MS;

    if (!streams_have_sequence(engine))
        return UINT64_MAX;
    due = sequence->told + PROGRESS_MS * ENGINE_MS;
    if (sequence->machine.status != SEQUENCE_RUNNING)
        return due;
    begin = engine_time_of(engine, sequence->machine.next_begin);
    if (!sequence->machine.is_ordered)
        begin -= lead;
    return begin < due ? begin : due;
}
