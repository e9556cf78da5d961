#include "fake.h"
#include "resources/mroute/mroute.h"
#include "resources/mroute/port.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct fixture {
    struct mroute_socket socket;
    struct ports ports;
    struct error error;
};

static void begin(struct fixture *f)
{
    fake_reset();
    f->socket = (struct mroute_socket){mroute_socket_open(FAMILY_IPV4, 253), FAMILY_IPV4, 253};
    ck_assert_int_ge(f->socket.fd, 0);
    ports_init(&f->ports, &f->socket);
}

static void end(struct fixture *f)
{
    ports_clear(&f->ports);
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

    unsigned a = fake_link_add("a");
    struct port *port = port_acquire(&f.ports, "a", a, &f.error);

    ck_assert_ptr_eq(port_acquire(&f.ports, "a", a, &f.error), port);
    ck_assert_uint_eq(vif_count(), 1);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, (unsigned)port->vif), a);
    port_release(&f.ports, port);
    ck_assert_uint_eq(vif_count(), 1);
    port_release(&f.ports, port);
    ck_assert_uint_eq(vif_count(), 0);
    ck_assert_uint_eq(ports_free_vifs(&f.ports), VIFS_MAX);
    end(&f);
}
END_TEST

START_TEST(a_missing_interface_has_a_port_without_a_vif)
{
    struct fixture f;

    begin(&f);

    struct port *port = port_acquire(&f.ports, "a", 0, &f.error);

    ck_assert_int_eq(port->vif, -1);
    ck_assert_uint_eq(vif_count(), 0);
    ck_assert_ptr_eq(port_find(&f.ports, "a", 0), port);
    ck_assert_ptr_null(port_find(&f.ports, "b", 0));

    unsigned a = fake_link_add("a");

    ck_assert(port_attach(&f.ports, port, a));
    ck_assert_ptr_eq(port_find(&f.ports, "", a), port);
    ck_assert_ptr_null(port_find(&f.ports, "a", 0));
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
        ck_assert_ptr_nonnull(port_acquire(&f.ports, name, fake_link_add(name), &f.error));
    }
    ck_assert_ptr_null(port_acquire(&f.ports, "x", fake_link_add("x"), &f.error));
    assert_error(&f.error, "limit");
    ck_assert_uint_eq(f.ports.count, VIFS_MAX);
    ck_assert_ptr_null(port_find(&f.ports, "x", 33));
    end(&f);
}
END_TEST

START_TEST(names_of_missing_interfaces_are_limited)
{
    struct fixture f;
    char name[16];

    begin(&f);
    for (int i = 0; i < PORTS_MAX; i++) {
        sprintf(name, "i%d", i);
        ck_assert_ptr_nonnull(port_acquire(&f.ports, name, 0, &f.error));
    }
    ck_assert_ptr_null(port_acquire(&f.ports, "x", 0, &f.error));
    assert_error(&f.error, "limit");
    ck_assert_ptr_nonnull(port_acquire(&f.ports, "i0", 0, &f.error));
    end(&f);
}
END_TEST

START_TEST(an_interface_that_went_meanwhile_is_not_found)
{
    struct fixture f;

    begin(&f);
    ck_assert_ptr_null(port_acquire(&f.ports, "a", 77, &f.error));
    assert_error(&f.error, "not-found");
    ck_assert_uint_eq(f.ports.count, 0);
    ck_assert_uint_eq(ports_free_vifs(&f.ports), VIFS_MAX);
    end(&f);
}
END_TEST

START_TEST(a_vif_that_somebody_else_made_is_passed_over)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_link_add("a"), b = fake_link_add("b");

    ck_assert_int_eq(mroute_vif_add(&f.socket, 0, b), 0);

    const struct port *port = port_acquire(&f.ports, "a", a, &f.error);

    ck_assert_int_eq(port->vif, 1);
    ck_assert_uint_eq(ports_free_vifs(&f.ports), VIFS_MAX - 2);
    end(&f);
}
END_TEST

START_TEST(a_detached_number_stays_taken_until_it_is_freed)
{
    struct fixture f;

    begin(&f);

    struct port *a = port_acquire(&f.ports, "a", fake_link_add("a"), &f.error);

    fake_link_del("a");
    ck_assert_int_eq(port_detach(&f.ports, a), 0);
    ck_assert_int_eq(port_acquire(&f.ports, "b", fake_link_add("b"), &f.error)->vif, 1);
    port_free_vif(&f.ports, 0);
    ck_assert_int_eq(port_acquire(&f.ports, "c", fake_link_add("c"), &f.error)->vif, 0);
    end(&f);
}
END_TEST

START_TEST(a_refusal_of_the_kernel_is_told)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_link_add("a");

    fake_fail(1, -ENOBUFS);
    ck_assert_ptr_null(port_acquire(&f.ports, "a", a, &f.error));
    assert_error(&f.error, "internal");
    ck_assert_uint_eq(f.ports.count, 0);
    ck_assert_ptr_nonnull(port_acquire(&f.ports, "a", a, &f.error));
    end(&f);
}
END_TEST

START_TEST(adopted_ports_without_a_route_are_dropped)
{
    struct fixture f;

    begin(&f);

    unsigned a = fake_link_add("a"), b = fake_link_add("b");

    ck_assert_int_eq(mroute_vif_add(&f.socket, 3, a), 0);
    ck_assert_int_eq(mroute_vif_add(&f.socket, 4, b), 0);
    port_adopt(&f.ports, "a", a, 3);
    port_adopt(&f.ports, "b", b, 4)->ref_count = 1;
    ports_drop_unused(&f.ports);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, 3), 0);
    ck_assert_uint_eq(fake_vif_ifindex(FAMILY_IPV4, 253, 4), b);
    ck_assert_uint_eq(ports_free_vifs(&f.ports), VIFS_MAX - 1);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_first_user_makes_a_vif_and_the_last_gives_it_back);
    tcase_add_test(tests, a_missing_interface_has_a_port_without_a_vif);
    tcase_add_test(tests, the_33rd_interface_is_refused_and_nothing_is_left_of_it);
    tcase_add_test(tests, names_of_missing_interfaces_are_limited);
    tcase_add_test(tests, an_interface_that_went_meanwhile_is_not_found);
    tcase_add_test(tests, a_vif_that_somebody_else_made_is_passed_over);
    tcase_add_test(tests, a_detached_number_stays_taken_until_it_is_freed);
    tcase_add_test(tests, a_refusal_of_the_kernel_is_told);
    tcase_add_test(tests, adopted_ports_without_a_route_are_dropped);
}

int main(void)
{
    return suite_run("port", add_tests);
}
