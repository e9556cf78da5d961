/* Spare taps: who asks gets one that was made before, whose lease is recorded first all the same.
 * What others do to a spare, or a broker's end, hands out nothing that is not as it was asked for.
 */
#include "broker/wire/session_internal.h"
#include "client.h"
#include "fdpass.h"
#include "log.h"
#include "platform/memory.h"
#include "resources/tap/kind.h"
#include "resources/tap/spares.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, FIRST, OTHER }; /* clients */
enum { ALICE = 1001, BOB = 1002 };

#define OPEN(payload) "{\"action\":\"OPEN_TAP\",\"payload\":{" payload "}}"

static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static struct stock *stock_of(struct service *s)
{
    return &((struct tap_kind *)kind_self(&s->services.kinds, &tap_ops))->taps.stock;
}

static void configure(struct service *s, unsigned limit)
{
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, FIRST, ALICE);
    client_connect_as(s, OTHER, BOB);
    strcpy(s->keeper.config.tap_prefix, TAP_PREFIX_DEFAULT);
    tap_bridges_parse("br0", &s->keeper.config.tap_bridges);
    tap_networks_parse("192.168.0.0/24", &s->keeper.config.tap_networks);
    s->keeper.config.tap_spares = limit;
    stock_of(s)->limit = limit;
}

static void begin(struct service *s, unsigned limit)
{
    log_set_level(LOG_CRIT);
    service_begin(s, "a");
    configure(s, limit);
    stock_begin(stock_of(s));
}

static void close_all(struct service *s)
{
    closer_stop(s->services.closer, NULL);
    s->services.closer = NULL;
}

static void notice(struct service *s)
{
    service_settle(s);
    close_all(s);
    fake_taps_settle();
    netifs_update(s->services.netifs);
    service_settle(s);
}

static void end(struct service *s)
{
    stock_of(s)->begun = false;
    spares_close(&s->keeper.operations);
    notice(s);
    ck_assert(LIST_EMPTY(&s->services.pendings));
    service_end(s);
}

static unsigned all_of(const struct stock *stock)
{
    unsigned count = 0;

    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        count += stock->spares[i].state != STOCK_NONE;
    return count;
}

/* They are made a moment later. */
static void wait_for(struct service *s, unsigned count)
{
    for (int i = 0; i < 2000; i++) {
        service_settle(s);
        if (stock_count(stock_of(s)) == count && all_of(stock_of(s)) == count &&
            !uv_is_active((uv_handle_t *)&stock_of(s)->timer))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    ck_assert_uint_eq(stock_count(stock_of(s)), count);
}

static void tick(struct service *s, int seconds)
{
    for (int i = 0; i < seconds; i++)
        tap_ops.tick(kind_self(&s->services.kinds, &tap_ops));
}

static void wait_until_read(struct service *s)
{
    for (int i = 0; i < 2000 && s->services.users.sent.used > 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        service_settle(s);
    }
    ck_assert_uint_eq(s->services.users.sent.used, 0);
}

/* The descriptor of a reply, the caller's, and the name and address of the tap. */
static int take_named(struct service *s, int n, char *name, char *mac)
{
    struct fdpass_list list = {0};
    char text[4096];
    const cJSON *payload;
    ssize_t length;
    cJSON *reply;

    service_settle(s);
    length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 1, "%zu descriptors with %s", list.count, text);
    reply = cJSON_Parse(text);
    payload = cJSON_GetObjectItem(reply, "payload");
    strcpy(name, cJSON_GetObjectItem(payload, "name")->valuestring);
    if (mac)
        strcpy(mac, cJSON_GetObjectItem(payload, "mac")->valuestring);
    cJSON_Delete(reply);
    return list.fds[0];
}

static int open_tap(struct service *s, int n, const char *request, const char *expected)
{
    char name[INTERFACE_NAME_MAX + 1];
    int fd;

    client_say(s, n, request);
    fd = take_named(s, n, name, NULL);
    wait_until_read(s);
    ck_assert_str_eq(name, expected);
    return fd;
}

