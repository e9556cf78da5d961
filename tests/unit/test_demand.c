/* Routes on demand: what is learned when packets come, and what becomes of it. */
#include "kernel.h"
#include "resources/mroute/unrouted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds of the clock that learned routes begin by. */
static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct address address(const char *text)
{
    struct address address;

    ck_assert_msg(address_parse(text, &address), "%s", text);
    return address;
}

static unsigned index_of(struct kernel *k, const char *name)
{
    const struct netif *netif = netifs_find(k->netifs, name);

    ck_assert_msg(netif != NULL, "%s", name);
    return netif->ifindex;
}

static const char *delivery_text(struct kernel *k, const struct fake_delivery *delivery)
{
    static const char *const fates[] = {"unseen", "forwarded", "no-route", "wrong-interface"};
    static char text[256];
    char *at = text + sprintf(text, "%s", fates[delivery->fate]);

    for (unsigned i = 0; i < delivery->count; i++)
        at += sprintf(at, " %s", netifs_find_index(k->netifs, delivery->oifs[i])->name);
    return text;
}

/* What the kernel does with a packet at once; the module reads its upcalls then. */
static const char *packet(struct kernel *k, const char *iif, const char *source, const char *group)
{
    struct address s = address(source), g = address(group);
    uint32_t table = family_table(g.family, 0);
    struct fake_delivery delivery = fake_packet(g.family, table, index_of(k, iif), &s, &g);

    mroute_read_upcalls(k->mroute, g.family, table);
    return delivery_text(k, &delivery);
}

/* A packet of a flow that is known by now. */
static const char *second(struct kernel *k, const char *iif, const char *source, const char *group)
{
    packet(k, iif, source, group);
    return packet(k, iif, source, group);
}

static void upcall(struct kernel *k, enum upcall_kind kind, unsigned vif, const char *source,
                   const char *group)
{
    struct upcall upcall = {kind, vif, address(source), address(group)};

    fake_upcall(upcall.group.family, family_table(upcall.group.family, 0), &upcall);
    mroute_read_upcalls(k->mroute, upcall.group.family, family_table(upcall.group.family, 0));
}

static size_t learned(struct kernel *k)
{
    kernel_check(k);
    return mroute_totals(k->mroute).learned;
}

static void set_limits(struct kernel *k, unsigned learned, unsigned unmatched)
{
    struct mroute_limits limits = {learned, unmatched};

    mroute_set_limits(k->mroute, &limits);
}

/* --- Learning ------------------------------------------------------------------------------ */

START_TEST(the_second_packet_of_a_flow_goes_where_its_range_says)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.1.0.0/16", "a", "b,c"));
    ck_assert(k.owned == 1 && !k.ticks_needed);
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "no-route");
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b c");
    ck_assert(k.ticks_needed);
    ck_assert_str_eq(second(&k, "a", "11.0.0.1", "239.1.1.1"), "no-route");
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.2.1.1"), "no-route");
    ck_assert_str_eq(second(&k, "b", "10.0.0.2", "239.1.1.1"), "no-route");
    ck_assert_uint_eq(learned(&k), 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).no_route, 3);
    ck_assert_str_eq(k.event, "mfc.added 10.0.0.0/8 239.1.0.0/16\n"
                              "mfc.learned 10.0.0.1 239.1.1.1\n");
    kernel_end(&k);
}
END_TEST

START_TEST(the_other_family_alike)
{
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, "fd00::/16", "ff05::/16", "a", "+"));
    ck_assert_str_eq(second(&k, "a", "fd00::1", "ff05::1"), "forwarded b");
    ck_assert_uint_eq(learned(&k), 1);
    kernel_end(&k);
}
END_TEST

/* The route of each interface takes its own packets, as long as they are of one group. */
START_TEST(a_group_has_a_route_from_each_interface)
{
    struct kernel k;

    kernel_begin(&k, "a b c d");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "c"));
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    kernel_check(&k);
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "b", "d"));
    kernel_check(&k);
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    ck_assert_str_eq(second(&k, "b", "10.0.0.2", "239.1.1.1"), "forwarded d");
    ck_assert_str_eq(second(&k, "c", "10.0.0.3", "239.1.1.1"), "no-route");
    ck_assert_uint_eq(learned(&k), 2);
    kernel_end(&k);
}
END_TEST

