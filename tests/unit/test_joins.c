/* Joins on the fake kernel: what is joined, shared, waited for and left. */
#include "fake.h"
#include "kernel.h"
#include "platform/joins.h"
#include "resources/join/join.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALICE = 1000, BOB = 1001 };

struct ground {
    struct leases registry;
    struct netifs *netifs;
    struct joins *joins;
    unsigned ifindex; /* of a */
    bool work;
    unsigned asked, settled, refused;
    uid_t served; /* last */
    int open_error;
    int leases;
    struct error error;
    enum join_change change;
    char event[4096];
    unsigned resumed;
    struct error answer; /* of the last waiter that was resumed */
};

/* --- Callbacks ----------------------------------------------------------------------------- */

static void take_question(void *context, uint8_t family)
{
    struct ground *g = context;
    struct error error = {0};
    int fd = g->open_error ? g->open_error : joins_socket_open(family);

    g->asked++;
    if (fd < 0)
        error_set(&error, ERROR_LIMIT, NULL, "no more sockets");
    joins_socket_opened(g->joins, family, fd, &error);
}

static void take_work(void *context)
{
    ((struct ground *)context)->work = true;
}

static void take_charge(void *context, uid_t uid, uint64_t ns)
{
    struct ground *g = context;

    (void)ns;
    g->served = uid;
}

static void take_settled(void *context)
{
    ((struct ground *)context)->settled++;
}

static void take_events(void *context, enum join_event event, const struct join *join)
{
    static const char *const topics[] = {
#define J(name, topic) [JOIN_##name##_EVENT] = topic,
        JOIN_EVENTS(J)
#undef J
    };
    struct ground *g = context;
    char text[JOIN_TEXT_MAX];
    size_t used = strlen(g->event);

    snprintf(g->event + used, sizeof g->event - used, "%s %s\n", topics[event],
             join_key_format(&join->key, text));
}

static void take_refusal(void *context, const struct join *join, const struct error *error)
{
    struct ground *g = context;

    (void)join;
    g->refused++;
    g->answer = *error;
}

static void release_resource(void *context, struct resource *resource)
{
    (void)context;
    resource->ops->release(resource);
}

static void take_lease(void *context, const struct lease *lease)
{
    (void)lease;
    ((struct ground *)context)->leases++;
}

static void take_release(void *context, const struct lease *lease)
{
    (void)lease;
    ((struct ground *)context)->leases--;
}

static void take_change(void *context, const struct resource *resource)
{
    (void)context;
    (void)resource;
}

static void take_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct ground *g = context;

    if (g->joins)
        joins_netif_changed(g->joins, was, is);
}

/* --- Begin and end ------------------------------------------------------------------------- */

static void begin(struct ground *g)
{
    struct joins_callbacks callbacks = {
        take_question, take_work, take_charge, take_settled, take_events, take_refusal, g};
    struct leases_host host = {
        .release = release_resource,
        .begins = take_lease,
        .ends = take_release,
        .changed = take_change,
        .context = g,
    };

    memset(g, 0, sizeof *g);
    leases_init(&g->registry, &host);
    fake_reset();
    g->ifindex = fake_netif_add("a");
    g->netifs = netifs_new(take_netif, g);
    g->joins = joins_new(g->netifs, &g->registry, &callbacks, 1);
    ck_assert_ptr_nonnull(g->joins);
}

static void work(struct ground *g)
{
    netifs_update(g->netifs);
    g->work = false;
    while (joins_work(g->joins) || g->work)
        g->work = false;
}

/* Whatever was joined: nothing remains, but what goes with the sockets. */
static void end(struct ground *g)
{
    joins_free(g->joins);
    leases_clear(&g->registry);
    netifs_free(g->netifs);
}

static struct join_wish wish_of(const char *source, const char *group, const char *iif)
{
    struct join_wish wish = {0};

