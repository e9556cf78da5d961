/* The way of a frame, from the kernel's ring by the thread of a source to who reads nb_capture_*:
 * nothing on it allocates, and whatever one reader does costs the others nothing. */
#include "allocations.h"
#include "client.h"
#include "resources/capture/source.h"
#include "ring_client.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    SIZE = CAPTURE_BYTES_LEAST,
    FRAMES = 3000,
    FRAME = 1000,
    OTHERS = 3,
    PATIENCE_MS = 5000,
    BEGINNINGS = 500
};

/* --- Both sides ---------------------------------------------------------------------------- */

struct fixture {
    struct service service; /* whose kernel has the interface */
    struct source *source;
    struct frame_reader readers[1 + OTHERS]; /* the first is read by nb_capture_* */
    struct nb_capture *capture;
    struct nb_client *client;
    int opened;
};

/* Who is to be added when the thread looks for frames next, or NULL. */
static struct fixture *_Atomic before_frames;

bool __real_packets_next_block(struct packets *packets);
bool __wrap_packets_next_block(struct packets *packets);
static void add_and_put(struct fixture *f);

/* So often the thread looked. */
static _Atomic unsigned long looks;

bool __wrap_packets_next_block(struct packets *packets)
{
    struct fixture *f = atomic_exchange(&before_frames, NULL);

    looks++;
    if (f)
        add_and_put(f);
    return __real_packets_next_block(packets);
}

/* The next write, which wakes the thread, comes when it has taken the command by itself. */
static _Atomic bool is_late;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);

ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    static const unsigned char frame[FRAME];
    unsigned long before = looks;

    if (atomic_exchange(&is_late, false)) {
        fake_frame_put(frame, FRAME, false);
        for (unsigned i = 0; i < PATIENCE_MS && looks < before + 2; i++)
            poll(NULL, 0, 1);
    }
    return __real_write(fd, bytes, length);
}

/* Frames that can be read before they are counted. */
static _Atomic unsigned long uncounted;

bool __real_capture_writer_publish(struct capture_writer *writer);
bool __wrap_capture_writer_publish(struct capture_writer *writer);

bool __wrap_capture_writer_publish(struct capture_writer *writer)
{
    const struct frame_reader *reader =
        (const void *)((const char *)writer - offsetof(struct frame_reader, writer));

    uncounted += writer->counts.frames - atomic_load(&reader->frames);
    return __real_capture_writer_publish(writer);
}

static void woken(void *context)
{
    (void)context;
}

static void take(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct fixture *f = context;

    (void)client;
    f->opened = nb_capture_open(&f->capture, reply);
}

static void open_capture(struct fixture *f)
{
    int fds[SHARED_RING_FDS];

    for (unsigned i = 0; i < SHARED_RING_FDS; i++)
        fds[i] = shared_ring_take_fd(&f->readers[0].ring, i);
    f->client = ring_client_open("OPEN_CAPTURE", "\"ring\",\"page\",\"bell\"", fds, SHARED_RING_FDS,
                                 take, f);
    ck_assert_int_eq(f->opened, 0);
}

static void add_readers(struct fixture *f)
{
    for (unsigned i = 0; i <= OTHERS; i++) {
        struct frame_reader *reader = &f->readers[i];

        reader->snaplen = SNAPLEN_MAX;
        ck_assert_int_eq(shared_ring_make(&reader->ring, SIZE), 0);
        source_add(f->source, reader);
    }
    open_capture(f);
}

static void begin_source(struct fixture *f)
{
    struct packets_config config = {
        .latency = 1, .directions = DIRECTION_BOTH, .timestamps = TIMESTAMPS_KERNEL};
    int fd, error;

    memset(f, 0, sizeof *f);
    service_begin(&f->service, "a");
    config.ifindex = netifs_find(f->service.services.netifs, "a")->ifindex;
    fd = packets_open(&config);
    ck_assert_int_ge(fd, 0);
    f->source = source_start(&config, fd, true, woken, NULL, &error);
    ck_assert_ptr_nonnull(f->source);
}

static void begin(struct fixture *f)
{
    begin_source(f);
    add_readers(f);
}

static void end(struct fixture *f)
{
    source_stop(f->source);
    close(source_free(f->source));
    for (unsigned i = 0; i <= OTHERS; i++)
        shared_ring_free(&f->readers[i].ring);
    nb_capture_close(f->capture);
    nb_close(f->client);
    service_end(&f->service);
}

/* The next record that is no status. libcheck's assertions allocate: there is none in here. */
static bool next(struct fixture *f, struct nb_capture_record *record)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        int got;

        nb_capture_release(f->capture);
        got = nb_capture_next(f->capture, record);
        if (got < 0 || (got > 0 && record->kind != NB_CAPTURE_STATUS))
            return got > 0;
        if (got == 0 && nb_capture_wait(f->capture))
            poll(&(struct pollfd){nb_capture_fd(f->capture), POLLIN, 0}, 1, 1);
    }
    return false;
}

