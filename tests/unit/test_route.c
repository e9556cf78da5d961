#include "resources/mroute/route.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 3000 };

/* The nth of many routes; sources and groups vary both. */
static void key(unsigned n, struct prefix *source, struct prefix *group)
{
    struct address s = {FAMILY_IPV4, {10, 0, (uint8_t)(n >> 4), (uint8_t)(n & 15)}};
    struct address g = {FAMILY_IPV4, {239, 1, (uint8_t)(n >> 8), (uint8_t)n}};

    *source = prefix_single(&s);
    *group = prefix_single(&g);
}

static struct route *insert(struct route_set *set, unsigned n)
{
    struct prefix source, group;
    struct route *route;

    key(n, &source, &group);
    route = route_new(&source, &group, 2);
    route->serial = n;
    route_set_insert(set, route);
    return route;
}

static struct route *find(const struct route_set *set, unsigned n)
{
    struct prefix source, group;

    key(n, &source, &group);
    return route_set_find(set, &source, &group, NULL);
}

START_TEST(each_of_many_is_found_while_the_set_grows_and_shrinks)
{
    struct route_set set;

    route_set_init(&set, 42);
    for (unsigned n = 0; n < MANY; n++) {
        ck_assert_ptr_null(find(&set, n));
        insert(&set, n);
    }
    ck_assert_uint_eq(set.keys.count, MANY);
    ck_assert_uint_ge(1U << set.keys.bits, MANY);
    for (unsigned n = 0; n < MANY; n += 2) {
        struct route *route = find(&set, n);

        route_set_remove(&set, route);
        free(route);
    }
    for (unsigned n = 0; n < MANY; n++)
        ck_assert_int_eq(find(&set, n) != NULL, n % 2);
    route_set_clear(&set);
}
END_TEST

START_TEST(the_order_is_that_of_adding)
{
    struct route_set set;
    struct route *route;
    unsigned n = 0;

    route_set_init(&set, 1);
    for (unsigned i = 0; i < MANY; i++)
        insert(&set, i);
    TAILQ_FOREACH (route, &set.order, in_order)
        ck_assert_uint_eq(route->serial, n++);
    ck_assert_uint_eq(n, MANY);
    route_set_clear(&set);
}
END_TEST

START_TEST(source_and_group_both_are_the_key)
{
    struct prefix s1 = {{FAMILY_IPV4, {10, 0, 0, 1}}, 32}, s2 = {{FAMILY_IPV4, {10, 0, 0, 2}}, 32};
    struct prefix g1 = {{FAMILY_IPV4, {239, 0, 0, 1}}, 32},
                  g2 = {{FAMILY_IPV4, {239, 0, 0, 2}}, 32};
    struct route_set set;

    route_set_init(&set, 7);
    route_set_insert(&set, route_new(&s1, &g1, 0));
    ck_assert_ptr_nonnull(route_set_find(&set, &s1, &g1, NULL));
    ck_assert_ptr_null(route_set_find(&set, &s2, &g1, NULL));
    ck_assert_ptr_null(route_set_find(&set, &s1, &g2, NULL));
    ck_assert_ptr_null(route_set_find(&set, &g1, &s1, NULL));
    route_set_clear(&set);
}
END_TEST

START_TEST(a_replacement_takes_the_place)
{
    struct route_set set;
    struct prefix source, group;
    struct route *old, *new;

    route_set_init(&set, 3);
    insert(&set, 0);
    old = insert(&set, 1);
    insert(&set, 2);
    key(1, &source, &group);
    new = route_new(&source, &group, 0);
    route_set_replace(&set, old, new);
    free(old);
    ck_assert_ptr_eq(find(&set, 1), new);
    ck_assert_ptr_eq(TAILQ_NEXT(TAILQ_FIRST(&set.order), in_order), new);
    ck_assert_uint_eq(set.keys.count, 3);
    route_set_clear(&set);
}
END_TEST

static const struct route *in_bucket_behind(const struct route *route)
{
    const struct hash_link *next = route->in_keys.next;

    return next ? HASH_ELEMENT(next, route, in_keys) : NULL;
}

/* With another seed, other routes share a bucket: nobody can prepare a list of such. */
START_TEST(the_seed_decides_who_shares_a_bucket)
{
    struct route_set one, two;
    unsigned shared = 0, shared_again = 0;

    route_set_init(&one, 1);
    route_set_init(&two, 2);
    for (unsigned n = 0; n < 64; n++) {
        insert(&one, n);
        insert(&two, n);
    }
    for (unsigned n = 0; n < 64; n++) {
        const struct route *beside = in_bucket_behind(find(&one, n));
        const struct route *beside_again = in_bucket_behind(find(&two, n));

        shared += beside != NULL;
        shared_again += beside && beside_again && beside->serial == beside_again->serial;
    }
    ck_assert_uint_gt(shared, 0);
    ck_assert_uint_lt(shared_again, shared);
    route_set_clear(&one);
    route_set_clear(&two);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_of_many_is_found_while_the_set_grows_and_shrinks);
    tcase_add_test(tests, the_order_is_that_of_adding);
    tcase_add_test(tests, source_and_group_both_are_the_key);
    tcase_add_test(tests, a_replacement_takes_the_place);
    tcase_add_test(tests, the_seed_decides_who_shares_a_bucket);
}

int main(void)
{
    return suite_run("route", add_tests);
}
