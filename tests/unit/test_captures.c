/* Captures as clients see them: what the policy and the settings let a user read comes into his
 * ring, and lease, ring and memory begin and end together. */
#include "broker/wire/session_internal.h"
#include "client.h"
#include "fdpass.h"
#include "lists.h"
#include "log.h"
#include "resources/capture/kind.h"
#include "ring/capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, FIRST, SECOND, OTHER }; /* clients: Alice has two */
enum { ALICE = LISTS_ALICE, BOB = LISTS_BOB };
enum { PAGE = 4096, SIZE = CAPTURE_BYTES_LEAST, PATIENCE_MS = 5000 };

#define OPEN(payload) "{\"action\":\"OPEN_CAPTURE\",\"payload\":{\"interface\":" payload "}}"
#define SMALL         ",\"buffer\":262144"
#define SHOW          "{\"action\":\"SHOW_CAPTURE\"}"

static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void begin(struct service *s)
{
    log_set_level(LOG_CRIT);
    service_begin(s, "a b c");
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, FIRST, ALICE);
    client_connect_as(s, SECOND, ALICE);
    client_connect_as(s, OTHER, BOB);
    ck_assert(interface_set_parse("a, b", &s->keeper.config.capture_interfaces));
}

static void end(struct service *s)
{
    service_settle(s);
    closer_stop(s->services.closer, NULL);
    s->services.closer = NULL;
    ck_assert(LIST_EMPTY(&s->services.pendings));
    service_end(s);
}

static struct captures *captures_in(struct service *s)
{
    return &((struct captures_kind *)kind_self(&s->services.kinds, &capture_ops))->captures;
}

static void pause_ms(struct service *s)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    service_settle(s);
}

/* Threads give back what they have in their own time, and nobody waits long for readers. */
static void assert_nothing(struct service *s)
{
    struct captures *captures = captures_in(s);

    for (int i = 1;
         i < PATIENCE_MS && !(TAILQ_EMPTY(&captures->order) && TAILQ_EMPTY(&captures->sources));
         i++) {
        pause_ms(s);
        if (i % 50 == 0)
            captures_tick(captures);
    }
    ck_assert(TAILQ_EMPTY(&captures->order));
    ck_assert(TAILQ_EMPTY(&captures->sources));
    ck_assert_uint_eq(captures->pool.used, 0);
}

/* --- A reader ------------------------------------------------------------------------------ */

struct view {
    struct capture_reader reader;
    char *control, *data, *page;
    int bell;
};

static void *map(int fd, int protection, size_t size, off_t offset, void *at)
{
    void *place = mmap(at, size, protection, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset);

    ck_assert_ptr_ne(place, MAP_FAILED);
    return place;
}

/* Takes the reply, with its descriptors; a thread makes the ring before. */
static struct view take_view(struct service *s, int n)
{
    struct fdpass_list list = {0};
    struct view view;
    char text[4096];
    ssize_t length;
    int patience = PATIENCE_MS;

    service_settle(s);
    do
        length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    while (length == -EAGAIN && (pause_ms(s), patience-- > 0));
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 3, "%zu descriptors with %s", list.count, text);
    for (int i = 0; i < PATIENCE_MS && s->services.users.sent.used > 0; i++)
        pause_ms(s);
    view.control = map(list.fds[0], PROT_READ, PAGE, 0, NULL);
    view.data = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map(list.fds[0], PROT_READ, SIZE, PAGE, view.data);
    map(list.fds[0], PROT_READ, SIZE, PAGE, view.data + SIZE);
    view.page = map(list.fds[1], PROT_READ | PROT_WRITE, PAGE, 0, NULL);
    view.bell = list.fds[2];
    close(list.fds[0]);
    close(list.fds[1]);
    ck_assert(capture_reader_init(&view.reader, (void *)view.control, (void *)view.data, SIZE,
                                  (void *)view.page));
    return view;
}

static struct view open_view(struct service *s, int n, const char *request)
{
    client_say(s, n, request);
    return take_view(s, n);
}

static void close_view(struct view *view)
{
    munmap(view->control, PAGE);
    munmap(view->data, 2 * SIZE);
    munmap(view->page, PAGE);
    close(view->bell);
}

/* The next frame, or the end (NULL). */
static const unsigned char *next_frame(struct service *s, struct view *view, uint32_t *ret_length)
{
    struct capture_record record;

    for (int i = 0; i < PATIENCE_MS; i++) {
        switch (capture_reader_next(&view->reader, &record)) {
        case CAPTURE_RECORD:
            if (record.header.kind != CAPTURE_FRAME)
                break;
            *ret_length = record.header.length;
            return record.payload;
        case CAPTURE_NONE:
            pause_ms(s);
            break;
        default:
            return NULL;
        }
    }
    ck_abort_msg("no frame and no end");
    return NULL;
}

