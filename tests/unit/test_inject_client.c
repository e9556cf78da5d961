/* Frames by nb_inject_*: what is put comes out at the service, what becomes of it comes back, and a
 * reply that is wrong leaves nothing. The service's side is in this process. */
#include "fdpass.h"
#include "netbroker.h"
#include "platform/rings.h"
#include "ring/transmit.h"
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SIZE = 1 << 16, LIMIT = 1518 };

struct fixture {
    char folder[32];
    struct sockaddr_un address;
    int listener, service;
    struct nb_client *client;
    struct nb_inject *inject;
    int opened; /* what nb_inject_open returned */
    struct ring_memory ring, page;
    struct bell bell, room;
    struct transmit_reader reader;
};

static void make_rings(struct fixture *f)
{
    ck_assert_int_eq(ring_memory_make("ring", SIZE, MEMORY_FIXED, &f->ring), 0);
    ck_assert_int_eq(ring_memory_make("page", 0, MEMORY_SHOWN, &f->page), 0);
    ck_assert_int_eq(bell_make(&f->bell), 0);
    ck_assert_int_eq(bell_make(&f->room), 0);
    ck_assert(transmit_reader_init(&f->reader, &(struct transmit_memory){f->ring.page, f->ring.data,
                                                                         SIZE, f->ring.data_offset,
                                                                         LIMIT, f->page.page}));
}

static void connect_client(struct fixture *f)
{
    *f = (struct fixture){.folder = "/tmp/netbroker-XXXXXX", .address.sun_family = AF_UNIX};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->address.sun_path, sizeof f->address.sun_path, "%s/socket", f->folder);
    f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(f->listener, (const struct sockaddr *)&f->address, sizeof f->address), 0);
    ck_assert_int_eq(listen(f->listener, 0), 0);
    ck_assert_int_eq(nb_connect(&f->client, f->address.sun_path), 0);
    f->service = accept(f->listener, NULL, NULL);
    ck_assert_int_ge(f->service, 0);
}

static void take(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct fixture *f = context;

    (void)client;
    f->opened = nb_inject_open(&f->inject, reply);
}

/* Answers a request with these descriptors, by these names. */
static void answer(struct fixture *f, const char *names, const int *fds, size_t count)
{
    struct nb_request *request;
    char text[200];

    snprintf(text, sizeof text, "{\"status\":\"success\",\"message\":\"\",\"fds\":[%s]}\n", names);
    ck_assert_int_eq(nb_request_new(&request, "OPEN_INJECT"), 0);
    ck_assert_int_eq(nb_submit(f->client, request, take, f), 0);
    ck_assert_int_eq(fdpass_send_some(f->service, text, strlen(text), fds, count),
                     (ssize_t)strlen(text));
    ck_assert_int_eq(nb_wait(f->client), 0);
    nb_request_free(request);
}

static void open_fixture(struct fixture *f)
{
    connect_client(f);
    make_rings(f);
    answer(f, "\"ring\",\"page\",\"bell\",\"room\"",
           (int[]){f->ring.fd, f->page.fd, f->bell.ring, f->room.wait}, 4);
    ck_assert_int_eq(f->opened, 0);
}

static void close_fixture(struct fixture *f)
{
    int fds[] = {f->bell.ring, f->bell.wait, f->room.ring, f->room.wait, f->listener, f->service};

    nb_inject_close(f->inject);
    nb_close(f->client);
    ring_memory_free(&f->ring);
    ring_memory_free(&f->page);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    unlink(f->address.sun_path);
    rmdir(f->folder);
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static bool is_rung(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) == 1;
}

/* The next frame, as the service judges it. */
static struct transmit_frame judge(struct fixture *f, enum transmit_refusal_reason reason,
                                   unsigned char *buffer)
{
    struct transmit_frame frame;

    ck_assert_int_eq(transmit_reader_next(&f->reader, buffer, &frame), TRANSMIT_FRAME);
    transmit_reader_judge_timed(&f->reader, &frame, reason, 5000);
    return frame;
}

