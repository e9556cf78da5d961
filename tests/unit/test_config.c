#include "config.h"
#include "log.h"
#include "suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct config config;
    char log[4096]; /* what config_read said */
    char path[64];
    struct mistakes mistakes;
    struct config start; /* what config_read_for_start makes of it */
};

/* Reads the text as a configuration file, with the log in f->log. */
static bool read_text(struct fixture *f, const char *text)
{
    int kept = dup(STDERR_FILENO), pair[2];
    FILE *file;
    bool valid;
    ssize_t length;

    strcpy(f->path, "/tmp/netbroker-unit-config-XXXXXX");
    file = fdopen(mkstemp(f->path), "w");
    fputs(text, file);
    fclose(file);
    f->mistakes = (struct mistakes){0};
    config_init(&f->config);
    f->config.started_by = geteuid();
    strcpy(f->config.file, f->path);
    ck_assert_int_eq(pipe2(pair, O_NONBLOCK), 0);
    dup2(pair[1], STDERR_FILENO);
    f->start = f->config;
    valid = config_read(&f->config, &f->mistakes);
    dup2(kept, STDERR_FILENO);
    length = read(pair[0], f->log, sizeof f->log - 1);
    f->log[length > 0 ? length : 0] = '\0';
    log_set_level(LOG_ERR - 1);
    config_read_for_start(&f->start);
    log_set_level(LOG_INFO);
    close(kept);
    close(pair[0]);
    close(pair[1]);
    unlink(f->path);
    return valid;
}

START_TEST(all_settings_are_read)
{
    struct fixture f;

    ck_assert(read_text(&f, "# a comment\n[service]\nsocket = /tmp/s\nstate=/tmp/t\n"
                            "user = someone\n; another\nlog-level = debug\ntables = 5, 7-9\n"
                            "require-sandbox = yes\n"));
    ck_assert_str_eq(f.config.socket, "/tmp/s");
    ck_assert_str_eq(f.config.state, "/tmp/t");
    ck_assert_str_eq(f.config.user, "someone");
    ck_assert_int_eq(f.config.log_level, LOG_DEBUG);
    ck_assert_uint_eq(f.config.tables.count, 2);
    ck_assert_int_eq(f.config.require_sandbox, SANDBOX_BASIC);
    ck_assert_str_eq(f.log, "");
}
END_TEST

START_TEST(settings_of_taps_are_read)
{
    struct fixture f;

    ck_assert(read_text(&f, "[service]\ntap-prefix = t_\ntap-bridges = br0, virbr0\n"
                            "tap-spares = 64\ntap-networks = 192.168.0.0/24, fd00::/64\n"));
    ck_assert_str_eq(f.config.tap_prefix, "t_");
    ck_assert_uint_eq(f.config.tap_spares, 64);
    ck_assert_uint_eq(f.config.tap_bridges.count, 2);
    ck_assert_uint_eq(f.config.tap_networks.count, 2);
    ck_assert(read_text(&f, ""));
    ck_assert_str_eq(f.config.tap_prefix, "nb-");
    ck_assert_uint_eq(f.config.tap_spares, 4);
    ck_assert_uint_eq(f.config.tap_bridges.count, 0);
    ck_assert_uint_eq(f.config.tap_networks.count, 0);
}
END_TEST

START_TEST(interfaces_to_capture_are_read)
{
    struct fixture f;

    ck_assert(read_text(&f, "[service]\ncapture-interfaces = eth1, veth*\n"));
    ck_assert_uint_eq(f.config.capture_interfaces.count, 2);
    ck_assert(read_text(&f, ""));
    ck_assert_uint_eq(f.config.capture_interfaces.count, 0);
}
END_TEST

START_TEST(limits_are_read)
{
    struct fixture f;

    ck_assert(read_text(&f, "[limits]\nconnections = 1\nidle-seconds = 86400\n[service]\n"
                            "user = someone\n[limits]\nleases-per-user = 7\n"));
    ck_assert_uint_eq(f.config.limits.connections, 1);
    ck_assert_uint_eq(f.config.limits.idle_seconds, 86400);
    ck_assert_uint_eq(f.config.limits.leases_per_user, 7);
    ck_assert_uint_eq(f.config.limits.request_seconds, 5);
}
END_TEST

START_TEST(an_empty_file_changes_nothing)
{
    struct fixture f;

    ck_assert(read_text(&f, ""));
    ck_assert_str_eq(f.config.socket, CONFIG_SOCKET_DEFAULT);
    ck_assert_str_eq(f.config.state, "");
    ck_assert_int_eq(f.config.log_level, LOG_INFO);
}
END_TEST

