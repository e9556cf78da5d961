/* A link with offload: each frame is behind its header, which is judged and not passed over to the
 * switch, the counters and captures. */
#include "framing/offload.h"
#include "link_scene.h"
#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENGTH = OFFLOAD_HEADER + 60, SUPER = OFFLOAD_HEADER + 60000, BYTES = 1 << 20 };

static unsigned char frame[OFFLOAD_LIMIT + 1], bytes[BYTES];

static const struct link_options stream = {.framing = FRAMING_U32BE},
                                 message = {.framing = FRAMING_MESSAGE};

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

/* A frame of TCP over IPv4 behind its header; one above the MTU is to be cut. */
static void make(size_t length, unsigned to, unsigned from)
{
    static const unsigned char segments[] = {1, 1, 54, 0, 0xa0, 5, 34, 0, 16, 0, 0, 0};
    unsigned char *ethernet = frame + OFFLOAD_HEADER;

    memset(frame, 0, OFFLOAD_HEADER);
    if (length > OFFLOAD_HEADER + SCENE_LIMIT)
        memcpy(frame, segments, sizeof segments);
    scene_frame(ethernet, length - OFFLOAD_HEADER, to, from, 7);
    ethernet[14 + 9] = 6;
    ethernet[34 + 12] = 0x50;
}

static void put_length(unsigned char *text, size_t length)
{
    framing_header(FRAMING_U32BE, (uint32_t)length, text);
}

static void send_stream(int fd, size_t length)
{
    unsigned char header[FRAMING_HEADER_MAX];

    put_length(header, length);
    scene_write(fd, header, sizeof header);
    scene_write(fd, frame, length);
}

/* --- Frames -------------------------------------------------------------------------------- */

/* 1,448 bytes of TCP in each segment, from station 1 to the host, and the other way. */
static const unsigned char golden[] = {
    0,    0, 0,  72,                                       /* the framing's length */
    1,    1, 54, 0,  0xa8, 5, 34, 0, 16, 0, 0, 0,          /* the offload header */
    2,    0, 0,  0,  0,    0, 2,  0, 0,  0, 0, 1, 8,    0, /* Ethernet */
    0x45, 0, 0,  46, 7,    7, 7,  7, 7,  6, 7, 7, 7,    7, 7, 7, 7, 7, 7, 7, /* IPv4 */
    7,    7, 7,  7,  7,    7, 7,  7, 7,  7, 7, 7, 0x50, 7, 7, 7, 7, 7, 7, 7, /* TCP */
    7,    7, 7,  7,  7,    7,                                                /* padding */
};
_Static_assert(sizeof golden == FRAMING_HEADER_MAX + LENGTH, "one frame");

START_TEST(a_header_may_be_split_anywhere)
{
    struct link_scene scene;
    unsigned char text[2 * sizeof golden];

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    memcpy(text, golden, sizeof golden);
    memcpy(text + sizeof golden, golden, sizeof golden);
    for (size_t at = 0; at <= sizeof text; at++) {
        scene_write(scene.clients[0], text, at);
        scene_settle(&scene);
        scene_write(scene.clients[0], text + at, sizeof text - at);
        scene_settle(&scene);
        for (int i = 0; i < 2; i++) {
            must(scene_read(scene.tap, bytes, sizeof bytes) == LENGTH, "its length");
            must(memcmp(bytes, golden + FRAMING_HEADER_MAX, LENGTH) == 0, "its bytes");
        }
    }
    ck_assert_uint_eq(scene_port(&scene, 1).from.frames, 2 * (sizeof text + 1));
    ck_assert_uint_eq(scene_port(&scene, 1).from.bytes, (sizeof text + 1) * 2 * 60);
    scene_end(&scene);
}
END_TEST

/* The tap of Linux leaves the last two bytes of the header as they are. */
START_TEST(what_is_sent_has_these_bytes)
{
    struct link_scene scene;

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    scene_add(&scene, &message);
    memcpy(frame, golden + FRAMING_HEADER_MAX, LENGTH);
    frame[10] = frame[11] = 0xa5;
    for (size_t cut = 1; cut <= sizeof golden; cut++) {
        size_t got = 0;

        scene_cut(cut, 20);
        scene_write(scene.tap, frame, LENGTH);
        for (int i = 0; i < 400 && got < sizeof golden; i++) {
            uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
            got += scene_read(scene.clients[0], bytes + got, sizeof golden - got);
        }
        must(got == sizeof golden && memcmp(bytes, golden, got) == 0, "the stream");
        scene_cut(0, 0);
        scene_settle(&scene);
        if (cut < LENGTH)
            while (scene_read(scene.clients[1], bytes, sizeof bytes) > 0)
                continue; /* a message was cut into none */
    }
    scene_write(scene.tap, frame, LENGTH);
    scene_settle(&scene);
    must(scene_read(scene.clients[1], bytes, sizeof bytes) == LENGTH, "the message's length");
    must(memcmp(bytes, golden + FRAMING_HEADER_MAX, LENGTH) == 0, "the message");
    scene_end(&scene);
}
END_TEST

