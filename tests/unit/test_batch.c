/* The frames of a turn: judged, sent with as few calls as there can be, and each told once what
 * became of it, also where the kernel's queue is full and some go back. */
#include "client.h"
#include "platform/injection.h"
#include "resources/inject/batch.h"
#include "ring_scene.h"

#include <string.h>
#include <unistd.h>

enum { SIZE = 1 << 18, FRAME = 1999, LONGER = FRAME + 1, TURN = BATCH_FRAMES };

static const uint8_t own[] = {2, 0, 0, 0, 0, 1}; /* of the fake kernel's interfaces */
static const struct send_scope scope = {.sources.kinds = SOURCES_OWN};
static const struct frame_grant grant = {.scope = &scope, .own = own};
static struct batch batch;

struct fixture {
    struct service service; /* whose kernel has the interface */
    struct transmit_scene ring;
    int fd;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    service_begin(&f->service, "a");
    f->fd = injection_open(netifs_find(f->service.services.netifs, "a")->ifindex);
    ck_assert_int_ge(f->fd, 0);
    transmit_scene_begin(&f->ring, SIZE, FRAME);
}

static void end(struct fixture *f)
{
    transmit_scene_end(&f->ring);
    close(f->fd);
    service_end(&f->service);
}

/* Of a foreign address, if not. */
static void put(struct fixture *f, uint32_t number, bool is_right)
{
    unsigned char frame[FRAME] = {0};

    memcpy(frame + sizeof own, own, sizeof own);
    frame[2 * sizeof own - 1] += !is_right;
    frame[2 * sizeof own] = 0x88;
    frame[2 * sizeof own + 1] = 0xba;
    memcpy(frame + FRAME - sizeof number, &number, sizeof number);
    ck_assert_int_eq(transmit_writer_put(&f->ring.writer, frame, FRAME, 0, number), TRANSMIT_TAKEN);
    transmit_writer_publish(&f->ring.writer);
}

/* One whose header says that it is longer than is allowed. */
static void put_longer(struct fixture *f, uint64_t tag)
{
    unsigned char *place;
    uint64_t at = f->ring.writer.head;
    struct transmit_header header = {LONGER, 0, tag, 0};

    ck_assert_int_eq(transmit_writer_reserve(&f->ring.writer, FRAME, 0, tag, &place),
                     TRANSMIT_TAKEN);
    memcpy(f->ring.data + at, &header, sizeof header);
    transmit_writer_commit(&f->ring.writer);
    transmit_writer_publish(&f->ring.writer);
}

/* Returns how many frames it was the last word on. */
static uint64_t turn(struct fixture *f, bool gives_up)
{
    uint64_t before = f->ring.reader.counts.judged;

    ck_assert(transmit_reader_turn(&f->ring.reader, BATCH_FRAMES, BATCH_BYTES));
    batch_take(&batch, &f->ring.reader, &grant);
    batch_send(&batch, &f->ring.reader, f->fd, gives_up);
    transmit_reader_release(&f->ring.reader);
    return f->ring.reader.counts.judged - before;
}

static uint32_t take_number(void)
{
    unsigned char frame[FRAME + 1];
    uint32_t number;

    ck_assert_int_eq(fake_frame_take(frame, sizeof frame), FRAME);
    memcpy(&number, frame + FRAME - sizeof number, sizeof number);
    return number;
}

static void expect_refusal(struct fixture *f, uint64_t tag, enum transmit_refusal_reason reason)
{
    struct transmit_refusal refusal;

    ck_assert(transmit_writer_next_refusal(&f->ring.writer, &refusal));
    ck_assert_uint_eq(refusal.tag, tag);
    ck_assert_uint_eq(refusal.sequence, tag);
    ck_assert_int_eq(refusal.reason, reason);
}

static void expect_no_refusal(struct fixture *f)
{
    struct transmit_refusal refusal;

    ck_assert(!transmit_writer_next_refusal(&f->ring.writer, &refusal));
}

/* --- Tests --------------------------------------------------------------------------------- */

START_TEST(each_frame_is_told_once)
{
    struct fixture f;

    begin(&f);
    put(&f, 0, false);
    put(&f, 1, true);
    put(&f, 2, true);
    put(&f, 3, false);
    put_longer(&f, 4);
    put(&f, 5, true);
    put(&f, 6, false);
    ck_assert_uint_eq(turn(&f, false), 7);
    ck_assert_uint_eq(batch.sent, 3);
    ck_assert(!batch.was_full);
    ck_assert_uint_eq(take_number(), 1);
    ck_assert_uint_eq(take_number(), 2);
    ck_assert_uint_eq(take_number(), 5);
    expect_refusal(&f, 0, TRANSMIT_SOURCE);
    expect_refusal(&f, 3, TRANSMIT_SOURCE);
    expect_refusal(&f, 4, TRANSMIT_TOO_LONG);
    expect_refusal(&f, 6, TRANSMIT_SOURCE);
    expect_no_refusal(&f);
    end(&f);
}
END_TEST

/* Puts as many as fill the queue and more, each third one from a foreign address; returns how many
 * turns ended with a full queue. */
static unsigned fill(struct fixture *f, uint32_t *next)
{
    unsigned full = 0;

    for (; full == 0; full += batch.was_full) {
        for (unsigned i = 0; i < TURN / 2; i++, ++*next)
            put(f, *next, *next % 3 != 0);
        turn(f, false);
    }
    return full;
}

START_TEST(what_finds_no_room_goes_back)
{
    struct fixture f;
    struct transmit_refusal refusal;
    uint32_t count = 0, refused = 0, number = 1, wrong;

    begin(&f);
    ck_assert_uint_eq(fill(&f, &count), 1);
    wrong = (count + 2) / 3;
    ck_assert_uint_eq(turn(&f, false), 0); /* again and again, and nothing is told */
    ck_assert_uint_eq(turn(&f, false), 0);
    for (uint32_t taken = 0; taken < count - wrong; taken++, number += number % 3) {
        ck_assert_uint_eq(take_number(), number);
        turn(&f, false);
    }
    while (transmit_writer_next_refusal(&f.ring.writer, &refusal))
        ck_assert_uint_eq(refusal.tag, 3 * refused++);
    ck_assert_uint_eq(f.ring.reader.counts.refused[TRANSMIT_SOURCE], wrong);
    ck_assert_uint_eq(f.ring.reader.counts.sent, count - wrong);
    ck_assert_uint_eq(f.ring.reader.counts.judged, count);
    ck_assert_uint_eq(refused + f.ring.reader.counts.untold, wrong);
    end(&f);
}
END_TEST

START_TEST(a_queue_that_takes_nothing_is_given_up)
{
    struct fixture f;
    uint32_t count = 0;
    uint64_t left;

    begin(&f);
    ck_assert_uint_eq(fill(&f, &count), 1);
    left = count - f.ring.reader.counts.judged;
    ck_assert_uint_gt(left, 0);
    ck_assert_uint_eq(turn(&f, true), left);
    ck_assert(batch.was_full);
    ck_assert_uint_eq(batch.sent, 0);
    ck_assert_uint_gt(f.ring.reader.counts.refused[TRANSMIT_KERNEL], 0);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_frame_is_told_once);
    tcase_add_test(tests, what_finds_no_room_goes_back);
    tcase_add_test(tests, a_queue_that_takes_nothing_is_given_up);
}

int main(void)
{
    return suite_run("batch", add_tests);
}
