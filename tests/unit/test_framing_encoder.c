/* The encoder, and that the decoder reads what it writes. */
#include "frames.h"
#include "framing/framing.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1518, FRAMES = 1000, SEEDS = 8 };

static const enum framing streams[] = {FRAMING_U16LE, FRAMING_U16BE, FRAMING_U32BE,
                                       FRAMING_UNFRAMED};
enum { STREAMS = sizeof streams / sizeof *streams };

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

static size_t pending(const struct framing_encoder *encoder)
{
    size_t size;

    framing_encoder_pending(encoder, &size);
    return size;
}

/* An encoder with a buffer of its own; the caller frees it. */
static unsigned char *begin(struct framing_encoder *encoder, enum framing framing, uint32_t limit,
                            size_t size)
{
    unsigned char *buffer = malloc(size);

    ck_assert(framing_encoder_init(encoder, framing, limit, buffer, size));
    return buffer;
}

/* --- Bytes --------------------------------------------------------------------------------- */

START_TEST(frames_are_written_behind_their_headers)
{
    static const unsigned char expected[STREAMS][4] = {{0x2a, 0x00}, {0x00, 0x2a}, {0, 0, 0, 0x2a}};

    for (size_t i = 0; i < STREAMS; i++) {
        size_t header = framing_row(streams[i])->header, size;
        struct framing_encoder encoder;
        unsigned char *buffer = begin(&encoder, streams[i], LIMIT, 4096);
        const unsigned char *bytes;

        for (int times = 0; times < 2; times++)
            ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, samples[0].length),
                             FRAMING_TAKEN);
        bytes = framing_encoder_pending(&encoder, &size);
        ck_assert_uint_eq(size, 2 * (header + 42));
        for (int times = 0; times < 2; times++, bytes += header + 42) {
            ck_assert_mem_eq(bytes, expected[i], header);
            ck_assert_mem_eq(bytes + header, samples[0].bytes, 42);
        }
        free(buffer);
    }
}
END_TEST

START_TEST(a_frame_may_be_read_to_its_place)
{
    struct framing_encoder encoder;
    unsigned char *buffer = begin(&encoder, FRAMING_U16LE, LIMIT, 3000);
    size_t size;
    unsigned char *place = framing_encoder_reserve(&encoder, &size);

    ck_assert_uint_eq(size, LIMIT + 1);
    memset(place, 7, size);
    ck_assert_int_eq(framing_encoder_commit(&encoder, LIMIT + 1), FRAMING_REFUSED);
    ck_assert_int_eq(framing_encoder_commit(&encoder, 0), FRAMING_REFUSED);
    ck_assert_uint_eq(pending(&encoder), 0);
    ck_assert_int_eq(framing_encoder_commit(&encoder, LIMIT), FRAMING_TAKEN);
    ck_assert_mem_eq(framing_encoder_pending(&encoder, &size), "\xee\x05\7\7", 4);
    ck_assert_uint_eq(size, LIMIT + 2);
    ck_assert_ptr_null(framing_encoder_reserve(&encoder, &size));
    ck_assert_uint_eq(encoder.counts.oversize, 1);
    ck_assert_uint_eq(encoder.counts.zero, 1);
    free(buffer);
}
END_TEST

/* --- What is not sent ---------------------------------------------------------------------- */

START_TEST(no_frame_of_a_wrong_length_is_sent)
{
    static unsigned char frame[70000];

    for (size_t i = 0; i < STREAMS; i++) {
        struct framing_encoder encoder;
        unsigned char *buffer = begin(&encoder, streams[i], LIMIT, 4096);

        ck_assert_int_eq(framing_encoder_append(&encoder, frame, 0), FRAMING_REFUSED);
        ck_assert_int_eq(framing_encoder_append(&encoder, frame, 13), FRAMING_REFUSED);
        ck_assert_int_eq(framing_encoder_append(&encoder, frame, LIMIT + 1), FRAMING_REFUSED);
        ck_assert_int_eq(framing_encoder_append(&encoder, frame, sizeof frame), FRAMING_REFUSED);
        ck_assert_uint_eq(pending(&encoder), 0);
        ck_assert_uint_eq(encoder.counts.zero, 1);
        ck_assert_uint_eq(encoder.counts.undersize, 1);
        ck_assert_uint_eq(encoder.counts.oversize, 2);
        free(buffer);
    }
}
END_TEST

START_TEST(sixteen_bits_refuse_what_they_cannot_say)
{
    static unsigned char frame[65536];

    for (size_t i = 0; i < 2; i++) {
        struct framing_encoder encoder;
        unsigned char *buffer = begin(&encoder, streams[i], 65549, 70000);

        ck_assert_int_eq(framing_encoder_append(&encoder, frame, 65536), FRAMING_REFUSED);
        ck_assert_int_eq(framing_encoder_append(&encoder, frame, 65535), FRAMING_TAKEN);
        ck_assert_uint_eq(pending(&encoder), 65537);
        ck_assert_uint_eq(encoder.counts.oversize, 1);
        free(buffer);
    }
}
END_TEST

