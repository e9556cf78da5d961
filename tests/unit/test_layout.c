/* Layouts of samples: their text, and names, phases and units of channels. */
#include "iec61850/layout.h"
#include "suite.h"

#include <string.h>

static struct sv_layout layout;

static bool parse(const char *text)
{
    return sv_layout_parse(text, strlen(text), &layout);
}

static void assert_names(const char *text, const char *expected)
{
    char names[1024] = "", name[SV_NAME_BYTES];

    ck_assert_msg(parse(text), "%s is none", text);
    for (unsigned i = 0; i < sv_layout_channels(&layout); i++) {
        sv_layout_name(&layout, i, name);
        ck_assert_int_eq(sv_layout_find(&layout, name, strlen(name)), (int)i);
        strcat(names, name);
        strcat(names, " ");
    }
    ck_assert_str_eq(names, expected);
}

START_TEST(channels_have_names)
{
    assert_names("I4U4", "Ia Ib Ic In Va Vb Vc Vn ");
    assert_names("4I4V", "Ia Ib Ic In Va Vb Vc Vn ");
    assert_names("I3V3", "Ia Ib Ic Va Vb Vc ");
    assert_names("I1", "I1 ");
    assert_names("u2", "V1 V2 ");
    assert_names("I0U3", "Va Vb Vc ");
    assert_names("I8U4", "I1a I1b I1c I1n I2a I2b I2c I2n Va Vb Vc Vn ");
    assert_names("6I1U", "I1a I1b I1c I2a I2b I2c V1 ");
}
END_TEST

START_TEST(there_are_not_more_than_a_frame_has)
{
    ck_assert(parse("I91U91"));
    ck_assert_uint_eq(sv_layout_channels(&layout), SV_CHANNELS_MAX);
    ck_assert(!parse("I92U91"));
    ck_assert(!parse("I999999999999999U1"));
}
END_TEST

START_TEST(what_is_none_is_refused)
{
    static const char *const none[] = {"",     "4",     "I",     "I0", "I0U0",  "U4I4",  "I4U4x",
                                       "I4I4", "I4U4U", "IU",    "X4", "I-1",   "I4 U4", "I4U",
                                       "4I4",  "4I4U4", "I4U4I", "0I", "I01234"};

    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(!parse(none[i]), "%s is taken", none[i]);
}
END_TEST

START_TEST(channels_have_units_and_phases)
{
    char name[SV_NAME_BYTES];

    ck_assert(parse("I4U4"));
    ck_assert_str_eq(sv_layout_unit(&layout, 3), "A");
    ck_assert_str_eq(sv_layout_unit(&layout, 4), "V");
    ck_assert_str_eq(sv_layout_unit(&layout, 8), "");
    ck_assert(sv_layout_step(&layout, 0) == 0.001 && sv_layout_step(&layout, 7) == 0.01);
    ck_assert(sv_layout_step(&layout, 8) == 1);
    ck_assert_uint_eq(sv_layout_phase(&layout, 6), 2);
    ck_assert_uint_eq(sv_layout_phase(&layout, 7), SV_NEUTRAL);
    sv_layout_name(&layout, 8, name);
    ck_assert_str_eq(name, "ch9");
    ck_assert_int_eq(sv_layout_find(&layout, "ch9", 3), -1);
    ck_assert_int_eq(sv_layout_find(&layout, "Ia", 1), -1);
    ck_assert(parse("I2U3"));
    ck_assert_uint_eq(sv_layout_phase(&layout, 1), 0);
    ck_assert_uint_eq(sv_layout_phase(&layout, 4), 2);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, channels_have_names);
    tcase_add_test(tests, there_are_not_more_than_a_frame_has);
    tcase_add_test(tests, what_is_none_is_refused);
    tcase_add_test(tests, channels_have_units_and_phases);
}

int main(void)
{
    return suite_run("layout", add_tests);
}
