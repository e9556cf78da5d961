/* The options of tapserver, and what a tap is in words. */
#include "log_capture.h"
#include "request.h"
#include "suite.h"
#include "tap.h"
#include "tapserver.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct command_line line;
    struct tapserver_options options;
    struct log_capture log; /* what it said on standard error */
    char words[1024];       /* what line points into */
    char *argv[OPTION_VALUES_MAX + 8];
    char text[4096]; /* the request */
    int status;
};

/* Reads the options, separated by spaces. */
static void read_options(struct fixture *f, const char *words)
{
    static char name[] = "netbroker", command[] = "tapserver";
    struct json json = {.limit = sizeof f->text - 1};
    struct nb_request *request;
    char *rest = f->words, *word;
    int argc = 2;

    *f = (struct fixture){.argv = {name, command}};
    snprintf(f->words, sizeof f->words, "%s", words);
    while ((word = strsep(&rest, " ")))
        f->argv[argc++] = word;
    ck_assert_int_eq(nb_request_new(&request, "OPEN_TAP"), 0);
    log_capture_begin(&f->log);
    f->status = command_line_parse(&f->line, argc, f->argv);
    if (f->status == EXIT_DONE)
        f->status = command_line_request(&f->line, argc, f->argv, request);
    if (f->status == EXIT_DONE)
        f->status = tapserver_read(&f->line, request, &f->options);
    if (f->status == EXIT_DONE)
        tapserver_tell_ignored(&f->line);
    log_capture_end(&f->log);
    if (request_append(request, &json) == 0)
        snprintf(f->text, sizeof f->text, "%.*s", (int)json.length, json.text);
    nb_request_free(request);
    json_clear(&json);
}

#define PAYLOAD(payload) "{\"action\":\"OPEN_TAP\",\"payload\":{" payload "}}\n"
#define MAC              "\"mac\":\"90:90:90:90:90:90\""

static const struct {
    const char *words, *request;
} requests[] = {
    {"--listen=/a --mac-address=90:90:90:90:90:90 --ip-address=192.168.0.5",
     PAYLOAD(MAC ",\"hosts\":[\"192.168.0.5/24\"]")},
    {"--listen=/a --mac-address=909090909090 --ip-address=10.0.0.1/8",
     PAYLOAD(MAC ",\"hosts\":[\"10.0.0.1/8\"]")},
    {"--listen=/a --mac-address=90-90-90-90-90-90 --ip-address=fd00::1",
     PAYLOAD(MAC ",\"hosts\":[\"fd00::1/64\"]")},
    {"--listen=/a --mac-address=90:90:90:90:90:90", PAYLOAD(MAC ",\"hosts\":[\"172.30.0.1/24\"]")},
    {"--listen=/a --mac-address=90:90:90:90:90:90 --ip-address=none --mtu=1400 --name=nb-a",
     PAYLOAD("\"mtu\":1400,\"name\":\"nb-a\"," MAC)},
};