/* Behind the addresses of a frame of 64 bytes: its EtherType, perhaps tags; the last byte says
 * which one it is. */
static void put(const char *types, size_t size, unsigned char which, bool outgoing)
{
    unsigned char frame[64] = {0xff};

    memcpy(frame + 12, types, size);
    frame[63] = which;
    ck_assert(fake_frame_put(frame, sizeof frame, outgoing));
}

#define PUT(types, which, outgoing) put(types, sizeof(types) - 1, which, outgoing)

static void expect_frame(struct service *s, struct view *view, unsigned char which)
{
    uint32_t length;
    const unsigned char *frame = next_frame(s, view, &length);

    ck_assert_ptr_nonnull(frame);
    ck_assert_uint_eq(length, 64);
    ck_assert_uint_eq(frame[63], which);
}

/* --- Tests --------------------------------------------------------------------------------- */

START_TEST(a_reader_gets_what_was_granted)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_view(&s, FIRST,
                     OPEN("\"a\",\"ethertypes\":[\"arp\",\"0x88ba\"],\"direction\":\"in\"" SMALL));
    ck_assert_uint_eq(fake_packets()->directions, DIRECTION_IN);
    ck_assert_uint_eq(fake_packets()->ethertypes.count, 2);
    PUT("\x88\xba", 1, false);
    PUT("\x08\x00", 2, false); /* of another one: as if the kernel's filter had let it through */
    PUT("\x88\xba", 3, true);  /* the other way */
    PUT("\x81\x00\x00\x64\x88\xba", 4, false);
    PUT("\x88\xa8\x00\x01\x81\x00\x00\x02\x08\x06", 5, false);
    PUT("\x81\x00\x00\x01\x81\x00\x00\x02\x81\x00\x00\x03\x88\xba", 6, false);
    PUT("\x81\x00\x00\x64\x08\x00", 7, false);
    PUT("\x08\x06", 8, false);
    expect_frame(&s, &view, 1);
    expect_frame(&s, &view, 4);
    expect_frame(&s, &view, 5);
    expect_frame(&s, &view, 8);
    client_close(&s, FIRST);
    assert_nothing(&s);
    close_view(&view);
    end(&s);
}
END_TEST

