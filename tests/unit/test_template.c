/* Frames of Sampled Values that are made from a template and a table. What comes is compared with a
 * reference that paints segments on an axis of samples, for thousands of programs; the clocks are
 * the test's. */
#include "iec61850_frames.h"
#include "resources/inject/template_ring.h"
#include "ring_scene.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIZE = 1 << 16,
    LIMIT = 4096,
    FD = 7,
    PLACES = 64, /* of the table that programs use */
    SAMPLE = 8,
    PROGRAMS = 4000,
    SECONDS = 10, /* that a program takes at most */
    RATE_MAX = 400,
    SAMPLES_MAX = SECONDS * RATE_MAX,
    AXIS_END = SAMPLES_MAX - SV_ASDUS_MAX, /* of what begins */
    EVENTS_MAX = 60,
    SENT_MAX = 2 * SAMPLES_MAX + 16,
};

static const uint64_t SECOND = 1000000000;
static const uint64_t NOON = 1700000000ull * 1000000000; /* a time of day, and a full second */

/* --- What was sent ------------------------------------------------------------------------- */

struct sent_frame {
    uint64_t time; /* of the clock */
    unsigned asdus;
    uint16_t count[SV_ASDUS_MAX];
    uint32_t value[SV_ASDUS_MAX];
    uint64_t refr_tm;
    uint8_t synch;
};

static struct sent_frame sent[SENT_MAX];
static unsigned sent_count;
static uint64_t clock_now;
static uint64_t wall_set; /* the time of day was set by so much */
static enum transmit_refusal_reason answer;

static enum transmit_refusal_reason take(int fd, const unsigned char *bytes, uint32_t length)
{
    struct sent_frame *frame = &sent[sent_count];
    struct sv_message message;
    struct iec_fault fault;

    ck_assert_int_eq(fd, FD);
    if (answer != TRANSMIT_SENT)
        return answer;
    if (!sv_decode(bytes, length, &message, &fault))
        ck_abort_msg("no frame: %s", fault.why);
    ck_assert_uint_lt(sent_count, SENT_MAX);
    sent_count++;
    frame->time = clock_now;
    frame->asdus = message.asdus;
    frame->synch = message.asdu[0].smp_synch;
    frame->refr_tm = message.asdu[0].has_refr_tm ? message.asdu[0].refr_tm.ns : 0;
    for (unsigned i = 0; i < message.asdus; i++) {
        frame->count[i] = message.asdu[i].smp_cnt;
        frame->value[i] = (uint32_t)sv_value(&message.asdu[i], 0);
        if (message.asdu[i].smp_synch != frame->synch)
            ck_abort_msg("ASDUs with different smpSynch");
    }
    return TRANSMIT_SENT;
}

/* --- The service --------------------------------------------------------------------------- */

struct scene {
    struct transmit_scene client;
    struct timed timed;
    struct template_ring *ring;
    bool needs_own; /* of templates that are put */
};

static void begin(struct scene *scene, uint32_t rate, uint64_t late, uint64_t start)
{
    struct timed_config config = {.late = late, .rate = rate, .start = start};

    memset(scene, 0, sizeof *scene);
    sent_count = 0;
    wall_set = 0;
    answer = TRANSMIT_SENT;
    transmit_scene_begin(&scene->client, SIZE, LIMIT);
    scene->client.reader.has_records = true;
    scene->ring = template_ring_make(&scene->timed, &config, PLACES * SAMPLE);
    ck_assert_ptr_nonnull(scene->ring);
    ck_assert(template_ring_join(scene->ring, FD, take, 0));
}

static void end(struct scene *scene)
{
    while (!template_ring_leave(scene->ring))
        timed_turn(&scene->timed, 0, NOON);
    template_ring_free(scene->ring);
    transmit_scene_end(&scene->client);
}

static void put(struct scene *scene, uint32_t record, const void *bytes, uint32_t length,
                uint64_t time, uint64_t tag)
{
    ck_assert_int_eq(
        transmit_writer_put_record(&scene->client.writer, record, bytes, length, time, tag),
        TRANSMIT_TAKEN);
}

/* What the sender's thread does in a turn, with a judge that has nothing against a frame. Returns
 * the reason of the last record. */
static enum transmit_refusal_reason serve(struct scene *scene)
{
    struct transmit_reader *reader = &scene->client.reader;
    enum transmit_refusal_reason reason = TRANSMIT_SENT;
    static unsigned char bytes[LIMIT];
    struct transmit_frame record;
    enum transmit_next next;

    template_ring_settle(scene->ring, reader);
    transmit_writer_publish(&scene->client.writer);
    ck_assert(transmit_reader_turn(reader, 1000, SIZE));
    while (template_ring_has_room(scene->ring, clock_now) &&
           (next = transmit_reader_next(reader, bytes, &record)) <= TRANSMIT_REFUSED) {
        reason = next == TRANSMIT_FRAME
                     ? template_ring_take(scene->ring, &record, bytes, scene->needs_own)
                     : record.reason;
        if (reason == TRANSMIT_SENT)
            continue;
        template_ring_refused(scene->ring);
        transmit_reader_judge(reader, &record, reason);
    }
    template_ring_publish(scene->ring);
    transmit_reader_release(reader);
    return reason;
}

