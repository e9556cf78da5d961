/* The decoder: streams of known bytes, split anywhere, and streams that are wrong. */
#include "frames.h"
#include "framing/framing.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 200, STREAM_MAX = 2048, SEEN_MAX = 64 };

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

/* --- Streams ------------------------------------------------------------------------------- */

struct stream {
    enum framing framing;
    size_t length;
    unsigned char bytes[STREAM_MAX];
};

static void put(struct stream *stream, const void *bytes, size_t n)
{
    ck_assert_uint_le(stream->length + n, STREAM_MAX);
    memcpy(stream->bytes + stream->length, bytes, n);
    stream->length += n;
}

/* The bytes of the header, as a program of that framing writes them. */
static const struct {
    enum framing framing;
    unsigned size;
    unsigned char arp[4], tagged[4], ipv4[4]; /* 42, 82 and 42 bytes */
} golden[] = {
    {FRAMING_U16LE, 2, {0x2a, 0x00}, {0x52, 0x00}, {0x2a, 0x00}},
    {FRAMING_U16BE, 2, {0x00, 0x2a}, {0x00, 0x52}, {0x00, 0x2a}},
    {FRAMING_U32BE, 4, {0, 0, 0, 0x2a}, {0, 0, 0, 0x52}, {0, 0, 0, 0x2a}},
    {FRAMING_UNFRAMED, 0, {0}, {0}, {0}},
};
enum { GOLDEN = sizeof golden / sizeof *golden };

static void make_golden(size_t which, struct stream *ret)
{
    const unsigned char *const headers[] = {golden[which].arp, golden[which].tagged,
                                            golden[which].ipv4};

    *ret = (struct stream){.framing = golden[which].framing};
    for (size_t i = 0; i < 3; i++) {
        put(ret, headers[i], golden[which].size);
        put(ret, samples[i].bytes, samples[i].length);
    }
}

/* A frame of this length, all of one byte, behind its header. */
static void put_frame(struct stream *stream, uint32_t length, unsigned char byte)
{
    unsigned char bytes[FRAMING_HEADER_MAX + STREAM_MAX];
    size_t header = framing_header(stream->framing, length, bytes);

    memset(bytes + header, byte, length);
    put(stream, bytes, header + length);
}

/* --- What is seen of them ------------------------------------------------------------------ */

struct seen {
    size_t count;
    size_t lengths[SEEN_MAX]; /* of frames and of skipped ones */
    size_t bytes;
    unsigned char all[STREAM_MAX]; /* the frames' bytes, behind each other */
    size_t broken; /* 0 or 1: there is no padding, so that it can be compared as bytes */
    struct framing_counts counts;
    struct framing_measure fault;
};

static bool see(struct framing_decoder *decoder, struct seen *seen)
{
    struct framing_frame frame = {0};
    enum framing_next next = framing_decoder_next(decoder, &frame);

    if (next == FRAMING_MORE)
        return false;
    if (next == FRAMING_BROKEN) {
        seen->broken = 1;
        return false;
    }
    must(seen->count < SEEN_MAX, "no more frames than were put there");
    seen->lengths[seen->count++] = frame.length;
    must((next == FRAMING_FRAME) == (frame.bytes != NULL), "a frame has bytes");
    if (frame.bytes) {
        memcpy(seen->all + seen->bytes, frame.bytes, frame.length);
        seen->bytes += frame.length;
    }
    return true;
}

/* Gives bytes as far as there is room each time, which must be a quarter of the buffer. */
static void give(struct framing_decoder *decoder, const unsigned char *bytes, size_t n,
                 struct seen *seen)
{
    while (n > 0 && !seen->broken) {
        size_t room;
        unsigned char *place = framing_decoder_room(decoder, &room);
        size_t some = n < room ? n : room;

        must(room >= decoder->size / 4, "there is room when frames were taken");
        memcpy(place, bytes, some);
        framing_decoder_filled(decoder, some);
        bytes += some;
        n -= some;
        while (see(decoder, seen))
            ;
    }
}

/* In a buffer of the least size, in pieces that end at these places. */
static void decode(const struct stream *stream, size_t first, size_t second, struct seen *ret)
{
    size_t size = framing_decoder_least(stream->framing, LIMIT);
    struct framing_decoder decoder;
    unsigned char *buffer = malloc(size);

    memset(ret, 0, sizeof *ret);
    must(framing_decoder_init(&decoder, stream->framing, LIMIT, buffer, size), "it begins");
    give(&decoder, stream->bytes, first, ret);
    give(&decoder, stream->bytes + first, second - first, ret);
    give(&decoder, stream->bytes + second, stream->length - second, ret);
    ret->counts = decoder.counts;
    ret->fault = decoder.fault;
    must(ret->broken || !framing_decoder_is_within(&decoder), "it ends behind a frame");
    free(buffer);
}

