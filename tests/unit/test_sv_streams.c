/* Streams of Sampled Values, from frames: who they are, what is lost, when frames come, phasors;
 * and that a frame allocates nothing. */
#include "suite.h"
#include "sv_streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 8, NS_PER_SECOND = 1000000000, FRAME_MAX = 1522 };

static struct sv_streams streams;

/* --- Allocations, by the linker's --wrap ---------------------------------------------------- */

static unsigned allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

/* --- A publisher ---------------------------------------------------------------------------- */

struct publisher {
    const char *id;
    uint32_t rate;
    double frequency;
    unsigned asdus;
    uint16_t app_id;
    bool tells_rate;
    unsigned channels; /* 0: CHANNELS */
};

static void begin(void)
{
    sv_streams_end(&streams);
    ck_assert(sv_streams_begin(&streams));
}

static unsigned channels_of(const struct publisher *publisher)
{
    return publisher->channels ? publisher->channels : CHANNELS;
}

static void fill_sample(const struct publisher *publisher, uint64_t n, uint8_t *sample)
{
    double angle = 2 * M_PI * publisher->frequency * (double)n / publisher->rate;

    for (unsigned i = 0; i < channels_of(publisher); i++)
        sv_put_channel(sample, i, (int32_t)lrint(1e5 * M_SQRT2 * cos(angle - i * M_PI / 6)), i);
}

/* The frame that begins with the nth sample, through its bytes. */
static void publish(const struct publisher *publisher, uint64_t n, uint64_t time)
{
    static uint8_t samples[SV_ASDUS_MAX][SV_CHANNELS_MAX * SV_CHANNEL_BYTES], bytes[FRAME_MAX];
    struct sv_message message = {.frame.app_id = publisher->app_id, .asdus = publisher->asdus};
    struct iec_fault fault;
    size_t length;

    for (unsigned i = 0; i < publisher->asdus; i++) {
        fill_sample(publisher, n + i, samples[i]);
        message.asdu[i] = (struct sv_asdu){
            .sv_id = {publisher->id, strlen(publisher->id)},
            .smp_cnt = (uint16_t)((n + i) % publisher->rate),
            .conf_rev = 1,
            .smp_synch = SV_GLOBAL_CLOCK,
            .sample = samples[i],
            .sample_length = (size_t)channels_of(publisher) * SV_CHANNEL_BYTES,
            .has_smp_rate = publisher->tells_rate,
            .smp_rate = (uint16_t)publisher->rate,
            .has_smp_mod = publisher->tells_rate,
            .smp_mod = SV_SAMPLES_PER_SECOND,
        };
    }
    length = sv_encode(&message, bytes, sizeof bytes);
    if (!sv_decode(bytes, length, &message, &fault))
        ck_abort_msg("%s", fault.why); /* ck_assert allocates */
    sv_streams_take(&streams, &message, time);
}

static uint64_t time_of(const struct publisher *publisher, uint64_t n)
{
    return n * NS_PER_SECOND / publisher->rate;
}

static void publish_all(const struct publisher *publisher, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n += publisher->asdus)
        publish(publisher, n, time_of(publisher, n));
}

static uint64_t jitters(const struct sv_stream *stream)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < TRANSMIT_BUCKETS; i++)
        count += stream->jitter.histogram[i];
    return count;
}

/* The profiles, a rate that is told, and other numbers of channels. */
static const struct publisher publishers[] = {
    {"MU01", 4000, 50.2, 1, 0x4000, false, 0},   {"MU02", 4800, 60, 1, 0x4000, false, 0},
    {"MU03", 12800, 49.5, 8, 0x4000, false, 0},  {"MU04", 15360, 61.7, 8, 0x4000, false, 0},
    {"MU05", 4800, 50, 2, 0x4000, true, 0},      {"MU06", 14400, 59.2, 6, 0x4000, true, 0},
    {"MU07", 4800, 60.3, 1, 0x4000, false, 180}, {"MU08", 4800, 49.9, 2, 0x4000, true, 24},
    {"MU09", 4000, 50, 1, 0x4000, false, 1},     {"MU10", 14400, 45, 6, 0x4000, true, 12},
    {"MU11", 12800, 65, 8, 0x4000, false, 3},
};