/* As the timed sender, until this moment; the machine is never late. */
static void run_until(struct scene *scene, uint64_t moment)
{
    for (uint64_t until;; clock_now = until) {
        until = timed_turn(&scene->timed, clock_now, NOON + clock_now + wall_set);
        if (until <= clock_now)
            until = clock_now;
        else if (until > moment)
            break;
    }
    clock_now = moment;
}

/* --- Records ------------------------------------------------------------------------------- */

static uint32_t make_template(unsigned char *bytes, unsigned asdus, uint32_t sample, bool refr_tm,
                              uint8_t synch)
{
    static const uint8_t samples[LIMIT];
    struct sv_message message = {.asdus = asdus};
    size_t length;

    for (unsigned i = 0; i < asdus; i++)
        message.asdu[i] = (struct sv_asdu){
            .sv_id = {"MU", 2},
            .smp_synch = synch,
            .has_refr_tm = refr_tm,
            .refr_tm = {.quality = 0x2a},
            .sample = samples,
            .sample_length = sample,
        };
    length = sv_encode(&message, bytes, LIMIT);
    ck_assert_uint_gt(length, 0);
    return (uint32_t)length;
}

static enum transmit_refusal_reason put_template(struct scene *scene, uint32_t rate, unsigned asdus,
                                                 uint32_t sample, bool refr_tm, uint8_t synch)
{
    unsigned char bytes[LIMIT];
    uint32_t length = make_template(bytes, asdus, sample, refr_tm, synch);

    put(scene, STREAM_TEMPLATE, bytes, length, 0, rate);
    return serve(scene);
}

static enum transmit_refusal_reason put_samples(struct scene *scene, uint64_t place, uint32_t count,
                                                uint32_t value)
{
    unsigned char bytes[PLACES * SAMPLE] = {0};

    for (uint32_t i = 0; i < count; i++)
        sv_put_channel(bytes, i, (int32_t)(value + i), 0);
    put(scene, STREAM_SAMPLES, bytes, count * SAMPLE, place, 0);
    return serve(scene);
}

static enum transmit_refusal_reason play(struct scene *scene, const struct stream_play *play)
{
    put(scene, STREAM_PLAY, play, sizeof *play, 0, 0);
    return serve(scene);
}

static enum transmit_refusal_reason stop(struct scene *scene, uint64_t sample)
{
    put(scene, STREAM_STOP, NULL, 0, sample, 0);
    return serve(scene);
}

static enum transmit_refusal_reason synch(struct scene *scene, uint8_t value)
{
    put(scene, STREAM_SYNCH, &value, 1, 0, 0);
    return serve(scene);
}

/* --- The reference ------------------------------------------------------------------------- */

/* A segment of the reference, with what its places had when it was queued. */
struct painted {
    uint64_t begin, end;
    uint32_t count, copies;
    uint32_t values[PLACES];
};

struct reference {
    uint32_t rate, asdus, frames_most; /* frames_most: a second */
    uint64_t start;                    /* of the clock; UINT64_MAX: not known yet */
    uint64_t position;                 /* frames before it are decided */
    int axis[SAMPLES_MAX];             /* segment + 1 that has it; 0: none */
    struct painted segments[EVENTS_MAX];
    int count;
    uint64_t floor, last_end; /* what the next one must not be before, and directly behind */
    bool is_stopped, was_frame;
    uint32_t table[PLACES];
    uint8_t synch;
    unsigned compared; /* of those that were sent */
    uint64_t starved, dropped;
};

static uint64_t time_of(const struct reference *is, uint64_t sample)
{
    return is->start + sample / is->rate * SECOND + sample % is->rate * SECOND / is->rate;
}

static bool is_painted_behind(const struct reference *is, uint64_t from)
{
    for (uint64_t n = from; n < SAMPLES_MAX; n++)
        if (is->axis[n])
            return true;
    return false;
}

static void compare(struct reference *is, const struct painted *segment, uint64_t first,
                    uint64_t due)
{
    const struct sent_frame *frame = &sent[is->compared];

    if (is->compared == sent_count)
        ck_abort_msg("frame %u is missing: sample %u", is->compared, (unsigned)first);
    is->compared++;
    if (frame->time != due || frame->asdus != is->asdus || frame->synch != is->synch)
        ck_abort_msg("frame %u of sample %u: at %llu and not %llu, smpSynch %u and not %u",
                     is->compared, (unsigned)first, (unsigned long long)frame->time,
                     (unsigned long long)due, frame->synch, is->synch);
    for (unsigned i = 0; i < is->asdus; i++) {
        uint32_t value = segment->values[(first + i - segment->begin) % segment->count];

        if (frame->count[i] != (first + i) % is->rate || frame->value[i] != value)
            ck_abort_msg("frame %u: sample %u is %u and not %u, smpCnt %u", is->compared,
                         (unsigned)(first + i), frame->value[i], value, frame->count[i]);
    }
}

/* It is to be silent from here on, and is not starved. */
static bool is_at_its_stop(const struct reference *is, uint64_t position)
{
    return is->is_stopped && !is_painted_behind(is, position);
}

/* What is due before this moment is as it was painted until now. */
static void decide_until(struct reference *is, uint64_t moment)
{
    for (; is->start != UINT64_MAX; is->position += is->asdus) {
        uint64_t due = time_of(is, is->position + is->asdus - 1);
        int at;

        if (due > moment || is->position + is->asdus > SAMPLES_MAX)
            return;
        at = is->axis[is->position];
        if (at) {
            for (uint32_t copy = 0; copy < is->segments[at - 1].copies; copy++)
                compare(is, &is->segments[at - 1], is->position, due);
            is->dropped += is->segments[at - 1].copies == 0;
        } else if (is->was_frame && !is->is_stopped && !is_painted_behind(is, is->position)) {
            is->starved++;
        }
        is->was_frame = at != 0 && !is_at_its_stop(is, is->position + is->asdus);
    }
}

