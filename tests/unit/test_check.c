#include "bounds.h"
#include "check.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool accepts(const char *bytes, size_t n)
{
    /* A copy without a terminator, so that a sanitizer sees a byte read behind the end. */
    char *copy = malloc(n ? n : 1);
    struct error error = {0};
    struct span id;

    memcpy(copy, bytes, n);

    bool valid = check_request(copy, n, &id, &error);

    free(copy);
    if (!valid)
        assert_error(&error, "invalid-json");
    return valid;
}

static void assert_accepted(const char *text)
{
    ck_assert_msg(accepts(text, strlen(text)), "refused: %s", text);
}

static void assert_refused(const char *text)
{
    ck_assert_msg(!accepts(text, strlen(text)), "accepted: %s", text);
}

/* The text as the value of a member. */
static bool accepts_value(const char *value)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "{\"a\":%s}", value);

    return accepts(text, (size_t)length);
}

static const struct {
    const char *value;
    bool valid;
} values[] = {
    {"\"\"", true},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", true},
    {"\"\\u0001\\uFfFf\"", true},
    {"\"\\uD83D\\uDE00\"", true},
    {"true", true},
    {"false", true},
    {"null", true},
    {"[]", true},
    {"[ 1 , 2 ]", true},
    {"{}", true},
    {"{ \"b\" : 1 }", true},
    {"0", true},
    {"-0", true},
    {"-1", true},
    {"999999999999999", true},
    {"-999999999999999", true},
    /* Numbers that JSON libraries read differently. */
    {"1000000000000000", false},
    {"1.5", false},
    {"1.0", false},
    {"1e3", false},
    {"1E3", false},
    {"01", false},
    {"-01", false},
    {"00", false},
    {"+1", false},
    {".5", false},
    {"1.", false},
    {"-", false},
    {"0x10", false},
    {"NaN", false},
    {"Infinity", false},
    /* Texts. */
    {"\"", false},
    {"\"\\\"", false},
    {"\"\\x\"", false},
    {"\"\\u12\"", false},
    {"\"\\u12g4\"", false},
    {"\"\\u0000\"", false},
    {"\"a\\u0000b\"", false},
    {"\"\\ud800\"", false},
    {"\"\\ud800x\"", false},
    {"\"\\ud800\\n\"", false},
    {"\"\\ud800\\ud800\"", false},
    {"\"\\ud800\\u0041\"", false},
    {"\"\\udc00\"", false},
    {"\"a\nb\"", false},
    {"\"a\tb\"", false},
    {"'a'", false},
    /* Words and structure. */
    {"tru", false},
    {"True", false},
    {"nul", false},
    {"", false},
    {"[1,]", false},
    {"[,1]", false},
    {"[1 2]", false},
    {"[1", false},
    {"[1}", false},
    {"{\"b\":1,}", false},
    {"{,}", false},
    {"{\"b\"}", false},
    {"{\"b\" 1}", false},
    {"{b:1}", false},
    {"{1:1}", false},
    {"1 /* */", false},
};

START_TEST(each_value_is_judged)
{
    bool valid = accepts_value(values[_i].value);

    ck_assert_msg(valid == values[_i].valid, "%s was %s", values[_i].value,
                  valid ? "accepted" : "refused");
}
END_TEST

/* From the Unicode standard, table 3-7, and what lies just outside of it. */
static const struct {
    const char *bytes;
    bool valid;
} sequences[] = {
    {"\x7f", true},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xec\xbf\xbf", true},
    {"\xed\x80\x80", true},
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xef\xbf\xbf", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf3\xbf\xbf\xbf", true},
    {"\xf4\x8f\xbf\xbf", true},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\x80", false},
    {"\xc1\xbf", false},
    {"\xc2", false},
    {"\xc2\x7f", false},
    {"\xc2\xc0", false},
    {"\xe0\x9f\xbf", false},
    {"\xe1\x80", false},
    {"\xe1\x80\x7f", false},
    {"\xe1\x80\xc0", false},
    {"\xed\xa0\x80", false},
    {"\xed\xbf\xbf", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xf1\x80\x80", false},
    {"\xf1\x80\x80\x7f", false},
    {"\xf4\x90\x80\x80", false},
    {"\xf5\x80\x80\x80", false},
    {"\xfe", false},
    {"\xff", false},
};

START_TEST(only_valid_utf8_passes)
{
    char value[16], key[32];

    snprintf(value, sizeof value, "\"%s\"", sequences[_i].bytes);
    ck_assert_int_eq(accepts_value(value), sequences[_i].valid);
    snprintf(key, sizeof key, "{%s:1}", value);
    ck_assert_int_eq(accepts(key, strlen(key)), sequences[_i].valid);
}
END_TEST

START_TEST(a_utf8_sequence_that_the_end_cuts_is_refused)
{
    ck_assert(!accepts("{\"a\":\"\xf0\x90\x80", 9));
    ck_assert(!accepts("{\"a\":\"\xe0\xa0", 8));
    ck_assert(!accepts("{\"a\":\"\xc2", 7));
}
END_TEST

START_TEST(control_bytes_and_nul_are_refused)
{
    char text[] = "{\"a\":\"?\"}";

    for (char c = 0; c < 0x20; c++) {
        text[6] = c;
        ck_assert(!accepts(text, strlen("{\"a\":\"?\"}")));
    }
    ck_assert(!accepts("{}\0", 3));
    ck_assert(!accepts("{\"a\0\":1}", 8));
}
END_TEST

