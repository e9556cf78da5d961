/* The way of a client's frames that have a time, from its ring to the timed sender and back. The
 * clocks are the test's. */
#include "resources/inject/timed_ring.h"
#include "ring_scene.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 1 << 16, LIMIT = 1518, LENGTH = 60, MS = 1000000, RATE = 1000, FD = 7 };

static const uint64_t NOON = 1700000000ull * 1000000000;

static unsigned sent_count;
static enum transmit_refusal_reason answer;

static enum transmit_refusal_reason take(int fd, const unsigned char *bytes, uint32_t length)
{
    ck_assert_int_eq(fd, FD);
    ck_assert(length == LENGTH && bytes[0] == 0xaa);
    sent_count++;
    return answer;
}

struct scene {
    struct transmit_scene client;
    struct timed timed;
    struct timed_ring *ring;
};

static void begin(struct scene *scene)
{
    struct timed_config config = {.late = MS, .rate = RATE};

    memset(scene, 0, sizeof *scene);
    sent_count = 0;
    answer = TRANSMIT_SENT;
    transmit_scene_begin(&scene->client, SIZE, LIMIT);
    scene->ring = timed_ring_make(&scene->timed, &config, LIMIT);
    ck_assert_ptr_nonnull(scene->ring);
    ck_assert(timed_ring_join(scene->ring, FD, take));
}

static void end(struct scene *scene)
{
    while (!timed_ring_leave(scene->ring))
        timed_turn(&scene->timed, 0, NOON);
    timed_ring_free(scene->ring);
    transmit_scene_end(&scene->client);
}

static void put_frame(struct scene *scene, uint64_t time, bool needs_own)
{
    unsigned char bytes[LENGTH] = {0xaa, needs_own};

    ck_assert_int_eq(transmit_writer_put(&scene->client.writer, bytes, LENGTH, time, time),
                     TRANSMIT_TAKEN);
}

static void put(struct scene *scene, uint64_t time)
{
    put_frame(scene, time, false);
}

/* What the sender's thread does in a turn, with a judge that has nothing against a frame. */
static void serve(struct scene *scene)
{
    struct transmit_reader *reader = &scene->client.reader;
    unsigned char bytes[LIMIT];
    struct transmit_frame frame;

    timed_ring_settle(scene->ring, reader);
    transmit_writer_publish(&scene->client.writer);
    ck_assert(transmit_reader_turn(reader, 1000, SIZE));
    while (timed_ring_has_room(scene->ring) &&
           transmit_reader_next(reader, bytes, &frame) == TRANSMIT_FRAME) {
        enum transmit_refusal_reason reason =
            timed_ring_take(scene->ring, &frame, bytes, bytes[1] != 0);

        if (reason != TRANSMIT_SENT)
            transmit_reader_judge(reader, &frame, reason);
    }
    timed_ring_publish(scene->ring);
    transmit_reader_release(reader);
}

static uint64_t refused(struct scene *scene, enum transmit_refusal_reason reason)
{
    return scene->client.reader.counts.refused[reason];
}

/* As the timed sender, from 0 to this moment. */
static void run_until(struct scene *scene, uint64_t moment)
{
    uint64_t now = 0;

    while (now <= moment) {
        uint64_t until = timed_turn(&scene->timed, now, NOON + now);

        now = until;
    }
}

/* A thread that could be told without one would be woken as often as somebody is refused. */
START_TEST(the_thread_is_told_of_frames_and_of_nothing_else)
{
    struct scene scene;
    uint32_t word;

    begin(&scene);
    run_until(&scene, 0); /* it is hungry */
    word = atomic_load(&scene.timed.word);
    for (unsigned i = 0; i < 100; i++) {
        put(&scene, UINT64_MAX);
        serve(&scene);
    }
    ck_assert_uint_eq(refused(&scene, TRANSMIT_TIME), 100);
    ck_assert_uint_eq(atomic_load(&scene.timed.word), word);
    put(&scene, 0);
    serve(&scene);
    ck_assert_uint_eq(atomic_load(&scene.timed.word), word + 1);
    end(&scene);
}
END_TEST

