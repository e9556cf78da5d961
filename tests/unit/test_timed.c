/* The timed sender: what is due when, by clocks that the test sets; the queue of a stream's frames;
 * and that nothing is left behind when a stream leaves. No time passes here. */
#include "platform/realtime.h"
#include "resources/inject/timed.h"
#include "resources/inject/timed_queue.h"
#include "resources/inject/timed_thread.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH = 60, US = 1000, MS = 1000000, QUEUE = 4096 };

static const uint64_t SECOND = 1000000000;

static const uint64_t NOON = 1700000000ull * 1000000000; /* a time of day */

/* What was sent, in its order. */
static struct {
    unsigned count;
    int fd[64];
    unsigned char first[64]; /* byte of the frame */
    enum transmit_refusal_reason answer;
} sent;

static enum transmit_refusal_reason take(int fd, const unsigned char *bytes, uint32_t length)
{
    ck_assert_uint_eq(length, LENGTH);
    sent.fd[sent.count] = fd;
    sent.first[sent.count++] = bytes[0];
    return sent.answer;
}

struct scene {
    struct timed timed;
    struct timed_queue queue;
    struct timed_stream *stream;
};

static struct timed_config config_of(struct timed_queue *queue, int fd)
{
    return (struct timed_config){.ops = &timed_queue_supply,
                                 .supply = queue,
                                 .send = take,
                                 .fd = fd,
                                 .late = MS,
                                 .rate = 1000};
}

static void begin(struct scene *scene, uint64_t late, uint64_t start)
{
    struct timed_config config = config_of(&scene->queue, 3);

    memset(&sent, 0, sizeof sent);
    memset(scene, 0, sizeof *scene);
    ck_assert_int_eq(timed_queue_make(&scene->queue, QUEUE), 0);
    config.late = late;
    config.start = start;
    scene->stream = timed_add(&scene->timed, &config);
    ck_assert_ptr_nonnull(scene->stream);
}

static void end(struct scene *scene)
{
    timed_queue_free(&scene->queue);
}

static void put(struct timed_queue *queue, uint64_t time, unsigned char first)
{
    unsigned char bytes[LENGTH] = {first};
    struct transmit_frame frame = {.sequence = first, .tag = first, .time = time, .length = LENGTH};

    ck_assert(timed_queue_has_room(queue, LENGTH));
    timed_queue_put(queue, &frame, bytes);
}

/* What became of the next frame that is done. */
static void expect(struct timed_queue *queue, unsigned char first,
                   enum transmit_refusal_reason reason, uint64_t lateness)
{
    struct timed_record record;

    ck_assert(timed_queue_reap(queue, &record));
    ck_assert_uint_eq(record.frame.tag, first);
    ck_assert_int_eq(record.outcome.reason, reason);
    ck_assert_uint_eq(record.outcome.lateness, lateness);
}

static void expect_none(struct timed_queue *queue)
{
    struct timed_record record;

    ck_assert(!timed_queue_reap(queue, &record));
}

/* --- What is due --------------------------------------------------------------------------- */

START_TEST(a_frame_waits_goes_or_is_skipped)
{
    static const struct {
        uint64_t late;
        struct {
            uint64_t due, sent;
        } past;
        uint64_t due, now;
        enum timed_act act;
        uint64_t until;
    } rows[] = {
        {MS, {0, 0}, 1000, 999, TIMED_WAIT, 1000},
        {MS, {0, 0}, 1000, 1000, TIMED_SEND, 1000},
        {MS, {900, 1900}, 1000, 1000 + MS, TIMED_SEND, 1000},
        /* The one before was to be 100 us before it: with less than half of it it is left out. */
        {MS, {MS, 3 * MS}, MS + 100 * US, 3 * MS + 50 * US - 1, TIMED_SKIP, 0},
        {MS, {MS, 3 * MS}, MS + 100 * US, 3 * MS + 50 * US, TIMED_SEND, 0},
        {50 * US, {MS, 3 * MS}, 3 * MS - 50 * US, 3 * MS, TIMED_SEND, 0},
        {50 * US, {MS, 3 * MS}, 3 * MS - 51 * US, 3 * MS, TIMED_SKIP, 0},
        {MS, {0, 0}, 1000, 1000 + 9 * MS, TIMED_SEND, 0},      /* the first one */
        {MS, {5 * MS, 5 * MS}, 4 * MS, 8 * MS, TIMED_SEND, 0}, /* the time of day was set */
        /* 1000 frames a second: the frames of a burst are 0.5 ms from each other */
        {0, {0, 10 * MS}, 0, 10 * MS, TIMED_WAIT, 10 * MS + 500 * US},
        {0, {0, 10 * MS}, 0, 10 * MS + 500 * US, TIMED_SEND, 10 * MS + 500 * US},
        {0, {9 * MS, 10 * MS}, 9 * MS, 10 * MS, TIMED_SEND, 9 * MS}, /* it is not that late */
        {50 * MS, {0, 10 * MS}, 0, 10 * MS, TIMED_WAIT, 10 * MS + 500 * US}, /* nor too late */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timed_config config = {.late = rows[i].late, .rate = 1000};
        struct timed_past past;
        uint64_t until;

        timed_begin(&past, config.rate, 0);
        past.due = rows[i].past.due;
        past.sent = rows[i].past.sent;
        ck_assert_int_eq(timed_decide(&config, &past, rows[i].due, rows[i].now, &until),
                         rows[i].act);
        if (rows[i].act != TIMED_SKIP)
            ck_assert(until == rows[i].until || rows[i].act == TIMED_SEND);
    }
}
END_TEST