/* One source serves both; each has his own filter and length. */
START_TEST(readers_share_what_they_were_granted)
{
    struct service s;
    struct view all, some;
    uint32_t length;
    const unsigned char *frame;

    begin(&s);
    all = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    /* ldb [63]; jeq #2; ret 40; ret 0 */
    some = open_view(&s, SECOND,
                     OPEN("\"a\",\"snaplen\":50,\"filter\":\"0030000000"
                          "00003f0015000100000002000600000000002800060000"
                          "00000000\"" SMALL));
    ck_assert_uint_eq(captures_in(&s)->opened, 2);
    ck_assert_ptr_eq(TAILQ_FIRST(&captures_in(&s)->sources),
                     TAILQ_LAST(&captures_in(&s)->sources, capture_sources));
    PUT("\x08\x00", 1, false);
    PUT("\x08\x00", 2, true);
    PUT("\x08\x00", 3, false);
    expect_frame(&s, &all, 1);
    expect_frame(&s, &all, 2);
    expect_frame(&s, &all, 3);
    frame = next_frame(&s, &some, &length);
    ck_assert_ptr_nonnull(frame);
    ck_assert_uint_eq(length, 40);
    client_close(&s, SECOND);
    PUT("\x08\x00", 4, false);
    expect_frame(&s, &all, 4);
    close_view(&all);
    close_view(&some);
    client_close(&s, FIRST);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Filters of one user take no time of another's captures: each has a source of his own. */
START_TEST(users_share_no_source)
{
    struct service s;
    struct view one, other;

    begin(&s);
    one = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    other = open_view(&s, OTHER, OPEN("\"a\"" SMALL));
    ck_assert_ptr_ne(TAILQ_FIRST(&captures_in(&s)->sources),
                     TAILQ_LAST(&captures_in(&s)->sources, capture_sources));
    client_close(&s, FIRST);
    client_close(&s, OTHER);
    assert_nothing(&s);
    close_view(&one);
    close_view(&other);
    end(&s);
}
END_TEST

static const struct {
    const char *request, *code;
} refused[] = {
    {OPEN("\"c\""), "not-allowed"}, /* by the settings */
    {OPEN("\"bb\""), "not-allowed"},
    {OPEN("\"b\",\"filter\":\"0000000000000001\""), "out-of-range"},
    {OPEN("\"b\",\"filter\":\"000000000000000\""), "out-of-range"},
    {OPEN("\"b\",\"filter\":\"x000000000000000\""), "out-of-range"},
    {OPEN("\"b\",\"ethertypes\":[]"), "out-of-range"},
    {OPEN("\"b\",\"ethertypes\":[\"0x5ff\"]"), "out-of-range"},
    {OPEN("\"b\",\"ethertypes\":[\"arp\",\"0x0806\"]"), "out-of-range"},
    {OPEN("\"b\",\"direction\":\"up\""), "out-of-range"},
    {OPEN("\"b\",\"timestamps\":\"sun\""), "out-of-range"},
    {OPEN("\"b\",\"buffer\":262143"), "out-of-range"},
    {OPEN("\"b\",\"buffer\":67108865"), "out-of-range"},
    {OPEN("\"b\",\"latency\":0"), "out-of-range"},
    {"{\"action\":\"CLOSE_CAPTURE\",\"payload\":{\"capture\":1}}", "not-found"},
};

START_TEST(what_cannot_be_is_refused)
{
    struct service s;

    begin(&s);
    fake_netif_del("b");
    netifs_update(s.services.netifs);
    expect(client_ask(&s, FIRST, OPEN("\"b\"")), "not-found");
    fake_netif_add("b");
    fake_netif_set_type("b", NETIF_TYPE_OTHER); /* such as a tunnel for IP packets */
    expect(client_ask(&s, FIRST, OPEN("\"b\"")), "unsupported");
    fake_netif_set_type("b", NETIF_TYPE_ETHERNET);
    netifs_update(s.services.netifs);
    expect(client_ask(&s, FIRST, refused[_i].request), refused[_i].code);
    expect(client_ask(&s, FIRST, OPEN("\"b\",\"dry_run\":true")), "success");
    ck_assert_ptr_null(fake_packets());
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* A user has his share of memory, and it is his until the ring is gone. */
START_TEST(memory_is_charged_before_it_is_made)
{
    struct service s;
    struct view first;

    begin(&s);
    s.services.users.limits.capture_mib = 64;
    s.services.users.limits.capture_mib_per_user = 15;
    captures_set_limits(captures_in(&s), &s.services.users.limits);
    first = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    expect(client_ask(&s, SECOND, OPEN("\"a\"" SMALL)), "limit");
    expect(client_ask(&s, SECOND, SHOW), "success");
    client_close(&s, FIRST);
    assert_nothing(&s);
    close_view(&first);
    first = open_view(&s, SECOND, OPEN("\"b\"" SMALL));
    ck_assert_uint_gt(captures_in(&s)->pool.used, PACKETS_RING + SIZE);
    client_close(&s, SECOND);
    assert_nothing(&s);
    close_view(&first);
    end(&s);
}
END_TEST

START_TEST(the_keeper_refuses)
{
    struct service s;

    begin(&s);
    fake_fail(1, -ENOMEM);
    expect(client_ask(&s, FIRST, OPEN("\"a\"")), "no-memory");
    assert_nothing(&s);
    fake_fail(1, -EAFNOSUPPORT);
    expect(client_ask(&s, FIRST, OPEN("\"a\"")), "unsupported");
    assert_nothing(&s);
    expect(client_ask(&s, FIRST, OPEN("\"a\",\"timestamps\":\"interface\"")), "unsupported");
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* The client is gone before the keeper has answered. */
START_TEST(nobody_is_there_to_take_it)
{
    struct service s;

    begin(&s);
    client_say(&s, FIRST, OPEN("\"a\""));
    uv_run(&s.loop, UV_RUN_NOWAIT);
    client_close(&s, FIRST);
    client_say(&s, OTHER, OPEN("\"a\""));
    client_close(&s, OTHER);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* Its source is there, and a thread makes its ring. */
START_TEST(an_interface_goes_while_it_is_opened)
{
    struct service s;
    const struct capture *capture;
    cJSON *reply;

    begin(&s);
    client_say(&s, FIRST, OPEN("\"a\"" SMALL));
    do
        uv_run(&s.loop, UV_RUN_NOWAIT);
    while (!(capture = TAILQ_FIRST(&captures_in(&s)->order)) || !capture->from->source);
    ck_assert_int_eq(capture->state, CAPTURE_OPENING);
    fake_netif_del("a");
    netifs_update(s.services.netifs);
    while (!(reply = client_line(&s, FIRST, NULL)))
        pause_ms(&s);
    expect(reply, "not-found");
    assert_nothing(&s);
    end(&s);
}
END_TEST

static void expect_end(struct service *s, struct view *view, enum ring_end end)
{
    uint32_t length;

    ck_assert_ptr_null(next_frame(s, view, &length));
    ck_assert_int_eq(view->reader.end, end);
}

/* What was published before can be read, and then why there is no more. */
START_TEST(a_ring_says_why_it_ends)
{
    struct service s;
    struct view closed, revoked, removed, renamed;
    char request[128];
    const struct lease *lease;

    begin(&s);
    closed = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    PUT("\x08\x00", 1, false);
    expect_frame(&s, &closed, 1);
    expect(client_ask(&s, FIRST, "{\"action\":\"CLOSE_CAPTURE\",\"payload\":{\"capture\":1}}"),
           "success");
    expect_end(&s, &closed, RING_END_CLOSED);
    assert_nothing(&s);

    revoked = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    expect(client_ask(&s, OTHER, "{\"action\":\"CLOSE_CAPTURE\",\"payload\":{\"capture\":2}}"),
           "not-allowed");
    lease = resource_first_lease(&TAILQ_FIRST(&captures_in(&s)->order)->resource);
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%012llx\"}}",
             (unsigned long long)lease->info.id);
    expect(client_ask(&s, ROOT, request), "success");
    expect_end(&s, &revoked, RING_END_REVOKED);
    assert_nothing(&s);

    removed = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    fake_netif_del("a");
    netifs_update(s.services.netifs);
    expect_end(&s, &removed, RING_END_INTERFACE);
    assert_nothing(&s);

    renamed = open_view(&s, FIRST, OPEN("\"b\"" SMALL));
    fake_netif_rename("b", "z"); /* which no rule needs to allow */
    netifs_update(s.services.netifs);
    expect_end(&s, &renamed, RING_END_INTERFACE);
    assert_nothing(&s);
    close_view(&renamed);
    close_view(&closed);
    close_view(&revoked);
    close_view(&removed);
    end(&s);
}
END_TEST

/* --- What a reader keeps ------------------------------------------------------------------- */

#define CLOSE_FIRST "{\"action\":\"CLOSE_CAPTURE\",\"payload\":{\"capture\":1}}"

static const struct capture *first_capture(struct service *s)
{
    return TAILQ_FIRST(&captures_in(s)->order);
}

/* With a frame that was not read, the first capture is closed. */
static struct view open_and_close(struct service *s)
{
    struct view view = open_view(s, FIRST, OPEN("\"a\"" SMALL));

    PUT("\x08\x00", 1, false);
    for (int i = 0; i < PATIENCE_MS && first_capture(s)->reader->frames == 0; i++)
        pause_ms(s);
    expect(client_ask(s, FIRST, CLOSE_FIRST), "success");
    for (int i = 0; i < PATIENCE_MS && !TAILQ_EMPTY(&captures_in(s)->sources); i++)
        pause_ms(s);
    ck_assert_uint_gt(captures_in(s)->pool.used, 0);
    return view;
}

static void tick(struct service *s, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++)
        captures_tick(captures_in(s));
    for (int i = 0; i < PATIENCE_MS && first_capture(s) && first_capture(s)->is_freeing; i++)
        pause_ms(s);
}

/* Its pages are zeros; that they take no room, platform/rings and system/capture-memory see. */
static bool was_taken_back(const struct view *view)
{
    static const char zeros[PAGE];

    return memcmp(view->control, zeros, PAGE) == 0 && memcmp(view->data, zeros, PAGE) == 0 &&
           memcmp(view->page, zeros, PAGE) == 0;
}

START_TEST(what_came_before_the_end_can_be_read_behind_it)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_and_close(&s);
    client_close(&s, FIRST);
    tick(&s, CAPTURE_LINGERS - 1);
    ck_assert_ptr_nonnull(first_capture(&s));
    ck_assert_uint_gt(captures_in(&s)->pool.used, SIZE);
    expect(client_ask(&s, ROOT, CLOSE_FIRST), "not-found");
    expect_frame(&s, &view, 1);
    expect_end(&s, &view, RING_END_CLOSED);
    capture_reader_release(&view.reader);
    tick(&s, 1);
    assert_nothing(&s);
    close_view(&view);
    end(&s);
}
END_TEST

/* Who has read everything may not have seen why there is no more. */
START_TEST(an_end_can_be_read_for_a_second)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_and_close(&s);
    expect_frame(&s, &view, 1);
    capture_reader_release(&view.reader);
    view.reader.next = view.reader.head; /* what the thread told at last */
    atomic_store((_Atomic uint64_t *)view.page,
                 atomic_load((_Atomic uint64_t *)(view.control + 128)));
    tick(&s, 1);
    ck_assert_ptr_nonnull(first_capture(&s));
    ck_assert(!was_taken_back(&view));
    tick(&s, 1);
    assert_nothing(&s);
    ck_assert(was_taken_back(&view));
    close_view(&view);
    end(&s);
}
END_TEST

