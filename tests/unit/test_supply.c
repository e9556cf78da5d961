/* Frames in passes, which of them are left out, and what is in them. */
#include "capture/capture.h"
#include "contents.h"
#include "suite.h"
#include "supply.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FRAME "ffffffffffff 020000000001 88b5 "

static struct supply begin_text(const char *text)
{
    struct supply supply = {.passes = 1};

    ck_assert_int_eq(savefile_source_text(&supply.source, text), 0);
    return supply;
}

/* The frame's byte behind its header; or what else there is, as a negative number. */
static int next(struct supply *supply)
{
    struct savefile_source_frame frame;
    enum supply_next next = supply_next(supply, &frame);

    return next == SUPPLY_FRAME ? frame.bytes[14] : -(int)next;
}

START_TEST(all_frames_come_once)
{
    struct supply supply = begin_text(FRAME "01\n" FRAME "02");

    ck_assert_int_eq(next(&supply), 1);
    ck_assert_int_eq(next(&supply), 2);
    ck_assert_uint_eq(supply.number, 2);
    ck_assert_int_eq(next(&supply), -SUPPLY_END);
    ck_assert_uint_eq(supply.given, 2);
    savefile_source_close(supply.source);
}
END_TEST

START_TEST(passes_begin_again_until_the_limit)
{
    struct supply supply = begin_text(FRAME "01\n" FRAME "02");

    supply.passes = 0;
    supply.limit = 5;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(next(&supply), 1);
        ck_assert_int_eq(next(&supply), 2);
        ck_assert_int_eq(next(&supply), -SUPPLY_PASS);
    }
    ck_assert_int_eq(next(&supply), 1);
    ck_assert_uint_eq(supply.number, 1);
    ck_assert_int_eq(next(&supply), -SUPPLY_END);
    ck_assert_uint_eq(supply.given, 5);
    savefile_source_close(supply.source);
}
END_TEST

START_TEST(so_many_passes)
{
    struct supply supply = begin_text(FRAME "01");

    supply.passes = 2;
    ck_assert_int_eq(next(&supply), 1);
    ck_assert_int_eq(next(&supply), -SUPPLY_PASS);
    ck_assert_int_eq(next(&supply), 1);
    ck_assert_int_eq(next(&supply), -SUPPLY_END);
    savefile_source_close(supply.source);
}
END_TEST

static int pipe_with(const char *text)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    return ends[1];
}

/* A pipe: waits are the caller's, what is there is given, and there is one pass. */
START_TEST(a_pipe_is_waited_for_and_read_once)
{
    int pipe = pipe_with(FRAME "01\n" FRAME "02\n" FRAME);
    struct supply supply = {.passes = 2};

    ck_assert_int_eq(savefile_source_open(&supply.source, "-"), 0);
    savefile_source_never_wait(supply.source);
    ck_assert_int_eq(next(&supply), 1);
    ck_assert_int_eq(next(&supply), 2);
    ck_assert_int_eq(next(&supply), -SUPPLY_WAIT);
    ck_assert_int_eq(next(&supply), -SUPPLY_WAIT);
    ck_assert_int_eq(write(pipe, "03\n", 3), 3);
    ck_assert_int_eq(next(&supply), 3);
    close(pipe);
    ck_assert_int_eq(next(&supply), -SUPPLY_ONCE);
    ck_assert_int_eq(savefile_source_again(supply.source), -ESPIPE);
    savefile_source_close(supply.source);
}
END_TEST

/* What was read once is there again, as far as the bound. */
START_TEST(a_pipe_can_be_kept)
{
    struct supply supply = {.passes = 3};

    close(pipe_with(FRAME "01\n" FRAME "02\n"));
    ck_assert_int_eq(savefile_source_open(&supply.source, "-"), 0);
    ck_assert_int_eq(savefile_source_keep(supply.source, 100), 0);
    ck_assert_int_eq(savefile_source_keep(supply.source, 0), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(next(&supply), 1);
        ck_assert_int_eq(next(&supply), 2);
        ck_assert_int_eq(next(&supply), i < 2 ? -SUPPLY_PASS : -SUPPLY_END);
    }
    savefile_source_close(supply.source);
    close(pipe_with(FRAME "01\n" FRAME "02\n"));
    ck_assert_int_eq(savefile_source_open(&supply.source, "-"), 0);
    ck_assert_int_eq(savefile_source_keep(supply.source, 60), -EFBIG);
    savefile_source_close(supply.source);
}
END_TEST

/* --- A file with frames that were cut ------------------------------------------------------ */

static unsigned char bytes[65536];

static size_t put_packet(size_t at, unsigned char mark, uint32_t length)
{
    unsigned char frame[60] = {[12] = 0x88, [13] = 0xb5, [14] = mark};
    struct savefile_packet packet = {
        .captured = sizeof frame, .length = length, .bytes = frame, .time = mark};

    return at + pcapng_put_packet(bytes + at, sizeof bytes - at, &packet);
}

static struct supply begin_file(const uint32_t *lengths, unsigned count)
{
    char path[] = "/tmp/netbroker-supply-XXXXXX";
    struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    struct supply supply = {.passes = 1};
    size_t length = pcapng_put_section(bytes, sizeof bytes, &(struct savefile_section){.os = {0}});
    int fd = mkstemp(path);