    if (source)
        ck_assert(prefix_parse(source, &wish.key.source));
    ck_assert(prefix_parse(group, &wish.key.group));
    snprintf(wish.key.iif.text, sizeof wish.key.iif.text, "%s", iif);
    return wish;
}

static struct holder holder_of(uid_t uid)
{
    return (struct holder){.lease = {.id = uid, .uid = uid}, .administrator = uid == 0};
}

/* Adds for a user, without the work. */
static bool ask(struct ground *g, uid_t uid, const char *source, const char *group)
{
    struct join_wish wish = wish_of(source, group, "a");
    struct holder holder = holder_of(uid);

    netifs_update(g->netifs);
    return joins_add(g->joins, &wish, &holder, &g->change, &g->error);
}

static bool add(struct ground *g, uid_t uid, const char *source, const char *group)
{
    bool done = ask(g, uid, source, group);

    work(g);
    return done;
}

static bool del(struct ground *g, uid_t uid, const char *source, const char *group, bool *ret_kept)
{
    struct join_wish wish = wish_of(source, group, "a");
    struct holder holder = holder_of(uid);
    bool done = joins_del(g->joins, &wish.key, &holder, false, ret_kept, &g->error);

    work(g);
    return done;
}

static void add_waiting(struct ground *g, const char *group, const char *iif)
{
    struct join_wish wish = wish_of(NULL, group, iif);
    struct holder holder = holder_of(ALICE);

    wish.wait = true;
    ck_assert(joins_add(g->joins, &wish, &holder, &g->change, &g->error));
    work(g);
}

struct waiting {
    struct waiter waiter; /* first */
    struct ground *ground;
};

static void resume(struct waiter *waiter, const struct error *error)
{
    struct ground *g = ((struct waiting *)waiter)->ground;

    g->resumed++;
    g->answer = error ? *error : (struct error){0};
}

static bool await(struct ground *g, struct waiting *request, const char *source, const char *group)
{
    struct join_wish wish = wish_of(source, group, "a");

    *request = (struct waiting){{.resume = resume}, g};
    return joins_wait(g->joins, &wish.key, &request->waiter);
}

/* --- Joining ------------------------------------------------------------------------------- */

START_TEST(a_group_is_joined_and_left)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert_int_eq(g.change, JOIN_ADDED);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    ck_assert(del(&g, ALICE, NULL, "239.1.1.1", &kept));
    ck_assert(!kept);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    ck_assert_str_eq(g.event, "join.added 239.1.1.1 on a\njoin.deleted 239.1.1.1 on a\n");
    ck_assert_int_eq(g.leases, 0);
    ck_assert_uint_eq(g.joins->wanted, 0);
    end(&g);
}
END_TEST

START_TEST(any_source_is_any_source_however_it_is_written)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, "0.0.0.0/0", "239.1.1.1"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert_int_eq(g.change, JOIN_UNCHANGED);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    end(&g);
}
END_TEST

START_TEST(prefixes_are_all_their_memberships)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.128/26"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.128"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.191"));
    ck_assert(add(&g, ALICE, "fd00::10/126", "ff3e::8000/122"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64 + 256);
    ck_assert(fake_is_member(g.ifindex, "fd00::13", "ff3e::803f"));
    ck_assert(add(&g, ALICE, "10.0.0.0/30", "232.1.0.0/22"));
    ck_assert(fake_is_member(g.ifindex, "10.0.0.2", "232.1.3.255"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64 + 256 + 4096);
    end(&g);
}
END_TEST

START_TEST(sockets_are_filled_and_their_places_used_again)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.0.0/24"));
    ck_assert_uint_eq(g.asked, 13); /* 256 groups, 20 each */
    ck_assert(add(&g, ALICE, "10.0.0.0/25", "232.1.1.1"));
    ck_assert_uint_eq(g.asked, 13 + 13); /* 128 sources, 10 each */
    ck_assert(add(&g, ALICE, "10.0.0.0/25", "232.1.1.2"));
    ck_assert_uint_eq(g.asked, 13 + 13);
    ck_assert(del(&g, ALICE, NULL, "239.1.0.0/24", &kept));
    ck_assert(add(&g, ALICE, NULL, "239.2.0.0/24"));
    ck_assert(del(&g, ALICE, "10.0.0.0/25", "232.1.1.1", &kept));
    ck_assert(del(&g, ALICE, "10.0.0.0/25", "232.1.1.2", &kept));
    ck_assert(add(&g, ALICE, NULL, "239.3.0.0/24")); /* on what had sources before */
    ck_assert_uint_eq(g.asked, 13 + 13);
    ck_assert_uint_eq(joins_totals(g.joins).sockets, 26);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 512);
    end(&g);
}
END_TEST