/* The same is seen wherever it is split in three. */
static void decode_split(const struct stream *stream, struct seen *ret)
{
    static const size_t steps[] = {0, 1, 3, 61, 203};
    struct seen other;

    decode(stream, stream->length, stream->length, ret);
    for (size_t first = 0; first <= stream->length; first++)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            size_t second = first + steps[i];

            decode(stream, first, second < stream->length ? second : stream->length, &other);
            must(memcmp(ret, &other, sizeof other) == 0, "it is the same wherever it is split");
        }
}

/* --- Tests --------------------------------------------------------------------------------- */

START_TEST(golden_streams_are_read_wherever_they_are_split)
{
    for (size_t i = 0; i < GOLDEN; i++) {
        struct stream stream;
        struct seen seen;
        size_t at = 0;

        make_golden(i, &stream);
        decode_split(&stream, &seen);
        ck_assert(!seen.broken);
        ck_assert_uint_eq(seen.count, 3);
        ck_assert_uint_eq(seen.counts.frames, 3);
        ck_assert_uint_eq(seen.counts.bytes, seen.bytes);
        for (size_t j = 0; j < 3; at += samples[j++].length) {
            ck_assert_uint_eq(seen.lengths[j], samples[j].length);
            ck_assert_mem_eq(seen.all + at, samples[j].bytes, samples[j].length);
        }
    }
}
END_TEST

START_TEST(a_stream_may_come_byte_by_byte)
{
    for (size_t i = 0; i < GOLDEN; i++) {
        unsigned char buffer[1024];
        struct framing_decoder decoder;
        struct stream stream;
        struct seen seen = {0};

        make_golden(i, &stream);
        ck_assert(framing_decoder_init(&decoder, stream.framing, LIMIT, buffer, sizeof buffer));
        for (size_t at = 0; at < stream.length; at++) {
            ck_assert_int_eq(framing_decoder_is_within(&decoder),
                             at != 0 && at != golden[i].size + 42 &&
                                 at != 2 * golden[i].size + 42 + 82);
            give(&decoder, stream.bytes + at, 1, &seen);
        }
        ck_assert_uint_eq(seen.count, 3);
    }
}
END_TEST

START_TEST(wrong_lengths_are_skipped_and_the_stream_goes_on)
{
    static const uint32_t lengths[] = {0, 14, 13, LIMIT, LIMIT + 1, 60, 450, 1, 0, 0, 61};

    for (size_t i = 0; i < GOLDEN; i++) {
        struct stream stream = {.framing = golden[i].framing};
        struct seen seen;

        if (golden[i].size == 0)
            continue;
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
            put_frame(&stream, lengths[j], (unsigned char)(j + 1));
        decode_split(&stream, &seen);
        ck_assert(!seen.broken);
        ck_assert_uint_eq(seen.count, sizeof lengths / sizeof *lengths);
        for (size_t j = 0; j < seen.count; j++)
            ck_assert_uint_eq(seen.lengths[j], lengths[j]);
        ck_assert_uint_eq(seen.bytes, 14 + LIMIT + 60 + 61);
        ck_assert_uint_eq(seen.all[14], 4);
        ck_assert_uint_eq(seen.all[14 + LIMIT], 6);
        ck_assert_uint_eq(seen.all[14 + LIMIT + 60], 11);
        ck_assert_uint_eq(seen.counts.frames, 4);
        ck_assert_uint_eq(seen.counts.zero, 3);
        ck_assert_uint_eq(seen.counts.undersize, 2);
        ck_assert_uint_eq(seen.counts.oversize, 2);
    }
}
END_TEST

START_TEST(an_unframed_frame_above_the_limit_is_skipped)
{
    struct stream stream = {.framing = FRAMING_UNFRAMED};
    unsigned char large[500] = {0};
    struct seen seen;

    memcpy(large, samples[2].bytes, samples[2].length);
    large[16] = (500 - 14) >> 8;
    large[17] = (500 - 14) & 255;
    put(&stream, large, sizeof large);
    put(&stream, samples[0].bytes, samples[0].length);
    decode_split(&stream, &seen);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.lengths[0], 500);
    ck_assert_uint_eq(seen.counts.oversize, 1);
    ck_assert_uint_eq(seen.counts.frames, 1);
}
END_TEST