static void clear_from(struct reference *is, uint64_t from)
{
    for (uint64_t n = from; n < SAMPLES_MAX; n++)
        is->axis[n] = 0;
}

/* Segments are over in their order: those before the first of which something is to come. */
static int over(const struct reference *is)
{
    int first = is->count;

    for (uint64_t n = is->position; n < SAMPLES_MAX; n++)
        if (is->axis[n] && is->axis[n] - 1 < first)
            first = is->axis[n] - 1;
    return first;
}

static bool are_free(const struct reference *is, const struct stream_play *plays, uint64_t first,
                     uint64_t count)
{
    for (int i = over(is); i < is->count; i++)
        for (uint64_t place = first; place < first + count; place++)
            if (place >= plays[i].first && place < plays[i].first + plays[i].count)
                return false;
    return true;
}

static enum transmit_refusal_reason judge_play(const struct reference *is,
                                               const struct stream_play *play, uint64_t begin)
{
    if (play->how > STREAM_TWICE)
        return TRANSMIT_FLAGS;
    if (play->count == 0 || play->count % is->asdus || (uint64_t)play->first + play->count > PLACES)
        return TRANSMIT_TABLE;
    if (begin == UINT64_MAX || begin % is->asdus || begin < is->floor)
        return TRANSMIT_TIME;
    if (is->count - over(is) == TEMPLATE_SEGMENTS ||
        (play->how == STREAM_TWICE && 2 * is->rate / is->asdus > is->frames_most))
        return TRANSMIT_RATE;
    return TRANSMIT_SENT;
}

static enum transmit_refusal_reason paint(struct reference *is, const struct stream_play *play)
{
    static const uint32_t copies[] = {1, 0, 2};
    uint64_t begin = play->begin == STREAM_BEHIND ? is->last_end : play->begin;
    enum transmit_refusal_reason reason = judge_play(is, play, begin);
    struct painted *segment = &is->segments[is->count];

    if (reason != TRANSMIT_SENT)
        return reason;
    *segment = (struct painted){begin, UINT64_MAX, play->count, copies[play->how], {0}};
    if (play->repeats > 0)
        segment->end = begin + (uint64_t)play->count * play->repeats;
    memcpy(segment->values, is->table + play->first, play->count * sizeof *is->table);
    clear_from(is, begin);
    is->count++;
    for (uint64_t n = begin; n < segment->end && n < SAMPLES_MAX; n++)
        is->axis[n] = is->count;
    is->floor = begin;
    is->last_end = segment->end;
    is->is_stopped = false;
    return TRANSMIT_SENT;
}

/* --- Programs ------------------------------------------------------------------------------ */

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16) % limit;
}

struct program {
    struct scene scene;
    struct reference is;
    struct stream_play plays[EVENTS_MAX]; /* that were taken */
};

static void play_something(struct program *program)
{
    struct reference *is = &program->is;
    uint32_t most = PLACES / is->asdus;
    struct stream_play one = {
        .begin = (is->position + below(is->rate / 6 + 1)) / is->asdus * is->asdus,
        .first = below(PLACES),
        .count = (1 + below(most)) * is->asdus,
        .repeats = below(6) ? 1 + below(8) : 0,
        .how = below(20) ? below(3) * (below(3) == 0) : 3 + below(2),
    };
    enum transmit_refusal_reason expected;

    if (below(4))
        one.first = below(PLACES - one.count + 1);
    if (below(3) == 0)
        one.begin = STREAM_BEHIND;
    else if (below(4) == 0)
        one.begin = is->floor;
    else if (below(20) == 0)
        one.begin = below(AXIS_END);
    if (below(8) == 0)
        one.count = below(3);
    if (one.begin == STREAM_BEHIND && is->last_end != UINT64_MAX && is->last_end >= AXIS_END)
        return; /* what lies behind the axis is not known */
    expected = paint(is, &one);
    if (expected == TRANSMIT_SENT)
        program->plays[is->count - 1] = one;
    ck_assert_int_eq(play(&program->scene, &one), expected);
}

static void write_something(struct program *program)
{
    struct reference *is = &program->is;
    uint32_t count = 1 + below(PLACES / 2), value = below(1 << 20);
    uint64_t place = below(PLACES);
    enum transmit_refusal_reason expected = TRANSMIT_SENT;

    if (place + count > PLACES || !are_free(is, program->plays, place, count))
        expected = TRANSMIT_TABLE;
    else
        for (uint32_t i = 0; i < count; i++)
            is->table[place + i] = value + i;
    ck_assert_int_eq(put_samples(&program->scene, place, count, value), expected);
}

static void stop_somewhere(struct program *program)
{
    struct reference *is = &program->is;
    uint64_t sample = below(4) ? below(is->rate / 6 + 1) + is->position : below(AXIS_END);

    ck_assert_int_eq(stop(&program->scene, sample), TRANSMIT_SENT);
    sample = (sample + is->asdus - 1) / is->asdus * is->asdus;
    clear_from(is, sample);
    is->floor = is->last_end = sample;
    is->is_stopped = true;
    is->was_frame = is->was_frame && !is_at_its_stop(is, is->position);
}

