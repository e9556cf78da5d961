/* The audit log: its lines, its fields in the journal, and what becomes of floods. */
#include "broker/guard/audit.h"
#include "broker/lease.h"
#include "log.h"
#include "log_capture.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A clock that the test turns. */
static uint64_t clock_ms;

static uint64_t now_ms(void)
{
    return clock_ms;
}

static void begin(struct audit *audit)
{
    unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_NOTICE);
    clock_ms = 1000;
    audit_open(audit, now_ms);
}

static void write_many(struct audit *audit, unsigned count, uid_t uid, enum audit_verdict verdict)
{
    struct audit_record record = {.verdict = verdict,
                                  .action = "A",
                                  .verb = "v",
                                  .target = "",
                                  .rule = "none",
                                  .uid = uid,
                                  .pid = 7};

    while (count-- > 0)
        audit_write(audit, &record);
}

START_TEST(an_audit_that_is_not_open_writes_nothing)
{
    struct audit audit = {0};
    struct log_capture log;

    log_capture_begin(&log);
    write_many(&audit, 1, 1, AUDIT_REFUSED);
    log_capture_end(&log);
    ck_assert_str_eq(log.text, "");
}
END_TEST

START_TEST(a_line_has_every_part)
{
    struct target target = {.interface_count = 2, .interfaces = {"a", "b"}, .table = 253};
    char text[AUDIT_TARGET_MAX];
    struct audit audit;
    struct log_capture log;

    ck_assert(prefix_parse("239.1.1.1", &target.group));
    begin(&audit);
    log_capture_begin(&log);
    audit_write(&audit, &(struct audit_record){.verdict = AUDIT_GRANTED,
                                               .action = "ADD_MFC",
                                               .verb = "mroute.write",
                                               .target = target_format(&target, text, sizeof text),
                                               .rule = "x y",
                                               .lease = 0xabc,
                                               .uid = 1000,
                                               .pid = 7});
    log_capture_end(&log);
    assert_logged(&log, "notice: audit granted action=ADD_MFC verb=mroute.write uid=1000 pid=7 "
                        "rule='x y' lease=000000000abc interfaces=a,b group=239.1.1.1 table=253\n");
}
END_TEST

START_TEST(no_text_forges_a_line)
{
    struct target target = {.interface_count = 1, .interfaces = {"a\"\\\x7f\n\x1b[2J"}};
    char text[AUDIT_TARGET_MAX];
    struct audit audit;
    struct log_capture log;

    begin(&audit);
    log_capture_begin(&log);
    audit_write(&audit, &(struct audit_record){.action = "A",
                                               .verb = "v",
                                               .target = target_format(&target, text, sizeof text),
                                               .rule = "x\naudit granted action=B \"",
                                               .uid = 1});
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit"), 1);
    for (const char *c = log.text; c[1]; c++)
        ck_assert((unsigned char)*c >= 0x20 && *c != '"' && *c != '\\' && *c != 0x7f);
}
END_TEST

START_TEST(many_interfaces_do_not_hide_the_group)
{
    struct target target = {.interface_count = TARGET_INTERFACES_MAX, .table = 4294967295};
    char text[AUDIT_TARGET_MAX];

    for (unsigned i = 0; i < TARGET_INTERFACES_MAX; i++)
        target.interfaces[i] = "fifteen-letters";
    ck_assert(prefix_parse("ff3e:aaaa:5555:cccc:3333:f0f0:7f0f:9696", &target.group));
    target_format(&target, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "interfaces=fifteen-letters,fifteen-letters,"));
    ck_assert_ptr_nonnull(
        strstr(text, ",... group=ff3e:aaaa:5555:cccc:3333:f0f0:7f0f:9696 table=4294967295"));
    target.interface_count = 2;
    target_format(&target, text, sizeof text);
    ck_assert_ptr_null(strstr(text, "..."));
}
END_TEST

START_TEST(a_target_without_parts_is_everything)
{
    struct target target = {0};
    char text[AUDIT_TARGET_MAX];

    target_format(&target, text, sizeof text);
    ck_assert_str_eq(text, "everything");
    target.table = 7;
    target_format(&target, text, sizeof text);
    ck_assert_str_eq(text, "table=7");
}
END_TEST

