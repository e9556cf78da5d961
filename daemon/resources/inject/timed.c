#include "timed.h"

#include "platform/realtime.h"

#include <stddef.h>

enum { SECOND = 1000000000 };

/* --- What is due --------------------------------------------------------------------------- */

/* Moments may lie before the machine's start, when its clock says 0: they are compared by how far
 * they are from each other. */
static bool is_before(uint64_t one, uint64_t other)
{
    return (int64_t)(one - other) < 0;
}

void timed_begin(struct timed_past *past, uint32_t rate, uint64_t now)
{
    *past = (struct timed_past){0};
    rate_begin_deep(&past->sends, rate, now);
    rate_begin_deep(&past->skips, rate * TIMED_SKIPS, now);
}

/* Whether it would be less than half as far from the frame before as their times are from each
 * other. What is a little nearer only because the one before was late itself is no burst. */
static bool catches_up(const struct timed_past *past, uint64_t due, uint64_t now)
{
    return is_before(past->due, due) && now - past->sent < (due - past->due) / 2;
}

static enum timed_act act_at(enum timed_act act, uint64_t at, uint64_t now, uint64_t *ret_until)
{
    *ret_until = at;
    return is_before(now, at) ? TIMED_WAIT : act;
}

/* In the long run, at the stream's rate. */
static enum timed_act send_late(struct timed_past *past, uint64_t at, uint64_t now,
                                uint64_t *ret_until)
{
    if (rate_frames(&past->sends, now) == 0)
        at = now + rate_wait(&past->sends);
    return act_at(TIMED_SEND, at, now, ret_until);
}

static enum timed_act skip(struct timed_past *past, uint64_t now, uint64_t *ret_until)
{
    return act_at(TIMED_SKIP, rate_frames(&past->skips, now) > 0 ? now : now + TIMED_SKIP_NS, now,
                  ret_until);
}

enum timed_act timed_decide(const struct timed_config *config, struct timed_past *past,
                            uint64_t due, uint64_t now, uint64_t *ret_until)
{
    uint64_t late = is_before(due, now) ? now - due : 0;

    if (config->late && late > config->late)
        return catches_up(past, due, now) ? skip(past, now, ret_until)
                                          : send_late(past, due, now, ret_until);
    if (late > TIMED_PACED_NS)
        return send_late(past, past->sent + SECOND / 2 / config->rate, now, ret_until);
    return act_at(TIMED_SEND, due, now, ret_until);
}

static void take_one(struct rate *rate, uint64_t now)
{
    if (rate_frames(rate, now) > 0)
        rate_take(rate, 1);
}

void timed_did(struct timed_past *past, enum timed_act act, uint64_t due, uint64_t now)
{
    take_one(act == TIMED_SEND ? &past->sends : &past->skips, now);
    if (act != TIMED_SEND)
        return;
    past->due = due;
    past->sent = now;
}

/* --- Streams ------------------------------------------------------------------------------- */

static void command(struct timed *timed)
{
    atomic_fetch_add(&timed->word, 1);
    realtime_wake(&timed->word);
}

/* Either this sees that the thread is hungry, or the thread sees what the supply has: each stores,
 * then looks what the other has stored. */
void timed_wake(struct timed *timed)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&timed->hungry) && atomic_exchange(&timed->hungry, false))
        command(timed);
}

static _Atomic uint8_t *state_of(struct timed *timed, const struct timed_stream *stream)
{
    return &timed->states[stream - timed->streams];
}

static struct timed_stream *take_free(struct timed *timed)
{
    for (unsigned i = 0; i < TIMED_STREAMS_MAX; i++) {
        uint8_t expected = TIMED_FREE;

        if (atomic_compare_exchange_strong(&timed->states[i], &expected, TIMED_TAKEN))
            return &timed->streams[i];
    }
    return NULL;
}

struct timed_stream *timed_add(struct timed *timed, const struct timed_config *config)
{
    struct timed_stream *stream = take_free(timed);

    if (!stream)
        return NULL;
    stream->config = *config;
    stream->has_frame = stream->has_begun = false;
    atomic_store(&stream->started, 0);
    atomic_store(state_of(timed, stream), TIMED_JOINED);
    command(timed);
    return stream;
}

void timed_change(struct timed *timed, struct timed_stream *stream)
{
    atomic_fetch_or(state_of(timed, stream), TIMED_CHANGED);
    command(timed);
}

void timed_remove(struct timed *timed, struct timed_stream *stream)
{
    atomic_store(state_of(timed, stream), TIMED_LEAVING);
    command(timed);
}

bool timed_has_left(const struct timed *timed, const struct timed_stream *stream)
{
    return atomic_load(&timed->states[stream - timed->streams]) == TIMED_LEFT;
}

void timed_free(struct timed *timed, struct timed_stream *stream)
{
    atomic_store(state_of(timed, stream), TIMED_FREE);
}

