/* What may be said of the places of a link: by options of the command, and behind each place. */
#include "link_place.h"
#include "log_capture.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
    struct command_line line;
    struct link_places places;
    struct log_capture log; /* what it said on standard error */
    char words[1024];       /* what line points into */
    char *argv[OPTION_VALUES_MAX + 8];
    int status;
};

/* Reads the options, separated by spaces. */
static void read_options(struct fixture *f, const char *words)
{
    static char name[] = "netbroker", family[] = "link", verb[] = "serve";
    struct nb_request *request;
    char *rest = f->words, *word;
    int argc = 3;

    link_places_free(&f->places);
    *f = (struct fixture){.argv = {name, family, verb}};
    snprintf(f->words, sizeof f->words, "%s", words);
    while ((word = strsep(&rest, " ")))
        f->argv[argc++] = word;
    ck_assert_int_eq(nb_request_new(&request, "OPEN_TAP"), 0);
    log_capture_begin(&f->log);
    f->status = command_line_parse(&f->line, argc, f->argv);
    if (f->status == EXIT_DONE)
        f->status = command_line_request(&f->line, argc, f->argv, request);
    if (f->status == EXIT_DONE)
        f->status = link_places_read(&f->line, &f->places);
    log_capture_end(&f->log);
    nb_request_free(request);
}

static void end(struct fixture *f)
{
    link_places_free(&f->places);
}

/* The place of this number of a command line that is right. */
static const struct link_place *place(const struct fixture *f, unsigned number)
{
    ck_assert_str_eq(f->log.text, "");
    ck_assert_int_eq(f->status, EXIT_DONE);
    ck_assert_uint_lt(number, f->places.count);
    return &f->places.list[number];
}

/* --- What is right ------------------------------------------------------------------------- */

START_TEST(each_place_has_its_own)
{
    struct fixture f = {.status = 0};

    read_options(&f, "--connect /c,local=/l,,1,datagrams --listen /a --fd 7,framing=u16be "
                     "--listen /b,framing=u32be,mode=0660,group=0,isolate,flood-rate=9 --fd 8");
    ck_assert_str_eq(place(&f, 0)->where, "/a");
    ck_assert_int_eq(place(&f, 0)->options.framing, FRAMING_U16LE);
    ck_assert(!place(&f, 0)->options.has_mode && !place(&f, 0)->options.port.isolated);
    ck_assert_str_eq(place(&f, 1)->where, "/b");
    ck_assert_int_eq(place(&f, 1)->options.framing, FRAMING_U32BE);
    ck_assert(place(&f, 1)->options.has_mode && place(&f, 1)->options.mode == 0660);
    ck_assert(place(&f, 1)->options.has_group && place(&f, 1)->options.group == 0);
    ck_assert(place(&f, 1)->options.port.isolated);
    ck_assert_uint_eq(place(&f, 1)->options.port.flood.per_second, 9);
    ck_assert_int_eq(place(&f, 2)->way, LINK_CONNECT);
    ck_assert_str_eq(place(&f, 2)->options.local, "/l,1");
    ck_assert_int_eq(place(&f, 2)->options.socket, LINK_SOCKET_DGRAM);
    ck_assert_int_eq(place(&f, 2)->options.framing, FRAMING_MESSAGE);
    ck_assert_int_eq(place(&f, 3)->options.framing, FRAMING_U16BE);
    ck_assert_str_eq(place(&f, 4)->where, "8");
    ck_assert_uint_eq(f.places.count, 5);
    end(&f);
}
END_TEST

static const struct {
    const char *words, *where;
} commas[] = {
    {"--listen /a,,b", "/a,b"},
    {"--listen ,,/a", ",/a"},
    {"--listen=/a,,,framing=u32be", "/a,"},
    {"--listen /a,,,,b", "/a,,b"},
};

START_TEST(a_comma_of_a_path_is_written_twice)
{
    struct fixture f = {.status = 0};

    read_options(&f, commas[_i].words);
    ck_assert_str_eq(place(&f, 0)->where, commas[_i].where);
    end(&f);
}
END_TEST

