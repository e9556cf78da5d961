/* The transmit ring: frames go through, each turn is bounded, what became of frames is told, and a
 * client that lies ends its ring. */
#include "ring_scene.h"
#include "suite.h"

enum { SIZE = 4096, HEADER = 24, LIMIT = 1518 };

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

static enum transmit_taken put(struct transmit_scene *scene, uint32_t length, uint64_t tag)
{
    unsigned char *place;
    enum transmit_taken taken =
        transmit_writer_reserve(&scene->writer, length, tag * 2, tag, &place);

    if (taken != TRANSMIT_TAKEN)
        return taken;
    memset(place, (int)tag, length);
    must(transmit_writer_commit(&scene->writer) + 1 == scene->writer.sequence, "its sequence");
    return taken;
}

static bool is_all(const unsigned char *bytes, uint32_t length, uint64_t tag)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != (unsigned char)tag)
            return false;
    return true;
}

static void expect_frame(struct transmit_scene *scene, uint32_t length, uint64_t tag,
                         uint64_t sequence)
{
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;

    must(transmit_reader_next(&scene->reader, buffer, &frame) == TRANSMIT_FRAME, "there is one");
    must(frame.length == length, "its length");
    must(frame.tag == tag, "its tag");
    must(frame.time == 2 * tag, "its time");
    must(frame.sequence == sequence, "its sequence");
    must(is_all(buffer, length, tag), "its bytes");
    transmit_reader_judge(&scene->reader, &frame, TRANSMIT_SENT);
}

static enum transmit_next next(struct transmit_scene *scene)
{
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;
    enum transmit_next next = transmit_reader_next(&scene->reader, buffer, &frame);

    if (next == TRANSMIT_REFUSED)
        transmit_reader_judge(&scene->reader, &frame, frame.reason);
    return next;
}

static void expect_end(struct transmit_scene *scene, enum ring_end end)
{
    ck_assert_int_eq(next(scene), TRANSMIT_BROKEN);
    ck_assert_int_eq(next(scene), TRANSMIT_BROKEN);
    ck_assert_int_eq(scene->reader.end, end);
    ck_assert(!transmit_reader_turn(&scene->reader, 1, 1));
    ck_assert(!transmit_reader_wait(&scene->reader));
    ck_assert_uint_eq(RING_LOAD(&scene->memory.feedback->ended, relaxed), (uint64_t)end);
    ck_assert(!transmit_writer_wait(&scene->writer, LIMIT));
    ck_assert_int_eq(put(scene, 60, 0), TRANSMIT_ENDED);
    ck_assert_int_eq(scene->writer.end, end);
}

/* --- Layout -------------------------------------------------------------------------------- */

