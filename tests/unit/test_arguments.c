/* The command line, by the action table: what request becomes of it. */
#include "cli.h"
#include "log_capture.h"
#include "request.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct command_line line;
    struct log_capture log; /* what it said on standard error */
    char words[1024];       /* what line points into */
    char *argv[64];
    char text[4096]; /* the request */
    int status;
};

/* Reads the words of a command, separated by spaces; '_' is a space in a word. */
static void read_words(struct fixture *f, const char *words)
{
    static char name[] = "netbroker";
    char *rest = f->words, **argv = f->argv, *word;
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
    argv[0] = name;
    argv[argc] = NULL;
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
    {"revoke -- -a", REQUEST("REVOKE", "\"lease\":\"-a\"")},
    {"-- mfc flush --dry-run", REQUEST("FLUSH_MFC", "\"dry_run\":true")},
    {"revoke a_b", REQUEST("REVOKE", "\"lease\":\"a b\"")}, /* the service judges it */
    {"policy check mroute.write", REQUEST("CHECK_POLICY", "\"verb\":\"mroute.write\"")},
    {"policy check mroute.write a,b",
     REQUEST("CHECK_POLICY", "\"verb\":\"mroute.write\",\"interfaces\":[\"a\",\"b\"]")},
    {"policy check mroute.write a --group 239.1.1.1",
     REQUEST("CHECK_POLICY",
             "\"verb\":\"mroute.write\",\"interfaces\":[\"a\"],\"group\":\"239.1.1.1\"")},
    {"tap exec --isolated nb-a --bridge br0 -- qemu -netdev tap,fd={fd}",
     REQUEST("OPEN_TAP", "\"isolated\":true,\"name\":\"nb-a\",\"bridge\":\"br0\"")},
    {"tap exec -- qemu --help", REQUEST("OPEN_TAP", "")},
    {"tap exec --hosts 10.0.0.1/24 --route 10.9.0.0/16,10.8.0.0/16 -- a",
     REQUEST("OPEN_TAP",
             "\"hosts\":[\"10.0.0.1/24\"],\"routes\":[\"10.9.0.0/16\",\"10.8.0.0/16\"]")},
    {"tap create nb-a --owner 1000", REQUEST("OPEN_TAP", "\"name\":\"nb-a\",\"owner\":1000")},
    {"tap create --persistent --owner root nb-a",
     REQUEST("OPEN_TAP", "\"persistent\":true,\"owner\":0,\"name\":\"nb-a\"")},
    {"tap open nb-a", REQUEST("OPEN_TAP", "\"name\":\"nb-a\"")},
    {"tap open nb-a --", REQUEST("OPEN_TAP", "\"name\":\"nb-a\"")},
    {"tap open nb-a -- qemu", REQUEST("OPEN_TAP", "\"name\":\"nb-a\"")},
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

static const struct {
    const char *words, *command;
} commands_to_run[] = {
    {"tap exec -- a b", "a b"},
    {"tap exec nb-a --mtu 1400 -- a -- --json --mtu", "a -- --json --mtu"},
    {"tap open nb-a -- a", "a"},
};

START_TEST(words_of_a_command_are_its_own)
{
    struct fixture f;
    char text[256] = "";

    read_words(&f, commands_to_run[_i].words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert(f.line.command.own == OWN_TAP_EXEC && !f.line.json);
    for (char **word = f.line.words; *word; word++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? " " : "",
                 *word);
    ck_assert_str_eq(text, commands_to_run[_i].command);
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
    read_words(&f, "policy check --user 4111222333 mroute.write"); /* of a container */
    ck_assert_ptr_nonnull(strstr(f.text, "\"user\":{\"uid\":4111222333,\"gids\":[]"));
}
END_TEST

static const struct {
    const char *words, *said;
} mistakes[] = {
    {"revoke", "'revoke' needs LEASE. Write: netbroker revoke LEASE"},
    {"revoke 0123456789ab 0123456789ac", "'0123456789ac' is not expected here"},
    {"revoke --leas 0123456789ab", "'revoke' has no option '--leas'. Did you mean '--lease'?"},
    {"revoke -- --leas a", "'a' is not expected here"},
    {"policy check", "'policy check' needs VERB. Write: netbroker policy check VERB [INTERFACES]"},
    {"policy check --group 239.1.1.1", "'policy check' needs VERB"},
    {"policy check mroute.write a b",
     "'b' is not expected here. Write: netbroker policy check VERB"},
    {"policy check --user no-such-user mroute.write", "there is no user 'no-such-user'"},
    {"policy check --user 4294967296 mroute.write", "there is no user '4294967296'"},
    {"policy check --user", "--user takes USER"},
    {"policy chekc", "there is no command 'policy chekc'. Did you mean 'policy check'?"},
    {"policy", "'policy' needs another word: 'policy check'."},
    {"mfc list", "the commands are: 'mfc add', 'mfc del'"},
    {"mfc delete", "Did you mean 'mfc del'?"},
    {"add mfc", "'add' is not a command by itself; the commands are: 'mfc add', 'join add'."},
    {"delete mfc", "the commands are: 'mfc del', 'join del'."},
    {"mcf add", "there is no command 'mcf'. Did you mean 'mfc'?"},
    {"stauts", "there is no command 'stauts'. Did you mean 'status'?"},
    {"hlep", "Did you mean 'help'?"},
    {"help mcf", "Did you mean 'mfc'?"},
    {"help mfc ad", "Did you mean 'mfc add'?"},
    {"ping pong", "'pong' is not expected here. Write: netbroker ping\n"},
    {"mfc add eth0 239.1.1.1", "Write: netbroker mfc add --group GROUP[/LENGTH] --iif INTERFACE"},
    {"mfc add group 239.1.1.1", "write --group instead of 'group'"},
    {"mfc add --oifs b c --iif a", "a list is one word, with commas and without spaces: write "
                                   "--oifs b,c."},
    {"mfc add --oifs b, c, d", "write --oifs b,c,d."},
    {"mfc add --gruop 239.1.1.1", "'mfc add' has no option '--gruop'. Did you mean '--group'?"},
    {"mfc add -iif a", "'mfc add' has no option '-iif'. Did you mean '--iif'?"},
    {"capture -i a -s 96", "'capture' has no option '-s'. Did you mean '--snaplen'?"},
    {"capture -D", "'capture' has no option '-D': 'netbroker capture interfaces' lists them."},
    {"capture -i a udp port 53 -c 1", "'udp' is not expected here; a filter is one word behind -f"},
    {"capture a", "'a' is not expected here. Write: netbroker capture --interface INTERFACE"},
    {"replay a b --multiplier=2",
     "'replay' has no option '--multiplier=2'. Did you mean '--speed'"},
    {"replay a b -s", "'replay' has no option '-s'."},
    {"mfc add --dry_run", "Did you mean '--dry-run'?"},
    {"mfc add --iif a --oifs b",
     "'mfc add' needs --group GROUP[/LENGTH]. Write: netbroker mfc add"},
    {"mfc add --group --iif a", "--group takes GROUP[/LENGTH], and none follows"},
    {"mfc add --group 239.1.1.1 --group 239.1.1.2", "--group is given twice."},
    {"mfc add --oifs a --oifs b", "--oifs is given twice; a list is one word, with commas"},
    {"mfc flush --dry-run --dry-run", "--dry-run is given twice"},
    {"mfc flush --dry-run=no", "--dry-run takes no value"},
    {"mfc add --group 239.1.1.1 --iif a --oifs b --table x",
     "'x' is not an integer; --table takes"},
    {"mfc add --group 239.1.1.1 --iif a --oifs b --ttls 1,", "'' is not an integer; --ttls takes"},
    {"mfc del --group 239.1.1.1/33", "--group '239.1.1.1/33' has a wrong prefix length"},
    {"mfc del --group 239.1.1.1/16", "it takes 239.1.0.0/16 for the prefix"},
    {"mfc del --group 10.0.0.1", "--group '10.0.0.1' is not a multicast address"},
    {"mfc del --group 239.1.1.1 --iif a/b", "--iif cannot be 'a/b'"},
    {"mfc del --group=", "--group '' is not an address"},
    {"watch --topics mfc.foo", "--topics 'mfc.foo' matches no event; it takes mfc.added, "},
    {"mfc show --watch 0.05", "'0.05' is not a time; --watch takes 0.1 to 86400 seconds"},
    {"mfc show --watch=nan", "'nan' is not a time"},
    {"mfc show --watch 1e3", "'1e3' is not a time"},
    {"mfc show --watch=", "'' is not a time"},
    {"mfc add --watch", "'mfc add' has no option '--watch'"},
    {"nothing", "there is no command 'nothing'."},
    {"--jsno ping", "there is no option '--jsno'. Did you mean '--json'?"},
    {"--group 239.1.1.1 mfc del", "there is no option '--group' before a command"},
    {"tap exec",
     "'tap exec' needs COMMAND. Write: netbroker tap exec [NAME] [OPTION...] -- COMMAND"},
    {"tap exec nb-a --", "'tap exec' needs COMMAND."},
    {"tap exec nb-a qemu", "'qemu' is not expected here. Write: netbroker tap exec [NAME]"},
    {"tap exec --command qemu", "'tap exec' has no option '--command'"},
    {"tap create --owner no-such-user nb-a", "there is no user 'no-such-user' on this machine"},
    {"tap create nb-a -- qemu", "'qemu' is not expected here"},
    {"tap exec --persistent -- qemu", "'tap exec' has no option '--persistent'"},
    {"tap open --persistent nb-a -- qemu", "'tap exec' has no option '--persistent'"},
    {"tap exec --mac x -- qemu", "--mac 'x' is not an Ethernet address"},
    {"--socket", "--socket takes a path"},
    {"--socket= ping", "--socket takes a path, not an empty string"},
    {"ping --socket=/a --socket=/b", "--socket is given twice"},
    {"ping --timeout", "--timeout takes a number of seconds"},
    {"ping --timeout soon", "'soon' is not a time; --timeout takes 0.1 to 86400 seconds"},
    {"ping --help=yes", "--help takes no value"},
    {"-- --json", "there is no command '--json'"},
    {"ping --timeout 0", "'0' is not a time"},
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

    read_words(&f, "--socket /a --json ping --help --timeout=2.5");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(f.line.socket, "/a");
    ck_assert_double_eq(f.line.timeout, 2.5);
    ck_assert(f.line.json && f.line.help && !f.line.version);
    read_words(&f, "ping --socket=/b");
    ck_assert_str_eq(f.line.socket, "/b");
    ck_assert_double_eq(f.line.timeout, TIMEOUT_DEFAULT);
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

static const struct {
    const char *words, *command, *family;
} helps[] = {
    {"help", NULL, NULL},
    {"help help", NULL, NULL},
    {"--help", NULL, NULL},
    {"help mfc", NULL, "mfc"},
    {"mfc --help", NULL, "mfc"},
    {"mfc -h", NULL, "mfc"},
    {"mfc help", NULL, "mfc"},
    {"--help mfc", NULL, "mfc"},
    {"help mfc add", "mfc add", NULL},
    {"mfc add --help", "mfc add", NULL},
    {"help ping", "ping", NULL},
};

START_TEST(help_is_for_all_a_family_or_a_command)
{
    struct fixture f;

    read_words(&f, helps[_i].words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert(f.line.help);
    ck_assert_pstr_eq(f.line.family, helps[_i].family);
    ck_assert_pstr_eq(f.line.command.row ? f.line.command.row->cli : NULL, helps[_i].command);
}
END_TEST

START_TEST(a_mistake_is_told_as_json)
{
    struct fixture f;

    read_words(&f, "mfc del --group 239.1.1.1/33 --json");
    ck_assert_int_eq(f.status, EXIT_USAGE);
    assert_logged(&f.log,
                  "{\"code\":\"usage\",\"field\":\"group\",\"message\":\"--group '239.1.1.1/33'");
    ck_assert_uint_eq(log_count(&f.log, "\"code\""), 1);
    read_words(&f, "mfc ad --json");
    assert_logged(&f.log, "{\"code\":\"usage\",\"message\":\"there is no command 'mfc ad'.");
}
END_TEST

static const struct {
    const char *text, *safe;
} texts[] = {
    {"plain, \xc3\xa9 and \xe2\x82\xac", "plain, \xc3\xa9 and \xe2\x82\xac"},
    {"\033[2J", "\\x1b[2J"},
    {"a\nb\rc\td\x7f", "a\\x0ab\\x0dc\\x09d\\x7f"},
    {"\xc2\x9b"
     "31m",
     "\\xc2\\x9b31m"},
    {"\x9b"
     "31m",
     "\\x9b31m"},
    {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
    {"\xe2\x81\xa6 \xe2\x81\xa9", "\\xe2\\x81\\xa6 \\xe2\\x81\\xa9"},
    {"\xe2\x80\x8e\xe2\x80\x8f", "\\xe2\\x80\\x8e\\xe2\\x80\\x8f"},
    {"\xd8\x9c", "\\xd8\\x9c"},
    {"\xe2\x82", "\\xe2\\x82"},
    {"", ""},
};

START_TEST(text_from_outside_is_harmless)
{
    char *safe = safe_text(texts[_i].text);

    ck_assert_str_eq(safe, texts[_i].safe);
    free(safe);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_command_becomes_a_request, 0,
                        (int)(sizeof commands / sizeof *commands));
    tcase_add_loop_test(tests, words_of_a_command_are_its_own, 0,
                        (int)(sizeof commands_to_run / sizeof *commands_to_run));
    tcase_add_test(tests, a_user_goes_with_all_groups);
    tcase_add_loop_test(tests, a_mistake_is_told, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, an_argument_may_be_given_by_its_name);
    tcase_add_test(tests, options_of_all_commands_stand_anywhere);
    tcase_add_loop_test(tests, a_time_may_be_left_out, 0, sizeof watches / sizeof *watches);
    tcase_add_test(tests, help_needs_no_arguments);
    tcase_add_loop_test(tests, help_is_for_all_a_family_or_a_command, 0,
                        (int)(sizeof helps / sizeof *helps));
    tcase_add_test(tests, a_mistake_is_told_as_json);
    tcase_add_loop_test(tests, text_from_outside_is_harmless, 0,
                        (int)(sizeof texts / sizeof *texts));
}

int main(void)
{
    return suite_run("arguments", add_tests);
}