static void set_synch(struct program *program)
{
    program->is.synch = (uint8_t)below(256);
    ck_assert_int_eq(synch(&program->scene, program->is.synch), TRANSMIT_SENT);
}

/* Between two frames: no frame is due at an odd ns, and each second has an even number. */
static void do_something(struct program *program)
{
    uint32_t what = below(20);

    decide_until(&program->is, clock_now);
    if (what < 10)
        play_something(program);
    else if (what < 16)
        write_something(program);
    else if (what < 18)
        stop_somewhere(program);
    else
        set_synch(program);
}

static void learn_start(struct program *program)
{
    struct transmit_timing timing;

    template_ring_settle(program->scene.ring, &program->scene.client.reader);
    transmit_writer_timing(&program->scene.client.writer, &timing);
    if (timing.started > 0)
        program->is.start = timing.started - NOON;
}

static void begin_program(struct program *program)
{
    static const unsigned asdus[] = {1, 2, 4, 8};
    struct reference *is = &program->is;
    uint64_t start = below(2) ? NOON + (1 + below(2)) * SECOND : 0;

    memset(program, 0, sizeof *program);
    is->asdus = asdus[below(4)];
    is->rate = is->asdus * (1 + below(RATE_MAX / 8));
    is->frames_most = is->rate / is->asdus * (1 + below(2)) + below(2);
    is->start = UINT64_MAX;
    is->synch = 2;
    clock_now = below(SECOND) | 1;
    begin(&program->scene, is->frames_most, below(2) ? SECOND / 1000 : 0, start);
    if (start)
        is->start = start - NOON;
    ck_assert_int_eq(
        put_template(&program->scene, is->rate, is->asdus, SAMPLE, below(2), is->synch),
        TRANSMIT_SENT);
}

static struct {
    uint64_t frames, starved, dropped, played;
} totals;

static void run_program(uint64_t number)
{
    static struct program program;
    struct stream_progress told;
    uint32_t events;

    seed = number * 0x9e3779b97f4a7c15 + 1;
    begin_program(&program);
    events = 1 + below(EVENTS_MAX);
    for (uint32_t i = 0; i < events; i++) {
        run_until(&program.scene, (clock_now + below((uint32_t)(SECOND / 8))) | 1);
        learn_start(&program);
        do_something(&program);
    }
    run_until(&program.scene, (clock_now + below((uint32_t)SECOND)) | 1);
    learn_start(&program);
    decide_until(&program.is, clock_now);
    template_ring_settle(program.scene.ring, &program.scene.client.reader);
    transmit_writer_progress(&program.scene.client.writer, &told);
    if (program.is.compared != sent_count || told.starved != program.is.starved ||
        told.dropped != program.is.dropped || told.played != (uint64_t)over(&program.is))
        ck_abort_msg("%u frames and not %u, starved %u and not %u, dropped %u and not %u, played "
                     "%u and not %d",
                     sent_count, program.is.compared, (unsigned)told.starved,
                     (unsigned)program.is.starved, (unsigned)told.dropped,
                     (unsigned)program.is.dropped, (unsigned)told.played, over(&program.is));
    totals.frames += sent_count;
    totals.starved += told.starved;
    totals.dropped += told.dropped;
    totals.played += told.played;
    end(&program.scene);
}

/* So many that each rule was met many times. */
START_TEST(each_frame_is_that_of_the_reference)
{
    for (uint64_t number = 0; number < PROGRAMS; number++)
        run_program(number);
    ck_assert_uint_gt(totals.frames, 20 * PROGRAMS);
    ck_assert_uint_gt(totals.starved, PROGRAMS / 10);
    ck_assert_uint_gt(totals.dropped, PROGRAMS);
    ck_assert_uint_gt(totals.played, 5 * PROGRAMS);
}
END_TEST

/* --- One by one ---------------------------------------------------------------------------- */

enum { MS = 1000000, RATE = 100 };

static const struct stream_play endless = {.count = 10};

/* A stream of 100 frames a second that begins at 1 s, with so many places of the table filled: the
 * sample of each is its place. */
static void begin_stream(struct scene *scene, uint64_t late)
{
    clock_now = 1;
    begin(scene, RATE, late, NOON + SECOND);
    ck_assert_int_eq(put_template(scene, RATE, 1, SAMPLE, true, 2), TRANSMIT_SENT);
    ck_assert_int_eq(put_samples(scene, 0, PLACES, 0), TRANSMIT_SENT);
}

static struct stream_progress progress(struct scene *scene)
{
    struct stream_progress told;

    template_ring_settle(scene->ring, &scene->client.reader);
    transmit_writer_progress(&scene->client.writer, &told);
    return told;
}

static uint64_t refused(const struct scene *scene, enum transmit_refusal_reason reason)
{
    return scene->client.reader.counts.refused[reason];
}

START_TEST(a_segment_of_the_past_begins_as_if_it_had_begun_in_time)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 505 * MS);
    ck_assert_int_eq(play(&scene, &(struct stream_play){.begin = 47, .first = 20, .count = 40}),
                     TRANSMIT_SENT);
    run_until(&scene, SECOND + 515 * MS);
    ck_assert_uint_eq(sent_count, 52);
    ck_assert_uint_eq(sent[50].value[0], 0);
    ck_assert_uint_eq(sent[51].value[0], 20 + 51 - 47);
    ck_assert_uint_eq(progress(&scene).played, 1);
    end(&scene);
}
END_TEST

