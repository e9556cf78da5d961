/* A sequence of states, as a relay test has it: which state begins with which sample. Time is the
 * number of a sample of a clock that all streams share (a tick).
 *
 * A state ends when its time is over, or when the GOOSE trip comes that it waits for. What is to be
 * done is given out as orders, a while ahead so that they are done in time; an order that has not
 * come true can be followed by another one, for an earlier or the same tick, that takes its place.
 * Pure code. */
#ifndef NB_STREAMS_SEQUENCE_H
#define NB_STREAMS_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

enum sequence_status {
    SEQUENCE_NONE,
    SEQUENCE_RUNNING,
    SEQUENCE_PAUSED,
    SEQUENCE_COMPLETED,
    SEQUENCE_CANCELLED, /* by a request */
    SEQUENCE_CUT,       /* by what happened to a stream */
};

enum sequence_cause { SEQUENCE_BY_START, SEQUENCE_BY_TIME, SEQUENCE_BY_TRIP, SEQUENCE_BY_TIMEOUT };

struct sequence_state {
    uint64_t length; /* ticks, 1 or more; of one with a trip, the most */
    bool has_trip;
};

#define SEQUENCE_BEFORE UINT32_MAX

struct sequence {
    const struct sequence_state *state;
    uint32_t states;
    enum sequence_status status;
    uint32_t current;          /* SEQUENCE_BEFORE: the first one has not begun */
    uint64_t first;            /* the tick with which the first one began, or will */
    uint64_t begin;            /* of the current one */
    uint64_t next_begin;       /* of the one behind it, as far as is known */
    enum sequence_cause cause; /* of that */
    bool is_ordered;
    uint64_t rest;    /* ticks that the current one would go on, while paused */
    bool pauses;      /* with the next state */
    bool holds, ends; /* an order is due, for: */
    uint64_t order_tick;
};

enum sequence_what {
    SEQUENCE_ENTER, /* the streams are those of the state from the tick on */
    SEQUENCE_LEAVE, /* the streams are what they were before the sequence */
};

struct sequence_order {
    enum sequence_what what;
    uint32_t state;
    uint64_t tick;
};

/* What has happened. */
struct sequence_news {
    uint32_t state; /* that began; the number of states: it is completed */
    uint64_t tick;
    enum sequence_cause cause;
};

/* Begins with the first state at this tick. The states, 1 or more, stay the caller's. */
void sequence_begin(struct sequence *sequence, const struct sequence_state *state, uint32_t states,
                    uint64_t tick);

/* The next order that is due: for what comes true before `now + lead`. Call it until it is false.
 */
bool sequence_order(struct sequence *sequence, uint64_t now, uint64_t lead,
                    struct sequence_order *ret);

/* What has come true by now. Call it until it is false, and sequence_order then. */
bool sequence_news(struct sequence *sequence, uint64_t now, struct sequence_news *ret);

/* `earliest`: the first tick for which an order can still be done. False: the state waits for no
 * trip, or is about to end. */
bool sequence_trip(struct sequence *sequence, uint64_t earliest);

/* The state goes on until it is resumed; one that is about to begin begins before. False: there is
 * nothing to be paused, or resumed. */
bool sequence_pause(struct sequence *sequence, uint64_t now, uint64_t earliest);
bool sequence_resume(struct sequence *sequence, uint64_t now, uint64_t earliest);

/* Ends it, as cancelled or cut. False: it does not run. */
bool sequence_stop(struct sequence *sequence, uint64_t earliest, enum sequence_status as);

static inline bool sequence_is_on(const struct sequence *sequence)
{
    return sequence->status == SEQUENCE_RUNNING || sequence->status == SEQUENCE_PAUSED;
}

#endif
