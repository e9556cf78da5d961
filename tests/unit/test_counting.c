/* The count of samples: lost, repeated and late ones are told exactly, also where the count goes
 * round, and the rate is found. */
#include "counting.h"
#include "suite.h"

#include <string.h>

enum { NS_PER_SECOND = 1000000000 };

static struct counting counting;
static uint64_t now;

/* The nth sample since the begin of a stream. */
static enum counted take(uint32_t rate, uint64_t n)
{
    return counting_take(&counting, (uint16_t)(n % rate), now = n * UINT64_C(1000000000) / rate);
}

static void begin(uint32_t rate)
{
    memset(&counting, 0, sizeof counting);
    if (rate)
        counting_set_rate(&counting, rate);
}

static void assert_counts(uint64_t lost, uint64_t repeated, uint64_t late, uint64_t restarts)
{
    ck_assert_uint_eq(counting.lost, lost);
    ck_assert_uint_eq(counting.repeated, repeated);
    ck_assert_uint_eq(counting.late, late);
    ck_assert_uint_eq(counting.restarts, restarts);
}

static const uint32_t rates[] = {4000, 4800, 12800, 14400, 15360};

/* The rate is not told. */
START_TEST(a_whole_stream_has_nothing_to_tell)
{
    begin(0);
    for (uint64_t n = 3; n < UINT64_C(3) * rates[_i]; n++)
        ck_assert_int_eq(take(rates[_i], n), COUNTED_NEXT);
    assert_counts(0, 0, 0, 0);
    ck_assert_uint_eq(counting.rate, rates[_i]);
}
END_TEST

START_TEST(the_rate_is_found_before_the_count_goes_round)
{
    begin(0);
    for (uint64_t n = 0; n <= rates[_i] / 4; n++) {
        ck_assert_uint_eq(counting.rate, 0);
        take(rates[_i], n);
    }
    ck_assert_uint_eq(counting.rate, rates[_i]);
}
END_TEST

/* Frames come late behind a stall of 40 or 50 ms, at the begin or anywhere: what the time around it
 * would tell is another rate that there is. */
START_TEST(a_stall_tells_no_rate)
{
    static const struct {
        uint32_t rate;
        uint64_t stalled; /* ns */
    } streams[] = {{4000, 45000000}, {4800, 50000000}, {4800, 25000000}, {4800, 21000000}};
    uint32_t rate = streams[_i].rate;

    for (uint64_t begin_at = 0; begin_at < rate; begin_at += 37) {
        uint64_t over = begin_at * NS_PER_SECOND / rate + streams[_i].stalled;

        begin(0);
        for (uint64_t n = 0; n < 2 * rate; n++) {
            uint64_t time = n * NS_PER_SECOND / rate;

            counting_take(&counting, (uint16_t)(n % rate),
                          n >= begin_at && time < over ? over : time);
            ck_assert_msg(counting.rate == 0 || counting.rate == rate, "%u at %u, stalled at %u",
                          counting.rate, (unsigned)n, (unsigned)begin_at);
        }
        ck_assert_uint_eq(counting.rate, rate);
        assert_counts(0, 0, 0, 0);
    }
}
END_TEST

/* Frames come in bunches, as from a receiver that is told of several at a time. */
START_TEST(the_count_tells_the_rate_where_time_does_not)
{
    begin(0);
    for (uint64_t n = 3000; n < 9000; n++)
        counting_take(&counting, (uint16_t)(n % 4000), n / 4000 * 10);
    ck_assert_uint_eq(counting.rate, 4000);
    assert_counts(0, 0, 0, 0);
}
END_TEST

START_TEST(lost_samples_are_counted)
{
    begin(4000);
    take(4000, 10);
    ck_assert_int_eq(take(4000, 12), COUNTED_GAP);
    assert_counts(1, 0, 0, 0);
    take(4000, 3990);
    assert_counts(1 + 3977, 0, 0, 0); /* within the second that the clock tells */
    ck_assert_int_eq(take(4000, 4005), COUNTED_GAP);
    assert_counts(1 + 3977 + 14, 0, 0, 0);
    ck_assert_int_eq(take(4000, 4006), COUNTED_NEXT);
}
END_TEST

