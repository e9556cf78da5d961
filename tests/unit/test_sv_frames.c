/* Frames of a template have the samples of their number, are due on the grid of the full second,
 * and cost no allocation. */
#include "suite.h"
#include "sv_frames.h"

#include <string.h>

static unsigned allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    allocations++;
    return __real_realloc(old, size);
}

static struct sv_frames frames;
static const struct iec_frame header = {
    .destination = {1, 0x0c, 0xcd, 4, 0, 1}, .source = {2, 0, 0, 0, 0, 1}, .app_id = 0x4000};

static void take(void *context, uint64_t number, int32_t *values, uint32_t *qualities)
{
    (void)context;
    for (unsigned i = 0; i < 8; i++) {
        values[i] = (int32_t)(number * 10 + i) * (i % 2 ? -1 : 1);
        qualities[i] = (uint32_t)number + i;
    }
}

static bool begin(uint32_t rate, unsigned asdus, size_t id_length)
{
    static char id[SV_FRAME_BYTES];

    memset(id, 'x', sizeof id);
    frames = (struct sv_frames){.rate = rate, .asdus = asdus, .channels = 8};
    return sv_frames_begin(
        &frames, &header,
        &(struct sv_asdu){.sv_id = {id, id_length}, .conf_rev = 3, .smp_synch = 2});
}

static void agrees(uint64_t number)
{
    const struct sv_samples samples = {NULL, take};
    unsigned before = allocations;
    uint64_t due = sv_frames_next(&frames, number, &samples);
    struct sv_message message;
    struct iec_fault fault;
    int32_t values[8];
    uint32_t qualities[8];

    before = allocations - before;
    ck_assert_uint_eq(before, 0);
    ck_assert(sv_decode(frames.frame, frames.length, &message, &fault));
    ck_assert_uint_eq(message.asdus, frames.asdus);
    for (unsigned i = 0; i < frames.asdus; i++) {
        uint64_t sample = number * frames.asdus + i;

        take(NULL, sample, values, qualities);
        ck_assert_uint_eq(message.asdu[i].smp_cnt, sample % frames.rate);
        ck_assert_uint_eq(message.asdu[i].conf_rev, 3);
        ck_assert_uint_eq(message.asdu[i].smp_synch, 2);
        for (unsigned c = 0; c < 8; c++) {
            ck_assert_int_eq(sv_value(&message.asdu[i], c), values[c]);
            ck_assert_uint_eq(sv_quality(&message.asdu[i], c), qualities[c]);
        }
        ck_assert_uint_eq(due,
                          sv_sample_due(frames.rate, number * frames.asdus + frames.asdus - 1));
    }
}

START_TEST(samples_are_those_of_their_number)
{
    static const unsigned pairs[][2] = {{4000, 1}, {4800, 2}, {12800, 8}, {14400, 6}};

    for (unsigned i = 0; i < 4; i++) {
        ck_assert(begin(pairs[i][0], pairs[i][1], 11));
        for (uint64_t number = 0; number < 2 * pairs[i][0] / pairs[i][1]; number += 7)
            agrees(number);
    }
}
END_TEST

START_TEST(each_second_begins_with_zero)
{
    ck_assert_uint_eq(sv_sample_due(4800, 0), 0);
    ck_assert_uint_eq(sv_sample_due(4800, 1), 208333);
    for (uint64_t second = 0; second < UINT64_C(1000000000); second += 99999999)
        ck_assert_uint_eq(sv_sample_due(14400, second * 14400), second * 1000000000);
    ck_assert_uint_eq(sv_sample_due(65535, 65534), UINT64_C(65534000000000) / 65535);
}
END_TEST

START_TEST(what_is_too_long_is_none)
{
    ck_assert(begin(4800, 8, 80));
    ck_assert(!begin(4800, 16, 11));
    ck_assert(!begin(4800, 1, SV_FRAME_BYTES));
}
END_TEST

/* Each sample has its time, and says whether its clock is synchronised. */
START_TEST(times_are_those_of_samples)
{
    const struct sv_samples samples = {NULL, take};
    const uint64_t start = UINT64_C(1700000000) * 1000000000;
    struct sv_message message;
    struct iec_fault fault;

    frames = (struct sv_frames){.rate = 14400, .asdus = 6, .channels = 8, .start = start};
    ck_assert(sv_frames_begin(&frames, &header,
                              &(struct sv_asdu){.sv_id = {"x", 1},
                                                .has_refr_tm = true,
                                                .refr_tm = {.quality = 0x20 | 20},
                                                .smp_synch = 0}));
    for (uint64_t number = 0; number < 5000; number += 99) {
        sv_frames_synch(&frames, number % 2);
        sv_frames_next(&frames, number, &samples);
        ck_assert(sv_decode(frames.frame, frames.length, &message, &fault));
        for (unsigned i = 0; i < 6; i++) {
            uint64_t time = start + (number * 6 + i) * 1000000000 / 14400;
            uint64_t found = message.asdu[i].refr_tm.ns;

            ck_assert_uint_le(found > time ? found - time : time - found, 60);
            ck_assert_uint_eq(message.asdu[i].refr_tm.quality, number % 2 ? 20 : 0x20 | 20);
            ck_assert_uint_eq(message.asdu[i].smp_synch, number % 2);
        }
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, times_are_those_of_samples);
    tcase_add_test(tests, samples_are_those_of_their_number);
    tcase_add_test(tests, each_second_begins_with_zero);
    tcase_add_test(tests, what_is_too_long_is_none);
}

int main(void)
{
    return suite_run("sv_frames", add_tests);
}
