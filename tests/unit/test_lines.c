/* The configuration syntax: what request a line becomes, and what is said of a wrong one. */
#include "statements/lines.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct thresholds no_thresholds;

/* What a file implies where the table has it. */
static const char *implied(void)
{
    const struct action_row *row = action_row(ACTION_ADD_MFC);

    for (size_t i = 0; i < row->field_count; i++)
        if (strcmp(row->fields[i].name, "wait") == 0)
            return ",\"wait\":true";
    return "";
}

#define ROUTE(payload) "{\"action\":\"ADD_MFC\",\"payload\":{" payload
#define A_ROUTE        "\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"

/* The request without its end: what is implied comes behind it. */
static const struct {
    const char *line, *request, *ttls;
} requests[] = {
    {"route group 239.1.1.1 iif a oifs b,c", ROUTE(A_ROUTE), ""},
    {"  route\tgroup 239.1.1.1  iif a oifs b,c \t\r", ROUTE(A_ROUTE), ""},
    {"route group 239.1.1.1 iif a oifs b,c # comment", ROUTE(A_ROUTE), ""},
    {"route group 239.1.1.1 iif a oifs b,c #\x01\xff", ROUTE(A_ROUTE), ""},
    {"route iif a#1 oifs b group 239.1.1.1",
     ROUTE("\"iif\":\"a#1\",\"oifs\":[\"b\"],\"group\":\"239.1.1.1\""), ""},
    {"route source 10.0.0.1 group 239.1.1.1 iif a oifs b ttls 16 table 7",
     ROUTE("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\"],"
           "\"ttls\":[16],\"table\":7"),
     ""},
    {"route source 10.0.0.1 group 239.1.1.1 iif a oifs \"\"",
     ROUTE("\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[]"), ""},
    {"{\"action\": \"ADD_MFC\", \"payload\": {" A_ROUTE "}}", ROUTE(A_ROUTE), ""},
    {" {\"id\":1e3,\"payload\":{" A_ROUTE "},\"action\":\"ADD_MFC\"} # c", ROUTE(A_ROUTE), ""},
    {"{\"id\":{\"payload\":[\"}\\\"\",{}]} , \"payload\" : {\"wait\":false , " A_ROUTE
     " },\"action\":\"ADD_MFC\"}",
     ROUTE(A_ROUTE), ""},
};

static const struct {
    const char *line, *request, *ttls;
} with_thresholds[] = {
    {"route group 239.1.1.1 iif a oifs b,c", ROUTE(A_ROUTE), ",\"ttls\":[1,9]"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{" A_ROUTE "}}", ROUTE(A_ROUTE), ",\"ttls\":[1,9]"},
    {"route group 239.1.1.1 iif a oifs b,c ttls 2,3", ROUTE(A_ROUTE ",\"ttls\":[2,3]"), ""},
    {"route group 239.1.1.1 iif c oifs a,b",
     ROUTE("\"group\":\"239.1.1.1\",\"iif\":\"c\",\"oifs\":[\"a\",\"b\"]"), ""},
    {"route group ff05::1 iif a oifs b,c",
     ROUTE("\"group\":\"ff05::1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]"), ""},
    {"route group 239.1.1.1 iif a oifs eth1,eth2,eth+",
     ROUTE("\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"eth1\",\"eth2\",\"eth+\"]"),
     ",\"ttls\":[4,5,5]"},
};

static const struct thresholds some_thresholds = {
    .count = 4,
    .entries = {{{"c"}, 9}, {{"e+"}, 3}, {{"eth+"}, 5}, {{"eth1"}, 4}},
};