START_TEST(refr_tm_is_the_time_of_the_sample)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 995 * MS);
    ck_assert_uint_eq(sent_count, 100);
    for (unsigned i = 0; i < sent_count; i++) {
        uint64_t due = NOON + SECOND + i * 10 * MS;

        ck_assert_uint_eq(sent[i].time + NOON, due);
        ck_assert_uint_le(sent[i].refr_tm > due ? sent[i].refr_tm - due : due - sent[i].refr_tm,
                          60);
    }
    end(&scene);
}
END_TEST

/* Whose client says no start: its first frame is that of a full second, soon. */
START_TEST(a_stream_begins_with_a_full_second)
{
    struct scene scene;

    clock_now = SECOND / 2;
    begin(&scene, RATE, MS, 0);
    ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, true, 2), TRANSMIT_SENT);
    run_until(&scene, 3 * SECOND + 1);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, 4 * SECOND - 1);
    ck_assert_uint_eq(sent_count, 0);
    run_until(&scene, 4 * SECOND);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].count[0], 0);
    ck_assert_uint_le(sent[0].refr_tm - (NOON + 4 * SECOND), 60);
    end(&scene);
}
END_TEST

/* Whatever is refused, the stream goes on as it was. */
START_TEST(what_cannot_be_is_refused)
{
    static const struct {
        uint32_t record;
        uint64_t time;
        uint32_t length;
        struct stream_play play;
        enum transmit_refusal_reason reason;
    } rows[] = {
        {0, 0, 0, {0}, TRANSMIT_FLAGS},
        {6, 0, 0, {0}, TRANSMIT_FLAGS},
        {0xffffffff, 0, 0, {0}, TRANSMIT_FLAGS},
        {STREAM_PLAY | 1 << 16, 0, 24, {.count = 1}, TRANSMIT_FLAGS},
        {STREAM_SAMPLES, 63, 2 * SAMPLE, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, 64, SAMPLE, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, UINT64_MAX, SAMPLE, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, UINT64_MAX / SAMPLE + 1, SAMPLE, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, 20, SAMPLE + 1, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, 20, SAMPLE - 1, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, 20, 0, {0}, TRANSMIT_TABLE},
        {STREAM_SAMPLES, 9, SAMPLE, {0}, TRANSMIT_TABLE}, /* the segment has it */
        {STREAM_PLAY, 0, 23, {.count = 1}, TRANSMIT_FLAGS},
        {STREAM_PLAY, 0, 25, {.count = 1}, TRANSMIT_FLAGS},
        {STREAM_PLAY, 0, 0, {.count = 1}, TRANSMIT_FLAGS},
        {STREAM_PLAY, 0, 24, {.begin = 9, .count = 0}, TRANSMIT_TABLE},
        {STREAM_PLAY, 0, 24, {.begin = 9, .count = 65}, TRANSMIT_TABLE},
        {STREAM_PLAY, 0, 24, {.begin = 9, .first = 64, .count = 1}, TRANSMIT_TABLE},
        {STREAM_PLAY, 0, 24, {.begin = 9, .first = UINT32_MAX, .count = 2}, TRANSMIT_TABLE},
        {STREAM_PLAY, 0, 24, {.begin = 9, .first = 2, .count = UINT32_MAX}, TRANSMIT_TABLE},
        {STREAM_PLAY, 0, 24, {.begin = 9, .count = 1, .how = 3}, TRANSMIT_FLAGS},
        {STREAM_PLAY, 0, 24, {.begin = 9, .count = 1, .how = UINT32_MAX}, TRANSMIT_FLAGS},
        {STREAM_PLAY, 0, 24, {.begin = 9, .count = 1, .how = STREAM_TWICE}, TRANSMIT_RATE},
        {STREAM_PLAY, 0, 24, {.begin = 4, .count = 1}, TRANSMIT_TIME}, /* before that at 5 */
        {STREAM_PLAY, 0, 24, {.begin = STREAM_BEHIND, .count = 1}, TRANSMIT_TIME}, /* of no end */
        {STREAM_PLAY, 0, 24, {.begin = UINT64_MAX - 1, .count = 1}, TRANSMIT_TIME},
        {STREAM_PLAY, 0, 24, {.begin = UINT64_MAX / 2, .count = 1}, TRANSMIT_TIME},
        {STREAM_STOP, 100, 1, {0}, TRANSMIT_FLAGS},
        {STREAM_STOP, UINT64_MAX, 0, {0}, TRANSMIT_TIME},
        {STREAM_SYNCH, 0, 0, {0}, TRANSMIT_FLAGS},
        {STREAM_SYNCH, 0, 2, {0}, TRANSMIT_FLAGS},
    };
    static const struct stream_play first = {.begin = 5, .count = 10};
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &first), TRANSMIT_SENT);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t before = refused(&scene, rows[i].reason);
        unsigned char bytes[64] = {0};
        struct transmit_refusal refusal;

        memcpy(bytes, &rows[i].play, sizeof rows[i].play);
        put(&scene, rows[i].record, bytes, rows[i].length, rows[i].time, i);
        serve(&scene);
        if (refused(&scene, rows[i].reason) != before + 1)
            ck_abort_msg("row %u is not refused so", i);
        ck_assert(transmit_writer_next_refusal(&scene.client.writer, &refusal));
        ck_assert_uint_eq(refusal.tag, i);
        ck_assert_uint_eq(refusal.record, rows[i].record & 0xffff);
        ck_assert_int_eq(refusal.reason, rows[i].reason);
    }
    run_until(&scene, 2 * SECOND);
    ck_assert_uint_eq(sent_count, 96);
    for (unsigned i = 0; i < sent_count; i++)
        ck_assert(sent[i].value[0] == i % 10 && sent[i].count[0] == (5 + i) % RATE &&
                  sent[i].synch == 2);
    end(&scene);
}
END_TEST

