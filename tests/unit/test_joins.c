/* Joins on the fake kernel: what is joined, shared, waited for and left. */
#include "fake.h"
#include "platform/joins.h"
#include "resources/joins/joins.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALICE = 1000, BOB = 1001 };

struct ground {
    struct links *links;
    struct joins *joins;
    unsigned ifindex; /* of a */
    bool work;
    unsigned asked, settled, refused;
    int open_error;
    int leases;
    struct error error;
    enum join_change change;
    char news[4096];
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

static void take_settled(void *context)
{
    ((struct ground *)context)->settled++;
}

static void take_news(void *context, enum join_news news, const struct join *join)
{
    static const char *const topics[] = {
#define J(name, topic) [JOIN_##name##_NEWS] = topic,
        JOIN_NEWS(J)
#undef J
    };
    struct ground *g = context;
    struct join_view view;
    char text[JOIN_TEXT_MAX];
    size_t used = strlen(g->news);

    join_describe(join, &view);
    snprintf(g->news + used, sizeof g->news - used, "%s %s\n", topics[news],
             join_key_format(view.key, text));
}

static void take_refusal(void *context, const struct join *join, const struct error *error)
{
    struct ground *g = context;

    (void)join;
    g->refused++;
    g->answer = *error;
}

static void take_hold(void *context, const struct join *join, const struct hold *hold)
{
    (void)join;
    (void)hold;
    ((struct ground *)context)->leases++;
}

static void take_release(void *context, const struct join *join, const struct hold *hold)
{
    (void)join;
    (void)hold;
    ((struct ground *)context)->leases--;
}

static void take_link(void *context, const struct link_info *was, const struct link_info *is)
{
    struct ground *g = context;

    if (g->joins)
        joins_link_changed(g->joins, was, is);
}

/* --- Begin and end ------------------------------------------------------------------------- */

static void begin(struct ground *g)
{
    struct joins_callbacks callbacks = {take_question, take_work, take_settled, take_news,
                                        take_refusal,  take_hold, take_release, g};

    memset(g, 0, sizeof *g);
    fake_reset();
    g->ifindex = fake_link_add("a");
    g->links = links_new(take_link, g);
    g->joins = joins_new(g->links, &callbacks, 1);
    ck_assert_ptr_nonnull(g->joins);
}

static void work(struct ground *g)
{
    links_update(g->links);
    g->work = false;
    while (joins_work(g->joins) || g->work)
        g->work = false;
}

/* Whatever was joined: nothing remains, but what goes with the sockets. */
static void end(struct ground *g)
{
    joins_free(g->joins);
    links_free(g->links);
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

static struct owner owner_of(uid_t uid)
{
    return (struct owner){.lease = {.id = uid, .uid = uid}, .administrator = uid == 0};
}

/* Adds for a user, without the work. */
static bool ask(struct ground *g, uid_t uid, const char *source, const char *group)
{
    struct join_wish wish = wish_of(source, group, "a");
    struct owner owner = owner_of(uid);

    links_update(g->links);
    return joins_add(g->joins, &wish, &owner, &g->change, &g->error);
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
    struct owner owner = owner_of(uid);
    bool done = joins_del(g->joins, &wish.key, &owner, false, ret_kept, &g->error);

    work(g);
    return done;
}

static void add_waiting(struct ground *g, const char *group, const char *iif)
{
    struct join_wish wish = wish_of(NULL, group, iif);
    struct owner owner = owner_of(ALICE);

    wish.wait = true;
    ck_assert(joins_add(g->joins, &wish, &owner, &g->change, &g->error));
    work(g);
}

struct request {
    struct join_waiter waiter; /* first */
    struct ground *ground;
};

static void resume(struct join_waiter *waiter, const struct error *error)
{
    struct ground *g = ((struct request *)waiter)->ground;

    g->resumed++;
    g->answer = error ? *error : (struct error){0};
}

static bool await(struct ground *g, struct request *request, const char *source, const char *group)
{
    struct join_wish wish = wish_of(source, group, "a");

    *request = (struct request){{.resume = resume}, g};
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
    ck_assert_str_eq(g.news, "join.added 239.1.1.1 on a\njoin.deleted 239.1.1.1 on a\n");
    ck_assert_int_eq(g.leases, 0);
    ck_assert_uint_eq(joins_totals(g.joins).wanted, 0);
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
    struct owner owner = owner_of(ALICE);
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/30"));
    ck_assert(joins_del(g.joins, &old.key, &owner, false, &kept, &g.error));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/31"));
    ck_assert_uint_eq(fake_left(), 2);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 2);
    end(&g);
}
END_TEST

/* --- Owners -------------------------------------------------------------------------------- */

START_TEST(a_join_goes_with_its_last_owner)
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
    ck_assert(joins_revoke(g.joins, ALICE));
    ck_assert(!joins_revoke(g.joins, ALICE));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 1);
    ck_assert(joins_revoke(g.joins, BOB));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    end(&g);
}
END_TEST

START_TEST(what_a_session_holds_ends_with_it)
{
    struct ground g;
    struct session_holds session = LIST_HEAD_INITIALIZER(session);
    struct owner owner = owner_of(ALICE);
    struct join_wish wish = wish_of(NULL, "239.1.1.0/24", "a");

    begin(&g);
    owner.kind = HOLD_SESSION;
    owner.session = &session;
    ck_assert(joins_add(g.joins, &wish, &owner, &g.change, &g.error));
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 256);
    session_holds_end(&session);
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 0);
    ck_assert_int_eq(g.leases, 0);
    end(&g);
}
END_TEST

