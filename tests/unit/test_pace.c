/* When frames are sent: by their times, a rate or an interval, without an error that grows. */
#include "pace.h"
#include "suite.h"

#define SECOND UINT64_C(1000000000)

static uint64_t next(struct pace *pace, uint64_t time)
{
    uint64_t offset = UINT64_MAX;

    ck_assert_int_eq(pace_next(pace, true, time, &offset), PACE_OFFSET);
    return offset;
}

START_TEST(numbers_are_divided_without_a_loss)
{
    static const struct {
        uint64_t n;
        unsigned thousands;
        uint64_t divisor, expected; /* UINT64_MAX: too large */
    } cases[] = {
        {0, 5, 1, 0},
        {7, 0, 2, 3},
        {1, 5, 3, 333333333333333},
        {UINT64_MAX - 1, 0, 1, UINT64_MAX - 1},
        {UINT64_MAX, 2, 1000000, UINT64_MAX},
        {UINT64_MAX, 1, 999, UINT64_MAX},
        {1000000007, 5, PACE_NUMBER_MAX, 100000000},
        {PACE_NUMBER_MAX - 1, 1, PACE_NUMBER_MAX, 999},
        {UINT64_MAX / 1000, 1, 1, UINT64_MAX / 1000 * 1000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t seen = UINT64_MAX;

        pace_scale(cases[i].n, cases[i].thousands, cases[i].divisor, &seen);
        ck_assert_uint_eq(seen, cases[i].expected);
    }
    ck_assert(!pace_scale(UINT64_MAX, 1, 999, &(uint64_t){0}));
    ck_assert(pace_scale(UINT64_MAX, 1, 1000, &(uint64_t){0}));
}
END_TEST

START_TEST(the_pace_of_a_file_is_that_of_its_times)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 1000000};

    ck_assert_uint_eq(next(&pace, 5 * SECOND), 0);
    ck_assert_uint_eq(next(&pace, 5 * SECOND), 0);
    ck_assert_uint_eq(next(&pace, 5 * SECOND + 1), 1);
    ck_assert_uint_eq(next(&pace, 8 * SECOND + 7), 3 * SECOND + 7);
}
END_TEST

START_TEST(speed_divides_times)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 2500000, .delay = 3}; /* 2.5 */

    ck_assert_uint_eq(next(&pace, SECOND), 3);
    ck_assert_uint_eq(next(&pace, SECOND + 1000), 403);
    pace = (struct pace){.kind = PACE_TIMES, .number = 1}; /* a millionth */
    ck_assert_uint_eq(next(&pace, 0), 0);
    ck_assert_uint_eq(next(&pace, 9), 9000000);
    ck_assert_int_eq(pace_next(&pace, true, UINT64_MAX, &(uint64_t){0}), PACE_TOO_FAR);
}
END_TEST

/* They are sent with what comes before them in the file, as it was captured. */
START_TEST(times_that_go_back_do_not)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 1000000};

    next(&pace, SECOND);
    ck_assert_uint_eq(next(&pace, SECOND + 50), 50);
    ck_assert_uint_eq(next(&pace, SECOND - 50), 50);
    ck_assert_uint_eq(next(&pace, SECOND + 49), 50);
    ck_assert_uint_eq(next(&pace, SECOND + 51), 51);
    ck_assert_uint_eq(pace.backwards, 2);
}
END_TEST

/* A second, an hour, and all: the frames behind it have their gaps, in each pass. */
START_TEST(a_clock_that_was_set_back_makes_no_burst)
{
    static const uint64_t back[] = {SECOND, 3600 * SECOND, 7200 * SECOND};

    for (size_t i = 0; i < sizeof back / sizeof *back; i++) {
        struct pace pace = {.kind = PACE_TIMES, .number = 1000000};

        for (uint64_t pass = 0; pass < 3; pass++) {
            ck_assert(pass == 0 || pace_pass(&pace));
            ck_assert_uint_eq(next(&pace, 7200 * SECOND), pass * 400);
            ck_assert_uint_eq(next(&pace, 7200 * SECOND + 100), pass * 400 + 100);
            ck_assert_uint_eq(next(&pace, 7200 * SECOND + 100 - back[i]), pass * 400 + 100);
            ck_assert_uint_eq(next(&pace, 7200 * SECOND + 200 - back[i]), pass * 400 + 200);
            ck_assert_uint_eq(next(&pace, 7200 * SECOND + 300 - back[i]), pass * 400 + 300);
            pace.pass_frames--; /* one has no gap before it */
        }
        ck_assert_uint_eq(pace.backwards, 3);
    }
}
END_TEST

START_TEST(frames_without_a_time_have_no_pace_of_their_own)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 1000000};
    uint64_t offset = 7;

    ck_assert_int_eq(pace_next(&pace, false, 0, &offset), PACE_NO_TIME);
    ck_assert_uint_eq(offset, 7);
    pace.kind = PACE_RATE;
    ck_assert_int_eq(pace_next(&pace, false, 0, &offset), PACE_OFFSET);
}
END_TEST