/* A client that has frames at all times, each `gap` ns behind the one before. */
struct greedy {
    uint64_t time, gap, done;
};

static bool next_greedy(void *supply, const struct timed_moment *moment, struct timed_frame *ret)
{
    static const unsigned char bytes[LENGTH];

    (void)moment;
    *ret = (struct timed_frame){((struct greedy *)supply)->time, LENGTH, 1, bytes};
    return true;
}

static void done_greedy(void *supply, const struct timed_outcome *outcome)
{
    struct greedy *greedy = supply;

    greedy->time += greedy->gap;
    greedy->done += outcome->reason == TRANSMIT_LATE;
}

static uint64_t greedy_sent;

static enum transmit_refusal_reason count_greedy(int fd, const unsigned char *bytes,
                                                 uint32_t length)
{
    (void)fd;
    (void)bytes;
    (void)length;
    greedy_sent++;
    return TRANSMIT_SENT;
}

static void add_greedy(struct timed *timed, struct greedy *greedy, uint64_t late, uint64_t start)
{
    static const struct timed_supply_ops ops = {next_greedy, done_greedy};
    struct timed_config config = {.ops = &ops,
                                  .supply = greedy,
                                  .send = count_greedy,
                                  .late = late,
                                  .start = start,
                                  .rate = 1000};

    ck_assert_ptr_nonnull(timed_add(timed, &config));
}

/* As the thread does, for some time; a turn takes a microsecond. Returns how many there were. */
static uint64_t turn_for(struct timed *timed, uint64_t now, uint64_t ns)
{
    uint64_t turns = 0;

    for (uint64_t end = now + ns; now < end; turns++) {
        uint64_t until = timed_turn(timed, now, NOON + now);

        now = until > now ? until : now + US;
    }
    return turns;
}

/* Frames that were due long ago, or all before the machine began, within what is late or not. */
START_TEST(times_of_the_past_are_no_rate)
{
    static const struct {
        uint64_t late, start, gap;
    } rows[] = {
        {MS, 1, MS},         {0, 1, MS},         {1000 * MS, 1, MS},
        {MS, NOON - 1, 0},   {0, NOON - 1, 0},   {1000 * MS, NOON - 1, 0},
        {MS, NOON, MS / 10}, {0, NOON, MS / 10}, {1000 * MS, NOON, MS / 10},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct timed timed = {0};
        struct greedy greedy = {.gap = rows[i].gap};

        greedy_sent = 0;
        add_greedy(&timed, &greedy, rows[i].late, rows[i].start);
        ck_assert_uint_le(turn_for(&timed, 5 * SECOND, 4 * SECOND), 4 * (8 + 2) * 1000 + 10000);
        ck_assert_uint_le(greedy_sent, 4 * 1000 + 1000 + 10);
        ck_assert_uint_le(greedy.done, (4 + 1) * 8 * 1000 + 100);
    }
}
END_TEST