START_TEST(super_frames_pass)
{
    static const size_t lengths[] = {LENGTH, OFFLOAD_HEADER + SCENE_LIMIT, SUPER, OFFLOAD_LIMIT};
    size_t length = lengths[_i];
    struct link_scene scene;

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    scene_add(&scene, &message);
    make(length, 0xff, 2);
    scene_write(scene.clients[1], frame, length);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), length);
    ck_assert_mem_eq(bytes, frame, length);
    ck_assert_uint_eq(scene_read(scene.clients[0], bytes, sizeof bytes), length + 4);
    ck_assert_mem_eq(bytes + 4, frame, length);
    make(length, 2, 1);
    send_stream(scene.clients[0], length);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 0);
    ck_assert_uint_eq(scene_read(scene.clients[1], bytes, sizeof bytes), length);
    ck_assert_mem_eq(bytes, frame, length);
    ck_assert_uint_eq(scene_port(&scene, 2).to.bytes, length - OFFLOAD_HEADER);
    ck_assert_uint_eq(scene_port(&scene, 1).flow.rx_bytes, length - OFFLOAD_HEADER);
    scene_end(&scene);
}
END_TEST

START_TEST(totals_have_no_headers)
{
    struct framing_counts from, to;
    struct link_scene scene;

    scene_begin_offload(&scene);
    for (int i = 0; i < 2; i++) {
        scene_add(&scene, &stream);
        make(LENGTH, 0xff, 1);
        send_stream(scene.clients[i], LENGTH);
        scene_settle(&scene);
    }
    shutdown(scene.clients[0], SHUT_WR);
    scene_settle(&scene);
    link_totals(scene.link, &from, &to);
    ck_assert_uint_eq(from.frames, 2);
    ck_assert_uint_eq(from.bytes, 120);
    ck_assert_uint_eq(to.bytes, 60);
    scene_end(&scene);
}
END_TEST

/* --- What is not passed on ----------------------------------------------------------------- */

static const struct {
    size_t length;
    unsigned char header[8];
    enum framing_fate fate;
} refused[] = {
    {LENGTH, {1, 0, 0, 0, 0, 0, 6, 0}, FRAMING_INVALID},
    {LENGTH, {0, 0, 0xff, 0xff}, FRAMING_INVALID},
    {SUPER, {1, 1, 54, 0, 0, 0, 34, 0}, FRAMING_INVALID},
    {SUPER, {0}, FRAMING_OVERSIZE},
    {OFFLOAD_LIMIT + 1, {0}, FRAMING_OVERSIZE},
    {OFFLOAD_HEADER + FRAME_LEAST - 1, {0}, FRAMING_UNDERSIZE},
    {OFFLOAD_HEADER, {0}, FRAMING_UNDERSIZE},
    {FRAME_LEAST - 1, {0}, FRAMING_UNDERSIZE},
    {0, {0}, FRAMING_ZERO},
};

enum { REFUSED = sizeof refused / sizeof *refused };

static uint64_t counted(const struct framing_counts *counts, enum framing_fate fate)
{
    return fate == FRAMING_INVALID     ? counts->invalid
           : fate == FRAMING_OVERSIZE  ? counts->oversize
           : fate == FRAMING_UNDERSIZE ? counts->undersize
                                       : counts->zero;
}