START_TEST(what_is_alone_again_needs_no_learning)
{
    struct kernel k;

    kernel_begin(&k, "a b c d");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "c"));
    ck_assert(kernel_add(&k, "10.0.0.0/8", "239.0.0.0/8", "b", "d"));
    ck_assert_ptr_nonnull(strstr(kernel_routes(&k), "0.0.0.0 239.1.1.1 a c on-demand"));
    ck_assert(kernel_del(&k, "10.0.0.0/8", "239.0.0.0/8"));
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.1.1.1 a c installed\n");
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    ck_assert_uint_eq(learned(&k), 0);
    kernel_end(&k);
}
END_TEST

/* A pattern makes a range even of one flow; a range beside it is alone again without. */
START_TEST(it_is_alone_again_when_the_other_is_exact_now)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "c"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "b+", "c"));
    ck_assert_str_eq(second(&k, "b", "10.0.0.1", "239.1.1.1"), "forwarded c");
    kernel_check(&k);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "b", "a"));
    ck_assert_int_eq(k.change, CHANGE_REPLACED);
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.1.1.1 a c installed\n"
                                        "10.0.0.1 239.1.1.1 b a installed\n");
    ck_assert_str_eq(packet(&k, "b", "10.0.0.1", "239.1.1.1"), "forwarded a");
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "b", "a+"));
    ck_assert_str_eq(second(&k, "b", "10.0.0.1", "239.1.1.1"), "forwarded a");
    ck_assert_uint_eq(learned(&k), 1);
    kernel_end(&k);
}
END_TEST

START_TEST(a_flow_is_wanted_by_name_after_it_was_learned)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "+", "b"));
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    k.event[0] = '\0';
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "c"));
    ck_assert_str_eq(k.event, "mfc.expired 10.0.0.1 239.1.1.1\nmfc.added 10.0.0.1 239.1.1.1\n");
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    ck_assert_str_eq(second(&k, "b", "10.0.0.1", "239.1.1.1"), "wrong-interface");
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    ck_assert_uint_eq(learned(&k), 1);
    kernel_end(&k);
}
END_TEST

/* The wanted route waits for another interface than the flow comes in by. */
START_TEST(a_waiting_route_takes_the_place_of_a_learned_one)
{
    struct kernel k;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "later", "c");

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "+", "b"));
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    args.wait = true;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    kernel_check(&k);
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "no-route");
    ck_assert(kernel_del(&k, "10.0.0.1", "239.1.1.1"));
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 0);
    ck_assert_uint_eq(learned(&k), 0);
    kernel_end(&k);
}
END_TEST

/* --- What the kernel says ------------------------------------------------------------------ */

START_TEST(a_flow_moves_to_the_interface_that_it_comes_in_by)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "+", "a,c"));
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    k.event[0] = '\0';
    ck_assert_str_eq(packet(&k, "b", "10.0.0.1", "239.1.1.1"), "wrong-interface");
    ck_assert_str_eq(packet(&k, "b", "10.0.0.1", "239.1.1.1"), "forwarded a c");
    ck_assert_str_eq(k.event, "mfc.moved 10.0.0.1 239.1.1.1\n");
    ck_assert_uint_eq(learned(&k), 1);
    ck_assert_uint_eq(mroute_totals(k.mroute).wrong_interface, 1);
    kernel_end(&k);
}
END_TEST

START_TEST(a_flow_does_not_move_where_no_range_takes_it)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    ck_assert_str_eq(second(&k, "b", "10.0.0.1", "239.1.1.1"), "wrong-interface");
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    ck_assert_uint_eq(learned(&k), 1);
    kernel_end(&k);
}
END_TEST

