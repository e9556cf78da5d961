/* The keeper's table of operations: what it answers on its end of the channel. */
#include "fake.h"
#include "fdpass.h"
#include "keeper/operations.h"
#include "log.h"
#include "resources/join/operations.h"
#include "resources/mroute/operations.h"
#include "resources/tap/operations.h"
#include "resources/tap/spares.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct config config;
    struct kept kept;
    struct operations operations;
    struct channel keeper, broker;
    uint32_t id;
};

static bool run_at_once(void *context, const struct errand *errand)
{
    struct fixture *f = context;

    errand_do(errand, &f->operations);
    operations_errands_ended(&f->operations);
    return true;
}

static void begin(struct fixture *f)
{
    int pair[2], ends[2];

    memset(f, 0, sizeof *f);
    fake_reset();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    f->keeper = (struct channel){ends[0], pair[0]};
    f->broker = (struct channel){ends[1], pair[1]};
    f->operations.config = &f->config;
    f->operations.kept = &f->kept;
    f->operations.defer = run_at_once;
    f->operations.context = f;
    operations_begin(&f->operations);
}

static void end(struct fixture *f)
{
    for (size_t i = 0; i < f->kept.count; i++)
        close(f->kept.entries[i].fd);
    close(f->keeper.requests);
    close(f->keeper.answers);
    close(f->broker.requests);
    close(f->broker.answers);
}

/* The answer's error. */
static int ask(struct fixture *f, struct keeper_request request)
{
    struct keeper_answer answer;
    int fd;

    request.id = ++f->id;
    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
    ck_assert_int_eq(fdpass_receive(f->broker.answers, &answer, sizeof answer, &fd), 1);
    ck_assert_uint_eq(answer.id, f->id);
    ck_assert_uint_eq(answer.names_ever, f->kept.name_ever_count);
    ck_assert_int_eq(fd >= 0, answer.error == 0);
    if (fd >= 0)
        close(fd);
    return answer.error;
}

/* The same of an operation without a descriptor. */
static int ask_error(struct fixture *f, struct keeper_request request)
{
    struct keeper_answer answer;
    int fd;

    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
    ck_assert_int_eq(fdpass_receive(f->broker.answers, &answer, sizeof answer, &fd), 1);
    ck_assert_int_lt(fd, 0);
    return answer.error;
}

static void tell(struct fixture *f, struct keeper_request request)
{
    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
}

static struct keeper_request open_request(uint32_t table)
{
    return (struct keeper_request){
        .operation = KEEPER_OPEN_MROUTE,
        .family = FAMILY_IPV4,
        .number = table,
    };
}

START_TEST(so_many_tables_are_ever_opened)
{
    char name[KEPT_NAME_MAX + 1];
    struct fixture f;

    begin(&f);
    for (unsigned i = 0; i < KEPT_NAMES_EVER_MAX - 1; i++) {
        snprintf(name, sizeof name, "mroute-ipv4-%u", 1000 + i);
        ck_assert_int_eq(kept_take(&f.kept, name, dup(0)), 0);
        kept_remove(&f.kept, name);
    }
    ck_assert_int_eq(ask(&f, open_request(1)), 0);
    ck_assert_int_eq(ask(&f, open_request(2)), -EDQUOT);
    ck_assert_int_eq(ask(&f, open_request(1)), 0);
    ck_assert_int_eq(ask(&f, open_request(1000)), 0);
    end(&f);
}
END_TEST

START_TEST(so_many_tables_are_open_at_the_same_time)
{
    struct fixture f;

    begin(&f);
    for (uint32_t i = 1; i <= KEPT_TABLES_MAX; i++)
        ck_assert_int_eq(ask(&f, open_request(i)), 0);
    ck_assert_int_eq(ask(&f, open_request(100)), -ENFILE);
    ck_assert_int_eq(ask(&f, open_request(1)), 0);
    end(&f);
}
END_TEST

START_TEST(a_closed_table_is_free_whoever_has_a_copy)
{
    struct keeper_request close_request = open_request(7);
    struct fixture f;
    int copy;

    begin(&f);
    ck_assert_int_eq(ask(&f, open_request(7)), 0);
    copy = dup(kept_find(&f.kept, "mroute-ipv4-7"));
    close_request.operation = KEEPER_CLOSE_MROUTE;
    tell(&f, close_request);
    ck_assert_int_eq(ask(&f, open_request(7)), 0);
    close(copy);
    end(&f);
}
END_TEST

/* Whatever the broker before did to it. */
START_TEST(a_new_broker_finds_tables_that_serve)
{
    struct fixture f;
    int fd;

    begin(&f);
    ck_assert_int_eq(ask(&f, open_request(7)), 0);
    ck_assert_int_eq(ask(&f, open_request(8)), 0);
    fd = kept_find(&f.kept, "mroute-ipv4-7");
    log_set_level(LOG_CRIT);
    fake_table_spoil(FAMILY_IPV4, 7, 1);
    operations_begin(&f.operations);
    ck_assert_int_eq(kept_find(&f.kept, "mroute-ipv4-7"), fd);
    fake_table_spoil(FAMILY_IPV4, 7, -ESHUTDOWN);
    operations_begin(&f.operations);
    ck_assert(fake_table_is_owned(FAMILY_IPV4, 7));
    ck_assert(fake_table_is_owned(FAMILY_IPV4, 8));
    ck_assert_uint_eq(f.kept.count, 2);
    ck_assert_uint_eq(f.kept.name_ever_count, 2);
    ck_assert_int_eq(ask(&f, open_request(7)), 0);
    end(&f);
}
END_TEST