static void assert_request(const char *text, const struct thresholds *thresholds,
                           const char *request, const char *ttls)
{
    struct line line = {0};
    struct error error = {0};
    char expected[1024], seen[1024];

    ck_assert_msg(line_read(text, strlen(text), thresholds, &line, &error) == LINE_REQUEST,
                  "%s: %s", text, error.message);
    snprintf(expected, sizeof expected, "%s%s%s}}", request, implied(), ttls);
    snprintf(seen, sizeof seen, "%.*s", (int)line.json.length, line.json.text);
    ck_assert_str_eq(seen, expected);
    ck_assert_int_eq(line.request.action, ACTION_ADD_MFC);
    ck_assert_str_eq(line.request.args.add_mfc.oifs.count ? "some" : "none",
                     strstr(request, "\"oifs\":[]") ? "none" : "some");
    json_clear(&line.json);
}

START_TEST(a_line_becomes_a_request)
{
    assert_request(requests[_i].line, &no_thresholds, requests[_i].request, requests[_i].ttls);
}
END_TEST

START_TEST(routes_of_ipv4_get_the_thresholds_of_their_interfaces)
{
    assert_request(with_thresholds[_i].line, &some_thresholds, with_thresholds[_i].request,
                   with_thresholds[_i].ttls);
}
END_TEST

