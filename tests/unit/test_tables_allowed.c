#include "tables_allowed.h"

#include "address.h"
#include "bounds.h"
#include "suite.h"

START_TEST(without_a_list_any_table_is_allowed)
{
    struct tables_allowed allowed = {0};

    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, TABLE_ID_MAX));
    ck_assert(tables_allowed_parse("7", &allowed));
    ck_assert(!table_is_allowed(&allowed, FAMILY_IPV4, 8));
    ck_assert(tables_allowed_parse("any", &allowed));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, 8));
}
END_TEST

START_TEST(a_list_allows_what_it_names)
{
    struct tables_allowed allowed;

    ck_assert(tables_allowed_parse("default, 100-199 ,300", &allowed));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV6, TABLE_ID_DEFAULT_IPV6));
    ck_assert(!table_is_allowed(&allowed, FAMILY_IPV4, TABLE_ID_DEFAULT_IPV6));
    ck_assert(!table_is_allowed(&allowed, FAMILY_IPV4, 99));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, 100));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV6, 199));
    ck_assert(!table_is_allowed(&allowed, FAMILY_IPV4, 200));
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, 300));
    ck_assert(!table_is_allowed(&allowed, FAMILY_IPV4, 301));
}
END_TEST

START_TEST(anything_else_is_a_mistake_and_changes_nothing)
{
    static const char *const mistakes[] = {
        "",
        ",",
        "1,",
        "1 2",
        "0",
        "-1",
        "2-1",
        "1-",
        "1-2-3",
        "defaults",
        "default-5",
        "any,",
        "0x10",
        "1000000000",
        "1-1000000000",
        "99999999999999999999999",
        "1;2",
        "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
    };
    struct tables_allowed allowed;

    ck_assert(tables_allowed_parse("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", &allowed));
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        ck_assert_msg(!tables_allowed_parse(mistakes[i], &allowed), "%s", mistakes[i]);
    ck_assert_uint_eq(allowed.count, 16);
    ck_assert(table_is_allowed(&allowed, FAMILY_IPV4, 16));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, without_a_list_any_table_is_allowed);
    tcase_add_test(tests, a_list_allows_what_it_names);
    tcase_add_test(tests, anything_else_is_a_mistake_and_changes_nothing);
}

int main(void)
{
    return suite_run("tables_allowed", add_tests);
}
