/* A broker is killed, and the one after it finds what was acknowledged, with its holders, and
 * nothing else: with and without a state file. */
#include "broker/state/journal.h"
#include "client.h"
#include "log.h"
#include "log_capture.h"
#include "platform/memory.h"
#include "resources/mroute/rules.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOT, ALICE, BOB, CAROL };
enum { MEMORY = 64 << 20 };

/* Brokers, one after the other. Those before the last one were killed. */
struct ground {
    struct service services[4];
    struct service *s; /* the one that lives */
    int journal;
    char folder[64], path[80];
    const char *state; /* path, or "": there is no state file */
};

static uint64_t no_time(void)
{
    return 1;
}

/* Everybody may do everything. */
static void serve(struct ground *g)
{
    static struct rule all = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

    g->s->services.policy.rules = &all;
    g->s->services.policy.count = 1;
    audit_open(&g->s->services.audit, no_time);
    service_keep(g->s, g->journal, g->state);
    for (int n = ROOT; n <= CAROL; n++)
        client_connect_as(g->s, n, n ? (uid_t)(1000 + n) : 0);
}

static struct ground *begin_with(bool has_file, size_t memory)
{
    struct ground *g = calloc(1, sizeof *g);

    log_set_level(LOG_CRIT);
    strcpy(g->folder, "/tmp/netbroker-unit-restart-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(g->folder));
    snprintf(g->path, sizeof g->path, "%s/state", g->folder);
    g->state = has_file ? g->path : "";
    g->journal = memory_make("journal", memory);
    ck_assert_int_ge(g->journal, 0);
    g->s = g->services;
    service_begin(g->s, "a b c");
    serve(g);
    return g;
}

static struct ground *begin(bool has_file)
{
    return begin_with(has_file, MEMORY);
}

/* The broker is killed at this moment. */
static void kill_broker(struct ground *g)
{
    struct service *dead = g->s++;

    service_follow(g->s, dead);
    serve(g);
    service_settle(g->s);
    kernel_check(&g->s->kernel);
}

/* What the dead brokers had is never freed, and no leak. */
static struct ground *volatile graveyard;

static void end(struct ground *g)
{
    graveyard = g;
    service_end(g->s);
    unlink(g->path);
    ck_assert_int_eq(rmdir(g->folder), 0);
    close(g->journal);
}

static void ask(struct ground *g, int n, const char *text)
{
    expect(client_ask(g->s, n, text), "success");
}

/* The same of what takes its time. */
static void expect_long(struct ground *g, int n, const char *text, const char *word)
{
    char byte;

    client_say(g->s, n, text);
    while (recv(g->s->clients[n], &byte, 1, MSG_PEEK) < 0)
        uv_run(&g->s->loop, UV_RUN_NOWAIT);
    expect(client_line(g->s, n, NULL), word);
}

static void ask_long(struct ground *g, int n, const char *text)
{
    expect_long(g, n, text, "success");
}

/* Who holds what, sorted by nothing but time: "ORIGIN UID KIND WHAT\n" each. */
static const char *holders(struct ground *g)
{
    static char text[8192];
    cJSON *reply = client_ask(g->s, ROOT, "{\"action\":\"LEASES\"}");
    const cJSON *lease, *payload = cJSON_GetObjectItem(reply, "payload");
    size_t used = 0;

    text[0] = '\0';
    cJSON_ArrayForEach(lease, cJSON_GetObjectItem(payload, "leases"))
    {
        const cJSON *uid = cJSON_GetObjectItem(lease, "uid");

        used += (size_t)snprintf(text + used, sizeof text - used, "%s %d %s\n",
                                 cJSON_GetObjectItem(lease, "origin")->valuestring,
                                 uid ? uid->valueint : -1,
                                 cJSON_GetObjectItem(lease, "what")->valuestring);
    }
    cJSON_Delete(reply);
    return text;
}

#define ADD(fields)  "{\"action\":\"ADD_MFC\",\"payload\":{" fields "}}"
#define DEL(fields)  "{\"action\":\"DEL_MFC\",\"payload\":{" fields "}}"
#define JOIN(fields) "{\"action\":\"ADD_JOIN\",\"payload\":{" fields "}}"
#define ROUTE(last)                                                                                \
    "\"source\":\"10.0.0.1\",\"group\":\"239.1.1." last "\",\"iif\":\"a\",\"oifs\":[\"b\"]"
#define NAMED(last) "\"source\":\"10.0.0.1\",\"group\":\"239.1.1." last "\""
#define RANGE       "\"group\":\"239.2.0.0/16\",\"iif\":\"a\",\"oifs\":[\"b\"]"
#define PASSING     ",\"while_connected\":true"

static void packet(struct ground *g, const char *source, const char *group)
{
    struct address s, to;

    ck_assert(address_parse(source, &s) && address_parse(group, &to));
    fake_packet(V4, 253, netifs_find(g->s->kernel.netifs, "a")->ifindex, &s, &to);
    mroute_read_upcalls(g->s->kernel.mroute, V4, 253);
}

START_TEST(what_was_acknowledged_is_there_with_its_holders)
{
    struct ground *g = begin(_i);
    static const char *const expected = "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                        "client 1002 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                        "client 1001 (0.0.0.0, 239.2.0.0/16) from a in table 253\n"
                                        "client 1001 (0.0.0.0, 239.3.1.1) from a in table 253\n"
                                        "client 1002 239.5.1.1 on a\n"
                                        "client 1001 239.5.1.1 on a\n";

    ask(g, ALICE, ADD(ROUTE("1")));
    ask(g, BOB, ADD(ROUTE("1")));
    ask(g, ALICE, ADD(RANGE ",\"idle\":7"));
    ask(g, ALICE, ADD("\"group\":\"239.3.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"],\"idle\":7"));
    ask(g, BOB, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\""));
    ask(g, ALICE, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\""));
    ask(g, ALICE, ADD(ROUTE("2")));
    ask(g, ALICE, DEL(NAMED("2")));
    packet(g, "10.0.0.9", "239.2.1.1");
    for (int i = 0; i < 2; i++) {
        kill_broker(g);
        ck_assert_str_eq(holders(g), expected);
        ck_assert_str_eq(kernel_routes(&g->s->kernel), "10.0.0.1 239.1.1.1 a b installed\n"
                                                       "0.0.0.0 239.3.1.1 a b installed\n"
                                                       "10.0.0.9 239.2.1.1 a b installed\n"
                                                       "0.0.0.0 239.2.0.0/16 a b on-demand\n");
        ck_assert_uint_eq(fake_mfc_count(V4, 253), 3);
        ck_assert_uint_eq(mroute_totals(g->s->kernel.mroute).learned, 1);
        ck_assert_uint_eq(fake_memberships(1), (unsigned)i + 2); /* the keeper ends the older */
    }
    expect(client_ask(g->s, CAROL, DEL(NAMED("1"))), "not-allowed");
    end(g);
}
END_TEST

