/* The command line, by the action table: what request becomes of it. */
#include "cli.h"
#include "log_capture.h"
#include "request.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

struct fixture {
    struct command_line line;
    struct log_capture log; /* what it said on standard error */
    char words[1024];       /* what line points into */
    char text[4096];        /* the request */
    int status;
};

/* Reads the words of a command, separated by spaces; '_' is a space in a word. */
static void read_words(struct fixture *f, const char *words)
{
    char name[] = "netbroker", *rest = f->words, *argv[64] = {name}, *word;
    struct json json = {.limit = sizeof f->text - 1};
    struct nb_request *request;
    int argc = 1;

    snprintf(f->words, sizeof f->words, "%s", words);
    while ((word = strsep(&rest, " "))) {
        for (char *c = word; *c; c++)
            if (*c == '_')
                *c = ' ';
        argv[argc++] = word;
    }
    f->text[0] = '\0';
    log_capture_begin(&f->log);
    f->status = command_line_parse(&f->line, argc, argv);
    if (f->status == EXIT_DONE && f->line.command.row) {
        ck_assert_int_eq(nb_request_new(&request, f->line.command.row->name), 0);
        f->status = command_line_request(&f->line, argc, argv, request);
        ck_assert_int_eq(request_append(request, &json), 0);
        snprintf(f->text, sizeof f->text, "%.*s", (int)json.length, json.text);
        nb_request_free(request);
        json_clear(&json);
    }
    log_capture_end(&f->log);
}

#define REQUEST(action, payload) "{\"action\":\"" action "\",\"payload\":{" payload "}}\n"

static const struct {
    const char *words, *request;
} commands[] = {
    {"ping", REQUEST("PING", "")},
    {"mfc add --group 239.1.1.1 --iif a --oifs b,c",
     REQUEST("ADD_MFC", "\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[\"b\",\"c\"]")},
    {"mfc add --group=239.1.1.1 --iif=a --oifs= --ttls 1,2 --table 7 --dry-run",
     REQUEST("ADD_MFC", "\"group\":\"239.1.1.1\",\"iif\":\"a\",\"oifs\":[],\"ttls\":[1,2],"
                        "\"table\":7,\"dry_run\":true")},
    {"mfc flush --json", REQUEST("FLUSH_MFC", "")},
    {"revoke 0123456789ab", REQUEST("REVOKE", "\"lease\":\"0123456789ab\"")},
    {"--json revoke --json 0123456789ab", REQUEST("REVOKE", "\"lease\":\"0123456789ab\"")},
    {"revoke a_b", REQUEST("REVOKE", "\"lease\":\"a b\"")}, /* the service judges it */
    {"policy check mroute.write", REQUEST("CHECK_POLICY", "\"verb\":\"mroute.write\"")},
    {"policy check mroute.write a,b",
     REQUEST("CHECK_POLICY", "\"verb\":\"mroute.write\",\"interfaces\":[\"a\",\"b\"]")},
    {"policy check mroute.write a --group 239.1.1.1",
     REQUEST("CHECK_POLICY",
             "\"verb\":\"mroute.write\",\"interfaces\":[\"a\"],\"group\":\"239.1.1.1\"")},
    {"policy check --table 7 mroute.write a",
     REQUEST("CHECK_POLICY", "\"table\":7,\"verb\":\"mroute.write\",\"interfaces\":[\"a\"]")},
};

