#include "fake.h"
#include "resources/mroute/iface.h"
#include "resources/mroute/mroute.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
    struct mroute_socket socket;
    struct ifaces ifaces;
    struct error error;
};

static void begin(struct fixture *f)
{
    fake_reset();
    f->socket = (struct mroute_socket){mroute_socket_open(FAMILY_IPV4, 253), FAMILY_IPV4, 253};
    ck_assert_int_ge(f->socket.fd, 0);
    ifaces_init(&f->ifaces, &f->socket);
}

static void end(struct fixture *f)
{
    ifaces_clear(&f->ifaces);
    close(f->socket.fd);
}

static unsigned vif_count(void)
{
    return fake_vif_count(FAMILY_IPV4, 253);
}

START_TEST(the_first_user_makes_a_vif_and_the_last_gives_it_back)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_netif_add("a");
    struct iface *iface = iface_acquire(&f.ifaces, "a", a, false, &f.error);

    ck_assert_ptr_eq(iface_acquire(&f.ifaces, "a", a, false, &f.error), iface);
    ck_assert_uint_eq(vif_count(), 1);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, (unsigned)iface->vif), a);
    iface_release(&f.ifaces, iface);
    ck_assert_uint_eq(vif_count(), 1);
    iface_release(&f.ifaces, iface);
    ck_assert_uint_eq(vif_count(), 0);
    ck_assert_uint_eq(ifaces_free_vifs(&f.ifaces), VIFS_MAX);
    end(&f);
}
END_TEST

START_TEST(a_missing_interface_has_a_iface_without_a_vif)
{
    struct fixture f;

    begin(&f);

    struct iface *iface = iface_acquire(&f.ifaces, "a", 0, false, &f.error);

    ck_assert_int_eq(iface->vif, -1);
    ck_assert_uint_eq(vif_count(), 0);
    ck_assert_ptr_eq(iface_find(&f.ifaces, "a", 0), iface);
    ck_assert_ptr_null(iface_find(&f.ifaces, "b", 0));

    unsigned a = fake_netif_add("a");

    ck_assert(iface_attach(&f.ifaces, iface, a));
    ck_assert_ptr_eq(iface_find(&f.ifaces, "", a), iface);
    ck_assert_ptr_null(iface_find(&f.ifaces, "a", 0));
    ck_assert_uint_eq(vif_count(), 1);
    end(&f);
}
END_TEST

START_TEST(the_33rd_interface_is_refused_and_nothing_is_left_of_it)
{
    struct fixture f;
    char name[16];

    begin(&f);
    for (int i = 0; i < VIFS_MAX; i++) {
        sprintf(name, "i%d", i);
        ck_assert_ptr_nonnull(
            iface_acquire(&f.ifaces, name, fake_netif_add(name), false, &f.error));
    }
    ck_assert_ptr_null(iface_acquire(&f.ifaces, "x", fake_netif_add("x"), false, &f.error));
    assert_error(&f.error, "limit");
    ck_assert_uint_eq(f.ifaces.count, VIFS_MAX);
    ck_assert_ptr_null(iface_find(&f.ifaces, "x", 33));
    end(&f);
}
END_TEST

START_TEST(names_of_missing_interfaces_are_limited)
{
    struct fixture f;
    char name[16];

    begin(&f);
    for (int i = 0; i < IFACES_MAX; i++) {
        sprintf(name, "i%d", i);
        ck_assert_ptr_nonnull(iface_acquire(&f.ifaces, name, 0, false, &f.error));
    }
    ck_assert_ptr_null(iface_acquire(&f.ifaces, "x", 0, false, &f.error));
    assert_error(&f.error, "limit");
    ck_assert_ptr_nonnull(iface_acquire(&f.ifaces, "i0", 0, false, &f.error));
    end(&f);
}
END_TEST

START_TEST(an_interface_that_went_meanwhile_is_not_found)
{
    struct fixture f;

    begin(&f);
    ck_assert_ptr_null(iface_acquire(&f.ifaces, "a", 77, false, &f.error));
    assert_error(&f.error, "not-found");
    ck_assert_uint_eq(f.ifaces.count, 0);
    ck_assert_uint_eq(ifaces_free_vifs(&f.ifaces), VIFS_MAX);
    end(&f);
}
END_TEST

START_TEST(a_vif_that_somebody_else_made_is_passed_over)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_netif_add("a"), b = fake_netif_add("b");

    ck_assert_int_eq(mroute_vif_add(&f.socket, 0, b), 0);

    const struct iface *iface = iface_acquire(&f.ifaces, "a", a, false, &f.error);

    ck_assert_int_eq(iface->vif, 1);
    ck_assert_uint_eq(ifaces_free_vifs(&f.ifaces), VIFS_MAX - 2);
    end(&f);
}
END_TEST

START_TEST(a_detached_number_stays_taken_until_it_is_freed)
{
    struct fixture f;

    begin(&f);

    struct iface *a = iface_acquire(&f.ifaces, "a", fake_netif_add("a"), false, &f.error);

    fake_netif_del("a");
    ck_assert_int_eq(iface_detach(&f.ifaces, a), 0);
    ck_assert_int_eq(iface_acquire(&f.ifaces, "b", fake_netif_add("b"), false, &f.error)->vif, 1);
    iface_free_vif(&f.ifaces, 0);
    ck_assert_int_eq(iface_acquire(&f.ifaces, "c", fake_netif_add("c"), false, &f.error)->vif, 0);
    end(&f);
}
END_TEST

START_TEST(a_refusal_of_the_kernel_is_told)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_netif_add("a");

    fake_fail(1, -ENOBUFS);
    ck_assert_ptr_null(iface_acquire(&f.ifaces, "a", a, false, &f.error));
    assert_error(&f.error, "internal");
    ck_assert_uint_eq(f.ifaces.count, 0);
    ck_assert_ptr_nonnull(iface_acquire(&f.ifaces, "a", a, false, &f.error));
    end(&f);
}
END_TEST

START_TEST(adopted_ifaces_without_a_route_are_dropped)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_netif_add("a"), b = fake_netif_add("b");

    ck_assert_int_eq(mroute_vif_add(&f.socket, 3, a), 0);
    ck_assert_int_eq(mroute_vif_add(&f.socket, 4, b), 0);
    iface_adopt(&f.ifaces, "a", a, 3);
    iface_adopt(&f.ifaces, "b", b, 4)->ref_count = 1;
    ifaces_drop_unused(&f.ifaces);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, 3), 0);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, 4), b);
    ck_assert_uint_eq(ifaces_free_vifs(&f.ifaces), VIFS_MAX - 1);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_first_user_makes_a_vif_and_the_last_gives_it_back);
    tcase_add_test(tests, a_missing_interface_has_a_iface_without_a_vif);
    tcase_add_test(tests, the_33rd_interface_is_refused_and_nothing_is_left_of_it);
    tcase_add_test(tests, names_of_missing_interfaces_are_limited);
    tcase_add_test(tests, an_interface_that_went_meanwhile_is_not_found);
    tcase_add_test(tests, a_vif_that_somebody_else_made_is_passed_over);
    tcase_add_test(tests, a_detached_number_stays_taken_until_it_is_freed);
    tcase_add_test(tests, a_refusal_of_the_kernel_is_told);
    tcase_add_test(tests, adopted_ifaces_without_a_route_are_dropped);
}

int main(void)
{
    return suite_run("iface", add_tests);
}