START_TEST(only_an_object_is_a_request)
{
    static const char *const others[] = {"", " ", "[]", "\"a\"", "1", "null", "\xef\xbb\xbf{}",
                                         "{"};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_refused(others[i]);
    assert_accepted(" \t\r\n{} \t\r\n");
    assert_refused("{}{}");
    assert_refused("{}x");
    assert_refused("\v{}");
}
END_TEST

START_TEST(a_key_comes_once_and_without_escapes)
{
    assert_refused("{\"a\":1,\"a\":2}");
    assert_refused("{\"b\":{\"x\":1,\"y\":2,\"x\":3}}");
    assert_accepted("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}");
    assert_accepted("{\"a\":1,\"A\":2,\"\":3}");
    assert_refused("{\"\\u0061\":1}");
    assert_refused("{\"a\\n\":1}");
}
END_TEST

static char *repeat(char *to, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        to = stpcpy(to, text);
    return to;
}

START_TEST(levels_are_counted)
{
    for (int arrays = DEPTH_MAX - 1; arrays <= DEPTH_MAX; arrays++) {
        char text[64];

        stpcpy(repeat(repeat(stpcpy(text, "{\"a\":"), "[", arrays), "]", arrays), "}");
        ck_assert_int_eq(accepts(text, strlen(text)), arrays < DEPTH_MAX);
    }
    assert_accepted(
        "{\"a\":[],\"b\":[],\"c\":[],\"d\":[],\"e\":[],\"f\":[],\"g\":[],\"h\":[],\"i\":{}}");
}
END_TEST

START_TEST(members_are_counted)
{
    for (int members = MEMBERS_MAX; members <= MEMBERS_MAX + 1; members++) {
        char text[1024], *at = stpcpy(text, "{");

        for (int i = 0; i < members; i++)
            at += sprintf(at, "%s\"k%d\":%d", i ? "," : "", i, i);
        stpcpy(at, "}");
        ck_assert_int_eq(accepts(text, strlen(text)), members == MEMBERS_MAX);
    }
}
END_TEST

static const char *const ids[] = {
    "1",
    "-0",
    "1.5",
    "1e3",
    "-2.50E+07",
    "123456789012345678901234567890",
    "null",
    "true",
    "\"\"",
    "[ ]",
    "{ }",
    "{\"id\":1.5, \"x\":[1e-1]}",
    "\"\\u0041\\/ \xc3\xa9\"",
    "[1.0,[2.0]]",
};

START_TEST(an_id_comes_back_byte_for_byte)
{
    static const char *const formats[] = {"{\"id\":%s}", "{ \"id\" : %s , \"action\":\"PING\"}",
                                          "{\"a\":[1,{\"id\":2}],\"id\":%s}"};

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct error error = {0};
        struct span id;
        char text[256];

        snprintf(text, sizeof text, formats[i], ids[_i]);
        ck_assert_msg(check_request(text, strlen(text), &id, &error), "%s", error.message);
        ck_assert_uint_eq(id.length, strlen(ids[_i]));
        ck_assert_mem_eq(id.start, ids[_i], id.length);
    }
}
END_TEST

START_TEST(the_numbers_of_an_id_must_still_be_json)
{
    static const char *const wrong[] = {"01", "1.", ".5", "1e", "1e+", "+1", "1.e1", "--1"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[64];

        snprintf(text, sizeof text, "{\"id\":%s}", wrong[i]);
        assert_refused(text);
    }
}
END_TEST

START_TEST(the_freedom_of_an_id_ends_with_it)
{
    assert_refused("{\"id\":1.5,\"a\":1.5}");
    assert_refused("{\"payload\":{\"id\":1.5}}");
    assert_refused("{\"id\":[1.5],\"a\":[1.5]}");
}
END_TEST

START_TEST(an_id_is_kept_when_the_rest_is_refused)
{
    static const char text[] = "{\"id\":\"x7\",\"a\":1.5}";
    struct error error = {0};
    struct span id;

    ck_assert(!check_request(text, strlen(text), &id, &error));
    ck_assert_uint_eq(id.length, 4);
    ck_assert_mem_eq(id.start, "\"x7\"", 4);
}
END_TEST

START_TEST(a_cut_request_is_refused_at_each_byte)
{
    static const char text[] = "{\"action\":\"ADD\\n\",\"p\":{\"a\":[1,true,null]},\"id\":1.5e1}";

    assert_accepted(text);
    for (size_t n = 0; n < strlen(text); n++)
        ck_assert(!accepts(text, n));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, each_value_is_judged, 0, (int)(sizeof values / sizeof *values));
    tcase_add_loop_test(tests, only_valid_utf8_passes, 0,
                        (int)(sizeof sequences / sizeof *sequences));
    tcase_add_test(tests, a_utf8_sequence_that_the_end_cuts_is_refused);
    tcase_add_test(tests, control_bytes_and_nul_are_refused);
    tcase_add_test(tests, only_an_object_is_a_request);
    tcase_add_test(tests, a_key_comes_once_and_without_escapes);
    tcase_add_test(tests, levels_are_counted);
    tcase_add_test(tests, members_are_counted);
    tcase_add_loop_test(tests, an_id_comes_back_byte_for_byte, 0, (int)(sizeof ids / sizeof *ids));
    tcase_add_test(tests, the_numbers_of_an_id_must_still_be_json);
    tcase_add_test(tests, the_freedom_of_an_id_ends_with_it);
    tcase_add_test(tests, an_id_is_kept_when_the_rest_is_refused);
    tcase_add_test(tests, a_cut_request_is_refused_at_each_byte);
}

int main(void)
{
    return suite_run("check", add_tests);
}
