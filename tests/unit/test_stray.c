#include "resources/mroute/stray.h"
#include "suite.h"

#include <stdio.h>

static struct upcall upcall_from(unsigned number)
{
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE};
    char text[ADDRESS_TEXT_MAX];

    snprintf(text, sizeof text, "10.0.%u.%u", number >> 8, number & 255);
    address_parse(text, &upcall.source);
    address_parse("239.1.1.1", &upcall.group);
    return upcall;
}

static void note(struct strays *strays, unsigned number, unsigned ifindex, uint64_t now)
{
    struct upcall upcall = upcall_from(number);

    strays_note(strays, &upcall, ifindex, now);
}

static void assert_recent(const struct strays *strays, unsigned skip, uint64_t now, unsigned number,
                          unsigned ifindex)
{
    const struct stray *stray = strays_recent(strays, skip, now);
    struct upcall upcall = upcall_from(number);

    ck_assert_ptr_nonnull(stray);
    ck_assert(address_equal(&stray->source, &upcall.source));
    ck_assert_uint_eq(stray->ifindex, ifindex);
}

START_TEST(the_newest_comes_first_and_once)
{
    struct strays strays = {0};

    ck_assert_ptr_null(strays_recent(&strays, 0, 1));
    note(&strays, 1, 5, 100);
    note(&strays, 2, 5, 101);
    note(&strays, 1, 6, 102); /* the same flow elsewhere is another */
    note(&strays, 1, 5, 103);
    assert_recent(&strays, 0, 103, 1, 5);
    assert_recent(&strays, 1, 103, 1, 6);
    assert_recent(&strays, 2, 103, 2, 5);
    ck_assert_ptr_null(strays_recent(&strays, 3, 103));
}
END_TEST

START_TEST(the_old_are_forgotten)
{
    struct strays strays = {0};

    note(&strays, 1, 5, 100);
    note(&strays, 2, 5, 110);
    assert_recent(&strays, 1, 100 + STRAY_SECONDS, 1, 5);
    ck_assert_ptr_null(strays_recent(&strays, 1, 101 + STRAY_SECONDS));
    assert_recent(&strays, 0, 101 + STRAY_SECONDS, 2, 5);
}
END_TEST

START_TEST(a_flood_pushes_out_the_oldest)
{
    struct strays strays = {0};

    for (unsigned i = 0; i < 3 * STRAYS_MAX + 1; i++)
        note(&strays, i, 5, 100);
    for (unsigned i = 0; i < STRAYS_MAX; i++)
        assert_recent(&strays, i, 100, 3 * STRAYS_MAX - i, 5);
    ck_assert_ptr_null(strays_recent(&strays, STRAYS_MAX, 100));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_newest_comes_first_and_once);
    tcase_add_test(tests, the_old_are_forgotten);
    tcase_add_test(tests, a_flood_pushes_out_the_oldest);
}

int main(void)
{
    return suite_run("stray", add_tests);
}
