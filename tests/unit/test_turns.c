/* What one user asks for, and how, delays no other. A clock of this test goes on when it is looked
 * at, so that a turn of the loop has about as many pieces of work as it says here. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { GREEDY = 1000, MODEST = 1001, ROUTES = 2000, PIECES_A_TURN = 10, MANY = 400 };

static const char ping[] = "{\"action\":\"PING\"}";
static const char nothing[] =
    "{\"action\":\"SHOW_MFC\",\"payload\":{\"group\":\"239.255.255.255\"}}";

static uint64_t time_ns;

static uint64_t look_at_clock(void)
{
    return time_ns += TURN_NS / PIECES_A_TURN;
}

/* Each piece of work takes a whole turn. */
static uint64_t look_at_slow_clock(void)
{
    return time_ns += TURN_NS;
}

static struct rule everything = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void begin(struct service *s)
{
    service_begin(s, "a b");
    s->services.turns.clock = look_at_clock;
    s->services.policy.rules = &everything;
    s->services.policy.count = 1;
}

static void turn(struct service *s)
{
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void load(struct service *s)
{
    char group[32];

    for (int i = 0; i < ROUTES; i++) {
        snprintf(group, sizeof group, "239.1.%d.%d", i / 250, i % 250 + 1);
        ck_assert(kernel_add(&s->kernel, "10.0.0.1", group, "a", "b"));
    }
}

static void say_often(struct service *s, int n, const char *text, int count)
{
    size_t length = strlen(text);
    char *all = malloc(length * (size_t)count);

    for (int i = 0; i < count; i++)
        memcpy(all + length * (size_t)i, text, length);
    ck_assert_int_eq(send(s->clients[n], all, length * (size_t)count, 0), length * (size_t)count);
    free(all);
}

/* The replies that came since the last call, and are not longer than a line. */
static int replies(struct service *s, int n)
{
    char bytes[16384];
    ssize_t length;
    int count = 0;

    while ((length = recv(s->clients[n], bytes, sizeof bytes, 0)) > 0)
        for (ssize_t i = 0; i < length; i++)
            count += bytes[i] == '\n';
    return count;
}

static const struct account *account_of(const struct service *s, uid_t uid)
{
    return pools_find(&s->services.users.pools, uid);
}

START_TEST(a_turn_ends_by_time_in_a_pipeline)
{
    struct service s;

    begin(&s);
    for (int n = 0; n < 2; n++) {
        client_connect_as(&s, n, GREEDY);
        say_often(&s, n, ping, MANY);
    }
    for (int got = 0; got < MANY;) {
        int more;

        turn(&s);
        more = replies(&s, 0) + replies(&s, 1);
        ck_assert_int_gt(more, 0);
        ck_assert_int_le(more, PIECES_A_TURN);
        got += more;
    }
    service_end(&s);
}
END_TEST

/* Who is alone is not woken after each turn, but often enough. */
START_TEST(replies_are_sent_together_while_nobody_waits)
{
    int turns = 0, sent = 0, got = 0;
    struct service s;

    begin(&s);
    client_connect_as(&s, 0, GREEDY);
    say_often(&s, 0, ping, MANY);
    for (int more; got < MANY; got += more, turns++) {
        turn(&s);
        more = replies(&s, 0);
        sent += more > 0;
        ck_assert_int_lt(turns, 2L * MANY);
    }
    ck_assert_int_ge(turns, MANY / PIECES_A_TURN);
    ck_assert_int_lt(sent, turns / 4);
    service_end(&s);
}
END_TEST

/* A client that receives once finds all of a short reply, however long its parts took. */
START_TEST(a_short_reply_is_sent_in_one_piece)
{
    char bytes[4096];
    struct service s;
    ssize_t length;

    begin(&s);
    s.services.turns.clock = look_at_slow_clock;
    for (int i = 0; i < 20; i++) {
        char group[32];

        snprintf(group, sizeof group, "239.1.1.%d", i + 1);
        ck_assert(kernel_add(&s.kernel, "10.0.0.1", group, "a", "b"));
    }
    client_connect_as(&s, 0, GREEDY);
    say_often(&s, 0, "{\"action\":\"SHOW\"}", 1);
    do
        turn(&s);
    while ((length = recv(s.clients[0], bytes, sizeof bytes, 0)) < 0);
    ck_assert_int_gt(length, 1000);
    ck_assert_int_eq(bytes[length - 1], '\n');
    service_end(&s);
}
END_TEST

/* Looks are not cheaper because nothing is found. */
static const char *const long_questions[] = {
    "{\"action\":\"SHOW_MFC\",\"payload\":{\"group\":\"239.255.255.255\"}}",
    "{\"action\":\"SHOW_MFC\",\"payload\":{\"table\":7}}",
    "{\"action\":\"SHOW_MFC\"}",
    "{\"action\":\"SHOW\"}",
    "{\"action\":\"LEASES\"}",
    "{\"action\":\"METRICS\"}",
    "{\"action\":\"METRICS\",\"payload\":{\"routes\":true}}",
};

START_TEST(a_long_list_delays_nobody)
{
    struct service s;

    begin(&s);
    load(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    say_often(&s, 0, long_questions[_i], 20);
    for (int i = 0; i < 3; i++)
        turn(&s);
    client_say(&s, 1, ping);
    for (int i = 0; i < 2; i++)
        turn(&s);
    ck_assert_int_eq(replies(&s, 1), 1);
    ck_assert_int_lt(replies(&s, 0), 2);
    service_end(&s);
}
END_TEST

START_TEST(users_take_turns_and_so_do_the_connections_of_each)
{
    int got[4] = {0}, all;
    struct service s;

    begin(&s);
    for (int n = 0; n < 3; n++)
        client_connect_as(&s, n, GREEDY);
    client_connect_as(&s, 3, MODEST);
    for (int n = 0; n < 4; n++)
        say_often(&s, n, ping, MANY);
    while (got[3] < MANY) {
        turn(&s);
        for (int n = 0; n < 4; n++)
            got[n] += replies(&s, n);
    }
    all = got[0] + got[1] + got[2];
    ck_assert_int_gt(all, MANY * 3 / 4);
    ck_assert_int_lt(all, MANY * 5 / 4);
    for (int n = 0; n < 3; n++)
        ck_assert_int_lt(abs(got[n] - all / 3), MANY / 10);
    service_end(&s);
}
END_TEST

/* One who used much before is behind the others, and is served all the same. */
START_TEST(nobody_starves)
{
    int greedy = 0, modest = 0;
    struct service s;

    begin(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    users_charge_time_of(&s.services.users, GREEDY, 1000000000000);
    for (int n = 0; n < 2; n++)
        say_often(&s, n, ping, MANY);
    while (modest < MANY) {
        turn(&s);
        greedy += replies(&s, 0);
        modest += replies(&s, 1);
    }
    ck_assert_int_gt(greedy, MANY / 10);
    ck_assert_int_lt(greedy, MANY / 2);
    service_end(&s);
}
END_TEST

START_TEST(time_is_charged_to_who_asks)
{
    struct service s;

    begin(&s);
    load(&s);
    client_connect_as(&s, 0, GREEDY);
    client_connect_as(&s, 1, MODEST);
    expect(client_ask(&s, 1, ping), "success");
    expect(client_ask(&s, 0, nothing), "success");
    ck_assert_uint_gt(account_of(&s, MODEST)->busy_ns, 0);
    ck_assert_uint_gt(account_of(&s, GREEDY)->busy_ns, 5 * account_of(&s, MODEST)->busy_ns);
    service_end(&s);
}
END_TEST

/* It waits in turns when its connection breaks, or the service ends. */
START_TEST(who_goes_has_no_turn_any_more)
{
    struct service s;

    begin(&s);
    load(&s);
    for (int n = 0; n < 3; n++) {
        client_connect_as(&s, n, GREEDY);
        say_often(&s, n, nothing, 20);
    }
    turn(&s);
    ck_assert(!TAILQ_EMPTY(&s.services.turns.accounts));
    client_close(&s, 0);
    session_close(LIST_FIRST(&s.services.sessions.list));
    turn(&s);
    service_end(&s);
}
END_TEST

static unsigned woken;

static void count_wake(struct subscriber *subscriber)
{
    woken++;
    ck_assert(!subscriber->sleeps);
}

/* To tell a crowd that something happened is work for turns, and not for who made it happen. */
START_TEST(a_crowd_of_subscribers_delays_nobody)
{
    enum { CROWD = 5000 };
    static struct subscriber crowd[CROWD];
    struct json payload = {.text = (char *)"1", .length = 1};
    struct service s;

    begin(&s);
    woken = 0;
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct subscriber){.wake = count_wake};
        ck_assert(events_subscribe(&s.services.events, &crowd[i], &(struct topic_list){0}));
    }
    client_connect_as(&s, 0, MODEST);
    events_publish(&s.services.events, "mfc.added", &payload, NULL);
    ck_assert_uint_eq(woken, 0);
    client_say(&s, 0, ping);
    for (int i = 0; i < 3; i++)
        turn(&s);
    ck_assert_int_eq(replies(&s, 0), 1);
    ck_assert_uint_lt(woken, CROWD / 2);
    for (int i = 0; i < 20; i++)
        turn(&s);
    ck_assert_uint_eq(woken, CROWD);
    for (int i = 0; i < CROWD; i++)
        events_unsubscribe(&s.services.events, &crowd[i]);
    service_end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_crowd_of_subscribers_delays_nobody);
    tcase_add_test(tests, a_turn_ends_by_time_in_a_pipeline);
    tcase_add_test(tests, replies_are_sent_together_while_nobody_waits);
    tcase_add_test(tests, a_short_reply_is_sent_in_one_piece);
    tcase_add_loop_test(tests, a_long_list_delays_nobody, 0,
                        (int)(sizeof long_questions / sizeof *long_questions));
    tcase_add_test(tests, users_take_turns_and_so_do_the_connections_of_each);
    tcase_add_test(tests, nobody_starves);
    tcase_add_test(tests, time_is_charged_to_who_asks);
    tcase_add_test(tests, who_goes_has_no_turn_any_more);
}

int main(void)
{
    return suite_run("turns", add_tests);
}
