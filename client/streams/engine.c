#include "engine_parts.h"

#include "contents.h"
#include "own_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BEGIN_MS = 100, /* from a request to the first sample */
    CHANGE_MS = 5,  /* and to a change of what is played */
    FEED_MS = 50,   /* between looks at a stream that is fed */
    WAIT_MS = 2,    /* where a stream waits for room */
    STATUS_MS = 1000,
    RETRY_MS = 100, /* between tries to reach the service */
    END_MS = 500,   /* for the service to end an injection */
};

struct stream *engine_find(const struct streams_engine *engine, const char *id)
{
    struct stream *stream = engine->first;

    while (stream && strcmp(stream->id, id) != 0)
        stream = stream->next;
    return stream;
}

/* --- The service --------------------------------------------------------------------------- */

/* The service is gone: streams that run wait for it. */
static void lose(struct streams_engine *engine)
{
    struct nb_client *client = engine->client;

    if (!client)
        return;
    engine->client = NULL;
    engine_close_captures(engine); /* their memory is no one's any more */
    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        if (stream->status != STREAM_RUNNING)
            continue;
        stream_close(stream);
        stream->status = STREAM_WAITING;
        snprintf(stream->reason, sizeof stream->reason, "the service is gone");
        engine_say_stream(engine, stream);
    }
    nb_close(client);
    engine->gone = engine->retried = clock_now();
}

struct nb_reply *engine_call(struct streams_engine *engine, const struct nb_request *request,
                             char why[WHY_MAX])
{
    struct nb_reply *reply = NULL;
    int result = !request         ? -ENOMEM
                 : engine->client ? nb_call(engine->client, request, &reply)
                                  : -EPIPE;

    if (result < 0) {
        snprintf(why, WHY_MAX, "the service does not answer: %s", strerror(-result));
        if (result != -EINVAL && result != -EMSGSIZE && result != -ENOMEM)
            lose(engine);
        return NULL;
    }
    if (!nb_reply_code(reply))
        return reply;
    snprintf(why, WHY_MAX, "%s", nb_reply_message(reply));
    if (why[0] && why[strlen(why) - 1] == '.')
        why[strlen(why) - 1] = '\0';
    nb_reply_free(reply);
    return NULL;
}

static int connect_again(struct streams_engine *engine)
{
    int result =
        nb_connect_within(&engine->client, engine->options.socket, engine->options.timeout);

    if (result < 0)
        engine->client = NULL;
    return result;
}

/* --- Streams that run ---------------------------------------------------------------------- */

static void fail(struct streams_engine *engine, struct stream *stream)
{
    engine->has_failed = true;
    stream_close(stream);
    engine_say_stream(engine, stream);
    engine_cut(engine, stream, "has failed");
}

static struct nb_reply *ask_to_inject(struct streams_engine *engine, const struct stream *stream,
                                      char why[WHY_MAX])
{
    struct nb_request *request = NULL;
    struct nb_reply *reply;

    if (nb_request_new(&request, "OPEN_INJECT") == 0) {
        nb_request_set_string(request, "interface", engine->options.interface);
        nb_request_set_integer(request, "start", (int64_t)(engine->start / ENGINE_MS));
        if (engine->options.late >= 0)
            nb_request_set_integer(request, "late", engine->options.late);
        stream_fill_request(stream, request);
    }
    reply = engine_call(engine, request, why);
    nb_request_free(request);
    return reply;
}

/* From the sample on that is due a moment from now. */
static bool play(struct streams_engine *engine, struct stream *stream, char why[WHY_MAX])
{
    struct nb_reply *reply = ask_to_inject(engine, stream, why);
    struct nb_inject *inject = NULL;
    uint64_t begin;
    int64_t number;
    int result;

    if (!reply)
        return false;
    number = nb_value_integer(nb_value_get(nb_reply_payload(reply), "inject"));
    result = nb_inject_open(&inject, reply);
    nb_reply_free(reply);
    begin = stream_sample_at(stream, engine_since(engine, clock_now()) + BEGIN_MS * ENGINE_MS);
    if (result == 0)
        result = stream_play(stream, inject, number, begin);
    if (result < 0)
        snprintf(why, WHY_MAX, "it cannot be played: %s", strerror(-result));
    return result == 0;
}

static void come_back(struct streams_engine *engine)
{
    char why[WHY_MAX];

    for (struct stream *stream = engine->first; stream && engine->client; stream = stream->next) {
        if (stream->status != STREAM_WAITING)
            continue;
        if (play(engine, stream, why))
            engine_say_stream(engine, stream);
        else if (engine->client) {
            stream_fail(stream, "it was not granted again: %s", why);
            fail(engine, stream);
        }
    }
    if (engine->client && streams_have_sequence(engine) && !engine_open_captures(engine, why))
        engine->sequence.told = 0; /* it goes on by its times */
}