START_TEST(tables_that_are_not_allowed_are_left_alone)
{
    struct keeper_request rule = {.family = FAMILY_IPV4, .number = 8, .ifindex = 1, .name = "b"};
    struct fixture f;
    int fd;

    begin(&f);
    fake_netif_add("a");
    tables_allowed_parse("7", &f.config.tables);
    fd = mroute_socket_open(FAMILY_IPV4, 8);
    ck_assert_int_eq(kept_take(&f.kept, "mroute-ipv4-8", fd), 0);
    fake_rule_add(FAMILY_IPV4, 8, "b", true);
    ck_assert_int_eq(ask(&f, open_request(8)), -EACCES);
    rule.operation = KEEPER_ADD_RULE;
    ck_assert_int_eq(ask(&f, rule), -EACCES);
    rule.operation = KEEPER_DEL_RULE;
    tell(&f, rule);
    rule.operation = KEEPER_CLOSE_MROUTE;
    tell(&f, rule);
    ck_assert(fake_rule_exists(FAMILY_IPV4, 8, "b", true));
    ck_assert_uint_eq(fake_rule_count(), 1);
    ck_assert_int_eq(kept_find(&f.kept, "mroute-ipv4-8"), fd);
    end(&f);
}
END_TEST

START_TEST(rules_that_were_left_go_at_the_start)
{
    struct fixture f;
    int others, ours;

    begin(&f);
    others = mroute_socket_open(FAMILY_IPV4, 9);
    ours = mroute_socket_open(FAMILY_IPV4, 7);
    ck_assert(kept_inherit(&f.kept, "mroute-ipv4-7", ours));
    for (uint32_t table = 7; table <= 9; table++)
        fake_rule_add(FAMILY_IPV4, table, "b", true);
    fake_rule_add(FAMILY_IPV6, 8, "b", true);
    fake_rule_add(FAMILY_IPV6, 8, "b", false);
    tables_allowed_parse("7", &f.config.tables); /* whatever the configuration allows */
    ck_assert(kept_start(&f.kept, &f.config));
    ck_assert(fake_rule_exists(FAMILY_IPV4, 7, "b", true));
    ck_assert(fake_rule_exists(FAMILY_IPV4, 9, "b", true));
    ck_assert(fake_rule_exists(FAMILY_IPV6, 8, "b", false));
    ck_assert_uint_eq(fake_rule_count(), 3);
    close(others);
    end(&f);
}
END_TEST

/* --- Sockets of joins ---------------------------------------------------------------------- */

static const struct keeper_request join_request = {
    .operation = KEEPER_OPEN_JOINS,
    .family = FAMILY_IPV4,
};
static const struct keeper_request joined = {.operation = KEEPER_JOINED};

START_TEST(a_broker_that_joined_all_ends_those_before_it)
{
    struct fixture f;

    begin(&f);
    ck_assert_int_eq(ask(&f, join_request), 0);
    ck_assert_int_eq(ask(&f, join_request), 0);
    tell(&f, joined);
    ck_assert_int_ge(kept_find(&f.kept, "join-1-2"), 0);
    operations_begin(&f.operations);
    ck_assert_int_eq(ask(&f, join_request), 0);
    ck_assert_uint_eq(f.kept.count, 3);
    tell(&f, joined);
    ck_assert_uint_eq(f.kept.count, 1);
    ck_assert_int_ge(kept_find(&f.kept, "join-2-1"), 0);
    end(&f);
}
END_TEST

START_TEST(a_broker_that_died_before_leaves_nothing)
{
    struct fixture f;

    begin(&f);
    ck_assert_int_eq(ask(&f, join_request), 0);
    tell(&f, joined);
    operations_begin(&f.operations);
    ck_assert_int_eq(ask(&f, join_request), 0);
    operations_begin(&f.operations);
    ck_assert_uint_eq(f.kept.count, 1);
    ck_assert_int_ge(kept_find(&f.kept, "join-1-1"), 0);
    end(&f);
}
END_TEST

static int inherit(struct fixture *f, const char *name)
{
    int fd = dup(0);

    if (kept_inherit(&f->kept, name, fd))
        return 0;
    close(fd);
    return -1;
}

START_TEST(another_keeper_goes_on_with_the_oldest_generation)
{
    struct fixture f;

    begin(&f);
    ck_assert_int_eq(inherit(&f, "join-8-1"), 0);
    ck_assert_int_eq(inherit(&f, "join-7-1"), 0);
    ck_assert_int_eq(inherit(&f, "join-7-2"), 0);
    operations_begin(&f.operations);
    ck_assert_uint_eq(f.kept.count, 2);
    ck_assert_int_lt(kept_find(&f.kept, "join-8-1"), 0);
    ck_assert_uint_eq(f.kept.generation, 9);
    tell(&f, joined);
    ck_assert_uint_eq(f.kept.count, 0);
    end(&f);
}
END_TEST

START_TEST(other_names_are_not_inherited)
{
    static const char *const names[] = {
        "",
        "join-",
        "join-1",
        "join-0-1",
        "join--1-1",
        "join-1-1x",
        "join- 1-1",
        "join-01-1",
        "join-4294967295-1",
        "join-99999999999-1",
        "join-1-1-1",
        "join-111111111111111111111111111111111111111111-1",
        "joins-1",
        "joins-record",
        "mroute-ipv4-",
        "mroute-ipv4-0253",
        "mroute-ipv5-253",
        "mroute-ipv4-253x",
        "mroute",
        "journals",
        "counters",
    };
    struct fixture f;

    begin(&f);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(inherit(&f, names[i]), -1);
    ck_assert_int_eq(inherit(&f, "mroute-ipv4-253"), 0);
    ck_assert_int_eq(inherit(&f, "mroute-ipv4-253"), -1);
    ck_assert_uint_eq(f.kept.count, 1);
    end(&f);
}
END_TEST