START_TEST(the_layout_is_golden)
{
    static const unsigned char golden[] = {
        3, 0, 0, 0, 0, 0, 0, 0,    8,   7,   6,   5, 4, 3, 2, 1,
        9, 0, 0, 0, 0, 0, 0, 0x80, 'a', 'b', 'c', 0, 0, 0, 0, 0,
    };
    static const unsigned char feedback[] = {
        'R', 'i', 'n', 'g', 1, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0xee, 5, 0, 0,
    };
    struct transmit_scene scene;
    uint64_t head;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    ck_assert_int_eq(
        transmit_writer_put(&scene.writer, "abc", 3, 9 | 1ull << 63, 0x0102030405060708),
        TRANSMIT_TAKEN);
    ck_assert(!transmit_writer_publish(&scene.writer));
    ck_assert_mem_eq(scene.data, golden, sizeof golden);
    ck_assert_mem_eq(scene.memory.feedback, feedback, sizeof feedback);
    memcpy(&head, scene.control, sizeof head);
    ck_assert_uint_eq(head, sizeof golden);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(words_are_there_for_each_reason)
{
    ck_assert_str_eq(transmit_refusal_word(TRANSMIT_SENT), "sent");
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        ck_assert(transmit_refusal_word(i)[0] && transmit_refusal_meaning(i)[0]);
    ck_assert_str_eq(transmit_refusal_word(TRANSMIT_RATE), "rate");
}
END_TEST

START_TEST(numbers_of_a_ring_are_checked)
{
    struct transmit_scene scene;
    struct transmit_memory memory;
    struct transmit_reader reader;
    struct transmit_feedback *feedback;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    memory = scene.memory;
    memory.size = 5000;
    ck_assert(!transmit_reader_init(&reader, &memory));
    memory = scene.memory;
    memory.length_max = RING_LENGTH_MAX + 1;
    ck_assert(!transmit_reader_init(&reader, &memory));
    feedback = scene.memory.feedback;
    ck_assert(!transmit_writer_init(&scene.writer, scene.control, scene.data, 8192, feedback));
    ck_assert_int_eq(scene.writer.end, RING_END_LAYOUT);
    feedback->version++;
    ck_assert(!transmit_writer_init(&scene.writer, scene.control, scene.data, SIZE, feedback));
    feedback->version--;
    feedback->length_max = RING_LENGTH_MAX + 1;
    ck_assert(!transmit_writer_init(&scene.writer, scene.control, scene.data, SIZE, feedback));
    transmit_scene_end(&scene);
}
END_TEST

/* --- Frames -------------------------------------------------------------------------------- */

START_TEST(a_frame_may_wrap_anywhere)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    for (uint64_t i = 0; i < 3000; i++) {
        uint32_t length = (uint32_t)(i * 37 % LIMIT);

        must(put(&scene, length, i) == TRANSMIT_TAKEN, "there is room");
        transmit_writer_publish(&scene.writer);
        must(transmit_reader_turn(&scene.reader, 8, SIZE), "it goes on");
        expect_frame(&scene, length, i, i);
        must(next(&scene) == TRANSMIT_NONE, "that was all");
        transmit_reader_release(&scene.reader);
    }
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_full_ring_says_so_until_it_was_read)
{
    struct transmit_scene scene;
    uint64_t count = 0;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    while (put(&scene, 100, count) == TRANSMIT_TAKEN)
        count++;
    ck_assert_uint_eq(count, SIZE / 128);
    ck_assert_int_eq(put(&scene, 100, 0), TRANSMIT_FULL);
    transmit_writer_publish(&scene.writer);
    ck_assert_int_eq(put(&scene, 100, 0), TRANSMIT_FULL);
    ck_assert(transmit_reader_turn(&scene.reader, 1, SIZE));
    expect_frame(&scene, 100, 0, 0);
    ck_assert_int_eq(put(&scene, 100, 0), TRANSMIT_FULL);
    transmit_reader_release(&scene.reader);
    ck_assert_int_eq(put(&scene, 100, count), TRANSMIT_TAKEN);
    ck_assert_int_eq(put(&scene, LIMIT + 1, 0), TRANSMIT_LONGER);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_turn_has_a_bound)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    for (uint64_t i = 0; i < 10; i++)
        ck_assert_int_eq(put(&scene, 76, i), TRANSMIT_TAKEN); /* 100 bytes, so 104 */
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_reader_turn(&scene.reader, 3, SIZE));
    for (uint64_t i = 0; i < 3; i++)
        expect_frame(&scene, 76, i, i);
    ck_assert_int_eq(next(&scene), TRANSMIT_TURN_OVER);
    ck_assert(transmit_reader_turn(&scene.reader, 100, 250));
    for (uint64_t i = 3; i < 6; i++)
        expect_frame(&scene, 76, i, i);
    ck_assert_int_eq(next(&scene), TRANSMIT_TURN_OVER);
    ck_assert_int_eq(put(&scene, 76, 10), TRANSMIT_TAKEN);
    ck_assert(transmit_reader_turn(&scene.reader, 100, SIZE));
    transmit_writer_publish(&scene.writer); /* it came after the turn has begun */
    for (uint64_t i = 6; i < 10; i++)
        expect_frame(&scene, 76, i, i);
    ck_assert_int_eq(next(&scene), TRANSMIT_NONE);
    transmit_scene_end(&scene);
}
END_TEST