/* A very long repetition has no end, and none that is in the past by an overflow. */
START_TEST(long_segments_do_not_end_too_early)
{
    static const struct stream_play longest = {.count = 64, .repeats = UINT32_MAX};
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &longest), TRANSMIT_SENT);
    run_until(&scene, 3 * SECOND);
    ck_assert_uint_eq(sent_count, 201);
    ck_assert_int_eq(
        play(&scene, &(struct stream_play){.begin = STREAM_BEHIND, .count = 1, .repeats = 1}),
        TRANSMIT_SENT);
    run_until(&scene, 4 * SECOND);
    ck_assert_uint_eq(sent_count, 301);
    end(&scene);
}
END_TEST

START_TEST(templates_that_cannot_be_are_refused)
{
    struct scene scene;
    unsigned char bytes[LIMIT];
    uint32_t length;

    clock_now = 1;
    begin(&scene, 50, MS, NOON + SECOND);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(stop(&scene, 0), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(synch(&scene, 0), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_samples(&scene, 0, 1, 0), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 0, 1, SAMPLE, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 65536, 1, SAMPLE, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 99, 2, SAMPLE, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 51, 1, SAMPLE, true, 2), TRANSMIT_RATE);
    ck_assert_int_eq(put_template(&scene, 50, 1, 0, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 50, 1, 1600, true, 2), TRANSMIT_TOO_LONG);
    length = make_template(bytes, 2, SAMPLE, true, 2);
    bytes[12] = 0x08;
    put(&scene, STREAM_TEMPLATE, bytes, length, 0, 50);
    ck_assert_int_eq(serve(&scene), TRANSMIT_TEMPLATE);
    for (uint32_t cut = 0; cut < length - 1; cut++) {
        make_template(bytes, 2, SAMPLE, true, 2);
        put(&scene, STREAM_TEMPLATE, bytes, cut, 0, 50);
        ck_assert_int_eq(serve(&scene), TRANSMIT_TEMPLATE);
    }
    put(&scene, STREAM_TEMPLATE, bytes, golden_bytes(GOLDEN_GOOSE, bytes), 0, 50);
    ck_assert_int_eq(serve(&scene), TRANSMIT_TEMPLATE);
    put(&scene, STREAM_TEMPLATE, bytes, 60, UINT64_MAX, UINT64_MAX);
    ck_assert_int_eq(serve(&scene), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 100, 2, SAMPLE, true, 2), TRANSMIT_SENT);
    ck_assert_int_eq(put_template(&scene, 100, 2, SAMPLE * 2, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 100, 4, SAMPLE, true, 2), TRANSMIT_TEMPLATE);
    ck_assert_int_eq(put_template(&scene, 50, 2, SAMPLE, true, 2), TRANSMIT_TEMPLATE);
    end(&scene);
}
END_TEST

/* A sample that is longer than the whole table. */
START_TEST(a_table_may_be_too_short_for_any_sample)
{
    struct scene scene;

    clock_now = 1;
    begin(&scene, RATE, MS, NOON + SECOND);
    ck_assert_int_eq(put_template(&scene, RATE, 1, PLACES * SAMPLE + 8, true, 2), TRANSMIT_SENT);
    ck_assert_int_eq(play(&scene, &(struct stream_play){.count = 1}), TRANSMIT_TABLE);
    ck_assert_int_eq(put_samples(&scene, 0, 1, 0), TRANSMIT_TABLE);
    end(&scene);
}
END_TEST

START_TEST(another_template_is_that_of_the_next_frame)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 95 * MS);
    for (uint8_t i = 0; i < 5; i++) {
        ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, i % 2, 10 + i), TRANSMIT_SENT);
        run_until(&scene, clock_now + 10 * MS);
        ck_assert_uint_eq(sent_count, 11 + i);
        ck_assert_uint_eq(sent[10 + i].synch, 10 + i);
        ck_assert(sent[10 + i].refr_tm ? i % 2 : i % 2 == 0);
        ck_assert_uint_eq(sent[10 + i].count[0], 10 + i);
    }
    ck_assert_int_eq(synch(&scene, 99), TRANSMIT_SENT);
    run_until(&scene, clock_now + 10 * MS);
    ck_assert_uint_eq(sent[15].synch, 99);
    ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, true, 2), TRANSMIT_SENT);
    run_until(&scene, clock_now + 10 * MS);
    ck_assert_uint_eq(sent[16].synch, 99); /* it was set for the stream */
    end(&scene);
}
END_TEST