START_TEST(a_broker_has_so_many_sockets_of_joins_and_no_more)
{
    struct rlimit limit;
    struct fixture f;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    begin(&f);
    for (int generation = 1; generation <= 2; generation++) {
        for (int i = 0; i < JOIN_SOCKETS_MAX; i++)
            ck_assert_int_eq(ask(&f, join_request), 0);
        ck_assert_int_eq(ask(&f, join_request), -ENFILE);
        if (generation == 1)
            operations_begin(&f.operations);
    }
    ck_assert_uint_eq(f.kept.count, 2UL * JOIN_SOCKETS_MAX);
    end(&f);
}
END_TEST

/* --- Taps ---------------------------------------------------------------------------------- */

static struct keeper_request tap_request(uint32_t operation)
{
    return (struct keeper_request){
        .operation = operation,
        .tap = {.name = "nb-0",
                .mac = {TAP_PORT_MAC_FIRST, 1},
                .mtu = 1500,
                .owner = 1000,
                .queues = 1},
    };
}

/* Of the interface that is called so now. */
static struct keeper_request close_request(void)
{
    struct keeper_request request = tap_request(KEEPER_CLOSE_TAP);

    request.ifindex = taps_find(request.tap.name);
    return request;
}

static void add_host(struct keeper_request *request, const char *address, uint8_t length)
{
    struct host_address *host = &request->tap.hosts[request->tap.host_count++];

    ck_assert(address_parse(address, &host->address));
    host->length = length;
}

static void begin_taps(struct fixture *f)
{
    begin(f);
    strcpy(f->config.tap_prefix, TAP_PREFIX_DEFAULT);
    tap_bridges_parse("br0", &f->config.tap_bridges);
    tap_networks_parse("192.0.2.0/24, 2001:db8::/64", &f->config.tap_networks);
    fake_netif_add("br0");
}

START_TEST(a_tap_ends_with_the_copy_of_the_broker)
{
    struct fixture f;

    begin_taps(&f);
    ck_assert_int_eq(ask(&f, tap_request(KEEPER_OPEN_TAP)), 0); /* which closes what came */
    ck_assert_uint_eq(f.kept.count, 0);
    ck_assert_uint_eq(fake_tap_count(), 0);
    end(&f);
}
END_TEST

static int open_tap(struct fixture *f, struct keeper_request request)
{
    struct keeper_answer answer;
    int fd;

    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
    ck_assert_int_eq(fdpass_receive(f->broker.answers, &answer, sizeof answer, &fd), 1);
    ck_assert_int_eq(answer.error, 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

START_TEST(a_tap_is_what_was_asked_for_until_it_is_closed)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);
    const struct tap_config *made;
    struct fixture f;
    int fd;
    char byte;

    begin_taps(&f);
    add_host(&request, "192.0.2.1", 24);
    add_host(&request, "2001:db8::1", 64);
    fd = open_tap(&f, request);
    made = fake_tap_find("nb-0");
    ck_assert_ptr_nonnull(made);
    ck_assert_int_eq(memcmp(made, &request.tap, sizeof *made), 0);
    ck_assert_int_eq(ask(&f, tap_request(KEEPER_OPEN_TAP)), -EBUSY);
    tell(&f, close_request());
    ck_assert_uint_eq(fake_tap_count(), 0);
    ck_assert_int_eq(read(fd, &byte, 1), 0);
    tell(&f, close_request());
    close(fd);
    end(&f);
}
END_TEST

/* The descriptors of an answer without an error, the caller's. */
static struct fdpass_list open_queues(struct fixture *f, struct keeper_request request)
{
    struct keeper_answer answer;
    struct fdpass_list list;

    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
    ck_assert_int_eq(
        fdpass_receive_some(f->broker.answers, &answer, sizeof answer, &list, FDPASS_MAX),
        sizeof answer);
    ck_assert_int_eq(answer.error, 0);
    return list;
}

START_TEST(each_queue_of_a_tap_is_a_descriptor)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);
    struct fdpass_list list;
    struct fixture f;

    begin_taps(&f);
    request.tap.queues = 3;
    list = open_queues(&f, request);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(fake_tap_find("nb-0")->queues, 3);
    close(list.fds[0]);
    close(list.fds[2]);
    ck_assert_uint_eq(fake_tap_count(), 1);
    close(list.fds[1]);
    ck_assert_uint_eq(fake_tap_count(), 0); /* the keeper has no copy */
    request.tap.flags = TAP_PERSISTENT;
    list = open_queues(&f, request);
    ck_assert_uint_eq(list.count, 1);
    close(list.fds[0]);
    ck_assert_uint_eq(fake_tap_count(), 1);
    tell(&f, close_request());
    end(&f);
}
END_TEST

START_TEST(a_tap_has_all_its_queues_or_is_not_made)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);
    struct fixture f;

    begin_taps(&f);
    request.tap.queues = 0;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request.tap.queues = TAP_QUEUES_MAX + 1;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request.tap.queues = TAP_QUEUES_MAX;
    fake_fail(4, -EMFILE);
    ck_assert_int_eq(ask(&f, request), -EMFILE);
    ck_assert_uint_eq(fake_tap_count(), 0);
    ck_assert_uint_eq(f.operations.more_count, 0);
    ck_assert_int_eq(ask(&f, request), 0);
    end(&f);
}
END_TEST

/* --- On an uplink -------------------------------------------------------------------------- */

static struct keeper_request uplink_request(void)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);

    strcpy(request.tap.uplink, "eth0");
    return request;
}