START_TEST(frames_go_their_way_and_are_told)
{
    struct scene scene;
    struct transmit_timing timing;

    begin(&scene);
    for (uint64_t i = 0; i < 5; i++)
        put(&scene, i * MS);
    serve(&scene);
    ck_assert_uint_eq(scene.ring->waiting, 5);
    ck_assert_uint_eq(scene.client.reader.counts.judged, 0);
    run_until(&scene, TIMED_LEAD_NS + 10 * MS);
    ck_assert_uint_eq(sent_count, 5);
    serve(&scene);
    ck_assert_uint_eq(scene.ring->waiting, 0);
    ck_assert_uint_eq(scene.client.reader.counts.sent, 5);
    transmit_writer_timing(&scene.client.writer, &timing);
    ck_assert_uint_eq(timing.started, NOON + TIMED_LEAD_NS);
    ck_assert_uint_eq(timing.histogram[0], 5);
    end(&scene);
}
END_TEST

/* Not before half of those that wait can have been sent, and not too often nor too rarely. */
START_TEST(many_frames_are_looked_for_rarely)
{
    static const struct {
        unsigned waiting;
        uint64_t ms;
    } rows[] = {{1, TIMED_SETTLE_MS}, {24, 12}, {100, TIMED_SETTLE_MOST_MS}};
    struct scene scene;
    unsigned count = 0;

    begin(&scene);
    ck_assert_uint_eq(timed_ring_wait(scene.ring), TIMED_NEVER);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (; count < rows[i].waiting; count++)
            put(&scene, (uint64_t)count * MS);
        serve(&scene);
        ck_assert_uint_eq(scene.ring->waiting, rows[i].waiting);
        ck_assert_uint_eq(timed_ring_wait(scene.ring), rows[i].ms * MS);
    }
    ck_assert(!timed_ring_leave(scene.ring));
    ck_assert_uint_eq(timed_ring_wait(scene.ring), TIMED_SETTLE_MS * MS);
    end(&scene);
}
END_TEST

/* Frames that wait with an address that the interface had, and those that do not need it. */
START_TEST(an_address_that_changed_is_not_sent)
{
    struct scene scene;

    begin(&scene);
    for (uint64_t i = 0; i < 6; i++)
        put_frame(&scene, i * MS, i % 3 != 0);
    serve(&scene);
    timed_ring_own_changed(scene.ring);
    for (uint64_t i = 6; i < 8; i++)
        put_frame(&scene, i * MS, true);
    serve(&scene);
    run_until(&scene, TIMED_LEAD_NS + 10 * MS);
    serve(&scene);
    ck_assert_uint_eq(sent_count, 4);
    ck_assert_uint_eq(scene.client.reader.counts.sent, 4);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_SOURCE), 4);
    end(&scene);
}
END_TEST

START_TEST(times_do_not_go_back)
{
    static const uint64_t times[] = {5 * MS, 4 * MS, TIMED_TIME_MAX + 1, 5 * MS};
    struct scene scene;

    begin(&scene);
    for (unsigned i = 0; i < 4; i++)
        put(&scene, times[i]);
    serve(&scene);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_TIME), 2);
    ck_assert_uint_eq(scene.ring->waiting, 2);
    end(&scene);
}
END_TEST

/* However fast or slow the client and this machine are. */
START_TEST(the_rate_is_that_of_the_times)
{
    struct scene scene;

    begin(&scene);
    for (uint64_t i = 0; i < 100; i++)
        put(&scene, i * MS); /* as many as may be */
    serve(&scene);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_RATE), 0);
    for (uint64_t i = 0; i < 100; i++)
        put(&scene, 100 * MS + i * MS / 2); /* twice that */
    serve(&scene);
    ck_assert_uint_eq(refused(&scene, TRANSMIT_RATE), 100 - 49 - RATE / RATE_BURST_PART);
    end(&scene);
}
END_TEST