START_TEST(options_of_the_command_are_for_places_that_say_nothing)
{
    struct fixture f = {.status = 0};

    read_options(&f, "--framing u32be --isolate --mode 0666 --listen /a --listen /b,framing=u16le "
                     "--listen /c,isolate=no --listen /d,datagrams --listen /e,mode=0");
    ck_assert_int_eq(place(&f, 0)->options.framing, FRAMING_U32BE);
    ck_assert(place(&f, 0)->options.port.isolated && place(&f, 0)->options.mode == 0666);
    ck_assert_int_eq(place(&f, 1)->options.framing, FRAMING_U16LE);
    ck_assert(place(&f, 1)->options.port.isolated);
    ck_assert(!place(&f, 2)->options.port.isolated);
    ck_assert_int_eq(place(&f, 3)->options.framing, FRAMING_MESSAGE);
    ck_assert(place(&f, 4)->options.has_mode && place(&f, 4)->options.mode == 0);
    end(&f);
}
END_TEST

START_TEST(a_place_is_none_of_datagrams_where_it_says_another_framing)
{
    struct fixture f = {.status = 0};

    read_options(&f, "--datagrams --listen /a --listen /b,framing=u32be --listen /c,datagrams=no");
    ck_assert_int_eq(place(&f, 0)->options.socket, LINK_SOCKET_DGRAM);
    ck_assert_int_eq(place(&f, 0)->options.framing, FRAMING_MESSAGE);
    ck_assert_int_eq(place(&f, 1)->options.socket, LINK_SOCKET_DEFAULT);
    ck_assert_int_eq(place(&f, 1)->options.framing, FRAMING_U32BE);
    ck_assert_int_eq(place(&f, 2)->options.socket, LINK_SOCKET_DEFAULT);
    ck_assert_int_eq(place(&f, 2)->options.framing, FRAMING_MESSAGE);
    end(&f);
}
END_TEST

START_TEST(addresses_of_a_place_are_instead_of_those_of_the_command)
{
    struct fixture f = {.status = 0};

    read_options(&f, "--allow-mac 020000000001,020000000002 --listen /a "
                     "--listen /b,allow-mac=02:00:00:00:00:03,allow-mac=020000000004,anti-spoof "
                     "--listen /c,anti-spoof,macs=3");
    ck_assert_uint_eq(place(&f, 0)->options.port.allowed_count, 2);
    ck_assert_uint_eq(place(&f, 0)->options.port.macs, LINK_MACS);
    ck_assert_uint_eq(place(&f, 1)->options.port.allowed_count, 2);
    ck_assert_uint_eq(place(&f, 1)->options.port.allowed[0][5], 3);
    ck_assert_uint_eq(place(&f, 1)->options.port.allowed[1][5], 4);
    ck_assert_uint_eq(place(&f, 1)->options.port.macs, SWITCH_ALLOWED_MAX);
    ck_assert_uint_eq(place(&f, 2)->options.port.macs, 3);
    ck_assert_uint_eq(f.places.macs, LINK_MACS);
    end(&f);
}
END_TEST

START_TEST(who_keeps_an_address_has_one)
{
    struct fixture f = {.status = 0};

    read_options(&f, "--anti-spoof --listen /a --listen /b,anti-spoof=no --listen /c,macs=200");
    ck_assert_uint_eq(place(&f, 0)->options.port.macs, 1);
    ck_assert(place(&f, 0)->options.port.locked);
    ck_assert_uint_eq(place(&f, 1)->options.port.macs, LINK_MACS);
    ck_assert(!place(&f, 1)->options.port.locked);
    ck_assert_uint_eq(place(&f, 2)->options.port.macs, 200);
    ck_assert_uint_eq(f.places.macs, 200);
    end(&f);
}
END_TEST

/* --- What is not --------------------------------------------------------------------------- */