START_TEST(the_configuration_lets_go_of_what_it_names_no_more)
{
    struct ground g;
    struct owner owner = {.kind = HOLD_CONFIGURATION, .generation = 1, .administrator = true};
    struct join_wish one = wish_of(NULL, "239.1.1.1", "a"), two = wish_of(NULL, "239.1.1.2", "a");

    begin(&g);
    ck_assert(joins_add(g.joins, &one, &owner, &g.change, &g.error));
    ck_assert(joins_add(g.joins, &two, &owner, &g.change, &g.error));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.3"));
    owner.generation = 2;
    ck_assert(joins_add(g.joins, &two, &owner, &g.change, &g.error));
    ck_assert_uint_eq(joins_sweep(g.joins, 2), 1);
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
    g.news[0] = '\0';
    fake_link_del("a");
    work(&g);
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 2);
    again = fake_link_add("a");
    work(&g);
    ck_assert_uint_eq(fake_memberships(again), 64 + 16);
    ck_assert_uint_eq(g.asked, 4 + 2); /* the places were free again */
    ck_assert_str_eq(g.news, "join.waiting 239.1.1.0/26 on a\n"
                             "join.waiting 232.1.1.1 from 10.0.0.0/28 on a\n"
                             "join.restored 239.1.1.0/26 on a\n"
                             "join.restored 232.1.1.1 from 10.0.0.0/28 on a\n");
    end(&g);
}
END_TEST

START_TEST(an_interface_that_goes_and_comes_at_once_is_joined_again)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.0/26"));
    fake_link_del("a");
    g.ifindex = fake_link_add("a");
    work(&g);
    ck_assert_uint_eq(fake_memberships(g.ifindex), 64);
    ck_assert_uint_eq(fake_dead_memberships(), 0);
    end(&g);
}
END_TEST

START_TEST(an_interface_that_goes_while_it_is_joined_leaves_nothing)
{
    struct ground g;
    struct request request;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &request, NULL, "239.1.0.0/24"));
    joins_work(g.joins);
    fake_link_del("a");
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
    ck_assert_str_eq(g.news, "join.added 239.1.1.1 on late\n");
    ck_assert_uint_eq(joins_totals(g.joins).waiting, 1);
    late = fake_link_add("late");
    work(&g);
    ck_assert(fake_is_member(late, NULL, "239.1.1.1"));
    ck_assert_str_eq(g.news, "join.added 239.1.1.1 on late\njoin.restored 239.1.1.1 on late\n");
    end(&g);
}
END_TEST

START_TEST(a_renamed_interface_is_another)
{
    struct ground g;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    add_waiting(&g, "239.1.1.2", "b");
    fake_link_rename("a", "b");
    work(&g);
    ck_assert(!fake_is_member(g.ifindex, NULL, "239.1.1.1"));
    ck_assert(fake_is_member(g.ifindex, NULL, "239.1.1.2"));
    fake_link_rename("b", "a");
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
    b = fake_link_add("b");
    links_update(g.links);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    add_waiting(&g, "239.1.1.2", "b");
    fake_link_rename("a", "x");
    fake_link_rename("b", "a");
    fake_link_rename("x", "b");
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
    struct owner owner = owner_of(ALICE);

    begin(&g);
    ck_assert(!joins_add(g.joins, &wish, &owner, &g.change, &g.error));
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
    struct owner owner = owner_of(ALICE);
    bool kept;

    begin(&g);
    wish.dry_run = true;
    ck_assert(joins_add(g.joins, &wish, &owner, &g.change, &g.error));
    ck_assert_uint_eq(joins_totals(g.joins).joins, 0);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(joins_del(g.joins, &wish.key, &owner, true, &kept, &g.error));
    ck_assert_uint_eq(joins_totals(g.joins).joins, 1);
    end(&g);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_undone)
{
    struct ground g;
    struct request request;

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
    ck_assert_str_eq(g.news, "");
    end(&g);
}
END_TEST

START_TEST(a_socket_that_is_refused_refuses_the_join)
{
    struct ground g;
    struct request request;

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
    fake_link_del("a");
    work(&g);
    g.ifindex = fake_link_add("a");
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
    struct request request, gone;
    bool kept;

    begin(&g);
    ck_assert(ask(&g, ALICE, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &request, NULL, "239.1.0.0/24"));
    ck_assert(await(&g, &gone, NULL, "239.1.0.0/24"));
    join_waiter_cancel(&gone.waiter);
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
    struct join_filter filter = {.family = FAMILY_IPV4};
    bool kept;

    begin(&g);
    ck_assert(add(&g, ALICE, NULL, "239.1.1.1"));
    ck_assert(add(&g, ALICE, NULL, "ff3e::1"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.2"));
    ck_assert(add(&g, ALICE, NULL, "239.1.1.3"));
    join_cursor_open(&cursor, g.joins, &filter);
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
    tcase_add_test(tests, a_join_goes_with_its_last_owner);
    tcase_add_test(tests, an_administrator_deletes_what_others_hold);
    tcase_add_test(tests, a_revoked_lease_is_let_go);
    tcase_add_test(tests, what_a_session_holds_ends_with_it);
    tcase_add_test(tests, the_configuration_lets_go_of_what_it_names_no_more);
    tcase_add_test(tests, a_deleted_interface_is_waited_for_and_joined_again);
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
