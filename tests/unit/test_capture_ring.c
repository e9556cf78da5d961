/* The capture ring: what goes in comes out, at any place of the ring; what does not fit is told;
 * and a reader that lies gets nothing by it. */
#include "ring_scene.h"
#include "suite.h"

enum { SIZE = 4096, HEADER = 32, GAP_BYTES = 48, STATUS_BYTES = 64 };

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

static struct capture_frame frame_of(uint32_t length)
{
    return (struct capture_frame){length, length, 1000 + length, 0};
}

/* A payload whose bytes follow from its length and a number. */
static void fill(unsigned char *bytes, uint32_t length, uint64_t number)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)(number * 31 + i);
}

static bool is_filled(const unsigned char *bytes, uint32_t length, uint64_t number)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != (unsigned char)(number * 31 + i))
            return false;
    return true;
}

static bool put(struct capture_scene *scene, uint32_t length)
{
    struct capture_frame frame = frame_of(length);
    unsigned char *place = capture_writer_reserve(&scene->writer, &frame);

    if (!place)
        return false;
    fill(place, length, scene->writer.sequence);
    capture_writer_commit(&scene->writer);
    return true;
}

static void expect_frame(struct capture_scene *scene, uint32_t length, uint64_t sequence)
{
    struct capture_record record;

    must(capture_reader_next(&scene->reader, &record) == CAPTURE_RECORD, "there is a record");
    must(record.header.kind == CAPTURE_FRAME, "it is a frame");
    must(record.header.length == length && record.header.original == length, "its length");
    must(record.header.sequence == sequence, "its sequence");
    must(record.header.time == 1000 + length, "its time");
    must(is_filled(record.payload, length, sequence), "its bytes");
}

static void expect_gap(struct capture_scene *scene, uint64_t frames, uint64_t bytes,
                       uint64_t sequence)
{
    struct capture_record record;
    struct capture_gap gap;

    must(capture_reader_next(&scene->reader, &record) == CAPTURE_RECORD, "there is a record");
    must(record.header.kind == CAPTURE_GAP, "it is a gap");
    memcpy(&gap, record.payload, sizeof gap);
    must(gap.frames == frames && gap.bytes == bytes, "what was lost");
    must(record.header.sequence == sequence, "its sequence");
}

static void expect_none(struct capture_scene *scene)
{
    struct capture_record record;

    must(capture_reader_next(&scene->reader, &record) == CAPTURE_NONE, "there is no record");
}

/* --- Layout -------------------------------------------------------------------------------- */

/* Byte by byte, as a program in another language would read it. */
START_TEST(the_layout_is_golden)
{
    static const unsigned char golden[] = {
        4,   0,   0,    0,   100, 0, 0, 0,                         /* length, original */
        0,   0,   0,    0,   0,   0, 0, 0,                         /* sequence */
        8,   7,   6,    5,   4,   3, 2, 1,                         /* time */
        1,   0,   0x11, 0,   0,   0, 0, 0,                         /* kind, flags */
        'a', 'b', 'c',  'd', 0,   0, 0, 0,                         /* payload and padding */
        32,  0,   0,    0,   32,  0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* a status: its header */
        9,   0,   0,    0,   0,   0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, /* time, kind */
        1,   0,   0,    0,   0,   0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, /* received, kernel_dropped */
        3,   0,   0,    0,   0,   0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* iface_dropped, up */
    };
    static const unsigned char control[] = {
        'R', 'i',  'n', 'g', 1, 0, 0, 0,
        0,   0x10, 0,   0,   0, 0, 0, 0, /* magic, version, size */
        0,   0x10, 0,   0,   0, 0, 4, 0,
        1,   0,    0,   0,   0, 0, 0, 0, /* data_offset, length_max, began */
    };
    struct capture_frame frame = {4, 100, 0x0102030405060708, CAPTURE_OUTGOING};
    struct capture_status status = {1, 2, 3, 1, 0};
    struct capture_scene scene;
    uint64_t head;

    capture_scene_begin(&scene, SIZE);
    ck_assert(capture_writer_put(&scene.writer, &frame, "abcd"));
    ck_assert(capture_writer_status(&scene.writer, 9, &status));
    ck_assert(!capture_writer_publish(&scene.writer));
    ck_assert_mem_eq(scene.memory.data, golden, sizeof golden);
    ck_assert_mem_eq(scene.memory.control, control, sizeof control);
    memcpy(&head, (char *)scene.memory.control + 128, sizeof head);
    ck_assert_uint_eq(head, sizeof golden);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(words_are_there_for_each_reason)
{
    ck_assert_str_eq(ring_end_word(RING_GOES_ON), "open");
    for (unsigned i = 0; i < RING_END_COUNT; i++)
        ck_assert(ring_end_word(i)[0] && ring_end_meaning(i)[0]);
    ck_assert_str_eq(ring_end_word(RING_END_REVOKED), "revoked");
}
END_TEST

START_TEST(a_size_is_a_power_of_two_in_its_range)
{
    static const uint64_t wrong[] = {0, 1, 2048, 4095, 4097, 12288, 1ull << 31, UINT64_MAX};
    struct capture_scene scene;
    struct capture_writer writer;

    capture_scene_begin(&scene, SIZE);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct capture_memory memory = scene.memory;

        memory.size = wrong[i];
        ck_assert(!capture_writer_init(&writer, &memory, 0));
    }
    capture_scene_end(&scene);
}
END_TEST

