/* A link between socket pairs: frames, their framings, and who does not keep to them. */
#include "link_scene.h"
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static const enum framing streams[] = {FRAMING_U16LE, FRAMING_U16BE, FRAMING_U32BE,
                                       FRAMING_UNFRAMED};
static unsigned char bytes[BYTES], frame[2048], other[2048];

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

/* Writes frame behind its header to text. Returns the bytes of both. */
static size_t put(unsigned char *text, enum framing framing, const unsigned char *what,
                  size_t length)
{
    size_t header = framing_header(framing, (uint32_t)length, text);

    memcpy(text + header, what, length);
    return header + length;
}

/* The next frame of a stream that was read, or of length 0. */
static struct framing_frame next(struct framing_decoder *decoder)
{
    struct framing_frame found;

    if (framing_decoder_next(decoder, &found) == FRAMING_FRAME)
        return found;
    return (struct framing_frame){.length = 0};
}

/* --- Frames -------------------------------------------------------------------------------- */

START_TEST(frames_go_both_ways)
{
    struct link_options options = {.framing = (enum framing)_i};
    struct link_scene scene;
    unsigned char text[256];
    size_t size, n;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_frame(frame, 100, 0, 1, 7);
    size = put(text, options.framing, frame, 100);
    scene_write(scene.clients[0], text, size);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 100);
    ck_assert_mem_eq(bytes, frame, 100);
    scene_frame(frame, 100, 1, 0, 8);
    size = put(text, options.framing, frame, 100);
    for (int i = 0; i < 3; i++) {
        scene_write(scene.tap, frame, 100);
        scene_settle(&scene);
        n = scene_read(scene.clients[0], bytes, sizeof bytes);
        ck_assert_uint_eq(n, size);
        ck_assert_mem_eq(bytes, text, n);
    }
    ck_assert_uint_eq(scene_port(&scene, 1).to.frames, 3);
    ck_assert_uint_eq(scene_port(&scene, 1).from.frames, 1);
    scene_end(&scene);
}
END_TEST

START_TEST(a_header_may_be_split_anywhere)
{
    struct link_options options = {.framing = streams[_i]};
    struct link_scene scene;
    unsigned char text[256];
    size_t size;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_frame(frame, 64, 0, 1, 7);
    scene_frame(other, 70, 0, 1, 9);
    size = put(text, options.framing, frame, 64);
    size += put(text + size, options.framing, other, 70);
    for (size_t at = 0; at <= size; at++) {
        scene_write(scene.clients[0], text, at);
        scene_settle(&scene);
        scene_write(scene.clients[0], text + at, size - at);
        scene_settle(&scene);
        must(scene_read(scene.tap, bytes, sizeof bytes) == 64, "the first frame's length");
        must(memcmp(bytes, frame, 64) == 0, "the first frame");
        must(scene_read(scene.tap, bytes, sizeof bytes) == 70, "the second one's length");
        must(memcmp(bytes, other, 70) == 0, "the second one");
    }
    scene_end(&scene);
}
END_TEST

START_TEST(partial_writes_keep_the_boundaries_of_frames)
{
    struct link_options options = {.framing = streams[_i]};
    struct framing_decoder decoder;
    static unsigned char buffer[1 << 16];
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert(framing_decoder_init(&decoder, streams[_i], SCENE_LIMIT, buffer, sizeof buffer));
    for (size_t cut = 1; cut < 160; cut++) {
        size_t size;

        scene_cut(cut, 40);
        for (unsigned mark = 1; mark <= 3; mark++) {
            scene_frame(frame, 60 + mark, 0xff, 0, mark);
            scene_write(scene.tap, frame, 60 + mark);
        }
        for (unsigned mark = 1; mark <= 3; mark++) {
            struct framing_frame found;

            for (int i = 0; (found = next(&decoder)).length == 0 && i < 200; i++) {
                unsigned char *room;

                uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
                room = framing_decoder_room(&decoder, &size);
                framing_decoder_filled(&decoder, scene_read(scene.clients[0], room, size));
            }
            scene_frame(frame, 60 + mark, 0xff, 0, mark);
            must(found.length == 60 + mark, "its length");
            must(memcmp(found.bytes, frame, found.length) == 0, "its bytes");
        }
        scene_cut(0, 0);
        scene_settle(&scene);
    }
    ck_assert_uint_eq(scene_port(&scene, 1).to.frames, 477 /* 159 * 3 */);
    ck_assert_uint_eq(scene_port(&scene, 1).to.dropped, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(clients_are_joined_by_a_switch)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_options message = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_add(&scene, &message);
    scene_frame(frame, 60, 0xff, 2, 3);
    scene_write(scene.clients[1], frame, 60);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 60);
    ck_assert_uint_eq(scene_read(scene.clients[0], bytes, sizeof bytes), 62);
    scene_frame(frame, 60, 2, 1, 4);
    scene_write(scene.clients[0], bytes, put(bytes, FRAMING_U16LE, frame, 60));
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 0);
    ck_assert_uint_eq(scene_read(scene.clients[1], bytes, sizeof bytes), 60);
    ck_assert_mem_eq(bytes, frame, 60);
    scene_end(&scene);
}
END_TEST