/* --- Floods -------------------------------------------------------------------------------- */

enum {
    ROOT = 0,
    OPERATOR = 1000,
    REFUSALS_AT_ONCE = RECORDS_BURST * 6 / 8,
    LOOKS_AT_ONCE = RECORDS_BURST * 4 / 8,
};

/* How many of the user's records have lines of their own. */
static unsigned count_lines(struct audit *audit, unsigned count, uid_t uid,
                            enum audit_verdict verdict)
{
    static struct log_capture log;

    log_capture_begin(&log);
    write_many(audit, count, uid, verdict);
    log_capture_end(&log);
    return log_count(&log, "audit granted ") + log_count(&log, "audit released ") +
           log_count(&log, "audit staged ") + log_count(&log, "audit refused ");
}

START_TEST(a_flood_is_counted_instead)
{
    struct audit audit;
    struct log_capture log;

    begin(&audit);
    ck_assert_uint_eq(count_lines(&audit, 100000, 1000, AUDIT_REFUSED), REFUSALS_AT_ONCE);
    ck_assert_uint_eq(count_lines(&audit, 5, 1001, AUDIT_REFUSED), 5);
    ck_assert_uint_eq(count_lines(&audit, 1000, 1001, AUDIT_REFUSED_LOOK), LOOKS_AT_ONCE - 5);
    log_capture_begin(&log);
    audit_summarise(&audit); /* not yet */
    log_capture_end(&log);
    assert_not_logged(&log, "summary");

    clock_ms += 1000;
    log_capture_begin(&log);
    audit_summarise(&audit);
    audit_summarise(&audit);
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit summary"), 2); /* once, of each user */
    assert_logged(&log, "audit summary uid=1000 granted=0 released=0 refused=99850 staged=0 "
                        "refused-look=0\n");
    assert_logged(&log, "audit summary uid=1001 granted=0 released=0 refused=0 staged=0 "
                        "refused-look=905\n");
}
END_TEST

START_TEST(changes_come_before_refusals_and_these_before_looks)
{
    struct audit audit;

    begin(&audit);
    for (int second = 0; second < 20; second++) { /* a flood of each, by the same user */
        write_many(&audit, 1000, OPERATOR, AUDIT_REFUSED_LOOK);
        write_many(&audit, 1000, OPERATOR, AUDIT_STAGED);
        write_many(&audit, 1000, OPERATOR, AUDIT_REFUSED);
        ck_assert_uint_eq(count_lines(&audit, 40, OPERATOR, AUDIT_GRANTED), 40);
        clock_ms += 1000;
    }
    clock_ms += 60000;
    ck_assert_uint_eq(count_lines(&audit, 1000, OPERATOR, AUDIT_REFUSED_LOOK), LOOKS_AT_ONCE);
    ck_assert_uint_eq(count_lines(&audit, 1000, OPERATOR, AUDIT_STAGED),
                      RECORDS_BURST * 5 / 8 - LOOKS_AT_ONCE);
    ck_assert_uint_eq(count_lines(&audit, 1000, OPERATOR, AUDIT_REFUSED), RECORDS_BURST / 8);
    ck_assert_uint_eq(count_lines(&audit, 1000, OPERATOR, AUDIT_RELEASED), RECORDS_BURST / 4);
    ck_assert_uint_eq(count_lines(&audit, 1, OPERATOR, AUDIT_GRANTED), 0);
}
END_TEST

START_TEST(one_users_flood_hides_no_other_users_line)
{
    struct audit audit;

    begin(&audit);
    for (int second = 0; second < 20; second++) {
        write_many(&audit, 10000, OPERATOR, AUDIT_GRANTED);
        write_many(&audit, 10000, OPERATOR, AUDIT_RELEASED);
        ck_assert_uint_eq(count_lines(&audit, 10, 1001, AUDIT_GRANTED), 10);
        ck_assert_uint_eq(count_lines(&audit, 10, 1002, AUDIT_REFUSED), 10);
        ck_assert_uint_eq(count_lines(&audit, 10, ROOT, AUDIT_GRANTED), 10);
        clock_ms += 1000;
    }
}
END_TEST

