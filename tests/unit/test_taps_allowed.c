/* Which taps the configuration allows. */
#include "suite.h"
#include "taps_allowed.h"

#include <string.h>

START_TEST(names_begin_with_the_prefix_and_go_on)
{
    static const char *const wrong[] = {"nb-",   "n",      "",       "eth0",
                                        "xnb-0", "nb-a/b", "nb-a b", "nb-%d"};
    char endless[INTERFACE_NAME_MAX + 1];

    ck_assert(tap_name_is_allowed("nb-", "nb-0"));
    ck_assert(tap_name_is_allowed("nb-", "nb-dolphin"));
    ck_assert(tap_name_is_allowed("nb-", "nb-456789012345"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char name[INTERFACE_NAME_MAX + 1] = "";

        strcpy(name, wrong[i]);
        ck_assert_msg(!tap_name_is_allowed("nb-", name), "%s", wrong[i]);
    }
    memset(endless, 'x', sizeof endless);
    memcpy(endless, "nb-", 3);
    ck_assert(!tap_name_is_allowed("nb-", endless));
}
END_TEST

START_TEST(a_prefix_is_short_and_plain)
{
    static const char *const wrong[] = {"",    "-",         "0nb", "nb ",       " nb",
                                        "nb/", "nb-456789", "nb%", "n\xc3\xa4", "none,"};
    char prefix[TAP_PREFIX_MAX + 1] = "nb-";

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!tap_prefix_parse(wrong[i], prefix), "%s", wrong[i]);
    ck_assert_str_eq(prefix, "nb-");
    ck_assert(tap_prefix_parse("Tap_0.5-", prefix));
    ck_assert_str_eq(prefix, "Tap_0.5-");
}
END_TEST

START_TEST(bridges_are_those_of_the_list)
{
    static const char *const wrong[] = {"",
                                        ",",
                                        "br0,",
                                        "br0,,br1",
                                        "br 0",
                                        "any/thing",
                                        "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
                                        "a234567890123456"};
    struct tap_bridges bridges = {0};

    ck_assert(!tap_bridge_is_allowed(&bridges, "br0"));
    ck_assert(tap_bridges_parse("br0 ,\tvirbr0", &bridges));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!tap_bridges_parse(wrong[i], &bridges), "%s", wrong[i]);
    ck_assert(tap_bridge_is_allowed(&bridges, "br0"));
    ck_assert(tap_bridge_is_allowed(&bridges, "virbr0"));
    ck_assert(!tap_bridge_is_allowed(&bridges, "br"));
    ck_assert(!tap_bridge_is_allowed(&bridges, "br00"));
    ck_assert(tap_bridges_parse("none", &bridges));
    ck_assert_uint_eq(bridges.count, 0);
    ck_assert(tap_bridges_parse("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", &bridges));
}
END_TEST

static bool has_network(const struct tap_networks *networks, const char *text)
{
    struct prefix prefix;

    ck_assert(prefix_parse(text, &prefix));
    return tap_network_is_allowed(networks, &prefix);
}

START_TEST(networks_are_within_those_of_the_list)
{
    static const char *const wrong[] = {"",    "192.168.0.0/33", "192.168.0.1/24",
                                        "br0", "10.0.0.0/8,",    "10.0.0.0/8 fd00::/8"};
    struct tap_networks networks = {0};

    ck_assert(!has_network(&networks, "192.168.0.0/24"));
    ck_assert(tap_networks_parse("192.168.0.0/24, fd00:1::/64", &networks));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!tap_networks_parse(wrong[i], &networks), "%s", wrong[i]);
    ck_assert(has_network(&networks, "192.168.0.0/24"));
    ck_assert(has_network(&networks, "192.168.0.128/25"));
    ck_assert(!has_network(&networks, "192.168.0.0/16"));
    ck_assert(!has_network(&networks, "192.168.1.0/24"));
    ck_assert(has_network(&networks, "fd00:1::/64"));
    ck_assert(!has_network(&networks, "fd00:2::/64"));
    ck_assert(tap_networks_parse("none", &networks));
    ck_assert(!has_network(&networks, "192.168.0.0/24"));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, names_begin_with_the_prefix_and_go_on);
    tcase_add_test(tests, a_prefix_is_short_and_plain);
    tcase_add_test(tests, bridges_are_those_of_the_list);
    tcase_add_test(tests, networks_are_within_those_of_the_list);
}

int main(void)
{
    return suite_run("taps_allowed", add_tests);
}
