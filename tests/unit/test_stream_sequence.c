/* Which state begins with which sample: by time exactly, by a trip at once, and as pauses say. */
#include "sequence.h"
#include "suite.h"

#include <stdlib.h>

enum { LEAD = 700, NEAR = 20 };

static struct sequence sequence;
static struct sequence_state states[8];

static void begin(uint32_t count)
{
    sequence_begin(&sequence, states, count, 1000);
}

static struct sequence_order order_at(uint64_t now)
{
    struct sequence_order order;

    ck_assert(sequence_order(&sequence, now, LEAD, &order));
    return order;
}

static void nothing_at(uint64_t now)
{
    struct sequence_order order;

    ck_assert(!sequence_order(&sequence, now, LEAD, &order));
}

static struct sequence_news news_at(uint64_t now)
{
    struct sequence_news news;

    ck_assert(sequence_news(&sequence, now, &news));
    return news;
}

START_TEST(states_follow_each_other)
{
    struct sequence_news news;

    states[0] = (struct sequence_state){5000, false};
    states[1] = (struct sequence_state){3000, false};
    begin(2);
    nothing_at(1000 - LEAD - 1);
    ck_assert_uint_eq(order_at(1000 - LEAD).tick, 1000);
    nothing_at(1000);
    ck_assert(!sequence_news(&sequence, 999, &news));
    ck_assert_int_eq(news_at(1000).cause, SEQUENCE_BY_START);
    nothing_at(6000 - LEAD - 1);
    ck_assert_uint_eq(order_at(6000 - LEAD + 3).tick, 6000);
    news = news_at(6100);
    ck_assert_uint_eq(news.tick, 6000);
    ck_assert_uint_eq(news.state, 1);
    ck_assert_int_eq(order_at(9000).what, SEQUENCE_LEAVE);
    ck_assert_uint_eq(news_at(9000).state, 2);
    ck_assert_int_eq(sequence.status, SEQUENCE_COMPLETED);
}
END_TEST

static void begin_with_trip(void)
{
    states[0] = (struct sequence_state){5000, true};
    states[1] = (struct sequence_state){3000, false};
    begin(2);
    ck_assert(!sequence_trip(&sequence, 900));
    order_at(1000);
    news_at(1000);
}

START_TEST(a_trip_ends_a_state)
{
    struct sequence_news news;

    begin_with_trip();
    ck_assert(sequence_trip(&sequence, 2020));
    ck_assert(!sequence_trip(&sequence, 2040));
    ck_assert_uint_eq(order_at(2000).tick, 2020);
    news = news_at(2020);
    ck_assert_int_eq(news.cause, SEQUENCE_BY_TRIP);
    ck_assert_uint_eq(news.state, 1);
    ck_assert(!sequence_trip(&sequence, 2100));
    ck_assert_uint_eq(order_at(5000).tick, 5020);
}
END_TEST

START_TEST(no_trip_is_a_timeout)
{
    begin_with_trip();
    ck_assert_uint_eq(order_at(5400).tick, 6000);
    ck_assert_int_eq(news_at(6000).cause, SEQUENCE_BY_TIMEOUT);
}
END_TEST

/* The order for the time-out was given, and the trip comes before it. */
START_TEST(a_trip_overtakes_the_timeout)
{
    begin_with_trip();
    order_at(5400);
    ck_assert(sequence_trip(&sequence, 5520));
    ck_assert_uint_eq(order_at(5500).tick, 5520);
    ck_assert_int_eq(news_at(5520).cause, SEQUENCE_BY_TRIP);
    ck_assert_uint_eq(order_at(8000).tick, 8520);
    begin_with_trip();
    order_at(5400);
    ck_assert(!sequence_trip(&sequence, 6000));
}
END_TEST

START_TEST(a_pause_holds_the_state)
{
    begin_with_trip();
    ck_assert(sequence_pause(&sequence, 3000, 3020));
    ck_assert(!sequence_pause(&sequence, 3000, 3020));
    nothing_at(100000);
    ck_assert(!sequence_trip(&sequence, 4000));
    ck_assert(sequence_resume(&sequence, 50000, 50020));
    nothing_at(50000);
    ck_assert_uint_eq(order_at(53000).tick, 53000);
    ck_assert(!sequence_resume(&sequence, 53000, 53020));
}
END_TEST

START_TEST(a_pause_takes_an_order_back)
{
    struct sequence_order order;

    begin_with_trip();
    order_at(5400);
    ck_assert(sequence_pause(&sequence, 5500, 5520));
    order = order_at(5500);
    ck_assert_int_eq(order.what, SEQUENCE_ENTER);
    ck_assert_uint_eq(order.state, 0);
    ck_assert_uint_eq(order.tick, 5520);
    nothing_at(9000);
    ck_assert(sequence_resume(&sequence, 9000, 9020));
    ck_assert_uint_eq(order_at(9000).tick, 9500);
}
END_TEST

