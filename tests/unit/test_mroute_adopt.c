/* Tables that an earlier process left: its routes are ours, and its garbage harms nobody. */
#include "kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Ends the process, so to speak: the kept copy of the descriptor holds the table. */
static int die(struct kernel *k, uint8_t family)
{
    struct mroute_socket socket = {-1, family, family_table(family, 0)};
    int kept;

    kernel_end(k);
    ck_assert(!fake_table_is_owned(family, socket.table));
    kept = mroute_socket_open(family, socket.table);
    ck_assert_int_ge(kept, 0);
    return kept;
}

/* A kept table before its first adoption, on the fake platform with these interfaces. */
static struct mroute_socket begin_kept(const char *const *interfaces)
{
    struct mroute_socket socket = {-1, V4, 253};

    fake_reset();
    for (; *interfaces; interfaces++)
        fake_netif_add(*interfaces);
    socket.fd = mroute_socket_open(V4, 253);
    ck_assert_int_ge(socket.fd, 0);
    return socket;
}

static void set_entry(const struct mroute_socket *socket, const char *source, const char *group,
                      unsigned parent, uint32_t oifs)
{
    struct mfc_entry entry = {.parent = parent};

    ck_assert(address_parse(source, &entry.source));
    ck_assert(address_parse(group, &entry.group));
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        entry.ttls[vif] = oifs >> vif & 1;
    ck_assert_int_eq(mroute_mfc_set(socket, &entry), 0);
}

static void adopt(struct kernel *k, const struct mroute_socket *socket)
{
    kernel_start(k);
    ck_assert_int_eq(mroute_adopt(k->mroute, socket), 0);
}

static const char *const abc[] = {"a", "b", "c", NULL};

START_TEST(routes_and_vifs_are_found_again_without_a_write)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;

    mroute_vif_add(&socket, 4, 1);
    mroute_vif_add(&socket, 7, 2);
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 4, 1u << 7);
    set_entry(&socket, "0.0.0.0", "239.1.1.2", 7, 1u << 4 | 1u << 7);

    unsigned writes = fake_writes();

    adopt(&k, &socket);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a b installed\n"
                                        "0.0.0.0 239.1.1.2 b a installed\n");
    kernel_check(&k);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert_int_eq(k.change, CHANGE_NONE);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
    ck_assert(kernel_del(&k, NULL, "239.1.1.2"));
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(vifs_that_no_route_names_are_given_back)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;

    mroute_vif_add(&socket, 0, 1);
    mroute_vif_add(&socket, 1, 2);
    mroute_vif_add(&socket, 2, 3);
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 0, 1u << 2);
    adopt(&k, &socket);
    ck_assert_uint_eq(fake_vif_count(V4, 253), 2);
    ck_assert_uint_eq(fake_vif_ifindex(V4, 253, 1), 0);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* Interfaces that went while no process looked: their numbers are still in the entries. */
START_TEST(numbers_that_went_unseen_are_erased_before_they_are_used_again)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;

    mroute_vif_add(&socket, 0, 1);
    mroute_vif_add(&socket, 1, 2);
    mroute_vif_add(&socket, 2, 3);
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 0, 1u << 1 | 1u << 2);
    set_entry(&socket, "10.0.0.2", "239.1.1.1", 1, 1u << 2);
    fake_netif_del("b");
    fake_netif_add("stranger");
    adopt(&k, &socket);
    ck_assert_str_eq(kernel_routes(&k), "10.0.0.1 239.1.1.1 a c installed\n");
    ck_assert_ptr_null(fake_mfc_find(V4, 253, "10.0.0.2", "239.1.1.1"));
    ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "stranger"));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a c:1");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(the_same_holds_when_an_interface_comes_back)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.9", "239.9.9.9", "a", "later");

    mroute_vif_add(&socket, 0, 1);
    mroute_vif_add(&socket, 1, 2);
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 0, 1u << 1 | 1u << 2);
    fake_netif_del("b");
    adopt(&k, &socket);
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    fake_netif_add("later");
    kernel_update(&k);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(garbage_is_deleted_or_made_harmless)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;

    mroute_vif_add(&socket, 0, 1);
    mroute_vif_add(&socket, 1, 2);
    mroute_vif_add(&socket, 5, 2);                           /* b has two */
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 31, 1u);     /* no such VIF */
    set_entry(&socket, "10.0.0.2", "239.1.1.1", 0, ~0u);     /* to all that were and will be */
    set_entry(&socket, "10.0.0.3", "239.1.1.1", 0, 1u);      /* back to where it came from */
    set_entry(&socket, "10.0.0.4", "224.0.0.5", 1, 1u);      /* link-local */
    set_entry(&socket, "10.0.0.5", "239.1.1.1", 0, 1u << 9); /* to nobody */
    adopt(&k, &socket);
    ck_assert_ptr_null(fake_mfc_find(V4, 253, "10.0.0.1", "239.1.1.1"));
    ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "c"));
    ck_assert_uint_eq(fake_strangers(), 0);
    ck_assert_ptr_null(strstr(kernel_entry(&k, "10.0.0.2", "239.1.1.1"), "?"));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.5", "239.1.1.1"), "a");

    struct mroute_filter everything = {0};

    ck_assert_uint_eq(kernel_flush(&k, &everything, false), 5);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