/* Records that are refused are work as well. */
START_TEST(refused_records_count_for_the_turn)
{
    struct transmit_header header = {LIMIT + 1, 0, 5, 0};
    struct transmit_scene scene;

    transmit_scene_begin(&scene, 65536, LIMIT);
    for (uint64_t at = 0; at < 40; at++)
        memcpy(scene.data + at * transmit_record_bytes(LIMIT + 1), &header, sizeof header);
    RING_STORE(&scene.control->head, 40 * transmit_record_bytes(LIMIT + 1), release);
    ck_assert(transmit_reader_turn(&scene.reader, 30, UINT64_MAX));
    for (int i = 0; i < 30; i++)
        ck_assert_int_eq(next(&scene), TRANSMIT_REFUSED);
    ck_assert_int_eq(next(&scene), TRANSMIT_TURN_OVER);
    ck_assert_uint_eq(scene.reader.counts.refused[TRANSMIT_TOO_LONG], 30);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(unknown_flags_are_refused)
{
    struct transmit_header header = {60, 1, 5, 0};
    struct transmit_refusal refusal;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    memcpy(scene.data, &header, sizeof header);
    RING_STORE(&scene.control->head, transmit_record_bytes(60), release);
    ck_assert(transmit_reader_turn(&scene.reader, 30, SIZE));
    ck_assert_int_eq(next(&scene), TRANSMIT_REFUSED);
    transmit_reader_release(&scene.reader);
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_uint_eq(refusal.reason, TRANSMIT_FLAGS);
    transmit_scene_end(&scene);
}
END_TEST

/* A frame that goes back is read again, with those behind it, and those before it are not. */
START_TEST(frames_go_back)
{
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    for (uint64_t i = 0; i < 5; i++)
        put(&scene, 60 + (uint32_t)i, i);
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_reader_turn(&scene.reader, 4, SIZE));
    for (uint64_t i = 0; i < 2; i++)
        expect_frame(&scene, 60 + (uint32_t)i, i, i);
    ck_assert_int_eq(transmit_reader_next(&scene.reader, buffer, &frame), TRANSMIT_FRAME);
    ck_assert_int_eq(next(&scene), TRANSMIT_FRAME);
    transmit_reader_back(&scene.reader, &frame);
    ck_assert_int_eq(next(&scene), TRANSMIT_TURN_OVER);
    transmit_reader_release(&scene.reader);
    ck_assert_uint_eq(RING_LOAD(&scene.memory.feedback->tail, relaxed),
                      transmit_record_bytes(60) + transmit_record_bytes(61));
    ck_assert_uint_eq(RING_LOAD(&scene.memory.feedback->judged, relaxed), 2);
    ck_assert(transmit_reader_turn(&scene.reader, 4, SIZE));
    for (uint64_t i = 2; i < 5; i++)
        expect_frame(&scene, 60 + (uint32_t)i, i, i);
    ck_assert_int_eq(next(&scene), TRANSMIT_NONE);
    transmit_scene_end(&scene);
}
END_TEST

/* --- What became of frames ----------------------------------------------------------------- */

static void refuse(struct transmit_scene *scene, enum transmit_refusal_reason reason)
{
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;

    must(transmit_reader_next(&scene->reader, buffer, &frame) == TRANSMIT_FRAME, "there is one");
    transmit_reader_judge(&scene->reader, &frame, reason);
}

/* A service that says so would be read without end. */
START_TEST(more_refusals_than_there_is_room_for_are_none)
{
    struct transmit_refusal refusal;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    scene.memory.feedback->told = RING_REFUSALS;
    for (unsigned i = 0; i < RING_REFUSALS; i++)
        ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    scene.memory.feedback->told = RING_REFUSALS - 1;
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_int_eq(scene.writer.end, RING_END_INDEX);
    transmit_scene_end(&scene);
}
END_TEST