START_TEST(any_source_and_one_source_of_a_group_are_two_things)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, "10.0.0.1", "232.1.1.1"));
    ck_assert(add(&g, ALICE, NULL, "232.1.1.1"));
    ck_assert(add(&g, ALICE, "10.0.0.2", "232.1.1.1"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 3);
    ck_assert_uint_eq(g.asked, 2);
    ck_assert(del(&g, ALICE, NULL, "232.1.1.1", &kept));
    ck_assert(fake_is_member(g.ifindex, "10.0.0.1", "232.1.1.1"));
    ck_assert(del(&g, ALICE, "10.0.0.1", "232.1.1.1", &kept));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    end(&g);
}
END_TEST

START_TEST(what_two_joins_want_is_joined_once_and_left_with_the_second)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/30"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.2/31"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 4);
    ck_assert(del(&g, ALICE, NULL, "239.1.1.0/30", &kept));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 2);
    ck_assert_uint_eq(fake_left(), 2);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.3"));
    ck_assert(del(&g, ALICE, NULL, "239.1.1.2/31", &kept));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    end(&g);
}
END_TEST

START_TEST(what_is_replaced_is_never_left_in_between)
{
    struct ground g;
    struct join_wish old = wish_of(NULL, "239.1.1.0/30", "a");
    struct holder holder = holder_of(ALICE);
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/30"));
    ck_assert(joins_del(g.joins, &old.key, &holder, false, &kept, &g.error));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/31"));
    ck_assert_uint_eq(fake_left(), 2);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 2);
    end(&g);
}
END_TEST

/* --- Turns --------------------------------------------------------------------------------- */

static void del_later(struct ground *g, uid_t uid, const char *group)
{
    struct join_wish wish = wish_of(NULL, group, "a");
    struct holder holder = holder_of(uid);
    bool kept;

    ck_assert(joins_del(g->joins, &wish.key, &holder, false, &kept, &g->error));
}

START_TEST(users_take_turns)
{
    struct ground g;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/21"));
    ck_assert(ask(&g, BOB, NULL, "239.2.1.1"));
    ck_assert(joins_work(g.joins));
    ck_assert_uint_eq(g.served, ALICE);
    ck_assert(joins_work(g.joins));
    ck_assert_uint_eq(g.served, BOB);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.2.1.1"));
    ck_assert_uint_lt(fake_memberships(g.ifindex), 100);
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 2049);
    end(&g);
}
END_TEST

/* What is left is charged to nobody, so there is not much of it. */
START_TEST(who_has_much_to_leave_leaves_it_first)
{
    struct ground g;
    size_t most = 0;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.0.0/21"));
    del_later(&g, ALICE, "239.1.0.0/21");
    ck_assert(ask(&g, ALICE, NULL, "239.2.0.0/21"));
    while (joins_work(g.joins))
        if (fake_memberships(g.ifindex) > most)
            most = fake_memberships(g.ifindex);
    ck_assert_uint_le(most, 2048 + 1024 + 1);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 2048);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.2.7.255"));
    end(&g);
}
END_TEST