START_TEST(a_length_that_nobody_sends_breaks_the_stream)
{
    static const unsigned char http[] = "GET /";
    struct stream stream = {.framing = FRAMING_U32BE};
    struct seen seen;

    put_frame(&stream, 100, 7);
    put(&stream, http, 5);
    decode_split(&stream, &seen);
    ck_assert(seen.broken);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.fault.value, 0x47455420);
    ck_assert_ptr_nonnull(strstr(seen.fault.why, "another framing"));
}
END_TEST

START_TEST(a_stream_that_is_broken_stays_so)
{
    unsigned char buffer[1024];
    struct framing_decoder decoder;
    struct framing_frame frame;
    struct seen seen = {0};

    ck_assert(framing_decoder_init(&decoder, FRAMING_U32BE, LIMIT, buffer, sizeof buffer));
    give(&decoder, (const unsigned char *)"\0\2\0\1", 4, &seen);
    ck_assert(seen.broken);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(framing_decoder_next(&decoder, &frame), FRAMING_BROKEN);
    ck_assert_uint_eq(decoder.counts.frames, 0);
}
END_TEST

START_TEST(another_stream_begins_anew_and_the_counts_go_on)
{
    static const struct {
        const char *bytes; /* of the stream that ended: whole, within one, skipped, broken */
        size_t length;
    } ends[] = {{"", 0}, {"\0\0\0\x2a\1", 5}, {"\0\0\1\0\1", 5}, {"\xff\xff\xff\xff", 4}};
    unsigned char buffer[1024];
    struct framing_decoder decoder;
    struct stream stream;

    make_golden(2, &stream);
    ck_assert(framing_decoder_init(&decoder, FRAMING_U32BE, LIMIT, buffer, sizeof buffer));
    for (size_t i = 0; i < 4; i++) {
        struct seen seen = {0};

        give(&decoder, (const unsigned char *)ends[i].bytes, ends[i].length, &seen);
        framing_decoder_restart(&decoder);
        ck_assert(!framing_decoder_is_within(&decoder));
        seen = (struct seen){0};
        give(&decoder, stream.bytes, stream.length, &seen);
        ck_assert_uint_eq(seen.count, 3);
    }
    ck_assert_uint_eq(decoder.counts.frames, 12);
    ck_assert_uint_eq(decoder.counts.oversize, 1);
}
END_TEST

/* 18 bytes make an ARP frame as long as Ethernet wants it. They look like the next frame. */
START_TEST(padding_breaks_an_unframed_stream)
{
    static const unsigned char padding[18] = {0};
    struct stream stream = {.framing = FRAMING_UNFRAMED};
    struct seen seen;

    put(&stream, samples[0].bytes, samples[0].length);
    put(&stream, padding, sizeof padding);
    decode_split(&stream, &seen);
    ck_assert(seen.broken);
    ck_assert_uint_eq(seen.counts.frames, 1);
    ck_assert_uint_eq(seen.fault.value, 0);
    ck_assert_ptr_nonnull(strstr(seen.fault.why, "EtherType"));
}
END_TEST

START_TEST(the_largest_frames_fit_the_least_buffer)
{
    for (size_t i = 0; i < GOLDEN; i++) {
        const struct framing_row *row = framing_row(golden[i].framing);
        size_t size = framing_decoder_least(golden[i].framing, UINT32_MAX), total = 0;
        unsigned char *buffer = malloc(size), *frame = calloc(1, row->frame_max + 4);
        size_t header = framing_header(golden[i].framing, row->frame_max, frame);
        struct framing_decoder decoder;
        struct framing_frame got;

        if (header == 0) {
            memcpy(frame, samples[3].bytes, 20);
            memcpy(frame + 20, samples[4].bytes + 12, 40);
            frame[26] = frame[27] = 0xff;
        }
        ck_assert(framing_decoder_init(&decoder, golden[i].framing, UINT32_MAX, buffer, size));
        for (size_t sent = 0; sent < 5 * (header + row->frame_max);) {
            size_t room, at = sent % (header + row->frame_max);
            unsigned char *place = framing_decoder_room(&decoder, &room);
            size_t n = header + row->frame_max - at;

            n = n < room ? n : room;
            n = n < 10007 ? n : 10007;
            memcpy(place, frame + at, n);
            framing_decoder_filled(&decoder, n);
            sent += n;
            while (framing_decoder_next(&decoder, &got) == FRAMING_FRAME)
                total += got.length;
        }
        ck_assert_uint_eq(total, 5 * (size_t)row->frame_max);
        free(buffer);
        free(frame);
    }
}
END_TEST

