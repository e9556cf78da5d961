#include "engine_parts.h"

#include "iec61850/sv_words.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINE_MAX_BYTES = 1 << 18 };

static void say(struct streams_engine *engine, struct json *json, enum lines_kind kind)
{
    json_bytes(json, "", 1);
    if (!json->failed)
        engine->options.say(engine->options.context, json->text, kind);
    json_clear(json);
}

static void add_time(struct json *json, const char *key, uint64_t ns)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, ns);
    json_member_string(json, key, text);
}

static void begin_event(struct json *json, const char *topic, uint64_t now)
{
    json_open(json, '{');
    json_member_string(json, "topic", topic);
    add_time(json, "ts", now);
    json_key(json, "data");
    json_open(json, '{');
}

static void end_event(struct streams_engine *engine, struct json *json, enum lines_kind kind)
{
    json_close(json, '}');
    json_close(json, '}');
    say(engine, json, kind);
}

/* --- Replies ------------------------------------------------------------------------------- */

static void begin_reply(struct json *json, const struct spec_request *request)
{
    json_open(json, '{');
    if (request->id[0])
        json_member_string(json, "id", request->id);
    if (request->action < SPEC_ACTION_COUNT)
        json_member_string(json, "action", spec_action_word(request->action));
}

void engine_say_error(struct streams_engine *engine, const struct spec_request *request,
                      const char *error, size_t line)
{
    struct json json = {.limit = LINE_MAX_BYTES};

    begin_reply(&json, request);
    if (line)
        json_member_unsigned(&json, "line", line);
    json_member_string(&json, "error", error);
    json_close(&json, '}');
    say(engine, &json, LINES_REPLY);
}

void engine_say_done(struct streams_engine *engine, const struct spec_request *request,
                     const char *status, uint64_t begins)
{
    struct json json = {.limit = LINE_MAX_BYTES};

    begin_reply(&json, request);
    json_member_string(&json, "status", status);
    if (begins)
        add_time(&json, "begins", begins);
    json_close(&json, '}');
    say(engine, &json, LINES_REPLY);
}

/* --- Streams ------------------------------------------------------------------------------- */

static void add_counts(struct json *json, const struct stream *stream)
{
    const struct inject_status status = {.id = stream->id,
                                         .word = stream_status_word(stream->status),
                                         .counts = &stream->account.counts,
                                         .timing = &stream->account.timing,
                                         .starved = stream->account.starved};
    char synch[SV_SYNCH_BYTES];
    const char *reason;

    inject_skipped(&status, &reason);
    inject_status_write(json, &status);
    if (stream->spec.flaws.is_given)
        json_member_unsigned(json, "dropped", stream->account.dropped);
    json_member_string(json, "smpSynch", sv_synch_text(stream->synch, synch));
    json_member_string(json, "reason", stream->reason[0] ? stream->reason : reason);
}

void engine_say_stream(struct streams_engine *engine, const struct stream *stream)
{
    struct json json = {.limit = LINE_MAX_BYTES};

    begin_event(&json, "stream/status", clock_now());
    add_counts(&json, stream);
    end_event(engine, &json, stream->status == STREAM_RUNNING ? LINES_STATUS : LINES_EVENT);
}

void engine_say_step(struct streams_engine *engine, int64_t step)
{
    struct json json = {.limit = LINE_MAX_BYTES};

    begin_event(&json, "clock/set", clock_now());
    json_key(&json, "by");
    json_number(&json, step);
    end_event(engine, &json, LINES_EVENT);
}

static void add_stream(struct json *json, const struct stream *stream)
{
    char app_id[8];

    snprintf(app_id, sizeof app_id, "0x%04x", stream->spec.app_id);
    json_open(json, '{');
    add_counts(json, stream);
    json_member_string(json, "appId", app_id);
    json_member_string(json, "svId", stream->spec.sv_id);
    json_member_unsigned(json, "sampleRate", stream->spec.rate);
    json_member_unsigned(json, "asdus", stream->spec.asdus);
    json_member_string(json, "dataSource", stream->spec.file[0] ? "COMTRADE" : "MANUAL");
    json_close(json, '}');
}

void engine_say_list(struct streams_engine *engine)
{
    struct json json = {.limit = LINE_MAX_BYTES};

    json_open(&json, '{');
    json_member_string(&json, "action", spec_action_word(SPEC_LIST));
    json_key(&json, "streams");
    json_open(&json, '[');
    for (struct stream *stream = engine->first; stream; stream = stream->next) {
        stream_look(stream);
        add_stream(&json, stream);
    }
    json_close(&json, ']');
    json_close(&json, '}');
    say(engine, &json, LINES_REPLY);
}

/* --- The sequence -------------------------------------------------------------------------- */

static const char *status_of(enum sequence_status status)
{
    static const char *const words[] = {"none",      "running",   "paused",
                                        "completed", "cancelled", "cut"};

    return words[status];
}

static void add_seconds(struct json *json, const char *key, uint64_t ns)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRIu64 ".%06" PRIu64, ns / ENGINE_SECOND,
                          ns % ENGINE_SECOND / 1000);

    json_key(json, key);
    json_raw(json, text, (size_t)length);
}

static void add_trip(struct json *json, uint64_t begins, uint64_t trip)
{
    json_key(json, "trip");
    json_open(json, '{');
    add_time(json, "received", trip);
    add_time(json, "transition", begins);
    json_member_unsigned(json, "delay", begins > trip ? begins - trip : 0);
    json_close(json, '}');
}

void engine_say_progress(struct streams_engine *engine, uint64_t now, const char *message,
                         uint64_t begins, uint64_t trip)
{
    const struct sequence *machine = &engine->sequence.machine;
    const struct spec_sequence *spec = engine->sequence.spec;
    struct json json = {.limit = LINE_MAX_BYTES};
    uint64_t first = engine_time_of(engine, machine->first);
    uint32_t current = machine->current == SEQUENCE_BEFORE  ? 0
                       : machine->current < machine->states ? machine->current + 1
                                                            : machine->states;

    begin_event(&json, "sequence/progress", now);
    json_member_unsigned(&json, "currentState", current);
    json_member_unsigned(&json, "totalStates", machine->states);
    json_member_string(&json, "stateName", current ? spec->state[current - 1].name : "");
    add_seconds(&json, "elapsed", now > first ? now - first : 0);
    json_member_string(&json, "status", status_of(machine->status));
    json_member_string(&json, "message", message);
    if (begins)
        add_time(&json, "begins", begins);
    if (trip)
        add_trip(&json, begins, trip);
    end_event(engine, &json, message[0] ? LINES_EVENT : LINES_STATUS);
}