START_TEST(a_crowd_leaves_a_reserve)
{
    struct audit audit;
    unsigned lines = 0;

    begin(&audit);
    audit.shares.administrator = 5000;
    for (uid_t uid = 1; uid <= 100; uid++) /* a flood of each of a hundred */
        lines += count_lines(&audit, 1000, uid, AUDIT_REFUSED);
    ck_assert_uint_eq(lines, ALL_BURST * 5 / 8);
    lines = 0;
    for (uid_t uid = 1; uid <= 100; uid++)
        lines += count_lines(&audit, 1000, uid, AUDIT_GRANTED);
    ck_assert_uint_le(lines, ALL_BURST * 2 / 8);
    ck_assert_uint_eq(count_lines(&audit, 20, ROOT, AUDIT_GRANTED), 20);
    ck_assert_uint_eq(count_lines(&audit, 20, 5000, AUDIT_GRANTED), 20);
    ck_assert_uint_eq(count_lines(&audit, 20, LEASE_UID_UNKNOWN, AUDIT_RELEASED), 20);
    clock_ms += 1000;
    ck_assert_uint_eq(count_lines(&audit, 1, 1, AUDIT_GRANTED), 1);
}
END_TEST

START_TEST(a_flood_of_few_leaves_the_first_lines_of_others)
{
    struct audit audit;

    begin(&audit);
    for (int second = 0; second < 60; second++) {
        for (uid_t uid = 1; uid <= 8; uid++)
            write_many(&audit, 1000, uid, AUDIT_GRANTED);
        ck_assert_uint_eq(count_lines(&audit, 1, 1001, AUDIT_GRANTED), 1);
        clock_ms += 1000;
    }
}
END_TEST

START_TEST(lines_come_back_with_time)
{
    struct audit audit;
    unsigned lines = 0;

    begin(&audit);
    write_many(&audit, RECORDS_BURST, 1, AUDIT_GRANTED);
    for (int i = 0; i < 100; i++) { /* a second in small steps, none of them worth a line */
        clock_ms += 10;
        lines += count_lines(&audit, 1, 1, AUDIT_GRANTED);
    }
    ck_assert_uint_eq(lines, RECORDS_A_SECOND);
    clock_ms += 3600000; /* no more than a burst is saved up */
    ck_assert_uint_eq(count_lines(&audit, RECORDS_BURST + 1, 1, AUDIT_GRANTED), RECORDS_BURST);
}
END_TEST

/* Each user is told in turn, and not all of them in one second. */
START_TEST(a_crowd_is_told_in_turn)
{
    struct audit audit;
    static struct log_capture log;

    begin(&audit);
    write_many(&audit, 10000, 1, AUDIT_GRANTED);
    for (uid_t uid = 0; uid < 100; uid++)
        write_many(&audit, 1000, uid, AUDIT_REFUSED_LOOK);
    log_capture_begin(&log);
    for (int second = 0; second < 8; second++) {
        clock_ms += 1000;
        audit_summarise(&audit);
    }
    log_capture_end(&log);
    ck_assert_uint_eq(log_count(&log, "audit summary"), 100);
    assert_logged(&log, "audit summary uid=1 granted=9800 released=0 refused=0 staged=0 "
                        "refused-look=1000\n");
    assert_logged(&log, "audit summary uid=99 ");
}
END_TEST

START_TEST(who_is_not_in_the_table_shares_a_place)
{
    struct audit audit;
    static struct log_capture log;

    begin(&audit);
    write_many(&audit, 1000, OPERATOR, AUDIT_GRANTED); /* keeps his place */
    for (uid_t uid = 10000; uid < 10000 + 2 * AUDIT_USERS; uid++)
        write_many(&audit, 10, uid, AUDIT_REFUSED);
    /* Who changes something has a place of his own all the same. */
    ck_assert_uint_eq(count_lines(&audit, 150, 1001, AUDIT_GRANTED), 150);
    log_capture_begin(&log);
    for (int second = 0; second < 20; second++) {
        clock_ms += 1000;
        audit_summarise(&audit);
    }
    log_capture_end(&log);
    ck_assert_uint_le(log_count(&log, "audit summary uid=others"), 1);
    assert_logged(&log, "audit summary uid=1000 granted=800 ");
    assert_logged(&log, "audit summary uid=others granted=0 ");
    /* When all is told and quiet, the places are free again. */
    clock_ms += 60000;
    ck_assert_uint_eq(count_lines(&audit, 1000, 90000, AUDIT_REFUSED), REFUSALS_AT_ONCE);
    ck_assert_uint_eq(count_lines(&audit, 1000, 90001, AUDIT_REFUSED), REFUSALS_AT_ONCE);
}
END_TEST