START_TEST(nothing_is_learned_from_what_is_no_flow)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "224.0.0.0/4", "+", "b"));
    ck_assert(kernel_add(&k, NULL, "ff00::/8", "+", "b"));
    for (int kind = 0; kind < 3; kind++) {
        upcall(&k, kind, 0, "0.0.0.0", "239.1.1.1");
        upcall(&k, kind, 0, "239.1.1.2", "239.1.1.1");
        upcall(&k, kind, 0, "10.0.0.1", "10.0.0.2");
        upcall(&k, kind, 0, "10.0.0.1", "224.0.0.5");
        upcall(&k, kind, 17, "10.0.0.1", "239.1.1.1");
        upcall(&k, kind, VIFS_MAX, "10.0.0.1", "239.1.1.1");
        upcall(&k, kind, 65535, "10.0.0.1", "239.1.1.1");
        upcall(&k, kind, 0, "::", "ff05::1");
        upcall(&k, kind, 0, "fd00::1", "ff02::1");
    }
    upcall(&k, UPCALL_OTHER, 0, "10.0.0.1", "239.1.1.1");
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(unmatched_flows_are_dropped_beyond_the_limit)
{
    struct kernel k;
    char group[32];

    kernel_begin(&k, "a b");
    set_limits(&k, 100, 4);
    ck_assert(kernel_add(&k, NULL, "239.1.1.1", "a", "b"));
    for (int i = 0; i < 10; i++) {
        sprintf(group, "239.2.2.%d", i);
        ck_assert_str_eq(packet(&k, "a", "10.0.0.1", group), "no-route");
    }
    ck_assert_uint_eq(fake_unresolved(V4, 253), 4);
    ck_assert_uint_eq(mroute_totals(k.mroute).unmatched_dropped, 6);
    ck_assert_uint_eq(mroute_totals(k.mroute).no_route, 10);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* The message waited to be read while somebody added the route. */
START_TEST(a_late_message_costs_a_route_nothing)
{
    struct kernel k;
    char group[32];

    kernel_begin(&k, "a b");
    set_limits(&k, 100, 4);
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    for (int i = 0; i < 10; i++) {
        sprintf(group, "239.2.2.%d", i);
        packet(&k, "a", "10.0.0.1", group);
    }
    upcall(&k, UPCALL_NO_ROUTE, 0, "10.0.0.1", "239.1.1.1");
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(no_more_is_learned_than_the_limit)
{
    struct kernel k;
    char group[32];

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.9.9.9", "a", "b")); /* so that a has a VIF */
    set_limits(&k, 3, 1024);
    for (int i = 0; i < 10; i++) {
        sprintf(group, "239.2.2.%d", i);
        packet(&k, "a", "10.0.0.1", group);
    }
    ck_assert(kernel_add(&k, NULL, "239.2.0.0/16", "a", "b"));
    ck_assert_uint_eq(learned(&k), 3);
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.2.3.3"), "no-route");
    ck_assert_uint_eq(learned(&k), 3);
    kernel_end(&k);
}
END_TEST

/* --- Flows that wait ----------------------------------------------------------------------- */

START_TEST(flows_that_wait_are_learned_when_their_range_comes)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.9.9.9", "a", "b"));
    packet(&k, "a", "10.0.0.1", "239.1.1.1");
    packet(&k, "a", "10.0.0.1", "239.2.1.1");
    packet(&k, "b", "10.0.0.2", "239.1.1.1");
    ck_assert(kernel_add(&k, NULL, "239.1.0.0/16", "a", "c"));
    ck_assert_uint_eq(learned(&k), 1);
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    kernel_end(&k);
}
END_TEST

/* Its first packets came by one interface, and it was learned from another since. */
START_TEST(a_flow_that_waited_and_is_known_is_not_learned_again)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.9.9.9", "a", "b"));
    packet(&k, "a", "10.0.0.1", "239.1.1.1");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "239.1.0.0/16", "a", "c"));
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    kernel_end(&k);
}
END_TEST

/* --- Time ---------------------------------------------------------------------------------- */