START_TEST(unframed_leaves_out_padding_and_refuses_the_unknown)
{
    struct framing_encoder encoder;
    unsigned char *buffer = begin(&encoder, FRAMING_UNFRAMED, LIMIT, 4096), frame[60] = {0};

    memcpy(frame, samples[0].bytes, samples[0].length);
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 60), FRAMING_TAKEN);
    ck_assert_uint_eq(pending(&encoder), 42);
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 41), FRAMING_REFUSED); /* cut */
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 14), FRAMING_REFUSED);
    frame[12] = 0x88;
    frame[13] = 0xcc;
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 60), FRAMING_REFUSED);
    ck_assert_uint_eq(encoder.counts.uncarried, 3);
    ck_assert_uint_eq(pending(&encoder), 42);
    free(buffer);
}
END_TEST

/* --- Batches and partial writes ------------------------------------------------------------ */

START_TEST(a_batch_has_so_many_frames)
{
    struct framing_encoder encoder;
    unsigned char *buffer = begin(&encoder, FRAMING_U32BE, LIMIT, 1 << 16);

    for (int i = 0; i < FRAMING_BATCH; i++)
        ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, 42), FRAMING_TAKEN);
    ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, 42), FRAMING_FULL);
    framing_encoder_consume(&encoder, 45);
    ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, 42), FRAMING_FULL);
    framing_encoder_consume(&encoder, 1);
    ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, 42), FRAMING_TAKEN);
    ck_assert_int_eq(framing_encoder_append(&encoder, samples[0].bytes, 42), FRAMING_FULL);
    ck_assert_uint_eq(encoder.counts.frames, 1);
    ck_assert_uint_eq(encoder.counts.dropped, 0);
    free(buffer);
}
END_TEST

START_TEST(a_full_buffer_takes_no_part_of_a_frame)
{
    static unsigned char frame[LIMIT];
    struct framing_encoder encoder;
    unsigned char *buffer = begin(&encoder, FRAMING_U16LE, LIMIT, 3006);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(framing_encoder_append(&encoder, frame, 1000), FRAMING_TAKEN);
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 14), FRAMING_FULL);
    framing_encoder_consume(&encoder, 2000); /* of 2004 */
    ck_assert_int_eq(framing_encoder_append(&encoder, frame, 1000), FRAMING_TAKEN);
    ck_assert_uint_eq(pending(&encoder), 4 + 1002 + 1002);
    ck_assert_uint_eq(encoder.counts.frames, 1);
    free(buffer);
}
END_TEST

/* A frame that was half sent when the stream ended is none that the peer has. */
START_TEST(what_was_not_wholly_sent_is_dropped_at_the_end)
{
    struct framing_encoder encoder;
    unsigned char *buffer = begin(&encoder, FRAMING_U16LE, LIMIT, 4096);

    for (int i = 0; i < 3; i++)
        framing_encoder_append(&encoder, samples[0].bytes, 42);
    framing_encoder_consume(&encoder, 44 + 43);
    framing_encoder_restart(&encoder);
    ck_assert_uint_eq(encoder.counts.frames, 1);
    ck_assert_uint_eq(encoder.counts.bytes, 42);
    ck_assert_uint_eq(encoder.counts.dropped, 2);
    ck_assert_uint_eq(pending(&encoder), 0);
    framing_encoder_append(&encoder, samples[0].bytes, 42);
    framing_encoder_consume(&encoder, 44);
    ck_assert_uint_eq(encoder.counts.frames, 2);
    free(buffer);
}
END_TEST

START_TEST(what_cannot_work_is_refused_at_the_beginning)
{
    unsigned char buffer[4096];
    struct framing_encoder encoder;

    ck_assert(!framing_encoder_init(&encoder, FRAMING_MESSAGE, LIMIT, buffer, sizeof buffer));
    ck_assert(!framing_encoder_init(&encoder, FRAMING_U16LE, 59, buffer, sizeof buffer));
    ck_assert(!framing_encoder_init(&encoder, FRAMING_U16LE, LIMIT, buffer, LIMIT + 2));
    ck_assert(framing_encoder_init(&encoder, FRAMING_U16LE, LIMIT, buffer, LIMIT + 3));
}
END_TEST

/* --- decode(encode(frames)) is frames ------------------------------------------------------ */

struct link {
    enum framing framing;
    struct framing_encoder encoder;
    struct framing_decoder decoder;
    unsigned char *out, *in;
    uint32_t sender, receiver; /* the random states: frames are made twice, from the same one */
    uint32_t pieces;           /* where the stream is split */
    unsigned sent, received;
};