    length += pcapng_put_interface(bytes + length, sizeof bytes - length, &interface);
    for (unsigned i = 0; i < count; i++)
        length = put_packet(length, (unsigned char)(i + 1), lengths[i]);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    ck_assert_int_eq(savefile_source_open(&supply.source, path), 0);
    unlink(path);
    return supply;
}

START_TEST(cut_frames_are_passed_over_and_counted)
{
    struct supply supply = begin_file((const uint32_t[]){60, 1514, 60, 61}, 4);

    supply.passes = 2;
    for (int pass = 0; pass < 2; pass++) {
        ck_assert_int_eq(next(&supply), 1);
        ck_assert_int_eq(next(&supply), 3);
        ck_assert_uint_eq(supply.number, 3);
        ck_assert_int_eq(next(&supply), pass == 0 ? -SUPPLY_PASS : -SUPPLY_END);
    }
    ck_assert_uint_eq(supply.given, 4);
    ck_assert_uint_eq(supply.cut, 4);
    ck_assert_uint_eq(supply.first_cut, 2);
    savefile_source_close(supply.source);
}
END_TEST

/* Else passes without end would never come back. */
START_TEST(a_file_of_which_nothing_can_be_sent_ends)
{
    struct supply supply = begin_file((const uint32_t[]){1514}, 1);

    supply.passes = 0;
    ck_assert_int_eq(next(&supply), -SUPPLY_END);
    savefile_source_close(supply.source);
}
END_TEST

/* --- What is in them ----------------------------------------------------------------------- */

static struct contents contents_of(const char *text)
{
    struct supply supply = begin_text(text);
    struct savefile_source_frame frame;
    struct contents contents = {.frames = 0};

    while (supply_next(&supply, &frame) == SUPPLY_FRAME)
        contents_add(&contents, frame.bytes, frame.length);
    savefile_source_close(supply.source);
    return contents;
}

START_TEST(contents_have_what_is_in_frames)
{
    struct contents contents = contents_of("010203040506 020000000001 8100 2064 88ba 00\n"
                                           "010203040506 020000000002 88a8 0001 8100 0064 88b8 00\n"
                                           "010203040506 020000000001 8100 e000 88ba 00\n");
    char text[MAC_TEXT];

    ck_assert_uint_eq(contents.frames, 3);
    ck_assert_uint_eq(contents.sources.count, 2);
    ck_assert_str_eq(mac_text(contents.sources.values[1], text), "02:00:00:00:00:02");
    ck_assert_uint_eq(contents.destinations.count, 1);
    ck_assert_uint_eq(contents.destinations.values[0], 0x010203040506);
    ck_assert_uint_eq(contents.ethertypes.count, 2);
    ck_assert_uint_eq(contents.ethertypes.values[0], 0x88ba);
    ck_assert_uint_eq(contents.ethertypes.values[1], 0x88b8);
    ck_assert_uint_eq(contents.vlans.count, 3);
    ck_assert_uint_eq(contents.vlans.values[0], 100);
    ck_assert_uint_eq(contents.vlans.values[1], 1);
    ck_assert_uint_eq(contents.vlans.values[2], 0);
    ck_assert(!contents.has_untagged);
    ck_assert(!contents.ethertypes.is_open);
}
END_TEST

/* What no list can name is not left out: the whole set is open then. */
START_TEST(what_cannot_be_named_opens_a_set)
{
    struct contents contents = contents_of("010203040506 020000000001 0032 00");

    ck_assert(contents.ethertypes.is_open && contents.has_untagged);
    ck_assert_uint_eq(contents.vlans.count, 0);
    ck_assert(!contents.sources.is_open);
    contents = contents_of("010203040506 030000000001 88b5 00");
    ck_assert(contents.sources.is_open && !contents.ethertypes.is_open);
    contents = contents_of("010203040506 020000000001 8100 0001 8100 0002 8100 0003 88b5 00");
    ck_assert(contents.ethertypes.is_open && contents.vlans.is_open && !contents.has_untagged);
    contents = contents_of("010203040506 020000000001 8100 0fff 88b5 00");
    ck_assert(contents.vlans.is_open && !contents.ethertypes.is_open);
    memset(&contents, 0, sizeof contents);
    for (unsigned i = 0; i <= CONTENTS_VALUES; i++) {
        uint8_t frame[60] = {[0] = 2, [5] = (uint8_t)i, [12] = 0x88, [13] = 0xb5};

        ck_assert(!contents.destinations.is_open);
        contents_add(&contents, frame, sizeof frame);
    }
    ck_assert(contents.destinations.is_open && !contents.sources.is_open);
    ck_assert_uint_eq(contents.destinations.count, CONTENTS_VALUES);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, all_frames_come_once);
    tcase_add_test(tests, passes_begin_again_until_the_limit);
    tcase_add_test(tests, so_many_passes);
    tcase_add_test(tests, a_pipe_is_waited_for_and_read_once);
    tcase_add_test(tests, a_pipe_can_be_kept);
    tcase_add_test(tests, cut_frames_are_passed_over_and_counted);
    tcase_add_test(tests, a_file_of_which_nothing_can_be_sent_ends);
    tcase_add_test(tests, contents_have_what_is_in_frames);
    tcase_add_test(tests, what_cannot_be_named_opens_a_set);
}

int main(void)
{
    return suite_run("supply", add_tests);
}