static void give_up(struct streams_engine *engine)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream->status == STREAM_WAITING) {
            stream_fail(stream, "the service is gone, and did not come again within %u ms",
                        engine->options.patience);
            fail(engine, stream);
        }
}

static bool is_waiting(const struct streams_engine *engine)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream->status == STREAM_WAITING)
            return true;
    return false;
}

/* Who waits for the service has it back as well. */
static bool is_reached(struct streams_engine *engine)
{
    if (!engine->client && connect_again(engine) == 0)
        come_back(engine);
    return engine->client != NULL;
}

static void look_for_service(struct streams_engine *engine, uint64_t now)
{
    if (engine->client || !is_waiting(engine) || now < engine->retried + RETRY_MS * ENGINE_MS)
        return;
    engine->retried = now;
    if (!is_reached(engine) && now > engine->gone + engine->options.patience * ENGINE_MS)
        give_up(engine);
}

/* --- Requests ------------------------------------------------------------------------------ */

_Static_assert(SPEC_STREAMS_MAX == 64, "a sentence says so");

static bool refuse(struct spec_error *error, const char *format, const char *id)
{
    snprintf(error->text, sizeof error->text, format, id);
    return false;
}

static bool find(struct streams_engine *engine, const struct spec_request *request,
                 struct stream **ret, struct spec_error *error)
{
    *ret = engine_find(engine, request->id);
    return *ret || refuse(error, "there is no stream '%s': \"list\" tells those that are there",
                          request->id);
}

static bool do_create(struct streams_engine *engine, const struct spec_request *request,
                      struct spec_error *error)
{
    struct stream **end = &engine->first, *stream;

    if (engine_find(engine, request->id))
        return refuse(error, "there is a stream '%s': \"delete\" it, or \"change\" it",
                      request->id);
    if (engine->streams == SPEC_STREAMS_MAX)
        return refuse(error, "%s", "there are 64 streams, which is the most: \"delete\" one");
    if (!request->stream->has_source && !engine->has_own)
        return refuse(error, "the address of '%s' is not known here: 'macSrc' says another one",
                      engine->options.interface);
    stream = stream_new(request->id, request->stream, engine->own, error);
    if (!stream)
        return false;
    while (*end)
        end = &(*end)->next;
    *end = stream;
    engine->streams++;
    engine_say_done(engine, request, stream_status_word(stream->status), 0);
    return true;
}

static bool do_start(struct streams_engine *engine, const struct spec_request *request,
                     struct spec_error *error)
{
    struct stream *stream;
    char why[WHY_MAX];

    if (!find(engine, request, &stream, error))
        return false;
    if (stream_is_on(stream))
        return refuse(error, "the stream '%s' runs", stream->id);
    if (!is_reached(engine))
        return refuse(error, "the service is gone, and '%s' cannot be started", stream->id);
    if (!play(engine, stream, why)) {
        stream_close(stream);
        return refuse(error, "%s", why);
    }
    engine_say_done(engine, request, stream_status_word(stream->status),
                    engine->start + sv_sample_due(stream->spec.rate, stream->begin));
    return true;
}

/* Frames that were not sent yet are not; the counters are those of the last ones. */
static void end_injection(struct streams_engine *engine, struct stream *stream)
{
    struct nb_request *request = NULL;
    struct nb_inject_refusal refusal;
    char why[WHY_MAX];

    if (stream->inject && nb_request_new(&request, "CLOSE_INJECT") == 0) {
        nb_request_set_integer(request, "inject", stream->number);
        nb_reply_free(engine_call(engine, request, why));
        nb_request_free(request);
    }
    for (unsigned i = 0; stream->inject && i < END_MS && !nb_inject_end(stream->inject)[0]; i++) {
        nb_inject_wait(stream->inject, UINT32_MAX); /* looks for it */
        while (nb_inject_next_refusal(stream->inject, &refusal) > 0)
            ;
        poll(NULL, 0, 1);
    }
    stream_close(stream);
}

void engine_begin_again(struct streams_engine *engine, const char *why)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        if (stream->status != STREAM_RUNNING)
            continue;
        end_injection(engine, stream);
        stream->status = STREAM_WAITING;
        stream->since = 0;
        snprintf(stream->reason, sizeof stream->reason, "%s", why);
    }
    if (engine->client)
        come_back(engine);
}

static void stop(struct streams_engine *engine, struct stream *stream)
{
    engine_cut(engine, stream, "was stopped");
    end_injection(engine, stream);
    stream->status = STREAM_STOPPED;
    stream->reason[0] = '\0';
    engine_say_stream(engine, stream);
}

static bool do_stop(struct streams_engine *engine, const struct spec_request *request,
                    struct spec_error *error)
{
    struct stream *stream;