/* Also where the kernel does not know all of it. */
START_TEST(what_is_right_in_the_kernel_is_not_written)
{
    struct ground *g = begin(_i);
    unsigned writes;

    ask(g, ALICE, ADD(ROUTE("1")));
    ask(g, ALICE, ADD("\"group\":\"239.3.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"],\"idle\":7"));
    writes = fake_writes();
    kill_broker(g);
    ck_assert_uint_eq(fake_writes(), writes);
    ck_assert_uint_eq(g->s->services.leases.by_id.count, 2);
    end(g);
}
END_TEST

START_TEST(a_change_is_there_as_the_last_reply_said)
{
    struct ground *g = begin(_i);

    ask(g, ALICE, ADD(ROUTE("1")));
    kill_broker(g);
    ask(g, ALICE,
        ADD("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":\"a\","
            "\"oifs\":[\"b\",\"c\"],\"ttls\":[1,9]"));
    kill_broker(g);
    ck_assert_str_eq(kernel_entry(&g->s->kernel, "10.0.0.1", "239.1.1.1"), "a b:1 c:9");
    ask(g, ALICE, DEL(NAMED("1") ",\"oifs\":[\"b\"]"));
    kill_broker(g);
    ck_assert_str_eq(kernel_entry(&g->s->kernel, "10.0.0.1", "239.1.1.1"), "a c:9");
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n");
    end(g);
}
END_TEST

/* What others hold as well stays theirs. */
START_TEST(what_a_session_held_ends)
{
    struct ground *g = begin(_i);

    ask(g, ALICE, ADD(ROUTE("1") PASSING));
    ask(g, ALICE, ADD(ROUTE("2") PASSING));
    ask(g, BOB, ADD(ROUTE("2")));
    ask(g, ALICE, ADD(RANGE PASSING));
    ask(g, ALICE, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\"" PASSING));
    packet(g, "10.0.0.9", "239.2.1.1");
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 3);
    kill_broker(g);
    ck_assert_str_eq(holders(g), "client 1002 (10.0.0.1, 239.1.1.2) from a in table 253\n");
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 1);
    end(g);
}
END_TEST