/* --- The journal --------------------------------------------------------------------------- */

START_TEST(the_journal_has_each_part_as_a_field)
{
    struct target target = {.interface_count = 1, .interfaces = {"a"}};
    struct audit audit;
    int pair[2];
    char text[2048];
    ssize_t length;

    begin(&audit);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    audit.journal = pair[0];
    audit_write(&audit, &(struct audit_record){.verdict = AUDIT_REFUSED,
                                               .action = "ADD_MFC",
                                               .verb = "mroute.write",
                                               .target = target_format(&target, text, sizeof text),
                                               .rule = "x y",
                                               .lease = 0xabc,
                                               .uid = 1000,
                                               .pid = 7});
    length = recv(pair[1], text, sizeof text - 1, MSG_DONTWAIT);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_str_eq(text, "PRIORITY=5\nSYSLOG_IDENTIFIER=netbrokerd\n"
                           "MESSAGE=audit refused action=ADD_MFC verb=mroute.write uid=1000 pid=7 "
                           "rule='x y' lease=000000000abc interfaces=a\n"
                           "NETBROKER_VERDICT=refused\nNETBROKER_ACTION=ADD_MFC\n"
                           "NETBROKER_VERB=mroute.write\nNETBROKER_TARGET=interfaces=a\n"
                           "NETBROKER_RULE=x y\nNETBROKER_LEASE=000000000abc\nNETBROKER_UID=1000\n"
                           "NETBROKER_PID=7\n");
    audit_close(&audit);
    close(pair[1]);
}
END_TEST

/* Then the line goes where all lines go, and the service does not wait. */
START_TEST(a_journal_that_is_gone_or_full_costs_no_line)
{
    struct audit audit;
    struct log_capture log;
    int pair[2];
    char filling[1024] = "";

    begin(&audit);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    audit.journal = pair[0];
    while (send(pair[0], filling, sizeof filling, MSG_DONTWAIT) > 0)
        ;
    log_capture_begin(&log);
    write_many(&audit, 1, 1, AUDIT_GRANTED);
    close(pair[1]);
    write_many(&audit, 1, 2, AUDIT_GRANTED);
    log_capture_end(&log);
    assert_logged(&log, "audit granted action=A verb=v uid=1 ");
    assert_logged(&log, "audit granted action=A verb=v uid=2 ");
    audit_close(&audit);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, an_audit_that_is_not_open_writes_nothing);
    tcase_add_test(tests, a_line_has_every_part);
    tcase_add_test(tests, no_text_forges_a_line);
    tcase_add_test(tests, many_interfaces_do_not_hide_the_group);
    tcase_add_test(tests, a_target_without_parts_is_everything);
    tcase_add_test(tests, a_flood_is_counted_instead);
    tcase_add_test(tests, changes_come_before_refusals_and_these_before_looks);
    tcase_add_test(tests, one_users_flood_hides_no_other_users_line);
    tcase_add_test(tests, a_crowd_leaves_a_reserve);
    tcase_add_test(tests, a_flood_of_few_leaves_the_first_lines_of_others);
    tcase_add_test(tests, lines_come_back_with_time);
    tcase_add_test(tests, a_crowd_is_told_in_turn);
    tcase_add_test(tests, who_is_not_in_the_table_shares_a_place);
    tcase_add_test(tests, the_journal_has_each_part_as_a_field);
    tcase_add_test(tests, a_journal_that_is_gone_or_full_costs_no_line);
}

int main(void)
{
    return suite_run("audit", add_tests);
}