/* The service has taken its memory back. */
START_TEST(a_page_of_zeros_is_an_end)
{
    struct transmit_refusal refusal;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    put(&scene, 60, 1);
    scene.writer.heard = 3;
    scene.writer.tail = 64;
    memset(scene.memory.feedback, 0, sizeof *scene.memory.feedback);
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_int_eq(scene.writer.end, RING_END_GONE);
    scene.writer.end = RING_GOES_ON;
    ck_assert(!transmit_writer_wait(&scene.writer, LIMIT));
    ck_assert_int_eq(scene.writer.end, RING_END_GONE);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(refusals_are_told_with_their_reason)
{
    struct transmit_refusal refusal;
    struct transmit_counts counts;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    for (uint64_t i = 0; i < 3; i++)
        put(&scene, 60 + (uint32_t)i, 100 + i);
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_reader_turn(&scene.reader, 10, SIZE));
    refuse(&scene, TRANSMIT_SOURCE);
    expect_frame(&scene, 61, 101, 1);
    refuse(&scene, TRANSMIT_RATE);
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    transmit_reader_release(&scene.reader);
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_uint_eq(refusal.reason, TRANSMIT_SOURCE);
    ck_assert_uint_eq(refusal.sequence, 0);
    ck_assert_uint_eq(refusal.tag, 100);
    ck_assert_uint_eq(refusal.length, 60);
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_uint_eq(refusal.reason, TRANSMIT_RATE);
    ck_assert_uint_eq(refusal.sequence, 2);
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    transmit_writer_counts(&scene.writer, &counts);
    ck_assert_uint_eq(counts.judged, 3);
    ck_assert_uint_eq(counts.sent, 1);
    ck_assert_uint_eq(counts.sent_bytes, 61);
    ck_assert_uint_eq(counts.refused[TRANSMIT_SOURCE], 1);
    ck_assert_uint_eq(counts.refused[TRANSMIT_RATE], 1);
    transmit_scene_end(&scene);
}
END_TEST

static void refuse_many(struct transmit_scene *scene, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        must(put(scene, 60, i) == TRANSMIT_TAKEN, "there is room");
        transmit_writer_publish(&scene->writer);
        must(transmit_reader_turn(&scene->reader, 10, SIZE), "it goes on");
        refuse(scene, TRANSMIT_VLAN);
        transmit_reader_release(&scene->reader);
    }
}

START_TEST(refusals_that_nobody_reads_are_counted)
{
    struct transmit_refusal refusal;
    struct transmit_counts counts;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    refuse_many(&scene, RING_REFUSALS + 5);
    transmit_writer_counts(&scene.writer, &counts);
    ck_assert_uint_eq(counts.refused[TRANSMIT_VLAN], RING_REFUSALS + 5);
    ck_assert_uint_eq(counts.untold, 5);
    for (uint64_t i = 0; i < RING_REFUSALS; i++) {
        ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
        ck_assert_uint_eq(refusal.sequence, i);
    }
    ck_assert(!transmit_writer_next_refusal(&scene.writer, &refusal));
    refuse_many(&scene, 1);
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_uint_eq(refusal.sequence, RING_REFUSALS + 5);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_reason_of_a_later_version_is_the_kernel_s)
{
    struct transmit_refusal refusal;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    refuse_many(&scene, 1);
    scene.memory.feedback->refusals[0].what = 60ull << 32 | 1000;
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert_int_eq(refusal.reason, TRANSMIT_KERNEL);
    ck_assert_uint_eq(refusal.length, 60);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_lie_of_what_was_heard_is_not_believed)
{
    static const uint64_t lies[] = {UINT64_MAX, RING_REFUSALS + 1, UINT64_MAX / 2};
    struct transmit_scene scene;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        transmit_scene_begin(&scene, SIZE, LIMIT);
        refuse_many(&scene, RING_REFUSALS);
        RING_STORE(&scene.control->heard, lies[i], relaxed);
        refuse_many(&scene, 3);
        ck_assert_uint_eq(scene.reader.counts.untold, 3);
        ck_assert_uint_eq(scene.reader.told, RING_REFUSALS);
        transmit_scene_end(&scene);
    }
}
END_TEST

