/* What the files of the engine share. */
#ifndef NB_STREAMS_ENGINE_PARTS_H
#define NB_STREAMS_ENGINE_PARTS_H

#include "clock.h"
#include "engine.h"
#include "sequence.h"
#include "steps.h"
#include "stream.h"
#include "trip.h"

#define ENGINE_SECOND UINT64_C(1000000000)
#define ENGINE_MS     UINT64_C(1000000)

enum { CAPTURES_MAX = STREAMS_CAPTURES_MAX, WHY_MAX = SPEC_ERROR_MAX };

/* GOOSE of an interface, while a sequence waits for trips there. */
struct engine_capture {
    char interface[SPEC_INTERFACE_MAX + 1];
    bool is_promiscuous;
    struct nb_reply *reply; /* which has the capture's memory */
    struct nb_capture *capture;
    int64_t number;
};

/* The sequence that is running, or was last. */
struct engine_sequence {
    struct sequence machine;
    struct spec_sequence *spec; /* NULL: there is none */
    struct sequence_state states[SPEC_STATES_MAX];
    struct trip trips[SPEC_STATES_MAX];
    unsigned captures;
    struct engine_capture capture[CAPTURES_MAX];
    uint32_t ticks;   /* in a second */
    uint64_t tripped; /* ns since 1970: when the message came that ended the current state */
    uint64_t told;    /* ns since 1970: the last progress */
    uint64_t ordered; /* ns since 1970: of the newest order, until engine_report_late; 0: none */
};

struct streams_engine {
    struct streams_options options;
    struct nb_client *client; /* NULL: the service is gone */
    uint8_t own[FRAME_MAC_BYTES];
    bool has_own;
    uint64_t start; /* ns since 1970: the time base, a full second */
    unsigned streams;
    struct stream *first;
    struct engine_sequence sequence;
    uint64_t told;          /* ns since 1970: the last status of streams */
    uint64_t gone, retried; /* ns since 1970: when the service went, and was asked for last */
    struct steps steps;     /* of the system's clock */
    bool has_failed;
};

static inline uint64_t engine_since(const struct streams_engine *engine, uint64_t now)
{
    return now > engine->start ? now - engine->start : 0;
}

struct stream *engine_find(const struct streams_engine *engine, const char *id);

/* Calls the service. Returns its reply, or NULL and a sentence in `why`, without its full stop: it
 * refused, or it is gone. */
struct nb_reply *engine_call(struct streams_engine *engine, const struct nb_request *request,
                             char why[WHY_MAX]);

/* Streams that run are asked for once more, with the sample that is due. */
void engine_begin_again(struct streams_engine *engine, const char *why);

/* --- engine_clock.c ------------------------------------------------------------------------ */

/* Where the system's clock was set, it says so, and the streams begin again. */
void engine_look_at_clock(struct streams_engine *engine);

/* --- engine_sequence.c --------------------------------------------------------------------- */

/* Begins a sequence, which is the engine's from then on. False: it cannot, and *error says why. */
bool engine_begin_sequence(struct streams_engine *engine, struct spec_sequence *spec,
                           struct spec_error *error);

bool engine_pause(struct streams_engine *engine, struct spec_error *error);
bool engine_resume(struct streams_engine *engine, struct spec_error *error);
bool engine_cancel(struct streams_engine *engine, struct spec_error *error);

/* Whether the current sequence names the stream. */
bool engine_sequence_has(const struct streams_engine *engine, const char *id);

/* What happened to a stream cuts the sequence short that has it. */
void engine_cut(struct streams_engine *engine, const struct stream *stream, const char *why);

/* The times of its states are not what they were to be. */
void engine_cut_for_clock(struct streams_engine *engine, const char *why);

/* When a tick of the sequence is, in ns since 1970, rounded up. */
uint64_t engine_time_of(const struct streams_engine *engine, uint64_t tick);

/* Does what is due. */
void engine_run_sequence(struct streams_engine *engine, uint64_t now);

/* Says so where what was ordered was written too late. */
void engine_report_late(struct streams_engine *engine);

/* When something is due, in ns since 1970; UINT64_MAX: nothing. */
uint64_t engine_sequence_due(const struct streams_engine *engine);

/* Captures are opened, again where the service was started again, and closed. */
bool engine_open_captures(struct streams_engine *engine, char why[WHY_MAX]);
void engine_close_captures(struct streams_engine *engine);
void engine_clear_sequence(struct streams_engine *engine);

/* --- engine_say.c: lines -------------------------------------------------------------------- */

void engine_say_error(struct streams_engine *engine, const struct spec_request *request,
                      const char *error, size_t line);

/* `begins`: ns since 1970; 0: not told. */
void engine_say_done(struct streams_engine *engine, const struct spec_request *request,
                     const char *status, uint64_t begins);
void engine_say_list(struct streams_engine *engine);
void engine_say_stream(struct streams_engine *engine, const struct stream *stream);

/* `step`: ns by which the clock was set. */
void engine_say_step(struct streams_engine *engine, int64_t step);

/* `begins`, `trip`: ns since 1970, 0: not told. */
void engine_say_progress(struct streams_engine *engine, uint64_t now, const char *message,
                         uint64_t begins, uint64_t trip);

#endif