/* --- One turn ------------------------------------------------------------------------------ */

/* What it had ready may be another one now. */
static bool is_joined(_Atomic uint8_t *place, struct timed_stream *stream)
{
    uint8_t state = atomic_load(place);

    if (state == (TIMED_JOINED | TIMED_CHANGED)) {
        stream->has_frame = false;
        state = atomic_fetch_and(place, (uint8_t)~TIMED_CHANGED) & (uint8_t)~TIMED_CHANGED;
    }
    if (state == TIMED_LEAVING)
        atomic_store(place, TIMED_LEFT);
    return state == TIMED_JOINED;
}

/* When time 0 is, if the first frame comes now. */
static uint64_t start_of(const struct timed_config *config, uint64_t wall)
{
    uint64_t start = wall + TIMED_LEAD_NS;

    if (config->start)
        return config->start;
    return config->whole ? (start + SECOND - 1) / SECOND * SECOND : start;
}

static struct timed_moment moment_of(const struct timed_stream *stream, uint64_t now, uint64_t wall)
{
    struct timed_moment moment = {.start =
                                      atomic_load_explicit(&stream->started, memory_order_relaxed)};
    uint64_t start = stream->config.start;

    if (!stream->has_begun)
        moment.start = start_of(&stream->config, wall);
    if (start)
        moment.passed = wall > start ? wall - start : 0;
    else if (stream->has_begun && is_before(stream->base, now))
        moment.passed = now - stream->base;
    return moment;
}

/* The first frame decides when time 0 is, where nobody has said it. A full second is a time of day,
 * and stays one. */
static void begin(struct timed_stream *stream, uint64_t start, uint64_t now)
{
    stream->has_begun = true;
    timed_begin(&stream->past, stream->config.rate, now);
    stream->base = now + TIMED_LEAD_NS;
    if (stream->config.whole)
        stream->config.start = start;
    atomic_store(&stream->started, start);
}

/* A start is a time of day. That runs as the other clock does, unless it is set, so the way from
 * one to the other is looked up each time. What is very far comes nearer until it is looked at
 * again. */
static uint64_t due_of(const struct timed_stream *stream, uint64_t now, uint64_t wall)
{
    uint64_t at = stream->config.start + stream->frame.time;

    if (!stream->config.start)
        return stream->base + stream->frame.time;
    if (at > wall && at - wall > TIMED_TIME_MAX)
        return now + TIMED_TIME_MAX;
    return now + (at - wall);
}

static bool has_frame(struct timed_stream *stream, uint64_t now, uint64_t wall)
{
    const struct timed_config *config = &stream->config;
    struct timed_moment moment;

    if (stream->has_frame)
        return true;
    moment = moment_of(stream, now, wall);
    stream->has_frame = config->ops->next(config->supply, &moment, &stream->frame);
    if (stream->has_frame && !stream->has_begun)
        begin(stream, moment.start, now);
    return stream->has_frame;
}

static void send_copies(const struct timed_config *config, const struct timed_frame *frame,
                        struct timed_outcome *outcome)
{
    outcome->reason = config->judge ? config->judge(config->supply) : TRANSMIT_SENT;
    while (outcome->sent < frame->copies && outcome->reason == TRANSMIT_SENT) {
        outcome->reason = config->send(config->fd, frame->bytes, frame->length);
        outcome->sent += outcome->reason == TRANSMIT_SENT;
    }
}

static void count(_Atomic uint64_t *number, uint64_t more)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* What is left out or dropped takes the processor's time as well, and is no frame for the kernel:
 * were it not counted, those that are sent would seem to cost as much more. */
static void count_act(struct timed *timed, uint64_t given)
{
    count(given > 0 ? &timed->frames : &timed->vain, given > 0 ? given : 1);
    timed->has_acted = true;
}

static void finish(struct timed *timed, struct timed_stream *stream, uint64_t due, uint64_t now,
                   enum timed_act act)
{
    const struct timed_config *config = &stream->config;
    struct timed_outcome outcome = {TRANSMIT_LATE, 0, now - due};
    uint64_t given = 0; /* to the kernel, whether it took them or not */

    if (act == TIMED_SEND) {
        send_copies(config, &stream->frame, &outcome);
        given = outcome.sent + (outcome.reason != TRANSMIT_SENT);
    }
    count_act(timed, given);
    timed_did(&stream->past, act, due, now);
    stream->has_frame = false;
    config->ops->done(config->supply, &outcome);
}

struct choice {
    struct timed_stream *stream; /* NULL: none has a frame */
    uint64_t due, until;
    enum timed_act act;
};

/* The stream whose next act is the earliest one. */
static void choose(struct timed_stream *stream, uint64_t now, uint64_t wall, struct choice *best)
{
    struct choice this = {.stream = stream, .due = due_of(stream, now, wall)};

    this.act = timed_decide(&stream->config, &stream->past, this.due, now, &this.until);
    if (!best->stream || is_before(this.until, best->until))
        *best = this;
}