/* --- Timing -------------------------------------------------------------------------------- */

START_TEST(buckets_follow_each_other)
{
    for (unsigned i = 0; i + 1 < TRANSMIT_BUCKETS; i++) {
        uint64_t end = transmit_bucket_end(i);

        must(transmit_bucket_of(end) == i, "its end belongs to it");
        must(transmit_bucket_of(end + 1) == i + 1, "the next one begins behind it");
        must(i < 4 || (end - transmit_bucket_end(i - 1)) * 4 <= end, "it is narrow");
    }
    ck_assert_uint_eq(transmit_bucket_of(0), 0);
    ck_assert_uint_eq(transmit_bucket_of(14), 11);
    ck_assert_uint_eq(transmit_bucket_of(UINT64_MAX), TRANSMIT_BUCKETS - 1);
    ck_assert_uint_eq(transmit_bucket_end(TRANSMIT_BUCKETS - 1), UINT64_MAX);
}
END_TEST

static void judge_timed(struct transmit_scene *scene, enum transmit_refusal_reason reason,
                        uint64_t lateness)
{
    struct transmit_frame frame = {.length = 60};

    transmit_reader_judge_timed(&scene->reader, &frame, reason, lateness);
}

START_TEST(lateness_is_told)
{
    struct transmit_timing timing;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    transmit_writer_timing(&scene.writer, &timing);
    ck_assert_uint_eq(timing.started, 0);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 500000), 0);
    transmit_reader_started(&scene.reader, 77);
    for (unsigned i = 0; i < 99; i++)
        judge_timed(&scene, TRANSMIT_SENT, 4000);
    judge_timed(&scene, TRANSMIT_SENT, TRANSMIT_LATE_NS + 1);
    judge_timed(&scene, TRANSMIT_LATE, 5000000);
    transmit_reader_stalled(&scene.reader, 1, 2000000);
    transmit_reader_stalled(&scene.reader, 2, 3000000);
    transmit_writer_timing(&scene.writer, &timing);
    ck_assert_uint_eq(timing.started, 77);
    ck_assert_uint_eq(timing.late, 1);
    ck_assert_uint_eq(timing.latest, 5000000);
    ck_assert_uint_eq(timing.stalls, 3);
    ck_assert_uint_eq(timing.stalled_ns, 5000000);
    ck_assert_uint_eq(timing.histogram[transmit_bucket_of(4000)], 99);
    ck_assert_uint_eq(scene.reader.counts.sent, 100);
    ck_assert_uint_eq(scene.reader.counts.refused[TRANSMIT_LATE], 1);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(quantiles_are_ends_of_buckets)
{
    struct transmit_timing timing = {.latest = 100001};

    timing.histogram[transmit_bucket_of(4000)] = 98;
    timing.histogram[transmit_bucket_of(9000)] = 1;
    timing.histogram[transmit_bucket_of(100001)] = 1;
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 0), 4095);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 500000), 4095);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 980000), 4095);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 980001), 10239);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 990000), 10239);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 999000), 100001);
    ck_assert_uint_eq(transmit_timing_quantile(&timing, 1000000), 100001);
}
END_TEST

/* --- Bells --------------------------------------------------------------------------------- */