static void begin_uplinks(struct fixture *f)
{
    begin_taps(f);
    fake_netif_add("eth0");
    fake_netif_add("eth1");
    tap_bridges_parse("eth0", &f->config.tap_uplinks);
}

static int events_of(int fd)
{
    struct pollfd polled = {.fd = fd};

    return poll(&polled, 1, 0) == 1 ? polled.revents : 0;
}

START_TEST(each_end_of_a_lifeline_sees_the_other_s)
{
    struct fdpass_list list;
    struct fixture f;

    begin_uplinks(&f);
    list = open_queues(&f, uplink_request());
    ck_assert_uint_eq(list.count, 3);
    ck_assert_int_ge(kept_find(&f.kept, "lifeline-nb-0"), 0);
    ck_assert_int_eq(events_of(list.fds[2]), 0);
    close(list.fds[1]);
    ck_assert_int_eq(events_of(list.fds[2]), POLLHUP); /* the keeper has no copy */
    tell(&f, close_request());
    ck_assert_uint_eq(f.kept.count, 0);
    ck_assert_uint_eq(fake_tap_count(), 0);
    close(list.fds[0]);
    close(list.fds[2]);

    list = open_queues(&f, uplink_request());
    close(list.fds[2]);
    ck_assert_int_eq(events_of(list.fds[1]), 0);
    tell(&f, close_request());
    ck_assert_int_eq(events_of(list.fds[1]), POLLERR);
    close(list.fds[0]);
    close(list.fds[1]);
    end(&f);
}
END_TEST

START_TEST(uplinks_are_those_of_the_configuration)
{
    struct keeper_request request;
    struct fixture f;

    begin_uplinks(&f);
    request = uplink_request();
    strcpy(request.tap.uplink, "eth1");
    ck_assert_int_eq(ask(&f, request), -EACCES);
    memset(request.tap.uplink, 'e', sizeof request.tap.uplink); /* without an end */
    ck_assert_int_eq(ask(&f, request), -EACCES);
    tap_bridges_parse("eth0, eth2", &f.config.tap_uplinks);
    strcpy(request.tap.uplink, "eth2");
    ck_assert_int_eq(ask(&f, request), -ENODEV);
    request = uplink_request();
    strcpy(request.tap.bridge, "br0");
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request = uplink_request();
    request.tap.queues = 2;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request = uplink_request();
    request.tap.flags = TAP_PERSISTENT;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request = uplink_request();
    add_host(&request, "192.0.2.1", 24);
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request = uplink_request();
    f.config.tap_spares = 2;
    request.operation = KEEPER_SPARE_TAP;
    ck_assert_int_eq(ask_error(&f, request), -EINVAL);
    ck_assert_uint_eq(fake_tap_count(), 0);
    ck_assert_uint_eq(f.kept.count, 0);
    end(&f);
}
END_TEST

/* Only one that nobody has may be opened again: the device can be. */
START_TEST(a_macvtap_is_handed_over_once)
{
    struct fdpass_list list;
    struct fixture f;

    begin_uplinks(&f);
    fake_nodes_are_late(2);
    ck_assert_int_eq(ask(&f, uplink_request()), -EINPROGRESS);
    ck_assert_int_eq(ask(&f, uplink_request()), -EINPROGRESS);
    ck_assert_uint_eq(f.kept.count, 0);
    list = open_queues(&f, uplink_request());
    ck_assert_int_eq(ask(&f, uplink_request()), -EBUSY);
    fdpass_close(&list);
    ck_assert_int_eq(ask(&f, uplink_request()), -EBUSY); /* its lease has not ended */
    tell(&f, close_request());
    ck_assert_int_eq(ask(&f, uplink_request()), 0);
    end(&f);
}
END_TEST

START_TEST(there_are_so_many_lifelines)
{
    struct keeper_request request = uplink_request();
    struct fixture f;

    begin_uplinks(&f);
    for (unsigned i = 0; i < TAP_LIFELINES_MAX; i++) {
        snprintf(request.tap.name, sizeof request.tap.name, "nb-%u", i);
        ck_assert_int_eq(ask(&f, request), 0);
    }
    strcpy(request.tap.name, "nb-more");
    ck_assert_int_eq(ask(&f, request), -ENFILE);
    ck_assert_uint_eq(fake_tap_count(), TAP_LIFELINES_MAX);
    end(&f);
}
END_TEST

START_TEST(a_lifeline_of_the_manager_is_a_pipe_that_is_read)
{
    struct fixture f;
    int ends[2];

    begin_uplinks(&f);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(!kept_inherit(&f.kept, "lifeline-nb-0", ends[1]));
    ck_assert(!kept_inherit(&f.kept, "lifeline-", ends[0]));
    ck_assert(!kept_inherit(&f.kept, "lifeline-nb-0", f.keeper.answers));
    ck_assert(kept_inherit(&f.kept, "lifeline-nb-0", ends[0]));
    close(ends[1]);
    end(&f);
}
END_TEST

/* Others have exchanged the names of two, and then one has ended: the other one stays. */
START_TEST(a_tap_is_closed_by_its_index)
{
    struct keeper_request open = tap_request(KEEPER_OPEN_TAP);
    struct keeper_request ended = tap_request(KEEPER_CLOSE_TAP);
    struct fixture f;
    int fds[2];

    begin_taps(&f);
    fds[0] = open_tap(&f, open);
    ended.ifindex = taps_find("nb-0");
    strcpy(open.tap.name, "nb-1");
    fds[1] = open_tap(&f, open);
    fake_netif_rename("nb-0", "eth9");
    fake_netif_rename("nb-1", "nb-0");
    tell(&f, tap_request(KEEPER_CLOSE_TAP));
    ck_assert_uint_eq(fake_tap_count(), 2);
    tell(&f, ended);
    ck_assert_uint_eq(fake_tap_count(), 1);
    ck_assert_ptr_nonnull(fake_tap_find("nb-1"));
    close(fds[0]);
    close(fds[1]);
    end(&f);
}
END_TEST