/* It is deleted then: the number is going to be another interface's. */
START_TEST(a_number_that_cannot_be_erased_is_no_reason_to_leak)
{
    struct mroute_socket socket = begin_kept(abc);
    struct kernel k;

    mroute_vif_add(&socket, 0, 1);
    mroute_vif_add(&socket, 1, 2);
    set_entry(&socket, "10.0.0.1", "239.1.1.1", 0, 1u << 1);
    fake_netif_del("b");
    fake_netif_add("stranger");
    adopt(&k, &socket);
    fake_fail(1, -ENOMEM);
    ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "stranger"));
    ck_assert_uint_eq(fake_strangers(), 0);
    ck_assert_ptr_null(fake_mfc_find(V4, 253, "10.0.0.1", "239.1.1.1"));
    fake_netif_del("a");
    fake_netif_add("a");
    kernel_update(&k);
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(both_families_are_adopted)
{
    struct kernel k;
    int v4, v6;

    kernel_begin(&k, "a b");
    v4 = die(&k, V4);
    v6 = mroute_socket_open(V6, 254);

    struct mroute_socket sockets[] = {{v4, V4, 253}, {v6, V6, 254}};

    mroute_vif_add(&sockets[1], 3, 1);
    mroute_vif_add(&sockets[1], 2, 2);

    struct mfc_entry entry = {.parent = 3};

    ck_assert(address_parse("fd00::1", &entry.source));
    ck_assert(address_parse("ff05::1", &entry.group));
    entry.ttls[2] = 1;
    ck_assert_int_eq(mroute_mfc_set(&sockets[1], &entry), 0);
    kernel_start(&k);
    ck_assert_int_eq(mroute_adopt(k.mroute, &sockets[0]), 0);
    ck_assert_int_eq(mroute_adopt(k.mroute, &sockets[1]), 0);
    ck_assert_str_eq(kernel_routes(&k), "fd00::1 ff05::1 a b installed\n");
    ck_assert_uint_eq(mroute_totals(k.mroute).routes, 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* What one process did, the next one sees, whatever happened meanwhile. */
START_TEST(a_crash_loses_nothing)
{
    struct kernel k;
    int kept;

    kernel_begin(&k, "a b c");
    kept = kernel_open_table(&k, V4, 9);
    for (int i = 0; i < 100; i++) {
        char group[32];

        sprintf(group, "239.1.1.%d", i);

        struct args_add_mfc args = route_args("10.0.0.1", group, "a", i % 2 ? "b" : "c,b");

        args.table = 9;
        ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    }
    char before[8192];

    snprintf(before, sizeof before, "%s", kernel_routes(&k));
    kernel_end(&k);
    ck_assert(fake_table_is_owned(V4, 9));

    struct mroute_socket socket = {kept, V4, 9};
    unsigned writes = fake_writes();

    adopt(&k, &socket);
    /* The oifs come in the order of their VIFs. */
    ck_assert_uint_eq(strlen(kernel_routes(&k)), strlen(before));
    ck_assert_uint_eq(fake_writes(), writes);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The keeper hears of the broker while a full table is taken over, and while it is emptied. */
START_TEST(that_it_works_is_told_meanwhile)
{
    struct mroute_socket socket = begin_kept(abc);
    char group[ADDRESS_TEXT_MAX];
    unsigned works;
    struct kernel k;

    mroute_vif_add(&socket, 0, 1);
    for (int i = 0; i < 3000; i++) {
        snprintf(group, sizeof group, "239.1.%d.%d", i / 256, i % 256);
        set_entry(&socket, "10.0.0.1", group, 0, 0);
    }
    adopt(&k, &socket);
    works = k.works;
    ck_assert_uint_ge(works, 2);
    mroute_settle(k.mroute, true); /* nobody wants them */
    ck_assert_uint_ge(k.works, works + 2);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, routes_and_vifs_are_found_again_without_a_write);
    tcase_add_test(tests, vifs_that_no_route_names_are_given_back);
    tcase_add_test(tests, numbers_that_went_unseen_are_erased_before_they_are_used_again);
    tcase_add_test(tests, the_same_holds_when_an_interface_comes_back);
    tcase_add_test(tests, garbage_is_deleted_or_made_harmless);
    tcase_add_test(tests, a_number_that_cannot_be_erased_is_no_reason_to_leak);
    tcase_add_test(tests, both_families_are_adopted);
    tcase_add_test(tests, a_crash_loses_nothing);
    tcase_add_test(tests, that_it_works_is_told_meanwhile);
}

int main(void)
{
    return suite_run("mroute_adopt", add_tests);
}
