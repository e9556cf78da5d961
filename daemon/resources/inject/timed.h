/* The timed sender: one thread that sends the frames of all streams, each at its time.
 *
 * A stream has a descriptor, a moment that times count from, and a supply: whoever has frames ready
 * in their order, judged before. The thread sleeps until the earliest frame of all streams is due,
 * with the priority of a real-time thread where the system grants it, sends it with one system
 * call, and tells the supply how late that was. It allocates nothing, takes no lock and waits for
 * nobody.
 *
 * What is late: a frame whose time has passed by more than the stream allows is not sent if it
 * would follow the one before in less than half of their time, so that after a stall there is no
 * burst. Where a stream wants its frames however late they are, they follow each other at twice the
 * stream's rate until the time is caught up with; so do those that are late, but not too late.
 *
 * Who says that all was to be sent long ago gains nothing by it: what is late is sent at the
 * stream's rate in the long run, and what is left out costs time as well. It waits for what others
 * have to send now, and so many are left out a second and no more.
 *
 * A stream belongs to the thread from timed_add until it has left. Streams are few, and lie in one
 * piece of memory. */
#ifndef NB_INJECT_TIMED_H
#define NB_INJECT_TIMED_H

#include "rate.h"
#include "ring/layout.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    TIMED_STREAMS_MAX = 64,
    TIMED_LEAD_NS = 10000000,  /* of a stream without a start, from its first frame to its time 0 */
    TIMED_PACED_NS = 1000000,  /* a frame that is later than this does not follow at once */
    TIMED_SKIPS = 8,           /* as many frames as the rate has may be left out, so many times */
    TIMED_SKIP_NS = 10000000,  /* the wait of a stream that has left out so many */
    TIMED_LOOK_NS = 100000000, /* so often the time of day is looked at, which may be set */
    TIMED_TURN_NS = 500000000, /* the longest sleep: so that it can be seen that it works */
    TIMED_TRIALS = 32,         /* sleeps by which the cost of one is found at the beginning */
    TIMED_TRIAL_NS = 20000,    /* their length */
    TIMED_AWAKE_NS = 20000000, /* the longest that it works without a sleep */
    TIMED_BREATH_NS = 20000,   /* the sleep that is put in then */
};

#define TIMED_NEVER    UINT64_MAX
#define TIMED_TIME_MAX (UINT64_MAX >> 2) /* ns: of a frame, and of a start */

/* --- Supplies ------------------------------------------------------------------------------ */

struct timed_frame {
    uint64_t time; /* ns from the start; not before that of the frame before it */
    uint32_t length;
    uint32_t copies; /* how often it is sent: 0: not at all, but its time passes */
    const unsigned char *bytes;
};

/* When a supply is asked for a frame. */
struct timed_moment {
    uint64_t start;  /* ns since 1970, UTC, of time 0; before the first frame: if it came now */
    uint64_t passed; /* ns from there to now; 0 before */
};

struct timed_outcome {
    enum transmit_refusal_reason reason; /* TRANSMIT_SENT, or why not all of it was */
    uint32_t sent;                       /* copies */
    uint64_t lateness;                   /* ns */
};

/* Called by the thread; they wait for nothing and allocate nothing. */
struct timed_supply_ops {
    /* The next frame, which stays where it is until it is done, or asked for again: see
     * timed_change. False: there is none yet. */
    bool (*next)(void *supply, const struct timed_moment *moment, struct timed_frame *ret);
    /* What became of it. */
    void (*done)(void *supply, const struct timed_outcome *outcome);
};

/* Sends one frame, without waiting; says why it could not. */
typedef enum transmit_refusal_reason (*timed_send)(int fd, const unsigned char *bytes,
                                                   uint32_t length);

struct timed_config {
    const struct timed_supply_ops *ops;
    void *supply;
    /* NULL, or says why a frame that was right when it was supplied is not to be sent now that it
     * is due; TRANSMIT_SENT if it is. */
    enum transmit_refusal_reason (*judge)(void *supply);
    timed_send send;
    int fd;
    uint64_t start; /* ns since 1970, UTC, of time 0; 0: TIMED_LEAD_NS after the first frame */
    uint64_t late;  /* ns: what is later does not catch up, and is left out; 0: all is sent */
    uint32_t rate;  /* frames a second, at most, in the long run; not 0 */
    bool whole;     /* time 0 is a full second, also where none is said */
};