START_TEST(space_and_comments_mean_nothing)
{
    struct fixture f;

    ck_assert(read_text(&f, "\xEF\xBB\xBF[service] ; the daemon\r\n  socket = /tmp/s\r\n"
                            "\n\tstate : /tmp/a b#c;d ; where\r\n  # more\n [limits]\n"
                            "idle-seconds=7\t; short"));
    ck_assert_str_eq(f.log, "");
    ck_assert_str_eq(f.config.socket, "/tmp/s");
    ck_assert_str_eq(f.config.state, "/tmp/a b#c;d");
    ck_assert_uint_eq(f.config.limits.idle_seconds, 7);
}
END_TEST

START_TEST(a_folder_is_no_file)
{
    struct mistakes found = {0};
    struct config config;

    config_init(&config);
    strcpy(config.file, "/tmp");
    log_set_level(LOG_ERR - 1);
    ck_assert(!config_read(&config, &found));
}
END_TEST

/* Of 200 bytes. */
#define LONG_50 "/456789 123456789 123456789 123456789 123456789 12"
#define LONG    LONG_50 LONG_50 LONG_50 LONG_50

static const struct {
    const char *text;
    int line;
    const char *right; /* part of the log */
} mistakes[] = {
    {"[service]\nsocket = /tmp/s\ncolour = red\n", 3,
     "socket, state, policy, multicast, user, log-level"},
    {"[service]\n\n# x\nlog-level = loud\n", 4, "error, warning, notice, info or debug"},
    {"[service]\ntables = all\n", 2, "any, or a list"},
    {"[service]\ntap-prefix = 0\n", 2, "a letter, and up to 7"},
    {"[service]\ntap-spares = 65\n", 2, "a number from 0 to 64"},
    {"[service]\ntap-bridges = a b\n", 2, "none, or a list like 'br0, virbr0'"},
    {"[service]\ntap-networks = 192.168.0.1/24\n", 2, "none, or a list like '192.168.0.0/24"},
    {"[service]\ncapture-interfaces = a b\n", 2, "none, or a list like 'eth1, veth*'"},
    {"[service]\nrequire-sandbox = maybe\n", 2, "no, basic or full; yes is basic"},
    {"[server]\nsocket = /tmp/s\n", 2, "the section [service]"},
    {"socket = /tmp/s\n", 1, "the section [service]"},
    {"[service]\nuser = a-name-that-has-more-than-31-characters\n", 2, "the name of a user"},
    {"[service]\nsocket =\n", 2, "a path of at most 107 bytes"},
    {"[service]\nsocket = /tmp/s\nnonsense\n", 3, "NAME = VALUE"},
    {"[limits]\nsocket = /tmp/s\n", 2, "one of connections connections-per-user"},
    {"[limits]\nconnections = 0\n", 2, "a number from 1 to 1048576"},
    {"[limits]\nconnections = 1048577\n", 2, "a number from 1 to 1048576"},
    {"[limits]\nidle-seconds = 99999999999999999999999\n", 2, "a number from 1 to 86400"},
    {"[limits]\nidle-seconds = -1\n", 2, "a number from 1 to 86400"},
    {"[limits]\nidle-seconds = 30s\n", 2, "a number from 1 to 86400"},
    {"[limits]\nidle-seconds =\n", 2, "a number from 1 to 86400"},
    {"[service]\nconnections = 5\n", 2, "socket, state, policy, multicast, user"},
    {"[service\nsocket = /tmp/s\n", 1, "NAME = VALUE"},
    {"[service] # the daemon\n[limits] x\n", 2, "nothing after a heading"},
    {"[service]\nstate = " LONG "\ncolour = red\n", 2, "at most 198 bytes"},
    {"[service]\nstate = " LONG "\ncolour = red\n", 3, "socket, state, policy"},
    {"[service]\n# " LONG "\nlog-level = loud\n", 3, "error, warning, notice, info or debug"},
    {"[service]\nstate = " LONG "\nnonsense\n", 3, "NAME = VALUE"},
};

START_TEST(a_mistake_is_told_with_its_line)
{
    struct fixture f;
    char place[96];

    ck_assert(!read_text(&f, mistakes[_i].text));
    snprintf(place, sizeof place, "%s:%d: ", f.path, mistakes[_i].line);
    ck_assert_msg(strstr(f.log, place) != NULL, "no %s in: %s", place, f.log);
    ck_assert_msg(strstr(f.log, mistakes[_i].right) != NULL, "%s", f.log);
    ck_assert_str_eq(f.config.socket, CONFIG_SOCKET_DEFAULT);
    ck_assert_str_eq(f.config.user, "netbroker");
}
END_TEST