/* Who leaves out frames of the past does so when nobody else has one to send. */
START_TEST(what_is_left_out_waits_for_others)
{
    struct scene scene;
    struct greedy greedy = {.gap = MS};
    uint64_t now = 5 * SECOND;

    begin(&scene, MS, NOON + now + MS / 2);
    add_greedy(&scene.timed, &greedy, MS, NOON - SECOND);
    put(&scene.queue, 0, 1);
    timed_turn(&scene.timed, now, NOON + now); /* the first one is sent in any case */
    timed_turn(&scene.timed, now, NOON + now);
    ck_assert_uint_eq(greedy.done, 1);
    timed_turn(&scene.timed, now + MS / 2 + 1, NOON + now + MS / 2 + 1);
    ck_assert_uint_eq(greedy.done, 1);
    expect(&scene.queue, 1, TRANSMIT_SENT, 1);
    end(&scene);
}
END_TEST

START_TEST(each_frame_is_sent_at_its_time)
{
    struct scene scene;
    uint64_t now = 5 * MS, start = now + TIMED_LEAD_NS;

    begin(&scene, MS, 0);
    ck_assert_uint_eq(timed_turn(&scene.timed, now, NOON), TIMED_NEVER);
    put(&scene.queue, 0, 1);
    put(&scene.queue, 200 * US, 2);
    ck_assert_uint_eq(timed_turn(&scene.timed, now, NOON), start);
    ck_assert_uint_eq(atomic_load(&scene.stream->started), NOON + TIMED_LEAD_NS);
    ck_assert_uint_eq(timed_turn(&scene.timed, start - 1, NOON), start);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(timed_turn(&scene.timed, start + 7, NOON), start + 7);
    ck_assert_uint_eq(sent.count, 1);
    expect(&scene.queue, 1, TRANSMIT_SENT, 7);
    expect_none(&scene.queue);
    ck_assert_uint_eq(timed_turn(&scene.timed, start + 9, NOON), start + 200 * US);
    timed_turn(&scene.timed, start + 200 * US, NOON);
    expect(&scene.queue, 2, TRANSMIT_SENT, 0);
    ck_assert_uint_eq(timed_turn(&scene.timed, start + MS, NOON), TIMED_NEVER);
    end(&scene);
}
END_TEST

/* The clock that shows the time may be set at any moment. */
START_TEST(a_start_is_a_time_of_day)
{
    struct scene scene;
    uint64_t now = 1000ull * MS;

    begin(&scene, MS, NOON);
    put(&scene.queue, 3 * MS, 1);
    ck_assert_uint_eq(timed_turn(&scene.timed, now, NOON - 7 * MS), now + 10 * MS);
    ck_assert_uint_eq(atomic_load(&scene.stream->started), NOON);
    ck_assert_uint_eq(timed_turn(&scene.timed, now, NOON), now + 3 * MS);
    ck_assert_uint_eq(sent.count, 0);
    timed_turn(&scene.timed, now, NOON + 3 * MS + 20);
    ck_assert_uint_eq(sent.count, 1);
    expect(&scene.queue, 1, TRANSMIT_SENT, 20);
    put(&scene.queue, 4 * MS, 2);
    timed_turn(&scene.timed, now, NOON + 3600ull * 1000 * MS); /* before the machine has begun */
    expect(&scene.queue, 2, TRANSMIT_SENT, 3600ull * 1000 * MS - 4 * MS);
    end(&scene);
}
END_TEST

/* As of a start that has passed, or of a clock that was set: also where that was before the machine
 * has begun, and where somebody else's frames are waiting. */
START_TEST(what_is_long_past_is_no_burst)
{
    static const uint64_t ago[] = {10000ull * MS, 31536000ull * 1000 * MS};

    for (size_t i = 0; i < sizeof ago / sizeof *ago; i++) {
        struct timed_queue other;
        struct timed_config config = config_of(&other, 4);
        struct scene scene;
        uint64_t now = 5000ull * MS;

        begin(&scene, MS, NOON);
        ck_assert_int_eq(timed_queue_make(&other, QUEUE), 0);
        ck_assert_ptr_nonnull(timed_add(&scene.timed, &config));
        put(&other, 0, 9);
        for (unsigned char n = 0; n < 10; n++)
            put(&scene.queue, (uint64_t)n * 10 * MS, n);
        while (timed_turn(&scene.timed, now, NOON + ago[i]) == now)
            ;
        ck_assert_uint_eq(sent.count, 1);
        expect(&scene.queue, 0, TRANSMIT_SENT, ago[i]);
        for (unsigned char n = 1; n < 10; n++)
            expect(&scene.queue, n, TRANSMIT_LATE, ago[i] - (uint64_t)n * 10 * MS);
        timed_turn(&scene.timed, now + TIMED_LEAD_NS, NOON + ago[i]);
        expect(&other, 9, TRANSMIT_SENT, 0);
        timed_queue_free(&other);
        end(&scene);
    }
}
END_TEST

