/* The policy as it is written: what rules become of it, and that each mistake is told with its
 * line. */
#include "broker/guard/policy_file.h"
#include "log_capture.h"
#include "suite.h"
#include "table.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct policy policy;
    struct log_capture log;
};

static bool parse_text(struct fixture *f, const char *text, const char *name)
{
    FILE *file = fmemopen((char *)text, strlen(text), "r");
    struct mistakes mistakes = {0};
    bool parsed;

    log_capture_begin(&f->log);
    parsed = policy_parse(&f->policy, file, name, &mistakes);
    log_capture_end(&f->log);
    fclose(file);
    return parsed;
}

/* A comment of 90 bytes. */
#define LINE_90                                                                                    \
    "#23456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "             \
    "123456789 "

#define ALL "everyone = yes\nverbs = *\n"

START_TEST(users_have_numbers_and_places)
{
    struct fixture f = {0};
    const struct rule *rule;

    ck_assert(parse_text(&f,
                         "[allow x]\nuser = nobody\nusers = 7, 100000-165535, 4294967291\n"
                         "netns = any\nverbs = *\n[allow y]\nnetns = own\n" ALL,
                         "file"));
    rule = &f.policy.rules[0];
    ck_assert_uint_eq(rule->user_count, 4);
    ck_assert_uint_eq(rule->users[1].first, 7);
    ck_assert_uint_eq(rule->users[1].last, 7);
    ck_assert_uint_eq(rule->users[2].first, 100000);
    ck_assert_uint_eq(rule->users[2].last, 165535);
    ck_assert(rule->any_netns && !f.policy.rules[1].any_netns);
    ck_assert(!f.policy.names_administrator);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(the_administrator_is_named)
{
    struct fixture f = {0};

    ck_assert(parse_text(&f, "[policy]\nadministrator = nobody\n[allow x]\n" ALL, "file"));
    ck_assert(f.policy.names_administrator);
    ck_assert_uint_eq(f.policy.administrator, 65534);
    ck_assert(policy_is_administrator_uid(&f.policy, 65534));
    ck_assert(!policy_is_administrator_uid(&f.policy, 0));
    policy_clear(&f.policy);
    ck_assert(parse_text(&f, "[policy]\nadministrator = none\n", "file"));
    ck_assert(!policy_is_administrator_uid(&f.policy, 0));
    f.policy.closed = true; /* its files have mistakes */
    ck_assert(policy_is_administrator_uid(&f.policy, 0));
    policy_clear(&f.policy);
}
END_TEST

static void assert_scope(const struct send_scope *scope)
{
    ck_assert_uint_eq(scope->sources.kinds, SOURCES_OWN | SOURCES_LISTED);
    ck_assert_uint_eq(scope->sources.count, 1);
    ck_assert_uint_eq(scope->sources.macs[0][5], 9);
    ck_assert_uint_eq(scope->destinations.count, 2);
    ck_assert_uint_eq(scope->destinations.prefixes[0].length, 32);
    ck_assert_uint_eq(scope->destinations.prefixes[1].length, 48);
    ck_assert_uint_eq(scope->destinations.prefixes[1].bytes[5], 10);
    ck_assert_uint_eq(scope->vlans.untagged, 1);
    ck_assert_uint_eq(scope->vlans.count, 2);
    ck_assert_uint_eq(scope->vlans.ids[1], 4094);
}

START_TEST(every_part_of_a_rule_is_read)
{
    struct fixture f = {0};
    const struct rule *rule;

    ck_assert(
        parse_text(&f,
                   "# a comment\n[allow the video network]\nuser = root, nobody\n"
                   "group = root\nverbs = mroute.write , *.read\n"
                   "interfaces = eth1,veth*\n; another\n"
                   "multicast = 239.10.0.0/16, ff3e::/16, 239.1.1.1\ntables = 100,253\nleases = 7\n"
                   "ethertypes = sv, 0x88B8\ndirection = in\npromiscuous = no\n"
                   "source-macs = own, 02:00:00:00:00:09\n"
                   "destination-macs = 01:0c:cd:04:00:00/32, 02:00:00:00:00:0A\n"
                   "vlans = none, 0, 4094\nframes-per-second = 4800\n"
                   "[deny all else]\neveryone = yes\nverbs = *\n",
                   "file"));
    ck_assert_str_eq(f.log.text, "");
    ck_assert_uint_eq(f.policy.count, 2);
    rule = &f.policy.rules[0];
    ck_assert_str_eq(rule->name, "the video network");
    ck_assert(!rule->deny && !rule->everyone);
    ck_assert_uint_eq(rule->user_count, 2);
    ck_assert_uint_eq(rule->users[0].first, 0);
    ck_assert_uint_eq(rule->group_count, 1);
    ck_assert_uint_eq(rule->verb_count, 2);
    ck_assert_str_eq(rule->verbs[0], "mroute.write");
    ck_assert_str_eq(rule->verbs[1], "*.read");
    ck_assert_uint_eq(rule->interface_count, 2);
    ck_assert_str_eq(rule->interfaces[1], "veth*");
    ck_assert_uint_eq(rule->prefix_count, 3);
    ck_assert_uint_eq(rule->prefixes[0].length, 16);
    ck_assert_uint_eq(rule->prefixes[1].address.family, FAMILY_IPV6);
    ck_assert_uint_eq(rule->prefixes[2].length, 32);
    ck_assert_uint_eq(rule->table_count, 2);
    ck_assert_uint_eq(rule->leases, 7);
    ck_assert_uint_eq(rule->ethertype_count, 2);
    ck_assert_uint_eq(rule->ethertypes[0], 0x88ba);
    ck_assert_uint_eq(rule->ethertypes[1], 0x88b8);
    ck_assert_uint_eq(rule->directions, DIRECTION_IN);
    ck_assert_int_eq(rule->promiscuous, PROMISCUOUS_NO);
    assert_scope(&rule->scope);
    ck_assert_uint_eq(rule->rate, 4800);
    ck_assert_uint_eq(rule->tables[0], 100);
    ck_assert(f.policy.rules[1].deny && f.policy.rules[1].everyone);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(a_list_goes_on_in_a_second_line)
{
    struct fixture f = {0};

    ck_assert(parse_text(&f, "[allow x]\n" ALL "interfaces = a\ninterfaces = b\n", "file"));
    ck_assert_uint_eq(f.policy.rules[0].interface_count, 2);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(a_list_goes_on_in_an_indented_line)
{
    struct fixture f = {0};

    ck_assert(parse_text(&f,
                         "[allow x]\n" ALL "multicast = 239.1.0.0/16, 239.2.0.0/16\n"
                         "\t# one more\n\n    ff3e::/16, 239.3.0.0/16 ; and no other\r\n",
                         "file"));
    ck_assert_str_eq(f.log.text, "");
    ck_assert_uint_eq(f.policy.rules[0].prefix_count, 4);
    policy_clear(&f.policy);
}
END_TEST

/* What stands below a heading that is a mistake belongs neither to it nor to the rule before. */
START_TEST(a_wrong_heading_is_told_once)
{
    static const char *const headings[] = {"[deny", "[permit y]",
                                           "[deny " LINE_90 LINE_90 LINE_90 "]"};
    struct fixture f = {0};
    char text[512];

    snprintf(text, sizeof text, "[allow x]\n" ALL "%s\n" ALL "tables = 0\ncolour = red\n",
             headings[_i]);
    ck_assert(!parse_text(&f, text, "file"));
    ck_assert_ptr_nonnull(strstr(f.log.text, "file:4: "));
    ck_assert_ptr_null(strstr(strstr(f.log.text, "file:4: ") + 1, "file:"));
    policy_clear(&f.policy);
}
END_TEST

/* Together they would be a rule that nobody wrote: b on eth0. */
START_TEST(two_rules_of_one_name_stay_two)
{
    struct fixture f = {0};

    ck_assert(parse_text(&f,
                         "[allow x]\nuser = root\nverbs = *\ninterfaces = eth0\n"
                         "[allow x]\nuser = nobody\nverbs = *\ninterfaces = eth1\n",
                         "file"));
    ck_assert_uint_eq(f.policy.count, 2);
    ck_assert_uint_eq(f.policy.rules[0].user_count, 1);
    ck_assert_str_eq(f.policy.rules[1].interfaces[0], "eth1");
    policy_clear(&f.policy);
}
END_TEST

#define NAME_40 "0123456789012345678901234567890123456789"

static const struct {
    const char *text;
    int line;
    const char *right; /* part of the log */
} mistakes[] = {
    {"user = root\n[allow x]\n" ALL, 1, "[allow NAME] or [policy]"},
    {"[allow x]\n" ALL "[permit y]\n" ALL, 4, "[allow NAME], [deny NAME] or [policy]"},
    {"[allow]\n" ALL, 1, "[allow NAME], [deny NAME] or [policy]"},
    {"[Deny x]\n" ALL, 1, "[allow NAME], [deny NAME] or [policy]"},
    {"[allow " NAME_40 "x]\n" ALL, 1, "at most 40 characters"},
    {"[deny " NAME_40 NAME_40 "]\n" ALL, 1, "at most 40 characters"},
    {"[allow x]\n" ALL "colour = red\n", 4,
     "user, users, group, everyone, netns, verbs, interfaces"},
    {"[allow x]\nuser = root, no-such-user\nverbs = *\n", 2, "the name of a user"},
    {"[allow x]\nuser =\nverbs = *\n", 2, "the name of a user"},
    {"[allow x]\ngroup = no-such-group\nverbs = *\n", 2, "the name of a group"},
    {"[allow x]\neveryone = no\nverbs = *\n", 2, "yes, or leave the line out"},
    {"[allow x]\neveryone = yes\nverbs = mroute.wirte\n", 3, "a verb such as mroute.write"},
    {"[allow x]\neveryone = yes\nverbs = mroute.write *.read\n", 3, "a verb such as"},
    {"[allow x]\neveryone = yes\nverbs = *\ninterfaces = eth0, eth+\n", 4, "a pattern with '*'"},
    {"[allow x]\neveryone = yes\nverbs = a-verb-that-has-more-than-31-characters\n", 3,
     "at most 31 characters"},
    {"[deny x]\n" ALL "interfaces = office0 office1\n", 4, "the name of an interface"},
    {"[deny x]\n" ALL "interfaces = office0,\n", 4, "the name of an interface"},
    {"[deny x]\n" ALL "interfaces = \n", 4, "the name of an interface"},
    {"[deny x]\n" ALL "interfaces = sixteen-letters-\n", 4, "of at most 15 characters"},
    {"[deny x]\n" ALL "interfaces = eth%d\n", 4, "the name of an interface"},
    {"[deny x]\n" ALL "interfaces = eth0 # the office\n", 4, "the name of an interface"},
    {"[allow x]\n" ALL "multicast = 10.0.0.0/8\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = 239.0.0.0/3\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = 239.0.0.0/33\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = 239.0.0.0/4294967312\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = 239.0.0.0/\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = 239.0.0.0/8x\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = ff00::/7\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = ff00::/129\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "multicast = " NAME_40 NAME_40 "\n", 4, "a multicast group or prefix"},
    {"[allow x]\n" ALL "leases = 0\n", 4, "1 or more"},
    {"[allow x]\n" ALL "leases = many\n", 4, "1 or more"},
    {"[deny x]\n" ALL "leases = 3\n", 4, "in a rule that allows"},
    {"[allow x]\n" ALL "ethertypes = 0x5ff\n", 4, "0x0600 to 0xffff"},
    {"[allow x]\n" ALL "ethertypes = 0x88ba0\n", 4, "0x0600 to 0xffff"},
    {"[allow x]\n" ALL "ethertypes = 88ba\n", 4, "0x0600 to 0xffff"},
    {"[allow x]\n" ALL "ethertypes = arp, smv\n", 4, "0x0600 to 0xffff"},
    {"[allow x]\n" ALL "direction = up\n", 4, "in, out or both"},
    {"[allow x]\n" ALL "promiscuous = maybe\n", 4, "yes or no"},
    {"[allow x]\n" ALL "source-macs = 01:00:00:00:00:01\n", 4, "32 unicast Ethernet addresses"},
    {"[allow x]\n" ALL "source-macs = own, his\n", 4, "own, any, or at most 32"},
    {"[allow x]\n" ALL "destination-macs = 01:0c:cd:04:00:00/49\n", 4, "with a number of bits"},
    {"[allow x]\n" ALL "destination-macs = any\n", 4, "at most 32 Ethernet addresses"},
    {"[allow x]\n" ALL "vlans = 4095\n", 4, "0 to 4094"},
    {"[allow x]\n" ALL "frames-per-second = 0\n", 4, "1 or more"},
    {"[deny x]\n" ALL "frames-per-second = 10\n", 4, "in a rule that allows"},
    {"[allow x]\n" ALL "tables = 0\n", 4, "1 to 999999999"},
    {"[allow x]\n" ALL "tables = 1000000000\n", 4, "1 to 999999999"},
    {"[allow x]\n" ALL "tables = -18446744073709551615\n", 4, "1 to 999999999"},
    {"[allow x]\n" ALL "tables = main\n", 4, "1 to 999999999"},
    {"[allow x]\n" ALL "tables = 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n"
     "tables = 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n",
     5, "at most 32"},
    {"[allow x]\n" ALL "user = 1000\n", 4, "numbers stand in a line users"},
    {"[allow x]\n" ALL "users = root\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = 9-8\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = 1-\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = -1\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = 1-2-3\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = 0-4294967294\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "users = 4294967296\n", 4, "the number of a user, or a range"},
    {"[allow x]\n" ALL "netns = all\n", 4, "own or any"},
    {"[deny x]\n" ALL "netns = own\n", 4, "a rule that denies holds for all"},
    {"[policy]\nadministrator = no-such-user\n", 2, "the name of a user of this machine, or none"},
    {"[policy]\nuser = root\n", 2, "administrator"},
    {"[policy]\nadministrator = root\nadministrator = none\n", 3, "one such line"},
    {"[allow x]\nverbs = *\n[allow y]\n" ALL, 1, "a line user, users, group or everyone"},
    {"[allow x]\n" ALL "[deny y]\neveryone = yes\n", 4, "a line verbs"},
    {"[deny x]\n# everyone = yes\n[allow y]\n" ALL, 1, "a rule"},
    {"[allow x]\n" ALL "[deny y]\n", 4, "a rule"},
    {"[allow x]\n" ALL "  [deny]\n" ALL, 4, "[allow NAME], [deny NAME] or [policy]"},
    {"[allow x]\n" ALL "nonsense\n", 4, "NAME = VALUE"},
    {"[allow x\n" ALL, 1, "NAME = VALUE"},
    /* The end of a long line must not count as one of its own. */
    {"[allow x]\neveryone = yes\nverbs = *.read\n" LINE_90 LINE_90
     "123456789 123456789 verbs = *\n",
     4, "at most 198 bytes"},
    {"[allow x]\n" ALL "\n" LINE_90 LINE_90 LINE_90 LINE_90 LINE_90 "\ntables = 0\n", 6,
     "1 to 999999999"},
    {"[allow x]\n" ALL "verbs = " LINE_90 LINE_90 LINE_90 "\nnonsense\n", 5, "NAME = VALUE"},
    {"[allow " LINE_90 LINE_90 LINE_90 "]\n[allow]\n" ALL, 2,
     "[allow NAME], [deny NAME] or [policy]"},
    {"[allow x] everyone = yes\nverbs = *\n", 1, "nothing after a heading"},
};

START_TEST(a_mistake_is_told_with_its_line)
{
    struct fixture f = {0};
    char place[32];

    ck_assert(!parse_text(&f, mistakes[_i].text, "file"));
    snprintf(place, sizeof place, ": file:%d: ", mistakes[_i].line);
    assert_logged(&f.log, place);
    assert_logged(&f.log, mistakes[_i].right);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(a_name_of_40_characters_is_the_longest)
{
    struct fixture f = {0};

    ck_assert(parse_text(&f, "[allow " NAME_40 "]\n" ALL, "file"));
    ck_assert_str_eq(f.policy.rules[0].name, NAME_40);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(each_of_two_mistakes_is_told)
{
    struct fixture f = {0};

    ck_assert(!parse_text(&f, "[allow x]\na = 1\nb = 2\n", "file"));
    assert_logged(&f.log, "file:2: ");
    assert_logged(&f.log, "file:3: ");
    policy_clear(&f.policy);
}
END_TEST

/* A user that is not there leaves a rule without users, which is no mistake of its own. */
START_TEST(a_mistake_is_told_once)
{
    struct fixture f = {0};

    ck_assert(!parse_text(&f, "[allow x]\nuser = no-such-user\nverbs = *\n", "file"));
    ck_assert_uint_eq(log_count(&f.log, "file:"), 1);
    policy_clear(&f.policy);
}
END_TEST

START_TEST(there_are_256_rules_at_most)
{
    struct fixture f = {0};
    char *text = calloc(257, 64);

    ck_assert_ptr_nonnull(text);
    for (int i = 0; i < RULES_MAX; i++)
        sprintf(text + strlen(text), "[allow %d]\n" ALL, i);
    ck_assert(parse_text(&f, text, "file"));
    ck_assert_uint_eq(f.policy.count, RULES_MAX);
    ck_assert(!parse_text(&f, "[deny one]\n" ALL, "next"));
    assert_logged(&f.log, "next:1: ");
    policy_clear(&f.policy);
    free(text);
}
END_TEST

/* --- Files --------------------------------------------------------------------------------- */

struct folder {
    struct fixture fixture;
    char path[64], conf[96], drop_ins[96];
};

static void folder_begin(struct folder *f)
{
    memset(f, 0, sizeof *f);
    strcpy(f->path, "/tmp/netbroker-unit-policy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->path));
    snprintf(f->conf, sizeof f->conf, "%s/policy.conf", f->path);
    snprintf(f->drop_ins, sizeof f->drop_ins, "%s/policy.d", f->path);
    ck_assert_int_eq(mkdir(f->drop_ins, 0755), 0);
}

static void folder_end(struct folder *f)
{
    char command[128];

    policy_clear(&f->fixture.policy);
    snprintf(command, sizeof command, "rm -r %s", f->path);
    ck_assert_int_eq(system(command), 0);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

static bool load(struct folder *f)
{
    struct mistakes found = {0};
    bool loaded;

    log_capture_begin(&f->fixture.log);
    loaded = policy_load(&f->fixture.policy, f->conf, false, &found);
    log_capture_end(&f->fixture.log);
    return loaded;
}

START_TEST(no_file_is_no_rule)
{
    struct folder f;

    folder_begin(&f);
    f.fixture.policy.started_by = 7;
    rmdir(f.drop_ins);
    ck_assert(load(&f));
    ck_assert_uint_eq(f.fixture.policy.count, 0);
    ck_assert_uint_eq(f.fixture.policy.started_by, 7);
    folder_end(&f);
}
END_TEST

START_TEST(drop_ins_follow_in_the_order_of_their_names)
{
    struct folder f;

    folder_begin(&f);
    write_file(f.path, "policy.conf", "[allow first]\n" ALL);
    for (int i = 0; i < 20; i++) { /* in an order of its own: 7, 14, 1, ... */
        char name[16], text[64];

        snprintf(name, sizeof name, "%02d.conf", (i + 1) * 7 % 20);
        snprintf(text, sizeof text, "[allow %02d]\n" ALL, (i + 1) * 7 % 20);
        write_file(f.drop_ins, name, text);
    }
    write_file(f.drop_ins, "15-c.conf.bak", "nonsense");
    write_file(f.drop_ins, ".hidden.conf", "nonsense");
    ck_assert(load(&f));
    ck_assert_uint_eq(f.fixture.policy.count, 21);
    ck_assert_str_eq(f.fixture.policy.rules[0].name, "first");
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(atoi(f.fixture.policy.rules[i + 1].name), i);
    folder_end(&f);
}
END_TEST

/* A line before the first heading of a file is not one of the last rule of the file before. */
START_TEST(a_rule_ends_with_its_file)
{
    struct folder f;

    folder_begin(&f);
    write_file(f.path, "policy.conf", "[allow x]\n" ALL);
    write_file(f.drop_ins, "a.conf", "interfaces = eth0\n");
    ck_assert(!load(&f));
    assert_logged(&f.fixture.log, "a.conf:1: ");
    folder_end(&f);
}
END_TEST

START_TEST(a_mistake_in_any_file_leaves_all_rules_as_they_were)
{
    struct folder f;

    folder_begin(&f);
    write_file(f.path, "policy.conf", "[allow old]\n" ALL);
    ck_assert(load(&f));
    write_file(f.path, "policy.conf", "[allow new]\n" ALL);
    write_file(f.drop_ins, "a.conf", "nonsense\n");
    ck_assert(!load(&f));
    ck_assert_uint_eq(f.fixture.policy.count, 1);
    ck_assert_str_eq(f.fixture.policy.rules[0].name, "old");
    write_file(f.drop_ins, "a.conf", "");
    ck_assert(load(&f));
    ck_assert_str_eq(f.fixture.policy.rules[0].name, "new");
    folder_end(&f);
}
END_TEST

static void make_symlink(const struct folder *f)
{
    write_file(f->path, "other", "[allow x]\n" ALL);
    unlink(f->conf);
    ck_assert_int_eq(symlink("other", f->conf), 0);
}

static void make_dangling_link(const struct folder *f)
{
    unlink(f->conf);
    ck_assert_int_eq(symlink("nowhere", f->conf), 0);
}

static void make_folder(const struct folder *f)
{
    unlink(f->conf);
    ck_assert_int_eq(mkdir(f->conf, 0755), 0);
}

static void make_fifo(const struct folder *f)
{
    unlink(f->conf);
    ck_assert_int_eq(mkfifo(f->conf, 0644), 0);
}

static void make_device(const struct folder *f)
{
    unlink(f->conf);
    ck_assert_int_eq(symlink("/dev/zero", f->conf), 0);
}

static void give_away(const struct folder *f)
{
    ck_assert_int_eq(chown(f->conf, 12345, 0), 0);
}

static void make_group_writable(const struct folder *f)
{
    chmod(f->conf, 0664);
}

static void make_world_writable(const struct folder *f)
{
    chmod(f->conf, 0646);
}

static void give_folder_away(const struct folder *f)
{
    ck_assert_int_eq(chown(f->drop_ins, 12345, 0), 0);
}

static void make_folder_writable(const struct folder *f)
{
    chmod(f->drop_ins, 0777);
}

static void make_folder_a_link(const struct folder *f)
{
    rmdir(f->drop_ins);
    ck_assert_int_eq(symlink("/etc", f->drop_ins), 0);
}

static void make_folder_a_file(const struct folder *f)
{
    rmdir(f->drop_ins);
    write_file(f->path, "policy.d", "");
}

static const struct {
    void (*spoil)(const struct folder *folder);
    const char *said;
} spoilt[] = {
    {make_symlink, "policy.conf is not used: it is a symbolic link"},
    {make_dangling_link, "policy.conf is not used: it is a symbolic link"},
    {make_device, "policy.conf is not used: it is a symbolic link"},
    {make_folder, "policy.conf is not used: it is not a regular file"},
    {make_fifo, "policy.conf is not used: it is not a regular file"},
    {give_away, "policy.conf is not used: it must belong to root"},
    {make_group_writable, "policy.conf is not used: nobody but root"},
    {make_world_writable, "policy.conf is not used: nobody but root"},
    {give_folder_away, "policy.d is not used: it must belong to root"},
    {make_folder_writable, "policy.d is not used: nobody but root"},
    {make_folder_a_link, "policy.d is not used: "},
    {make_folder_a_file, "policy.d is not used: "},
};

START_TEST(what_others_may_have_written_is_not_used)
{
    struct folder f;

    folder_begin(&f);
    write_file(f.path, "policy.conf", "[allow x]\n" ALL);
    ck_assert(load(&f));
    spoilt[_i].spoil(&f);
    ck_assert(!load(&f));
    assert_logged(&f.fixture.log, spoilt[_i].said);
    ck_assert_uint_eq(f.fixture.policy.count, 1);
    folder_end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, every_part_of_a_rule_is_read);
    tcase_add_test(tests, users_have_numbers_and_places);
    tcase_add_test(tests, the_administrator_is_named);
    tcase_add_test(tests, a_list_goes_on_in_a_second_line);
    tcase_add_test(tests, a_list_goes_on_in_an_indented_line);
    tcase_add_loop_test(tests, a_wrong_heading_is_told_once, 0, 3);
    tcase_add_test(tests, two_rules_of_one_name_stay_two);
    tcase_add_loop_test(tests, a_mistake_is_told_with_its_line, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, a_name_of_40_characters_is_the_longest);
    tcase_add_test(tests, each_of_two_mistakes_is_told);
    tcase_add_test(tests, a_mistake_is_told_once);
    tcase_add_test(tests, there_are_256_rules_at_most);
    if (geteuid() != 0) /* only root has files that are used */
        return;
    tcase_add_test(tests, no_file_is_no_rule);
    tcase_add_test(tests, drop_ins_follow_in_the_order_of_their_names);
    tcase_add_test(tests, a_rule_ends_with_its_file);
    tcase_add_test(tests, a_mistake_in_any_file_leaves_all_rules_as_they_were);
    tcase_add_loop_test(tests, what_others_may_have_written_is_not_used, 0,
                        (int)(sizeof spoilt / sizeof *spoilt));
}

int main(void)
{
    return suite_run("policy_file", add_tests);
}