/* --- Records ------------------------------------------------------------------------------- */

START_TEST(nothing_is_seen_before_it_is_published)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 60));
    expect_none(&scene);
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 60, 0);
    expect_none(&scene);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(what_is_not_committed_is_not_there)
{
    struct capture_frame frame = frame_of(100);
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(capture_writer_reserve(&scene.writer, &frame));
    capture_writer_publish(&scene.writer);
    capture_writer_commit(&scene.writer);
    capture_writer_publish(&scene.writer);
    expect_none(&scene);
    ck_assert(put(&scene, 60));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 60, 0);
    ck_assert_uint_eq(scene.writer.counts.frames, 1);
    ck_assert_uint_eq(scene.writer.counts.bytes, 60);
    capture_scene_end(&scene);
}
END_TEST

/* Each length begins at each place in turn, and each place is where the ring wraps. */
START_TEST(a_record_may_wrap_anywhere)
{
    struct capture_scene scene;
    uint64_t sequence = 0, wraps = 0;

    capture_scene_begin(&scene, SIZE);
    for (uint32_t round = 0; round < 3000; round++) {
        uint32_t length = (round * 37) % 1600;
        uint64_t at = scene.writer.head % SIZE;

        wraps += at + capture_record_bytes(length) > SIZE;
        must(put(&scene, length), "there is room");
        capture_writer_publish(&scene.writer);
        expect_frame(&scene, length, sequence++);
        capture_reader_release(&scene.reader);
    }
    ck_assert_uint_gt(wraps, 100);
    ck_assert_uint_eq(scene.writer.counts.lost_frames, 0);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(every_place_is_one_where_it_wraps)
{
    struct capture_scene scene;

    for (uint32_t first = 0; first < SIZE - 2 * HEADER; first += 8) {
        uint32_t second = SIZE - 2 * HEADER - first;

        capture_scene_begin(&scene, SIZE);
        must(put(&scene, first), "there is room");
        capture_writer_publish(&scene.writer);
        expect_frame(&scene, first, 0);
        capture_reader_release(&scene.reader);
        must(put(&scene, second), "there is room"); /* as full as it can be */
        must(put(&scene, first), "there is room");
        must(!put(&scene, 0), "it is full");
        capture_writer_publish(&scene.writer);
        expect_frame(&scene, second, 1);
        expect_frame(&scene, first, 2);
        expect_none(&scene);
        capture_scene_end(&scene);
    }
}
END_TEST

START_TEST(a_cut_frame_says_so)
{
    struct capture_frame frames[] = {
        {64, 1514, 5, CAPTURE_VLAN_INSERTED}, {64, 64, 5, 0}, {64, 0, 5, 0}};
    unsigned char bytes[64] = {0};
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    for (size_t i = 0; i < 3; i++)
        ck_assert(capture_writer_put(&scene.writer, &frames[i], bytes));
    capture_writer_publish(&scene.writer);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_RECORD);
    ck_assert_uint_eq(record.header.flags, CAPTURE_VLAN_INSERTED | CAPTURE_CUT);
    ck_assert_uint_eq(record.header.original, 1514);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_RECORD);
        ck_assert_uint_eq(record.header.flags, 0);
        ck_assert_uint_eq(record.header.original, 64);
    }
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_payload_stays_until_it_is_released)
{
    struct capture_record first, second;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 1000));
    ck_assert(put(&scene, 1000));
    capture_writer_publish(&scene.writer);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &first), CAPTURE_RECORD);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &second), CAPTURE_RECORD);
    while (put(&scene, 500))
        capture_writer_publish(&scene.writer);
    ck_assert(is_filled(first.payload, 1000, 0));
    ck_assert(is_filled(second.payload, 1000, 1));
    capture_reader_release(&scene.reader);
    ck_assert(put(&scene, 500));
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_reader_goes_on_where_another_released)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 10));
    ck_assert(put(&scene, 20));
    ck_assert(put(&scene, 30));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 10, 0);
    capture_reader_release(&scene.reader);
    expect_frame(&scene, 20, 1);
    ck_assert(capture_reader_init(&scene.reader, scene.memory.control, scene.memory.data, SIZE,
                                  scene.memory.page));
    expect_frame(&scene, 20, 1);
    expect_frame(&scene, 30, 2);
    expect_none(&scene);
    capture_scene_end(&scene);
}
END_TEST