START_TEST(frames_go_over_with_times_and_tags)
{
    static const unsigned char sent[60] = {1, 2, 3};
    unsigned char buffer[LIMIT];
    struct transmit_frame frame;
    struct fixture f;

    open_fixture(&f);
    ck_assert_uint_eq(nb_inject_length_max(f.inject), LIMIT);
    ck_assert_int_eq(nb_inject_put(f.inject, sent, sizeof sent, 777, 42), 1);
    ck_assert(transmit_reader_turn(&f.reader, 10, SIZE));
    ck_assert_int_eq(transmit_reader_next(&f.reader, buffer, &frame), TRANSMIT_NONE);
    ck_assert_int_eq(nb_inject_publish(f.inject), 0);
    ck_assert(transmit_reader_turn(&f.reader, 10, SIZE));
    frame = judge(&f, TRANSMIT_SENT, buffer);
    ck_assert_uint_eq(frame.length, 60);
    ck_assert_uint_eq(frame.time, 777);
    ck_assert_uint_eq(frame.tag, 42);
    ck_assert_mem_eq(buffer, sent, 60);
    ck_assert_int_eq(nb_inject_put(f.inject, buffer, LIMIT + 1, 0, 0), -EMSGSIZE);
    close_fixture(&f);
}
END_TEST

START_TEST(each_side_rings_where_the_other_waits)
{
    static const unsigned char frame[1000];
    unsigned char buffer[LIMIT];
    struct fixture f;

    open_fixture(&f);
    ck_assert(!nb_inject_wait(f.inject, sizeof frame));
    nb_inject_put(f.inject, frame, sizeof frame, 0, 0);
    ck_assert(transmit_reader_wait(&f.reader));
    ck_assert_int_eq(nb_inject_publish(f.inject), 0);
    ck_assert(is_rung(f.bell.wait));
    while (nb_inject_put(f.inject, frame, sizeof frame, 0, 0) > 0)
        ;
    ck_assert_int_eq(nb_inject_publish(f.inject), 0);
    ck_assert(nb_inject_wait(f.inject, sizeof frame));
    ck_assert(!is_rung(nb_inject_fd(f.inject)));
    ck_assert(transmit_reader_turn(&f.reader, 1, SIZE));
    judge(&f, TRANSMIT_SENT, buffer);
    ck_assert(transmit_reader_release(&f.reader));
    bell_ring(f.room.ring);
    ck_assert(is_rung(nb_inject_fd(f.inject)));
    ck_assert_int_eq(nb_inject_put(f.inject, frame, sizeof frame, 0, 0), 1);
    ck_assert(nb_inject_wait(f.inject, UINT32_MAX)); /* not all was taken */
    close_fixture(&f);
}
END_TEST

START_TEST(what_became_of_frames_is_told)
{
    static const unsigned char frame[60];
    unsigned char buffer[LIMIT];
    struct nb_inject_refusal refusal;
    struct nb_inject_counts counts;
    struct nb_inject_timing timing;
    struct fixture f;

    open_fixture(&f);
    for (unsigned i = 0; i < 3; i++)
        nb_inject_put(f.inject, frame, sizeof frame, i, 10 + i);
    nb_inject_publish(f.inject);
    ck_assert(transmit_reader_turn(&f.reader, 10, SIZE));
    transmit_reader_started(&f.reader, 99);
    judge(&f, TRANSMIT_SENT, buffer);
    judge(&f, TRANSMIT_VLAN, buffer);
    judge(&f, TRANSMIT_SENT, buffer);
    transmit_reader_stalled(&f.reader, 1, 7);
    ck_assert_int_eq(nb_inject_next_refusal(f.inject, &refusal), 0);
    transmit_reader_release(&f.reader);
    ck_assert(!nb_inject_wait(f.inject, UINT32_MAX));
    ck_assert_int_eq(nb_inject_next_refusal(f.inject, &refusal), 1);
    ck_assert_uint_eq(refusal.tag, 11);
    ck_assert_uint_eq(refusal.sequence, 1);
    ck_assert_str_eq(nb_inject_reason_word(refusal.reason), "vlan");
    ck_assert_str_eq(nb_inject_reason_meaning(refusal.reason),
                     transmit_refusal_meaning(TRANSMIT_VLAN));
    ck_assert_int_eq(nb_inject_next_refusal(f.inject, &refusal), 0);
    nb_inject_counts(f.inject, &counts);
    ck_assert_uint_eq(counts.judged, 3);
    ck_assert_uint_eq(counts.sent, 2);
    ck_assert_uint_eq(counts.sent_bytes, 120);
    ck_assert_uint_eq(counts.refused[TRANSMIT_VLAN], 1);
    nb_inject_timing(f.inject, &timing);
    ck_assert_uint_eq(timing.started, 99);
    ck_assert_uint_eq(timing.latest, 5000);
    ck_assert_uint_eq(timing.stalls, 1);
    ck_assert_uint_eq(timing.stalled_ns, 7);
    ck_assert_uint_eq(nb_inject_lateness(&timing, 500000), 5000);
    close_fixture(&f);
}
END_TEST