static bool keep_rule_back(void *context, const struct mroute_rule *rule, unsigned ifindex)
{
    (void)context;
    (void)rule;
    return ifindex != 0;
}

/* They are there, and wait for a rule and for the keeper when the broker dies. */
START_TEST(what_was_not_acknowledged_is_not_there)
{
    static const struct rules_host rules = {keep_rule_back, NULL};
    struct ground *g = begin(_i);

    ask(g, ALICE, ADD(ROUTE("1")));
    close(kernel_open_table(&g->s->kernel, V4, 7));
    mroute_keep_rules(g->s->kernel.mroute, &rules);
    keeper_end_listen(&g->s->keeper, false);
    client_say(g->s, ALICE,
               ADD("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":\"c\","
                   "\"oifs\":[\"b\"],\"table\":7"));
    client_say(g->s, BOB, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\""));
    service_settle(g->s);
    ck_assert(!LIST_EMPTY(&g->s->services.pendings));
    ck_assert_uint_eq(fake_mfc_count(V4, 7), 1);
    ck_assert_uint_eq(joins_totals(g->s->kernel.joins).joins, 1);
    kill_broker(g);
    ck_assert_uint_eq(fake_mfc_count(V4, 7), 0);
    ck_assert_uint_eq(joins_totals(g->s->kernel.joins).joins, 0);
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n");
    end(g);
}
END_TEST

/* --- Sets ---------------------------------------------------------------------------------- */

enum { MANY = 3000 };

/* Begins a set of this number of routes, to groups from 239.FIRST.0.0 on. */
static void stage(struct ground *g, int first, int count)
{
    char text[256];

    ask(g, ALICE, "{\"action\":\"BEGIN_REPLACE\"}");
    for (int i = 0; i < count; i++) {
        snprintf(text, sizeof text,
                 ADD("\"source\":\"10.0.0.1\",\"group\":\"239.%d.%d.%d\",\"iif\":\"a\","
                     "\"oifs\":[\"b\"]"),
                 first, i / 256, i % 256);
        ask(g, ALICE, text);
    }
}

/* All of the first set are there, and no others. */
static void assert_first_set(void)
{
    char group[32];

    ck_assert_uint_eq(fake_mfc_count(V4, 253), MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(group, sizeof group, "239.1.%d.%d", i / 256, i % 256);
        ck_assert_ptr_nonnull(fake_mfc_find(V4, 253, "10.0.0.1", group));
    }
}

/* Turns the loop until the number of routes in the kernel is between these. */
static void work_until(struct ground *g, size_t low, size_t high)
{
    do
        uv_run(&g->s->loop, UV_RUN_NOWAIT);
    while (fake_mfc_count(V4, 253) <= low || fake_mfc_count(V4, 253) >= high);
}

START_TEST(a_set_is_there_whole_or_not_at_all)
{
    struct ground *g = begin(_i);

    ask(g, BOB, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\""));
    stage(g, 1, MANY);
    ask_long(g, ALICE, "{\"action\":\"COMMIT\"}");
    kill_broker(g);
    assert_first_set();
    stage(g, 2, MANY);
    client_say(g->s, ALICE, "{\"action\":\"COMMIT\"}");
    work_until(g, MANY, 2UL * MANY); /* the new ones come first */
    ck_assert(slices_are_busy(&g->s->services.slices));
    /* What others do meanwhile counts. */
    client_say(g->s, BOB,
               "{\"action\":\"DEL_JOIN\",\"payload\":{\"group\":\"239.5.1.1\",\"iif\":\"a\"}}");
    while (joins_totals(g->s->kernel.joins).joins > 0)
        uv_run(&g->s->loop, UV_RUN_NOWAIT);
    ck_assert(slices_are_busy(&g->s->services.slices));
    kill_broker(g);
    assert_first_set();
    ck_assert_uint_eq(joins_totals(g->s->kernel.joins).joins, 0);
    ck_assert_uint_eq(g->s->services.leases.by_id.count, MANY);
    end(g);
}
END_TEST

START_TEST(a_flush_is_done_whole_or_not_at_all)
{
    struct ground *g = begin(_i);

    stage(g, 1, MANY);
    ask_long(g, ALICE, "{\"action\":\"COMMIT\"}");
    client_say(g->s, ROOT, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}");
    work_until(g, 0, MANY);
    kill_broker(g);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), MANY);
    ask_long(g, ROOT, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}");
    kill_broker(g);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    end(g);
}
END_TEST

/* --- What changes while no broker is there -------------------------------------------------- */