/* --- What is due: pure --------------------------------------------------------------------- */

enum timed_act { TIMED_WAIT, TIMED_SEND, TIMED_SKIP };

/* The frame that was sent last, and how many more may be late. */
struct timed_past {
    uint64_t due, sent;       /* ns; 0: there was none */
    struct rate sends, skips; /* by the clock: of all that are sent, and of those left out */
};

/* What to do at `now` with a frame that is due at `due`. *ret_until: when; of what is left out,
 * that is behind all that others have to send. */
enum timed_act timed_decide(const struct timed_config *config, struct timed_past *past,
                            uint64_t due, uint64_t now, uint64_t *ret_until);

/* It was done. */
void timed_did(struct timed_past *past, enum timed_act act, uint64_t due, uint64_t now);

/* Nothing was done yet. */
void timed_begin(struct timed_past *past, uint32_t rate, uint64_t now);

/* --- Streams ------------------------------------------------------------------------------- */

/* FREE: nobody has it. TAKEN: it is prepared. JOINED: the thread has it. LEAVING: it is to give it
 * back. LEFT: it has. */
enum timed_state { TIMED_FREE, TIMED_TAKEN, TIMED_JOINED, TIMED_LEAVING, TIMED_LEFT };

enum { TIMED_CHANGED = 0x80 }; /* of one that has JOINED: see timed_change */

struct timed_stream {
    _Atomic uint64_t started; /* ns since 1970, UTC, of time 0; 0: it has not begun */
    struct timed_config config;

    /* The thread's own. */
    struct timed_frame frame;
    bool has_frame, has_begun;
    uint64_t base; /* time 0, of realtime_now */
    struct timed_past past;
};

struct timed {
    /* enum timed_state, of each stream, and TIMED_CHANGED: all in one line of the cache, which the
     * thread looks at between waking up and sending. */
    _Alignas(RING_LINE) _Atomic uint8_t states[TIMED_STREAMS_MAX];
    _Atomic uint32_t word; /* changes with each command */
    _Atomic bool hungry;   /* a stream had no frame when the thread looked last */
    _Atomic bool stopping;
    _Atomic uint64_t turns;              /* grow as long as the thread works */
    _Atomic uint64_t stalls, stalled_ns; /* wake-ups that were TRANSMIT_STALL_NS late, and more */
    _Atomic int priority;                /* 0: it is a real-time thread; else a negative errno */
    _Atomic int locked;                  /* 0: its memory stays where it is; else one */
    _Atomic uint64_t frames;             /* that were sent, or could not be */
    _Atomic uint64_t vain;               /* wake-ups and frames for which nothing was to be sent */
    _Atomic int clock;                   /* of realtime_spent; when there is a cost */
    _Atomic uint32_t
        cost;       /* ns of the processor's time: of waking up and looking; 0: not yet known */
    bool has_acted; /* the thread's own: since it slept last */
    _Atomic uint64_t slept; /* ns of realtime_now, when it slept last */
    struct timed_stream streams[TIMED_STREAMS_MAX];
};

/* Begins to give the stream's frames their time. NULL: there are too many. */
struct timed_stream *timed_add(struct timed *timed, const struct timed_config *config);

/* The supply of a stream has more frames, which it shows by an atomic store before. */
void timed_wake(struct timed *timed);

/* Has the supply of a stream asked for its next frame anew, before a frame is sent: it has other
 * ones, which it shows by an atomic store before. By the thread that removes the stream. */
void timed_change(struct timed *timed, struct timed_stream *stream);

/* Has it leave after the frame that is being sent, if there is one. When it has left, nobody uses
 * the supply and the descriptor any more, and timed_free may be called. */
void timed_remove(struct timed *timed, struct timed_stream *stream);
bool timed_has_left(const struct timed *timed, const struct timed_stream *stream);
void timed_free(struct timed *timed, struct timed_stream *stream);

/* --- The thread ---------------------------------------------------------------------------- */

/* Sends what is due, and returns until when nothing is: what the thread does between two sleeps.
 * now, wall: of realtime_now and realtime_wall. At most one frame is sent. */
uint64_t timed_turn(struct timed *timed, uint64_t now, uint64_t wall);

/* Until it is told to stop. */
void timed_run(struct timed *timed);
void timed_stop(struct timed *timed);

#endif