START_TEST(a_silent_flow_is_forgotten_and_a_loud_one_is_not)
{
    struct kernel k;
    struct args_add_mfc args = route_args(NULL, "239.0.0.0/8", "a", "b");
    uint64_t start;

    kernel_begin(&k, "a b");
    args.idle = 10;
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    second(&k, "a", "10.0.0.2", "239.1.1.1");
    start = now_ms();
    ck_assert(mroute_tick(k.mroute, start + 1000));
    packet(&k, "a", "10.0.0.1", "239.1.1.1");
    ck_assert(mroute_tick(k.mroute, start + 9000));
    ck_assert_uint_eq(learned(&k), 2);
    ck_assert(mroute_tick(k.mroute, start + 11001));
    ck_assert_ptr_nonnull(strstr(k.event, "mfc.expired 10.0.0.2 239.1.1.1\n"));
    ck_assert_uint_eq(learned(&k), 1);
    ck_assert(!mroute_tick(k.mroute, start + 19001));
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(packets_by_a_wrong_interface_are_no_sign_of_life)
{
    struct kernel k;
    uint64_t start;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    start = now_ms();
    mroute_tick(k.mroute, start);
    for (int i = 0; i < 64; i++) { /* looks are some 2 seconds apart */
        packet(&k, "b", "10.0.0.1", "239.1.1.1");
        mroute_tick(k.mroute, start + (uint64_t)i * 1000);
    }
    ck_assert_uint_eq(learned(&k), 0);
    kernel_end(&k);
}
END_TEST

/* Interfaces that come and go change the route of a silent flow; it stays silent. */
START_TEST(a_change_is_no_sign_of_life)
{
    struct kernel k;
    uint64_t start;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "+"));
    packet(&k, "a", "10.0.0.1", "239.1.1.1");
    start = now_ms();
    usleep(200000);
    fake_netif_add("c");
    kernel_update(&k);
    ck_assert(mroute_tick(k.mroute, start + 200));
    ck_assert_str_eq(kernel_entry(&k, "10.0.0.1", "239.1.1.1"), "a b:1 c:1");
    mroute_tick(k.mroute, start + 60100);
    ck_assert_uint_eq(learned(&k), 0);
    kernel_end(&k);
}
END_TEST

/* One table's many do not keep the others' few from being looked at. */
START_TEST(each_table_is_looked_at)
{
    enum { MANY = 5000 };
    struct kernel k;
    struct args_add_mfc args = route_args(NULL, "239.0.0.0/8", "a", "b");
    char group[32];

    kernel_begin(&k, "a b");
    ck_assert(mroute_add(k.mroute, &args, &k.holder, &k.change, &k.error));
    ck_assert(kernel_add(&k, NULL, "ff05::/16", "a", "b"));
    for (int i = 0; i < MANY; i++) {
        sprintf(group, "239.2.%d.%d", i / 256, i % 256);
        packet(&k, "a", "10.0.0.1", group);
    }
    packet(&k, "a", "fd00::1", "ff05::1");
    ck_assert_uint_eq(mroute_totals(k.mroute).learned, MANY + 1);
    mroute_tick(k.mroute, now_ms());
    k.event[0] = '\0';
    for (int i = 1; i < 4; i++) { /* the many are loud */
        for (int n = 0; n < MANY; n++) {
            sprintf(group, "239.2.%d.%d", n / 256, n % 256);
            packet(&k, "a", "10.0.0.1", group);
        }
        mroute_tick(k.mroute, now_ms() + (uint64_t)i * 50000);
    }
    ck_assert_ptr_nonnull(strstr(k.event, "mfc.expired fd00::1 ff05::1\n"));
    kernel_end(&k);
}
END_TEST

/* --- What changes -------------------------------------------------------------------------- */