START_TEST(where_no_more_can_be_joined_others_leave_first)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.0.0/24")); /* 4 places of 260 are free */
    g.open_error = -ENFILE;
    ck_assert(ask(&g, BOB, NULL, "239.2.1.0/26"));
    del_later(&g, ALICE, "239.1.0.0/24");
    work(&g);
    ck_assert_uint_eq(g.refused, 0);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64);
    ck_assert(add(&g, BOB, NULL, "239.3.0.0/24") && g.refused == 1); /* none is left */
    end(&g);
}
END_TEST

/* --- Owners -------------------------------------------------------------------------------- */

START_TEST(a_join_goes_with_its_last_holder)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, BOB, NULL, "239.1.1.1"));
    ck_assert_int_eq(g.leases, 2);
    ck_assert(del(&g, ALICE, NULL, "239.1.1.1", &kept));
    ck_assert(kept);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert(!del(&g, ALICE, NULL, "239.1.1.1", &kept));
    assert_error(&g.error, "not-allowed");
    ck_assert(del(&g, BOB, NULL, "239.1.1.1", &kept));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    ck_assert(!del(&g, BOB, NULL, "239.1.1.1", &kept));
    assert_error(&g.error, "not-found");
    end(&g);
}
END_TEST

START_TEST(an_administrator_deletes_what_others_hold)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, BOB, NULL, "239.1.1.1"));
    ck_assert(del(&g, 0, NULL, "239.1.1.1", &kept));
    ck_assert(!kept);
    ck_assert_int_eq(g.leases, 0);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    end(&g);
}
END_TEST

START_TEST(a_revoked_lease_is_let_go)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, BOB, NULL, "239.1.1.1"));
    ck_assert(!lease_end(&g.registry, leases_find(&g.registry, ALICE)));
    ck_assert(!leases_find(&g.registry, ALICE));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    ck_assert(lease_end(&g.registry, leases_find(&g.registry, BOB)));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    end(&g);
}
END_TEST

START_TEST(what_a_session_holds_ends_with_it)
{
    struct ground g;
    struct held_leases session = TAILQ_HEAD_INITIALIZER(session);
    struct holder holder = holder_of(ALICE);
    struct join_wish wish = wish_of(NULL, "239.1.1.0/24", "a");

    begin(&g);
    holder.kind = HOLDER_SESSION;
    holder.session = &session;
    ck_assert(joins_add(g.joins, &wish, &holder, &g.change, &g.error));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 256);
    end_leases(&g.registry, &session);
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    ck_assert_int_eq(g.leases, 0);
    end(&g);
}
END_TEST

START_TEST(the_configuration_lets_go_of_what_it_names_no_more)
{
    struct ground g;
    struct holder holder = {.kind = HOLDER_CONFIGURATION, .generation = 1, .administrator = true};
    struct join_wish one = wish_of(NULL, "239.1.1.1", "a"), two = wish_of(NULL, "239.1.1.2", "a");

    begin(&g);
    ck_assert(joins_add(g.joins, &one, &holder, &g.change, &g.error));
    ck_assert(joins_add(g.joins, &two, &holder, &g.change, &g.error));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.3"));
    holder.generation = 2;
    ck_assert(joins_add(g.joins, &two, &holder, &g.change, &g.error));
    ck_assert_uint_eq(leases_sweep(&g.registry, &join_ops, 2), 1);
    work(&g);
    ck_assert(!fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.2"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.3"));
    end(&g);
}
END_TEST

/* --- Interfaces ---------------------------------------------------------------------------- */

START_TEST(a_deleted_interface_is_waited_for_and_joined_again)
{
    struct ground g;
    unsigned again;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/26"));
    ck_assert(add(&g, ALICE, "10.0.0.0/28", "232.1.1.1"));
    g.event[0] = '\0';
    fake_netif_del("a");
    work(&g);
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 2);
    again = fake_netif_add("a");
    work(&g);
    ck_assert_uint_eq(fake_memberships(again), 64 + 16);
    ck_assert_uint_eq(g.asked, 4 + 2); /* the places were free again */
    ck_assert_str_eq(g.event, "join.waiting 239.1.1.0/26 on a\n"
                              "join.waiting 232.1.1.1 from 10.0.0.0/28 on a\n"
                              "join.restored 239.1.1.0/26 on a\n"
                              "join.restored 232.1.1.1 from 10.0.0.0/28 on a\n");
    end(&g);
}
END_TEST