START_TEST(an_end_is_told_wherever_it_is_seen)
{
    static const unsigned char frame[60];
    struct fixture f;

    open_fixture(&f);
    ck_assert_str_eq(nb_inject_end(f.inject), "");
    transmit_reader_end(&f.reader, RING_END_REVOKED);
    ck_assert_str_eq(nb_inject_end(f.inject), "");
    ck_assert(!nb_inject_wait(f.inject, UINT32_MAX));
    ck_assert_str_eq(nb_inject_end(f.inject), ring_end_meaning(RING_END_REVOKED));
    ck_assert_int_eq(nb_inject_publish(f.inject), -ENODATA);
    ck_assert_int_eq(nb_inject_put(f.inject, frame, sizeof frame, 0, 0), -ENODATA);
    close_fixture(&f);
}
END_TEST

/* The service may be gone when its bell is rung: the process lives on. */
START_TEST(nobody_to_ring_for_is_no_signal)
{
    static const unsigned char frame[60];
    struct fixture f;

    signal(SIGPIPE, SIG_DFL);
    open_fixture(&f);
    ck_assert(transmit_reader_wait(&f.reader));
    close(f.bell.wait);
    close(f.bell.ring);
    f.bell = (struct bell){-1, -1};
    nb_inject_put(f.inject, frame, sizeof frame, 0, 0);
    ck_assert_int_eq(nb_inject_publish(f.inject), 0);
    close_fixture(&f);
}
END_TEST

static void expect_refused(const char *names, const int *fds, size_t count, int expected)
{
    struct fixture f;
    int before;

    connect_client(&f);
    make_rings(&f);
    before = count_descriptors();
    answer(&f, names, fds ? fds : (int[]){f.ring.fd, f.page.fd, f.bell.ring, f.ring.fd}, count);
    ck_assert_int_eq(f.opened, expected);
    ck_assert_ptr_null(f.inject);
    ck_assert_int_eq(count_descriptors(), before);
    close_fixture(&f);
}

/* --- Streams ------------------------------------------------------------------------------- */

/* The next record, as it is; refused, so that it comes back. */
static struct transmit_frame next_record(struct fixture *f, unsigned char *buffer)
{
    struct transmit_frame record;

    nb_inject_publish(f->inject);
    ck_assert(transmit_reader_turn(&f->reader, 10, SIZE));
    ck_assert_int_eq(transmit_reader_next(&f->reader, buffer, &record), TRANSMIT_FRAME);
    transmit_reader_judge(&f->reader, &record, TRANSMIT_TABLE);
    transmit_reader_release(&f->reader);
    return record;
}

static void expect_refusal(struct fixture *f, unsigned record, uint64_t tag)
{
    struct nb_inject_refusal refusal;

    ck_assert_int_eq(nb_inject_next_refusal(f->inject, &refusal), 1);
    ck_assert_uint_eq(refusal.record, record);
    ck_assert_uint_eq(refusal.tag, tag);
    ck_assert_str_eq(nb_inject_reason_word(refusal.reason), "table");
}