/* A stock of so many of the plain shape. The tap that was asked for first is nb-0. */
static int fill(struct service *s, unsigned limit)
{
    int fd;

    begin(s, limit);
    fd = open_tap(s, FIRST, OPEN(""), "nb-0");
    wait_for(s, limit);
    return fd;
}

/* --- Making and taking --------------------------------------------------------------------- */

START_TEST(there_are_none_before_the_first_request)
{
    struct service s;
    int fd;

    begin(&s, 3);
    wait_for(&s, 0);
    fd = open_tap(&s, FIRST, OPEN(""), "nb-0");
    wait_for(&s, 3);
    ck_assert_uint_eq(fake_tap_count(), 4);
    ck_assert_uint_eq(s.services.leases.by_id.count, 1); /* nobody pays for spares */
    ck_assert_uint_eq(taps_total(stock_of(&s)->taps).taps, 1);
    ck_assert_uint_eq(taps_total(stock_of(&s)->taps).spares, 3);
    close(fd);
    end(&s);
}
END_TEST

START_TEST(a_spare_is_handed_over_once)
{
    char name[INTERFACE_NAME_MAX + 1], mac[32], expected[32];
    const struct tap_config *made;
    struct service s;
    unsigned ifindex;
    int fds[2];

    fds[0] = fill(&s, 2);
    ifindex = taps_find("nb-1");
    client_say(&s, OTHER, OPEN(""));
    fds[1] = take_named(&s, OTHER, name, mac);
    ck_assert_str_eq(name, "nb-1");
    ck_assert_uint_eq(taps_find("nb-1"), ifindex); /* the same one */
    made = fake_tap_find("nb-1");
    snprintf(expected, sizeof expected, "%02x:%02x:%02x:%02x:%02x:%02x", made->mac[0], made->mac[1],
             made->mac[2], made->mac[3], made->mac[4], made->mac[5]);
    ck_assert_str_eq(mac, expected);
    ck_assert_uint_eq(stock_of(&s)->taken, 1);
    ck_assert_uint_eq(s.services.leases.by_id.count, 2);
    wait_for(&s, 2);
    close(fds[1]); /* the kernel deletes it: the keeper has no copy */
    notice(&s);
    ck_assert_uint_eq(taps_find("nb-1"), 0);
    ck_assert_uint_eq(s.services.leases.by_id.count, 1);
    close(fds[0]);
    end(&s);
}
END_TEST