/* As when an MTU that was too small for IPv6 for a moment went unseen. */
START_TEST(what_the_kernel_has_lost_is_joined_again)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "ff0e::1"));
    ck_assert(add(&g, ALICE, "fd00::1", "ff3e::2"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    g.event[0] = '\0';
    fake_memberships_lose_ipv6(g.ifindex);
    fake_netifs_overrun();
    work(&g);
    joins_tick(g.joins);
    work(&g);
    ck_assert(fake_is_member(g.ifindex, NULL, "ff0e::1"));
    ck_assert(fake_is_member(g.ifindex, "fd00::1", "ff3e::2"));
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    ck_assert_str_eq(g.event, "join.waiting ff0e::1 on a\n"
                              "join.waiting ff3e::2 from fd00::1 on a\n"
                              "join.restored ff0e::1 on a\n"
                              "join.restored ff3e::2 from fd00::1 on a\n");
    joins_tick(g.joins);
    work(&g);
    ck_assert_uint_eq(fake_left(), 0); /* and none that was there */
    end(&g);
}
END_TEST

START_TEST(an_interface_that_goes_and_comes_at_once_is_joined_again)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/26"));
    fake_netif_del("a");
    g.ifindex = fake_netif_add("a");
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64);
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    end(&g);
}
END_TEST

START_TEST(an_interface_that_goes_while_it_is_joined_leaves_nothing)
{
    struct ground g;
    struct waiting request;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &request, NULL, "239.1.0.0/24"));
    joins_work(g.joins);
    fake_netif_del("a");
    work(&g);
    ck_assert_uint_eq(g.resumed, 1);
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 1);
    end(&g);
}
END_TEST

START_TEST(a_late_interface_is_joined_when_it_comes)
{
    struct ground g;
    unsigned late;

    begin(&g);
    add_waiting(&g, "239.1.1.1", "late");
    ck_assert_str_eq(g.event, "join.added 239.1.1.1 on late\n");
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 1);
    late = fake_netif_add("late");
    work(&g);
    ck_assert(fake_is_member(late, NULL, "239.1.1.1"));
    ck_assert_str_eq(g.event, "join.added 239.1.1.1 on late\njoin.restored 239.1.1.1 on late\n");
    end(&g);
}
END_TEST

START_TEST(a_renamed_interface_is_another)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    add_waiting(&g, "239.1.1.2", "b");
    fake_netif_rename("a", "b");
    work(&g);
    ck_assert(!fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.2"));
    fake_netif_rename("b", "a");
    work(&g);
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    end(&g);
}
END_TEST

