/* The index of ranges: which one a flow is of, and how many there are. */
#include "kernel.h"
#include "resources/mroute/range.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUTES_MAX_HERE = 4096 };

static struct {
    struct ranges ranges;
    struct iface ifaces[8];
    unsigned iface_count;
    struct route *routes[ROUTES_MAX_HERE];
    unsigned route_count;
} t;

static struct iface *iface(const char *name)
{
    struct iface *iface = NULL;

    for (unsigned i = 0; i < t.iface_count && !iface; i++)
        if (strcmp(t.ifaces[i].name, name) == 0)
            iface = &t.ifaces[i];
    if (iface)
        return iface;
    iface = &t.ifaces[t.iface_count++];
    strcpy(iface->name, name);
    iface->pattern = interface_name_is_pattern(name);
    return iface;
}

static void begin(void)
{
    memset(&t, 0, sizeof t);
    t.ranges.seed = 42;
}

static void end(void)
{
    ranges_clear(&t.ranges);
    for (unsigned i = 0; i < t.route_count; i++)
        free(t.routes[i]);
}

static struct route *add(const char *source, const char *group, const char *iif)
{
    struct prefix s = kernel_prefix(source), g = kernel_prefix(group);
    struct route *route = route_new(&s, &g, 0);

    route->is_range = true;
    route->iif = iface(iif);
    route->serial = t.route_count;
    t.routes[t.route_count++] = route;
    ck_assert(ranges_add(&t.ranges, route));
    return route;
}

static const struct route *find(const char *source, const char *group, const char *iif)
{
    struct address s, g;

    ck_assert(address_parse(source, &s) && address_parse(group, &g));
    return ranges_find(&t.ranges, &s, &g, iif ? iface(iif) : NULL);
}

static unsigned count(const char *group)
{
    struct address g;

    ck_assert(address_parse(group, &g));
    return ranges_count(&t.ranges, &g);
}

START_TEST(the_smallest_range_of_groups_wins)
{
    struct route *all, *half, *one;

    begin();
    all = add("10.0.0.0/24", "224.0.0.0/4", "a");
    half = add("10.0.0.0/16", "239.0.0.0/8", "a");
    one = add("0.0.0.0", "239.1.1.1", "+");
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "a"), one);
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.2", "a"), half);
    ck_assert_ptr_eq(find("10.0.0.1", "238.1.1.2", "a"), all);
    ck_assert_ptr_null(find("10.1.0.1", "238.1.1.2", "a"));
    ck_assert_ptr_null(find("10.0.0.1", "239.1.1.2", "b"));
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.2", NULL), half);
    end();
}
END_TEST

START_TEST(then_the_smallest_of_sources_and_then_the_interface)
{
    struct route *any, *net, *pattern, *longer, *named;

    begin();
    any = add("0.0.0.0", "239.1.0.0/16", "e0");
    net = add("10.0.0.0/8", "239.1.0.0/16", "+");
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "e0"), net);
    ck_assert_ptr_eq(find("11.0.0.1", "239.1.1.1", "e0"), any);
    ck_assert_ptr_null(find("11.0.0.1", "239.1.1.1", "f"));
    longer = add("10.0.0.0/8", "239.1.0.0/16", "e+");
    pattern = add("10.0.0.0/8", "239.1.0.0/16", "e0+");
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "e1"), longer);
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "e0"), pattern);
    named = add("10.0.0.0/8", "239.1.0.0/16", "e0");
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "e0"), named);
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "f"), net);
    end();
}
END_TEST

START_TEST(then_the_oldest)
{
    struct route *first, *second;

    begin();
    first = add("0.0.0.0", "239.1.0.0/16", "e+");
    second = add("0.0.0.0", "239.1.0.0/16", "f+");
    t.routes[0]->serial = 7;
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", NULL), second);
    t.routes[1]->serial = 8;
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", NULL), first);
    end();
}
END_TEST

