/* One user's many connections delay no other's, and take a bounded number of places. */
#include "broker/wire/arrivals.h"
#include "client.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GREEDY = 1000, ALIKE = 1001, MODEST = 1002, PIECES_A_TURN = 10, OPENED_MAX = 1024 };

static struct arrivals arrivals;
static uid_t opened[OPENED_MAX]; /* in this order */
static size_t opened_count, settled;
static uint64_t time_ns;

static uint64_t look_at_clock(void)
{
    return time_ns += TURN_NS / PIECES_A_TURN;
}

static void open_and_close(void *context, int fd, struct peer *peer)
{
    (void)context;
    ck_assert_uint_lt(opened_count, OPENED_MAX);
    opened[opened_count++] = peer->uid;
    close(fd);
}

static void count_settled(void *context)
{
    (void)context;
    settled++;
}

static void begin(struct service *s)
{
    service_begin(s, "a");
    s->services.turns.clock = look_at_clock;
    s->services.users.limits.connections = 100;
    s->services.users.limits.connections_per_user = 10;
    service_apply_limits(s);
    opened_count = settled = 0;
    arrivals_init(&arrivals,
                  &(struct arrivals_host){&s->services, open_and_close, count_settled, NULL});
}

static void end(struct service *s)
{
    arrivals_stop(&arrivals);
    service_end(s);
}

/* Returns the client's end. */
static int arrive(uid_t uid)
{
    const struct peer peer = {.uid = uid, .kernel_uid = uid};
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    arrivals_add(&arrivals, pair[1], &peer);
    return pair[0];
}

static void arrive_and_leave(uid_t uid, size_t count)
{
    while (count-- > 0)
        close(arrive(uid));
}

static size_t opened_of(uid_t uid, size_t first, size_t count)
{
    size_t found = 0;

    for (size_t i = first; i < first + count && i < opened_count; i++)
        found += opened[i] == uid;
    return found;
}

static void turn(struct service *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void turn_until_opened(struct service *s, size_t count)
{
    for (size_t i = 0; opened_count < count && i < count; i++)
        turn(s);
    ck_assert_uint_ge(opened_count, count);
}

START_TEST(nothing_is_opened_before_its_turn)
{
    struct service s;

    begin(&s);
    close(arrive(MODEST));
    ck_assert_uint_eq(opened_count, 0);
    turn_until_opened(&s, 1);
    ck_assert_uint_eq(settled, 1);
    ck_assert(LIST_EMPTY(&arrivals.list));
    end(&s);
}
END_TEST

START_TEST(who_came_seldom_comes_before_a_crowd)
{
    struct service s;

    begin(&s);
    arrive_and_leave(GREEDY, 200);
    close(arrive(MODEST));
    turn(&s);
    ck_assert_uint_ge(opened_count, 2);
    ck_assert_uint_le(opened_count, PIECES_A_TURN + 1);
    ck_assert_uint_eq(opened_of(MODEST, 0, 2), 1);
    end(&s);
}
END_TEST

START_TEST(two_crowds_have_the_same)
{
    struct service s;

    begin(&s);
    for (int i = 0; i < 40; i++) {
        arrive_and_leave(GREEDY, 1);
        arrive_and_leave(ALIKE, 1);
    }
    turn_until_opened(&s, 40);
    ck_assert_uint_ge(opened_of(GREEDY, 0, 40), 15);
    ck_assert_uint_ge(opened_of(ALIKE, 0, 40), 15);
    end(&s);
}
END_TEST

/* Nothing was told to those who were hung up on. */
START_TEST(a_crowd_has_a_bounded_number_of_places)
{
    size_t hung_up = 0, waiting = 0;
    int clients[500];
    struct service s;
    char byte;

    begin(&s);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        clients[i] = arrive(GREEDY);
        hung_up += recv(clients[i], &byte, 1, 0) == 0;
    }
    waiting = sizeof clients / sizeof *clients - hung_up;
    ck_assert_uint_eq(s.services.users.connections.used, 10);
    ck_assert_uint_gt(s.services.users.crowd.used, 0);
    ck_assert_uint_le(s.services.users.crowd.used, CROWD_PER_USER);
    ck_assert_uint_eq(waiting, 10 + s.services.users.crowd.used);
    ck_assert_uint_eq(s.services.users.connections.refused, hung_up);
    turn_until_opened(&s, waiting);
    ck_assert_uint_eq(opened_count, waiting);
    ck_assert_uint_eq(s.services.users.connections.used, 0);
    ck_assert_uint_eq(s.services.users.crowd.used, 0);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        close(clients[i]);
    end(&s);
}
END_TEST

/* However many users come at once. */
START_TEST(a_place_is_kept_for_the_administrator)
{
    struct service s;

    begin(&s);
    for (uid_t uid = GREEDY; uid < GREEDY + 20; uid++)
        arrive_and_leave(uid, 12);
    ck_assert(!users_are_full(&s.services.users));
    arrive_and_leave(0, 1);
    turn(&s);
    ck_assert_uint_eq(opened_of(0, 0, 2), 1);
    end(&s);
}
END_TEST

/* The record, too, where nothing else is known of the user any more. */
START_TEST(who_waits_long_is_not_forgotten)
{
    struct service s;

    begin(&s);
    close(arrive(MODEST));
    for (int i = 0; i < 100; i++)
        users_next_second(&s.services.users);
    ck_assert_uint_eq(pools_find(&s.services.users.pools, MODEST)->busy_ns, 0);
    turn_until_opened(&s, 1);
    for (int i = 0; i < 100; i++)
        users_next_second(&s.services.users);
    ck_assert_ptr_null(pools_find(&s.services.users.pools, MODEST));
    end(&s);
}
END_TEST

START_TEST(who_waits_at_the_end_sees_it)
{
    struct service s;
    char byte;
    int fd;

    begin(&s);
    fd = arrive(MODEST);
    arrivals_stop(&arrivals);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), 0);
    close(fd);
    turn(&s);
    ck_assert_uint_eq(opened_count, 0);
    end(&s);
}
END_TEST

/* Time is charged although nothing comes of it. */
START_TEST(a_flood_is_charged)
{
    struct service s;
    uint64_t before;

    begin(&s);
    arrive_and_leave(GREEDY, 400);
    before = pools_find(&s.services.users.pools, GREEDY)->busy_ns;
    arrive_and_leave(GREEDY, 100); /* all of them beyond the crowd */
    ck_assert_uint_gt(pools_find(&s.services.users.pools, GREEDY)->busy_ns, before);
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, nothing_is_opened_before_its_turn);
    tcase_add_test(tests, who_came_seldom_comes_before_a_crowd);
    tcase_add_test(tests, two_crowds_have_the_same);
    tcase_add_test(tests, a_crowd_has_a_bounded_number_of_places);
    tcase_add_test(tests, a_place_is_kept_for_the_administrator);
    tcase_add_test(tests, who_waits_long_is_not_forgotten);
    tcase_add_test(tests, who_waits_at_the_end_sees_it);
    tcase_add_test(tests, a_flood_is_charged);
}

int main(void)
{
    return suite_run("arrivals", add_tests);
}