START_TEST(two_interfaces_change_their_names)
{
    struct ground g;
    unsigned b;

    begin(&g);
    b = fake_netif_add("b");
    netifs_update(g.netifs);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    add_waiting(&g, "239.1.1.2", "b");
    fake_netif_rename("a", "x");
    fake_netif_rename("b", "a");
    fake_netif_rename("x", "b");
    work(&g);
    ck_assert(fake_is_member(b, NULL, "239.1.1.1"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.2"));
    ck_assert_uint_eq(fake_memberships(b) + fake_memberships(g.ifindex), 2);
    end(&g);
}
END_TEST

/* --- Refusals ------------------------------------------------------------------------------ */

START_TEST(wrong_requests_are_refused)
{
    struct ground g;
    struct join_wish wish = wish_of(NULL, "239.1.1.1", "nowhere");
    struct holder holder = holder_of(ALICE);

    begin(&g);
    ck_assert(!joins_add(g.joins, &wish, &holder, &g.change, &g.error));
    assert_error(&g.error, "not-found");
    ck_assert_str_eq(g.error.field, "iif");
    ck_assert(!add(&g, ALICE, "fd00::1", "239.1.1.1"));
    assert_error(&g.error, "invalid-address");
    ck_assert(!add(&g, ALICE, NULL, "239.0.0.0/19"));
    assert_error(&g.error, "limit");
    ck_assert(!add(&g, ALICE, "10.0.0.0/8", "239.0.0.0/8"));
    assert_error(&g.error, "limit");
    ck_assert(!add(&g, ALICE, "fd00::/8", "ff0e::/16"));
    assert_error(&g.error, "limit");
    ck_assert_uint_eq(joins_totals(g.joins).joins, 0);
    end(&g);
}
END_TEST

START_TEST(there_are_so_many_memberships_and_no_more)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.0.0/20"));
    ck_assert(add(&g, ALICE, NULL, "239.2.0.0/20"));
    ck_assert(add(&g, ALICE, NULL, "239.3.0.0/21"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), JOIN_MEMBERSHIPS_MAX);
    ck_assert_uint_eq(g.asked, 512);
    ck_assert(!add(&g, ALICE, NULL, "239.4.0.1"));
    assert_error(&g.error, "limit");
    ck_assert(add(&g, BOB, NULL, "239.1.0.0/20"));
    ck_assert(del(&g, ALICE, NULL, "239.2.0.0/20", &kept));
    ck_assert(add(&g, ALICE, NULL, "239.4.0.1"));
    end(&g);
}
END_TEST

START_TEST(a_dry_run_changes_nothing)
{
    struct ground g;
    struct join_wish wish = wish_of(NULL, "239.1.1.1", "a");
    struct holder holder = holder_of(ALICE);
    bool kept;

    begin(&g);
    wish.dry_run = true;
    ck_assert(joins_add(g.joins, &wish, &holder, &g.change, &g.error));
    ck_assert_uint_eq(joins_totals(g.joins).joins, 0);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(joins_del(g.joins, &wish.key, &holder, true, &kept, &g.error));
    ck_assert_uint_eq(joins_totals(g.joins).joins, 1);
    end(&g);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_undone)
{
    struct ground g;
    struct waiting request;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.1.0/24"));
    ck_assert(await(&g, &request, NULL, "239.1.1.0/24"));
    fake_fail(100, -EIO);
    work(&g);
    ck_assert_uint_eq(g.resumed, 1);
    assert_error(&g.answer, "internal");
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    ck_assert_int_eq(g.leases, 0);
    ck_assert_uint_eq(joins_totals(g.joins).joins, 0);
    ck_assert_str_eq(g.event, "");
    end(&g);
}
END_TEST

START_TEST(a_socket_that_is_refused_refuses_the_join)
{
    struct ground g;
    struct waiting request;

    begin(&g);
    g.open_error = -ENFILE;
    ck_assert(ask(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(await(&g, &request, NULL, "239.1.1.1"));
    work(&g);
    assert_error(&g.answer, "limit");
    ck_assert_uint_eq(joins_totals(g.joins).joins, 0);
    g.open_error = 0;
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    end(&g);
}
END_TEST

START_TEST(what_is_refused_later_waits_and_is_tried_again)
{
    struct ground g;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.2"));
    fake_netif_del("a");
    work(&g);
    g.ifindex = fake_netif_add("a");
    fake_fail(1, -EIO);
    work(&g);
    ck_assert_uint_eq(g.refused, 1);
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 1);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    ck_assert(del(&g, ALICE, NULL, "239.1.1.2", &kept));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 0);
    end(&g);
}
END_TEST

START_TEST(a_join_that_is_deleted_while_it_is_waited_for_answers)
{
    struct ground g;
    struct waiting request, gone;
    bool kept;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &request, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &gone, NULL, "239.1.0.0/24"));
    waiter_cancel(&gone.waiter);
    joins_work(g.joins);
    ck_assert(del(&g, ALICE, NULL, "239.1.0.0/24", &kept));
    ck_assert_uint_eq(g.resumed, 1);
    assert_error(&g.answer, "not-found");
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    end(&g);
}
END_TEST

