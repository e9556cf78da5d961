#include "json.h"
#include "suite.h"

#include <cjson/cJSON.h>
#include <string.h>

static void assert_text(const struct json *json, const char *expected)
{
    ck_assert(!json->failed);
    ck_assert_uint_eq(json->length, strlen(expected));
    ck_assert_mem_eq(json->text, expected, json->length);
}

START_TEST(commas_stand_between_values)
{
    struct json json = {.limit = 4096};

    json_open(&json, '{');
    json_member_string(&json, "a", "x");
    json_member_unsigned(&json, "b", UINT64_MAX);
    json_member_bool(&json, "c", true);
    json_key(&json, "d");
    json_open(&json, '[');
    json_number(&json, INT64_MIN);
    json_open(&json, '{');
    json_close(&json, '}');
    json_open(&json, '[');
    json_close(&json, ']');
    json_bool(&json, false);
    json_raw(&json, "1.5", 3);
    json_close(&json, ']');
    json_key(&json, "e");
    json_string(&json, "");
    json_close(&json, '}');
    json_bytes(&json, "\n", 1);
    assert_text(&json, "{\"a\":\"x\",\"b\":18446744073709551615,\"c\":true,"
                       "\"d\":[-9223372036854775808,{},[],false,1.5],\"e\":\"\"}\n");
    json_clear(&json);
}
END_TEST

START_TEST(what_is_no_utf8_is_replaced)
{
    struct json json = {.limit = 4096};

    json_string(&json, "a\xff\xc3\xa9\xc3");
    json_string(&json, "\xed\xa0\x80");
    assert_text(&json, "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\","
                       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    json_clear(&json);
}
END_TEST

START_TEST(a_text_may_come_in_parts)
{
    struct json json = {.limit = 4096};

    json_open(&json, '[');
    json_text_open(&json);
    json_text_part(&json, "one\n");
    json_text_part(&json, "");
    json_text_part(&json, "\"two\"");
    json_text_close(&json);
    json_string(&json, "x");
    json_close(&json, ']');
    assert_text(&json, "[\"one\\n\\\"two\\\"\",\"x\"]");
    json_clear(&json);
}
END_TEST

START_TEST(every_byte_of_a_text_comes_back)
{
    struct json json = {.limit = 4096};
    char text[256], *at = text;
    cJSON *tree;

    for (int c = 1; c < 0x80; c++)
        *at++ = (char)c;
    strcpy(at, "\xc3\xa9\xf0\x9f\x98\x80");
    json_string(&json, text);
    for (size_t i = 0; i < json.length; i++)
        ck_assert_int_ge((unsigned char)json.text[i], 0x20);
    tree = cJSON_ParseWithLength(json.text, json.length);
    ck_assert_str_eq(tree->valuestring, text);
    cJSON_Delete(tree);
    json_clear(&json);
}
END_TEST

START_TEST(keys_are_escaped_too)
{
    struct json json = {.limit = 64};

    json_key(&json, "a\"\\\n");
    assert_text(&json, "\"a\\\"\\\\\\n\":");
    json_clear(&json);
}
END_TEST

START_TEST(the_limit_holds_to_the_byte)
{
    struct json json = {.limit = 4};

    json_string(&json, "ab");
    assert_text(&json, "\"ab\"");
    json_bytes(&json, "x", 1);
    ck_assert(json.failed);
    ck_assert_uint_eq(json.length, 4);
    json_clear(&json);
    ck_assert(!json.failed);
    ck_assert_uint_eq(json.limit, 4);
    json_clear(&json);
}
END_TEST

START_TEST(nothing_is_written_after_a_failure)
{
    struct json json = {.limit = 4};

    json_string(&json, "abc");
    ck_assert(json.failed);

    size_t length = json.length;

    json_number(&json, 1);
    ck_assert_uint_eq(json.length, length);
    json_cut(&json, 0);
    json_number(&json, 12);
    assert_text(&json, "12");
    json_clear(&json);
}
END_TEST

START_TEST(no_bytes_are_no_matter)
{
    struct json json = {.limit = 16};

    json_bytes(&json, NULL, 0);
    ck_assert_uint_eq(json.length, 0);
    ck_assert(!json.failed);
    json_clear(&json);
}
END_TEST

START_TEST(it_grows_over_many_sizes)
{
    struct json json = {.limit = 1 << 20};

    json_open(&json, '[');
    for (int i = 0; i < 10000; i++)
        json_number(&json, i);
    json_close(&json, ']');

    cJSON *tree = cJSON_ParseWithLength(json.text, json.length);

    ck_assert_int_eq(cJSON_GetArraySize(tree), 10000);
    cJSON_Delete(tree);
    json_clear(&json);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, commas_stand_between_values);
    tcase_add_test(tests, what_is_no_utf8_is_replaced);
    tcase_add_test(tests, a_text_may_come_in_parts);
    tcase_add_test(tests, every_byte_of_a_text_comes_back);
    tcase_add_test(tests, keys_are_escaped_too);
    tcase_add_test(tests, the_limit_holds_to_the_byte);
    tcase_add_test(tests, nothing_is_written_after_a_failure);
    tcase_add_test(tests, no_bytes_are_no_matter);
    tcase_add_test(tests, it_grows_over_many_sizes);
}

int main(void)
{
    return suite_run("json", add_tests);
}