START_TEST(a_full_queue_keeps_frames_in_the_ring)
{
    unsigned char bytes[LENGTH] = {0xaa};
    struct scene scene;
    uint64_t put_count = 0;

    begin(&scene);
    while (timed_ring_has_room(scene.ring)) {
        while (transmit_writer_put(&scene.client.writer, bytes, LENGTH, put_count * MS, 0) ==
               TRANSMIT_TAKEN)
            put_count++;
        serve(&scene);
    }
    ck_assert(!timed_ring_has_room(scene.ring));
    ck_assert_uint_lt(scene.ring->waiting, put_count);
    ck_assert_uint_eq(scene.client.reader.counts.judged, 0);
    for (uint64_t moment = 100; scene.ring->waiting > 0; moment += 100) {
        run_until(&scene, TIMED_LEAD_NS + moment * MS);
        serve(&scene);
        serve(&scene);
    }
    ck_assert_uint_eq(scene.client.reader.counts.sent + refused(&scene, TRANSMIT_LATE), put_count);
    end(&scene);
}
END_TEST

START_TEST(a_refusal_comes_back_with_its_tag)
{
    struct transmit_refusal refusal;
    struct scene scene;

    begin(&scene);
    put(&scene, 3 * MS);
    serve(&scene);
    answer = TRANSMIT_DOWN;
    run_until(&scene, TIMED_LEAD_NS + 10 * MS);
    serve(&scene);
    ck_assert(transmit_writer_next_refusal(&scene.client.writer, &refusal));
    ck_assert_int_eq(refusal.reason, TRANSMIT_DOWN);
    ck_assert_uint_eq(refusal.tag, 3 * MS);
    end(&scene);
}
END_TEST

START_TEST(stalls_are_those_while_it_is_there)
{
    struct transmit_timing timing;
    struct scene scene;

    begin(&scene);
    timed_ring_leave(scene.ring);
    timed_turn(&scene.timed, 0, NOON);
    ck_assert(timed_ring_leave(scene.ring));
    atomic_store(&scene.timed.stalls, 5);
    atomic_store(&scene.timed.stalled_ns, 500);
    scene.ring->seat.is_leaving = false;
    ck_assert(timed_ring_join(scene.ring, FD, take));
    atomic_store(&scene.timed.stalls, 7);
    atomic_store(&scene.timed.stalled_ns, 1000);
    serve(&scene);
    serve(&scene);
    transmit_writer_timing(&scene.client.writer, &timing);
    ck_assert_uint_eq(timing.stalls, 2);
    ck_assert_uint_eq(timing.stalled_ns, 500);
    end(&scene);
}
END_TEST

START_TEST(who_leaves_takes_nothing_more)
{
    struct scene scene;

    begin(&scene);
    put(&scene, 0);
    serve(&scene);
    ck_assert(!timed_ring_leave(scene.ring));
    ck_assert(!timed_ring_has_room(scene.ring));
    run_until(&scene, TIMED_LEAD_NS);
    ck_assert(timed_ring_leave(scene.ring));
    ck_assert_uint_eq(sent_count, 0);
    end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_go_their_way_and_are_told);
    tcase_add_test(tests, the_thread_is_told_of_frames_and_of_nothing_else);
    tcase_add_test(tests, many_frames_are_looked_for_rarely);
    tcase_add_test(tests, an_address_that_changed_is_not_sent);
    tcase_add_test(tests, times_do_not_go_back);
    tcase_add_test(tests, the_rate_is_that_of_the_times);
    tcase_add_test(tests, a_full_queue_keeps_frames_in_the_ring);
    tcase_add_test(tests, a_refusal_comes_back_with_its_tag);
    tcase_add_test(tests, stalls_are_those_while_it_is_there);
    tcase_add_test(tests, who_leaves_takes_nothing_more);
}

int main(void)
{
    return suite_run("timed_ring", add_tests);
}
