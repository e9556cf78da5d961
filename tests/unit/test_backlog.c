/* When the kernel's queue of connections is made short, and when it is long again. */
#include "broker/wire/backlog.h"
#include "suite.h"

#define MS UINT64_C(1000000)

/* Looks at it each millisecond; returns the end. */
static uint64_t look(struct backlog *backlog, uint64_t from, unsigned count, bool is_empty)
{
    for (unsigned i = 0; i < count; i++)
        backlog_note(backlog, is_empty, from += MS);
    return from;
}

START_TEST(a_burst_leaves_it_long)
{
    struct backlog backlog = {0};
    uint64_t now = look(&backlog, MS, 450, false);

    now = look(&backlog, now, 1, true);
    look(&backlog, now, 450, false);
    ck_assert(!backlog.is_short);
}
END_TEST

START_TEST(bursts_that_nobody_looked_between_are_none)
{
    struct backlog backlog = {0};

    for (uint64_t i = 1; i < 100; i++)
        ck_assert(!backlog_note(&backlog, false, i * 100 * MS));
    ck_assert(!backlog.is_short);
}
END_TEST

START_TEST(a_flood_makes_it_short_once)
{
    struct backlog backlog = {0};
    uint64_t now = MS;
    unsigned changes = 0;

    for (int i = 0; i < 1000; i++)
        changes += backlog_note(&backlog, false, now += MS);
    ck_assert_uint_eq(changes, 1);
    ck_assert(backlog.is_short);
}
END_TEST

START_TEST(it_is_short_until_it_was_calm)
{
    struct backlog backlog = {0};
    uint64_t now = look(&backlog, MS, 600, false);

    now = look(&backlog, now, 900, true);
    ck_assert(backlog.is_short);
    now = look(&backlog, now, 1, false);
    now = look(&backlog, now, 900, true);
    ck_assert(backlog.is_short);
    look(&backlog, now, 200, true);
    ck_assert(!backlog.is_short);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_burst_leaves_it_long);
    tcase_add_test(tests, bursts_that_nobody_looked_between_are_none);
    tcase_add_test(tests, a_flood_makes_it_short_once);
    tcase_add_test(tests, it_is_short_until_it_was_calm);
}

int main(void)
{
    return suite_run("backlog", add_tests);
}