START_TEST(what_was_learned_follows_its_range)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    ck_assert(kernel_add(&k, NULL, "239.1.0.0/16", "a", "b,c"));
    ck_assert(mroute_tick(k.mroute, now_ms()));
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b c");
    ck_assert(kernel_del(&k, NULL, "239.1.0.0/16"));
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    ck_assert(kernel_del(&k, NULL, "239.0.0.0/8"));
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert_str_eq(kernel_routes(&k), "");
    ck_assert_uint_eq(fake_vif_count(V4, 253), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(only_what_changed_is_written)
{
    struct kernel k;
    unsigned writes;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    second(&k, "a", "10.0.0.1", "239.2.1.1");
    writes = fake_writes();
    ck_assert(kernel_add(&k, NULL, "239.1.0.0/16", "a", "c"));
    mroute_tick(k.mroute, now_ms());
    ck_assert_uint_eq(fake_writes(), writes + 2); /* a VIF and an entry */
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

/* What the kernel did not take leaves no number behind that a stranger could get. */
START_TEST(a_change_that_the_kernel_refuses_leaks_nothing)
{
    struct kernel k;

    kernel_begin(&k, "a b c d e");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "238.0.0.0/8", "a", "c"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    fake_fail(1, -ENOMEM);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "c"));
    ck_assert(kernel_add(&k, NULL, "237.0.0.0/8", "a", "d"));
    ck_assert_uint_eq(fake_strangers(), 0);
    ck_assert_str_eq(second(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded c");
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(a_flow_ends_with_its_inbound_interface)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "+", "c"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    second(&k, "b", "10.0.0.2", "239.1.1.1");
    fake_netif_del("a");
    kernel_update(&k);
    ck_assert_uint_eq(learned(&k), 1);
    ck_assert_str_eq(second(&k, "b", "10.0.0.1", "239.1.1.1"), "forwarded c");
    fake_netif_del("b");
    fake_netif_del("c");
    kernel_update(&k);
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.0.0.0/8 + c waiting\n");
    ck_assert_uint_eq(mroute_totals(k.mroute).waiting, 1);
    ck_assert_uint_eq(learned(&k), 0);
    kernel_end(&k);
}
END_TEST

START_TEST(what_was_learned_is_flushed_alone)
{
    struct kernel k;
    struct mroute_filter all = {.learned = true};

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    second(&k, "a", "10.0.0.2", "239.1.1.1");
    ck_assert_uint_eq(kernel_flush(&k, &all, true), 2);
    ck_assert_uint_eq(learned(&k), 2);
    ck_assert_uint_eq(kernel_flush(&k, &all, false), 2);
    ck_assert_uint_eq(learned(&k), 0);
    ck_assert_str_eq(kernel_routes(&k), "0.0.0.0 239.0.0.0/8 a b on-demand\n");
    kernel_end(&k);
}
END_TEST

/* --- Walks --------------------------------------------------------------------------------- */

/* In the order, what was learned may come before its range: the next one of a walk goes, and then
 * the one after it. */
START_TEST(a_walk_goes_on_when_a_range_takes_its_flows_along)
{
    struct mroute_filter everything = {0};
    struct route_cursor cursor;
    struct prefix next = kernel_prefix("239.9.9.9");
    const struct route *route;
    struct route_view view;
    struct kernel k;

    kernel_begin(&k, "a b");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    ck_assert(kernel_add(&k, NULL, "239.1.0.0/16", "a", "b"));
    ck_assert(kernel_add(&k, NULL, "239.9.9.9", "a", "b"));
    mroute_tick(k.mroute, now_ms());
    ck_assert(kernel_del(&k, NULL, "239.0.0.0/8"));
    ck_assert(kernel_add(&k, NULL, "239.8.8.8", "a", "b"));
    route_cursor_open(&cursor, k.mroute, &everything);
    ck_assert(kernel_del(&k, NULL, "239.1.0.0/16"));
    route = route_cursor_next(&cursor);
    ck_assert_ptr_nonnull(route);
    route_describe(route, false, &view);
    ck_assert(prefix_equal(&view.group, &next));
    route_cursor_close(&cursor);
    kernel_end(&k);
}
END_TEST

/* --- After another process ----------------------------------------------------------------- */

static void restart(struct kernel *k)
{
    struct mroute_socket socket = {kernel_open_copy(k, V4), V4, 253};

    kernel_end(k);
    kernel_start(k);
    ck_assert_int_eq(mroute_adopt(k->mroute, &socket), 0);
}

START_TEST(what_a_broker_before_us_learned_is_learned)
{
    struct kernel k;
    unsigned writes;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "c"));
    second(&k, "a", "10.0.0.1", "239.1.1.1");
    restart(&k);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.9", "239.9.9.9", "a", "c"));
    writes = fake_writes();
    mroute_settle(k.mroute, false);
    ck_assert_uint_eq(learned(&k), 1);
    mroute_tick(k.mroute, now_ms());
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    kernel_end(&k);
}
END_TEST

