/* A stream of the engine: what is published, and the injection that plays it, while it runs. */
#ifndef NB_STREAMS_STREAM_H
#define NB_STREAMS_STREAM_H

#include "player.h"
#include "recording.h"
#include "spec.h"

enum stream_status {
    STREAM_CREATED,
    STREAM_RUNNING,
    STREAM_WAITING, /* for the service, which is to be started again */
    STREAM_STOPPED,
    STREAM_COMPLETED, /* the recording has ended */
    STREAM_FAILED,
};

struct stream_account {
    struct nb_inject_counts counts;
    struct nb_inject_timing timing;
    uint64_t starved, dropped;
};

struct stream {
    struct stream *next; /* of the engine's streams, in the order in which they were created */
    char id[SPEC_ID_MAX + 1];
    struct spec_stream spec;
    struct spec_channels channels; /* as they were asked for; a sequence's are not noted here */
    enum stream_status status;
    char reason[SPEC_ERROR_MAX]; /* of a failure */
    struct sv_frames frames;
    uint8_t synch;   /* smpSynch, as it is sent */
    uint32_t period; /* see tables_period */
    /* What is played from the sample `since` on, by the last change. */
    uint64_t since;
    struct waveform *waveform;
    uint32_t qualities[SPEC_CHANNELS];
    struct recording recording;
    double pass;     /* ns that a recording lasts */
    uint64_t origin; /* the number of the sample with which it begins */
    uint64_t end;    /* the number of the sample with which the stream ends; TABLES_NEVER */
    struct sv_flaws flaws;
    uint64_t spoilt; /* the number of the sample that flaws are counted from */
    /* While it runs: */
    struct nb_inject *inject;
    int64_t number; /* of the injection */
    uint64_t begin; /* the number of its first sample */
    struct player player;
    unsigned restarts; /* of segments that the service refused */
    bool is_mute;      /* the service hung up, and has not said that it ended it */
    /* What became of its frames since it was started, also after it ran; and of them those of
     * injections before this one, which ended with their service. */
    struct stream_account account, past;
};

/* Makes a stream as the specification says. `own`: the address of its interface. NULL: it cannot
 * be, and *error says why. Release it with stream_free. */
struct stream *stream_new(const char *id, const struct spec_stream *spec, const uint8_t *own,
                          struct spec_error *error);
void stream_free(struct stream *stream);

const char *stream_status_word(enum stream_status status);

static inline bool stream_is_on(const struct stream *stream)
{
    return stream->status == STREAM_RUNNING || stream->status == STREAM_WAITING;
}

/* The number of the sample that is due this long after the time base, in ns. */
uint64_t stream_sample_at(const struct stream *stream, uint64_t ns);

/* The fields of OPEN_INJECT that say what the stream sends. */
void stream_fill_request(const struct stream *stream, struct nb_request *request);

/* Plays it by this injection, which is the stream's from now on, from this sample on. Returns 0 or
 * a negative errno. */
int stream_play(struct stream *stream, struct nb_inject *inject, int64_t number, uint64_t begin);

enum { STREAM_SAMPLES_A_MS = 400 }; /* at least so many are computed in a ms */

/* How many samples are computed before a change is played. */
uint32_t stream_samples_ahead(const struct stream *stream);

/* The channels are these from this sample on. Of a recording nothing changes. Returns the sample,
 * rounded up to a frame. */
uint64_t stream_set(struct stream *stream, const struct spec_channels *channels, uint64_t begin);

/* Whether its flaws may become these, and which they are. False: *error says why not. */
bool stream_judge_flaws(const struct stream *stream, const struct spec_flaws *given,
                        struct sv_flaws *ret, struct spec_error *error);

/* They become so, counted from this sample on if it runs, else from its first one. */
void stream_spoil(struct stream *stream, const struct spec_flaws *given,
                  const struct sv_flaws *flaws, uint64_t begin);

/* What the system says of its clock becomes smpSynch, where that is to be automatic: once in a
 * while.
 */
void stream_look_at_clock(struct stream *stream);

/* Writes what is due and reads what became of frames; `now`: the number of the sample that is due.
 * False: it has ended, and its status and reason say how. */
bool stream_run(struct stream *stream, uint64_t now);

/* Reads what became of frames so far. */
void stream_look(struct stream *stream);

/* Gives the injection up; its counters stay. */
void stream_close(struct stream *stream);

/* Marks it as failed. */
void stream_fail(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