START_TEST(isolated_clients_reach_the_tap_alone)
{
    struct link_options options = {.framing = FRAMING_MESSAGE, .port.isolated = true};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_add(&scene, &options);
    scene_frame(frame, 60, 0xff, 1, 3);
    scene_write(scene.clients[0], frame, 60);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 60);
    ck_assert_uint_eq(scene_read(scene.clients[1], bytes, sizeof bytes), 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_read_of_very_many_frames_is_gone_on_with)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;
    unsigned received = 0;
    size_t size = 0;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_frame(frame, 20, 0, 1, 7);
    for (int i = 0; i < 1000; i++)
        size += put(bytes + size, FRAMING_U16LE, frame, 20);
    scene_write(scene.clients[0], bytes, size);
    for (int i = 0; i < 100; i++) {
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
        while (scene_read(scene.tap, other, sizeof other) == 20)
            received++;
        if (i == 0)
            ck_assert_uint_le(received, 2 * FRAMING_BATCH);
    }
    ck_assert_uint_eq(received, 1000);
    scene_end(&scene);
}
END_TEST

/* --- What is captured ----------------------------------------------------------------------- */

static char captured[64];

static int capture_to(struct link_scene *scene, const char *path)
{
    return link_capture(scene->link, path, 60);
}

START_TEST(frames_are_captured)
{
    struct link_options options = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;
    struct stat status;

    snprintf(captured, sizeof captured, "/tmp/netbroker-link-%d.pcap", (int)getpid());
    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert_int_eq(capture_to(&scene, "/no-such-folder/x"), -ENOENT);
    ck_assert_ptr_nonnull(strstr(link_problem(scene.link), "/no-such-folder/x cannot be written"));
    ck_assert_int_eq(capture_to(&scene, captured), 0);
    ck_assert_int_eq(capture_to(&scene, captured), -EEXIST);
    for (unsigned i = 0; i < 10; i++) {
        scene_frame(frame, 100, 0, 1, i);
        scene_write(scene.clients[0], frame, 100);
    }
    scene_settle(&scene);
    scene_end(&scene);
    ck_assert_int_eq(stat(captured, &status), 0);
    ck_assert_int_eq(status.st_size, 784); /* 24 + 10 * (16 + 60): pcap-savefile(5) */
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    unlink(captured);
}
END_TEST

/* A disk that is full ends the capture, which is told, and not the link. */
START_TEST(a_capture_that_fails_ends_alone)
{
    struct link_options options = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert_int_eq(capture_to(&scene, "/dev/full"), 0);
    while (scene.told.warned == 0)
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
    ck_assert_str_eq(scene.told.why,
                     "the capture ends: /dev/full cannot be written: No space left on device");
    scene_frame(frame, 100, 0, 1, 7);
    scene_write(scene.clients[0], frame, 100);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 100);
    scene_end(&scene);
}
END_TEST

/* A pipe that nobody reads: what there is no room for is counted. */
START_TEST(frames_that_are_not_captured_are_counted)
{
    struct link_options options = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;
    int pair[2];

    ck_assert_int_eq(pipe(pair), 0);
    dup2(pair[1], STDOUT_FILENO);
    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert_int_eq(link_capture(scene.link, "-", 0), 0);
    for (unsigned i = 0; i < 2000; i++) {
        scene_frame(frame, 1000, 0, 1, i);
        scene_write(scene.clients[0], frame, 1000);
        for (int turn = 0; turn < 3; turn++)
            uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
        scene_read(scene.tap, bytes, sizeof bytes);
    }
    ck_assert_uint_eq(scene.told.warned, 0);
    link_stop(scene.link);
    link_free(scene.link);
    ck_assert_uint_eq(scene.told.warned, 1);
    ck_assert_ptr_nonnull(strstr(scene.told.why, "frames were not captured"));
}
END_TEST

/* --- What is no frame ---------------------------------------------------------------------- */

static const struct {
    size_t length;
    enum framing_fate fate;
} bad_lengths[] = {
    {0, FRAMING_ZERO},
    {13, FRAMING_UNDERSIZE},
    {SCENE_LIMIT + 1, FRAMING_OVERSIZE},
    {60000, FRAMING_OVERSIZE},
};

