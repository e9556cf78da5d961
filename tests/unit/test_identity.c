/* Who a peer is: by its number, its subordinate number, where it is, and by rules. */
#include "broker/guard/identity.h"

#include "log_capture.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HERE = 1, THERE = 2, ALICE = 1001, BOB = 1002, ADMINISTRATOR = 1003, NAMED = 500000 };

static char passwd[] = "/tmp/netbroker-passwd-XXXXXX";
static char subuid[] = "/tmp/netbroker-subuid-XXXXXX";

struct fixture {
    struct user_names names;
    struct subuids subuids;
    struct identity identity;
    struct rule rules[2];
    struct policy policy;
    struct error error;
    struct log_capture log;
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void begin(struct fixture *f, const char *ranges)
{
    *f = (struct fixture){.identity.place.netns = HERE};
    write_file(passwd, "root:x:0:0::/:\nalice:x:1001:1001::/:\nbob:x:1002:1002::/:\n"
                       "admin:x:1003:1003::/:\n4711:x:4711:1::/:\nlast:x:4294967294:1::/:\n");
    write_file(subuid, ranges);
    user_names_init(&f->names, passwd);
    subuids_init(&f->subuids, subuid, &f->names);
    f->identity.names = &f->names;
    f->identity.subuids = &f->subuids;
    f->rules[0] = (struct rule){.user_count = 1, .users = {{NAMED, NAMED + 9}}};
    f->rules[1] = (struct rule){.deny = true, .user_count = 1, .users = {{600000, 600009}}};
    f->policy = (struct policy){.started_by = ADMINISTRATOR, .count = 2, .rules = f->rules};
}

static void end(struct fixture *f)
{
    subuids_clear(&f->subuids);
    user_names_clear(&f->names);
}

static struct peer settle(struct fixture *f, uid_t uid, uint64_t netns)
{
    struct peer peer = {.kernel_uid = uid, .netns = netns};
    bool settled = identity_settle(&f->identity, &f->policy, &peer, &f->error);

    ck_assert(settled == (peer.uid != UID_UNKNOWN));
    ck_assert(peer.assigned == (peer.uid != uid));
    return peer;
}

/* The user of a peer that connects here. */
static uid_t user_of(struct fixture *f, uid_t uid)
{
    return settle(f, uid, HERE).uid;
}

START_TEST(a_subordinate_uid_is_its_owner)
{
    struct fixture f;

    begin(&f, "alice:100000:65536\n1002:200000:10\n");
    ck_assert_uint_eq(user_of(&f, 99999), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, 100000), ALICE);
    ck_assert_uint_eq(user_of(&f, 165535), ALICE);
    ck_assert_uint_eq(user_of(&f, 165536), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, 200009), BOB);
    ck_assert_uint_eq(user_of(&f, ALICE), ALICE);
    ck_assert(settle(&f, 100000, HERE).subordinate);
    ck_assert(!settle(&f, ALICE, HERE).subordinate);
    end(&f);
}
END_TEST

START_TEST(the_first_owner_wins_and_a_known_user_is_himself)
{
    struct fixture f;

    begin(&f, "alice:100000:10\nbob:100005:10\nbob:1:100000\nalice:0:10\n");
    ck_assert_uint_eq(user_of(&f, 100009), ALICE);
    ck_assert_uint_eq(user_of(&f, 100010), BOB);
    ck_assert_uint_eq(user_of(&f, ALICE), ALICE);
    ck_assert_uint_eq(user_of(&f, 0), 0);
    ck_assert_uint_eq(user_of(&f, 7), BOB);
    end(&f);
}
END_TEST

/* Root's, the administrator's, and of a name that nobody has. */
START_TEST(some_ranges_are_users_of_their_own)
{
    struct fixture f;

    begin(&f,
          "root:300000:10\nadmin:400000:10\nnobody-at-all:500000:10\nroot:1001:100\n4711:7:1\n");
    ck_assert_uint_eq(user_of(&f, 300007), 300000);
    ck_assert_uint_eq(user_of(&f, 400007), 400000);
    ck_assert_uint_eq(user_of(&f, 500007), 500000);
    ck_assert_uint_eq(user_of(&f, 1100), 1004); /* the first number that is nobody's */
    ck_assert_uint_eq(user_of(&f, 7), 4711);
    ck_assert_uint_eq(user_of(&f, ADMINISTRATOR), ADMINISTRATOR);
    f.policy.names_administrator = true;
    f.policy.administrator = ALICE;
    ck_assert_uint_eq(user_of(&f, 400007), ADMINISTRATOR); /* who is none any more */
    ck_assert_uint_eq(user_of(&f, 300007), 300000);
    end(&f);
}
END_TEST