START_TEST(records_of_a_stream_go_over)
{
    static const struct nb_inject_segment segment = {7, 8, 9, 10, NB_INJECT_TWICE, 11};
    static const struct stream_play expected = {7, 8, 9, 10, STREAM_TWICE};
    unsigned char buffer[LIMIT];
    struct transmit_frame record;
    struct fixture f;

    open_fixture(&f);
    f.reader.has_records = true;
    ck_assert_int_eq(nb_inject_template(f.inject, "frame", 5, 4800), 1);
    record = next_record(&f, buffer);
    ck_assert(record.record == STREAM_TEMPLATE && record.length == 5 && record.tag == 4800);
    ck_assert_mem_eq(buffer, "frame", 5);
    expect_refusal(&f, NB_INJECT_TEMPLATE, 4800);
    ck_assert_int_eq(nb_inject_samples(f.inject, 3, "aabbcc", 3, 2), 1);
    record = next_record(&f, buffer);
    ck_assert(record.record == STREAM_SAMPLES && record.length == 6 && record.time == 3);
    ck_assert_mem_eq(buffer, "aabbcc", 6);
    expect_refusal(&f, NB_INJECT_SAMPLES, 3);
    ck_assert_int_eq(nb_inject_play(f.inject, &segment), 1);
    record = next_record(&f, buffer);
    ck_assert(record.record == STREAM_PLAY && record.length == sizeof expected);
    ck_assert_mem_eq(buffer, &expected, sizeof expected);
    expect_refusal(&f, NB_INJECT_PLAY, 11);
    ck_assert_int_eq(nb_inject_stop(f.inject, 1234), 1);
    record = next_record(&f, buffer);
    ck_assert(record.record == STREAM_STOP && record.length == 0 && record.time == 1234);
    expect_refusal(&f, NB_INJECT_STOP, 1234);
    ck_assert_int_eq(nb_inject_synch(f.inject, 200), 1);
    record = next_record(&f, buffer);
    ck_assert(record.record == STREAM_SYNCH && record.length == 1 && buffer[0] == 200);
    expect_refusal(&f, NB_INJECT_SYNCH, 200);
    close_fixture(&f);
}
END_TEST

/* In as many records as it takes, each of which fits; all or none. */
START_TEST(many_samples_are_several_records)
{
    enum { COUNT = 800, LENGTH = 64, FIT = LIMIT / LENGTH };
    static unsigned char samples[COUNT * LENGTH];
    unsigned char buffer[LIMIT];
    struct fixture f;

    for (unsigned i = 0; i < sizeof samples; i++)
        samples[i] = (unsigned char)(i / LENGTH);
    open_fixture(&f);
    f.reader.has_records = true;
    ck_assert_int_eq(nb_inject_samples(f.inject, 5, samples, COUNT, LENGTH), 1);
    ck_assert_int_eq(nb_inject_samples(f.inject, 5, samples, COUNT, LENGTH), 0);
    for (unsigned at = 0; at < COUNT; at += FIT) {
        struct transmit_frame record = next_record(&f, buffer);
        unsigned count = COUNT - at < FIT ? COUNT - at : FIT;

        ck_assert_uint_eq(record.time, 5 + at);
        ck_assert_uint_eq(record.length, count * LENGTH);
        ck_assert_mem_eq(buffer, samples + (size_t)at * LENGTH, count * LENGTH);
    }
    ck_assert_int_eq(nb_inject_samples(f.inject, 5, samples, COUNT, LENGTH), 1);
    ck_assert_int_eq(nb_inject_samples(f.inject, 0, samples, 2 * COUNT, LENGTH), -EMSGSIZE);
    ck_assert_int_eq(nb_inject_samples(f.inject, 0, samples, UINT32_MAX, 1 << 20), -EMSGSIZE);
    ck_assert_int_eq(nb_inject_samples(f.inject, 0, samples, 0, LENGTH), -EINVAL);
    ck_assert_int_eq(nb_inject_samples(f.inject, 0, samples, 1, 0), -EINVAL);
    transmit_reader_end(&f.reader, RING_END_REVOKED);
    nb_inject_wait(f.inject, UINT32_MAX);
    ck_assert_int_eq(nb_inject_samples(f.inject, 5, samples, 1, LENGTH), -ENODATA);
    ck_assert_int_eq(nb_inject_stop(f.inject, 0), -ENODATA);
    close_fixture(&f);
}
END_TEST

