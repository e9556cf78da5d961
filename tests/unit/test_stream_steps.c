/* The clock is set: that is seen, and the time base goes with it. */
#include "steps.h"
#include "suite.h"

#include <string.h>

#define SECOND UINT64_C(1000000000)
#define MS     UINT64_C(1000000)

static struct steps steps;
static uint64_t mono, offset;

static void begin(void)
{
    memset(&steps, 0, sizeof steps);
    mono = 5 * SECOND;
    offset = 1700000000 * SECOND;
}

/* A reading a while later, in which so many ns passed between the clocks. */
static int64_t later(uint64_t apart)
{
    struct steps_reading reading;

    mono += 20 * MS;
    reading = (struct steps_reading){mono, mono + apart / 2 + offset, mono + apart};
    mono += apart;
    return steps_take(&steps, &reading);
}

START_TEST(a_clock_that_runs_is_not_set)
{
    begin();
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(later(i), 0);
}
END_TEST

START_TEST(each_step_is_told_once)
{
    begin();
    later(0);
    offset += 3600 * SECOND;
    ck_assert_int_eq(later(0), (int64_t)(3600 * SECOND));
    ck_assert_int_eq(later(0), 0);
    offset -= 7200 * SECOND;
    ck_assert_int_eq(later(0), -(int64_t)(7200 * SECOND));
    ck_assert_int_eq(later(0), 0);
    /* Small ones add up. */
    for (unsigned i = 0; i < 3; i++) {
        offset += 3 * MS;
        ck_assert_int_eq(later(0), 0);
    }
    offset += 3 * MS;
    ck_assert_int_eq(later(0), (int64_t)(12 * MS));
}
END_TEST

/* Between the two clocks this process did not run. */
START_TEST(a_stall_is_no_step)
{
    begin();
    ck_assert_int_eq(later(400 * MS), 0); /* nothing is known yet */
    later(0);
    ck_assert_int_eq(later(400 * MS), 0);
    ck_assert_int_eq(later(0), 0);
    offset -= SECOND;
    ck_assert_int_eq(later(400 * MS), 0);
    ck_assert_int_eq(later(0), -(int64_t)SECOND);
}
END_TEST

START_TEST(the_base_goes_with_the_clock)
{
    static const int64_t by[] = {
        0,          1,          499999999,   500000000,           1499999999,
        -500000000, -500000001, -1500000000, 3600 * 1000000000LL, -86400 * 1000000000LL};
    uint64_t base = 1700000000 * SECOND;

    for (unsigned i = 0; i < sizeof by / sizeof *by; i++) {
        uint64_t moved = steps_move(base, by[i]);
        int64_t jump = by[i] - (int64_t)(moved - base); /* of what has passed since then */

        ck_assert_uint_eq(moved % SECOND, 0);
        ck_assert_int_le(jump, (int64_t)(SECOND / 2));
        ck_assert_int_ge(jump, -(int64_t)(SECOND / 2));
    }
    ck_assert_uint_eq(steps_move(5 * SECOND, -(int64_t)(9 * SECOND)), 0);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_clock_that_runs_is_not_set);
    tcase_add_test(tests, each_step_is_told_once);
    tcase_add_test(tests, a_stall_is_no_step);
    tcase_add_test(tests, the_base_goes_with_the_clock);
}

int main(void)
{
    return suite_run("stream_steps", add_tests);
}