/* Frames are taken where they lie, and the bytes are moved once a quarter of the buffer at most. */
START_TEST(bytes_are_seldom_moved)
{
    enum { SIZE = 16 * LIMIT, FRAMES = 10000 };
    unsigned char buffer[SIZE], piece[3 * LIMIT];
    struct framing_decoder decoder;
    struct framing_frame frame;
    size_t total = 0, moves = 0, frames = 0, written = 0;

    for (size_t i = 0; i < sizeof piece; i += 100)
        memcpy(piece + i, "\x62\0", 2);
    ck_assert(framing_decoder_init(&decoder, FRAMING_U16LE, LIMIT, buffer, SIZE));
    while (frames < FRAMES) {
        size_t before = decoder.end - decoder.begin, room;
        size_t end = decoder.end;
        unsigned char *place = framing_decoder_room(&decoder, &room);
        size_t n = 333 < room ? 333 : room;

        moves += before > 0 && decoder.end < end;
        for (size_t i = 0; i < n; i++)
            place[i] = piece[(written + i) % 100];
        written += n;
        framing_decoder_filled(&decoder, n);
        total += n;
        while (framing_decoder_next(&decoder, &frame) == FRAMING_FRAME) {
            must(frame.length == 98, "the length is as it was sent");
            must(frame.bytes >= buffer && frame.bytes + 98 <= buffer + SIZE, "it lies there");
            frames++;
        }
    }
    ck_assert_uint_ge(moves, 1);
    ck_assert_uint_le(moves, total / (SIZE / 4));
}
END_TEST

/* A caller that does not take frames gets no room, and loses nothing. */
START_TEST(room_without_taking_frames_is_bounded)
{
    unsigned char buffer[2 * (LIMIT + 2)];
    struct framing_decoder decoder;
    struct framing_frame frame;
    struct stream stream = {.framing = FRAMING_U16BE};
    size_t frames = 0, given = 0, room;

    for (unsigned char i = 0; i < 30; i++)
        put_frame(&stream, 50, i);
    ck_assert(framing_decoder_init(&decoder, FRAMING_U16BE, LIMIT, buffer, sizeof buffer));
    for (;;) {
        unsigned char *place = framing_decoder_room(&decoder, &room);
        size_t n = stream.length - given < room ? stream.length - given : room;

        if (n > 0) {
            memcpy(place, stream.bytes + given, n);
            framing_decoder_filled(&decoder, n);
            given += n;
        }
        if (framing_decoder_next(&decoder, &frame) != FRAMING_FRAME)
            break;
        ck_assert_uint_eq(frame.bytes[0], frames++);
    }
    ck_assert_uint_eq(frames, 30);
}
END_TEST

START_TEST(what_cannot_work_is_refused_at_the_beginning)
{
    unsigned char buffer[4096];
    struct framing_decoder decoder;

    ck_assert(!framing_decoder_init(&decoder, FRAMING_MESSAGE, 1518, buffer, sizeof buffer));
    ck_assert(!framing_decoder_init(&decoder, FRAMING_U16LE, 59, buffer, sizeof buffer));
    ck_assert(!framing_decoder_init(&decoder, FRAMING_U16LE, 1518, buffer, 3039));
    ck_assert(framing_decoder_init(&decoder, FRAMING_U16LE, 1518, buffer, 3040));
    ck_assert(!framing_decoder_init(&decoder, FRAMING_U32BE, UINT32_MAX, buffer, sizeof buffer));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, golden_streams_are_read_wherever_they_are_split);
    tcase_add_test(tests, a_stream_may_come_byte_by_byte);
    tcase_add_test(tests, wrong_lengths_are_skipped_and_the_stream_goes_on);
    tcase_add_test(tests, an_unframed_frame_above_the_limit_is_skipped);
    tcase_add_test(tests, a_length_that_nobody_sends_breaks_the_stream);
    tcase_add_test(tests, a_stream_that_is_broken_stays_so);
    tcase_add_test(tests, another_stream_begins_anew_and_the_counts_go_on);
    tcase_add_test(tests, padding_breaks_an_unframed_stream);
    tcase_add_test(tests, the_largest_frames_fit_the_least_buffer);
    tcase_add_test(tests, bytes_are_seldom_moved);
    tcase_add_test(tests, room_without_taking_frames_is_bounded);
    tcase_add_test(tests, what_cannot_work_is_refused_at_the_beginning);
}

int main(void)
{
    return suite_run("framing_decoder", add_tests);
}