START_TEST(a_command_becomes_a_request)
{
    struct fixture f;

    read_words(&f, commands[_i].words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(f.text, commands[_i].request);
    ck_assert_str_eq(f.log.text, "");
}
END_TEST

START_TEST(a_user_goes_with_all_groups)
{
    struct fixture f;

    read_words(&f, "policy check --user root mroute.write a");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_ptr_nonnull(strstr(f.text, "\"user\":{\"uid\":0,\"gids\":[0"));
    read_words(&f, "policy check --user 0 mroute.write");
    ck_assert_ptr_nonnull(strstr(f.text, "\"user\":{\"uid\":0,\"gids\":[0"));
}
END_TEST

static const struct {
    const char *words, *said;
} mistakes[] = {
    {"revoke", "'revoke' needs a lease"},
    {"revoke 0123456789ab 0123456789ac", "'revoke' has no option '0123456789ac'"},
    {"revoke --leas 0123456789ab", "'revoke' has no option '--leas'"},
    {"policy check", "'policy check' needs a verb"},
    {"policy check --group 239.1.1.1", "'policy check' needs a verb"},
    {"policy check mroute.write a b", "'policy check' has no option 'b'"},
    {"policy check --user no-such-user mroute.write", "there is no user 'no-such-user'"},
    {"policy check --user", "--user takes USER"},
    {"policy chekc", "'policy chekc' is no command; there are: 'policy check'"},
    {"ping pong", "'ping' has no option 'pong'"},
    {"mfc add --iif a --oifs b", "'mfc add' needs --group"},
    {"mfc add --group 239.1.1.1 --iif a --oifs b --table x", "'x' is no integer"},
    {"mfc add --group 239.1.1.1 --iif a --oifs b --ttls 1,", "'' is no integer"},
    {"mfc show --watch 0.05", "'0.05' is no time; --watch takes 0.1 to 86400 seconds"},
    {"mfc show --watch=nan", "'nan' is no time"},
    {"mfc show --watch 1e3", "'1e3' is no time"},
    {"mfc show --watch=", "'' is no time"},
    {"mfc add --watch", "'mfc add' has no option '--watch'"},
    {"nothing", "there is no command 'nothing'"},
    {"--jsno ping", "there is no option '--jsno'"},
    {"--socket", "--socket takes a path"},
    {"--json", "a command is missing"},
};

START_TEST(a_mistake_is_told)
{
    struct fixture f;

    read_words(&f, mistakes[_i].words);
    ck_assert_int_eq(f.status, EXIT_USAGE);
    assert_logged(&f.log, mistakes[_i].said);
}
END_TEST

START_TEST(an_argument_may_be_given_by_its_name)
{
    struct fixture f;

    read_words(&f, "revoke --lease 0123456789ab");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(f.text, REQUEST("REVOKE", "\"lease\":\"0123456789ab\""));
}
END_TEST

START_TEST(options_of_all_commands_stand_anywhere)
{
    struct fixture f;

    read_words(&f, "--socket /a --json ping --socket=/b --help");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(f.line.socket, "/b");
    ck_assert(f.line.json && f.line.help && !f.line.version);
}
END_TEST

static const struct {
    const char *words;
    double interval;
} watches[] = {
    {"mfc show", 0},
    {"mfc show --watch", OPTION_SECONDS_DEFAULT},
    {"mfc show --watch --json", OPTION_SECONDS_DEFAULT},
    {"mfc show --watch 0.5 --json", 0.5},
    {"vif show --watch=10", 10},
};

START_TEST(a_time_may_be_left_out)
{
    struct fixture f;

    read_words(&f, watches[_i].words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_double_eq(f.line.interval, watches[_i].interval);
    ck_assert_ptr_null(strstr(f.text, "watch")); /* the service knows nothing of it */
}
END_TEST

START_TEST(help_needs_no_arguments)
{
    struct fixture f;

    read_words(&f, "revoke --help");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert(f.line.help);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_command_becomes_a_request, 0,
                        (int)(sizeof commands / sizeof *commands));
    tcase_add_test(tests, a_user_goes_with_all_groups);
    tcase_add_loop_test(tests, a_mistake_is_told, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, an_argument_may_be_given_by_its_name);
    tcase_add_test(tests, options_of_all_commands_stand_anywhere);
    tcase_add_loop_test(tests, a_time_may_be_left_out, 0, sizeof watches / sizeof *watches);
    tcase_add_test(tests, help_needs_no_arguments);
}

int main(void)
{
    return suite_run("arguments", add_tests);
}