static void link_begin(struct link *link, enum framing framing, uint32_t seed)
{
    size_t in = framing_decoder_least(framing, LIMIT) + 977UL * seed;

    *link = (struct link){.framing = framing, .sender = seed, .receiver = seed, .pieces = seed};
    link->in = malloc(in);
    ck_assert(framing_decoder_init(&link->decoder, framing, LIMIT, link->in, in));
    link->out = begin(&link->encoder, framing, LIMIT,
                      framing_encoder_least(framing, LIMIT) + 1171UL * seed);
}

static void link_end(struct link *link)
{
    free(link->in);
    free(link->out);
}

/* Most are short, some are as long as the link takes. */
static size_t make_frame(enum framing framing, unsigned char *frame, uint32_t *state,
                         size_t *ret_padded)
{
    uint32_t kind = next_random(state) % 8;
    size_t length = kind == 0 ? LIMIT : kind < 3 ? 62 + next_random(state) % (LIMIT - 61) : 62;

    *ret_padded = length;
    if (framing == FRAMING_UNFRAMED)
        return fill_known_frame(frame, length, state);
    fill_frame(frame, length, state);
    return length;
}

/* By turns in both ways of handing a frame over. Returns whether it was full. */
static bool send_one(struct link *link)
{
    uint32_t state = link->sender;
    unsigned char frame[LIMIT], *place;
    enum framing_taken taken;
    size_t padded, size;

    make_frame(link->framing, frame, &state, &padded);
    if (link->sent % 2) {
        taken = framing_encoder_append(&link->encoder, frame, padded);
    } else {
        place = framing_encoder_reserve(&link->encoder, &size);
        if (place)
            memcpy(place, frame, padded);
        taken = place ? framing_encoder_commit(&link->encoder, padded) : FRAMING_FULL;
    }
    must(taken != FRAMING_REFUSED, "what fits is not refused");
    if (taken == FRAMING_FULL)
        return true;
    link->sender = state;
    link->sent++;
    return false;
}

static void receive(struct link *link)
{
    struct framing_frame got;
    unsigned char frame[LIMIT];
    size_t padded;
    enum framing_next next;

    while ((next = framing_decoder_next(&link->decoder, &got)) == FRAMING_FRAME) {
        size_t length = make_frame(link->framing, frame, &link->receiver, &padded);

        must(got.length == length && memcmp(got.bytes, frame, length) == 0,
             "frames are what was sent, in order");
        link->received++;
    }
    must(next == FRAMING_MORE, "what is encoded is right");
}

/* The socket takes a part of what is pending, and the other side reads it in parts. */
static void carry(struct link *link)
{
    size_t size, room;
    const unsigned char *bytes = framing_encoder_pending(&link->encoder, &size);
    size_t n = size < 2 ? size : 1 + next_random(&link->pieces) % size;

    for (size_t at = 0; at < n;) {
        unsigned char *place = framing_decoder_room(&link->decoder, &room);
        size_t most = n - at < room ? n - at : room;
        size_t some = 1 + next_random(&link->pieces) % most;

        memcpy(place, bytes + at, some);
        framing_decoder_filled(&link->decoder, some);
        at += some;
        receive(link);
    }
    framing_encoder_consume(&link->encoder, n);
}

START_TEST(what_is_encoded_is_decoded_however_it_is_split)
{
    for (uint32_t seed = 1; seed <= SEEDS; seed++)
        for (size_t i = 0; i < STREAMS; i++) {
            struct link link;

            link_begin(&link, streams[i], seed);
            while (link.received < FRAMES) {
                for (uint32_t n = next_random(&link.pieces) % 80; n > 0; n--)
                    if (link.sent == FRAMES || send_one(&link))
                        break;
                carry(&link);
            }
            ck_assert_uint_eq(link.sent, FRAMES);
            ck_assert_uint_eq(link.encoder.counts.frames, FRAMES);
            ck_assert_mem_eq(&link.encoder.counts, &link.decoder.counts,
                             sizeof link.decoder.counts);
            ck_assert(!framing_decoder_is_within(&link.decoder));
            link_end(&link);
        }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_are_written_behind_their_headers);
    tcase_add_test(tests, a_frame_may_be_read_to_its_place);
    tcase_add_test(tests, no_frame_of_a_wrong_length_is_sent);
    tcase_add_test(tests, sixteen_bits_refuse_what_they_cannot_say);
    tcase_add_test(tests, unframed_leaves_out_padding_and_refuses_the_unknown);
    tcase_add_test(tests, a_batch_has_so_many_frames);
    tcase_add_test(tests, a_full_buffer_takes_no_part_of_a_frame);
    tcase_add_test(tests, what_was_not_wholly_sent_is_dropped_at_the_end);
    tcase_add_test(tests, what_cannot_work_is_refused_at_the_beginning);
    tcase_add_test(tests, what_is_encoded_is_decoded_however_it_is_split);
}

int main(void)
{
    return suite_run("framing_encoder", add_tests);
}