    if (!find(engine, request, &stream, error))
        return false;
    if (!stream_is_on(stream))
        return refuse(error, "the stream '%s' does not run", stream->id);
    stop(engine, stream);
    engine_say_done(engine, request, stream_status_word(stream->status), 0);
    return true;
}

static bool do_delete(struct streams_engine *engine, const struct spec_request *request,
                      struct spec_error *error)
{
    struct stream **at = &engine->first, *stream;

    if (!find(engine, request, &stream, error))
        return false;
    if (stream_is_on(stream))
        stop(engine, stream);
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    stream_free(stream);
    engine->streams--;
    engine_say_done(engine, request, "deleted", 0);
    return true;
}

static bool do_change(struct streams_engine *engine, const struct spec_request *request,
                      struct spec_error *error)
{
    struct spec_channels channels;
    struct sv_flaws flaws;
    struct stream *stream;
    uint64_t lead, begin;

    if (!find(engine, request, &stream, error))
        return false;
    if (stream->recording.points)
        return refuse(error, "the stream '%s' plays a recording, which has no phasors to change",
                      stream->id);
    if (streams_have_sequence(engine) && engine_sequence_has(engine, stream->id))
        return refuse(error,
                      "the stream '%s' is part of the sequence that is running: \"cancel\" "
                      "it first",
                      stream->id);
    channels = stream->channels;
    spec_apply(&channels, request->change);
    if (!spec_judge_orders(error, &stream->spec, &channels) ||
        (request->flaws->is_given && !stream_judge_flaws(stream, request->flaws, &flaws, error)))
        return false;
    stream->channels = channels;
    lead = (CHANGE_MS + stream_samples_ahead(stream) / STREAM_SAMPLES_A_MS) * ENGINE_MS;
    begin = stream_set(stream, &channels,
                       stream_sample_at(stream, engine_since(engine, clock_now()) + lead));
    if (request->flaws->is_given)
        stream_spoil(stream, request->flaws, &flaws, begin);
    engine_say_done(engine, request, stream_status_word(stream->status),
                    stream->status == STREAM_RUNNING
                        ? engine->start + sv_sample_due(stream->spec.rate, begin)
                        : 0);
    return true;
}

static bool do_list(struct streams_engine *engine, const struct spec_request *request,
                    struct spec_error *error)
{
    (void)request;
    (void)error;
    engine_say_list(engine);
    return true;
}

static bool do_sequence(struct streams_engine *engine, const struct spec_request *request,
                        struct spec_error *error)
{
    return engine_begin_sequence(engine, request->sequence, error);
}

static bool do_pause(struct streams_engine *engine, const struct spec_request *request,
                     struct spec_error *error)
{
    (void)request;
    return engine_pause(engine, error);
}

static bool do_resume(struct streams_engine *engine, const struct spec_request *request,
                      struct spec_error *error)
{
    (void)request;
    return engine_resume(engine, error);
}

static bool do_cancel(struct streams_engine *engine, const struct spec_request *request,
                      struct spec_error *error)
{
    (void)request;
    return engine_cancel(engine, error);
}

static const struct {
    bool (*act)(struct streams_engine *engine, const struct spec_request *request,
                struct spec_error *error);
    const char *status; /* that is replied; NULL: it replied */
} acts[SPEC_ACTION_COUNT] = {
    [SPEC_CREATE] = {do_create, NULL},
    [SPEC_CHANGE] = {do_change, NULL},
    [SPEC_START] = {do_start, NULL},
    [SPEC_STOP] = {do_stop, NULL},
    [SPEC_DELETE] = {do_delete, NULL},
    [SPEC_LIST] = {do_list, NULL},
    [SPEC_SEQUENCE] = {do_sequence, "running"},
    [SPEC_PAUSE] = {do_pause, "paused"},
    [SPEC_RESUME] = {do_resume, "running"},
    [SPEC_CANCEL] = {do_cancel, "cancelled"},
};

bool streams_request(struct streams_engine *engine, const char *text, size_t n, size_t line)
{
    struct spec_request request;
    struct spec_error error = {""};
    bool is_done = spec_read(text, n, &request, &error);

    engine_look_at_clock(engine);
    if (is_done)
        is_done = acts[request.action].act(engine, &request, &error);
    if (!is_done)
        engine_say_error(engine, &request, error.text, line);
    else if (acts[request.action].status)
        engine_say_done(engine, &request, acts[request.action].status, 0);
    if (is_done && request.action == SPEC_SEQUENCE)
        request.sequence = NULL; /* the engine's now */
    spec_request_clear(&request);
    streams_run(engine); /* what it asks for is due at once */
    return is_done;
}

/* --- The loop ------------------------------------------------------------------------------ */