START_TEST(nobody_is_in_too_many_groups)
{
    struct peer peer = {.kernel_uid = ALICE, .netns = HERE, .in_too_many_groups = true};
    struct fixture f;

    begin(&f, "");
    ck_assert(!identity_settle(&f.identity, &f.policy, &peer, &f.error));
    ck_assert_int_eq(f.error.code, ERROR_LIMIT);
    ck_assert_uint_eq(peer.uid, ALICE); /* who pays for it */
    end(&f);
}
END_TEST

START_TEST(a_stranger_needs_a_rule_that_names_him)
{
    struct fixture f;

    begin(&f, "");
    ck_assert_uint_eq(user_of(&f, 4999), UID_UNKNOWN);
    ck_assert_int_eq(f.error.code, ERROR_NOT_ALLOWED);
    ck_assert_ptr_nonnull(strstr(f.error.message, "'users = 4999'"));
    ck_assert_uint_eq(user_of(&f, NAMED + 9), NAMED + 9);
    ck_assert(settle(&f, NAMED + 9, HERE).stranger);
    ck_assert(!settle(&f, ALICE, HERE).stranger);
    ck_assert_uint_eq(user_of(&f, NAMED + 10), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, 600000), UID_UNKNOWN); /* a rule that denies makes nobody known */
    f.policy.closed = true;
    ck_assert_uint_eq(user_of(&f, NAMED), UID_UNKNOWN);
    f.identity = (struct identity){0}; /* without the system's files each number is a user */
    ck_assert_uint_eq(user_of(&f, 4999), 4999);
    end(&f);
}
END_TEST

START_TEST(who_is_elsewhere_is_not_who_he_is_here)
{
    struct fixture f;
    char text[PEER_TEXT_MAX];
    struct peer peer;

    begin(&f, "alice:100000:10\n");
    ck_assert_uint_eq(settle(&f, 0, THERE).uid, UID_ROOT_ELSEWHERE);
    ck_assert_uint_eq(settle(&f, ADMINISTRATOR, THERE).uid, UID_ADMINISTRATOR_ELSEWHERE);
    ck_assert_uint_eq(settle(&f, BOB, THERE).uid, BOB);
    ck_assert_uint_eq(settle(&f, 4999, THERE).uid, UID_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(f.error.message, "netns = any"));
    peer = settle(&f, 100003, THERE);
    ck_assert(peer.elsewhere && !settle(&f, 100003, HERE).elsewhere);
    ck_assert_str_eq(peer_format(&f.names, &peer, text),
                     "alice (1001), by the uid 100003, of another network namespace");
    peer = settle(&f, 0, THERE);
    ck_assert_str_eq(peer_format(&f.names, &peer, text),
                     "root-elsewhere (4294967294) of another network namespace");
    /* Where the system does not tell, all are here. */
    ck_assert_uint_eq(settle(&f, 0, 0).uid, 0);
    f.identity.place.netns = 0;
    ck_assert_uint_eq(settle(&f, 0, THERE).uid, 0);
    end(&f);
}
END_TEST

/* Numbers that mean something here, and the one of all who have none. */
START_TEST(some_numbers_are_nobodys)
{
    struct fixture f;

    begin(&f, "alice:4294967290:5\n");
    f.rules[0].users[0] = (struct uid_range){0, (uid_t)-1};
    ck_assert_uint_eq(user_of(&f, UID_LAST), ALICE);
    ck_assert_uint_eq(user_of(&f, UID_ROOT_ELSEWHERE), ALICE);
    write_file(subuid, "bob:5:5\n");
    ck_assert_uint_eq(user_of(&f, UID_ROOT_ELSEWHERE), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, UID_ADMINISTRATOR_ELSEWHERE), UID_UNKNOWN);
    f.identity.place.unmapped_uid = 65534;
    ck_assert_uint_eq(user_of(&f, 65534), UID_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(f.error.message, "no number in the user namespace"));
    end(&f);
}
END_TEST