START_TEST(only_taps_of_ours_are_closed_or_joined)
{
    struct keeper_request join = tap_request(KEEPER_JOIN_TAP);
    struct keeper_request open = tap_request(KEEPER_OPEN_TAP);
    struct fixture f;
    int fd;

    begin_taps(&f);
    fake_netif_add("nb-0");
    strcpy(join.tap.bridge, "br0");
    log_set_level(LOG_CRIT);
    ck_assert_int_eq(ask(&f, join), -EPERM);
    tell(&f, close_request());
    ck_assert_int_eq(ask(&f, open), -EBUSY);
    strcpy(open.tap.name, "nb-1");
    strcpy(join.tap.name, "nb-1");
    ck_assert_int_eq(ask(&f, join), -ENODEV);
    fd = open_tap(&f, open);
    join.tap.flags = TAP_ISOLATED;
    ck_assert_int_eq(ask_error(&f, join), 0);
    ck_assert_str_eq(fake_tap_find("nb-1")->bridge, "br0");
    ck_assert_uint_eq(fake_tap_find("nb-1")->flags, TAP_ISOLATED);
    strcpy(join.tap.bridge, "br1");
    ck_assert_int_eq(ask(&f, join), -EACCES);
    close(fd);
    end(&f);
}
END_TEST

START_TEST(a_network_that_another_interface_has_is_refused)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);
    struct fixture f;

    begin_taps(&f);
    fake_host_add("eth0", "192.0.2.130/25");
    fake_route_add("eth1", "192.0.2.64/26");
    add_host(&request, "192.0.2.129", 25);
    ck_assert_int_eq(ask(&f, request), -EADDRINUSE);
    request.tap.host_count = 0;
    add_host(&request, "192.0.2.65", 26); /* the host has a route to it */
    ck_assert_int_eq(ask(&f, request), -EADDRINUSE);
    request.tap.host_count = 0;
    add_host(&request, "192.0.2.1", 25);
    ck_assert_int_eq(ask(&f, request), 0);
    end(&f);
}
END_TEST

static void add_route(struct keeper_request *request, const char *text)
{
    prefix_parse(text, &request->tap.routes[request->tap.route_count++]);
}

START_TEST(routes_that_are_not_allowed_are_not_made)
{
    static const struct {
        const char *route;
        int error;
    } rows[] = {
        {"192.0.2.128/25", 0},      {"192.0.2.64/27", -EEXIST},  /* eth0 has an address of it */
        {"192.0.2.64/32", -EEXIST}, {"192.0.2.192/26", -EEXIST}, /* the host has a route to it */
        {"192.0.2.192/27", 0},      {"192.0.3.0/25", -EACCES},   {"192.0.2.0/23", -EACCES},
        {"2001:db8::/80", -EINVAL}, /* without an address of its family */
    };
    struct keeper_request request;
    struct fixture f;

    begin_taps(&f);
    fake_host_add("eth0", "192.0.2.66/27");
    fake_route_add("eth1", "192.0.2.192/26");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        request = tap_request(KEEPER_OPEN_TAP);
        add_host(&request, "192.0.2.1", 26);
        add_route(&request, rows[i].route);
        ck_assert_int_eq(ask(&f, request), rows[i].error);
    }
    end(&f);
}
END_TEST

/* What no broker of ours sends. */
START_TEST(routes_that_are_none_are_not_made)
{
    struct keeper_request requests[7];
    struct fixture f;

    begin_taps(&f);
    for (size_t i = 0; i < 7; i++) {
        requests[i] = tap_request(KEEPER_OPEN_TAP);
        add_host(&requests[i], "192.0.2.1", 26);
        add_route(&requests[i], "192.0.2.128/25");
    }
    requests[0].tap.route_count = TAP_ROUTES_MAX + 1;
    requests[1].tap.routes[0].address.family = 5;
    requests[2].tap.routes[0].length = 0;
    requests[3].tap.routes[0].length = 33;
    requests[4].tap.routes[0].address.bytes[3] = 129; /* bits behind the length */
    requests[5].tap.routes[0].address.bytes[5] = 1;
    prefix_parse("239.1.2.0/24", &requests[6].tap.routes[0]);
    for (size_t i = 0; i < 7; i++)
        ck_assert_msg(ask(&f, requests[i]) == -EINVAL, "request %zu", i);
    end(&f);
}
END_TEST