/* False: a stream has no frame. */
static bool look(struct timed *timed, uint64_t now, uint64_t wall, struct choice *best)
{
    bool all = true;

    for (unsigned i = 0; i < TIMED_STREAMS_MAX; i++) {
        struct timed_stream *stream = &timed->streams[i];

        if (!is_joined(&timed->states[i], stream))
            continue;
        if (has_frame(stream, now, wall))
            choose(stream, now, wall, best);
        else
            all = false;
    }
    return all;
}

uint64_t timed_turn(struct timed *timed, uint64_t now, uint64_t wall)
{
    struct choice best = {.until = TIMED_NEVER};

    if (!look(timed, now, wall, &best) && !atomic_exchange(&timed->hungry, true)) {
        atomic_thread_fence(memory_order_seq_cst);
        look(timed, now, wall, &best);
    }
    if (!best.stream || best.act == TIMED_WAIT)
        return best.until;
    finish(timed, best.stream, best.due, now, best.act);
    return now;
}

/* --- The thread ---------------------------------------------------------------------------- */

static void note_stall(struct timed *timed, uint64_t lateness)
{
    atomic_fetch_add_explicit(&timed->stalls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&timed->stalled_ns, lateness, memory_order_relaxed);
}

/* Until this moment, but not so long that nobody sees whether it works; what is far may come
 * nearer, when the time of day is set. */
static void sleep_until(struct timed *timed, uint32_t seen, uint64_t now, uint64_t until)
{
    uint64_t longest = now + (until == TIMED_NEVER ? TIMED_TURN_NS : TIMED_LOOK_NS), woken;
    bool has_slept;

    if (!timed->has_acted)
        count(&timed->vain, 1);
    timed->has_acted = false;
    has_slept = realtime_sleep(&timed->word, seen, until < longest ? until : longest);
    woken = realtime_now();
    if (has_slept)
        atomic_store_explicit(&timed->slept, woken, memory_order_relaxed);
    if (woken > until && woken - until >= TRANSMIT_STALL_NS)
        note_stall(timed, woken - until);
}

/* The system ends a real-time thread that does not sleep for long (RLIMIT_RTTIME), and the service
 * with it: whatever clients have it do, it sleeps in between. */
static void take_breath(struct timed *timed, uint64_t now)
{
    uint64_t slept = atomic_load_explicit(&timed->slept, memory_order_relaxed);

    if (is_before(now, slept + TIMED_AWAKE_NS))
        return;
    if (realtime_sleep(&timed->word, atomic_load(&timed->word), realtime_now() + TIMED_BREATH_NS))
        atomic_store_explicit(&timed->slept, realtime_now(), memory_order_relaxed);
}

/* most: ns of its sleep. */
static void turn_and_sleep(struct timed *timed, uint64_t most)
{
    uint32_t seen = atomic_load(&timed->word);
    /* In this order: were it held up in between, a frame would be late, and not early. */
    uint64_t wall = realtime_wall(), now = realtime_now();
    uint64_t until = timed_turn(timed, now, wall);

    atomic_fetch_add_explicit(&timed->turns, 1, memory_order_relaxed);
    if (until > now)
        sleep_until(timed, seen, now, until - now < most ? until : now + most);
    take_breath(timed, now);
}

/* What a wake-up costs, before there are frames to measure it by; streams that have joined
 * meanwhile are served. */
static void find_cost(struct timed *timed)
{
    int clock = realtime_clock();
    uint64_t before = realtime_spent(clock), spent;

    for (unsigned i = 0; i < TIMED_TRIALS && !atomic_load(&timed->stopping); i++)
        turn_and_sleep(timed, TIMED_TRIAL_NS);
    spent = (realtime_spent(clock) - before) / TIMED_TRIALS;
    atomic_store(&timed->clock, clock);
    atomic_store(&timed->cost, spent < UINT32_MAX ? (uint32_t)spent : UINT32_MAX);
}

void timed_run(struct timed *timed)
{
    int locked = realtime_lock_stack();

    if (locked == 0)
        locked = realtime_lock(timed, sizeof *timed);
    atomic_store(&timed->locked, locked);
    atomic_store(&timed->slept, realtime_now());
    atomic_store(&timed->priority, realtime_begin("timed sender"));
    find_cost(timed);
    while (!atomic_load(&timed->stopping))
        turn_and_sleep(timed, UINT64_MAX);
    for (unsigned i = 0; i < TIMED_STREAMS_MAX; i++)
        is_joined(&timed->states[i], &timed->streams[i]);
}

void timed_stop(struct timed *timed)
{
    atomic_store(&timed->stopping, true);
    command(timed);
}
