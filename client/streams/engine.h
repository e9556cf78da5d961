/* A test set: many streams of Sampled Values on one interface by one connection to the service,
 * created, changed, started, stopped and deleted by requests (spec.h), and one sequence of states
 * at a time over them, with GOOSE trips.
 *
 * All streams share one time base, a full second, so a state of a sequence begins with the same
 * moment's sample in each. The service plays the streams; the engine writes what they play ahead,
 * and need not be on time itself but for what nobody could know before. Where the service is
 * started again, the engine asks for its streams once more, and they go on with the sample that is
 * due.
 *
 * What it has to say are lines of JSON: a reply to each request, and events
 * (docs/sampled-values.md). It is for one thread, and starts none. */
#ifndef NB_STREAMS_ENGINE_H
#define NB_STREAMS_ENGINE_H

#include "lines.h"
#include "spec.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STREAMS_CAPTURES_MAX = 6, /* interfaces that a sequence waits for trips from */
    STREAMS_FDS_MAX = 1 + STREAMS_CAPTURES_MAX + SPEC_STREAMS_MAX,
};

struct streams_engine;

struct streams_options {
    const char *interface; /* that streams are published on */
    const char *socket;    /* of the service; NULL: as nb_connect has it */
    unsigned timeout;      /* ms, for the service's replies */
    int64_t late;          /* us; that frames may be late, as OPEN_INJECT has it; < 0: as usual */
    unsigned patience;     /* ms, for a service that is started again */
    /* Takes a line of JSON, without its newline. It must not call the engine. */
    void (*say)(void *context, const char *line, enum lines_kind kind);
    void *context;
};

/* Connects to the service. The strings stay the caller's, as long as the engine is there.
 * Returns 0 or a negative errno, as nb_connect_within does. Release it with streams_free. */
int streams_new(struct streams_engine **ret, const struct streams_options *options);

/* Does a request: `n` bytes without a newline. False: it was refused; the reply says why, and in
 * which line of the input, from 1; 0: it is in none. */
bool streams_request(struct streams_engine *engine, const char *text, size_t n, size_t line);

/* What to poll for until streams_run is to be called, and for how many ms at most. Returns how many
 * of STREAMS_FDS_MAX there are. */
size_t streams_poll(struct streams_engine *engine, struct pollfd *fds, int *ret_timeout);

/* Does all that is due. */
void streams_run(struct streams_engine *engine);

/* Whether a sequence is running, or paused. */
bool streams_have_sequence(const struct streams_engine *engine);

/* Whether a stream runs. */
bool streams_are_running(const struct streams_engine *engine);

/* Whether a stream or a sequence has ended otherwise than it was asked to. */
bool streams_have_failed(const struct streams_engine *engine);

/* Ends a sequence and all streams, and tells what became of them. */
void streams_stop(struct streams_engine *engine);

/* Ends the connection, and so what is left. NULL is allowed. */
void streams_free(struct streams_engine *engine);

#endif
