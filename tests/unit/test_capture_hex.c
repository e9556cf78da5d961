/* Frames as text: each way to write one, split anywhere, and text that is none. */
#include "capture/hex.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

/* What tools make of these 20 bytes. */
static const unsigned char bytes[20] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x00, 0x00,
                                        0x00, 0x01, 0x88, 0xb5, 0x61, 0x62, 0x63, 0x64, 0x20, 0x7c};
/* Text of twice that frame, and the lines where it begins. */
static const struct {
    const char *what, *text;
    unsigned first, second;
} texts[] = {
    {"digits",
     "ffffffffffff02000000000188b56162 6364 207c\nFFFFFFFFFFFF02000000000188B561626364207C", 1, 2},
    {"bytes",
     "# a comment\n\nff:ff:ff:ff:ff:ff 02-00-00-00-00-01 88:b5 61 62 63 64 20 7c\r\n\n"
     "ff ff ff ff ff ff 02 00 00 00 00 01 88 b5 61 62 63 64 20 7c\n",
     3, 5},
    {"xxd",
     "00000000: ffff ffff ffff 0200 0000 0001 88b5 6162  ..............ab\n"
     "00000010: 6364 207c                                cd |\n"
     "00000000: ffff ffff ffff 0200 0000 0001 88b5 6162  ..............ab\n"
     "00000010: 6364 207c                                cd |\n",
     1, 3},
    {"xxd -g1 -c8",
     "00000000: ff ff ff ff ff ff 02 00  ........\n00000008: 00 00 00 01 88 b5 61 62  ......ab\n"
     "00000010: 63 64 20 7c  cd |\n"
     "00000000: ff ff ff ff ff ff 02 00  ab cdefg\n00000008: 00 00 00 01 88 b5 61 62  ......ab\n"
     "00000010: 63 64 20 7c  cd |\n",
     1, 4},
    {"tcpdump -xx",
     "12:34:56.789012 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype Unknown (0x88b5):\n"
     "    more of it\n"
     "\t0x0000:  ffff ffff ffff 0200 0000 0001 88b5 6162\n\t0x0010:  6364 207c\n"
     "2026-11-30 12:34:56.789012 IP 10.0.0.1 > 10.0.0.2: ICMP\n"
     "1700000000.5 IP 10.0.0.1 > 10.0.0.2: ICMP\n"
     "\t0x0000:  ffff ffff ffff 0200 0000 0001 88b5 6162  ..............ab\n\t0x0010:  6364 207c  "
     "cd.|\n",
     3, 7},
    {"Wireshark",
     "0000  ff ff ff ff ff ff 02 00 00 00 00 01 88 b5 61 62   ..............ab\n"
     "0010  63 64 20 7c                                       cd |\n"
     "\n"
     "0000   ff ff ff ff ff ff 02 00  00 00 00 01 88 b5 61 62   ........ ......ab\n"
     "0010   63 64 20 7c                                       cd |\n",
     1, 4},
    {"hexdump -C and od -Ax -tx1",
     "00000000  ff ff ff ff ff ff 02 00  00 00 00 01 88 b5 61 62  |..............ab|\n"
     "00000010  63 64 20 7c                                       |cd ||\n"
     "00000014\n"
     "000000 ff ff ff ff ff ff 02 00 00 00 00 01 88 b5 61 62\n"
     "000010 63 64 20 7c\n"
     "000014\n",
     1, 4},
};
enum { TEXTS = sizeof texts / sizeof *texts };

static struct hex_reader reader;

struct seen {
    unsigned frames;
    uint64_t lines[2];
    size_t lengths[2];
    unsigned char bytes[2][64];
};

/* Reads a text in two pieces, into memory of its own each time. */
static enum hex_next read_split(const char *text, size_t split, struct seen *seen)
{
    size_t n = strlen(text), at = 0;
    enum hex_next next;

    memset(&reader, 0, sizeof reader);
    memset(seen, 0, sizeof *seen);
    for (int piece = 0; piece < 2; piece++)
        do {
            size_t end = piece ? n : split, used, length = 0;
            const unsigned char *frame = NULL;
            char *copy = malloc(end - at + 1);

            memcpy(copy, text + at, end - at);
            next = hex_reader_next(&reader, copy, end - at, piece, &used, &frame, &length);
            free(copy);
            at += used;
            if (next == HEX_FRAME && seen->frames < 2 && length <= 64) {
                seen->lines[seen->frames] = reader.line;
                seen->lengths[seen->frames] = length;
                memcpy(seen->bytes[seen->frames], frame, length);
            }
            seen->frames += next == HEX_FRAME;
        } while (next == HEX_FRAME);
    return next;
}

