/* Values of a GOOSE data set from text: each type, structures in each other, and changes of their
 * members; what is wrong changes nothing. */
#include "goose_values.h"
#include "suite.h"

#include <string.h>

enum { BYTES = 2048 };

static const struct iec_time now = {UINT64_C(1800000000) * 1000000000, 0x0a};
static struct goose_values values, before;

static const char *add(const char *text)
{
    return goose_add(&values, text, now);
}

static const char *change(const char *text)
{
    return goose_change(&values, text, strlen(text), now);
}

static void begin(void)
{
    memset(&values, 0, sizeof values);
}

/* What goes onto the wire. */
static void assert_bytes(const char *expected, size_t n)
{
    static uint8_t bytes[BYTES];

    ck_assert_uint_eq(mms_encode(values.values, values.count, bytes, sizeof bytes), n);
    ck_assert_mem_eq(bytes, expected, n);
}

static const struct {
    const char *text, *bytes;
    size_t n;
} encoded[] = {
    {"bool:true", "\x83\x01\x01", 3},
    {"int:-128", "\x85\x01\x80", 3},
    {"int:-129", "\x85\x02\xff\x7f", 4},
    {"int:-1", "\x85\x01\xff", 3},
    {"uint:255", "\x86\x02\x00\xff", 4},
    {"float:1.5", "\x87\x05\x08\x3f\xc0\x00\x00", 7},
    {"double:1.5", "\x87\x09\x0b\x3f\xf8\x00\x00\x00\x00\x00\x00", 11},
    {"bits:0110", "\x84\x02\x04\x60", 4},
    {"octets:", "\x89\x00", 2},
    {"octets:00fFa5", "\x89\x03\x00\xff\xa5", 5},
    {"string:a,b",
     "\x8a\x03"
     "a,b",
     5},
    {"utf8:\xc3\xa4", "\x90\x02\xc3\xa4", 4},
    {"time:now", "\x91\x08\x6b\x49\xd2\x00\x00\x00\x00\x0a", 10},
    {"time:now:0x20", "\x91\x08\x6b\x49\xd2\x00\x00\x00\x00\x20", 10},
    {"time:500000000:31", "\x91\x08\x00\x00\x00\x00\x80\x00\x00\x1f", 10},
    {"{}", "\xa2\x00", 2},
    {"[]", "\xa1\x00", 2},
    {"{bool:true,bits:01}", "\xa2\x07\x83\x01\x01\x84\x02\x06\x40", 9},
    {"[int:1,int:2]", "\xa1\x06\x85\x01\x01\x85\x01\x02", 8},
    {"{[int:1],{{}},string:x\\,\\}\\\\}",
     "\xa2\x0f\xa1\x03\x85\x01\x01\xa2\x02\xa2\x00\x8a\x04x,}\\", 17},
};

START_TEST(text_becomes_data)
{
    begin();
    ck_assert_msg(!add(encoded[_i].text), "%s: %s", encoded[_i].text, add(encoded[_i].text));
    ck_assert_uint_eq(values.members, 1);
    assert_bytes(encoded[_i].bytes, encoded[_i].n);
}
END_TEST

START_TEST(members_are_changed)
{
    begin();
    ck_assert_ptr_null(add("bool:false"));
    ck_assert_ptr_null(add("{bool:false,[int:1,int:2],time:now}"));
    ck_assert_ptr_null(add("float:1"));
    ck_assert_uint_eq(values.members, 3);
    ck_assert_uint_eq(values.count, 8);
    ck_assert_ptr_null(change("1=true"));
    ck_assert_ptr_null(change("2.1=true"));
    ck_assert_ptr_null(change("2.2.2=-7"));
    ck_assert_ptr_null(change("2.3=5:3"));
    ck_assert_ptr_null(change("3=2.5"));
    ck_assert(values.values[0].boolean && values.values[2].boolean);
    ck_assert_int_eq(values.values[4].integer, 1);
    ck_assert_int_eq(values.values[5].integer, -7);
    ck_assert_uint_eq(values.values[5].depth, 2);
    ck_assert_uint_eq(values.values[6].time.ns, 5);
    ck_assert_uint_eq(values.values[6].time.quality, 3);
    ck_assert(values.values[7].real == 2.5 && values.values[7].is_short);
}
END_TEST

