/* The offload header: what may be said of a frame, and what would cost others. */
#include "framing/offload.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1518, PLAIN = OFFLOAD_HEADER + 60, BIG = OFFLOAD_HEADER + 40000 };

/* As a tap of Linux gives them: golden bytes. */
static const unsigned char checked[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                           open_checksum[] = {1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0},
                           ipv4_segments[] = {1, 1, 66, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0},
                           ipv6_segments[] = {1, 4, 86, 0, 0x94, 5, 54, 0, 16, 0, 0, 0};

static unsigned char bytes[OFFLOAD_LIMIT + 1];

static void put(size_t at, const void *what, size_t length)
{
    memcpy(bytes + OFFLOAD_HEADER + at, what, length);
}

/* TCP with a header of 32 bytes over this version of IP, behind so many VLAN tags. */
static void make(const unsigned char *header, unsigned version, unsigned tags)
{
    size_t ip = 14 + 4 * (size_t)tags;

    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, header, OFFLOAD_HEADER);
    for (unsigned i = 0; i < tags; i++)
        put(12 + 4 * (size_t)i, i == 0 && tags > 1 ? "\x88\xa8\x00\x01" : "\x81\x00\x00\x02", 4);
    put(ip - 2, version == 4 ? "\x08\x00\x45" : "\x86\xdd\x60", 3);
    put(ip + (version == 4 ? 9 : 6), "\x06", 1);
    put(ip + (version == 4 ? 20 : 40) + 12, "\x80", 1);
    bytes[2] = (unsigned char)(bytes[2] + (bytes[2] ? 4 * tags : 0));
    bytes[6] = (unsigned char)(bytes[6] + (bytes[6] ? 4 * tags : 0));
}

/* In memory that ends with the frame. */
static enum framing_fate judge(size_t length)
{
    unsigned char *copy = malloc(length ? length : 1);
    const char *why = NULL;
    enum framing_fate fate;

    memcpy(copy, bytes, length);
    fate = offload_judge(copy, length, LIMIT, &why);
    free(copy);
    if ((fate == FRAMING_INVALID) != (why != NULL))
        ck_abort_msg("%d has the sentence '%s'", fate, why ? why : "");
    return fate;
}

static const struct {
    const unsigned char *header;
    unsigned version;
} good[] = {{checked, 4}, {checked, 6}, {open_checksum, 4}, {ipv4_segments, 4}, {ipv6_segments, 6}};

enum { GOOD = sizeof good / sizeof *good };

START_TEST(what_linux_says_is_right)
{
    bool cut = good[_i].header[1] != 0;

    for (unsigned tags = 0; tags <= (cut ? 1 : 2); tags++) { /* with two, segments are too long */
        make(good[_i].header, good[_i].version, tags);
        ck_assert_int_eq(judge(cut ? BIG : PLAIN + 60), FRAMING_FITS);
    }
}
END_TEST

/* Whatever it says, no byte behind its end is looked at, and nothing but a whole one fits. */
START_TEST(a_frame_that_was_cut_off_is_none)
{
    size_t least = OFFLOAD_HEADER + FRAME_LEAST;
    bool cut = good[_i].header[1] != 0;

    make(good[_i].header, good[_i].version, 0);
    for (size_t length = 0; length < PLAIN + 60; length++) {
        enum framing_fate fate = judge(length);
        size_t whole = length - OFFLOAD_HEADER;

        if (length == 0 && fate != FRAMING_ZERO)
            ck_abort_msg("nothing is %d", fate);
        if (length > 0 && length < least && fate != FRAMING_UNDERSIZE)
            ck_abort_msg("%zu bytes are %d", length, fate);
        if (length >= least && cut && whole < 34U + 32 && fate != FRAMING_INVALID)
            ck_abort_msg("%zu bytes are %d", length, fate);
        if (length >= least && !cut && !good[_i].header[0] && fate != FRAMING_FITS)
            ck_abort_msg("%zu bytes are %d", length, fate);
    }
}
END_TEST

START_TEST(each_segment_fits_the_mtu)
{
    const char *why = NULL;

    make(checked, 4, 0);
    ck_assert_int_eq(judge(OFFLOAD_HEADER + LIMIT), FRAMING_FITS);
    ck_assert_int_eq(judge(OFFLOAD_HEADER + LIMIT + 1), FRAMING_OVERSIZE);
    make(ipv4_segments, 4, 0);
    ck_assert_int_eq(offload_judge(bytes, BIG, 34 + 32 + 1448, &why), FRAMING_FITS);
    ck_assert_int_eq(offload_judge(bytes, BIG, 34 + 32 + 1448 - 1, &why), FRAMING_OVERSIZE);
    ck_assert_int_eq(judge(OFFLOAD_LIMIT), FRAMING_FITS);
    ck_assert_int_eq(judge(OFFLOAD_LIMIT + 1), FRAMING_OVERSIZE);
}
END_TEST

