/* Frames that are left out or sent twice on purpose: exactly those that were named. */
#include "suite.h"
#include "sv_flaws.h"

#include <string.h>

enum { RATE = 4800, FRAMES = 12000 };

static struct sv_flaws flaws;

static void begin(void)
{
    memset(&flaws, 0, sizeof flaws);
}

static const char *add(enum sv_fate fate, const char *text)
{
    return sv_flaws_add(&flaws, fate, text, RATE, 1);
}

static unsigned count(enum sv_fate fate, uint64_t from, uint64_t to)
{
    unsigned found = 0;

    for (uint64_t frame = from; frame < to; frame++)
        found += sv_fate(&flaws, frame) == fate;
    return found;
}

START_TEST(frames_at_a_time)
{
    begin();
    ck_assert_uint_eq(count(SV_FATE_SEND, 0, FRAMES), FRAMES);
    ck_assert_ptr_null(add(SV_FATE_DROP, "3@1.5"));
    ck_assert_ptr_null(add(SV_FATE_TWICE, "2@0"));
    ck_assert_uint_eq(count(SV_FATE_DROP, 7200, 7203), 3);
    ck_assert_uint_eq(count(SV_FATE_DROP, 0, FRAMES), 3);
    ck_assert_uint_eq(count(SV_FATE_TWICE, 0, 2), 2);
    ck_assert_uint_eq(count(SV_FATE_TWICE, 0, FRAMES), 2);
    begin();
    ck_assert_ptr_null(sv_flaws_add(&flaws, SV_FATE_DROP, "1@0.5", 14400, 6));
    ck_assert_int_eq(sv_fate(&flaws, 1200), SV_FATE_DROP);
    ck_assert_uint_eq(count(SV_FATE_DROP, 0, FRAMES), 1);
}
END_TEST

START_TEST(some_of_each_so_many)
{
    begin();
    ck_assert_ptr_null(add(SV_FATE_TWICE, "2/100"));
    for (uint64_t frame = 0; frame < FRAMES; frame++)
        ck_assert_int_eq(sv_fate(&flaws, frame), frame % 100 >= 98 ? SV_FATE_TWICE : SV_FATE_SEND);
    ck_assert_ptr_null(add(SV_FATE_DROP, "1/1"));
    ck_assert_uint_eq(count(SV_FATE_DROP, 0, FRAMES), FRAMES); /* the last word */
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const char *const none[] = {"",
                                       "3",
                                       "@1",
                                       "0@1",
                                       "3@",
                                       "3@-1",
                                       "3@x",
                                       "3@1x",
                                       "3/",
                                       "3/2",
                                       "3/x",
                                       "1/0",
                                       "-1/10",
                                       "1e3@1",
                                       "3 @1",
                                       "3@1e9",
                                       "2000000000000@1",
                                       "1@inf",
                                       "1@nan"};

    begin();
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(add(SV_FATE_DROP, none[i]), "%s is taken", none[i]);
    ck_assert_uint_eq(flaws.count, 0);
    for (unsigned i = 0; i < SV_FLAWS_MAX; i++)
        ck_assert_ptr_null(add(SV_FATE_DROP, "1@1"));
    ck_assert_ptr_nonnull(add(SV_FATE_DROP, "1@1"));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_at_a_time);
    tcase_add_test(tests, some_of_each_so_many);
    tcase_add_test(tests, what_is_wrong_is_said);
}

int main(void)
{
    return suite_run("sv_flaws", add_tests);
}