/* Between two passes is the mean of the gaps, and each pass begins where it would after any number
 * of others. */
START_TEST(passes_follow_each_other_as_frames_do)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 3000000};

    for (uint64_t pass = 0; pass < 10000; pass++) {
        ck_assert(pass == 0 || pace_pass(&pace));
        ck_assert_uint_eq(next(&pace, SECOND), pass * 310 / 3);
        ck_assert_uint_eq(next(&pace, SECOND + 5), (pass * 310 + 5) / 3);
        ck_assert_uint_eq(next(&pace, SECOND + 207), (pass * 310 + 207) / 3);
    }
}
END_TEST

START_TEST(passes_of_one_time_have_no_gap)
{
    struct pace pace = {.kind = PACE_TIMES, .number = 1000000};

    next(&pace, SECOND);
    ck_assert(!pace_pass(&pace));
    pace.kind = PACE_RATE;
    ck_assert(pace_pass(&pace));
}
END_TEST

/* 4.8 billion frames at 4800 a second take a million seconds, to the nanosecond. */
START_TEST(a_rate_does_not_drift)
{
    struct pace pace = {.kind = PACE_RATE, .number = UINT64_C(4800000000)};

    ck_assert_uint_eq(next(&pace, 0), 0);
    ck_assert_uint_eq(next(&pace, 0), 208333);
    ck_assert_uint_eq(next(&pace, 0), 416666);
    ck_assert_uint_eq(next(&pace, 0), 625000);
    pace.frames = UINT64_C(4800000000);
    ck_assert_uint_eq(next(&pace, 0), 1000000 * SECOND);
    pace = (struct pace){.kind = PACE_RATE, .number = 500000}; /* one in two seconds */
    pace.frames = 3;
    ck_assert_uint_eq(next(&pace, 0), 6 * SECOND);
    ck_assert(pace_pass(&pace));
    ck_assert_uint_eq(next(&pace, 0), 8 * SECOND);
    pace.frames = UINT64_MAX / 1000;
    ck_assert_int_eq(pace_next(&pace, true, 0, &(uint64_t){0}), PACE_TOO_FAR);
}
END_TEST

START_TEST(an_interval_is_multiplied)
{
    struct pace pace = {.kind = PACE_INTERVAL, .number = 250000, .delay = SECOND};

    ck_assert_uint_eq(next(&pace, 0), SECOND);
    ck_assert_uint_eq(next(&pace, 0), SECOND + 250000);
    pace.frames = UINT64_MAX / 250000 + 1;
    ck_assert_int_eq(pace_next(&pace, true, 0, &(uint64_t){0}), PACE_TOO_FAR);
    pace = (struct pace){.kind = PACE_NONE};
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(next(&pace, i * SECOND), 0);
}
END_TEST

START_TEST(numbers_are_read_with_their_places)
{
    static const struct {
        const char *text;
        unsigned places;
        uint64_t expected; /* UINT64_MAX: none */
    } cases[] = {
        {"1", 6, 1000000},
        {"0.5", 6, 500000},
        {"1.500", 2, 150},
        {"12.345", 3, 12345},
        {"0", 9, 0},
        {"10000000000", 6, PACE_NUMBER_MAX},
        {"007", 0, 7},
        {"7.0", 0, 7},
        {"10000000001", 6, UINT64_MAX},
        {"99999999999999999999999", 0, UINT64_MAX},
        {"1.5", 0, UINT64_MAX},
        {"1.2345", 3, UINT64_MAX},
        {"", 6, UINT64_MAX},
        {".5", 6, UINT64_MAX},
        {"1.", 6, UINT64_MAX},
        {"1.5.2", 6, UINT64_MAX},
        {"-1", 6, UINT64_MAX},
        {"+1", 6, UINT64_MAX},
        {"1e3", 6, UINT64_MAX},
        {" 1", 6, UINT64_MAX},
        {"1 ", 6, UINT64_MAX},
        {"nan", 6, UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t seen = UINT64_MAX;
        bool is_one = pace_parse(cases[i].text, cases[i].places, &seen);

        ck_assert_msg(is_one == (cases[i].expected != UINT64_MAX), "'%s'", cases[i].text);
        ck_assert_msg(seen == cases[i].expected, "'%s': %lu", cases[i].text, (unsigned long)seen);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, numbers_are_divided_without_a_loss);
    tcase_add_test(tests, the_pace_of_a_file_is_that_of_its_times);
    tcase_add_test(tests, speed_divides_times);
    tcase_add_test(tests, times_that_go_back_do_not);
    tcase_add_test(tests, a_clock_that_was_set_back_makes_no_burst);
    tcase_add_test(tests, frames_without_a_time_have_no_pace_of_their_own);
    tcase_add_test(tests, passes_follow_each_other_as_frames_do);
    tcase_add_test(tests, passes_of_one_time_have_no_gap);
    tcase_add_test(tests, a_rate_does_not_drift);
    tcase_add_test(tests, an_interval_is_multiplied);
    tcase_add_test(tests, numbers_are_read_with_their_places);
}

int main(void)
{
    return suite_run("pace", add_tests);
}