/* What a start makes of a file that has a mistake: "doubtful", "sandbox" or "" beside the rest. */
static const struct {
    const char *text;
    bool doubtful, sandbox;
} starts[] = {
    {"[service]\nuser = someone\n", false, false},
    {"[service]\nuser = someone\ncolour = red\n", true, false},
    {"[sevrice]\ntables = 5\n[service]\nuser = someone\n", true, false},
    {"[service]\nuser = someone\nnonsense\n", true, false},
    {"[service]\nuser = someone\ntables = all\n", true, false},
    {"[service]\nuser = someone\npolicy =\n", true, false},
    {"[service]\nuser = someone\nrequire-sandbox = maybe\n", false, true},
    {"[service]\nuser = someone\nrequire-sandbxo = yes\n", true, false},
    {"[service]\nuser = someone\nlog-level = loud\n", false, false},
    {"[service]\nuser = someone\ntap-bridges =\n", false, false},
    {"[service]\nuser = someone\ntap-networks = all\n", false, false},
    {"[service]\nuser = someone\nsocket =\n", false, false},
    {"[service]\nuser = someone\nstate =\n", false, false},
    {"[service]\nuser = someone\nmulticast =\n", false, false},
    {"[service]\nuser = someone\n[limits]\nqueued-bytes = 1\n", false, false},
    {"[service]\nuser = someone\n[limits]\nqueued-byets = 65536\n", true, false},
};

START_TEST(a_start_takes_what_is_right)
{
    struct fixture f;
    bool right = read_text(&f, starts[_i].text);

    ck_assert_uint_eq(f.start.mistakes.count, right ? 0 : 1);
    ck_assert_str_eq(f.start.user, "someone");
    ck_assert_int_eq(f.start.doubtful, starts[_i].doubtful);
    ck_assert_int_eq(f.start.require_sandbox, starts[_i].sandbox ? SANDBOX_FULL : SANDBOX_NONE);
    ck_assert_str_eq(f.start.socket, CONFIG_SOCKET_DEFAULT);
    ck_assert_str_eq(f.start.policy, CONFIG_POLICY_DEFAULT);
    ck_assert_uint_eq(f.start.tables.count, 0);
    ck_assert_uint_eq(f.start.limits.queued_bytes, 67108864);
}
END_TEST

START_TEST(each_of_two_mistakes_is_told)
{
    struct fixture f;

    ck_assert(!read_text(&f, "[service]\na = 1\nb = 2\n"));
    ck_assert_ptr_nonnull(strstr(f.log, ":2: "));
    ck_assert_ptr_nonnull(strstr(f.log, ":3: "));
}
END_TEST

START_TEST(a_missing_file_is_fine_unless_it_was_named)
{
    struct mistakes found = {0};
    struct config config;

    config_init(&config);
    strcpy(config.file, "/nonexistent/netbrokerd.conf");
    ck_assert(config_read(&config, &found));
    config.file_required = true;
    log_set_level(LOG_ERR - 1);
    ck_assert(!config_read(&config, &found));
    ck_assert_uint_eq(found.count, 1);
    config_read_for_start(&config);
    ck_assert(config.doubtful);
}
END_TEST

START_TEST(a_path_of_107_bytes_is_the_longest)
{
    struct config config;
    char path[109];

    config_init(&config);
    memset(path, 'x', sizeof path);
    path[107] = '\0';
    ck_assert_ptr_null(config_set(&config, "socket", path));
    ck_assert_str_eq(config.socket, path);
    path[107] = 'x';
    path[108] = '\0';
    ck_assert_ptr_nonnull(config_set(&config, "socket", path));
    ck_assert_uint_eq(strlen(config.socket), 107);
}
END_TEST

START_TEST(control_bytes_forge_no_line_of_the_log)
{
    struct fixture f;

    ck_assert(!read_text(&f, "[service]\na\x1b[2J\x7f = 1\rnetbrokerd: fine\n"));
    for (const char *c = f.log; *c; c++)
        ck_assert((unsigned char)*c >= 0x20 || (*c == '\n' && c[1] == '\0'));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, all_settings_are_read);
    tcase_add_test(tests, settings_of_taps_are_read);
    tcase_add_test(tests, interfaces_to_capture_are_read);
    tcase_add_test(tests, limits_are_read);
    tcase_add_test(tests, an_empty_file_changes_nothing);
    tcase_add_test(tests, space_and_comments_mean_nothing);
    tcase_add_test(tests, a_folder_is_no_file);
    tcase_add_loop_test(tests, a_mistake_is_told_with_its_line, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_loop_test(tests, a_start_takes_what_is_right, 0,
                        (int)(sizeof starts / sizeof *starts));
    tcase_add_test(tests, each_of_two_mistakes_is_told);
    tcase_add_test(tests, a_missing_file_is_fine_unless_it_was_named);
    tcase_add_test(tests, a_path_of_107_bytes_is_the_longest);
    tcase_add_test(tests, control_bytes_forge_no_line_of_the_log);
}

int main(void)
{
    unsetenv("JOURNAL_STREAM");
    return suite_run("config", add_tests);
}