START_TEST(an_interface_that_was_made_again_is_served)
{
    struct ground *g = begin(_i);

    ask(g, ALICE, ADD(ROUTE("1")));
    ask(g, ALICE,
        ADD("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.2\",\"iif\":\"a\",\"oifs\":[\"c\"]"));
    fake_netif_del("b");
    fake_netif_add("b");
    fake_netif_del("c");
    kill_broker(g);
    ck_assert_str_eq(kernel_routes(&g->s->kernel), "10.0.0.1 239.1.1.1 a b installed\n"
                                                   "10.0.0.1 239.1.1.2 a c partial\n");
    ck_assert_str_eq(kernel_entry(&g->s->kernel, "10.0.0.1", "239.1.1.1"), "a b:1");
    end(g);
}
END_TEST

/* --- Where there is no journal that is whole ------------------------------------------------ */

static void damage(struct ground *g)
{
    uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, g->journal, 0);

    memory[MEMORY / 2 + 40] ^= 1;
    munmap(memory, MEMORY);
}

static void wait_for_file(const struct ground *g)
{
    struct stat info;

    for (int i = 0; i < 5000 && stat(g->path, &info) < 0; i++) {
        uv_run(&g->s->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

START_TEST(a_damaged_journal_is_told_and_the_file_restored)
{
    struct ground *g = begin(true);
    struct log_capture log;

    ask(g, ALICE, ADD(ROUTE("1")));
    wait_for_file(g);
    ask(g, ALICE, ADD(ROUTE("2")));
    damage(g);
    log_set_level(LOG_NOTICE);
    log_capture_begin(&log);
    kill_broker(g);
    log_capture_end(&log);
    assert_logged(&log, "the journal is damaged at byte");
    assert_logged(&log, "1 leases restored from /tmp");
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                 "found -1 (10.0.0.1, 239.1.1.2) from a in table 253\n");
    /* It is written anew, what was found as well. */
    log_set_level(LOG_CRIT);
    kill_broker(g);
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                 "found -1 (10.0.0.1, 239.1.1.2) from a in table 253\n");
    end(g);
}
END_TEST

START_TEST(a_line_that_is_no_request_is_damage)
{
    static const char *const lines[] = {"", "{}", "{\"action\":\"PING\"}",
                                        "{\"action\":\"FLUSH_MFC\"}",
                                        "{\"action\":\"ADD_MFC\",\"payload\":{}}"};
    struct ground *g = begin(false);
    struct journal_found found;
    struct journal *journal;

    ask(g, ALICE, ADD(ROUTE("1")));
    journal = journal_open(g->journal, &found);
    journal_put(journal, NULL, 5, lines[_i], strlen(lines[_i]));
    journal_trust(journal);
    journal_close(journal);
    kill_broker(g);
    ck_assert_str_eq(holders(g), "found -1 (10.0.0.1, 239.1.1.1) from a in table 253\n");
    end(g);
}
END_TEST

/* Writes count leases to the journal, on so many routes, as a broker in an attacker's hands may. */
static void write_journal(struct ground *g, unsigned count, unsigned routes)
{
    struct journal_found found;
    struct journal *journal = journal_open(g->journal, &found);
    char line[256];

    for (unsigned n = 1; n <= count; n++) {
        unsigned group = n % routes;

        snprintf(line, sizeof line,
                 "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.%u.%u\",\"iif\":\"a\","
                 "\"oifs\":[\"b\"]},\"id\":{\"lease\":\"%012x\",\"uid\":%u,\"since\":1,"
                 "\"kind\":\"client\"}}",
                 group >> 8, group & 255, n, 2000 + n / routes);
        journal_put(journal, NULL, n, line, strlen(line));
    }
    journal_trust(journal);
    journal_close(journal);
}

/* So that the keeper does not take the broker for hung. */
START_TEST(a_long_journal_is_restored_in_many_turns)
{
    struct ground *g = begin(false);

    write_journal(g, 10000, 10000);
    kill_broker(g);
    ck_assert_uint_eq(g->s->services.leases.by_id.count, 10000);
    ck_assert_uint_ge(g->s->restore_turns, 3);
    end(g);
}
END_TEST

START_TEST(many_refusals_are_told_in_few_lines)
{
    struct ground *g = begin(false);
    struct log_capture log;

    write_journal(g, RESOURCE_LEASES_MAX + 17, 1);
    log_set_level(LOG_WARNING);
    log_capture_begin(&log);
    kill_broker(g);
    log_capture_end(&log);
    assert_logged(&log, "is not restored");
    assert_logged(&log, "7 more leases are not restored");
    ck_assert_uint_eq(g->s->services.leases.by_id.count, RESOURCE_LEASES_MAX);
    end(g);
}
END_TEST

START_TEST(without_a_journal_the_file_is_restored)
{
    struct ground *g = begin(true);

    close(g->journal);
    g->journal = -1;
    kill_broker(g);
    ask(g, ALICE, ADD(ROUTE("1")));
    wait_for_file(g);
    ask(g, ALICE, ADD(ROUTE("2")));
    kill_broker(g);
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                 "found -1 (10.0.0.1, 239.1.1.2) from a in table 253\n");
    end(g);
}
END_TEST