/* Each comes whole, and the number of it. */
static bool carry(struct fixture *f, unsigned from, unsigned count)
{
    unsigned char frame[FRAME] = {0};
    bool right = true;

    for (unsigned i = from; right && i < from + count; i++) {
        struct nb_capture_record record;

        memcpy(frame + FRAME - sizeof i, &i, sizeof i);
        right = fake_frame_put(frame, FRAME, false) && next(f, &record) &&
                record.kind == NB_CAPTURE_FRAME && record.length == FRAME && record.sequence == i &&
                memcmp(record.bytes, frame, FRAME) == 0;
    }
    return right;
}

/* What the others got is told after what the first one did. */
static void await_end(struct source *source)
{
    source_stop(source);
    while (!source_has_ended(source))
        poll(NULL, 0, 1);
}

/* --- Tests --------------------------------------------------------------------------------- */

/* By the thread, which has looked for commands and will look for frames. */
static void add_and_put(struct fixture *f)
{
    static const unsigned char frame[FRAME];

    source_add(f->source, &f->readers[0]);
    fake_frame_put(frame, FRAME, false);
}

START_TEST(who_was_added_before_a_frame_has_it)
{
    struct fixture f;

    begin_source(&f);
    f.readers[0].snaplen = SNAPLEN_MAX;
    ck_assert_int_eq(shared_ring_make(&f.readers[0].ring, SIZE), 0);
    atomic_store(&before_frames, &f);
    source_set_up(f.source, false); /* it has a turn */
    for (unsigned i = 0; i < PATIENCE_MS && atomic_load(&f.readers[0].frames) == 0; i++)
        poll(NULL, 0, 1);
    ck_assert_uint_eq(atomic_load(&f.readers[0].frames), 1);
    source_stop(f.source);
    close(source_free(f.source));
    shared_ring_free(&f.readers[0].ring);
    service_end(&f.service);
}
END_TEST

/* A command is there before the thread is woken for it. */
START_TEST(who_is_woken_late_waits_again)
{
    struct fixture f;
    unsigned long before;

    begin_source(&f);
    poll(NULL, 0, 10); /* it waits by then, or the test says nothing */
    atomic_store(&is_late, true);
    source_set_up(f.source, false);
    ck_assert(!atomic_load(&is_late));
    before = looks;
    poll(NULL, 0, 100);
    ck_assert_uint_lt(looks - before, 20);
    await_end(f.source);
    close(source_free(f.source));
    service_end(&f.service);
}
END_TEST

START_TEST(no_frame_costs_an_allocation)
{
    struct fixture f;
    unsigned long before, after;
    bool right;

    begin(&f);
    ck_assert(carry(&f, 0, 1));
    ck_assert_uint_gt(allocations_so_far(), 0);
    before = allocations_so_far();
    right = carry(&f, 1, FRAMES);
    after = allocations_so_far();
    ck_assert(right);
    ck_assert_uint_eq(after, before);
    ck_assert_uint_eq(uncounted, 0);
    end(&f);
}
END_TEST

/* A page of a reader that lies: what cannot be is not believed, what could be harms him alone. */
static void lie(struct frame_reader *reader, uint64_t lie)
{
    struct capture_page *page = shared_ring_memory(&reader->ring).page;

    atomic_store(&page->tail, lie);
    atomic_store(&page->waiting, lie | 1);
}

/* One stalls, one lies in the same way, and one each time in another. */
START_TEST(what_one_reader_does_costs_the_others_nothing)
{
    struct fixture f;

    begin(&f);
    lie(&f.readers[2], UINT64_MAX - 7);
    for (unsigned i = 0; i < FRAMES; i += 10) {
        lie(&f.readers[3], (uint64_t)i * (i % 4 == 0 ? UINT64_C(0x123456789abc) : 8));
        ck_assert(carry(&f, i, 10));
    }
    ck_assert_uint_eq(atomic_load(&f.readers[0].frames), FRAMES);
    ck_assert_uint_eq(atomic_load(&f.readers[0].lost), 0);
    await_end(f.source);
    ck_assert_uint_gt(atomic_load(&f.readers[1].lost), FRAMES / 2);
    ck_assert_uint_eq(atomic_load(&f.readers[1].frames) + atomic_load(&f.readers[1].lost), FRAMES);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, who_was_added_before_a_frame_has_it);
    tcase_add_test(tests, who_is_woken_late_waits_again);
    tcase_add_test(tests, no_frame_costs_an_allocation);
    tcase_add_test(tests, what_one_reader_does_costs_the_others_nothing);
}

int main(void)
{
    return suite_run("capture_path", add_tests);
}