/* By descriptor and mapping, for as long as he likes. */
START_TEST(who_keeps_a_ring_keeps_no_memory)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_and_close(&s);
    tick(&s, CAPTURE_LINGERS);
    ck_assert_ptr_null(first_capture(&s));
    ck_assert_uint_eq(captures_in(&s)->pool.used, 0);
    ck_assert(was_taken_back(&view));
    expect_end(&s, &view, RING_END_GONE);
    close_view(&view);
    client_close(&s, FIRST);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* The service may have had a copy of the bell itself, when it looked first. */
START_TEST(who_has_closed_the_bell_is_not_waited_for)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_and_close(&s);
    close(view.bell);
    view.bell = -1;
    tick(&s, 1);
    ck_assert_ptr_null(first_capture(&s));
    ck_assert(was_taken_back(&view));
    client_close(&s, FIRST);
    assert_nothing(&s);
    close_view(&view);
    end(&s);
}
END_TEST

/* His share has room for one. */
START_TEST(what_was_read_makes_room_at_once)
{
    struct service s;
    struct view first, second;

    begin(&s);
    s.services.users.limits.capture_mib = 64;
    s.services.users.limits.capture_mib_per_user = 15;
    captures_set_limits(captures_in(&s), &s.services.users.limits);
    first = open_and_close(&s);
    expect(client_ask(&s, SECOND, OPEN("\"a\"" SMALL)), "limit");
    ck_assert(!was_taken_back(&first));
    expect_frame(&s, &first, 1);
    expect_end(&s, &first, RING_END_CLOSED);
    capture_reader_release(&first.reader);
    second = open_view(&s, SECOND, OPEN("\"a\"" SMALL));
    ck_assert(was_taken_back(&first));
    client_close(&s, FIRST);
    client_close(&s, SECOND);
    assert_nothing(&s);
    close_view(&first);
    close_view(&second);
    end(&s);
}
END_TEST