/* Ten frames at 1 kHz, then nothing runs for 5 ms. */
static uint64_t stall(struct scene *scene, uint64_t late)
{
    begin(scene, late, 0);
    for (unsigned char i = 0; i < 10; i++)
        put(&scene->queue, (uint64_t)i * MS, i);
    timed_turn(&scene->timed, 0, NOON);
    return TIMED_LEAD_NS + 5 * MS + 10;
}

START_TEST(after_a_stall_there_is_no_burst)
{
    struct scene scene;
    uint64_t now = stall(&scene, MS), until;

    while ((until = timed_turn(&scene.timed, now, NOON)) == now)
        ;
    ck_assert_uint_eq(until, TIMED_LEAD_NS + 6 * MS);
    ck_assert_uint_eq(sent.count, 2);
    ck_assert_uint_eq(sent.first[1], 5);
    expect(&scene.queue, 0, TRANSMIT_SENT, 5 * MS + 10); /* the wire was silent before */
    for (unsigned char i = 1; i < 5; i++)
        expect(&scene.queue, i, TRANSMIT_LATE, (uint64_t)(5 - i) * MS + 10);
    expect(&scene.queue, 5, TRANSMIT_SENT, 10);
    end(&scene);
}
END_TEST

START_TEST(who_wants_all_frames_gets_them_at_twice_the_rate)
{
    struct scene scene;
    uint64_t now = stall(&scene, 0), at[10];

    for (unsigned i = 0; i < 10;) {
        uint64_t until = timed_turn(&scene.timed, now, NOON);

        if (until == now)
            at[i++] = now;
        else
            now = until;
    }
    for (unsigned i = 1; i < 10; i++)
        ck_assert(at[i] - at[i - 1] >= 500 * US || at[i] - (TIMED_LEAD_NS + i * MS) <= MS);
    ck_assert_uint_le(at[9], TIMED_LEAD_NS + 10 * MS);
    ck_assert_uint_eq(sent.count, 10);
    end(&scene);
}
END_TEST

START_TEST(why_a_frame_was_not_sent_is_told)
{
    struct scene scene;

    begin(&scene, MS, 0);
    put(&scene.queue, 0, 1);
    timed_turn(&scene.timed, 0, NOON);
    sent.answer = TRANSMIT_DOWN;
    timed_turn(&scene.timed, TIMED_LEAD_NS, NOON);
    expect(&scene.queue, 1, TRANSMIT_DOWN, 0);
    end(&scene);
}
END_TEST

/* --- Streams ------------------------------------------------------------------------------- */

START_TEST(streams_take_turns_by_their_time)
{
    struct scene scene;
    struct timed_queue other;
    struct timed_config config = config_of(&other, 4);

    begin(&scene, MS, NOON);
    ck_assert_int_eq(timed_queue_make(&other, QUEUE), 0);
    config.start = NOON + 100 * US;
    ck_assert_ptr_nonnull(timed_add(&scene.timed, &config));
    for (unsigned char i = 0; i < 4; i++) {
        put(&scene.queue, i * 200ull * US, i);
        put(&other, i * 200ull * US, i);
    }
    for (uint64_t now = 0, until; sent.count < 8; now = until)
        until = timed_turn(&scene.timed, now, NOON + now);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(sent.fd[i], i % 2 ? 4 : 3);
        ck_assert_uint_eq(sent.first[i], i / 2);
    }
    timed_queue_free(&other);
    end(&scene);
}
END_TEST

START_TEST(a_stream_leaves_between_two_frames)
{
    struct scene scene;

    begin(&scene, MS, 0);
    put(&scene.queue, 0, 1);
    put(&scene.queue, 0, 2);
    timed_turn(&scene.timed, 0, NOON);
    timed_turn(&scene.timed, TIMED_LEAD_NS, NOON);
    timed_remove(&scene.timed, scene.stream);
    ck_assert(!timed_has_left(&scene.timed, scene.stream));
    ck_assert_uint_eq(timed_turn(&scene.timed, TIMED_LEAD_NS, NOON), TIMED_NEVER);
    ck_assert(timed_has_left(&scene.timed, scene.stream));
    ck_assert_uint_eq(sent.count, 1);
    expect(&scene.queue, 1, TRANSMIT_SENT, 0);
    expect_none(&scene.queue);
    timed_free(&scene.timed, scene.stream);
    end(&scene);
}
END_TEST