/* Each row changes what would be made. */
START_TEST(taps_that_are_not_allowed_are_not_made)
{
    static const struct {
        const char *name, *bridge, *host;
        uint8_t length;
        uint8_t mac;
        uint32_t mtu, flags;
        int error;
    } rows[] = {
        {"nb-0", "", NULL, 0, 0xfe, 1500, 0, 0},
        {"nb-0", "br0", NULL, 0, 0xfe, 576, TAP_ISOLATED | TAP_OFFLOAD, 0},
        {"nb-0", "", "192.0.2.1", 24, 0x02, 65521, TAP_QUIET, 0},
        {"nb-0", "", "2001:db8::1", 64, 0x02, 1500, 0, 0},
        {"eth0", "", NULL, 0, 0xfe, 1500, 0, -EACCES},
        {"nb-", "", NULL, 0, 0xfe, 1500, 0, -EACCES},
        {"nb-%d", "", NULL, 0, 0xfe, 1500, 0, -EACCES},
        {"nb-0", "br1", NULL, 0, 0xfe, 1500, 0, -EACCES},
        {"nb-0", "br0", NULL, 0, 0x02, 1500, 0, -EINVAL},
        {"nb-0", "br0", "192.0.2.1", 24, 0xfe, 1500, 0, -EINVAL},
        {"nb-0", "", NULL, 0, 0xfe, 1500, TAP_ISOLATED, -EINVAL},
        {"nb-0", "", NULL, 0, 0xfe, 1500, TAP_FLAGS_ALL + 1, -EINVAL},
        {"nb-0", "", NULL, 0, 0x01, 1500, 0, -EINVAL},
        {"nb-0", "", NULL, 0, 0xfe, 575, 0, -EINVAL},
        {"nb-0", "", NULL, 0, 0xfe, 65522, 0, -EINVAL},
        {"nb-0", "", "192.0.2.1", 23, 0xfe, 1500, 0, -EACCES},
        {"nb-0", "", "192.0.3.1", 24, 0xfe, 1500, 0, -EACCES},
        {"nb-0", "", "192.0.2.0", 24, 0xfe, 1500, 0, -EINVAL},
        {"nb-0", "", "192.0.2.1", 33, 0xfe, 1500, 0, -EINVAL},
        {"nb-0", "", "192.0.2.1", 0, 0xfe, 1500, 0, -EINVAL},
        {"nb-0", "", "2001:db8::1", 64, 0xfe, 1500, TAP_QUIET, -EINVAL},
    };
    struct fixture f;

    begin_taps(&f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct keeper_request request = tap_request(KEEPER_OPEN_TAP);

        strcpy(request.tap.name, rows[i].name);
        strcpy(request.tap.bridge, rows[i].bridge);
        request.tap.mac[0] = rows[i].mac;
        request.tap.mtu = rows[i].mtu;
        request.tap.flags = rows[i].flags;
        if (rows[i].host)
            add_host(&request, rows[i].host, rows[i].length);
        ck_assert_int_eq(ask(&f, request), rows[i].error);
    }
    end(&f);
}
END_TEST

/* The kernel would let everybody attach it. */
START_TEST(a_tap_of_nobody_is_not_made)
{
    struct keeper_request request = tap_request(KEEPER_OPEN_TAP);
    struct fixture f;

    begin_taps(&f);
    request.tap.owner = UINT32_MAX;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    end(&f);
}
END_TEST

START_TEST(a_message_of_another_size_ends_the_broker)
{
    struct keeper_request request = open_request(1);
    struct fixture f;

    begin(&f);
    ck_assert(operations_take(&f.operations, &f.keeper)); /* nothing is there */
    ck_assert_int_eq(write(f.broker.requests, &request, 7), 7);
    ck_assert(!operations_take(&f.operations, &f.keeper));
    request.operation = KEEPER_OPERATION_COUNT;
    ck_assert_int_eq(write(f.broker.requests, &request, sizeof request), sizeof request);
    ck_assert(!operations_take(&f.operations, &f.keeper));
    ck_assert_uint_eq(f.kept.count, 0);
    end(&f);
}
END_TEST

static struct keeper_request spare_request(const char *name)
{
    struct keeper_request request = tap_request(KEEPER_SPARE_TAP);

    strcpy(request.tap.name, name);
    return request;
}

static enum spare_state state_of(const struct fixture *f, const char *name)
{
    const struct spare *spare = spares_find(&f->operations, name);

    return spare ? spare->state : SPARE_NONE;
}

static void begin_with_spares(struct fixture *f, unsigned count)
{
    begin(f);
    strcpy(f->config.tap_prefix, TAP_PREFIX_DEFAULT);
    f->config.tap_spares = count;
}

START_TEST(a_spare_is_the_keeper_s_until_it_is_asked_for)
{
    struct keeper_request open = tap_request(KEEPER_OPEN_TAP);
    struct fixture f;
    unsigned ifindex;
    int fd;

    begin_with_spares(&f, 2);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-0")), 0);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-0")), -EEXIST);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-1")), 0);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-2")), -ENOSPC);
    ck_assert_uint_eq(fake_tap_count(), 2);
    ck_assert_uint_eq(fake_tap_find("nb-0")->owner, getuid());
    tell(&f, close_request());
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_READY);
    ck_assert_uint_eq(fake_tap_count(), 2);
    ifindex = taps_find("nb-0");
    open.tap.mtu = 1400; /* not what it is */
    ck_assert_int_eq(ask(&f, open), -EBUSY);
    open = tap_request(KEEPER_OPEN_TAP);
    open.tap.queues = 2;
    ck_assert_int_eq(ask(&f, open), -EBUSY);
    fd = open_tap(&f, tap_request(KEEPER_OPEN_TAP));
    ck_assert_uint_eq(taps_find("nb-0"), ifindex);
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_NONE);
    ck_assert_int_eq(ask(&f, tap_request(KEEPER_OPEN_TAP)), -EBUSY); /* it is lent */
    close(fd);
    ck_assert_uint_eq(fake_tap_count(), 1); /* that was the only descriptor */
    spares_close(&f.operations);
    end(&f);
}
END_TEST

/* The next broker would lend it as isolated. */
START_TEST(a_spare_is_not_changed)
{
    struct keeper_request spare = spare_request("nb-0"), join = tap_request(KEEPER_JOIN_TAP);
    struct fixture f;

    begin_taps(&f);
    f.config.tap_spares = 1;
    strcpy(spare.tap.bridge, "br0");
    spare.tap.flags = TAP_ISOLATED | TAP_QUIET;
    ck_assert_int_eq(ask_error(&f, spare), 0);
    strcpy(join.tap.bridge, "br0");
    ck_assert_int_eq(ask_error(&f, join), -EBUSY);
    ck_assert_uint_eq(fake_tap_find("nb-0")->flags, TAP_ISOLATED | TAP_QUIET);
    spares_close(&f.operations);
    end(&f);
}
END_TEST