/* Longer than the count: only the clock says how many. */
START_TEST(a_long_gap_is_told_exactly)
{
    static const uint64_t gaps[] = {1999, 2000, 2001, 3999, 4000, 4001, 7999, 8000, 12001, 400000};

    for (unsigned i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        begin(4000);
        take(4000, 100);
        ck_assert_int_eq(take(4000, 101 + gaps[i]), COUNTED_GAP);
        ck_assert_uint_eq(counting.lost, gaps[i]);
    }
}
END_TEST

START_TEST(repeated_samples_are_counted)
{
    begin(4800);
    for (uint64_t n = 4700; n < 4810; n++)
        take(4800, n);
    ck_assert_int_eq(take(4800, 4809), COUNTED_REPEATED);
    ck_assert_int_eq(take(4800, 4799), COUNTED_REPEATED);
    ck_assert_int_eq(take(4800, 4809 - 63), COUNTED_REPEATED);
    assert_counts(0, 3, 0, 0);
    ck_assert_int_eq(take(4800, 4810), COUNTED_NEXT);
}
END_TEST

/* One that overtook another: nothing was lost in the end. */
START_TEST(late_samples_are_not_lost)
{
    begin(4000);
    take(4000, 3998);
    take(4000, 4000);
    assert_counts(1, 0, 0, 0);
    ck_assert_int_eq(take(4000, 3999), COUNTED_LATE);
    assert_counts(0, 0, 1, 0);
    ck_assert_int_eq(take(4000, 3999), COUNTED_REPEATED);
    ck_assert_int_eq(take(4000, 4001), COUNTED_NEXT);
}
END_TEST

START_TEST(a_publisher_may_begin_anew)
{
    begin(4000);
    take(4000, 2000);
    ck_assert_int_eq(counting_take(&counting, 100, now + 250000), COUNTED_RESTART);
    assert_counts(0, 0, 0, 1);
    ck_assert_int_eq(counting_take(&counting, 101, now + 500000), COUNTED_NEXT);
    ck_assert_int_eq(counting_take(&counting, 4000, now + 750000), COUNTED_RESTART);
}
END_TEST

/* Every number may come: nothing but counts comes of it. */
START_TEST(any_count_is_no_harm)
{
    uint32_t state = 7;

    for (uint32_t rate = 0; rate < 70000; rate += 4100) {
        begin(rate);
        for (unsigned i = 0; i < 20000; i++) {
            state = state * 1664525 + 1013904223;
            counting_take(&counting, (uint16_t)(state >> 16), state % 3 ? now : (now += state));
        }
        ck_assert_uint_eq(counting.samples, 20000);
        ck_assert_uint_le(counting.repeated + counting.late + counting.restarts, 20000);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    enum { RATES = sizeof rates / sizeof *rates };

    tcase_add_loop_test(tests, a_whole_stream_has_nothing_to_tell, 0, RATES);
    tcase_add_loop_test(tests, the_rate_is_found_before_the_count_goes_round, 0, RATES);
    tcase_add_loop_test(tests, a_stall_tells_no_rate, 0, 4);
    tcase_add_test(tests, the_count_tells_the_rate_where_time_does_not);
    tcase_add_test(tests, lost_samples_are_counted);
    tcase_add_test(tests, a_long_gap_is_told_exactly);
    tcase_add_test(tests, repeated_samples_are_counted);
    tcase_add_test(tests, late_samples_are_not_lost);
    tcase_add_test(tests, a_publisher_may_begin_anew);
    tcase_add_test(tests, any_count_is_no_harm);
}

int main(void)
{
    return suite_run("counting", add_tests);
}