START_TEST(a_stream_is_followed)
{
    const struct publisher *publisher = &publishers[_i];
    struct sv_stream *stream;

    begin();
    stream = &streams.streams[0];
    publish_all(publisher, 0, publisher->rate + publisher->rate / 2);
    ck_assert_uint_eq(streams.count, 1);
    ck_assert_str_eq(stream->id, publisher->id);
    ck_assert_uint_eq(stream->counting.rate, publisher->rate);
    ck_assert_uint_eq(stream->counting.lost + stream->counting.repeated, 0);
    ck_assert_uint_eq(stream->asdus, publisher->asdus);
    ck_assert_uint_eq(stream->channels, channels_of(publisher));
    ck_assert_uint_eq(stream->quality[channels_of(publisher) - 1], channels_of(publisher) - 1);
    ck_assert_uint_gt(jitters(stream), 100);
    ck_assert_uint_le(stream->jitter.most, 1); /* times are whole ns */
    ck_assert(sv_stream_analyse(&streams, stream));
    ck_assert(fabs(stream->phasors.frequency - publisher->frequency) < 0.001);
    ck_assert(stream->nominal == (publisher->frequency < 55 ? 50 : 60));
    for (unsigned i = 0; i < channels_of(publisher); i++)
        ck_assert(fabs(stream->phasors.channels[i].harmonics[1].magnitude - 1e5) < 100);
    if (channels_of(publisher) == 1)
        return;
    ck_assert(fabs(remainder(stream->phasors.channels[0].harmonics[1].angle -
                                 stream->phasors.channels[1].harmonics[1].angle - 30,
                             360)) < 0.1);
}
END_TEST