START_TEST(streams_are_few_and_their_places_are_used_again)
{
    struct scene scene;
    struct timed_config config = config_of(&scene.queue, 3);
    struct timed_stream *last = NULL;

    begin(&scene, MS, 0);
    for (unsigned i = 1; i < TIMED_STREAMS_MAX; i++)
        ck_assert_ptr_nonnull(last = timed_add(&scene.timed, &config));
    ck_assert_ptr_null(timed_add(&scene.timed, &config));
    timed_remove(&scene.timed, last);
    ck_assert_ptr_null(timed_add(&scene.timed, &config));
    timed_turn(&scene.timed, 0, NOON);
    timed_free(&scene.timed, last);
    ck_assert_ptr_eq(timed_add(&scene.timed, &config), last);
    end(&scene);
}
END_TEST

/* Only then a system call is made for frames that were put. */
START_TEST(a_hungry_thread_is_woken)
{
    struct scene scene;
    uint32_t word;

    begin(&scene, MS, 0);
    word = atomic_load(&scene.timed.word);
    timed_wake(&scene.timed);
    ck_assert_uint_eq(atomic_load(&scene.timed.word), word);
    timed_turn(&scene.timed, 0, NOON);
    put(&scene.queue, 0, 1);
    timed_wake(&scene.timed);
    ck_assert_uint_eq(atomic_load(&scene.timed.word), word + 1);
    timed_turn(&scene.timed, 0, NOON);
    timed_wake(&scene.timed);
    ck_assert_uint_eq(atomic_load(&scene.timed.word), word + 1);
    end(&scene);
}
END_TEST

/* --- The queue ----------------------------------------------------------------------------- */

/* Frames of all lengths, at all places, with a different number of them between put and reap. */
START_TEST(a_queue_gives_back_what_was_put)
{
    static unsigned char bytes[1500];
    struct timed_queue queue;
    uint64_t put_count = 0, done_count = 0, reaped = 0;
    struct timed_record record;
    struct timed_frame frame;

    ck_assert_int_eq(timed_queue_make(&queue, QUEUE), 0);
    srand(1);
    while (reaped < 20000) {
        uint32_t length = (uint32_t)(put_count * 37 % 1200);

        for (; rand() % 4 && timed_queue_has_room(&queue, length); put_count++) {
            length = (uint32_t)(put_count * 37 % 1200);
            if (!timed_queue_has_room(&queue, length))
                break;
            memset(bytes, (int)put_count, length);
            timed_queue_put(
                &queue, &(struct transmit_frame){.sequence = put_count, .length = length}, bytes);
        }
        for (; rand() % 4 && timed_queue_supply.next(&queue, &(struct timed_moment){0}, &frame);
             done_count++) {
            if (frame.length != done_count * 37 % 1200 ||
                (frame.length && (frame.bytes[0] != (unsigned char)done_count ||
                                  frame.bytes[frame.length - 1] != (unsigned char)done_count)))
                ck_abort_msg("frame %u is another one", (unsigned)done_count);
            timed_queue_supply.done(
                &queue, &(struct timed_outcome){.reason = TRANSMIT_SENT, .lateness = done_count});
        }
        for (; timed_queue_reap(&queue, &record); reaped++)
            if (record.frame.sequence != reaped || record.outcome.lateness != reaped)
                ck_abort_msg("record %u is another one", (unsigned)reaped);
    }
    ck_assert(done_count == reaped && put_count >= done_count);
    timed_queue_free(&queue);
}
END_TEST

START_TEST(a_queue_takes_some_of_the_longest_frames)
{
    unsigned char *bytes = calloc(1, RING_LENGTH_MAX);
    struct transmit_frame frame = {.length = RING_LENGTH_MAX};
    struct timed_queue queue;

    ck_assert_int_eq(timed_queue_make(&queue, timed_queue_size(RING_LENGTH_MAX)), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(timed_queue_has_room(&queue, RING_LENGTH_MAX));
        timed_queue_put(&queue, &frame, bytes);
    }
    timed_queue_free(&queue);
    free(bytes);
}
END_TEST

/* --- What a frame costs -------------------------------------------------------------------- */

