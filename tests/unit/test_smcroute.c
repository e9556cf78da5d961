/* SMCRoute's configuration: which routes and joins are read, and what is said of the rest. */
#include "smcroute.h"
#include "suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What was read, a line each: "3 route * 225.1.1.1 a > b:1 c:7", "3 join ...", "3 include /etc/x",
 * "3 note" and "3 problem". */
struct diary {
    char text[8192];
    char said[1024]; /* the latest remark */
};

__attribute__((format(printf, 2, 3))) static void note(struct diary *diary, const char *format, ...)
{
    size_t used = strlen(diary->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(diary->text + used, sizeof diary->text - used, format, arguments);
    va_end(arguments);
}

static void note_entry(void *context, unsigned line, const struct smcroute_entry *entry)
{
    note(context, "%u %s %s %s %s", line, entry->join ? "join" : "route",
         entry->source.text[0] ? entry->source.text : "*", entry->group.text, entry->iif.text);
    for (uint32_t i = 0; i < entry->oifs.count; i++)
        note(context, "%s %s:%u", i ? "" : " >", entry->oifs.names[i].text, entry->ttls[i]);
    note(context, "\n");
}

static void note_include(void *context, unsigned line, const char *pattern)
{
    note(context, "%u include %s\n", line, pattern);
}

static void note_remark(void *context, unsigned line, enum smcroute_weight weight, const char *text)
{
    struct diary *diary = context;

    note(diary, "%u %s\n", line, weight == SMCROUTE_NOTE ? "note" : "problem");
    snprintf(diary->said, sizeof diary->said, "%s", text);
}

static void read_text(struct diary *diary, const char *text, size_t length)
{
    struct smcroute smcroute = {
        .reader = {note_entry, note_include, note_remark, diary},
    };

    *diary = (struct diary){0};
    smcroute_read(&smcroute, text, length);
}

static const struct {
    const char *config, *read;
} configs[] = {
    {"", ""},
    {"\n# a comment\n  \t\r\n#", ""},
    {"mroute from a group 225.1.1.1 to b", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a source 10.0.0.1 group 225.1.1.1 to b c",
     "1 route 10.0.0.1 225.1.1.1 a > b:1 c:1\n"},
    {"\n\tmroute  group 225.1.1.1\tto-comes-later", "2 problem\n"},
    {"mroute group 225.1.1.1 from a to b # c", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a group 225.1.1.1 to b #c\r\n", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a source 10.0.0.0/8 group 225.1.1.9/24 to b",
     "1 route 10.0.0.0/8 225.1.1.0/24 a > b:1\n"},
    {"mroute from a source 0.0.0.0 group 225.1.1.1 to b", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a source ::/0 group FF05::1 to b", "1 route * ff05::1 a > b:1\n"},
    {"mroute from a group 225.1.1.1/0 to b", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from eth+ group 225.1.1.1 to b+ c", "1 route * 225.1.1.1 eth+ > b+:1 c:1\n"},
    {"mroute from a group 225.1.1.1 to b b", "1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a source 10.0.0.1 group 225.1.1.1", "1 route 10.0.0.1 225.1.1.1 a\n"},
    {"mroute from a group ff2e::42 to b", "1 route * ff2e::42 a > b:1\n"},
    {"mgroup from a group 225.1.1.1", "1 join * 225.1.1.1 a\n"},
    {"mgroup from eth+ group 225.1.1.1", "1 join * 225.1.1.1 eth+\n"},
    {"mgroup from a source 10.0.0.1/30 group 225.1.1.0/26", "1 join 10.0.0.0/30 225.1.1.0/26 a\n"},
    {"ssmgroup from a group 232.1.1.1 source 10.0.0.1", "1 join 10.0.0.1 232.1.1.1 a\n"},
    {"include /etc/smcroute.d/*.conf # all", "1 include /etc/smcroute.d/*.conf\n"},
    /* TTL thresholds hold from their line on. */
    {"phyint b enable ttl-threshold 7\nmroute from a group 225.1.1.1 to b c",
     "2 route * 225.1.1.1 a > b:7 c:1\n"},
    {"mroute from a group 225.1.1.1 to b\nphyint b enable ttl-threshold 7",
     "1 route * 225.1.1.1 a > b:1\n"},
    {"phyint b+ ttl-threshold 7 enable\nphyint b1 threshold 254\nmroute from a group 225.1.1.1 to "
     "b1 b2 c",
     "3 route * 225.1.1.1 a > b1:254 b2:7 c:1\n"},
    {"phyint b1 ttl-threshold 9\nphyint b+ ttl-threshold 7\nmroute from a group 225.1.1.1 to b1",
     "3 route * 225.1.1.1 a > b1:7\n"},
    {"phyint b ttl-threshold 7\nphyint b enable\nmroute from a group 225.1.1.1 to b",
     "3 route * 225.1.1.1 a > b:1\n"},
    {"phyint b+ ttl-threshold 7\nmroute from a group 225.1.1.1 to b+ b1+",
     "2 route * 225.1.1.1 a > b+:7 b1+:7\n"},
    /* Not as it stands */
    {"mroute from a group 225.1.1.1 to a b", "1 note\n1 route * 225.1.1.1 a > b:1\n"},
    {"mroute from a source 10.0.0.1 group 225.1.1.1 to a", "1 note\n1 problem\n"},
    {"phyint a mrdisc ttl-threshold 3\nmroute from b group 225.1.1.1 to a",
     "1 problem\n2 route * 225.1.1.1 b > a:3\n"},
};

START_TEST(a_configuration_is_read)
{
    struct diary diary;

    read_text(&diary, configs[_i].config, strlen(configs[_i].config));
    ck_assert_str_eq(diary.text, configs[_i].read);
}
END_TEST

static const struct {
    const char *line, *said;
} problems[] = {
    {"mrouter from a group 225.1.1.1 to b", "There is no statement 'mrouter'"},
    {"mroute", "'mroute' needs from and group."},
    {"mroute from a to b", "'mroute' needs from and group."},
    {"mroute group 225.1.1.1 to b", "'mroute' needs from and group."},
    {"mroute from", "An interface is missing after 'from'."},
    {"mroute from # a", "An interface is missing after 'from'."},
    {"mroute from a group", "An address is missing after 'group'."},
    {"mroute from a group 225.1.1.1 to", "No outgoing interface is left."},
    {"mroute from a group 225.1.1.1", "No outgoing interface is left."},
    {"mroute from a group 225.1.1.1 via b to c", "and to, not 'via'."},
    {"mroute from \"a\" group 225.1.1.1 to b", "SMCRoute knows no quotes"},
    {"mroute from a/b group 225.1.1.1 to b", "'a/b' is not a valid interface name."},
    {"mroute from a group 225.1.1.1 to bbbbbbbbbbbbbbbb", "is not a valid interface name."},
    {"mroute from a source ::1 group 225.1.1.1 to b", "different address families"},
    {"mroute from a group 225.1.1.1 to 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 "
     "23 24 25 26 27 28 29 30 31 32",
     "A route has at most 32 outgoing interfaces."},
    {"mgroup from a group 225.1.1.1 to b", "takes from, source, group, not 'to'."},
    {"phyint", "An interface is missing after 'phyint'."},
    {"phyint a ttl-threshold", "takes 1 to 254 here, not ''."},
    {"phyint a ttl-threshold 0", "takes 1 to 254 here, not '0'."},
    {"phyint a ttl-threshold 255", "takes 1 to 254 here, not '255'."},
    {"phyint a ttl-threshold 7x", "takes 1 to 254 here, not '7x'."},
    {"phyint a enabled", "not 'enabled'."},
    {"phyint a mrdisc", "RFC 4286"},
    {"include", "'include' needs the path of a file"},
    {"mroute from a\x01 group 225.1.1.1 to b", "not a printable ASCII character"},
};

START_TEST(a_problem_is_told)
{
    struct diary diary;

    read_text(&diary, problems[_i].line, strlen(problems[_i].line));
    ck_assert_str_eq(diary.text, "1 problem\n");
    ck_assert_msg(strstr(diary.said, problems[_i].said) != NULL, "'%s' in '%s'", problems[_i].said,
                  diary.said);
}
END_TEST

START_TEST(a_pattern_does_not_hide_what_phyint_says_of_its_interfaces)
{
    static const char text[] = "phyint b1 ttl-threshold 7\nmroute from a group 225.1.1.1 to b+";
    struct diary diary;

    read_text(&diary, text, strlen(text));
    ck_assert_str_eq(diary.text, "2 problem\n");
    ck_assert_msg(strstr(diary.said, "'b1' cannot apply to a part of 'b+'") != NULL, "%s",
                  diary.said);
}
END_TEST

START_TEST(bytes_may_be_anything)
{
    static const char text[] = "mroute from a group 225.1.1.1 to b #\0\xff\nphyint \0 enable\n"
                               "phyint a#\x1b enable";
    char longest[5000];
    struct diary diary;

    read_text(&diary, text, sizeof text - 1);
    ck_assert_str_eq(diary.text, "1 route * 225.1.1.1 a > b:1\n2 problem\n3 problem\n");
    memset(longest, 'a', sizeof longest);
    read_text(&diary, longest, sizeof longest);
    ck_assert_str_eq(diary.text, "1 problem\n");
}
END_TEST

START_TEST(phyint_is_kept_for_many_interfaces)
{
    struct diary diary;
    struct smcroute smcroute = {.reader = {note_entry, note_include, note_remark, &diary}};
    char line[64];

    diary = (struct diary){0};
    for (unsigned i = 0; i <= SMCROUTE_PHYINTS_MAX; i++) {
        snprintf(line, sizeof line, "phyint i%u disable", i);
        smcroute_read(&smcroute, line, strlen(line));
    }
    ck_assert_str_eq(diary.text, "1 problem\n");
    snprintf(line, sizeof line, "phyint i3 enable");
    smcroute_read(&smcroute, line, strlen(line));
    ck_assert_str_eq(diary.text, "1 problem\n");
    ck_assert(smcroute_is_disabled(&smcroute, "i2"));
    ck_assert(!smcroute_is_disabled(&smcroute, "i3"));
    ck_assert(!smcroute_is_disabled(&smcroute, "i+"));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_configuration_is_read, 0, (int)(sizeof configs / sizeof *configs));
    tcase_add_loop_test(tests, a_problem_is_told, 0, (int)(sizeof problems / sizeof *problems));
    tcase_add_test(tests, a_pattern_does_not_hide_what_phyint_says_of_its_interfaces);
    tcase_add_test(tests, bytes_may_be_anything);
    tcase_add_test(tests, phyint_is_kept_for_many_interfaces);
}

int main(void)
{
    return suite_run("smcroute", add_tests);
}