START_TEST(the_service_is_rung_for_once_a_wait)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    put(&scene, 60, 0);
    ck_assert(!transmit_writer_publish(&scene.writer));
    ck_assert(!transmit_reader_wait(&scene.reader)); /* there is something to read */
    ck_assert(transmit_reader_turn(&scene.reader, 10, SIZE));
    expect_frame(&scene, 60, 0, 0);
    ck_assert(transmit_reader_wait(&scene.reader));
    put(&scene, 60, 1);
    ck_assert(transmit_writer_publish(&scene.writer));
    ck_assert(!transmit_writer_publish(&scene.writer)); /* there is nothing new */
    put(&scene, 60, 2);
    ck_assert(!transmit_writer_publish(&scene.writer)); /* it has rung for that */
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_client_waits_for_room_or_a_refusal)
{
    struct transmit_refusal refusal;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    ck_assert(!transmit_writer_wait(&scene.writer, 60)); /* there is room */
    while (put(&scene, 1000, 0) == TRANSMIT_TAKEN)
        ;
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_writer_wait(&scene.writer, 1000));
    ck_assert(transmit_reader_turn(&scene.reader, 1, SIZE));
    refuse(&scene, TRANSMIT_VLAN);
    transmit_reader_tell(&scene.reader); /* which does not ring */
    ck_assert_uint_eq(RING_LOAD(&scene.memory.feedback->judged, relaxed), 1);
    ck_assert_uint_eq(RING_LOAD(&scene.memory.feedback->tail, relaxed), scene.reader.tail);
    ck_assert(transmit_reader_release(&scene.reader));
    ck_assert(!transmit_reader_release(&scene.reader)); /* it has rung for that */
    ck_assert(!transmit_writer_wait(&scene.writer, 1000));
    put(&scene, 1000, 0);
    transmit_writer_publish(&scene.writer);
    ck_assert(!transmit_writer_wait(&scene.writer, 1000)); /* there is a refusal */
    ck_assert(transmit_writer_next_refusal(&scene.writer, &refusal));
    ck_assert(transmit_writer_wait(&scene.writer, 1000));
    ck_assert(transmit_reader_end(&scene.reader, RING_END_REVOKED));
    ck_assert(!transmit_reader_end(&scene.reader, RING_END_CLOSED)); /* it has rung */
    expect_end(&scene, RING_END_REVOKED);
    transmit_scene_end(&scene);
}
END_TEST

/* --- A client that lies -------------------------------------------------------------------- */

START_TEST(a_head_that_cannot_be_ends_the_ring)
{
    static const uint64_t heads[] = {4, SIZE + 8, UINT64_MAX - 7, 1ull << 63};
    struct transmit_scene scene;

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        transmit_scene_begin(&scene, SIZE, LIMIT);
        RING_STORE(&scene.control->head, heads[i], relaxed);
        ck_assert(!transmit_reader_turn(&scene.reader, 10, SIZE));
        expect_end(&scene, RING_END_INDEX);
        transmit_scene_end(&scene);
    }
    transmit_scene_begin(&scene, SIZE, LIMIT);
    put(&scene, 60, 0);
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_reader_turn(&scene.reader, 10, SIZE));
    expect_frame(&scene, 60, 0, 0);
    RING_STORE(&scene.control->head, 0, relaxed); /* behind what was read */
    ck_assert(!transmit_reader_turn(&scene.reader, 10, SIZE));
    expect_end(&scene, RING_END_INDEX);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_length_that_cannot_be_ends_the_ring)
{
    static const struct {
        uint32_t length;
        uint64_t head;
    } wrong[] = {
        {UINT32_MAX, SIZE}, {SIZE - HEADER + 1, SIZE}, {9, 32}, {1, HEADER}, {0, HEADER - 8},
        {1u << 31, SIZE},   {UINT32_MAX - 7, 32},
    };
    struct transmit_scene scene;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct transmit_header header = {wrong[i].length, 0, 0, 0};

        transmit_scene_begin(&scene, SIZE, LIMIT);
        memcpy(scene.data, &header, sizeof header);
        RING_STORE(&scene.control->head, wrong[i].head, relaxed);
        ck_assert(transmit_reader_turn(&scene.reader, 10, SIZE));
        expect_end(&scene, RING_END_RECORD);
        transmit_scene_end(&scene);
    }
}
END_TEST

