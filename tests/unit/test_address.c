#include "address.h"
#include "bounds.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static struct address parse(const char *text)
{
    struct address address;

    ck_assert_msg(address_parse(text, &address), "%s", text);
    return address;
}

START_TEST(text_comes_back_in_the_usual_form)
{
    static const char *const pairs[][2] = {
        {"10.0.1.10", "10.0.1.10"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"FF05:0:0:0:0:0:0:1", "ff05::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888"},
    };
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct address address = parse(pairs[i][0]);

        ck_assert_str_eq(address_format(&address, text), pairs[i][1]);
    }
}
END_TEST

START_TEST(every_number_of_an_address_is_written_as_it_is)
{
    char expected[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX];
    struct address address = {.family = FAMILY_IPV4};

    for (unsigned n = 0; n < 256; n++) {
        for (unsigned i = 0; i < 4; i++)
            address.bytes[i] = (uint8_t)(n + i);
        snprintf(expected, sizeof expected, "%u.%u.%u.%u", n, (n + 1) % 256, (n + 2) % 256,
                 (n + 3) % 256);
        ck_assert_str_eq(address_format(&address, text), expected);
    }
}
END_TEST

START_TEST(other_text_is_refused_and_nothing_is_written)
{
    static const char *const wrong[] = {
        "",          "10.0.1",      "10.0.1.256", "010.0.0.1",  " 10.0.0.1",
        "10.0.0.1 ", "10.0.0.1/24", "0x0a.0.0.1", "10.0.0.1.1", "fe80::1%lo",
        ":::",       "1:2:3",       "g::1",       "localhost",
    };
    struct address address = {.family = 99};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!address_parse(wrong[i], &address), "%s", wrong[i]);
    ck_assert_int_eq(address.family, 99);
}
END_TEST

static const struct {
    const char *text;
    bool multicast, netif_scoped;
} groups[] = {
    {"223.255.255.255", false, false}, {"224.0.0.0", true, true},  {"224.0.0.255", true, true},
    {"224.0.1.0", true, false},        {"225.0.0.5", true, false}, {"239.255.255.255", true, false},
    {"240.0.0.0", false, false},       {"ff00::1", true, true},    {"ff01::1", true, true},
    {"ff02::1", true, true},           {"ff12::1", true, true},    {"ff03::1", true, false},
    {"ff15::1", true, false},          {"ff0e::1", true, false},
};

START_TEST(groups_are_told_by_their_range)
{
    struct address address = parse(groups[_i].text);

    ck_assert_int_eq(address_is_multicast(&address), groups[_i].multicast);
    if (groups[_i].multicast)
        ck_assert_int_eq(address_is_link_scoped(&address), groups[_i].netif_scoped);
}
END_TEST

START_TEST(any_differs_by_family)
{
    struct address v4 = parse("0.0.0.0"), v6 = parse("::"), one = parse("0.0.0.1");

    ck_assert(address_is_any(&v4));
    ck_assert(address_is_any(&v6));
    ck_assert(!address_is_any(&one));
    ck_assert(!address_equal(&v4, &v6));
    ck_assert_str_eq(family_name(FAMILY_IPV4), "ipv4");
    ck_assert_str_eq(family_name(FAMILY_IPV6), "ipv6");
}
END_TEST

START_TEST(a_family_has_its_default_table)
{
    ck_assert_uint_eq(family_table(FAMILY_IPV4, 0), 253);
    ck_assert_uint_eq(family_table(FAMILY_IPV6, 0), 254);
    ck_assert_uint_eq(family_table(FAMILY_IPV4, 7), 7);
}
END_TEST

static const struct {
    const char *text, *right; /* NULL: refused */
} prefixes[] = {
    {"10.0.0.1/24", "10.0.0.0/24"},
    {"10.0.0.1", "10.0.0.1"},
    {"10.0.0.1/32", "10.0.0.1"},
    {"255.255.255.255/1", "128.0.0.0/1"},
    {"10.0.0.1/0", "0.0.0.0"},
    {"ff3e::1/16", "ff3e::/16"},
    {"fd00::1", "fd00::1"},
    {"fd00::7/126", "fd00::4/126"},
    {"::/0", "::"},
    {"10.0.0.0/33", NULL},
    {"ff3e::/129", NULL},
    {"10.0.0.0/", NULL},
    {"10.0.0.0/-1", NULL},
    {"10.0.0.0/08", NULL},
    {"10.0.0.0/8 ", NULL},
    {"/8", NULL},
    {"10.0.0/8", NULL},
    {"10.0.0.0/8/8", NULL},
    {"10.0.0.0/4294967304", NULL},
};

START_TEST(a_prefix_is_read_without_the_bits_behind_it)
{
    struct prefix prefix;
    char text[PREFIX_TEXT_MAX];
    bool read = prefix_parse(prefixes[_i].text, &prefix);

    ck_assert_msg(read == (prefixes[_i].right != NULL), "%s", prefixes[_i].text);
    if (read)
        ck_assert_str_eq(prefix_format(&prefix, text), prefixes[_i].right);
}
END_TEST

static struct prefix prefix_from(const char *text)
{
    struct prefix prefix;

    ck_assert(prefix_parse(text, &prefix));
    return prefix;
}

START_TEST(a_prefix_covers_longer_ones)
{
    struct prefix wide = prefix_from("239.0.0.0/8"), narrow = prefix_from("239.1.0.0/16"),
                  other = prefix_from("238.1.0.0/16"), all = prefix_from("0.0.0.0/0"),
                  six = prefix_from("ef00::/8");

    ck_assert(prefix_covers(&wide, &narrow) && !prefix_covers(&narrow, &wide));
    ck_assert(prefix_overlaps(&wide, &narrow) && prefix_overlaps(&narrow, &wide));
    ck_assert(!prefix_overlaps(&wide, &other) && !prefix_overlaps(&other, &wide));
    ck_assert(prefix_covers(&all, &other) && !prefix_covers(&all, &six));
    ck_assert(prefix_covers(&six, &six) && !prefix_covers(&six, &wide));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, text_comes_back_in_the_usual_form);
    tcase_add_test(tests, every_number_of_an_address_is_written_as_it_is);
    tcase_add_test(tests, other_text_is_refused_and_nothing_is_written);
    tcase_add_loop_test(tests, groups_are_told_by_their_range, 0,
                        (int)(sizeof groups / sizeof *groups));
    tcase_add_test(tests, any_differs_by_family);
    tcase_add_test(tests, a_family_has_its_default_table);
    tcase_add_loop_test(tests, a_prefix_is_read_without_the_bits_behind_it, 0,
                        (int)(sizeof prefixes / sizeof *prefixes));
    tcase_add_test(tests, a_prefix_covers_longer_ones);
}

int main(void)
{
    return suite_run("address", add_tests);
}
