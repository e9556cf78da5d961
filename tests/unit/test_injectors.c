/* Injectors as clients see them: what the policy and the settings let a user send goes out, the
 * rest is refused with its reason, and lease, ring, memory and rate begin and end together. */
#include "broker/wire/session_internal.h"
#include "client.h"
#include "fdpass.h"
#include "lists.h"
#include "log.h"
#include "resources/inject/kind.h"
#include "ring/transmit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, FIRST, SECOND, OTHER }; /* clients: Alice has two */
enum { ALICE = LISTS_ALICE, BOB = LISTS_BOB };
enum { PAGE = 4096, SIZE = INJECT_BYTES_LEAST, PATIENCE_MS = 5000 };

#define OPEN(payload) "{\"action\":\"OPEN_INJECT\",\"payload\":{\"interface\":" payload "}}"
#define SMALL         ",\"buffer\":262144"
#define SHOW          "{\"action\":\"SHOW_INJECT\"}"

static struct rule rule;

static void begin(struct service *s)
{
    log_set_level(LOG_CRIT);
    service_begin(s, "a b c");
    rule =
        (struct rule){.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}, .rate = 0};
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, FIRST, ALICE);
    client_connect_as(s, SECOND, ALICE);
    client_connect_as(s, OTHER, BOB);
    ck_assert(interface_set_parse("a, b", &s->keeper.config.inject_interfaces));
}

static void end(struct service *s)
{
    service_settle(s);
    closer_stop(s->services.closer, NULL);
    s->services.closer = NULL;
    ck_assert(LIST_EMPTY(&s->services.pendings));
    service_end(s);
}

static struct injectors *injectors_in(struct service *s)
{
    return &((struct injectors_kind *)kind_self(&s->services.kinds, &inject_ops))->injectors;
}

static void pause_ms(struct service *s)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    service_settle(s);
}

/* A second passes for one whose page is kept. */
static void let_linger(struct injectors *injectors)
{
    const struct injector *injector = TAILQ_FIRST(&injectors->order);

    if (injector && injector->is_lingering)
        injectors_tick(injectors);
}

/* Threads give back what they have in their own time, and pages are kept for some seconds. */
static void assert_nothing(struct service *s)
{
    struct injectors *injectors = injectors_in(s);

    for (int i = 0;
         i < PATIENCE_MS && !(TAILQ_EMPTY(&injectors->order) && TAILQ_EMPTY(&injectors->ports));
         i++) {
        pause_ms(s);
        let_linger(injectors);
    }
    ck_assert(TAILQ_EMPTY(&injectors->order));
    ck_assert(TAILQ_EMPTY(&injectors->ports));
    ck_assert_uint_eq(injectors->pool.used, 0);
    ck_assert_uint_eq(injectors->rates.used, 0);
}

/* --- A sender ------------------------------------------------------------------------------ */

struct view {
    struct transmit_writer writer;
    char *control, *data, *page;
    int bell, room;
};

static void *map(int fd, int protection, size_t size, off_t offset, void *at)
{
    void *place = mmap(at, size, protection, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset);

    ck_assert_ptr_ne(place, MAP_FAILED);
    return place;
}

/* Takes the reply, with its descriptors; a thread makes the ring before. */
static struct view open_view(struct service *s, int n, const char *request)
{
    const int both = PROT_READ | PROT_WRITE;
    struct fdpass_list list = {0};
    struct view view;
    char text[4096];
    ssize_t length;
    int patience = PATIENCE_MS;

    client_say(s, n, request);
    service_settle(s);
    do
        length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    while (length == -EAGAIN && (pause_ms(s), patience-- > 0));
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 4, "%zu descriptors with %s", list.count, text);
    for (int i = 0; i < PATIENCE_MS && s->services.users.sent.used > 0; i++)
        pause_ms(s);
    view.control = map(list.fds[0], both, PAGE, 0, NULL);
    view.data = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    map(list.fds[0], both, SIZE, PAGE, view.data);
    map(list.fds[0], both, SIZE, PAGE, view.data + SIZE);
    view.page = map(list.fds[1], PROT_READ, PAGE, 0, NULL);
    view.bell = list.fds[2];
    view.room = list.fds[3];
    close(list.fds[0]);
    close(list.fds[1]);
    ck_assert(transmit_writer_init(&view.writer, (void *)view.control, (void *)view.data, SIZE,
                                   (void *)view.page));
    return view;
}

static void close_view(struct view *view)
{
    munmap(view->control, PAGE);
    munmap(view->data, 2 * SIZE);
    munmap(view->page, PAGE);
    close(view->bell);
    close(view->room);
}

static void publish(struct view *view)
{
    ssize_t rung;

    if (!transmit_writer_publish(&view->writer))
        return;
    rung = write(view->bell, "", 1);
    ck_assert_int_eq(rung, 1);
}

