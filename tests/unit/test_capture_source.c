/* Frames to be sent: from files, pipes and text, and what cannot be sent. */
#include "capture/capture.h"
#include "frames.h"
#include "source.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static unsigned char bytes[BYTES], frame[2000];
static size_t length;
static char path[] = "/tmp/netbroker-source-XXXXXX";

/* --- Files --------------------------------------------------------------------------------- */

static void begin_pcapng(uint16_t linktype, uint8_t fcs)
{
    struct savefile_interface interface = {.linktype = linktype, .fcs = fcs};

    length = pcapng_put_section(bytes, BYTES, &(struct savefile_section){.os = {0}});
    length += pcapng_put_interface(bytes + length, BYTES - length, &interface);
}

static void put_packet(uint32_t captured, uint32_t whole, uint64_t time)
{
    struct savefile_packet packet = {
        .captured = captured, .length = whole, .bytes = frame, .time = time};

    length += pcapng_put_packet(bytes + length, BYTES - length, &packet);
}

static struct savefile_source *open_bytes(void)
{
    struct savefile_source *source = NULL;
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    ck_assert_int_eq(savefile_source_open(&source, path), 0);
    unlink(path);
    return source;
}

static struct savefile_source *open_text(const char *text)
{
    length = strlen(text);
    memcpy(bytes, text, length);
    return open_bytes();
}

static struct savefile_source_frame next(struct savefile_source *source)
{
    struct savefile_source_frame found;
    enum savefile_source_next kind = savefile_source_next(source, &found);

    ck_assert_msg(kind == SAVEFILE_SOURCE_FRAME, "%d: %s", kind, savefile_source_problem(source));
    return found;
}

static void must_end(struct savefile_source *source)
{
    struct savefile_source_frame found;

    ck_assert_int_eq(savefile_source_next(source, &found), SAVEFILE_SOURCE_END);
    ck_assert_str_eq(savefile_source_problem(source), "");
    savefile_source_close(source);
}

static void must_fail(struct savefile_source *source, const char *sentence)
{
    struct savefile_source_frame found;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(savefile_source_next(source, &found), SAVEFILE_SOURCE_BROKEN);
    ck_assert_msg(strstr(savefile_source_problem(source), sentence), "%s",
                  savefile_source_problem(source));
    savefile_source_close(source);
}

START_TEST(frames_of_a_file_with_their_times)
{
    struct savefile_source *source;
    struct savefile_source_frame found;
    uint32_t random = 5;

    fill_frame(frame, sizeof frame, &random);
    begin_pcapng(SAVEFILE_ETHERNET, 0);
    for (uint32_t i = 0; i < 400; i++)
        put_packet(14 + i, 14 + i + (i == 7 ? 3 : 0), 1700000000000000000 + i);
    source = open_bytes();
    for (uint32_t i = 0; i < 400; i++) {
        found = next(source);
        ck_assert_uint_eq(found.length, 14 + i);
        ck_assert_uint_eq(found.cut, i == 7 ? 3 : 0);
        ck_assert(found.has_time);
        ck_assert_uint_eq(found.time, 1700000000000000000 + i);
        ck_assert_mem_eq(found.bytes, frame, found.length);
    }
    must_end(source);
}
END_TEST

/* The card makes another one. */
START_TEST(a_check_sequence_is_left_out)
{
    struct savefile_source *source;
    struct savefile_source_frame found;

    begin_pcapng(SAVEFILE_ETHERNET, 4);
    put_packet(64, 64, 0);
    put_packet(62, 64, 0);
    put_packet(30, 64, 0);
    put_packet(4, 4, 0);
    source = open_bytes();
    found = next(source);
    ck_assert(found.length == 60 && found.cut == 0);
    found = next(source);
    ck_assert(found.length == 60 && found.cut == 0);
    found = next(source);
    ck_assert(found.length == 30 && found.cut == 30);
    must_fail(source, "a frame has 0 bytes");
}
END_TEST

START_TEST(other_link_types_are_refused_by_name)
{
    begin_pcapng(_i ? 4711 : 113, 0);
    put_packet(60, 60, 0);
    must_fail(open_bytes(),
              _i ? "the link type 4711 cannot" : "LINUX_SLL (cooked, of all interfaces)");
}
END_TEST

