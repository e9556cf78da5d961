/* A client that does not read loses its own frames, and nobody else notices. */
#include "link_scene.h"
#include "suite.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES = 4000, LENGTH = 1000 };

static unsigned char frame[2048], bytes[1 << 20];

/* Frames of the tap to all, while all clients but the first one read. Returns the bytes that the
 * others got, which must be the same. */
static uint64_t broadcast(struct link_scene *scene, unsigned count)
{
    uint64_t got[SCENE_CLIENTS] = {0};

    for (unsigned i = 0; i < count; i++) {
        scene_frame(frame, LENGTH, 0xff, 0, i);
        scene_write(scene->tap, frame, LENGTH);
        if (i % 16)
            continue;
        for (int turn = 0; turn < 3; turn++)
            uv_run(link_loop(scene->link), UV_RUN_NOWAIT);
        for (unsigned client = 1; client < scene->client_count; client++)
            got[client] += scene_read(scene->clients[client], bytes, sizeof bytes);
    }
    scene_settle(scene);
    for (unsigned client = 1; client < scene->client_count; client++) {
        got[client] += scene_read(scene->clients[client], bytes, sizeof bytes);
        ck_assert_uint_eq(got[client], got[1]);
    }
    return got[1];
}

START_TEST(others_lose_nothing)
{
    struct link_options options = {.framing = _i ? FRAMING_U32BE : FRAMING_U16LE};
    size_t header = framing_row(options.framing)->header;
    struct link_scene scene;
    struct link_port stalled;

    scene_begin(&scene);
    for (unsigned i = 0; i < SCENE_CLIENTS; i++)
        scene_add(&scene, &options);
    ck_assert_uint_eq(broadcast(&scene, FRAMES), FRAMES * (LENGTH + header));
    stalled = scene_port(&scene, 1);
    ck_assert_uint_gt(stalled.to.dropped, 0);
    ck_assert_uint_gt(stalled.to.frames, 0);
    ck_assert_uint_le(stalled.to.dropped + stalled.to.frames, FRAMES);
    ck_assert_uint_ge(stalled.to.dropped + stalled.to.frames + FRAMING_BATCH, FRAMES);
    ck_assert_uint_le(stalled.pending, FRAMING_BATCH * (LENGTH + header));
    for (unsigned number = 2; number <= SCENE_CLIENTS; number++)
        ck_assert_uint_eq(scene_port(&scene, number).to.dropped, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(it_may_go_on_behind_a_whole_frame)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    static unsigned char buffer[1 << 16];
    struct framing_decoder decoder;
    struct framing_frame found;
    enum framing_next what;
    struct link_scene scene;
    uint64_t frames = 0;

    scene_begin(&scene);
    for (unsigned i = 0; i < 2; i++)
        scene_add(&scene, &options);
    broadcast(&scene, FRAMES);
    ck_assert(framing_decoder_init(&decoder, FRAMING_U16LE, SCENE_LIMIT, buffer, sizeof buffer));
    for (size_t size, n;; framing_decoder_filled(&decoder, n)) {
        unsigned char *room;

        while ((what = framing_decoder_next(&decoder, &found)) == FRAMING_FRAME)
            frames += found.length == LENGTH;
        ck_assert_int_eq(what, FRAMING_MORE);
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
        room = framing_decoder_room(&decoder, &size);
        n = scene_read(scene.clients[0], room, size);
        if (n == 0)
            break;
    }
    ck_assert(!framing_decoder_is_within(&decoder));
    ck_assert_uint_eq(frames, scene_port(&scene, 1).to.frames);
    ck_assert_uint_eq(frames + scene_port(&scene, 1).to.dropped, FRAMES);
    scene_end(&scene);
}
END_TEST

/* As many frames as the link took from the tap, until it takes no more, or FRAMES. */
static unsigned fill(struct link_scene *scene)
{
    unsigned sent = 0;

    scene_frame(frame, LENGTH, 0xff, 0, 1);
    for (int idle = 0; idle < 20; idle++) {
        while (sent < FRAMES && send(scene->tap, frame, LENGTH, MSG_DONTWAIT) > 0) {
            sent++;
            idle = 0;
        }
        uv_run(link_loop(scene->link), UV_RUN_NOWAIT);
    }
    return sent;
}

START_TEST(the_tap_waits_while_nobody_can_take_anything)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    ck_assert_uint_gt(fill(&scene), 100);
    ck_assert_uint_eq(scene_port(&scene, 1).to.dropped, 0);
    while (scene_read(scene.clients[0], bytes, sizeof bytes) > 0)
        continue;
    ck_assert_uint_gt(fill(&scene), 10);
    ck_assert_uint_eq(scene_port(&scene, 1).to.dropped, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(the_tap_does_not_wait_for_ever)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    fill(&scene);
    scene_pass(200);
    for (int i = 0; i < 1000 && send(scene.tap, frame, LENGTH, MSG_DONTWAIT) < 0; i++) {
        usleep(1000); /* for its timer */
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(fill(&scene), FRAMES);
    ck_assert_uint_gt(scene_port(&scene, 1).to.dropped, 0);
    scene_end(&scene);
}
END_TEST

/* One that is there to take something ends its waiting. */
START_TEST(the_tap_does_not_wait_for_one_of_several)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_scene scene;

    scene_begin(&scene);
    scene_add(&scene, &options);
    fill(&scene);
    scene_add(&scene, &options);
    scene_settle(&scene);
    broadcast(&scene, 1000);
    ck_assert_uint_gt(scene_port(&scene, 1).to.dropped, 0);
    ck_assert_uint_eq(scene_port(&scene, 2).to.dropped, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(no_frame_costs_an_allocation)
{
    struct link_options stream = {.framing = FRAMING_U16LE}, message = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;
    unsigned long before;

    scene_begin(&scene);
    scene_add(&scene, &stream);
    scene_add(&scene, &stream);
    scene_add(&scene, &message);
    ck_assert_uint_gt(scene_allocations(), 0);
    before = scene_allocations();
    for (unsigned i = 0; i < 1000; i++) {
        scene_frame(frame, 60, 0xff, 0, i);
        scene_write(scene.tap, frame, 60);
        scene_frame(frame, 60, 0, 3, i);
        scene_write(scene.clients[2], frame, 60);
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
        scene_read(scene.clients[1], bytes, sizeof bytes);
        scene_read(scene.clients[2], bytes, sizeof bytes);
        scene_read(scene.tap, bytes, sizeof bytes);
    }
    ck_assert_uint_eq(scene_allocations(), before);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, others_lose_nothing, 0, 2);
    tcase_add_test(tests, it_may_go_on_behind_a_whole_frame);
    tcase_add_test(tests, the_tap_waits_while_nobody_can_take_anything);
    tcase_add_test(tests, the_tap_does_not_wait_for_ever);
    tcase_add_test(tests, the_tap_does_not_wait_for_one_of_several);
    tcase_add_test(tests, no_frame_costs_an_allocation);
}

int main(void)
{
    return suite_run("link_stalled", add_tests);
}