static const char *const not_added[] = {
    "",
    "bool",
    "real:1",
    "bool:maybe",
    "int:1.5",
    "int:",
    "uint:-1",
    "float:x",
    "float: 1",
    "bits:",
    "bits:012",
    "octets:0",
    "octets:0g",
    "time:",
    "time:x",
    "time:now:",
    "time:1:256",
    "time:1 ",
    "{",
    "{bool:true",
    "{bool:true]",
    "{}x",
    "{bool:true}{}",
    "{,}",
    "{bool:true,}",
    "[x]",
    "{{{{{{{{{}}}}}}}}}",
    "int:9223372036854775808",
    "time:18446744073709551616",
};

static const char *const not_changed[] = {
    "",      "=",    "x=1",     "0=1",     "3=1",      "1",       "1.1=true", "2=5",  "2.0=5",
    "2.2=5", "2.=5", "2.1.1=5", "1=maybe", "2.1=true", "1 =true", "-1=true",  ".1=5",
};

START_TEST(what_is_wrong_changes_nothing)
{
    begin();
    ck_assert_ptr_null(add("bool:false"));
    ck_assert_ptr_null(add("{int:3}"));
    before = values;
    for (unsigned i = 0; i < sizeof not_added / sizeof *not_added; i++) {
        ck_assert_msg(add(not_added[i]), "%s is taken", not_added[i]);
        ck_assert_uint_eq(values.count, before.count);
        ck_assert_uint_eq(values.members, before.members);
    }
    for (unsigned i = 0; i < sizeof not_changed / sizeof *not_changed; i++)
        ck_assert_msg(change(not_changed[i]), "%s is taken", not_changed[i]);
    assert_bytes("\x83\x01\x00\xa2\x03\x85\x01\x03", 8);
}
END_TEST

START_TEST(there_is_an_end_of_values)
{
    static char text[1024];

    begin();
    for (unsigned i = 0; i < GOOSE_VALUES_MAX - 1; i++)
        ck_assert_ptr_null(add("bool:true"));
    ck_assert_str_eq(add("{bool:true}"), "a data set has at most 128 values here");
    ck_assert_ptr_null(add("{}"));
    ck_assert_ptr_nonnull(add("bool:true"));
    begin();
    memset(text, '0', sizeof text - 1);
    memcpy(text, "string:", 7);
    ck_assert_ptr_nonnull(add(text));
    text[7 + GOOSE_TEXT_MAX] = '\0';
    ck_assert_ptr_null(add(text));
    ck_assert_uint_eq(values.values[0].length, GOOSE_TEXT_MAX);
}
END_TEST

START_TEST(several_change_together)
{
    static const char good[] = " 1=true  2.1=5 ", bad[] = "1=false 2.1=x";

    begin();
    ck_assert_ptr_null(add("bool:false"));
    ck_assert_ptr_null(add("{int:3}"));
    ck_assert_ptr_null(goose_change_all(&values, &before, good, sizeof good - 1, now));
    assert_bytes("\x83\x01\x01\xa2\x03\x85\x01\x05", 8);
    ck_assert_ptr_nonnull(goose_change_all(&values, &before, bad, sizeof bad - 1, now));
    assert_bytes("\x83\x01\x01\xa2\x03\x85\x01\x05", 8);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, text_becomes_data, 0, sizeof encoded / sizeof *encoded);
    tcase_add_test(tests, members_are_changed);
    tcase_add_test(tests, what_is_wrong_changes_nothing);
    tcase_add_test(tests, several_change_together);
    tcase_add_test(tests, there_is_an_end_of_values);
}

int main(void)
{
    return suite_run("goose_values", add_tests);
}