/* Of slots there are a few: the others wait in the ring, and none is lost. */
START_TEST(templates_wait_for_their_slot)
{
    unsigned char bytes[LIMIT];
    struct scene scene;
    uint8_t last = 10;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 5 * MS);
    for (; last < 20; last++)
        put(&scene, STREAM_TEMPLATE, bytes, make_template(bytes, 1, SAMPLE, true, last), 0, RATE);
    serve(&scene);
    ck_assert(!template_ring_has_room(scene.ring, clock_now));
    run_until(&scene, SECOND + 15 * MS);
    ck_assert_uint_eq(sent[1].synch, 10 + TEMPLATE_SLOTS - 2);
    for (unsigned i = 2; i < 10; i++) {
        serve(&scene);
        run_until(&scene, clock_now + 10 * MS);
        ck_assert_uint_ge(sent[i].synch, sent[i - 1].synch);
    }
    ck_assert_uint_eq(sent[9].synch, 19);
    end(&scene);
}
END_TEST

/* The timed sender hears of so many records a second, and of so many at once. */
START_TEST(records_are_taken_at_a_rate)
{
    struct scene scene;
    uint64_t taken = 0;

    begin_stream(&scene, MS);
    for (unsigned turn = 0; turn < 3000; turn++) {
        while (transmit_writer_put_record(&scene.client.writer, STREAM_SYNCH, "", 1, 0, 0) ==
               TRANSMIT_TAKEN)
            ;
        serve(&scene);
        ck_assert_uint_le(atomic_load(&scene.ring->template.head) -
                              atomic_load(&scene.ring->template.taken),
                          TEMPLATE_COMMANDS);
        run_until(&scene, clock_now + MS);
    }
    taken = atomic_load(&scene.ring->template.taken);
    ck_assert_uint_ge(taken, 3000);
    ck_assert_uint_le(taken, (3 + 1) * TEMPLATE_COMMANDS_RATE + TEMPLATE_COMMANDS);
    end(&scene);
}
END_TEST

/* What is refused is work as well. */
START_TEST(refused_records_are_taken_at_a_rate)
{
    struct transmit_counts *counts;
    struct scene scene;

    begin_stream(&scene, MS);
    counts = &scene.client.reader.counts;
    for (unsigned turn = 0; turn < 3000; turn++) {
        while (transmit_writer_put_record(&scene.client.writer, turn % 2 ? STREAM_SAMPLES : 77, "",
                                          1, 0, 0) == TRANSMIT_TAKEN)
            ;
        serve(&scene);
        clock_now += MS;
    }
    ck_assert_uint_ge(counts->judged, 3000);
    ck_assert_uint_le(counts->judged, (3 + 1) * TEMPLATE_COMMANDS_RATE + TEMPLATE_COMMANDS);
    end(&scene);
}
END_TEST

/* A template that has the interface's own address is right as long as the interface has it. */
START_TEST(a_template_with_an_address_of_before_is_not_sent)
{
    struct transmit_counts *counts;
    struct scene scene;

    begin_stream(&scene, MS);
    counts = &scene.client.reader.counts;
    scene.needs_own = true;
    ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, false, 7), TRANSMIT_SENT);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 95 * MS);
    ck_assert_uint_eq(sent_count, 10);
    template_ring_own_changed(scene.ring);
    run_until(&scene, SECOND + 145 * MS);
    serve(&scene);
    ck_assert_uint_eq(sent_count, 10);
    ck_assert_uint_eq(counts->refused[TRANSMIT_SOURCE], 5);
    ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, false, 8), TRANSMIT_SENT);
    run_until(&scene, SECOND + 155 * MS);
    ck_assert_uint_eq(sent_count, 11);
    ck_assert_uint_eq(sent[10].count[0], 15);
    scene.needs_own = false;
    ck_assert_int_eq(put_template(&scene, RATE, 1, SAMPLE, false, 9), TRANSMIT_SENT);
    template_ring_own_changed(scene.ring);
    run_until(&scene, SECOND + 165 * MS);
    ck_assert_uint_eq(sent_count, 12); /* any address is granted to it */
    end(&scene);
}
END_TEST

START_TEST(sixteen_segments_wait_and_no_more)
{
    struct scene scene;

    begin_stream(&scene, MS);
    for (unsigned i = 0; i < 17; i++)
        ck_assert_int_eq(
            play(&scene, &(struct stream_play){.begin = STREAM_BEHIND, .count = 10, .repeats = 1}),
            i < 16 ? TRANSMIT_SENT : TRANSMIT_RATE);
    run_until(&scene, SECOND + 95 * MS); /* the first one is over */
    ck_assert_uint_eq(progress(&scene).played, 1);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_TIME);
    ck_assert_int_eq(stop(&scene, 0), TRANSMIT_SENT); /* and now all are */
    run_until(&scene, clock_now + MS);
    ck_assert_uint_eq(progress(&scene).played, 16);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    end(&scene);
}
END_TEST

/* What the kernel does not take is counted, and the next sample has its own number. */
START_TEST(frames_that_cannot_be_sent_are_counted)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 95 * MS);
    answer = TRANSMIT_DOWN;
    run_until(&scene, SECOND + 195 * MS);
    answer = TRANSMIT_SENT;
    run_until(&scene, SECOND + 295 * MS);
    progress(&scene);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_DOWN), 10);
    ck_assert_uint_eq(scene.client.reader.counts.sent, 20);
    ck_assert_uint_eq(scene.client.reader.counts.judged, 30);
    ck_assert_uint_eq(sent[10].count[0], 20);
    end(&scene);
}
END_TEST

/* Turns that are late by anything: what is sent is right and in its order, and each frame is sent
 * or told to have been too late. */