static uint64_t sooner(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static uint64_t next_due(const struct streams_engine *engine, uint64_t now)
{
    uint64_t due = sooner(now + STATUS_MS * ENGINE_MS, engine_sequence_due(engine));

    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        if (stream->status == STREAM_WAITING)
            due = sooner(due, engine->retried + RETRY_MS * ENGINE_MS);
        if (stream->status != STREAM_RUNNING)
            continue;
        due = sooner(due, engine->told + STATUS_MS * ENGINE_MS);
        if (player_waits(&stream->player))
            due = sooner(due, now + WAIT_MS * ENGINE_MS);
        else if (player_is_fed(&stream->player) || stream->end != TABLES_NEVER)
            due = sooner(due, now + FEED_MS * ENGINE_MS);
    }
    return due;
}

/* The service rings when it ends an injection. One that hangs up without a word would be ready for
 * ever: that is left to the end of the connection. */
static size_t poll_streams(struct streams_engine *engine, struct pollfd *fds)
{
    size_t count = 0;

    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream->status == STREAM_RUNNING && !stream->is_mute)
            fds[count++] = (struct pollfd){.fd = nb_inject_fd(stream->inject), .events = POLLIN};
    return count;
}

size_t streams_poll(struct streams_engine *engine, struct pollfd *fds, int *ret_timeout)
{
    uint64_t now = clock_now(), due = next_due(engine, now);
    size_t count = 0;

    *ret_timeout = due > now ? (int)((due - now + ENGINE_MS - 1) / ENGINE_MS) : 0;
    if (engine->client)
        fds[count++] =
            (struct pollfd){.fd = nb_fd(engine->client), .events = nb_poll_events(engine->client)};
    for (unsigned i = 0; i < engine->sequence.captures; i++) {
        struct nb_capture *capture = engine->sequence.capture[i].capture;

        if (!capture)
            continue;
        fds[count++] = (struct pollfd){.fd = nb_capture_fd(capture), .events = POLLIN};
        if (!nb_capture_wait(capture))
            *ret_timeout = 0;
    }
    return count + poll_streams(engine, fds + count);
}

static void run_streams(struct streams_engine *engine, uint64_t now)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        if (stream->status != STREAM_RUNNING ||
            stream_run(stream, stream_sample_at(stream, engine_since(engine, now))))
            continue;
        if (stream->status == STREAM_FAILED)
            fail(engine, stream);
        else {
            end_injection(engine, stream);
            engine_say_stream(engine, stream);
        }
    }
}

static void tell_streams(struct streams_engine *engine, uint64_t now)
{
    if (now < engine->told + STATUS_MS * ENGINE_MS)
        return;
    engine->told = now;
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream->status == STREAM_RUNNING) {
            stream_look_at_clock(stream);
            stream_look(stream);
            engine_say_stream(engine, stream);
        }
}

void streams_run(struct streams_engine *engine)
{
    if (engine->client && nb_dispatch(engine->client) < 0)
        lose(engine);
    engine_look_at_clock(engine);
    look_for_service(engine, clock_now());
    engine_run_sequence(engine, clock_now());
    run_streams(engine, clock_now());
    engine_report_late(engine);
    tell_streams(engine, clock_now());
}

/* --- Life ---------------------------------------------------------------------------------- */

int streams_new(struct streams_engine **ret, const struct streams_options *options)
{
    struct streams_engine *engine = calloc(1, sizeof *engine);
    uint64_t own;
    int result;

    if (!engine)
        return -ENOMEM;
    engine->options = *options;
    result = connect_again(engine);
    if (result < 0) {
        free(engine);
        return result;
    }
    own = own_address(options->interface);
    engine->has_own = own != OWN_ADDRESS_UNKNOWN;
    mac_put(own, engine->own);
    engine_look_at_clock(engine);
    engine->told = clock_now();
    engine->start = engine->told / ENGINE_SECOND * ENGINE_SECOND;
    *ret = engine;
    return 0;
}

bool streams_have_sequence(const struct streams_engine *engine)
{
    return engine->sequence.spec && sequence_is_on(&engine->sequence.machine);
}

bool streams_are_running(const struct streams_engine *engine)
{
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream_is_on(stream))
            return true;
    return false;
}

bool streams_have_failed(const struct streams_engine *engine)
{
    return engine->has_failed;
}

void streams_stop(struct streams_engine *engine)
{
    struct spec_error unused = {""};

    engine_cancel(engine, &unused);
    for (struct stream *stream = engine->first; stream; stream = stream->next)
        if (stream_is_on(stream))
            stop(engine, stream);
}

void streams_free(struct streams_engine *engine)
{
    if (!engine)
        return;
    engine_clear_sequence(engine);
    while (engine->first) {
        struct stream *stream = engine->first;

        engine->first = stream->next;
        stream_free(stream);
    }
    nb_close(engine->client);
    free(engine);
}