START_TEST(two_users_never_get_the_same)
{
    char names[2][INTERFACE_NAME_MAX + 1];
    struct service s;
    int fds[3];

    fds[0] = fill(&s, 2);
    client_say(&s, FIRST, OPEN(""));
    client_say(&s, OTHER, OPEN(""));
    fds[1] = take_named(&s, FIRST, names[0], NULL);
    fds[2] = take_named(&s, OTHER, names[1], NULL);
    wait_until_read(&s);
    ck_assert_str_ne(names[0], names[1]);
    ck_assert_uint_eq(stock_of(&s)->taken, 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    end(&s);
}
END_TEST

START_TEST(none_are_made_where_none_are_wanted)
{
    struct service s;
    int fd = fill(&s, 0);

    ck_assert_uint_eq(fake_tap_count(), 1);
    close(fd);
    end(&s);
}
END_TEST

static const char *const others[] = {
    OPEN("\"mac\":\"52:54:00:00:00:01\""),  OPEN("\"mtu\":1400"),       OPEN("\"offload\":true"),
    OPEN("\"hosts\":[\"192.168.0.1/24\"]"), OPEN("\"bridge\":\"br0\""),
};

START_TEST(who_wants_another_gets_it_made)
{
    const struct tap_config *made;
    struct service s;
    int fds[2];

    fds[0] = fill(&s, 2);
    fake_netif_add("br0");
    fds[1] = open_tap(&s, OTHER, others[_i], "nb-3");
    ck_assert_uint_eq(stock_of(&s)->taken, 0);
    made = fake_tap_find("nb-3");
    ck_assert(made->mac[0] == 0x52 || made->mtu == 1400 || made->flags & TAP_OFFLOAD ||
              made->host_count == 1 || strcmp(made->bridge, "br0") == 0);
    close(fds[0]);
    close(fds[1]);
    end(&s);
}
END_TEST

START_TEST(a_dry_run_takes_none)
{
    struct service s;
    int fd = fill(&s, 2);
    cJSON *reply = client_ask(&s, OTHER, OPEN("\"dry_run\":true"));

    ck_assert_str_eq(cJSON_GetObjectItem(reply, "message")->valuestring,
                     "Tap nb-1 would be opened.");
    cJSON_Delete(reply);
    ck_assert_uint_eq(stock_count(stock_of(&s)), 2);
    close(fd);
    end(&s);
}
END_TEST

/* --- Names --------------------------------------------------------------------------------- */

START_TEST(a_spare_is_taken_by_its_name_as_well)
{
    struct service s;
    unsigned ifindex;
    int fds[2];

    fds[0] = fill(&s, 2);
    ifindex = taps_find("nb-2");
    fds[1] = open_tap(&s, OTHER, OPEN("\"name\":\"nb-2\""), "nb-2");
    ck_assert_uint_eq(taps_find("nb-2"), ifindex);
    close(fds[0]);
    close(fds[1]);
    end(&s);
}
END_TEST

/* No user notices that a spare has the name that he wants. */
START_TEST(a_spare_makes_way)
{
    struct service s;
    unsigned ifindex;
    int fds[2];

    fds[0] = fill(&s, 2);
    ifindex = taps_find("nb-2");
    fds[1] = open_tap(&s, OTHER, OPEN("\"name\":\"nb-2\",\"mtu\":1400"), "nb-2");
    ck_assert_uint_ne(taps_find("nb-2"), ifindex);
    ck_assert_uint_eq(fake_tap_find("nb-2")->mtu, 1400);
    wait_for(&s, 2);
    close(fds[0]);
    close(fds[1]);
    end(&s);
}
END_TEST

START_TEST(a_spare_that_does_not_end_keeps_nobody)
{
    struct service s;
    int fd = fill(&s, 2);

    keeper_end_listen(&s.keeper, false);
    client_say(&s, OTHER, OPEN("\"name\":\"nb-2\",\"mtu\":1400"));
    service_settle(&s);
    tick(&s, 3);
    expect(client_line(&s, OTHER, NULL), "in-use");
    keeper_end_listen(&s.keeper, true);
    wait_for(&s, 2);
    close(fd);
    end(&s);
}
END_TEST

/* --- Shapes -------------------------------------------------------------------------------- */

static unsigned count_ports(struct service *s)
{
    unsigned count = 0;

    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        count +=
            stock_of(s)->spares[i].state == STOCK_READY && stock_of(s)->spares[i].config.bridge[0];
    return count;
}

START_TEST(there_are_some_of_what_was_asked_for_lately)
{
    static const char port[] = OPEN("\"bridge\":\"br0\",\"offload\":true");
    char name[INTERFACE_NAME_MAX + 1];
    struct service s;
    int fds[3];

    fds[0] = fill(&s, 4);
    fake_netif_add("br0");
    tick(&s, 1);
    fds[1] = open_tap(&s, OTHER, port, "nb-5");
    wait_for(&s, 4);
    ck_assert_uint_eq(count_ports(&s), 2);
    client_say(&s, OTHER, port);
    fds[2] = take_named(&s, OTHER, name, NULL);
    wait_until_read(&s);
    ck_assert_uint_eq(stock_of(&s)->taken, 1);
    ck_assert_str_eq(fake_tap_find(name)->bridge, "br0");
    wait_for(&s, 4);
    ck_assert_uint_eq(count_ports(&s), 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    end(&s);
}
END_TEST

START_TEST(ever_other_shapes_make_no_work)
{
    char request[64];
    struct service s;
    int fds[3];

    fds[0] = fill(&s, 4);
    tick(&s, 1);
    for (int i = 1; i < 3; i++) {
        snprintf(request, sizeof request, OPEN("\"mtu\":140%d"), i);
        client_say(&s, OTHER, request);
        fds[i] = take_named(&s, OTHER, (char[INTERFACE_NAME_MAX + 1]){0}, NULL);
        wait_until_read(&s);
    }
    ck_assert_uint_eq(stock_of(&s)->shape_count, 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    end(&s);
}
END_TEST

/* --- What others do ------------------------------------------------------------------------ */

/* Others delete it, rename it, or take it down or out of its bridge. */
START_TEST(what_others_changed_is_not_handed_over)
{
    struct service s;
    int fds[2];

    fds[0] = fill(&s, 2);
    if (_i == 0)
        ck_assert_int_eq(taps_delete(taps_find("nb-1")), 0);
    else
        fake_netif_rename("nb-1", "nb-z");
    notice(&s);
    ck_assert_uint_eq(stock_count(stock_of(&s)), 1);
    fds[1] = open_tap(&s, OTHER, OPEN(""), "nb-2");
    ck_assert_uint_eq(taps_find("nb-z"), 0); /* it was ours: it is deleted */
    tick(&s, 2);
    wait_for(&s, 2);
    close(fds[0]);
    close(fds[1]);
    end(&s);
}
END_TEST

START_TEST(a_port_goes_with_its_bridge)
{
    struct service s;
    int fd;

    begin(&s, 2);
    fake_netif_add("br0");
    fd = open_tap(&s, FIRST, OPEN("\"bridge\":\"br0\""), "nb-0");
    wait_for(&s, 2);
    fake_netif_del("br0");
    notice(&s);
    wait_for(&s, 0);
    ck_assert_uint_eq(fake_tap_count(), 1);
    fake_netif_add("br0");
    notice(&s);
    tick(&s, 2);
    wait_for(&s, 2);
    close(fd);
    end(&s);
}
END_TEST

START_TEST(what_cannot_be_made_is_not_tried_at_once)
{
    struct service s;
    int fd;

    begin(&s, 1);
    fake_fail(2, -EIO); /* the spare, behind the first tap */
    fd = open_tap(&s, FIRST, OPEN(""), "nb-0");
    for (int i = 0; i < 2000 && stock_of(&s)->paused == 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        service_settle(&s);
    }
    ck_assert_uint_gt(stock_of(&s)->paused, 5);
    wait_for(&s, 0);
    tick(&s, 31);
    wait_for(&s, 1);
    close(fd);
    end(&s);
}
END_TEST

/* Notices of other operations are others' affair, and those of no operation nobody's. */
START_TEST(only_notices_of_spares_make_spares)
{
    static const uint32_t operations[] = {KEEPER_OPEN_TAP, KEEPER_OPERATION_COUNT, UINT32_MAX,
                                          KEEPER_SPARE_TAP};
    struct keeper_answer notice = {.error = -EINPROGRESS};
    struct tap_config config = {.name = "nb-7", .mtu = 1500, .queues = 1};
    struct service s;
    int fd = fill(&s, 2);

    memcpy(notice.payload, &config, sizeof config);
    for (size_t i = 0; i < 4; i++) {
        notice.operation = operations[i];
        s.keeper.operations.notify(&s.keeper, &notice);
        service_settle(&s);
        ck_assert_int_eq(stock_find(stock_of(&s), "nb-7") != NULL, i == 3);
    }
    close(fd);
    end(&s);
}
END_TEST

/* --- A broker after another ---------------------------------------------------------------- */

/* The keeper lives, and tells the next broker what it has. */
static void follow(struct service *next, struct service *s, int journal)
{
    service_follow(next, s);
    configure(next, s->keeper.config.tap_spares);
    *spares_of(&next->keeper.operations) = *spares_of(&s->keeper.operations);
    tap_hooks.begin(&next->keeper.operations);
    service_settle(next);
    service_keep(next, journal, "");
    notice(next);
}

START_TEST(the_next_broker_has_the_same_spares)
{
    static struct service s, next; /* s has what it has: nobody ends it */
    int fds[2], journal = memory_make("journal", 16 << 20);
    unsigned ifindex;

    begin(&s, 2);
    service_keep(&s, journal, "");
    fds[0] = open_tap(&s, FIRST, OPEN(""), "nb-0");
    wait_for(&s, 2);
    ifindex = taps_find("nb-1");
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_uint_eq(stock_count(stock_of(&next)), 2);
    ck_assert_uint_eq(fake_tap_count(), 3); /* the sweep has left them */
    fds[1] = open_tap(&next, OTHER, OPEN(""), "nb-1");
    ck_assert_uint_eq(taps_find("nb-1"), ifindex);
    wait_for(&next, 2);
    close(fds[0]);
    close(fds[1]);
    end(&next);
    close(journal);
}
END_TEST

/* Killed when the lease was written down, and before the keeper has acted: the tap is a spare
 * still, and nobody's. */
START_TEST(a_lease_of_a_spare_that_was_not_handed_over_is_none)
{
    static struct service s, next;
    int fds[2], journal = memory_make("journal", 16 << 20);

    begin(&s, 2);
    service_keep(&s, journal, "");
    fds[0] = open_tap(&s, FIRST, OPEN(""), "nb-0");
    wait_for(&s, 2);
    keeper_end_listen(&s.keeper, false);
    client_say(&s, OTHER, OPEN(""));
    service_settle(&s);
    ck_assert_uint_eq(s.services.leases.by_id.count, 2); /* the lease is first */
    ck_assert_int_eq(spares_find(&s.keeper.operations, "nb-1")->state, SPARE_READY);

    follow(&next, &s, journal);
    ck_assert_uint_eq(next.services.leases.by_id.count, 1);
    ck_assert_ptr_null(taps_find_tap(stock_of(&next)->taps, "nb-1"));
    fds[1] = open_tap(&next, FIRST, OPEN(""), "nb-1");
    close(fds[0]);
    close(fds[1]);
    end(&next);
    close(journal);
}
END_TEST

/* Without a journal, what is found is held; but spares are known. */
START_TEST(spares_are_not_held_as_found)
{
    static struct service s, next;
    int fd, journal = memory_make("journal", 16 << 20);

    fd = fill(&s, 2);
    close_all(&s);

    follow(&next, &s, journal);
    ck_assert_uint_eq(taps_total(stock_of(&next)->taps).taps, 1);
    ck_assert_uint_eq(stock_count(stock_of(&next)), 2);
    close(fd);
    end(&next);
    close(journal);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, there_are_none_before_the_first_request);
    tcase_add_test(tests, a_spare_is_handed_over_once);
    tcase_add_test(tests, two_users_never_get_the_same);
    tcase_add_test(tests, none_are_made_where_none_are_wanted);
    tcase_add_loop_test(tests, who_wants_another_gets_it_made, 0, sizeof others / sizeof *others);
    tcase_add_test(tests, a_dry_run_takes_none);
    tcase_add_test(tests, a_spare_is_taken_by_its_name_as_well);
    tcase_add_test(tests, a_spare_makes_way);
    tcase_add_test(tests, a_spare_that_does_not_end_keeps_nobody);
    tcase_add_test(tests, there_are_some_of_what_was_asked_for_lately);
    tcase_add_test(tests, ever_other_shapes_make_no_work);
    tcase_add_loop_test(tests, what_others_changed_is_not_handed_over, 0, 2);
    tcase_add_test(tests, a_port_goes_with_its_bridge);
    tcase_add_test(tests, what_cannot_be_made_is_not_tried_at_once);
    tcase_add_test(tests, only_notices_of_spares_make_spares);
    tcase_add_test(tests, the_next_broker_has_the_same_spares);
    tcase_add_test(tests, a_lease_of_a_spare_that_was_not_handed_over_is_none);
    tcase_add_test(tests, spares_are_not_held_as_found);
}

int main(void)
{
    return suite_run("spares", add_tests);
}