/* A frame of 60 bytes; behind its addresses it begins so, and the last byte says which it is. */
static void put(struct view *view, const char *source, const char *type, unsigned char which)
{
    unsigned char frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    memcpy(frame + 6, source, 6);
    memcpy(frame + 12, type, 2);
    frame[59] = which;
    ck_assert_int_eq(transmit_writer_put(&view->writer, frame, sizeof frame, 0, which),
                     TRANSMIT_TAKEN);
    publish(view);
}

#define OWN "\x02\0\0\0\0\x01" /* of each interface of the fake kernel */
#define SV  "\x88\xba"

static void expect_sent(unsigned char which)
{
    unsigned char frame[2048];

    ck_assert_int_eq(fake_frame_take(frame, sizeof frame), 60);
    ck_assert_uint_eq(frame[59], which);
}

static void expect_refusal(struct service *s, struct view *view, uint64_t tag,
                           enum transmit_refusal_reason reason)
{
    struct transmit_refusal refusal;

    for (int i = 0; i < PATIENCE_MS; i++) {
        if (transmit_writer_next_refusal(&view->writer, &refusal)) {
            ck_assert_uint_eq(refusal.tag, tag);
            ck_assert_int_eq(refusal.reason, reason);
            return;
        }
        pause_ms(s);
    }
    ck_abort_msg("no refusal");
}

/* Beside the writer, which looks for it when it has something to publish. */
static void expect_end(struct service *s, struct view *view, enum ring_end right)
{
    const struct transmit_feedback *feedback = (const void *)view->page;

    for (int i = 0; i < PATIENCE_MS && !RING_LOAD(&feedback->ended, relaxed); i++)
        pause_ms(s);
    ck_assert_uint_eq(RING_LOAD(&feedback->ended, relaxed), right);
}

/* --- Tests --------------------------------------------------------------------------------- */

START_TEST(a_sender_sends_what_was_granted)
{
    struct service s;
    struct view view;
    struct transmit_counts counts;

    begin(&s);
    view = open_view(&s, FIRST, OPEN("\"a\",\"ethertypes\":[\"sv\"]" SMALL));
    put(&view, OWN, SV, 1);
    expect_sent(1);
    put(&view, "\x02\0\0\0\0\x02", SV, 2);
    put(&view, OWN, "\x08\x00", 3);
    put(&view, OWN, SV, 4);
    expect_sent(4);
    expect_refusal(&s, &view, 2, TRANSMIT_SOURCE);
    expect_refusal(&s, &view, 3, TRANSMIT_ETHERTYPE);
    for (int i = 0; i < PATIENCE_MS; i++) {
        transmit_writer_counts(&view.writer, &counts);
        if (counts.judged == 4)
            break;
        pause_ms(&s);
    }
    ck_assert_uint_eq(counts.sent, 2);
    ck_assert_uint_eq(counts.sent_bytes, 120);
    expect(client_ask(&s, FIRST, SHOW), "success");
    client_close(&s, FIRST);
    assert_nothing(&s);
    ck_assert_uint_eq(injectors_in(&s)->sent, 2);
    ck_assert_uint_eq(injectors_in(&s)->refused_frames, 2);
    close_view(&view);
    end(&s);
}
END_TEST

/* One sender serves both, each within his own scope; one that stalls or lies stops nobody. */
START_TEST(senders_share_an_interface)
{
    struct service s;
    struct view one, other;

    begin(&s);
    one = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    other = open_view(&s, OTHER, OPEN("\"a\",\"sources\":[\"02:00:00:00:00:09\"]" SMALL));
    ck_assert_uint_eq(injectors_in(&s)->opened, 2);
    ck_assert_ptr_eq(TAILQ_FIRST(&injectors_in(&s)->ports),
                     TAILQ_LAST(&injectors_in(&s)->ports, inject_ports));
    put(&one, OWN, SV, 1);
    expect_sent(1);
    put(&other, OWN, SV, 2);
    expect_refusal(&s, &other, 2, TRANSMIT_SOURCE);
    memset(other.control, 0xff, PAGE); /* all that it can say is wrong */
    ck_assert_int_eq(write(other.bell, "", 1), 1);
    expect_end(&s, &other, RING_END_INDEX);
    put(&one, OWN, SV, 3);
    expect_sent(3);
    client_close(&s, FIRST);
    close_view(&one);
    close_view(&other);
    assert_nothing(&s); /* whose ring has ended holds nothing, though he is there */
    end(&s);
}
END_TEST