/* --- Loss ---------------------------------------------------------------------------------- */

START_TEST(what_does_not_fit_is_told_before_the_next_frame)
{
    struct capture_scene scene;
    uint64_t kept = 0;

    capture_scene_begin(&scene, SIZE);
    while (put(&scene, 100))
        kept++;
    ck_assert(!put(&scene, 200));
    capture_writer_publish(&scene.writer);
    ck_assert_uint_eq(kept, SIZE / 136);
    for (uint64_t i = 0; i < kept; i++)
        expect_frame(&scene, 100, i);
    expect_none(&scene);
    capture_reader_release(&scene.reader);
    ck_assert(put(&scene, 300));
    capture_writer_publish(&scene.writer);
    expect_gap(&scene, 2, 300, kept);
    expect_frame(&scene, 300, kept + 2);
    ck_assert_uint_eq(scene.writer.counts.lost_frames, 2);
    ck_assert_uint_eq(scene.writer.counts.lost_bytes, 300);
    ck_assert_uint_eq(scene.writer.counts.frames, kept + 1);
    capture_scene_end(&scene);
}
END_TEST

/* A reader that is told of nothing more learns of its loss all the same. */
START_TEST(a_gap_is_told_without_another_frame)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, SIZE - HEADER - 40));
    ck_assert(!put(&scene, 4000));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, SIZE - HEADER - 40, 0);
    ck_assert(!capture_writer_publish(&scene.writer));
    expect_none(&scene);
    capture_reader_release(&scene.reader);
    capture_writer_publish(&scene.writer);
    expect_gap(&scene, 1, 4000, 1);
    capture_writer_publish(&scene.writer);
    expect_none(&scene);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_frame_needs_room_for_its_gap)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, SIZE - HEADER - 132));
    ck_assert(!put(&scene, 1000));
    ck_assert(!put(&scene, 60)); /* it would fit, but not with its gap: 92 and 48 bytes */
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, SIZE - HEADER - 132, 0);
    expect_gap(&scene, 2, 1060, 1);
    expect_none(&scene);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_frame_that_never_fits_is_lost)
{
    struct capture_scene scene;
    static unsigned char bytes[RING_LENGTH_MAX + 1];
    struct capture_frame most = frame_of(RING_LENGTH_MAX), more = frame_of(RING_LENGTH_MAX + 1),
                         all = frame_of(UINT32_MAX);

    capture_scene_begin(&scene, 1 << 20);
    ck_assert(capture_writer_put(&scene.writer, &most, bytes));
    ck_assert(!capture_writer_put(&scene.writer, &more, bytes));
    ck_assert(!capture_writer_put(&scene.writer, &all, bytes));
    ck_assert_uint_eq(scene.writer.counts.lost_frames, 2);
    capture_scene_end(&scene);
    capture_scene_begin(&scene, SIZE);
    ck_assert(!put(&scene, SIZE - HEADER + 1));
    capture_scene_end(&scene);
}
END_TEST