START_TEST(what_is_no_frame_is_skipped_and_counted)
{
    struct link_options options = {.framing = _i % 2 ? FRAMING_MESSAGE : FRAMING_U16LE};
    size_t length = bad_lengths[_i / 2].length;
    struct link_scene scene;
    struct link_port port;

    scene_begin(&scene);
    scene_add(&scene, &options);
    memset(bytes, 7, length + 2);
    framing_header(options.framing, (uint32_t)length, bytes);
    ck_assert_int_ge(
        send(scene.clients[0], bytes, length + framing_row(options.framing)->header, 0), 0);
    scene_frame(frame, 60, 0, 1, 7);
    scene_write(scene.clients[0], bytes, put(bytes, options.framing, frame, 60));
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 60);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 0);
    port = scene_port(&scene, 1);
    ck_assert_uint_eq(scene.told.refused, 1);
    ck_assert_int_eq(scene.told.fate, bad_lengths[_i / 2].fate);
    ck_assert_uint_eq(port.from.zero + port.from.undersize + port.from.oversize, 1);
    scene_end(&scene);
}
END_TEST

START_TEST(what_is_too_long_for_the_link_is_not_sent)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    memset(bytes, 2, SCENE_LIMIT + 10);
    scene_frame(bytes, SCENE_LIMIT + 1, 0xff, 0, 2);
    scene_write(scene.tap, bytes, SCENE_LIMIT + 1);
    scene_frame(bytes, SCENE_LIMIT, 0xff, 0, 2);
    scene_write(scene.tap, bytes, SCENE_LIMIT);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.clients[0], bytes, sizeof bytes), SCENE_LIMIT + 2);
    ck_assert_uint_eq(scene_port(&scene, 0).from.oversize, 1);
    scene_end(&scene);
}
END_TEST

/* --- Ends ---------------------------------------------------------------------------------- */

START_TEST(a_broken_header_ends_that_client_alone)
{
    struct link_options options = {.framing = FRAMING_U32BE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_add(&scene, &options);
    scene_write(scene.clients[0], "\xff\xff\xff\xffjunk", 8);
    scene_settle(&scene);
    ck_assert_uint_eq(scene.told.detached, 1);
    ck_assert_ptr_nonnull(
        strstr(scene.told.why, "not u32be: no peer sends frames of such a length"));
    ck_assert_int_eq(recv(scene.clients[0], bytes, 1, MSG_DONTWAIT), 0);
    scene_frame(frame, 60, 0, 2, 7);
    scene_write(scene.clients[1], bytes, put(bytes, FRAMING_U32BE, frame, 60));
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 60);
    scene_end(&scene);
}
END_TEST

START_TEST(who_leaves_may_leave_within_a_frame)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct framing_counts from, to;
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    scene_add(&scene, &options);
    scene_frame(frame, 60, 0, 1, 7);
    scene_write(scene.clients[0], bytes, put(bytes, FRAMING_U16LE, frame, 60));
    scene_write(scene.clients[0], "\x3c\x00half", 6);
    shutdown(scene.clients[0], SHUT_WR);
    scene_settle(&scene);
    ck_assert_uint_eq(scene.told.detached, 1);
    ck_assert_str_eq(scene.told.why, "it closed the connection within a frame");
    link_totals(scene.link, &from, &to);
    ck_assert_uint_eq(from.frames, 1);
    ck_assert_uint_eq(scene_add(&scene, &options), 2);
    ck_assert_uint_eq(scene_port(&scene, 1).from.frames, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_message_of_no_bytes_is_no_end)
{
    struct link_options options = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert_int_eq(send(scene.clients[0], "", 0, 0), 0);
    scene_settle(&scene);
    ck_assert_uint_eq(scene.told.detached, 0);
    ck_assert_uint_eq(scene_port(&scene, 1).from.zero, 1);
    close(scene.clients[0]);
    scene_settle(&scene);
    ck_assert_uint_eq(scene.told.detached, 1);
    scene.clients[0] = dup(scene.tap);
    scene_end(&scene);
}
END_TEST

START_TEST(the_link_ends_when_nobody_can_come)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    shutdown(scene.clients[0], SHUT_RDWR);
    ck_assert_int_eq(link_run(scene.link), 0);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_are_captured);
    tcase_add_test(tests, a_capture_that_fails_ends_alone);
    tcase_add_test(tests, frames_that_are_not_captured_are_counted);
    tcase_add_loop_test(tests, frames_go_both_ways, 0, FRAMING_COUNT);
    tcase_add_loop_test(tests, a_header_may_be_split_anywhere, 0, 4);
    tcase_add_loop_test(tests, partial_writes_keep_the_boundaries_of_frames, 0, 4);
    tcase_add_test(tests, clients_are_joined_by_a_switch);
    tcase_add_test(tests, isolated_clients_reach_the_tap_alone);
    tcase_add_test(tests, a_read_of_very_many_frames_is_gone_on_with);
    tcase_add_loop_test(tests, what_is_no_frame_is_skipped_and_counted, 0, 8);
    tcase_add_test(tests, what_is_too_long_for_the_link_is_not_sent);
    tcase_add_test(tests, a_broken_header_ends_that_client_alone);
    tcase_add_test(tests, who_leaves_may_leave_within_a_frame);
    tcase_add_test(tests, a_message_of_no_bytes_is_no_end);
    tcase_add_test(tests, the_link_ends_when_nobody_can_come);
}

int main(void)
{
    return suite_run("link", add_tests);
}
