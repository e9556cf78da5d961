/* Lines that nobody reads: those of each second are left out and counted, replies never. */
#include "lines.h"
#include "suite.h"

#include <string.h>

static struct lines lines;
static char text[1001]; /* with its newline, 1000 bytes are a line */

static void begin(void)
{
    lines_clear(&lines);
    memset(text, '.', 999);
    text[999] = '\0';
}

static void add(char mark, enum lines_kind kind)
{
    text[0] = mark;
    lines_add(&lines, text, kind);
}

/* The mark of the next line, which is read whole; 0: there is none. */
static char read_line(void)
{
    const char *got;
    size_t n = lines_next(&lines, &got);
    char mark = n ? got[0] : '\0';

    if (!n)
        return 0;
    ck_assert_uint_eq(n, 1000);
    ck_assert_int_eq(got[n - 1], '\n');
    lines_wrote(&lines, 400);
    ck_assert_uint_eq(lines_next(&lines, &got), 600);
    lines_wrote(&lines, 600);
    return mark;
}

START_TEST(lines_come_in_their_order)
{
    begin();
    ck_assert_int_eq(read_line(), 0);
    add('a', LINES_STATUS);
    add('b', LINES_REPLY);
    ck_assert_int_eq(read_line(), 'a');
    add('c', LINES_EVENT);
    ck_assert_int_eq(read_line(), 'b');
    ck_assert_int_eq(read_line(), 'c');
    ck_assert_int_eq(read_line(), 0);
    ck_assert_uint_eq(lines_take_dropped(&lines), 0);
    ck_assert_uint_eq(lines.bytes, 0);
}
END_TEST

START_TEST(the_oldest_of_each_second_are_left_out)
{
    unsigned kept = LINES_STATUS_MAX / 1000;

    begin();
    add('r', LINES_REPLY);
    for (unsigned i = 0; i < 500; i++)
        add((char)('0' + i % 64), LINES_STATUS);
    ck_assert_uint_le(lines.bytes, LINES_STATUS_MAX);
    ck_assert_uint_eq(lines_take_dropped(&lines), 0); /* more may follow */
    ck_assert_int_eq(read_line(), 'r');
    for (unsigned i = 500 - (kept - 1); i < 500; i++)
        ck_assert_int_eq(read_line(), (char)('0' + i % 64));
    ck_assert_int_eq(read_line(), 0);
    ck_assert_uint_eq(lines_take_dropped(&lines), 500 - (kept - 1));
    ck_assert_uint_eq(lines_take_dropped(&lines), 0);
}
END_TEST

/* What was written in part is a line still. */
START_TEST(a_line_that_is_written_stays_whole)
{
    const char *got;

    begin();
    add('a', LINES_STATUS);
    lines_wrote(&lines, 10);
    for (unsigned i = 0; i < 200; i++)
        add('b', LINES_STATUS);
    ck_assert_uint_eq(lines_next(&lines, &got), 990);
    ck_assert_int_eq(got[989], '\n');
    lines_wrote(&lines, 990);
    ck_assert_int_eq(read_line(), 'b');
}
END_TEST

START_TEST(replies_are_never_left_out)
{
    enum { REPLIES = 2 * LINES_MAX / 1000 };
    unsigned replies = REPLIES, events = 0;
    char mark;

    begin();
    for (unsigned i = 0; i < LINES_MAX / 1000; i++)
        add('e', LINES_EVENT);
    ck_assert(!lines_are_many(&lines));
    for (unsigned i = 0; i < REPLIES; i++) {
        add('r', LINES_REPLY);
        add('e', LINES_EVENT);
        add('s', LINES_STATUS);
    }
    ck_assert(lines_are_many(&lines));
    while ((mark = read_line()) != 0) {
        replies -= mark == 'r';
        events += mark == 'e';
        ck_assert_int_ne(mark, 's');
    }
    ck_assert_uint_eq(replies, 0);
    ck_assert_uint_eq(events, LINES_MAX / 1000);
    ck_assert_uint_eq(lines_take_dropped(&lines), 2 * REPLIES);
    ck_assert(!lines_are_many(&lines) && !lines.has_failed);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, lines_come_in_their_order);
    tcase_add_test(tests, the_oldest_of_each_second_are_left_out);
    tcase_add_test(tests, a_line_that_is_written_stays_whole);
    tcase_add_test(tests, replies_are_never_left_out);
}

int main(void)
{
    return suite_run("stream_lines", add_tests);
}