START_TEST(how_far_a_stream_is_is_told)
{
    static const struct stream_progress progress = {3, 4800, 2, 17};
    static const struct transmit_made made = {.sent = 5,
                                              .sent_bytes = 600,
                                              .refused[TRANSMIT_LATE] = 2,
                                              .late = 1,
                                              .latest = 7000,
                                              .histogram[20] = 5};
    struct nb_inject_counts counts;
    struct nb_inject_timing timing;
    struct fixture f;

    open_fixture(&f);
    transmit_reader_progress(&f.reader, &progress);
    transmit_reader_made(&f.reader, &made);
    transmit_reader_made(&f.reader, &made);
    transmit_reader_release(&f.reader);
    ck_assert_uint_eq(nb_inject_played(f.inject), 3);
    ck_assert_uint_eq(nb_inject_next(f.inject), 4800);
    ck_assert_uint_eq(nb_inject_starved(f.inject), 2);
    ck_assert_uint_eq(nb_inject_dropped(f.inject), 17);
    nb_inject_counts(f.inject, &counts);
    ck_assert(counts.sent == 10 && counts.sent_bytes == 1200 && counts.judged == 14);
    ck_assert_uint_eq(counts.refused[TRANSMIT_LATE], 4);
    nb_inject_timing(f.inject, &timing);
    ck_assert(timing.late == 2 && timing.latest == 7000 && timing.histogram[20] == 10);
    close_fixture(&f);
}
END_TEST

START_TEST(a_wrong_reply_leaves_nothing)
{
    expect_refused("\"ring\",\"page\",\"bell\"", NULL, 3, -ENOENT);
    expect_refused("\"page\",\"ring\",\"bell\",\"room\"", NULL, 4, -EBADMSG);
    expect_refused("\"ring\",\"page\",\"bell\",\"room\"", (int[]){0, 0, 0, 0}, 4, -EBADMSG);
}
END_TEST

START_TEST(nothing_is_no_injection)
{
    struct nb_inject_counts counts = {.sent = 7};

    ck_assert_int_eq(nb_inject_open(NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_inject_put(NULL, "", 1, 0, 0), -EINVAL);
    ck_assert_int_eq(nb_inject_publish(NULL), -EINVAL);
    ck_assert_int_eq(nb_inject_fd(NULL), -EINVAL);
    ck_assert_int_eq(nb_inject_next_refusal(NULL, NULL), -EINVAL);
    ck_assert(!nb_inject_wait(NULL, 0));
    ck_assert_uint_eq(nb_inject_length_max(NULL), 0);
    ck_assert_str_eq(nb_inject_end(NULL), "");
    nb_inject_counts(NULL, &counts);
    nb_inject_timing(NULL, NULL);
    ck_assert_uint_eq(counts.sent, 7);
    ck_assert_uint_eq(nb_inject_lateness(NULL, 0), 0);
    for (unsigned i = 0; i <= NB_INJECT_REASONS; i++) {
        bool is_one = i > 0 && i < TRANSMIT_REASON_COUNT;

        ck_assert(is_one == (nb_inject_reason_word(i)[0] != '\0'));
        ck_assert(is_one == (nb_inject_reason_meaning(i)[0] != '\0'));
    }
    ck_assert_int_eq(nb_inject_template(NULL, "", 1, 1), -EINVAL);
    ck_assert_int_eq(nb_inject_samples(NULL, 0, "", 1, 1), -EINVAL);
    ck_assert_int_eq(nb_inject_play(NULL, NULL), -EINVAL);
    ck_assert_int_eq(nb_inject_stop(NULL, 0), -EINVAL);
    ck_assert_int_eq(nb_inject_synch(NULL, 0), -EINVAL);
    ck_assert_uint_eq(nb_inject_played(NULL) + nb_inject_next(NULL), 0);
    ck_assert_uint_eq(nb_inject_starved(NULL) + nb_inject_dropped(NULL), 0);
    nb_inject_close(NULL);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_go_over_with_times_and_tags);
    tcase_add_test(tests, each_side_rings_where_the_other_waits);
    tcase_add_test(tests, what_became_of_frames_is_told);
    tcase_add_test(tests, an_end_is_told_wherever_it_is_seen);
    tcase_add_test(tests, nobody_to_ring_for_is_no_signal);
    tcase_add_test(tests, records_of_a_stream_go_over);
    tcase_add_test(tests, many_samples_are_several_records);
    tcase_add_test(tests, how_far_a_stream_is_is_told);
    tcase_add_test(tests, a_wrong_reply_leaves_nothing);
    tcase_add_test(tests, nothing_is_no_injection);
}

int main(void)
{
    return suite_run("inject_client", add_tests);
}