START_TEST(a_machine_that_is_late_sends_what_is_right)
{
    struct scene scene;
    uint64_t all, last = 0;

    seed = 77;
    begin_stream(&scene, 3 * MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    while (clock_now < 9 * SECOND) {
        uint64_t until = timed_turn(&scene.timed, clock_now, NOON + clock_now);

        clock_now = (until > clock_now ? until : clock_now) + below(2 * MS);
        clock_now += below(20) ? 0 : below(200 * MS);
    }
    all = progress(&scene).next;
    ck_assert_uint_gt(refused(&scene, TRANSMIT_LATE), 50);
    ck_assert_uint_eq(scene.client.reader.counts.sent, sent_count);
    ck_assert_uint_ge(sent_count + refused(&scene, TRANSMIT_LATE), all);
    ck_assert_uint_le(sent_count + refused(&scene, TRANSMIT_LATE), all + 1);
    for (unsigned i = 0; i < sent_count; i++) {
        uint64_t since = sent[i].time - SECOND, sample = since / (10 * MS);

        while (sample % RATE != sent[i].count[0])
            sample--;
        ck_assert_uint_eq(sent[i].value[0], sample % 10);
        ck_assert(i == 0 || sample > last);
        last = sample;
    }
    end(&scene);
}
END_TEST

START_TEST(a_time_of_day_that_is_set_moves_the_samples)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &endless), TRANSMIT_SENT);
    run_until(&scene, SECOND + 95 * MS);
    ck_assert_uint_eq(sent_count, 10);
    wall_set = 3600 * SECOND; /* and 10 ms later */
    run_until(&scene, SECOND + 105 * MS);
    run_until(&scene, SECOND + 115 * MS);
    progress(&scene);
    ck_assert_uint_ge(refused(&scene, TRANSMIT_LATE), 3600 * RATE - 1);
    ck_assert_uint_eq(sent[sent_count - 1].count[0], 11);
    wall_set = 3599 * SECOND;
    sent_count = 0;
    run_until(&scene, 2 * SECOND + 105 * MS);
    ck_assert_uint_eq(sent_count, 0);
    run_until(&scene, 2 * SECOND + 125 * MS);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].count[0], 12);
    end(&scene);
}
END_TEST

/* The client stalls: the table ends, and nothing is sent; what comes later goes on by the clock. */
START_TEST(a_stream_without_segments_is_silent)
{
    struct scene scene;

    begin_stream(&scene, MS);
    ck_assert_int_eq(play(&scene, &(struct stream_play){.begin = 0, .count = 10, .repeats = 2}),
                     TRANSMIT_SENT);
    run_until(&scene, 3 * SECOND + 5 * MS);
    ck_assert_uint_eq(sent_count, 20);
    ck_assert_uint_eq(progress(&scene).starved, 1);
    ck_assert_int_eq(
        play(&scene, &(struct stream_play){.begin = STREAM_BEHIND, .first = 20, .count = 30}),
        TRANSMIT_SENT);
    run_until(&scene, 3 * SECOND + 15 * MS);
    ck_assert_uint_eq(sent_count, 21);
    ck_assert_uint_eq(sent[20].count[0], 1);
    ck_assert_uint_eq(sent[20].value[0], 20 + (201 - 20) % 30);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_LATE), 0);
    end(&scene);
}
END_TEST

START_TEST(a_stream_is_shown)
{
    struct template_view view;
    unsigned char bytes[LIMIT];
    struct scene scene;

    clock_now = 1;
    begin(&scene, RATE * RATE, MS, NOON + SECOND);
    template_ring_show(scene.ring, &view);
    ck_assert_uint_eq(view.rate, 0);
    put(&scene, STREAM_TEMPLATE, bytes, (uint32_t)golden_bytes(GOLDEN_SV_TWO, bytes), 0, 4800);
    ck_assert_int_eq(serve(&scene), TRANSMIT_SENT);
    template_ring_show(scene.ring, &view);
    ck_assert_str_eq(view.name, "MU02v01");
    ck_assert_uint_eq(view.rate, 4800);
    ck_assert_uint_eq(view.asdus, 2);
    ck_assert_uint_eq(view.synch, 1);
    end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_segment_of_the_past_begins_as_if_it_had_begun_in_time);
    tcase_add_test(tests, refr_tm_is_the_time_of_the_sample);
    tcase_add_test(tests, a_stream_begins_with_a_full_second);
    tcase_add_test(tests, what_cannot_be_is_refused);
    tcase_add_test(tests, long_segments_do_not_end_too_early);
    tcase_add_test(tests, templates_that_cannot_be_are_refused);
    tcase_add_test(tests, a_table_may_be_too_short_for_any_sample);
    tcase_add_test(tests, another_template_is_that_of_the_next_frame);
    tcase_add_test(tests, templates_wait_for_their_slot);
    tcase_add_test(tests, records_are_taken_at_a_rate);
    tcase_add_test(tests, refused_records_are_taken_at_a_rate);
    tcase_add_test(tests, a_template_with_an_address_of_before_is_not_sent);
    tcase_add_test(tests, sixteen_segments_wait_and_no_more);
    tcase_add_test(tests, frames_that_cannot_be_sent_are_counted);
    tcase_add_test(tests, a_machine_that_is_late_sends_what_is_right);
    tcase_add_test(tests, a_time_of_day_that_is_set_moves_the_samples);
    tcase_add_test(tests, a_stream_without_segments_is_silent);
    tcase_add_test(tests, a_stream_is_shown);
    tcase_add_test(tests, each_frame_is_that_of_the_reference);
}

int main(void)
{
    return suite_run("template", add_tests);
}