START_TEST(status_comes_when_there_is_room)
{
    struct capture_status status = {10, 20, 30, 1, 0}, seen;
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, SIZE - HEADER - STATUS_BYTES + 8));
    ck_assert(!capture_writer_status(&scene.writer, 7, &status));
    ck_assert(!put(&scene, 1000));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, SIZE - HEADER - STATUS_BYTES + 8, 0);
    capture_reader_release(&scene.reader);
    ck_assert(capture_writer_status(&scene.writer, 7, &status));
    capture_writer_publish(&scene.writer);
    expect_gap(&scene, 1, 1000, 1);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_RECORD);
    ck_assert_uint_eq(record.header.kind, CAPTURE_STATUS);
    ck_assert_uint_eq(record.header.sequence, 2);
    ck_assert_uint_eq(record.header.time, 7);
    memcpy(&seen, record.payload, sizeof seen);
    ck_assert_mem_eq(&seen, &status, sizeof seen);
    capture_scene_end(&scene);
}
END_TEST

/* Any reader: it reads as many as it likes, when it likes. What it got and what it was told that it
 * lost are together what was offered, and the sequences say the same. */
START_TEST(accepted_and_told_are_all_that_was_offered)
{
    struct capture_scene scene;
    struct capture_record record;
    struct capture_gap gap;
    uint64_t offered = 0, offered_bytes = 0, seen = 0, seen_bytes = 0, next = 0;
    uint32_t random = 1;

    capture_scene_begin(&scene, SIZE);
    for (int turn = 0; turn < 20000; turn++) {
        random = random * 1664525 + 1013904223;
        for (uint32_t i = 0; i < random >> 29; i++) {
            put(&scene, (random >> 8) % 700 + i);
            offered_bytes += (random >> 8) % 700 + i;
            offered++;
        }
        capture_writer_publish(&scene.writer);
        for (uint32_t i = 0; i < (turn == 19999 ? UINT32_MAX : random >> 5 & 7); i++) {
            if (capture_reader_next(&scene.reader, &record) != CAPTURE_RECORD)
                break;
            must(record.header.sequence == next, "sequences have no hole");
            memcpy(&gap, record.payload, sizeof gap);
            if (record.header.kind != CAPTURE_GAP)
                gap = (struct capture_gap){1, record.header.length};
            next += gap.frames;
            seen += gap.frames;
            seen_bytes += gap.bytes;
        }
        capture_reader_release(&scene.reader);
    }
    capture_writer_publish(&scene.writer);
    if (capture_reader_next(&scene.reader, &record) == CAPTURE_RECORD) {
        memcpy(&gap, record.payload, sizeof gap);
        seen += gap.frames;
        seen_bytes += gap.bytes;
    }
    expect_none(&scene);
    ck_assert_uint_gt(scene.writer.counts.lost_frames, 1000);
    ck_assert_uint_eq(offered, seen);
    ck_assert_uint_eq(offered_bytes, seen_bytes);
    ck_assert_uint_eq(offered, scene.writer.counts.frames + scene.writer.counts.lost_frames);
    ck_assert_uint_eq(offered_bytes, scene.writer.counts.bytes + scene.writer.counts.lost_bytes);
    capture_scene_end(&scene);
}
END_TEST

/* --- Bells --------------------------------------------------------------------------------- */

START_TEST(a_bell_rings_once_for_who_waits)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 1));
    ck_assert(!capture_writer_publish(&scene.writer)); /* nobody waits */
    ck_assert(!capture_reader_wait(&scene.reader));    /* there is something to read */
    expect_frame(&scene, 1, 0);
    ck_assert(put(&scene, 2));
    ck_assert(!capture_writer_publish(&scene.writer)); /* nobody waits any more */
    expect_frame(&scene, 2, 1);
    ck_assert(capture_reader_wait(&scene.reader));
    ck_assert(!capture_writer_publish(&scene.writer)); /* there is nothing new */
    ck_assert(put(&scene, 3));
    ck_assert(put(&scene, 4));
    ck_assert(capture_writer_publish(&scene.writer));
    ck_assert(put(&scene, 5));
    ck_assert(!capture_writer_publish(&scene.writer)); /* it has rung for that */
    expect_frame(&scene, 3, 2);
    expect_frame(&scene, 4, 3);
    expect_frame(&scene, 5, 4);
    ck_assert(capture_reader_wait(&scene.reader));
    ck_assert(put(&scene, 6));
    ck_assert(capture_writer_publish(&scene.writer));
    capture_scene_end(&scene);
}
END_TEST