static const struct {
    const char *words, *said;
} mistakes[] = {
    {"--no-tap", "needs --listen, --connect or --fd"},
    {"--listen /a,b", "--listen /a: 'b' is no option of it, which are framing=, datagrams, "},
    {"--listen /a,b", "mode=, group=; a comma of a path is written ',,'"},
    {"--listen /a,", "'' is no option of it"},
    {"--listen /a,isolated", "did you mean 'isolate'?"},
    {"--listen /a,framing", "framing: a value has to follow, behind '='"},
    {"--listen /a,framing=", "framing: it is u16le, u16be, u32be, message or unframed"},
    {"--listen /a,framing=U32BE", "framing: it is u16le"},
    {"--listen /a,isolate=1", "isolate: it is yes or no"},
    {"--listen /a,mode=9", "mode: it takes a mode such as 0660"},
    {"--listen /a,mode=1777", "mode: it takes a mode such as 0660"},
    {"--listen /a,group=no-such-group", "group: it takes a group of this machine"},
    {"--listen /a,mode=0600,mode=0660", "'mode' stands there twice"},
    {"--listen /a,macs=0", "macs: it takes a number from 1 to 1024"},
    {"--listen /a,macs=1025", "macs: it takes a number from 1 to 1024"},
    {"--listen /a,flood-rate=x", "flood-rate: it takes a number of frames"},
    {"--listen /a,allow-mac=0200", "allow-mac: it takes up to 8 Ethernet addresses"},
    {"--listen /a,local=/b", "'local' is for --connect"},
    {"--connect /a,mode=0600", "--connect /a: 'mode' is for --listen"},
    {"--connect /a,local=", "local: it is a path"},
    {"--fd 3,group=0", "'group' is for --listen"},
    {"--fd 3x", "--fd 3x: it is the number of a descriptor"},
    {"--fd ,framing=u32be", "it is the number of a descriptor"},
    {"--listen /a,datagrams,framing=u16le", "the framing of datagrams is 'message'"},
    {"--datagrams --framing u16le --listen /a", "--datagrams: the framing of datagrams is"},
    {"--framing u16 --listen /a", "--framing: it is u16le, u16be, u32be, message or unframed, and "
                                  "not 'u16'"},
    {"--macs 0 --listen /a", "--macs: it takes a number from 1 to 1024, and not '0'"},
    {"--allow-mac  --listen /a", "--allow-mac: it takes up to 8"},
};

enum { MISTAKES = sizeof mistakes / sizeof *mistakes, COMMAS = sizeof commas / sizeof *commas };

START_TEST(mistakes_are_told)
{
    struct fixture f = {.status = 0};

    read_options(&f, mistakes[_i].words);
    ck_assert_int_eq(f.status, EXIT_USAGE);
    if (!strstr(f.log.text, mistakes[_i].said))
        ck_abort_msg("'%s' is not in: %s", mistakes[_i].said, f.log.text);
    end(&f);
}
END_TEST

/* A byte more or less anywhere leads to a mistake or to places, and to nothing else. */
START_TEST(what_is_cut_off_is_read_as_it_stands)
{
    static const char whole[] = "--listen /a,,b,framing=u32be,mode=0660,allow-mac=020000000001,,x";
    struct fixture f = {.status = 0};
    char words[sizeof whole];

    for (size_t length = sizeof "--listen /"; length < sizeof whole; length++) {
        snprintf(words, sizeof words, "%.*s", (int)length, whole);
        read_options(&f, words);
        if (f.status != EXIT_DONE && f.status != EXIT_USAGE)
            ck_abort_msg("'%s' leads to %d", words, f.status);
        if ((f.status == EXIT_DONE) != (f.log.text[0] == '\0'))
            ck_abort_msg("'%s': %s", words, f.log.text);
    }
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_place_has_its_own);
    tcase_add_loop_test(tests, a_comma_of_a_path_is_written_twice, 0, COMMAS);
    tcase_add_test(tests, options_of_the_command_are_for_places_that_say_nothing);
    tcase_add_test(tests, a_place_is_none_of_datagrams_where_it_says_another_framing);
    tcase_add_test(tests, addresses_of_a_place_are_instead_of_those_of_the_command);
    tcase_add_test(tests, who_keeps_an_address_has_one);
    tcase_add_loop_test(tests, mistakes_are_told, 0, MISTAKES);
    tcase_add_test(tests, what_is_cut_off_is_read_as_it_stands);
}

int main(void)
{
    return suite_run("link_options", add_tests);
}
