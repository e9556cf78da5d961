#include "scan.h"
#include "suite.h"

#include <string.h>

/* Gives the bytes in pieces of `piece`; returns how many objects were found and, in *ret_end, where
 * the last one ended. */
static int count_objects(const char *bytes, size_t n, size_t piece, size_t *ret_end)
{
    struct scan scan = {0};
    int count = 0;

    *ret_end = 0;
    for (size_t at = 0; at < n;) {
        size_t length = n - at < piece ? n - at : piece, used;
        enum scan_result result = scan_bytes(&scan, bytes + at, length, &used);

        ck_assert_uint_le(used, length);
        if (result == SCAN_GARBAGE)
            return -1;
        at += used;
        if (result == SCAN_COMPLETE) {
            count++;
            *ret_end = at;
        }
    }
    return count;
}

static const char tricky[] = " {\"a\":\"}\\\"{\\\\\",\"b\":[{},[\"]\"]],\"c\":\"\\u005c\"}";

START_TEST(an_object_ends_at_its_brace_however_it_is_split)
{
    size_t n = strlen(tricky), end;

    for (size_t piece = 1; piece <= n; piece++) {
        ck_assert_int_eq(count_objects(tricky, n, piece, &end), 1);
        ck_assert_uint_eq(end, n);
    }
}
END_TEST

START_TEST(an_object_without_end_is_never_complete)
{
    size_t end;

    for (size_t n = 0; n < strlen(tricky); n++)
        for (size_t piece = 1; piece <= n; piece++)
            ck_assert_int_eq(count_objects(tricky, n, piece, &end), 0);
}
END_TEST

START_TEST(pipelined_objects_are_counted_however_they_are_split)
{
    static const char three[] = "{}{\"a\":1}\r\n\t {\"b\":{}}  ";
    size_t end;

    for (size_t piece = 1; piece <= strlen(three); piece++) {
        ck_assert_int_eq(count_objects(three, strlen(three), piece, &end), 3);
        ck_assert_uint_eq(end, strlen(three) - 2);
    }
}
END_TEST

START_TEST(what_begins_no_object_is_garbage)
{
    static const char *const garbage[] = {"[]",  "\"{}\"",         "}",   "1",
                                          "x{}", "\xef\xbb\xbf{}", "\v{}"};
    size_t end;

    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        ck_assert_int_eq(count_objects(garbage[i], strlen(garbage[i]), 64, &end), -1);
    ck_assert_int_eq(count_objects("\0{}", 3, 64, &end), -1);
}
END_TEST

START_TEST(garbage_behind_an_object_is_found_at_its_byte)
{
    struct scan scan = {0};
    size_t used;

    ck_assert_int_eq(scan_bytes(&scan, "{} x", 4, &used), SCAN_COMPLETE);
    ck_assert_uint_eq(used, 2);
    ck_assert_int_eq(scan_bytes(&scan, " x", 2, &used), SCAN_GARBAGE);
    ck_assert_uint_eq(used, 1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, an_object_ends_at_its_brace_however_it_is_split);
    tcase_add_test(tests, an_object_without_end_is_never_complete);
    tcase_add_test(tests, pipelined_objects_are_counted_however_they_are_split);
    tcase_add_test(tests, what_begins_no_object_is_garbage);
    tcase_add_test(tests, garbage_behind_an_object_is_found_at_its_byte);
}

int main(void)
{
    return suite_run("scan", add_tests);
}