START_TEST(an_end_comes_behind_the_last_record_and_rings)
{
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(capture_reader_wait(&scene.reader));
    ck_assert(put(&scene, 1));
    ck_assert(capture_writer_end(&scene.writer, RING_END_REVOKED));
    expect_frame(&scene, 1, 0);
    ck_assert(!capture_reader_wait(&scene.reader));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_ENDED);
    ck_assert_int_eq(scene.reader.end, RING_END_REVOKED);
    capture_scene_end(&scene);
}
END_TEST

/* What no gap could tell, because the ring stayed full, is told by the end. */
START_TEST(an_end_tells_of_frames_that_were_lost_at_last)
{
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, SIZE - HEADER));
    ck_assert(!put(&scene, 1));
    ck_assert(!put(&scene, 1));
    capture_writer_end(&scene.writer, RING_END_SERVICE);
    expect_frame(&scene, SIZE - HEADER, 0);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_ENDED);
    ck_assert_uint_eq(scene.reader.untold, 2);
    capture_reader_release(&scene.reader);
    ck_assert(capture_reader_init(&scene.reader, scene.memory.control, scene.memory.data, SIZE,
                                  scene.memory.page));
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_ENDED);
    ck_assert_uint_eq(scene.reader.untold, 0); /* it has seen no sequence */
    capture_scene_end(&scene);
}
END_TEST

START_TEST(an_end_behind_a_gap_leaves_nothing_untold)
{
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, SIZE - HEADER - 48));
    ck_assert(!put(&scene, 100));
    capture_writer_end(&scene.writer, RING_END_SERVICE);
    expect_frame(&scene, SIZE - HEADER - 48, 0);
    expect_gap(&scene, 1, 100, 1);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_ENDED);
    ck_assert_uint_eq(scene.reader.untold, 0);
    capture_scene_end(&scene);
}
END_TEST

/* --- A reader that lies -------------------------------------------------------------------- */

START_TEST(a_tail_that_cannot_be_is_not_believed)
{
    static const int64_t lies[] = {-1, -8, -4096, 8, 4096, INT64_MAX, INT64_MIN, 1};
    struct capture_scene scene;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        capture_scene_begin(&scene, SIZE);
        for (int round = 0; round < 3; round++) {
            ck_assert(put(&scene, 2000));
            capture_writer_publish(&scene.writer);
            scene.reader.next = scene.writer.published;
            capture_reader_release(&scene.reader);
        }
        ck_assert(put(&scene, 2000));
        capture_writer_publish(&scene.writer);
        /* From what is released (-) or can be read (+). */
        RING_STORE(&scene.memory.page->tail,
                   (lies[i] < 0 ? scene.writer.tail : scene.writer.published) + (uint64_t)lies[i],
                   relaxed);
        while (put(&scene, 500))
            ;
        ck_assert_uint_gt(scene.writer.counts.lies, 0);
        ck_assert_uint_le(scene.writer.head - scene.writer.tail, SIZE);
        ck_assert_uint_le(scene.writer.tail, scene.writer.published);
        capture_scene_end(&scene);
    }
}
END_TEST

START_TEST(a_waiting_that_changes_rings_once_for_what_is_published)
{
    struct capture_scene scene;
    unsigned rung = 0;

    capture_scene_begin(&scene, SIZE);
    for (uint64_t i = 0; i < 1000; i++) {
        RING_STORE(&scene.memory.page->waiting, i * 0x9e3779b97f4a7c15 | 1, relaxed);
        rung += capture_writer_publish(&scene.writer);
    }
    ck_assert_uint_eq(rung, 0);
    ck_assert(put(&scene, 1));
    ck_assert(capture_writer_publish(&scene.writer));
    RING_STORE(&scene.memory.page->waiting, 77, relaxed);
    ck_assert(!capture_writer_publish(&scene.writer));
    capture_scene_end(&scene);
}
END_TEST