START_TEST(a_wrong_one_costs_its_sender_alone)
{
    bool is_stream = _i % 2;
    size_t length = refused[_i / 2].length;
    struct link_scene scene;
    struct link_port port;

    scene_begin_offload(&scene);
    scene_add(&scene, is_stream ? &stream : &message);
    scene_add(&scene, &message);
    for (int i = 0; i < 3; i++) {
        make(length < LENGTH ? LENGTH : length, 0xff, 1);
        memcpy(frame, refused[_i / 2].header, sizeof refused->header);
        if (is_stream)
            send_stream(scene.clients[0], length);
        else
            scene_write(scene.clients[0], frame, length);
    }
    make(LENGTH, 0xff, 1);
    if (is_stream)
        send_stream(scene.clients[0], LENGTH);
    else
        scene_write(scene.clients[0], frame, LENGTH);
    scene_settle(&scene);
    for (int i = 0; i < 2; i++) {
        int end = i ? scene.tap : scene.clients[1];

        ck_assert_uint_eq(scene_read(end, bytes, sizeof bytes), LENGTH);
        ck_assert_uint_eq(scene_read(end, bytes, sizeof bytes), 0);
    }
    port = scene_port(&scene, 1);
    ck_assert_uint_eq(counted(&port.from, refused[_i / 2].fate), 3);
    ck_assert_uint_eq(port.from.frames, 1);
    ck_assert_uint_eq(port.from.bytes, 60);
    ck_assert_uint_eq(scene.told.refused, 3);
    ck_assert_int_eq(scene.told.fate, refused[_i / 2].fate);
    ck_assert_uint_eq(scene.told.warned, refused[_i / 2].fate == FRAMING_INVALID);
    ck_assert_uint_eq(scene.told.detached, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_client_without_offload_is_told_of)
{
    struct link_scene scene;

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    scene_frame(frame, 100, 0xff, 1, 7);
    send_stream(scene.clients[0], 100);
    scene_settle(&scene);
    ck_assert_uint_eq(scene_read(scene.tap, bytes, sizeof bytes), 0);
    ck_assert_ptr_nonnull(strstr(scene.told.why, "the other end has no offload"));
    scene_end(&scene);
}
END_TEST

/* --- Framings ------------------------------------------------------------------------------ */

START_TEST(framings_that_cannot_carry_it_are_refused)
{
    static const enum framing wrong[] = {FRAMING_U16LE, FRAMING_U16BE, FRAMING_UNFRAMED};
    struct link_options options = {.framing = wrong[_i]};
    struct link_scene scene;
    int pair[2];

    scene_begin_offload(&scene);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(link_adopt(scene.link, pair[0], NULL, &options), -EINVAL);
    ck_assert_ptr_nonnull(strstr(link_problem(scene.link), "cannot carry offload"));
    close(pair[1]);
    ck_assert_int_eq(link_listen(scene.link, "/nowhere/s", &options), -EINVAL);
    ck_assert_ptr_nonnull(strstr(link_problem(scene.link), "'u32be' and 'message' can"));
    ck_assert_int_eq(link_connect(scene.link, "/nowhere/s", &options), -EINVAL);
    ck_assert_ptr_nonnull(strstr(link_problem(scene.link), "cannot carry offload"));
    scene_end(&scene);
}
END_TEST

/* --- Costs --------------------------------------------------------------------------------- */

START_TEST(captures_are_of_ethernet)
{
    char path[] = "/tmp/netbroker-link-XXXXXX";
    struct link_scene scene;
    int fd = mkstemp(path);

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    ck_assert_int_eq(link_capture(scene.link, path, 0), 0);
    make(SUPER, 0xff, 1);
    send_stream(scene.clients[0], SUPER);
    scene_settle(&scene);
    scene_end(&scene);
    ck_assert_int_eq(read(fd, bytes, sizeof bytes), 24 + 16 + 60000);
    ck_assert_mem_eq(bytes + 40, frame + OFFLOAD_HEADER, 60000);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(who_does_not_read_loses_its_own)
{
    struct link_scene scene;

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    scene_add(&scene, &stream);
    make(SUPER, 0xff, 0);
    for (int i = 0; i < 200; i++) {
        scene_write(scene.tap, frame, SUPER);
        scene_settle(&scene);
        must(scene_read(scene.clients[1], bytes, sizeof bytes) == SUPER + 4, "it has each");
    }
    ck_assert_uint_gt(scene_port(&scene, 1).to.dropped, 100);
    ck_assert_uint_eq(scene_port(&scene, 2).to.dropped, 0);
    ck_assert_uint_eq(scene_port(&scene, 2).to.frames, 200);
    scene_end(&scene);
}
END_TEST

START_TEST(no_frame_costs_an_allocation)
{
    struct link_scene scene;
    unsigned long before;

    scene_begin_offload(&scene);
    scene_add(&scene, &stream);
    scene_add(&scene, &message);
    before = scene_allocations();
    for (unsigned i = 0; i < 200; i++) {
        make(i % 2 ? LENGTH : SUPER, 0xff, 2);
        frame[0] = i % 4 ? frame[0] : 0xff;
        scene_write(scene.clients[1], frame, i % 2 ? LENGTH : SUPER);
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
        scene_read(scene.clients[0], bytes, sizeof bytes);
        scene_read(scene.tap, bytes, sizeof bytes);
    }
    ck_assert_uint_eq(scene_allocations(), before);
    ck_assert_uint_eq(scene_port(&scene, 2).from.invalid, 50);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_header_may_be_split_anywhere);
    tcase_add_test(tests, what_is_sent_has_these_bytes);
    tcase_add_loop_test(tests, super_frames_pass, 0, 4);
    tcase_add_test(tests, totals_have_no_headers);
    tcase_add_loop_test(tests, a_wrong_one_costs_its_sender_alone, 0, 2 * REFUSED);
    tcase_add_test(tests, a_client_without_offload_is_told_of);
    tcase_add_loop_test(tests, framings_that_cannot_carry_it_are_refused, 0, 3);
    tcase_add_test(tests, captures_are_of_ethernet);
    tcase_add_test(tests, who_does_not_read_loses_its_own);
    tcase_add_test(tests, no_frame_costs_an_allocation);
}

int main(void)
{
    return suite_run("link_offload", add_tests);
}