START_TEST(each_way_to_write_frames_split_anywhere)
{
    struct seen seen;

    for (size_t split = 0; split <= strlen(texts[_i].text); split++) {
        enum hex_next next = read_split(texts[_i].text, split, &seen);

        if (next != HEX_MORE || seen.frames != 2)
            ck_abort_msg("%s, split at %zu: %u frames; line %u: %s", texts[_i].what, split,
                         seen.frames, (unsigned)reader.line, reader.why ? reader.why : "");
        for (int i = 0; i < 2; i++)
            if (seen.lengths[i] != sizeof bytes || memcmp(seen.bytes[i], bytes, sizeof bytes) != 0)
                ck_abort_msg("%s, split at %zu: frame %d", texts[_i].what, split, i);
        ck_assert_uint_eq(seen.lines[0], texts[_i].first);
        ck_assert_uint_eq(seen.lines[1], texts[_i].second);
    }
}
END_TEST

static const struct {
    const char *text, *why;
    unsigned line, frames;
} wrong[] = {
    {"ffff\n\n\n", "the place", 1, 0},
    {"# none\nff:ff:fg", "no hexadecimal digit", 2, 0},
    {"fffff 02", "the place", 1, 0},
    {"ffff", "neither a frame, of 14 bytes", 1, 0},
    {"fff 02", "odd number", 1, 0},
    {"0000000 ffff ffff 0002\n", "odd number", 1, 0}, /* hexdump: words of the machine */
    {"ff:ff:ff:ff:ff:ff\nff ff, ff\n", "no hexadecimal digit", 2, 1},
    {"0010: ff ff\n", "the place", 1, 0},
    {"0000: ff ff\n0003: ff\n", "the place", 2, 0},
    {"0000  ff ff 61 62 ab\n0002  61 62", "the place", 2, 0}, /* text that looks like bytes */
    {"0000: ff zz\n", "no hexadecimal digit", 1, 0},
    {"0000: ff:ff\n", "between two separators", 1, 0},
    {"ff::ff\n", "between two separators", 1, 0},
    {"0x00 ff\n", "no hexadecimal digit", 1, 0},
    {"0000: ff ff\nsome words\n", "no hexadecimal digit", 2, 1},
    {"0000:ff zz\n", "no hexadecimal digit", 1, 0},
};

START_TEST(what_is_no_frame_is_refused_with_its_line)
{
    struct seen seen;

    for (size_t split = 0; split <= strlen(wrong[_i].text); split++) {
        if (read_split(wrong[_i].text, split, &seen) != HEX_BROKEN)
            ck_abort_msg("%s is read", wrong[_i].text);
        ck_assert_msg(strstr(reader.why, wrong[_i].why), "%s: %s", wrong[_i].text, reader.why);
        ck_assert_uint_eq(reader.line, wrong[_i].line);
        ck_assert_uint_eq(seen.frames, wrong[_i].frames);
    }
}
END_TEST

/* A frame of the most bytes is read, and one of a byte more refused; so is a line without end. */
START_TEST(frames_and_lines_have_a_bound)
{
    enum { ROOM = HEX_LINE_MAX + 16 };
    char *text = malloc(ROOM);
    const unsigned char *frame;
    size_t used, length;

    memset(text, 'a', ROOM);
    memset(&reader, 0, sizeof reader);
    ck_assert_int_eq(
        hex_reader_next(&reader, text, (size_t)2 * HEX_FRAME_MAX, true, &used, &frame, &length),
        HEX_FRAME);
    ck_assert_uint_eq(length, HEX_FRAME_MAX);
    memset(&reader, 0, sizeof reader);
    ck_assert_int_eq(
        hex_reader_next(&reader, text, (size_t)2 * HEX_FRAME_MAX + 2, true, &used, &frame, &length),
        HEX_BROKEN);
    ck_assert_ptr_nonnull(strstr(reader.why, "too long"));
    memset(&reader, 0, sizeof reader);
    ck_assert_int_eq(
        hex_reader_next(&reader, text, HEX_LINE_MAX - 1, false, &used, &frame, &length), HEX_MORE);
    ck_assert_int_eq(hex_reader_next(&reader, text, HEX_LINE_MAX, false, &used, &frame, &length),
                     HEX_BROKEN);
    ck_assert_int_eq(hex_reader_next(&reader, text, 1, true, &used, &frame, &length), HEX_BROKEN);
    free(text);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, each_way_to_write_frames_split_anywhere, 0, TEXTS);
    tcase_add_loop_test(tests, what_is_no_frame_is_refused_with_its_line, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, frames_and_lines_have_a_bound);
}

int main(void)
{
    return suite_run("capture_hex", add_tests);
}
