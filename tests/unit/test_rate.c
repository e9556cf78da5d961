/* How many frames may be sent: at a rate, with bursts of 10 ms, whatever the clock does. */
#include "resources/inject/rate.h"
#include "suite.h"

#define MS UINT64_C(1000000)

START_TEST(a_rate_is_kept)
{
    struct rate rate;
    uint64_t sent = 0;

    rate_begin(&rate, 4800, 0);
    ck_assert_uint_eq(rate_frames(&rate, 0), 48);
    for (uint64_t now = 0; now <= 10000 * MS; now += MS / 2) {
        uint64_t frames = rate_frames(&rate, now);

        sent += frames;
        rate_take(&rate, frames);
    }
    ck_assert_uint_eq(sent, 48 + 48000);
}
END_TEST

START_TEST(what_was_not_used_is_no_burst)
{
    struct rate rate;

    rate_begin(&rate, 150000000, 5);
    ck_assert_uint_eq(rate_frames(&rate, UINT64_MAX / 2), 1500000);
    rate_take(&rate, 1500000);
    ck_assert_uint_eq(rate_frames(&rate, 7), 0); /* a clock that goes back */
}
END_TEST

START_TEST(it_says_when_there_is_one)
{
    struct rate rate;

    rate_begin(&rate, 3, 0);
    ck_assert_uint_eq(rate_frames(&rate, 0), 1);
    ck_assert_uint_eq(rate_wait(&rate), 0);
    rate_take(&rate, 1);
    ck_assert_uint_eq(rate_wait(&rate), 333333334);
    ck_assert_uint_eq(rate_frames(&rate, 333333333), 0);
    ck_assert_uint_eq(rate_wait(&rate), 1);
    ck_assert_uint_eq(rate_frames(&rate, 333333334), 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_rate_is_kept);
    tcase_add_test(tests, what_was_not_used_is_no_burst);
    tcase_add_test(tests, it_says_when_there_is_one);
}

int main(void)
{
    return suite_run("rate", add_tests);
}
