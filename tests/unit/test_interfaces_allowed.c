/* Which interfaces the configuration lets users capture. */
#include "interfaces_allowed.h"
#include "suite.h"

#include <string.h>

static bool allows(const struct interface_set *list, const char *text)
{
    char name[INTERFACE_NAME_MAX + 1] = "";

    strncpy(name, text, INTERFACE_NAME_MAX);
    return interface_set_has(list, name);
}

START_TEST(interfaces_are_those_of_the_list)
{
    static const char *const wrong[] = {
        "",    "a,",    ",a",      "a,,b", "a b", "a*b", "*a", "a**", "0123456789abcdef",
        "a/b", "none,", "a, none/"};
    struct interface_set list = {0};
    char endless[INTERFACE_NAME_MAX + 1];

    ck_assert(!allows(&list, "eth1"));
    ck_assert(interface_set_parse("eth1,\tveth* , br0", &list));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!interface_set_parse(wrong[i], &list), "%s", wrong[i]);
    ck_assert(allows(&list, "eth1"));
    ck_assert(allows(&list, "veth"));
    ck_assert(allows(&list, "veth17"));
    ck_assert(allows(&list, "br0"));
    ck_assert(!allows(&list, "eth10"));
    ck_assert(!allows(&list, "eth"));
    ck_assert(!allows(&list, "vet"));
    ck_assert(!allows(&list, ""));
    memset(endless, 'v', sizeof endless);
    memcpy(endless, "veth", 4);
    ck_assert(!interface_set_has(&list, endless));
    ck_assert(interface_set_parse("*", &list));
    ck_assert(allows(&list, "eth1"));
    ck_assert(interface_set_parse("none", &list));
    ck_assert(!allows(&list, "eth1"));
    ck_assert(interface_set_parse("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", &list));
    ck_assert(!interface_set_parse("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", &list));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, interfaces_are_those_of_the_list);
}

int main(void)
{
    return suite_run("interfaces_allowed", add_tests);
}