/* --- Loading and listing ------------------------------------------------------------------- */

START_TEST(it_is_settled_when_all_is_joined)
{
    struct ground g;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/24"));
    joins_loaded(g.joins);
    ck_assert_uint_eq(g.settled, 0);
    work(&g);
    ck_assert_uint_eq(g.settled, 1);
    ck_assert(add(&g, ALICE, NULL, "239.2.0.0/24"));
    ck_assert_uint_eq(g.settled, 1);
    end(&g);
}
END_TEST

START_TEST(a_cursor_survives_what_it_points_to)
{
    struct ground g;
    struct join_cursor cursor;
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, ALICE, NULL, "ff3e::1"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.2"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.3"));
    join_cursor_open(&cursor, g.joins, FAMILY_IPV4);
    ck_assert_ptr_nonnull(join_cursor_next(&cursor));
    ck_assert(del(&g, ALICE, NULL, "ff3e::1", &kept));
    ck_assert(del(&g, ALICE, NULL, "239.1.1.2", &kept));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.4"));
    ck_assert_ptr_nonnull(join_cursor_next(&cursor));
    ck_assert_ptr_null(join_cursor_next(&cursor));
    join_cursor_close(&cursor);
    end(&g);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_group_is_joined_and_left);
    tcase_add_test(tests, any_source_is_any_source_however_it_is_written);
    tcase_add_test(tests, prefixes_are_all_their_memberships);
    tcase_add_test(tests, sockets_are_filled_and_their_places_used_again);
    tcase_add_test(tests, any_source_and_one_source_of_a_group_are_two_things);
    tcase_add_test(tests, what_two_joins_want_is_joined_once_and_left_with_the_second);
    tcase_add_test(tests, what_is_replaced_is_never_left_in_between);
    tcase_add_test(tests, users_take_turns);
    tcase_add_test(tests, who_has_much_to_leave_leaves_it_first);
    tcase_add_test(tests, where_no_more_can_be_joined_others_leave_first);
    tcase_add_test(tests, a_join_goes_with_its_last_holder);
    tcase_add_test(tests, an_administrator_deletes_what_others_hold);
    tcase_add_test(tests, a_revoked_lease_is_let_go);
    tcase_add_test(tests, what_a_session_holds_ends_with_it);
    tcase_add_test(tests, the_configuration_lets_go_of_what_it_names_no_more);
    tcase_add_test(tests, a_deleted_interface_is_waited_for_and_joined_again);
    tcase_add_test(tests, what_the_kernel_has_lost_is_joined_again);
    tcase_add_test(tests, an_interface_that_goes_and_comes_at_once_is_joined_again);
    tcase_add_test(tests, an_interface_that_goes_while_it_is_joined_leaves_nothing);
    tcase_add_test(tests, a_late_interface_is_joined_when_it_comes);
    tcase_add_test(tests, a_renamed_interface_is_another);
    tcase_add_test(tests, two_interfaces_change_their_names);
    tcase_add_test(tests, wrong_requests_are_refused);
    tcase_add_test(tests, there_are_so_many_memberships_and_no_more);
    tcase_add_test(tests, a_dry_run_changes_nothing);
    tcase_add_test(tests, what_the_kernel_refuses_is_undone);
    tcase_add_test(tests, a_socket_that_is_refused_refuses_the_join);
    tcase_add_test(tests, what_is_refused_later_waits_and_is_tried_again);
    tcase_add_test(tests, a_join_that_is_deleted_while_it_is_waited_for_answers);
    tcase_add_test(tests, it_is_settled_when_all_is_joined);
    tcase_add_test(tests, a_cursor_survives_what_it_points_to);
}

int main(void)
{
    return suite_run("joins", add_tests);
}