START_TEST(streams_are_told_apart)
{
    struct publisher other = publishers[0];

    begin();
    other.app_id = 0x4001;
    for (unsigned n = 0; n < 100; n++) {
        publish(&publishers[0], n, n);
        publish(&publishers[1], n, n);
        publish(&other, n, n);
    }
    ck_assert_uint_eq(streams.count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(streams.streams[i].counting.samples, 100);
}
END_TEST

START_TEST(there_is_an_end_of_streams)
{
    struct publisher other = publishers[0];

    begin();
    for (unsigned i = 0; i < SV_STREAMS_MAX + 10; i++) {
        other.app_id = (uint16_t)i;
        publish(&other, 0, 0);
    }
    ck_assert_uint_eq(streams.count, SV_STREAMS_MAX);
    ck_assert_uint_eq(streams.refused, 10);
}
END_TEST

/* Memory is what there was at the begin, whatever streams have: later ones have no phasors. */
START_TEST(there_is_an_end_of_channels)
{
    struct publisher other = publishers[0];

    begin();
    other.channels = 60;
    for (unsigned i = 0; i < 20; i++) {
        other.app_id = (uint16_t)i;
        publish_all(&other, 0, 2100);
        ck_assert_uint_eq(streams.streams[i].channels, i < 17 ? 60 : i == 17 ? 4 : 0);
        ck_assert_uint_eq(streams.streams[i].counting.samples, 2100);
        ck_assert_uint_le(streams.used, SV_STREAMS_CHANNELS);
        sv_stream_analyse(&streams, &streams.streams[i]);
    }
    ck_assert_uint_eq(streams.used, SV_STREAMS_CHANNELS);
}
END_TEST

/* A stream that has more channels than it had at first has those that there is room for. */
START_TEST(channels_may_change)
{
    struct publisher other = publishers[0], next = publishers[0];

    begin();
    other.channels = 4;
    next.app_id = 1;
    publish_all(&other, 0, 1000);
    publish_all(&next, 0, 1100);
    other.channels = 100;
    publish_all(&other, 1000, 2000);
    ck_assert_uint_eq(streams.streams[0].channels, 4);
    ck_assert(sv_stream_analyse(&streams, &streams.streams[0]));
    ck_assert(fabs(streams.streams[0].phasors.channels[3].harmonics[1].magnitude - 1e5) < 100);
    ck_assert(sv_stream_analyse(&streams, &streams.streams[1]));
    ck_assert(fabs(streams.streams[1].phasors.channels[0].harmonics[1].magnitude - 1e5) < 100);
    other.channels = 2;
    publish_all(&other, 2000, 3000);
    ck_assert_uint_eq(streams.streams[0].channels, 2);
    ck_assert(sv_stream_analyse(&streams, &streams.streams[0]));
}
END_TEST

/* A stream that begins anew goes on being followed: its phasors are those of the new samples. */
START_TEST(a_stream_may_begin_anew)
{
    struct publisher other = publishers[5];
    struct sv_stream *stream;
    uint64_t later = UINT64_C(2) * NS_PER_SECOND;

    begin();
    stream = &streams.streams[0];
    publish_all(&other, 0, 20400);
    ck_assert(sv_stream_analyse(&streams, stream));
    other.frequency = 60.6;
    for (uint64_t n = 3000; n < 9000; n += other.asdus)
        publish(&other, n, later + time_of(&other, n - 3000));
    ck_assert_uint_eq(streams.count, 1);
    ck_assert_uint_eq(stream->counting.repeated + stream->counting.late, 0);
    ck_assert(sv_stream_analyse(&streams, stream));
    ck_assert(fabs(stream->phasors.frequency - 60.6) < 0.001);
}
END_TEST

/* The count goes round within a frame, and the first frame of all may be in the middle of a second.
 */
START_TEST(the_count_goes_round_anywhere)
{
    static const uint64_t firsts[] = {14399, 14397, 1, 7201};

    for (unsigned i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        begin();
        publish_all(&publishers[5], firsts[i], firsts[i] + 30000);
        ck_assert_uint_eq(streams.streams[0].counting.samples, 30000);
        ck_assert_uint_eq(streams.streams[0].counting.lost + streams.streams[0].counting.repeated +
                              streams.streams[0].counting.restarts,
                          0);
        ck_assert(sv_stream_analyse(&streams, &streams.streams[0]));
        ck_assert(fabs(streams.streams[0].phasors.frequency - 59.2) < 0.001);
    }
}
END_TEST

/* Frames of several samples are lost and repeated as a whole, also around the full second. */
START_TEST(whole_frames_are_lost_and_repeated)
{
    const struct publisher *publisher = &publishers[_i ? 5 : 2]; /* 14400 by 6, 12800 by 8 */
    unsigned asdus = publisher->asdus;
    uint64_t second = publisher->rate;
    struct sv_stream *stream;

    begin();
    stream = &streams.streams[0];
    publish_all(publisher, 0, second - asdus);
    publish(publisher, second, time_of(publisher, second)); /* the last one of the second is lost */
    ck_assert_uint_eq(stream->counting.lost, asdus);
    publish(publisher, second, time_of(publisher, second));
    ck_assert_uint_eq(stream->counting.repeated, asdus);
    publish(publisher, second - asdus, time_of(publisher, second)); /* it comes at last */
    ck_assert_uint_eq(stream->counting.lost, 0);
    ck_assert_uint_eq(stream->counting.late, asdus);
    publish_all(publisher, second + asdus, 2 * second);
    ck_assert_uint_eq(stream->counting.lost, 0);
    ck_assert_uint_eq(stream->counting.repeated, asdus);
    ck_assert_uint_eq(stream->counting.restarts, 0);
}
END_TEST

/* No phasor is made of samples with a gap between them. */
START_TEST(phasors_wait_behind_a_gap)
{
    const struct publisher *publisher = &publishers[0];
    struct sv_stream *stream;

    begin();
    stream = &streams.streams[0];
    publish_all(publisher, 0, 4500);
    publish_all(publisher, 4501, 4600);
    ck_assert_uint_eq(stream->counting.lost, 1);
    ck_assert(!sv_stream_analyse(&streams, stream));
    publish_all(publisher, 4600, 4800);
    ck_assert(sv_stream_analyse(&streams, stream));
    publish(publisher, 4799, time_of(publisher, 4799));
    ck_assert_uint_eq(stream->counting.repeated, 1);
    ck_assert(sv_stream_analyse(&streams, stream));
    ck_assert(fabs(stream->phasors.frequency - 50.2) < 0.001);
}
END_TEST

START_TEST(jitter_is_how_far_frames_are_off)
{
    const struct publisher *publisher = &publishers[0];
    struct sv_stream *stream;

    begin();
    stream = &streams.streams[0];
    publish_all(publisher, 0, 2000);
    memset(&stream->jitter, 0, sizeof stream->jitter);
    for (uint64_t n = 2000; n < 3000; n++)
        publish(publisher, n, time_of(publisher, n) + (n == 2500 ? 70000 : 0));
    ck_assert_uint_eq(jitters(stream), 1000);
    ck_assert_uint_eq(stream->jitter.most, 70000);
    ck_assert_uint_eq(quantiles_at(&stream->jitter, 500000), 0);
}
END_TEST

START_TEST(a_frame_allocates_nothing)
{
    unsigned counted;
    bool analysed;

    free(malloc(1));
    ck_assert_uint_gt(allocations, 0);
    begin();
    allocations = 0;
    publish_all(&publishers[4], 0, 6000);
    analysed = sv_stream_analyse(&streams, &streams.streams[0]);
    counted = allocations;
    ck_assert(analysed);
    ck_assert_uint_eq(counted, 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_stream_is_followed, 0, sizeof publishers / sizeof *publishers);
    tcase_add_test(tests, streams_are_told_apart);
    tcase_add_test(tests, there_is_an_end_of_streams);
    tcase_add_test(tests, there_is_an_end_of_channels);
    tcase_add_test(tests, channels_may_change);
    tcase_add_test(tests, a_stream_may_begin_anew);
    tcase_add_test(tests, the_count_goes_round_anywhere);
    tcase_add_loop_test(tests, whole_frames_are_lost_and_repeated, 0, 2);
    tcase_add_test(tests, phasors_wait_behind_a_gap);
    tcase_add_test(tests, jitter_is_how_far_frames_are_off);
    tcase_add_test(tests, a_frame_allocates_nothing);
}

int main(void)
{
    return suite_run("sv_streams", add_tests);
}