START_TEST(a_rate_that_the_machine_cannot_hold_is_refused_with_figures)
{
    struct timed_cost cost = {.ns = 6240, .has_sent = true, .asked = 50000};
    struct error error;

    ck_assert(timed_cost_allows(&cost, 79000, &error)); /* 80.5 %, of which parts do not count */
    ck_assert(!timed_cost_allows(&cost, 85000, &error));
    assert_error(&error, "limit");
    ck_assert_str_eq(error.field, "rate");
    ck_assert_str_eq(error.message,
                     "85000 frames a second need 6.2 us each on this machine (measured), with the "
                     "50000 of other streams 84 % of a processor; at most 80 % may be used for "
                     "frames that have a time. Ask for a lower 'rate', or end an injector first; "
                     "'netbroker inject list' lists them.");
    cost.has_sent = false;
    ck_assert(!timed_cost_allows(&cost, UINT32_MAX, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "(measured, without sending)"));
    timed_cost_charge(&cost, 40000);
    ck_assert(!timed_cost_allows(&cost, 78000, &error));
    timed_cost_return(&cost, 40000);
    ck_assert(timed_cost_allows(&cost, 78000, &error));
    cost.ns = 0; /* nobody knows */
    ck_assert(timed_cost_allows(&cost, UINT32_MAX, &error));
}
END_TEST

START_TEST(a_cost_follows_what_is_measured)
{
    struct timed_cost cost = {.ns = 4000};

    timed_cost_follow(&cost, 8000 * 999, 999, 5000); /* too few to say anything */
    ck_assert_uint_eq(cost.ns, 4000);
    ck_assert(!cost.has_sent);
    timed_cost_follow(&cost, 20000 * 4800, 4800, 0); /* mostly a processor that wakes up */
    ck_assert_uint_eq(cost.ns, 4000);
    ck_assert(cost.has_sent);
    timed_cost_follow(&cost, UINT64_C(8000) * 70000, 70000, 0);
    ck_assert_uint_eq(cost.ns, 4500);
    for (unsigned i = 0; i < 100; i++)
        timed_cost_follow(&cost, 3000 * 5000, 5000, 0);
    ck_assert_uint_le(cost.ns, 3000 + TIMED_COST_PART);
    ck_assert_uint_ge(cost.ns, 3000);
    for (unsigned i = 0; i < 100; i++) /* a thousand frames, among what sends none */
        timed_cost_follow(&cost, UINT64_C(3000) * 200000, 1000, 199000);
    ck_assert_uint_le(cost.ns, 3000 + TIMED_COST_PART);
}
END_TEST

/* The thread finds it out by itself, and by the frames that it sends. */
START_TEST(a_thread_finds_out_what_it_costs)
{
    struct timed_thread thread;

    timed_thread_init(&thread, NULL);
    ck_assert_int_eq(timed_thread_start(&thread), 0);
    timed_wait_for_cost(thread.timed);
    timed_thread_look(&thread);
    ck_assert_uint_gt(thread.cost.ns, 0);
    ck_assert(!thread.cost.has_sent);
    atomic_fetch_add(&thread.timed->frames, TIMED_FRAMES_LEAST);
    timed_thread_tick(&thread, 60);
    ck_assert(thread.cost.has_sent);
    timed_thread_free(&thread);
}
END_TEST

