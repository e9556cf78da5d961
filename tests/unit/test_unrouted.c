#include "resources/mroute/unrouted.h"
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

static void note(struct unrouted *unrouted, unsigned number, unsigned ifindex, uint64_t now)
{
    struct upcall upcall = upcall_from(number);

    unrouted_note(unrouted, &upcall, ifindex, now);
}

static void assert_recent(const struct unrouted *unrouted, unsigned skip, uint64_t now,
                          unsigned number, unsigned ifindex)
{
    const struct unrouted_flow *flow = unrouted_recent(unrouted, skip, now);
    struct upcall upcall = upcall_from(number);

    ck_assert_ptr_nonnull(flow);
    ck_assert(address_equal(&flow->source, &upcall.source));
    ck_assert_uint_eq(flow->ifindex, ifindex);
}

START_TEST(the_newest_comes_first_and_once)
{
    struct unrouted unrouted = {0};

    ck_assert_ptr_null(unrouted_recent(&unrouted, 0, 1));
    note(&unrouted, 1, 5, 100);
    note(&unrouted, 2, 5, 101);
    note(&unrouted, 1, 6, 102); /* the same flow elsewhere is another */
    note(&unrouted, 1, 5, 103);
    assert_recent(&unrouted, 0, 103, 1, 5);
    assert_recent(&unrouted, 1, 103, 1, 6);
    assert_recent(&unrouted, 2, 103, 2, 5);
    ck_assert_ptr_null(unrouted_recent(&unrouted, 3, 103));
}
END_TEST

START_TEST(the_old_are_forgotten)
{
    struct unrouted unrouted = {0};

    note(&unrouted, 1, 5, 100);
    note(&unrouted, 2, 5, 110);
    assert_recent(&unrouted, 1, 100 + UNROUTED_SECONDS, 1, 5);
    ck_assert_ptr_null(unrouted_recent(&unrouted, 1, 101 + UNROUTED_SECONDS));
    assert_recent(&unrouted, 0, 101 + UNROUTED_SECONDS, 2, 5);
}
END_TEST

START_TEST(a_flood_pushes_out_the_oldest)
{
    struct unrouted unrouted = {0};

    for (unsigned i = 0; i < 3 * UNROUTED_MAX + 1; i++)
        note(&unrouted, i, 5, 100);
    for (unsigned i = 0; i < UNROUTED_MAX; i++)
        assert_recent(&unrouted, i, 100, 3 * UNROUTED_MAX - i, 5);
    ck_assert_ptr_null(unrouted_recent(&unrouted, UNROUTED_MAX, 100));
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
    return suite_run("unrouted", add_tests);
}