START_TEST(a_file_that_is_wrong_says_where)
{
    begin_pcapng(SAVEFILE_ETHERNET, 0);
    put_packet(60, 60, 0);
    if (_i == 0) {
        bytes[length - 4]++;
        must_fail(open_bytes(), ", offset 60: the length at the end of a block");
        return;
    }
    put_packet(60, 60, 0);
    length -= 20;
    {
        struct savefile_source *source = open_bytes();

        next(source);
        must_fail(source, "it ends within a block");
    }
}
END_TEST

/* --- Text ---------------------------------------------------------------------------------- */

START_TEST(frames_of_text)
{
    struct savefile_source *source = open_text("# two\nffffffffffff 020000000001 88b5 01\n\n"
                                               "0000: ffff ffff ffff 0200 0000 0001 88b5 02\n");
    struct savefile_source_frame found = next(source);

    ck_assert_uint_eq(found.length, 15);
    ck_assert(!found.has_time);
    ck_assert_uint_eq(found.bytes[14], 1);
    found = next(source);
    ck_assert_uint_eq(found.length, 15);
    ck_assert_uint_eq(found.bytes[14], 2);
    must_end(source);
}
END_TEST

START_TEST(a_frame_of_the_command_line)
{
    struct savefile_source *source;

    ck_assert_int_eq(savefile_source_text(&source, "ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88:b5"), 0);
    ck_assert_uint_eq(next(source).length, 14);
    must_end(source);
    ck_assert_int_eq(savefile_source_text(&source, "ff"), 0);
    must_fail(source, "the frame, line 1: the frame has 1 bytes; Ethernet's header alone has 14");
}
END_TEST

static const struct {
    const char *text, *problem;
} wrong[] = {
    {"", "there is no frame in it"},
    {"# nothing\n", "there is no frame in it"},
    {"ab\n", "line 1: the frame has 1 bytes"},
    {"\n\nffffffffffff 020000000001 88b5 0x\n", "line 3: this is no hexadecimal digit"},
    {"\x7f"
     "ELF",
     "neither a capture file"},
    {"\xd4\xc3\xb2\xa1", "ends within a block"},
};

START_TEST(text_that_is_none_says_where)
{
    must_fail(open_text(wrong[_i].text), wrong[_i].problem);
}
END_TEST

/* --- Where it comes from ------------------------------------------------------------------- */

START_TEST(standard_input_in_pieces)
{
    struct savefile_source *source;
    int pair[2];
    pid_t child;

    begin_pcapng(SAVEFILE_ETHERNET, 0);
    for (uint32_t i = 0; i < 20; i++)
        put_packet(60 + i, 60 + i, i);
    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        for (size_t at = 0; at < length; at += 3)
            if (write(pair[1], bytes + at, length - at < 3 ? length - at : 3) < 0)
                _exit(1);
        _exit(0);
    }
    close(pair[1]);
    dup2(pair[0], STDIN_FILENO);
    close(pair[0]);
    ck_assert_int_eq(savefile_source_open(&source, "-"), 0);
    for (uint32_t i = 0; i < 20; i++)
        ck_assert_uint_eq(next(source).length, 60 + i);
    must_end(source);
}
END_TEST

START_TEST(what_cannot_be_read)
{
    struct savefile_source *source = NULL;

    ck_assert_int_eq(savefile_source_open(&source, "/no-such-folder/x"), -ENOENT);
    ck_assert_ptr_null(source);
    ck_assert_int_eq(savefile_source_open(&source, "/"), 0);
    must_fail(source, "/: Is a directory");
    savefile_source_close(NULL);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, frames_of_a_file_with_their_times);
    tcase_add_test(tests, a_check_sequence_is_left_out);
    tcase_add_loop_test(tests, other_link_types_are_refused_by_name, 0, 2);
    tcase_add_loop_test(tests, a_file_that_is_wrong_says_where, 0, 2);
    tcase_add_test(tests, frames_of_text);
    tcase_add_test(tests, a_frame_of_the_command_line);
    tcase_add_loop_test(tests, text_that_is_none_says_where, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, standard_input_in_pieces);
    tcase_add_test(tests, what_cannot_be_read);
}

int main(void)
{
    return suite_run("capture_source", add_tests);
}