START_TEST(a_spare_is_judged_as_a_tap)
{
    struct keeper_request request = spare_request("nb-0");
    struct fixture f;

    begin_with_spares(&f, 2);
    tap_networks_parse("192.0.2.0/24", &f.config.tap_networks);
    request.tap.flags = TAP_PERSISTENT;
    ck_assert_int_eq(ask_error(&f, request), -EINVAL);
    request = spare_request("nb-0");
    add_host(&request, "192.0.2.1", 24);
    ck_assert_int_eq(ask_error(&f, request), -EINVAL);
    request = spare_request("nb-0");
    request.tap.queues = 2;
    ck_assert_int_eq(ask_error(&f, request), -EINVAL);
    ck_assert_int_eq(ask_error(&f, spare_request("eth0")), -EACCES);
    request = spare_request("nb-0");
    strcpy(request.tap.bridge, "br9");
    ck_assert_int_eq(ask_error(&f, request), -EACCES);
    ck_assert_uint_eq(fake_tap_count(), 0);
    f.config.tap_spares = 0;
    ck_assert_int_eq(ask_error(&f, spare_request("nb-0")), -ENOSPC);
    end(&f);
}
END_TEST

/* The broker has not heard of it. */
START_TEST(a_spare_that_others_changed_is_made_anew)
{
    struct fixture f;
    unsigned ifindex;
    int fd;

    begin_with_spares(&f, 2);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-0")), 0);
    ifindex = taps_find("nb-0");
    if (_i == 0)
        ck_assert_int_eq(taps_delete(ifindex), 0);
    else if (_i == 1)
        fake_netif_rename("nb-0", "nb-z");
    else
        fake_netif_del("nb-0"); /* it is in another network namespace */
    fd = open_tap(&f, tap_request(KEEPER_OPEN_TAP));
    ck_assert_uint_ne(taps_find("nb-0"), ifindex);
    ck_assert_uint_eq(taps_find("nb-z"), 0);
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_NONE);
    ck_assert_uint_eq(fake_tap_count(), 1);
    close(fd);
    end(&f);
}
END_TEST

static struct errand waiting;

static bool run_later(void *context, const struct errand *errand)
{
    (void)context;
    waiting = *errand;
    return true;
}

/* Whether the process beside the loop has begun with it or not. */
START_TEST(a_spare_is_dropped_before_it_is_there)
{
    struct keeper_request spare = spare_request("nb-0");
    struct fixture f;

    begin_with_spares(&f, 1);
    f.operations.defer = run_later;
    ck_assert_int_eq(ask_error(&f, spare), 0);
    tell(&f, tap_request(KEEPER_DROP_SPARE));
    f.operations.defer = run_at_once;
    if (_i == 0)
        errand_do(&waiting, &f.operations);
    else
        waiting.made(&f.operations, waiting.number, taps_open(&spare.tap));
    operations_errands_ended(&f.operations);
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_NONE);
    ck_assert_uint_eq(fake_tap_count(), 0);
    end(&f);
}
END_TEST

/* Others rename it before the keeper has its index. */
START_TEST(a_spare_without_its_name_is_none)
{
    struct keeper_request spare = spare_request("nb-0");
    struct fixture f;
    int fd;

    begin_with_spares(&f, 1);
    f.operations.defer = run_later;
    ck_assert_int_eq(ask_error(&f, spare), 0);
    f.operations.defer = run_at_once;
    fd = taps_open(&spare.tap);
    fake_netif_rename("nb-0", "nb-z");
    waiting.made(&f.operations, waiting.number, fd);
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_NONE);
    ck_assert_int_eq(ask_error(&f, spare), 0); /* its place is free */
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_READY);
    fake_taps_settle();
    ck_assert_uint_eq(taps_find("nb-z"), 0);
    spares_close(&f.operations);
    end(&f);
}
END_TEST

START_TEST(a_spare_is_dropped)
{
    struct keeper_request drop = tap_request(KEEPER_DROP_SPARE);
    struct fixture f;
    int fd;

    begin_with_spares(&f, 2);
    ck_assert_int_eq(ask_error(&f, spare_request("nb-0")), 0);
    tell(&f, drop);
    ck_assert_int_eq(state_of(&f, "nb-0"), SPARE_NONE);
    ck_assert_uint_eq(fake_tap_count(), 0);
    fd = open_tap(&f, tap_request(KEEPER_OPEN_TAP));
    tell(&f, drop); /* it is no spare */
    ck_assert_uint_eq(fake_tap_count(), 1);
    close(fd);
    end(&f);
}
END_TEST

/* --- Captures ------------------------------------------------------------------------------ */

static struct keeper_request capture_request(unsigned ifindex)
{
    return (struct keeper_request){
        .operation = KEEPER_OPEN_CAPTURE,
        .packets = {.ifindex = ifindex,
                    .latency = 10,
                    .directions = DIRECTION_IN,
                    .timestamps = TIMESTAMPS_KERNEL},
    };
}

static void begin_captures(struct fixture *f)
{
    begin(f);
    interface_set_parse("c0, d*", &f->config.capture_interfaces);
}