static const struct {
    const char *request, *code;
} refused[] = {
    {OPEN("\"c\""), "not-allowed"}, /* by the settings */
    {OPEN("\"bb\""), "not-allowed"},
    {OPEN("\"b\",\"ethertypes\":[]"), "out-of-range"},
    {OPEN("\"b\",\"sources\":[]"), "out-of-range"},
    {OPEN("\"b\",\"sources\":[\"01:00:00:00:00:01\"]"), "out-of-range"},
    {OPEN("\"b\",\"sources\":[\"own\",\"own\"]"), "out-of-range"},
    {OPEN("\"b\",\"sources\":[1]"), "invalid-type"},
    {OPEN("\"b\",\"destinations\":[\"any\"]"), "out-of-range"},
    {OPEN("\"b\",\"vlans\":[\"4095\"]"), "out-of-range"},
    {OPEN("\"b\",\"rate\":150000001"), "out-of-range"},
    {OPEN("\"b\",\"rate\":2000001"), "limit"},
    {OPEN("\"b\",\"buffer\":262143"), "out-of-range"},
    {OPEN("\"b\",\"timed\":true,\"start\":4611686018428"), "out-of-range"},
    {"{\"action\":\"CLOSE_INJECT\",\"payload\":{\"inject\":1}}", "not-found"},
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
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* What a rule allows at most, and what a request gets that names no rate. */
START_TEST(a_rule_has_a_rate)
{
    struct service s;
    struct view view;

    begin(&s);
    view = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    ck_assert_uint_eq(injectors_in(&s)->rates.used, 500000);
    client_close(&s, FIRST);
    assert_nothing(&s);
    close_view(&view);
    rule.rate = 300;
    expect(client_ask(&s, SECOND, OPEN("\"a\",\"rate\":301")), "not-allowed");
    view = open_view(&s, SECOND, OPEN("\"a\"" SMALL));
    ck_assert_uint_eq(injectors_in(&s)->rates.used, 300);
    client_close(&s, SECOND);
    assert_nothing(&s);
    close_view(&view);
    end(&s);
}
END_TEST

/* A user has his share of memory, and it is his until the ring is gone. */
START_TEST(memory_is_charged_before_it_is_made)
{
    struct service s;
    struct view first;

    begin(&s);
    s.services.users.limits.inject_mib = 16;
    s.services.users.limits.inject_mib_per_user = 1;
    injectors_set_limits(injectors_in(&s), &s.services.users.limits);
    first = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    expect(client_ask(&s, SECOND, OPEN("\"a\",\"buffer\":1048576")), "limit");
    client_close(&s, FIRST);
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

/* Its sender is there, and a thread makes its memory. */
START_TEST(an_interface_goes_while_it_is_opened)
{
    struct service s;
    const struct injector *injector;
    cJSON *reply;

    begin(&s);
    client_say(&s, FIRST, OPEN("\"a\",\"timed\":true" SMALL));
    do
        uv_run(&s.loop, UV_RUN_NOWAIT);
    while (!(injector = TAILQ_FIRST(&injectors_in(&s)->order)) || !injector->from->sender);
    ck_assert_int_eq(injector->state, INJECT_OPENING);
    fake_netif_del("a");
    netifs_update(s.services.netifs);
    while (!(reply = client_line(&s, FIRST, NULL)))
        pause_ms(&s);
    expect(reply, "not-found");
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* The client is gone while a thread makes what it asked for. */
START_TEST(nobody_waits_for_the_memory)
{
    struct service s;
    const struct injector *injector;

    begin(&s);
    client_say(&s, FIRST, OPEN("\"a\",\"timed\":true,\"buffer\":4194304"));
    do
        uv_run(&s.loop, UV_RUN_NOWAIT);
    while (!(injector = TAILQ_FIRST(&injectors_in(&s)->order)) || !injector->from->sender);
    ck_assert(injector->is_working);
    client_close(&s, FIRST);
    assert_nothing(&s);
    end(&s);
}
END_TEST

/* What one user does again and again leaves others some of what the keeper does a second. */
START_TEST(one_may_open_often)
{
    struct service s;

    begin(&s);
    for (unsigned i = 1; i <= 600; i++) {
        struct view view = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
        char request[96];

        snprintf(request, sizeof request,
                 "{\"action\":\"CLOSE_INJECT\",\"payload\":{\"inject\":%u}}", i);
        expect(client_ask(&s, FIRST, request), "success");
        assert_nothing(&s);
        close_view(&view);
    }
    end(&s);
}
END_TEST

START_TEST(a_ring_says_why_it_ends)
{
    struct service s;
    struct view closed, revoked, removed, renamed;
    char request[128];
    const struct lease *lease;

    begin(&s);
    closed = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    expect(client_ask(&s, FIRST, "{\"action\":\"CLOSE_INJECT\",\"payload\":{\"inject\":1}}"),
           "success");
    expect_end(&s, &closed, RING_END_CLOSED);
    assert_nothing(&s);

    revoked = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    expect(client_ask(&s, OTHER, "{\"action\":\"CLOSE_INJECT\",\"payload\":{\"inject\":2}}"),
           "not-allowed");
    lease = resource_first_lease(&TAILQ_FIRST(&injectors_in(&s)->order)->resource);
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%012llx\"}}",
             (unsigned long long)lease->info.id);
    expect(client_ask(&s, ROOT, request), "success");
    expect_end(&s, &revoked, RING_END_REVOKED);
    assert_nothing(&s);

    removed = open_view(&s, FIRST, OPEN("\"a\"" SMALL));
    put(&removed, OWN, SV, 1);
    expect_sent(1);
    fake_frames_stop();
    put(&removed, OWN, SV, 2);
    expect_refusal(&s, &removed, 2, TRANSMIT_DOWN);
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

/* --- What is kept -------------------------------------------------------------------------- */

static const struct injector *until_it_lingers(struct service *s)
{
    const struct injector *injector = TAILQ_FIRST(&injectors_in(s)->order);

    for (int i = 0; i < PATIENCE_MS && !injector->is_lingering; i++)
        pause_ms(s);
    ck_assert(injector->is_lingering);
    return injector;
}

static void open_and_close(struct service *s, struct view *view, unsigned number)
{
    char request[96];

    *view = open_view(s, FIRST, OPEN("\"a\"" SMALL));
    snprintf(request, sizeof request, "{\"action\":\"CLOSE_INJECT\",\"payload\":{\"inject\":%u}}",
             number);
    expect(client_ask(s, FIRST, request), "success");
}

/* Who keeps the mappings of rings that have ended keeps no memory of the service; but he may look
 * for what became of his last frames before. */
START_TEST(the_page_of_an_end_is_kept_for_some_seconds)
{
    const struct transmit_feedback *page;
    struct transmit_refusal refusal;
    struct service s;
    struct view view;

    begin(&s);
    open_and_close(&s, &view, 1);
    page = (const void *)view.page;
    until_it_lingers(&s);
    for (unsigned i = 1; i < INJECT_LINGERS; i++) {
        injectors_tick(injectors_in(&s));
        ck_assert_uint_eq(page->magic, RING_MAGIC);
        ck_assert_uint_eq(RING_LOAD(&page->ended, relaxed), RING_END_CLOSED);
        ck_assert_uint_eq(injectors_in(&s)->pool.used, PAGE);
        ck_assert_uint_eq(injectors_in(&s)->rates.used, 0);
    }
    injectors_tick(injectors_in(&s));
    ck_assert_uint_eq(page->magic, 0);
    assert_nothing(&s);
    view.writer.heard = 7;
    ck_assert(!transmit_writer_next_refusal(&view.writer, &refusal));
    ck_assert_int_eq(view.writer.end, RING_END_GONE);
    close_view(&view);
    end(&s);
}
END_TEST

START_TEST(the_page_of_an_end_goes_with_its_bell)
{
    struct service s;
    struct view view, next;
    const struct transmit_feedback *page;

    begin(&s);
    open_and_close(&s, &view, 1);
    page = (const void *)view.page;
    until_it_lingers(&s);
    close(view.room);
    view.room = dup(view.bell);
    injectors_in(&s)->pool.bounds.share = SIZE + 2 * PAGE; /* of one ring */
    injectors_in(&s)->pool.bounds.least = 0;
    next = open_view(&s, FIRST, OPEN("\"a\"" SMALL)); /* room is made for it */
    ck_assert_uint_eq(page->magic, 0);
    close_view(&next);
    close_view(&view);
    end(&s);
}
END_TEST

/* --- What is listed ------------------------------------------------------------------------ */

START_TEST(who_may_not_read_sees_his_own)
{
    static const struct lists_scene scene = {ROOT, FIRST, OTHER, "raw.inject", SHOW, "injectors"};
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
    tcase_add_test(tests, a_sender_sends_what_was_granted);
    tcase_add_test(tests, senders_share_an_interface);
    tcase_add_loop_test(tests, what_cannot_be_is_refused, 0,
                        (int)(sizeof refused / sizeof *refused));
    tcase_add_test(tests, a_rule_has_a_rate);
    tcase_add_test(tests, memory_is_charged_before_it_is_made);
    tcase_add_test(tests, the_keeper_refuses);
    tcase_add_test(tests, nobody_is_there_to_take_it);
    tcase_add_test(tests, an_interface_goes_while_it_is_opened);
    tcase_add_test(tests, nobody_waits_for_the_memory);
    tcase_add_test(tests, one_may_open_often);
    tcase_add_test(tests, a_ring_says_why_it_ends);
    tcase_add_test(tests, the_page_of_an_end_is_kept_for_some_seconds);
    tcase_add_test(tests, the_page_of_an_end_goes_with_its_bell);
}

int main(void)
{
    return suite_run("injectors", add_tests);
}