/* Of ipv4_segments: these bytes at this place of the header, or behind it of the frame. */
static const struct {
    const char *what;
    size_t at;
    unsigned char size, change[4];
    const char *why;
} faults[] = {
    {"an unknown flag", 0, 1, {1 | 4}, "flags"},
    {"no checksum to be made", 0, 1, {0}, "checksum is not to be made"},
    {"one that was checked", 0, 1, {2}, "checksum is not to be made"},
    {"cutting of UDP", 1, 1, {3}, "in another way than TCP"},
    {"cutting of UDP datagrams", 1, 1, {5}, "in another way than TCP"},
    {"TCP with ECN", 1, 1, {0x81}, "in another way than TCP"},
    {"TCP of the other version", 1, 1, {4}, "not TCP of that version"},
    {"headers behind the end", 2, 2, {0x41, 0x9c}, "end behind the frame"},
    {"segments of nothing", 4, 2, {0, 0}, "less than 8 bytes"},
    {"segments of seven bytes", 4, 2, {7, 0}, "less than 8 bytes"},
    {"a checksum in the address of the sender", 6, 4, {6, 0, 0, 0}, "within the headers"},
    {"a checksum in the headers of IP", 6, 2, {33, 0}, "within the headers"},
    {"a checksum behind the end", 6, 4, {34, 0, 0x1e, 0x9c}, "behind the frame"},
    {"a checksum far behind it", 6, 4, {0xff, 0xff, 0xff, 0xff}, "behind the frame"},
    {"another protocol's checksum", 8, 2, {6, 0}, "checksum is not to be made"},
    {"TCP that begins elsewhere", 6, 2, {38, 0}, "not TCP of that version"},
    {"another protocol", OFFLOAD_HEADER + 23, 1, {17}, "not TCP of that version"},
    {"another EtherType", OFFLOAD_HEADER + 12, 2, {0x88, 0xb5}, "not TCP of that version"},
    {"another version in IP", OFFLOAD_HEADER + 14, 1, {0x65}, "not TCP of that version"},
    {"a longer header of IP", OFFLOAD_HEADER + 14, 1, {0x46}, "not TCP of that version"},
    {"a short header of TCP", OFFLOAD_HEADER + 46, 1, {0x40}, "TCP's header is wrong"},
};

enum { FAULTS = sizeof faults / sizeof *faults };

START_TEST(what_would_cost_others_is_invalid)
{
    const char *why = NULL;

    make(ipv4_segments, 4, 0);
    memcpy(bytes + faults[_i].at, faults[_i].change, faults[_i].size);
    if (offload_judge(bytes, BIG, LIMIT, &why) != FRAMING_INVALID)
        ck_abort_msg("%s is taken", faults[_i].what);
    if (!strstr(why, faults[_i].why))
        ck_abort_msg("%s: %s", faults[_i].what, why);
}
END_TEST

/* The length of the headers is a hint, and may be left out. */
START_TEST(the_header_of_tcp_ends_within_the_frame)
{
    make(ipv4_segments, 4, 0);
    bytes[2] = 0;
    ck_assert_int_eq(judge(OFFLOAD_HEADER + 34 + 31), FRAMING_INVALID);
    ck_assert_int_eq(judge(OFFLOAD_HEADER + 34 + 32), FRAMING_FITS);
}
END_TEST

/* Behind VLAN tags the headers are longer, and so is what no checksum may be written to. */
START_TEST(tags_move_what_may_be_said)
{
    make(open_checksum, 4, 1);
    ck_assert_int_eq(judge(PLAIN + 60), FRAMING_FITS);
    bytes[6] = 37;
    ck_assert_int_eq(judge(PLAIN + 60), FRAMING_INVALID);
    make(open_checksum, 4, 2);
    put(20, "\x81\x00", 2);
    ck_assert_int_eq(judge(PLAIN + 60), FRAMING_INVALID);
}
END_TEST

START_TEST(the_kernel_leaves_two_bytes)
{
    memset(bytes, 0xa5, sizeof bytes);
    offload_complete(bytes);
    ck_assert_uint_eq(bytes[9], 0xa5);
    ck_assert_uint_eq(bytes[10], 0);
    ck_assert_uint_eq(bytes[11], 0);
    ck_assert_uint_eq(bytes[12], 0xa5);
}
END_TEST

START_TEST(framings_that_carry_it_have_room)
{
    for (unsigned i = 0; i < FRAMING_COUNT; i++) {
        const struct framing_row *row = framing_row((enum framing)i);

        ck_assert(!row->offload || row->frame_max >= OFFLOAD_LIMIT);
        ck_assert_int_eq(row->offload, i == FRAMING_U32BE || i == FRAMING_MESSAGE);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, what_linux_says_is_right, 0, GOOD);
    tcase_add_loop_test(tests, a_frame_that_was_cut_off_is_none, 0, GOOD);
    tcase_add_test(tests, each_segment_fits_the_mtu);
    tcase_add_test(tests, the_header_of_tcp_ends_within_the_frame);
    tcase_add_loop_test(tests, what_would_cost_others_is_invalid, 0, FAULTS);
    tcase_add_test(tests, tags_move_what_may_be_said);
    tcase_add_test(tests, the_kernel_leaves_two_bytes);
    tcase_add_test(tests, framings_that_carry_it_have_room);
}

int main(void)
{
    return suite_run("offload", add_tests);
}