/* --- A ring that is none ------------------------------------------------------------------- */

START_TEST(a_reader_takes_no_other_memory_for_a_ring)
{
    struct capture_scene scene;
    struct capture_control *control;

    capture_scene_begin(&scene, SIZE);
    control = scene.memory.control;
    ck_assert(!capture_reader_init(&scene.reader, control, scene.memory.data, 2 * SIZE,
                                   scene.memory.page));
    ck_assert_int_eq(scene.reader.end, RING_END_LAYOUT);
    control->version++;
    ck_assert(
        !capture_reader_init(&scene.reader, control, scene.memory.data, SIZE, scene.memory.page));
    control->version--;
    control->magic++;
    ck_assert(
        !capture_reader_init(&scene.reader, control, scene.memory.data, SIZE, scene.memory.page));
    control->magic--;
    control->size = 8192;
    ck_assert(
        !capture_reader_init(&scene.reader, control, scene.memory.data, SIZE, scene.memory.page));
    ck_assert_int_eq(capture_reader_next(&scene.reader, &(struct capture_record){0}),
                     CAPTURE_BROKEN);
    capture_scene_end(&scene);
}
END_TEST

static void expect_broken(struct capture_scene *scene, enum ring_end end)
{
    struct capture_record record;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(capture_reader_next(&scene->reader, &record), CAPTURE_BROKEN);
    ck_assert_int_eq(scene->reader.end, end);
}

START_TEST(a_reader_checks_the_head)
{
    static const uint64_t heads[] = {4, SIZE + 8, UINT64_MAX - 7, 1};
    struct capture_scene scene;

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        capture_scene_begin(&scene, SIZE);
        RING_STORE(&scene.memory.control->head, heads[i], relaxed);
        expect_broken(&scene, RING_END_INDEX);
        capture_scene_end(&scene);
    }
    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 100));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 100, 0);
    RING_STORE(&scene.memory.control->head, 64, relaxed); /* behind what was read, not released */
    expect_broken(&scene, RING_END_INDEX);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_reader_checks_each_header)
{
    static const struct {
        uint32_t length, original;
        uint16_t kind;
        uint64_t head;
    } wrong[] = {
        {RING_LENGTH_MAX + 1, UINT32_MAX, CAPTURE_FRAME, SIZE},
        {UINT32_MAX, UINT32_MAX, CAPTURE_FRAME, SIZE},
        {101, 100, CAPTURE_FRAME, SIZE},
        {0, 0, 0, SIZE},
        {SIZE - HEADER + 1, SIZE, CAPTURE_FRAME, SIZE},
        {33, 33, CAPTURE_FRAME, 64},
        {15, 15, CAPTURE_GAP, 64},
        {31, 31, CAPTURE_STATUS, 64},
        {0, 0, CAPTURE_FRAME, 24},
    };
    struct capture_scene scene;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct capture_header header = {
            .length = wrong[i].length, .original = wrong[i].original, .kind = wrong[i].kind};

        capture_scene_begin(&scene, SIZE);
        memcpy(scene.memory.data, &header, sizeof header);
        RING_STORE(&scene.memory.control->head, wrong[i].head, release);
        expect_broken(&scene, RING_END_RECORD);
        capture_scene_end(&scene);
    }
}
END_TEST

START_TEST(a_reader_passes_kinds_on_that_it_does_not_know)
{
    struct capture_header header = {.length = 8, .original = 8, .kind = 77};
    struct capture_record record;
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    memcpy(scene.memory.data, &header, sizeof header);
    RING_STORE(&scene.memory.control->head, 40, release);
    RING_STORE(&scene.memory.control->ended, 1000, relaxed); /* of a later version */
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_RECORD);
    ck_assert_uint_eq(record.header.kind, 77);
    ck_assert_int_eq(capture_reader_next(&scene.reader, &record), CAPTURE_ENDED);
    ck_assert_int_eq(scene.reader.end, RING_END_CLOSED);
    capture_scene_end(&scene);
}
END_TEST

/* --- A ring that was taken back ------------------------------------------------------------ */