START_TEST(what_is_changed_after_the_copy_is_not_in_it)
{
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    put(&scene, 100, 7);
    transmit_writer_publish(&scene.writer);
    ck_assert(transmit_reader_turn(&scene.reader, 10, SIZE));
    ck_assert_int_eq(transmit_reader_next(&scene.reader, buffer, &frame), TRANSMIT_FRAME);
    memset(scene.data, 0xff, SIZE);
    ck_assert_uint_eq(frame.length, 100);
    ck_assert(is_all(buffer, 100, 7));
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(a_client_checks_the_tail)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    while (put(&scene, 1000, 0) == TRANSMIT_TAKEN)
        ;
    transmit_writer_publish(&scene.writer);
    RING_STORE(&scene.memory.feedback->tail, scene.writer.published + 8, relaxed);
    ck_assert_int_eq(put(&scene, 1000, 0), TRANSMIT_ENDED);
    ck_assert_int_eq(scene.writer.end, RING_END_INDEX);
    transmit_scene_end(&scene);
}
END_TEST

/* Also who never fills the ring learns of it. */
START_TEST(an_end_is_seen_when_something_is_published)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    transmit_reader_end(&scene.reader, RING_END_INTERFACE);
    ck_assert_int_eq(put(&scene, 60, 0), TRANSMIT_TAKEN);
    transmit_writer_publish(&scene.writer);
    ck_assert_int_eq(scene.writer.end, RING_END_INTERFACE);
    ck_assert_int_eq(put(&scene, 60, 0), TRANSMIT_ENDED);
    transmit_scene_end(&scene);
}
END_TEST

START_TEST(an_end_of_a_later_version_is_an_end)
{
    struct transmit_scene scene;

    transmit_scene_begin(&scene, SIZE, LIMIT);
    RING_STORE(&scene.memory.feedback->ended, 1000, relaxed);
    ck_assert(!transmit_writer_wait(&scene.writer, LIMIT));
    ck_assert_int_eq(scene.writer.end, RING_END_CLOSED);
    transmit_scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_layout_is_golden);
    tcase_add_test(tests, words_are_there_for_each_reason);
    tcase_add_test(tests, numbers_of_a_ring_are_checked);
    tcase_add_test(tests, a_frame_may_wrap_anywhere);
    tcase_add_test(tests, a_full_ring_says_so_until_it_was_read);
    tcase_add_test(tests, a_turn_has_a_bound);
    tcase_add_test(tests, refused_records_count_for_the_turn);
    tcase_add_test(tests, unknown_flags_are_refused);
    tcase_add_test(tests, frames_go_back);
    tcase_add_test(tests, refusals_are_told_with_their_reason);
    tcase_add_test(tests, more_refusals_than_there_is_room_for_are_none);
    tcase_add_test(tests, a_page_of_zeros_is_an_end);
    tcase_add_test(tests, refusals_that_nobody_reads_are_counted);
    tcase_add_test(tests, a_reason_of_a_later_version_is_the_kernel_s);
    tcase_add_test(tests, a_lie_of_what_was_heard_is_not_believed);
    tcase_add_test(tests, buckets_follow_each_other);
    tcase_add_test(tests, lateness_is_told);
    tcase_add_test(tests, quantiles_are_ends_of_buckets);
    tcase_add_test(tests, the_service_is_rung_for_once_a_wait);
    tcase_add_test(tests, a_client_waits_for_room_or_a_refusal);
    tcase_add_test(tests, a_head_that_cannot_be_ends_the_ring);
    tcase_add_test(tests, a_length_that_cannot_be_ends_the_ring);
    tcase_add_test(tests, what_is_changed_after_the_copy_is_not_in_it);
    tcase_add_test(tests, a_client_checks_the_tail);
    tcase_add_test(tests, an_end_is_seen_when_something_is_published);
    tcase_add_test(tests, an_end_of_a_later_version_is_an_end);
}

int main(void)
{
    return suite_run("transmit_ring", add_tests);
}