START_TEST(frames_are_of_interfaces_that_are_named)
{
    struct fixture f;
    unsigned named, other;

    begin_captures(&f);
    named = fake_netif_add("c0");
    other = fake_netif_add("c1");
    ck_assert_int_eq(ask(&f, capture_request(named)), 0); /* which closes what came */
    ck_assert_uint_eq(f.kept.count, 0);
    ck_assert_int_eq(ask(&f, capture_request(fake_netif_add("d7"))), 0);
    ck_assert_int_eq(ask(&f, capture_request(other)), -EACCES);
    ck_assert_int_eq(ask(&f, capture_request(9999)), -ENODEV);
    /* What counts is the name that it has now. */
    fake_netif_rename("c0", "e0");
    ck_assert_int_eq(ask(&f, capture_request(named)), -EACCES);
    end(&f);
}
END_TEST

START_TEST(frames_leave_by_interfaces_that_are_named)
{
    struct keeper_request request = {.operation = KEEPER_OPEN_INJECT};
    struct fixture f;

    begin(&f);
    interface_set_parse("c0", &f.config.inject_interfaces);
    interface_set_parse("c1", &f.config.capture_interfaces);
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request.ifindex = UINT32_MAX;
    ck_assert_int_eq(ask(&f, request), -EINVAL);
    request.ifindex = 9999;
    ck_assert_int_eq(ask(&f, request), -ENODEV);
    request.ifindex = fake_netif_add("c1");
    ck_assert_int_eq(ask(&f, request), -EACCES);
    request.ifindex = fake_netif_add("c0");
    ck_assert_int_eq(ask(&f, request), 0);
    ck_assert_uint_eq(f.kept.count, 0);
    fake_netif_rename("c0", "e0");
    ck_assert_int_eq(ask(&f, request), -EACCES);
    end(&f);
}
END_TEST

START_TEST(frames_have_values_that_can_be)
{
    struct packets_config wrong[9];
    struct fixture f;
    unsigned ifindex;

    begin_captures(&f);
    ifindex = fake_netif_add("c0");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        wrong[i] = capture_request(ifindex).packets;
    wrong[0].ifindex = 0;
    wrong[1].latency = 0;
    wrong[2].latency = LATENCY_MAX + 1;
    wrong[3].directions = 0;
    wrong[4].directions = DIRECTION_BOTH + 1;
    wrong[5].ethertypes.count = ETHERTYPES_MAX + 1;
    wrong[6].ethertypes.count = 1; /* which is 0 */
    wrong[7].timestamps = 0;
    wrong[8].timestamps = TIMESTAMPS_INTERFACE + 1;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct keeper_request request = capture_request(ifindex);

        request.packets = wrong[i];
        ck_assert_msg(ask(&f, request) == -EINVAL, "%zu", i);
    }
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, so_many_tables_are_ever_opened);
    tcase_add_test(tests, so_many_tables_are_open_at_the_same_time);
    tcase_add_test(tests, a_closed_table_is_free_whoever_has_a_copy);
    tcase_add_test(tests, a_new_broker_finds_tables_that_serve);
    tcase_add_test(tests, tables_that_are_not_allowed_are_left_alone);
    tcase_add_test(tests, rules_that_were_left_go_at_the_start);
    tcase_add_test(tests, a_broker_that_joined_all_ends_those_before_it);
    tcase_add_test(tests, a_broker_that_died_before_leaves_nothing);
    tcase_add_test(tests, another_keeper_goes_on_with_the_oldest_generation);
    tcase_add_test(tests, other_names_are_not_inherited);
    tcase_add_test(tests, a_broker_has_so_many_sockets_of_joins_and_no_more);
    tcase_add_test(tests, a_tap_ends_with_the_copy_of_the_broker);
    tcase_add_test(tests, a_tap_is_what_was_asked_for_until_it_is_closed);
    tcase_add_test(tests, each_queue_of_a_tap_is_a_descriptor);
    tcase_add_test(tests, each_end_of_a_lifeline_sees_the_other_s);
    tcase_add_test(tests, uplinks_are_those_of_the_configuration);
    tcase_add_test(tests, a_macvtap_is_handed_over_once);
    tcase_add_test(tests, there_are_so_many_lifelines);
    tcase_add_test(tests, a_lifeline_of_the_manager_is_a_pipe_that_is_read);
    tcase_add_test(tests, a_tap_has_all_its_queues_or_is_not_made);
    tcase_add_test(tests, a_tap_is_closed_by_its_index);
    tcase_add_test(tests, only_taps_of_ours_are_closed_or_joined);
    tcase_add_test(tests, a_network_that_another_interface_has_is_refused);
    tcase_add_test(tests, taps_that_are_not_allowed_are_not_made);
    tcase_add_test(tests, routes_that_are_not_allowed_are_not_made);
    tcase_add_test(tests, routes_that_are_none_are_not_made);
    tcase_add_test(tests, a_message_of_another_size_ends_the_broker);
    tcase_add_test(tests, a_spare_is_the_keeper_s_until_it_is_asked_for);
    tcase_add_test(tests, a_spare_is_not_changed);
    tcase_add_test(tests, a_tap_of_nobody_is_not_made);
    tcase_add_loop_test(tests, a_spare_is_dropped_before_it_is_there, 0, 2);
    tcase_add_test(tests, a_spare_is_judged_as_a_tap);
    tcase_add_loop_test(tests, a_spare_that_others_changed_is_made_anew, 0, 3);
    tcase_add_test(tests, a_spare_without_its_name_is_none);
    tcase_add_test(tests, a_spare_is_dropped);
    tcase_add_test(tests, frames_are_of_interfaces_that_are_named);
    tcase_add_test(tests, frames_leave_by_interfaces_that_are_named);
    tcase_add_test(tests, frames_have_values_that_can_be);
}

int main(void)
{
    return suite_run("operations", add_tests);
}