/* A stop of the whole service. */
START_TEST(the_file_is_restored_by_a_service_that_begins)
{
    struct ground *g = begin(true);

    ask(g, ALICE, ADD(ROUTE("1")));
    ask(g, ALICE, ADD(ROUTE("2") PASSING));
    ask(g, BOB, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\""));
    service_end(g->s);
    close(g->journal);
    g->journal = memory_make("journal", MEMORY);
    service_begin(g->s, "a b c");
    serve(g);
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                 "client 1002 239.5.1.1 on a\n");
    kill_broker(g);
    ck_assert_str_eq(holders(g), "client 1001 (10.0.0.1, 239.1.1.1) from a in table 253\n"
                                 "client 1002 239.5.1.1 on a\n");
    end(g);
}
END_TEST

/* --- Where it is full ----------------------------------------------------------------------- */

static bool add_nth(struct ground *g, int n)
{
    char text[256];
    cJSON *reply;
    bool done;

    snprintf(
        text, sizeof text,
        ADD("\"source\":\"10.0.0.1\",\"group\":\"239.1.%d.%d\",\"iif\":\"a\",\"oifs\":[\"b\"]"),
        n / 256, n % 256);
    reply = client_ask(g->s, ALICE, text);
    done = !cJSON_GetObjectItem(reply, "code");
    expect(reply, done ? "success" : "limit");
    return done;
}

/* The journal has room for a thousand routes or two, beside what a single change may take. A set is
 * refused as a whole, and what is there can go. */
START_TEST(what_cannot_be_written_is_refused)
{
    struct ground *g = begin_with(false, 10 << 20);
    size_t count = 0;

    while (add_nth(g, (int)count))
        count++;
    ck_assert_uint_gt(count, 300);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), count);
    expect(client_ask(g->s, BOB, JOIN("\"group\":\"239.5.1.1\",\"iif\":\"a\"")), "limit");
    kill_broker(g);
    ck_assert_uint_eq(g->s->services.leases.by_id.count, count);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), count);
    stage(g, 2, MANY);
    expect_long(g, ALICE, "{\"action\":\"COMMIT\"}", "limit");
    ck_assert_uint_eq(fake_mfc_count(V4, 253), count);
    ask_long(g, ALICE, "{\"action\":\"FLUSH_MFC\"}");
    kill_broker(g);
    ck_assert_uint_eq(fake_mfc_count(V4, 253), 0);
    ck_assert(add_nth(g, 0));
    end(g);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, what_was_acknowledged_is_there_with_its_holders, 0, 2);
    tcase_add_loop_test(tests, what_is_right_in_the_kernel_is_not_written, 0, 2);
    tcase_add_loop_test(tests, a_change_is_there_as_the_last_reply_said, 0, 2);
    tcase_add_loop_test(tests, what_a_session_held_ends, 0, 2);
    tcase_add_loop_test(tests, what_was_not_acknowledged_is_not_there, 0, 2);
    tcase_add_loop_test(tests, a_set_is_there_whole_or_not_at_all, 0, 2);
    tcase_add_loop_test(tests, a_flush_is_done_whole_or_not_at_all, 0, 2);
    tcase_add_loop_test(tests, an_interface_that_was_made_again_is_served, 0, 2);
    tcase_add_test(tests, a_damaged_journal_is_told_and_the_file_restored);
    tcase_add_loop_test(tests, a_line_that_is_no_request_is_damage, 0, 5);
    tcase_add_test(tests, a_long_journal_is_restored_in_many_turns);
    tcase_add_test(tests, many_refusals_are_told_in_few_lines);
    tcase_add_test(tests, what_cannot_be_written_is_refused);
    tcase_add_test(tests, without_a_journal_the_file_is_restored);
    tcase_add_test(tests, the_file_is_restored_by_a_service_that_begins);
}

int main(void)
{
    return suite_run("restart", add_tests);
}