START_TEST(a_late_pause_is_of_the_next_state)
{
    begin_with_trip();
    order_at(5990);
    ck_assert(sequence_pause(&sequence, 5990, 6010));
    ck_assert_int_eq(sequence.status, SEQUENCE_RUNNING);
    ck_assert_uint_eq(news_at(6000).state, 1);
    ck_assert_int_eq(sequence.status, SEQUENCE_PAUSED);
    nothing_at(60000);
    ck_assert(sequence_resume(&sequence, 60000, 60020));
    ck_assert_uint_eq(order_at(62500).tick, 63000);
}
END_TEST

START_TEST(a_cancelled_one_leaves)
{
    struct sequence_order order;
    struct sequence_news news;

    begin_with_trip();
    ck_assert(sequence_stop(&sequence, 2020, SEQUENCE_CANCELLED));
    ck_assert(!sequence_stop(&sequence, 2020, SEQUENCE_CANCELLED));
    order = order_at(2000);
    ck_assert_int_eq(order.what, SEQUENCE_LEAVE);
    ck_assert_uint_eq(order.tick, 2020);
    nothing_at(100000);
    ck_assert(!sequence_news(&sequence, 100000, &news));
    ck_assert(!sequence_trip(&sequence, 3000) && !sequence_pause(&sequence, 3000, 3020) &&
              !sequence_resume(&sequence, 3000, 3020));
    ck_assert_uint_eq(sequence.current, 0);
}
END_TEST

/* --- Random programs ----------------------------------------------------------------------- */

/* What the streams do, as the orders say: the one that was given last for a tick or an earlier one.
 */
struct plan {
    struct sequence_order order[2]; /* what is, and what will be */
    bool has_next;
};

static void take(struct plan *plan, const struct sequence_order *order, uint64_t now)
{
    ck_assert_uint_ge(order->tick, now);
    if (plan->has_next && plan->order[1].tick <= now)
        plan->order[0] = plan->order[1];
    plan->order[1] = *order;
    plan->has_next = true;
}

static void go_on(struct plan *plan, uint64_t now)
{
    if (plan->has_next && plan->order[1].tick <= now) {
        plan->order[0] = plan->order[1];
        plan->has_next = false;
    }
}

static void act(uint64_t now)
{
    switch (random() % 40) {
    case 0:
        sequence_pause(&sequence, now, now + NEAR);
        break;
    case 1:
    case 2:
        sequence_resume(&sequence, now, now + NEAR);
        break;
    case 3:
        sequence_trip(&sequence, now + NEAR);
        break;
    case 4:
        if (random() % 20 == 0)
            sequence_stop(&sequence, now + NEAR, SEQUENCE_CANCELLED);
        break;
    }
}

START_TEST(what_is_told_is_what_is_played)
{
    struct plan plan = {.has_next = false};
    uint32_t count = 1 + (uint32_t)random() % 8, seen = 0;
    uint64_t now = 0, last = 0;

    srandom((unsigned)_i);
    for (uint32_t i = 0; i < count; i++)
        states[i] = (struct sequence_state){1 + (uint64_t)random() % 3000, random() % 2};
    begin(count);
    for (unsigned i = 0; i < 5000; i++, now += (uint64_t)random() % 30) {
        struct sequence_order order;
        struct sequence_news news;

        go_on(&plan, now);
        while (sequence_news(&sequence, now, &news)) {
            ck_assert_uint_eq(news.state, seen++);
            ck_assert_uint_ge(news.tick, last);
            last = news.tick;
            while (sequence_order(&sequence, now < news.tick ? news.tick : now, LEAD, &order)) {
                order.tick = order.tick < now ? now : order.tick; /* a short state is late */
                take(&plan, &order, now);
                go_on(&plan, now);
            }
        }
        act(now);
        while (sequence_order(&sequence, now, LEAD, &order)) {
            order.tick = order.tick < now ? now : order.tick;
            take(&plan, &order, now);
            go_on(&plan, now);
        }
        if (sequence_is_on(&sequence) && sequence.current != SEQUENCE_BEFORE &&
            !(sequence.is_ordered && sequence.next_begin <= now) && !plan.has_next)
            ck_assert_uint_eq(plan.order[0].state, sequence.current);
    }
    if (!sequence_is_on(&sequence))
        ck_assert_int_eq(plan.order[plan.has_next].what, SEQUENCE_LEAVE);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, states_follow_each_other);
    tcase_add_test(tests, a_trip_ends_a_state);
    tcase_add_test(tests, no_trip_is_a_timeout);
    tcase_add_test(tests, a_trip_overtakes_the_timeout);
    tcase_add_test(tests, a_pause_holds_the_state);
    tcase_add_test(tests, a_pause_takes_an_order_back);
    tcase_add_test(tests, a_late_pause_is_of_the_next_state);
    tcase_add_test(tests, a_cancelled_one_leaves);
    tcase_add_loop_test(tests, what_is_told_is_what_is_played, 1, 300);
}

int main(void)
{
    return suite_run("stream_sequence", add_tests);
}