/* Other threads may be looking for what it found out when it ends. */
START_TEST(what_a_thread_found_out_stays_behind_it)
{
    struct timed_thread thread;

    timed_thread_init(&thread, NULL);
    ck_assert_int_eq(timed_thread_start(&thread), 0);
    timed_wait_for_cost(thread.timed);
    timed_thread_stop(&thread);
    ck_assert_ptr_nonnull(thread.timed);
    ck_assert_uint_gt(atomic_load(&thread.timed->cost), 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(timed_thread_tick(&thread, 1)); /* it is over, and not stuck */
    timed_thread_free(&thread);
    ck_assert_ptr_null(thread.timed);
}
END_TEST

/* A supply of frames that nobody wants: in the past, or dropped. */
static bool supply_next(void *supply, const struct timed_moment *moment, struct timed_frame *ret)
{
    static unsigned char bytes[LENGTH];
    const struct timed_frame *frame = supply;

    (void)moment;
    *ret = *frame;
    ret->bytes = bytes;
    return true;
}

static void supply_done(void *supply, const struct timed_outcome *outcome)
{
    struct timed_frame *frame = supply;

    (void)outcome;
    frame->time += MS;
}

static enum transmit_refusal_reason take_none(int fd, const unsigned char *bytes, uint32_t length)
{
    (void)fd;
    (void)bytes;
    (void)length;
    return TRANSMIT_KERNEL;
}

static const struct timed_supply_ops endless = {supply_next, supply_done};

START_TEST(what_sends_no_frame_is_counted_as_such)
{
    struct timed_frame frame = {.length = LENGTH};
    struct timed_config config = {
        .ops = &endless, .supply = &frame, .send = take, .late = MS, .rate = 1000};
    struct timed timed = {.word = 0};

    memset(&sent, 0, sizeof sent);
    ck_assert_ptr_nonnull(timed_add(&timed, &config));
    timed_turn(&timed, SECOND, NOON);
    timed_turn(&timed, SECOND + TIMED_LEAD_NS, NOON);
    ck_assert_uint_eq(timed.vain, 1); /* no copy of it was wanted */
    frame.copies = 2;
    timed_turn(&timed, SECOND + TIMED_LEAD_NS + MS, NOON);
    ck_assert_uint_eq(timed.frames, 2);
    timed_turn(&timed, SECOND + TIMED_LEAD_NS + 900 * MS, NOON); /* late, and after a gap */
    timed_turn(&timed, SECOND + TIMED_LEAD_NS + 900 * MS, NOON);
    ck_assert_uint_eq(timed.frames, 4);
    ck_assert_uint_eq(timed.vain, 2); /* left out */
}
END_TEST

/* Frames that are left out without end, and those that wait to be looked at: the thread sleeps in
 * between, or the system would end it. */
START_TEST(a_thread_sleeps_whatever_it_has_to_do)
{
    struct timed_frame frame = {.length = LENGTH, .copies = 1};
    struct timed_config config = {.ops = &endless,
                                  .supply = &frame,
                                  .send = take_none,
                                  .late = MS,
                                  .rate = 100000000,
                                  .start = SECOND};
    struct timed_thread thread;
    uint64_t end = realtime_now() + 20 * SECOND, slept = 0;
    unsigned sleeps = 0;

    timed_thread_init(&thread, NULL);
    ck_assert_int_eq(timed_thread_start(&thread), 0);
    timed_wait_for_cost(thread.timed);
    ck_assert_ptr_nonnull(timed_add(thread.timed, &config));
    while (sleeps < 3 && realtime_now() < end) {
        uint64_t now = atomic_load(&thread.timed->slept);

        sleeps += now != slept && atomic_load(&thread.timed->vain) > 1000;
        slept = now;
    }
    ck_assert_uint_eq(sleeps, 3);
    timed_thread_free(&thread);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_rate_that_the_machine_cannot_hold_is_refused_with_figures);
    tcase_add_test(tests, a_cost_follows_what_is_measured);
    tcase_add_test(tests, a_thread_finds_out_what_it_costs);
    tcase_add_test(tests, what_a_thread_found_out_stays_behind_it);
    tcase_add_test(tests, what_sends_no_frame_is_counted_as_such);
    tcase_add_test(tests, a_thread_sleeps_whatever_it_has_to_do);
    tcase_add_test(tests, a_frame_waits_goes_or_is_skipped);
    tcase_add_test(tests, times_of_the_past_are_no_rate);
    tcase_add_test(tests, what_is_left_out_waits_for_others);
    tcase_add_test(tests, each_frame_is_sent_at_its_time);
    tcase_add_test(tests, a_start_is_a_time_of_day);
    tcase_add_test(tests, what_is_long_past_is_no_burst);
    tcase_add_test(tests, after_a_stall_there_is_no_burst);
    tcase_add_test(tests, who_wants_all_frames_gets_them_at_twice_the_rate);
    tcase_add_test(tests, why_a_frame_was_not_sent_is_told);
    tcase_add_test(tests, streams_take_turns_by_their_time);
    tcase_add_test(tests, a_stream_leaves_between_two_frames);
    tcase_add_test(tests, streams_are_few_and_their_places_are_used_again);
    tcase_add_test(tests, a_hungry_thread_is_woken);
    tcase_add_test(tests, a_queue_gives_back_what_was_put);
    tcase_add_test(tests, a_queue_takes_some_of_the_longest_frames);
}

int main(void)
{
    return suite_run("timed", add_tests);
}