START_TEST(what_is_left_of_a_session_is_what_its_range_says)
{
    struct kernel k;

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "c"));
    restart(&k);
    ck_assert(kernel_add(&k, NULL, "239.0.0.0/8", "a", "b"));
    mroute_settle(k.mroute, true);
    ck_assert_str_eq(packet(&k, "a", "10.0.0.1", "239.1.1.1"), "forwarded b");
    ck_assert_uint_eq(learned(&k), 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

START_TEST(what_nobody_wants_is_found)
{
    struct kernel k;
    const struct route *route;
    struct prefix source = kernel_prefix("10.0.0.1"), group = kernel_prefix("239.1.1.1");

    kernel_begin(&k, "a b c");
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "b"));
    restart(&k);
    mroute_settle(k.mroute, false);
    route = mroute_find(k.mroute, &source, &group, NULL, 0);
    ck_assert_ptr_nonnull(route);
    kernel_check(&k);
    ck_assert_int_eq(k.owned, 0);
    k.holder.administrator = false;
    ck_assert(kernel_add(&k, "10.0.0.1", "239.1.1.1", "a", "c")); /* nobody's: taken over */
    ck_assert_int_eq(k.owned, 1);
    kernel_check(&k);
    kernel_end(&k);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_second_packet_of_a_flow_goes_where_its_range_says);
    tcase_add_test(tests, the_other_family_alike);
    tcase_add_test(tests, a_group_has_a_route_from_each_interface);
    tcase_add_test(tests, what_is_alone_again_needs_no_learning);
    tcase_add_test(tests, it_is_alone_again_when_the_other_is_exact_now);
    tcase_add_test(tests, a_flow_is_wanted_by_name_after_it_was_learned);
    tcase_add_test(tests, a_waiting_route_takes_the_place_of_a_learned_one);
    tcase_add_test(tests, a_flow_moves_to_the_interface_that_it_comes_in_by);
    tcase_add_test(tests, a_flow_does_not_move_where_no_range_takes_it);
    tcase_add_test(tests, nothing_is_learned_from_what_is_no_flow);
    tcase_add_test(tests, unmatched_flows_are_dropped_beyond_the_limit);
    tcase_add_test(tests, a_late_message_costs_a_route_nothing);
    tcase_add_test(tests, no_more_is_learned_than_the_limit);
    tcase_add_test(tests, flows_that_wait_are_learned_when_their_range_comes);
    tcase_add_test(tests, a_flow_that_waited_and_is_known_is_not_learned_again);
    tcase_add_test(tests, a_silent_flow_is_forgotten_and_a_loud_one_is_not);
    tcase_add_test(tests, packets_by_a_wrong_interface_are_no_sign_of_life);
    tcase_add_test(tests, a_change_is_no_sign_of_life);
    tcase_add_test(tests, each_table_is_looked_at);
    tcase_add_test(tests, what_was_learned_follows_its_range);
    tcase_add_test(tests, only_what_changed_is_written);
    tcase_add_test(tests, a_change_that_the_kernel_refuses_leaks_nothing);
    tcase_add_test(tests, a_flow_ends_with_its_inbound_interface);
    tcase_add_test(tests, what_was_learned_is_flushed_alone);
    tcase_add_test(tests, a_walk_goes_on_when_a_range_takes_its_flows_along);
    tcase_add_test(tests, what_a_broker_before_us_learned_is_learned);
    tcase_add_test(tests, what_is_left_of_a_session_is_what_its_range_says);
    tcase_add_test(tests, what_nobody_wants_is_found);
}

int main(void)
{
    return suite_run("demand", add_tests);
}