START_TEST(all_that_have_a_group_are_counted)
{
    struct route *route;

    begin();
    ck_assert_uint_eq(count("239.1.1.1"), 0);
    add("0.0.0.0", "239.1.1.1", "a");
    ck_assert_uint_eq(count("239.1.1.1"), 1);
    add("0.0.0.0", "239.1.1.1", "b");
    add("10.0.0.0/8", "239.1.1.0/24", "a");
    route = add("10.0.0.0/8", "224.0.0.0/4", "a");
    add("0.0.0.0", "ff05::/16", "a");
    ck_assert_uint_eq(count("239.1.1.1"), 4);
    ck_assert_uint_eq(count("239.1.1.2"), 2);
    ck_assert_uint_eq(count("225.1.1.2"), 1);
    ck_assert_uint_eq(count("ff05::1"), 1);
    ck_assert_uint_eq(count("ff0e::1"), 0);
    ranges_remove(&t.ranges, route);
    ck_assert_uint_eq(count("225.1.1.2"), 0);
    ck_assert_uint_eq(count("239.1.1.1"), 3);
    end();
}
END_TEST

START_TEST(one_takes_another_s_place)
{
    struct route *old, *new;

    begin();
    old = add("0.0.0.0", "239.1.1.1", "a");
    new = add("0.0.0.0", "239.9.9.9", "a");
    ranges_remove(&t.ranges, new);
    new->group = old->group;
    ranges_replace(&t.ranges, old, new);
    ck_assert_ptr_eq(find("10.0.0.1", "239.1.1.1", "a"), new);
    ck_assert_uint_eq(count("239.1.1.1"), 1);
    ck_assert_uint_eq(count("239.9.9.9"), 0);
    end();
}
END_TEST

START_TEST(each_of_many_is_found_while_the_index_grows_and_shrinks)
{
    char group[32];

    begin();
    for (int i = 0; i < 3000; i++) {
        sprintf(group, "239.%d.%d.0/24", i / 256, i % 256);
        add("0.0.0.0", group, "a");
    }
    ck_assert_uint_eq(t.ranges.groups.count, 3000);
    ck_assert_uint_ge(1U << t.ranges.groups.bits, 3000);
    ck_assert_uint_eq(t.ranges.lengths[24], 3000);
    for (unsigned i = 0; i < 3000; i += 2)
        ranges_remove(&t.ranges, t.routes[i]);
    for (unsigned i = 0; i < 3000; i++) {
        sprintf(group, "239.%u.%u.77", i / 256, i % 256);
        ck_assert_ptr_eq(find("10.0.0.1", group, "a"), i % 2 ? t.routes[i] : NULL);
        ck_assert_uint_eq(count(group), i % 2);
    }
    ck_assert_uint_eq(t.ranges.groups.count, 1500);
    ck_assert_uint_eq(t.ranges.lengths[24], 1500);
    end();
}
END_TEST

static bool take(void *context, struct route *route)
{
    unsigned *seen = context;

    *seen |= 1u << route->serial;
    return true;
}

START_TEST(those_of_a_group_and_all_sources_are_visited)
{
    struct prefix group = kernel_prefix("239.1.1.1"), wide = kernel_prefix("239.0.0.0/8");
    unsigned seen = 0;

    begin();
    ck_assert(!ranges_have_single(&t.ranges));
    add("0.0.0.0", "239.0.0.0/8", "a");
    ck_assert(!ranges_have_single(&t.ranges));
    add("0.0.0.0", "239.1.1.1", "a");
    add("0.0.0.0", "239.1.1.1", "b");
    add("10.0.0.0/8", "239.1.1.1", "a");
    add("0.0.0.0", "238.1.1.1", "a");
    ck_assert(ranges_have_single(&t.ranges));
    ck_assert_uint_eq(ranges_count_of(&t.ranges, &group), 3);
    ck_assert_uint_eq(ranges_count_of(&t.ranges, &wide), 1);
    ranges_visit_any(&t.ranges, &group, take, &seen);
    ck_assert_uint_eq(seen, 1u << 1 | 1u << 2);
    end();
}
END_TEST

/* What was visited, by the numbers of the routes. */
struct visited {
    char text[64];
    unsigned most;
};

static bool note(void *context, struct route *route)
{
    struct visited *visited = context;

    sprintf(visited->text + strlen(visited->text), "%u", (unsigned)route->serial);
    return visited->most == 0 || strlen(visited->text) < visited->most;
}

static const char *around(const char *source, const char *group, const char *iif, unsigned most)
{
    static struct visited visited;
    struct prefix s = kernel_prefix(source), g = kernel_prefix(group);

    visited = (struct visited){.most = most};
    ranges_visit_around(&t.ranges, &s, &g, iif, note, &visited);
    return visited.text;
}