/* --- What is listed ------------------------------------------------------------------------ */

START_TEST(who_may_not_read_sees_his_own)
{
    static const struct lists_scene scene = {ROOT, FIRST, OTHER, "raw.capture", SHOW, "captures"};
    struct service s;
    struct view views[3];

    begin(&s);
    views[0] = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    views[1] = open_view(&s, SECOND, OPEN("\"b\"" SMALL));
    views[2] = open_view(&s, OTHER, OPEN("\"b\"" SMALL));
    lists_show_what_is_ones_own(&s, &scene);
    for (int i = 0; i < 3; i++)
        close_view(&views[i]);
    client_close(&s, FIRST);
    client_close(&s, SECOND);
    client_close(&s, OTHER);
    assert_nothing(&s);
    s.services.policy.rules = &rule;
    s.services.policy.count = 1;
    end(&s);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, who_may_not_read_sees_his_own);
    tcase_add_test(tests, what_came_before_the_end_can_be_read_behind_it);
    tcase_add_test(tests, an_end_can_be_read_for_a_second);
    tcase_add_test(tests, who_keeps_a_ring_keeps_no_memory);
    tcase_add_test(tests, who_has_closed_the_bell_is_not_waited_for);
    tcase_add_test(tests, what_was_read_makes_room_at_once);
    tcase_add_test(tests, a_reader_gets_what_was_granted);
    tcase_add_test(tests, readers_share_what_they_were_granted);
    tcase_add_test(tests, users_share_no_source);
    tcase_add_loop_test(tests, what_cannot_be_is_refused, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tests, memory_is_charged_before_it_is_made);
    tcase_add_test(tests, the_keeper_refuses);
    tcase_add_test(tests, nobody_is_there_to_take_it);
    tcase_add_test(tests, an_interface_goes_while_it_is_opened);
    tcase_add_test(tests, a_ring_says_why_it_ends);
}

int main(void)
{
    return suite_run("captures", add_tests);
}