static void take_back(struct capture_scene *scene)
{
    capture_writer_end(&scene->writer, RING_END_REVOKED);
    memset(scene->memory.control, 0, sizeof *scene->memory.control);
    memset(scene->memory.data, 0, SIZE);
}

static void expect_gone(struct capture_scene *scene)
{
    struct capture_record record;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(capture_reader_next(&scene->reader, &record), CAPTURE_ENDED);
    ck_assert_int_eq(scene->reader.end, RING_END_GONE);
}

/* It has read nothing, some of what it has seen, or all and is waiting. */
START_TEST(a_reader_finds_that_its_ring_is_gone)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    take_back(&scene);
    expect_gone(&scene);
    capture_scene_end(&scene);

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 100) && put(&scene, 200));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 100, 0);
    take_back(&scene);
    expect_gone(&scene);
    capture_scene_end(&scene);

    capture_scene_begin(&scene, SIZE);
    ck_assert(put(&scene, 100));
    capture_writer_publish(&scene.writer);
    expect_frame(&scene, 100, 0);
    capture_reader_release(&scene.reader);
    ck_assert(capture_reader_wait(&scene.reader));
    take_back(&scene);
    capture_reader_wait(&scene.reader);
    expect_gone(&scene);
    capture_scene_end(&scene);
}
END_TEST

START_TEST(a_writer_sees_whether_all_was_read)
{
    struct capture_scene scene;

    capture_scene_begin(&scene, SIZE);
    ck_assert(capture_writer_was_read(&scene.writer));
    ck_assert(put(&scene, 100));
    capture_writer_end(&scene.writer, RING_END_REVOKED);
    ck_assert(!capture_writer_was_read(&scene.writer));
    expect_frame(&scene, 100, 0);
    ck_assert(!capture_writer_was_read(&scene.writer));
    capture_reader_release(&scene.reader);
    ck_assert(capture_writer_was_read(&scene.writer));
    RING_STORE(&scene.memory.page->tail, UINT64_MAX - 7, relaxed);
    ck_assert(!capture_writer_was_read(&scene.writer));
    capture_scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_reader_finds_that_its_ring_is_gone);
    tcase_add_test(tests, a_writer_sees_whether_all_was_read);
    tcase_add_test(tests, the_layout_is_golden);
    tcase_add_test(tests, words_are_there_for_each_reason);
    tcase_add_test(tests, a_size_is_a_power_of_two_in_its_range);
    tcase_add_test(tests, nothing_is_seen_before_it_is_published);
    tcase_add_test(tests, what_is_not_committed_is_not_there);
    tcase_add_test(tests, a_record_may_wrap_anywhere);
    tcase_add_test(tests, every_place_is_one_where_it_wraps);
    tcase_add_test(tests, a_cut_frame_says_so);
    tcase_add_test(tests, a_payload_stays_until_it_is_released);
    tcase_add_test(tests, a_reader_goes_on_where_another_released);
    tcase_add_test(tests, what_does_not_fit_is_told_before_the_next_frame);
    tcase_add_test(tests, a_gap_is_told_without_another_frame);
    tcase_add_test(tests, a_frame_needs_room_for_its_gap);
    tcase_add_test(tests, a_frame_that_never_fits_is_lost);
    tcase_add_test(tests, status_comes_when_there_is_room);
    tcase_add_test(tests, accepted_and_told_are_all_that_was_offered);
    tcase_add_test(tests, a_bell_rings_once_for_who_waits);
    tcase_add_test(tests, an_end_comes_behind_the_last_record_and_rings);
    tcase_add_test(tests, an_end_tells_of_frames_that_were_lost_at_last);
    tcase_add_test(tests, an_end_behind_a_gap_leaves_nothing_untold);
    tcase_add_test(tests, a_tail_that_cannot_be_is_not_believed);
    tcase_add_test(tests, a_waiting_that_changes_rings_once_for_what_is_published);
    tcase_add_test(tests, a_reader_takes_no_other_memory_for_a_ring);
    tcase_add_test(tests, a_reader_checks_the_head);
    tcase_add_test(tests, a_reader_checks_each_header);
    tcase_add_test(tests, a_reader_passes_kinds_on_that_it_does_not_know);
}

int main(void)
{
    return suite_run("capture_ring", add_tests);
}