START_TEST(those_around_a_route_are_visited_from_the_most_specific_on)
{
    begin();
    add("0.0.0.0", "224.0.0.0/4", "a");      /* 0 */
    add("10.1.0.0/16", "224.0.0.0/4", "a");  /* 1 */
    add("0.0.0.0", "239.1.0.0/16", "b");     /* 2 */
    add("10.0.0.0/8", "239.1.0.0/16", "b");  /* 3 */
    add("10.1.1.0/24", "239.1.0.0/16", "a"); /* 4 */
    add("11.0.0.0/8", "239.1.0.0/16", "a");  /* 5 */
    add("0.0.0.0", "239.1.1.1", "a");        /* 6 */
    ck_assert_str_eq(around("10.1.1.1", "239.1.1.1", NULL, 0), "643210");
    ck_assert_str_eq(around("10.1.1.1", "239.1.1.1", NULL, 2), "64");
    ck_assert_str_eq(around("10.1.0.0/16", "239.1.0.0/16", "a", 0), "3210");
    ck_assert_str_eq(around("10.0.0.0/8", "239.1.0.0/16", "a", 0), "3210");
    ck_assert_str_eq(around("0.0.0.0", "239.1.0.0/16", "a", 0), "210");
    ck_assert_str_eq(around("0.0.0.0", "239.1.0.0/16", "b", 0), "20");
    ck_assert_str_eq(around("0.0.0.0", "239.1.0.0/16", "+", 0), "210");
    ck_assert_str_eq(around("10.1.1.1", "240.0.0.1", NULL, 0), "");
    ranges_remove(&t.ranges, t.routes[3]);
    ck_assert_str_eq(around("10.1.1.1", "239.1.1.1", NULL, 0), "64210");
    end();
}
END_TEST

/* Ranges of all kinds against a look at each of them. */
START_TEST(the_winner_is_that_of_an_obvious_search)
{
    static const char *const names[] = {"e0", "e1", "f0", "e+", "f+", "+"};

    srand((unsigned)_i);
    begin();
    for (int i = 0; i < 40; i++) {
        char source[32], group[32];

        sprintf(source, "10.%d.0.0/%d", rand() % 2, 7 + rand() % 10);
        sprintf(group, "239.%d.0.%d/%d", rand() % 2, rand() % 4, 8 + rand() % 25);
        add(source, group, names[rand() % 6]);
    }
    for (int i = 0; i < 200; i++) {
        struct address s = {V4, {10, (uint8_t)(rand() % 3), 0, 1}};
        struct address g = {V4, {239, (uint8_t)(rand() % 3), 0, (uint8_t)(rand() % 4)}};
        struct iface *in = iface(names[rand() % 3]);
        size_t best = 0, winner = 0, had = 0;

        for (unsigned n = t.route_count; n-- > 0;) {
            const struct route *r = t.routes[n];
            bool meant =
                r->iif == in || (r->iif->pattern && iface_name_matches(r->iif->name, in->name));
            size_t rank = 1000000u * r->group.length + 1000u * r->source.length +
                          (r->iif->pattern ? strlen(r->iif->name) : 100);

            if (!meant || !prefix_has(&r->source, &s) || !prefix_has(&r->group, &g) || rank < best)
                continue;
            best = rank;
            winner = n;
            had = 1;
        }
        ck_assert_ptr_eq(ranges_find(&t.ranges, &s, &g, in), had ? t.routes[winner] : NULL);
    }
    end();
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_smallest_range_of_groups_wins);
    tcase_add_test(tests, then_the_smallest_of_sources_and_then_the_interface);
    tcase_add_test(tests, then_the_oldest);
    tcase_add_test(tests, all_that_have_a_group_are_counted);
    tcase_add_test(tests, one_takes_another_s_place);
    tcase_add_test(tests, each_of_many_is_found_while_the_index_grows_and_shrinks);
    tcase_add_test(tests, those_of_a_group_and_all_sources_are_visited);
    tcase_add_test(tests, those_around_a_route_are_visited_from_the_most_specific_on);
    tcase_add_loop_test(tests, the_winner_is_that_of_an_obvious_search, 0, 20);
}

int main(void)
{
    return suite_run("range", add_tests);
}