START_TEST(options_become_a_request)
{
    struct fixture f;

    read_options(&f, requests[_i].words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(f.text, requests[_i].request);
    ck_assert_str_eq(f.log.text, "");
}
END_TEST

START_TEST(frames_have_a_header_where_that_is_asked_for)
{
    struct fixture f;

    read_options(&f, "--listen=/a");
    ck_assert_int_eq(f.options.link.framing, FRAMING_UNFRAMED);
    ck_assert(!f.options.link.has_mode && !f.options.link.has_group && !f.options.show_data);
    read_options(&f, "--listen /a --use-framed-protocol --show-data --show-size-warnings");
    ck_assert_int_eq(f.options.link.framing, FRAMING_U16LE);
    ck_assert(f.options.show_data && f.options.show_size_warnings);
}
END_TEST

START_TEST(there_may_be_several_places)
{
    struct fixture f;

    read_options(&f, "--listen=/a --mtu=1400 --listen 5000 --listen=10.0.0.1:5000");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert_str_eq(command_line_value(&f.line, "listen", 0), "/a");
    ck_assert_str_eq(command_line_value(&f.line, "listen", 1), "5000");
    ck_assert_str_eq(command_line_value(&f.line, "listen", 2), "10.0.0.1:5000");
    ck_assert_ptr_null(command_line_value(&f.line, "listen", 3));
}
END_TEST

START_TEST(there_are_not_more_than_are_kept)
{
    struct fixture f;
    char words[1024] = "--listen=/a";

    for (unsigned i = 1; i < OPTION_VALUES_MAX; i++)
        strcat(words, " --listen=/a");
    read_options(&f, words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    strcat(words, " --listen=/a");
    read_options(&f, words);
    ck_assert_int_eq(f.status, EXIT_USAGE);
    assert_logged(&f.log, "there are more than 64 values");
}
END_TEST

START_TEST(a_socket_has_mode_and_group)
{
    struct fixture f;

    read_options(&f, "--listen=/a --mode=0660 --group=root");
    ck_assert_int_eq(f.status, EXIT_DONE);
    ck_assert(f.options.link.has_mode && f.options.link.has_group);
    ck_assert_uint_eq(f.options.link.mode, 0660);
    ck_assert_uint_eq(f.options.link.group, 0);
    read_options(&f, "--listen=/a --group=4711222");
    ck_assert_uint_eq(f.options.link.group, 4711222);
}
END_TEST

static const struct {
    const char *words, *said;
} mistakes[] = {
    {"--show-data", "'tapserver' needs --listen PATH|PORT|ADDRESS:PORT."},
    {"--listen=/a --mtu=1", "--mtu"},
    {"--listen=/a --ip-address=192.168.0.5/33",
     "--ip-address '192.168.0.5/33' has no right prefix"},
    {"--listen=/a --ip-address=192.168.0.0",
     "--ip-address '192.168.0.0/24' is no address that a host"},
    {"--listen=/a --ip-address=host", "--ip-address 'host/24' is not an address"},
    {"--listen=/a --ip-address=10.0.0.1 --ip-address=10.0.0.2", "--ip-address is given twice"},
    {"--listen=/a --mac-address=90:90:90:90:90", "'90:90:90:90:90' is not an Ethernet address"},
    {"--listen=/a --mac-address=90:90:90:90:90:9g", "is not an Ethernet address"},
    {"--listen=/a --mac-address=90:90:90-90:90:90", "is not an Ethernet address"},
    {"--listen=/a --mac-address=01:90:90:90:90:90",
     "--mac-address '01:90:90:90:90:90' is a multicast"},
    {"--listen=/a --mode=888", "'888' is not a mode; --mode takes three octal digits"},
    {"--listen=/a --mode=1777", "'1777' is not a mode"},
    {"--listen=/a --mode=", "'' is not a mode"},
    {"--listen=/a --mode=-1", "'-1' is not a mode"},
    {"--listen=/a --group=no-such-group", "there is no group 'no-such-group'"},
    {"--listen=/a --listne=/b", "Did you mean '--listen'?"},
};

START_TEST(a_mistake_is_told)
{
    struct fixture f;

    read_options(&f, mistakes[_i].words);
    ck_assert_int_eq(f.status, EXIT_USAGE);
    assert_logged(&f.log, mistakes[_i].said);
}
END_TEST

static const char *const meaningless[] = {
    "--metric=3",
    "--disable-nud",
    "--enable-router-advertisements",
    "--network-device-number=1",
    "--io-device-number=2",
    "--ifconfig-command=/sbin/ifconfig",
};

START_TEST(what_means_nothing_is_taken_with_a_note)
{
    struct fixture f;
    char words[128], note[128];

    snprintf(words, sizeof words, "--listen=/a %s", meaningless[_i]);
    snprintf(note, sizeof note, "note: ignored: %.*s: ", (int)strcspn(meaningless[_i], "="),
             meaningless[_i]);
    read_options(&f, words);
    ck_assert_int_eq(f.status, EXIT_DONE);
    assert_logged(&f.log, note);
}
END_TEST

START_TEST(a_place_has_its_address)
{
    struct fixture f, same, other;
    char mac[MAC_TEXT_MAX];

    read_options(&f, "--listen=/tmp/dolphin-tap");
    read_options(&same, "--listen=/tmp/dolphin-tap --listen=/tmp/other");
    read_options(&other, "--listen=/tmp/other");
    ck_assert_str_eq(f.text, same.text);
    ck_assert_str_ne(f.text, other.text);
    mac_derive("/tmp/dolphin-tap", mac);
    ck_assert_ptr_nonnull(strstr(f.text, mac));
    ck_assert_int_eq(strncmp(mac, "fe:", 3), 0);
}
END_TEST

START_TEST(an_address_has_bytes)
{
    const uint8_t expected[MAC_BYTES] = {0xfe, 0, 0x12, 0xab, 0xcd, 0x09};
    uint8_t bytes[MAC_BYTES];

    ck_assert(mac_bytes("fe:00:12:AB:cd:09", bytes));
    ck_assert_mem_eq(bytes, expected, MAC_BYTES);
    ck_assert(!mac_bytes("fe:00:12:AB:cd", bytes));
    ck_assert(!mac_bytes("", bytes));
}
END_TEST

static const struct {
    const char *word, *becomes;
} words[] = {
    {"", ""},
    {"tap,fd={fd}", "tap,fd=3"},
    {"{fd}{fd}", "33"},
    {"{name}/{mac}", "nb-a/fe:00:00:00:00:01"},
    {"{fd", "{fd"},
    {"{{fd}}", "{3}"},
    {"{other}", "{other}"},
};

START_TEST(a_word_has_what_the_tap_is)
{
    const struct tap tap = {.fd = 3, .name = "nb-a", .mac = "fe:00:00:00:00:01"};
    char *word = tap_word(&tap, words[_i].word);

    ck_assert_str_eq(word, words[_i].becomes);
    free(word);
}
END_TEST

/* Whichever it had. */
START_TEST(a_descriptor_gets_the_lowest_number)
{
    struct tap tap = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    int lowest = tap.fd;

    tap.fd = fcntl(lowest, F_DUPFD_CLOEXEC, 50);
    close(lowest);
    ck_assert_int_eq(tap_inherit(&tap), 0);
    ck_assert_int_eq(tap.fd, lowest);
    ck_assert_int_eq(fcntl(tap.fd, F_GETFD), 0);
    ck_assert_int_eq(fcntl(50, F_GETFD), -1);
    ck_assert_int_eq(fcntl(tap.fd, F_SETFD, FD_CLOEXEC), 0);
    ck_assert_int_eq(tap_inherit(&tap), 0);
    ck_assert_int_eq(tap.fd, lowest);
    ck_assert_int_eq(fcntl(tap.fd, F_GETFD), 0);
    close(tap.fd);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, options_become_a_request, 0, sizeof requests / sizeof *requests);
    tcase_add_test(tests, frames_have_a_header_where_that_is_asked_for);
    tcase_add_test(tests, there_may_be_several_places);
    tcase_add_test(tests, there_are_not_more_than_are_kept);
    tcase_add_test(tests, a_socket_has_mode_and_group);
    tcase_add_loop_test(tests, a_mistake_is_told, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_loop_test(tests, what_means_nothing_is_taken_with_a_note, 0,
                        sizeof meaningless / sizeof *meaningless);
    tcase_add_test(tests, a_place_has_its_address);
    tcase_add_test(tests, an_address_has_bytes);
    tcase_add_loop_test(tests, a_word_has_what_the_tap_is, 0, sizeof words / sizeof *words);
    tcase_add_test(tests, a_descriptor_gets_the_lowest_number);
}

int main(void)
{
    return suite_run("tapserver", add_tests);
}