START_TEST(the_files_are_read_again)
{
    struct fixture f;

    begin(&f, "carol:100000:10\n");
    ck_assert_uint_eq(user_of(&f, 100003), 100000);
    write_file(passwd, "root:x:0:0::/:\ncarol:x:1007:1::/:\n"); /* the owner is known now */
    ck_assert_uint_eq(user_of(&f, 100003), 1007);
    write_file(subuid, "carol:100004:10\n");
    ck_assert_uint_eq(user_of(&f, 100003), UID_UNKNOWN);
    unlink(subuid);
    ck_assert_uint_eq(user_of(&f, 100004), UID_UNKNOWN);
    unlink(passwd);
    ck_assert_uint_eq(user_of(&f, ALICE), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, 0), 0);
    end(&f);
}
END_TEST

static const char *const strange[] = {
    ":100000:10\n",
    "alice\n",
    "alice:100000\n",
    "alice:100000:\n",
    "alice::10\n",
    "alice:-5:10\n",
    "alice:100000:0\n",
    "alice:100000:10x\n",
    "alice:100000:10:\n",
    "alice: 100000:10\n",
    "alice:0:200000\n",
    "alice:100000:4294967295\n",
    "alice:4294967295:1\n",
    "alice:99999999999999999999:1\n",
    "alice:4294967291:3\n0:a\n",
};

START_TEST(a_broken_line_is_ignored_and_told)
{
    struct fixture f;

    begin(&f, strange[_i]);
    log_capture_begin(&f.log);
    ck_assert_uint_eq(user_of(&f, 100003), UID_UNKNOWN);
    ck_assert_uint_eq(user_of(&f, 100003), UID_UNKNOWN);
    log_capture_end(&f.log);
    ck_assert_uint_eq(f.subuids.ignored, 1);
    ck_assert_ptr_nonnull(strstr(f.log.text, "the line is ignored"));
    ck_assert_ptr_null(strstr(strchr(f.log.text, '\n') + 1, "ignored")); /* once */
    end(&f);
}
END_TEST

START_TEST(lines_are_bounded)
{
    struct fixture f;
    FILE *file;

    begin(&f, "");
    file = fopen(subuid, "w");
    ck_assert_ptr_nonnull(file);
    for (unsigned i = 0; i <= SUBUID_RANGES_MAX; i++)
        fprintf(file, "alice:%u:1\n", 1000000 + i);
    fclose(file);
    log_capture_begin(&f.log);
    ck_assert_uint_eq(user_of(&f, 1000000 + SUBUID_RANGES_MAX - 1), ALICE);
    ck_assert_uint_eq(user_of(&f, 1000000 + SUBUID_RANGES_MAX), UID_UNKNOWN);
    log_capture_end(&f.log);
    ck_assert_ptr_nonnull(strstr(f.log.text, "at most 16384 lines"));
    ck_assert_int_eq(truncate(subuid, SYSTEM_FILE_MAX + 1), 0);
    log_capture_begin(&f.log);
    ck_assert_uint_eq(user_of(&f, 1000000), UID_UNKNOWN);
    log_capture_end(&f.log);
    ck_assert_ptr_nonnull(strstr(f.log.text, "is larger than 1 MiB"));
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    close(mkstemp(passwd));
    close(mkstemp(subuid));
    tcase_add_test(tests, a_subordinate_uid_is_its_owner);
    tcase_add_test(tests, the_first_owner_wins_and_a_known_user_is_himself);
    tcase_add_test(tests, some_ranges_are_users_of_their_own);
    tcase_add_test(tests, nobody_is_in_too_many_groups);
    tcase_add_test(tests, a_stranger_needs_a_rule_that_names_him);
    tcase_add_test(tests, who_is_elsewhere_is_not_who_he_is_here);
    tcase_add_test(tests, some_numbers_are_nobodys);
    tcase_add_test(tests, the_files_are_read_again);
    tcase_add_loop_test(tests, a_broken_line_is_ignored_and_told, 0,
                        (int)(sizeof strange / sizeof *strange));
    tcase_add_test(tests, lines_are_bounded);
}

int main(void)
{
    int status = suite_run("identity", add_tests);

    unlink(passwd);
    unlink(subuid);
    return status;
}