static const struct {
    const char *line, *code, *said;
} mistakes[] = {
    {"rout group 239.1.1.1", "unknown-action", "begins with route, join or interface"},
    {"route", "missing-field", "needs 'group'"},
    {"route group", "missing-field", "it takes"},
    {"route group 239.1.1.1 iif a oif b", "unknown-field",
     "the fields are source, group, iif, oifs"},
    {"route group 239.1.1.1 iif a oifs b, c", "unknown-field",
     "there is no field 'c'; the list of 'oifs' is one word"},
    {"route group 239.1.1.1 group 239.1.1.1", "unknown-field", "given twice"},
    {"route group 239.1.1.1 iif a oifs b dry_run", "unknown-field", "not allowed in a file"},
    {"route group 239.1.1.1 iif a oifs b table x", "invalid-type", "an integer from 1"},
    {"route group 239.1.1.1 iif a oifs b table -1", "invalid-type", "an integer from 1"},
    {"route group 239.1.1.1 iif a oifs b table 0", "out-of-range", "an integer from 1"},
    {"route group 239.1.1.1 iif a oifs b ttls 1,", "invalid-type", "integers from 1 to 254"},
    {"route group 239.1.1.1 iif a oifs b ttls 255", "out-of-range", "from 1 to 254"},
    {"route group 10.0.0.1 iif a oifs b", "not-multicast", "group"},
    {"route group 224.0.0.9 iif a oifs b", "not-forwarded", "is a link-local group"},
    {"route group 239.1.1.1 iif a oifs b,b", "invalid-name", "twice"},
    {"route group 239.1.1.1 iif a oifs b/c", "invalid-name", "1 to 15"},
    {"route group 239.1.1.1 iif \x80 oifs b", "invalid-name", "Byte 27"},
    {"route group 239.1.1.1 iif a oifs b\x01", "invalid-name", "Byte 35"},
    {"interface", "invalid-type", "'interface NAME ttl NUMBER'"},
    {"interface a ttl", "invalid-type", "from 1 to 254"},
    {"interface a ttl 0", "invalid-type", "from 1 to 254"},
    {"interface a ttl 255", "invalid-type", "from 1 to 254"},
    {"interface a ttl 3 4", "invalid-type", "takes the form"},
    {"interface a/b ttl 3", "invalid-type", "takes the form"},
    {"{", "invalid-json", "begin and end on its line"},
    {"{} x", "invalid-json", "nothing else"},
    {"{}", "missing-field", "action"},
    {"{\"action\":\"PING\"}", "unknown-action", "PING is not allowed in a file"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{" A_ROUTE ",\"dry_run\":false}}", "unknown-field",
     "not allowed in a file"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{" A_ROUTE ",\"x\":1}}", "unknown-field", "no field 'x'"},
};

START_TEST(a_mistake_is_told)
{
    const char *text = mistakes[_i].line;
    struct line line = {0};
    struct error error = {0};

    ck_assert_int_eq(line_read(text, strlen(text), &no_thresholds, &line, &error), LINE_WRONG);
    assert_error(&error, mistakes[_i].code);
    ck_assert_msg(strstr(error.message, mistakes[_i].said) != NULL, "'%s' in '%s'",
                  mistakes[_i].said, error.message);
    json_clear(&line.json);
}
END_TEST

static const char *const blanks[] = {"", " ", "\t\r", "#", "  # route", "#\xff"};

START_TEST(some_lines_say_nothing)
{
    struct line line = {0};
    struct error error;

    ck_assert_int_eq(line_read(blanks[_i], strlen(blanks[_i]), &no_thresholds, &line, &error),
                     LINE_BLANK);
}
END_TEST

START_TEST(a_line_has_its_limit)
{
    char text[REQUEST_MAX + 2];
    struct line line = {0};
    struct error error;

    memset(text, 'a', sizeof text);
    ck_assert_int_eq(line_read(text, REQUEST_MAX, &no_thresholds, &line, &error), LINE_WRONG);
    assert_error(&error, "unknown-action");
    ck_assert_int_eq(line_read(text, REQUEST_MAX + 1, &no_thresholds, &line, &error), LINE_WRONG);
    assert_error(&error, "too-large");
    memcpy(text, "route iif ", 10); /* longer as JSON than as a line */
    ck_assert_int_eq(line_read(text, REQUEST_MAX, &no_thresholds, &line, &error), LINE_WRONG);
    assert_error(&error, "too-large");
    memset(text, ' ', sizeof text); /* nothing is nothing at any length */
    ck_assert_int_eq(line_read(text, sizeof text, &no_thresholds, &line, &error), LINE_BLANK);
    json_clear(&line.json);
}
END_TEST

/* --- Files --------------------------------------------------------------------------------- */

/* What a file said: "3:{...}" for a request, "3!code" for a mistake, a line each. */
struct diary {
    char text[4096];
    unsigned most; /* statements before it has enough */
};

static void note(struct diary *diary, unsigned number, char mark, const char *text, size_t length)
{
    size_t used = strlen(diary->text);

    snprintf(diary->text + used, sizeof diary->text - used, "%u%c%.*s\n", number, mark, (int)length,
             text);
}

static bool note_statement(void *context, unsigned number, const struct line *line)
{
    struct diary *diary = context;
    char ttls[16];

    snprintf(ttls, sizeof ttls, "%u", line->request.args.add_mfc.ttls.values[0]);
    note(diary, number, ':', ttls, strlen(ttls));
    return --diary->most > 0;
}

static void note_mistake(void *context, unsigned number, const struct error *error)
{
    const char *word = error_word(error->code);

    note(context, number, '!', word, strlen(word));
}

static bool read_file(struct diary *diary, const char *text)
{
    const struct lines_reader reader = {note_statement, note_mistake, diary};

    return lines_read(text, strlen(text), &reader);
}

#define B_ROUTE "route group 239.1.1.1 iif a oifs b\n"

START_TEST(a_file_has_numbered_lines)
{
    struct diary diary = {.most = 9};

    ck_assert(read_file(&diary, "# one\n" B_ROUTE "\n\r\n" B_ROUTE "route group 239.1.1.1 iif a "
                                "oifs c"));
    ck_assert_str_eq(diary.text, "2:0\n5:0\n6:0\n");
}
END_TEST

START_TEST(a_threshold_holds_for_the_whole_file)
{
    struct diary diary = {.most = 9};

    ck_assert(read_file(&diary, B_ROUTE " interface b ttl 7\n" B_ROUTE "interface b ttl 7\n"));
    ck_assert_str_eq(diary.text, "1:7\n3:7\n");
}
END_TEST

START_TEST(all_mistakes_are_told)
{
    struct diary diary = {.most = 9};

    ck_assert(!read_file(&diary, "x\n" B_ROUTE "interface b ttl 7\ninterface b ttl 8\n"
                                 "route group 1.1.1.1 iif a oifs b\ninterface b\n"));
    ck_assert_str_eq(diary.text, "1!unknown-action\n2:8\n4!in-use\n5!not-multicast\n"
                                 "6!invalid-type\n");
}
END_TEST

START_TEST(thresholds_have_a_limit)
{
    struct diary diary = {.most = 9};
    char text[8192] = "";

    for (unsigned i = 0; i <= THRESHOLDS_MAX; i++)
        sprintf(text + strlen(text), "interface i%u ttl 3\n", i);
    ck_assert(!read_file(&diary, text));
    ck_assert_str_eq(diary.text, "65!limit\n");
}
END_TEST

static const struct {
    const char *text;
    bool right;
} threshold_files[] = {
    {"", true},
    {"interface a ttl 2\ninterface b ttl 3\n", true},
    {"interface a ttl 2\nroute nonsense\n join\n{\n# interface\n\t\n", true},
    {"interface a\n", false},
    {"interface a ttl 0\nroute group 239.1.1.1 iif a oifs b\n", false},
    {"interface a ttl 2\ninterface a ttl 3\n", false},
    {"intreface a ttl 2\n", false},
    {"nonsense", false},
};

START_TEST(thresholds_of_a_file_are_right_or_not)
{
    const char *text = threshold_files[_i].text;

    ck_assert(lines_thresholds_are_right(text, strlen(text)) == threshold_files[_i].right);
}
END_TEST

START_TEST(a_statement_may_end_the_reading)
{
    struct diary diary = {.most = 2};

    ck_assert(!read_file(&diary, B_ROUTE B_ROUTE B_ROUTE "x\n"));
    ck_assert_str_eq(diary.text, "1:0\n2:0\n");
}
END_TEST

static bool count_statement(void *context, unsigned number, const struct line *line)
{
    (void)number;
    *(unsigned *)context += line->request.args.add_mfc.group.address.family == FAMILY_IPV4;
    return true;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Some 25 ms; the bound is for sanitizers and busy machines. */
START_TEST(ten_thousand_routes_are_read_at_once)
{
    static const size_t routes = 10000, room = 128;
    unsigned count = 0;
    const struct lines_reader reader = {count_statement, note_mistake, &count};
    char *text = malloc(routes * room);
    size_t used = 0;
    double start;

    for (unsigned i = 0; i < routes; i++)
        used += (size_t)sprintf(text + used,
                                "route source 10.1.%u.%u group 239.1.%u.%u iif eth0 oifs eth1,eth2 "
                                "ttls 2,3 table 100\n",
                                i / 250, i % 250 + 1, i / 250, i % 250);
    start = now_ms();
    ck_assert(lines_read(text, used, &reader));
    fprintf(stderr, "%zu routes read in %.1f ms\n", routes, now_ms() - start);
    ck_assert_double_lt(now_ms() - start, 20000);
    ck_assert_uint_eq(count, routes);
    free(text);
}
END_TEST

#define ADD_LOOP(tests, test, table)                                                               \
    tcase_add_loop_test(tests, test, 0, (int)(sizeof(table) / sizeof *(table)))

static void add_tests(TCase *tests)
{
    ADD_LOOP(tests, a_line_becomes_a_request, requests);
    ADD_LOOP(tests, routes_of_ipv4_get_the_thresholds_of_their_interfaces, with_thresholds);
    ADD_LOOP(tests, a_mistake_is_told, mistakes);
    ADD_LOOP(tests, some_lines_say_nothing, blanks);
    tcase_add_test(tests, a_line_has_its_limit);
    tcase_add_test(tests, a_file_has_numbered_lines);
    tcase_add_test(tests, a_threshold_holds_for_the_whole_file);
    tcase_add_test(tests, all_mistakes_are_told);
    tcase_add_test(tests, thresholds_have_a_limit);
    tcase_add_loop_test(tests, thresholds_of_a_file_are_right_or_not, 0,
                        (int)(sizeof threshold_files / sizeof *threshold_files));
    tcase_add_test(tests, a_statement_may_end_the_reading);
    tcase_add_test(tests, ten_thousand_routes_are_read_at_once);
}

int main(void)
{
    return suite_run("lines", add_tests);
}
