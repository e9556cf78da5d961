/* Read files: either byte order, each resolution of time, split anywhere, written by ourselves, and
 * such as nobody should write. */
#include "capture/capture.h"
#include "frames.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 4096, SEEN_MAX = 16, NUMBERS = 8 };

/* libcheck writes down each assertion that holds, which is slow where there are very many. */
static void must(bool holds, const char *what)
{
    if (!holds)
        ck_abort_msg("does not hold: %s", what);
}

/* --- Files --------------------------------------------------------------------------------- */

struct file {
    bool big;
    size_t length, block; /* block: where the one begins that is written */
    unsigned char bytes[FILE_MAX];
};

static void put(struct file *file, const void *bytes, size_t n)
{
    must(file->length + n <= FILE_MAX, "the file has room");
    memcpy(file->bytes + file->length, bytes, n);
    file->length += n;
}

static void put_number(struct file *file, uint64_t value, unsigned n)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < n; i++)
        bytes[file->big ? n - 1 - i : i] = (unsigned char)(value >> 8 * i);
    put(file, bytes, n);
}

static void put_u16(struct file *file, unsigned value)
{
    put_number(file, value, 2);
}

static void put_u32(struct file *file, uint32_t value)
{
    put_number(file, value, 4);
}

static void put_time(struct file *file, uint64_t time)
{
    put_u32(file, (uint32_t)(time >> 32));
    put_u32(file, (uint32_t)time);
}

static void put_padded(struct file *file, const void *bytes, size_t n)
{
    put(file, bytes, n);
    put(file, "\0\0\0", (4 - n % 4) % 4);
}

static void put_option(struct file *file, unsigned code, const void *bytes, size_t n)
{
    put_u16(file, code);
    put_u16(file, (unsigned)n);
    put_padded(file, bytes, n);
}

static void put_number_option(struct file *file, unsigned code, uint64_t value, unsigned n)
{
    put_u16(file, code);
    put_u16(file, n);
    put_number(file, value, n);
    put(file, "\0\0\0", (4 - n % 4) % 4);
}

static void begin_block(struct file *file, uint32_t type)
{
    file->block = file->length;
    put_u32(file, type);
    put_u32(file, 0);
}

static void end_block(struct file *file)
{
    size_t length = file->length - file->block + 4, end = file->length;

    put_u32(file, (uint32_t)length);
    file->length = file->block + 4;
    put_u32(file, (uint32_t)length);
    file->length = end + 4;
}

static void put_section(struct file *file)
{
    begin_block(file, 0x0a0d0d0a);
    put_u32(file, 0x1a2b3c4d);
    put_u16(file, 1);
    put_u16(file, 0);
    put_number(file, UINT64_MAX, 8);
    put_option(file, 3, "Linux", 5);
    put_option(file, 4, "someone", 7);
    end_block(file); /* the end of options may be left out */
}

static void put_interface(struct file *file, unsigned linktype, uint32_t snaplen)
{
    begin_block(file, 1);
    put_u16(file, linktype);
    put_u16(file, 0);
    put_u32(file, snaplen);
}

static void put_packet(struct file *file, uint32_t interface, uint64_t time, const void *bytes,
                       uint32_t captured)
{
    begin_block(file, 6);
    put_u32(file, interface);
    put_time(file, time);
    put_u32(file, captured);
    put_u32(file, captured + 100);
    put_padded(file, bytes, captured);
}

static void put_other(struct file *file)
{
    begin_block(file, 0x0bad);
    put_padded(file, "the content of a block that nobody knows", 40);
    end_block(file);
}

/* Two sections of either byte order, three interfaces, each kind of block. */
static void make_pcapng(struct file *ret, bool big)
{
    *ret = (struct file){.big = big};
    put_section(ret);
    put_interface(ret, 1, 0);
    put_option(ret, 2, "eth0", 4);
    put_option(ret, 6, "\x02\0\0\0\0\x01", 6);
    put_number_option(ret, 8, 1000000000, 8);
    put_number_option(ret, 9, 9, 1);
    put_option(ret, 11, "\0udp", 4);
    put_number_option(ret, 13, 4, 1);
    put_option(ret, 0, "", 0);
    end_block(ret);
    put_other(ret);
    put_interface(ret, 276, 64); /* microseconds, where nothing is said */
    put_option(ret, 11, "\1\0\0\0\0\0\0\0\0", 9);
    put_number_option(ret, 14, 5, 8);
    end_block(ret);
    put_packet(ret, 0, 1700000000123456789, "0123456789abcdef", 13);
    put_option(ret, 1, "a comment", 9);
    put_number_option(ret, 2, 0x00000101, 4); /* inbound, 8 bytes of a check sequence */
    put_number_option(ret, 4, 77, 8);
    put_option(ret, 2989, "an option that nobody knows", 27);
    put_option(ret, 0, "", 0);
    end_block(ret);
    put_packet(ret, 1, 1700000000123456, "ABCD", 4);
    end_block(ret);
    begin_block(ret, 3);
    put_u32(ret, 6);
    put_padded(ret, "simple", 6);
    end_block(ret);
    begin_block(ret, 2);
    put_u16(ret, 1);
    put_u16(ret, 9);
    put_time(ret, 1000000);
    put_u32(ret, 3);
    put_u32(ret, 3);
    put_padded(ret, "old", 3);
    end_block(ret);
    begin_block(ret, 5);
    put_u32(ret, 0);
    put_time(ret, 1700000001000000000);
    put_u16(ret, 2);
    put_u16(ret, 8);
    put_time(ret, 1700000000000000000);
    put_number_option(ret, 4, 1000, 8);
    put_number_option(ret, 8, 900, 8);
    end_block(ret);
    ret->big = !big;
    put_section(ret);
    put_other(ret);
    put_interface(ret, 1, 4);
    end_block(ret);
    begin_block(ret, 3);
    put_u32(ret, 6);
    put_padded(ret, "simp", 4); /* as much as the interface captures */
    end_block(ret);
}

static void make_pcap(struct file *ret, bool big, bool nanoseconds)
{
    *ret = (struct file){.big = big};
    put_u32(ret, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    put_u16(ret, 2);
    put_u16(ret, 4);
    put_number(ret, 0, 8);
    put_u32(ret, 65535);
    put_u32(ret, 1);
    for (uint32_t length = 0; length < 40; length += 13) {
        put_u32(ret, 1700000000);
        put_u32(ret, 123456);
        put_u32(ret, length);
        put_u32(ret, length + 1);
        put(ret, "0123456789abcdefghijklmnopqrstuvwxyz0123456", length);
    }
}

/* --- What is seen of them ------------------------------------------------------------------ */

struct seen {
    size_t count, bytes;
    enum savefile_next kinds[SEEN_MAX];
    struct savefile_item items[SEEN_MAX]; /* pointers in them are offsets in all */
    uint64_t numbers[SEEN_MAX][NUMBERS];  /* of an item, to be compared */
    unsigned char all[FILE_MAX];
    size_t broken, whole;
    struct savefile_fault fault;
};

static const void *keep(struct seen *seen, const void *bytes, size_t n)
{
    size_t at = seen->bytes;

    must(at + n <= FILE_MAX, "no more than was put there");
    if (n > 0)
        memcpy(seen->all + at, bytes, n);
    seen->bytes += n;
    return (const char *)(uintptr_t)at;
}

static void keep_text(struct seen *seen, struct savefile_text *text)
{
    text->bytes = keep(seen, text->bytes, text->length);
}

static void keep_numbers(uint64_t numbers[NUMBERS], enum savefile_next kind,
                         const struct savefile_item *item)
{
    const struct savefile_packet *packet = &item->packet;
    const struct savefile_interface *interface = &item->interface;
    const struct savefile_statistics *statistics = &item->statistics;

    if (kind == SAVEFILE_PACKET)
        memcpy(numbers,
               (uint64_t[NUMBERS]){packet->time, packet->captured, packet->length,
                                   packet->direction, packet->dropped, packet->fcs,
                                   packet->interface, packet->linktype},
               sizeof(uint64_t[NUMBERS]));
    if (kind == SAVEFILE_INTERFACE)
        memcpy(numbers,
               (uint64_t[NUMBERS]){interface->linktype, interface->snaplen, interface->fcs,
                                   interface->speed, interface->has_mac},
               sizeof(uint64_t[NUMBERS]));
    if (kind == SAVEFILE_STATISTICS)
        memcpy(numbers,
               (uint64_t[NUMBERS]){statistics->time, statistics->start, statistics->end,
                                   statistics->received, statistics->delivered},
               sizeof(uint64_t[NUMBERS]));
}

static bool is_same(const struct seen *one, const struct seen *two)
{
    return one->count == two->count && one->bytes == two->bytes && one->whole == two->whole &&
           memcmp(one->kinds, two->kinds, sizeof one->kinds) == 0 &&
           memcmp(one->numbers, two->numbers, sizeof one->numbers) == 0 &&
           memcmp(one->all, two->all, sizeof one->all) == 0 && one->fault.why == two->fault.why &&
           one->fault.offset == two->fault.offset && one->fault.value == two->fault.value;
}

static void keep_item(struct seen *seen, enum savefile_next kind, struct savefile_item *item)
{
    switch (kind) {
    case SAVEFILE_SECTION:
        keep_text(seen, &item->section.os);
        keep_text(seen, &item->section.application);
        break;
    case SAVEFILE_INTERFACE:
        keep_text(seen, &item->interface.name);
        keep_text(seen, &item->interface.filter);
        break;
    case SAVEFILE_PACKET:
        item->packet.bytes = keep(seen, item->packet.bytes, item->packet.captured);
        keep_text(seen, &item->packet.comment);
        break;
    default:
        break;
    }
    must(seen->count < SEEN_MAX, "no more items than were put there");
    seen->kinds[seen->count] = kind;
    keep_numbers(seen->numbers[seen->count], kind, item);
    seen->items[seen->count++] = *item;
}

/* Each call gets its bytes in memory of their own, so that reading beyond them is noticed. */
static enum savefile_next next(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                               size_t *used, struct seen *seen)
{
    unsigned char *copy = malloc(n ? n : 1);
    struct savefile_item item;
    enum savefile_next kind;

    memcpy(copy, bytes, n);
    memset(&item, 0, sizeof item);
    kind = savefile_reader_next(reader, copy, n, used, &item);
    must(*used <= n, "no more is used than was given");
    if (kind != SAVEFILE_MORE && kind != SAVEFILE_BROKEN)
        keep_item(seen, kind, &item);
    free(copy);
    return kind;
}

/* Reads the first n bytes of a file, which come in two pieces. */
static void read_split(const struct file *file, size_t n, size_t split, struct seen *ret)
{
    struct savefile_reader reader = {0};
    size_t at = 0, end = split;

    memset(ret, 0, sizeof *ret);
    for (;;) {
        size_t used;
        enum savefile_next kind = next(&reader, file->bytes + at, end - at, &used, ret);

        at += used;
        if (kind == SAVEFILE_BROKEN)
            break;
        if (kind == SAVEFILE_MORE && end == n)
            break;
        if (kind == SAVEFILE_MORE)
            end = n;
    }
    ret->whole = savefile_reader_end(&reader, n - at);
    ret->broken = reader.fault.why != NULL;
    ret->fault = reader.fault;
    must(ret->whole == !ret->broken, "a fault is said");
}

static void read_file(const struct file *file, struct seen *ret)
{
    read_split(file, file->length, file->length, ret);
}

/* The same wherever it is split; and what is cut is said to be. */
static void read_everywhere(const struct file *file, struct seen *ret)
{
    struct seen other;

    read_file(file, ret);
    for (size_t split = 0; split < file->length; split++) {
        read_split(file, file->length, split, &other);
        must(is_same(ret, &other), "it is the same wherever it is split");
    }
}

/* --- Known files --------------------------------------------------------------------------- */

static void assert_text(const struct seen *seen, struct savefile_text text, const char *expected)
{
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(seen->all + (uintptr_t)text.bytes, expected, text.length);
}

static void assert_packet(const struct seen *seen, size_t which, const char *bytes, uint32_t length,
                          uint64_t time)
{
    const struct savefile_packet *packet = &seen->items[which].packet;

    ck_assert_int_eq(seen->kinds[which], SAVEFILE_PACKET);
    assert_text(seen, (struct savefile_text){(const char *)packet->bytes, packet->captured}, bytes);
    ck_assert_uint_eq(packet->length, length);
    ck_assert_uint_eq(packet->time, time);
    ck_assert_int_eq(packet->has_time, time != 0);
}

START_TEST(pcapng_in_either_order)
{
    static const enum savefile_next kinds[] = {
        SAVEFILE_SECTION, SAVEFILE_INTERFACE, SAVEFILE_INTERFACE, SAVEFILE_PACKET,
        SAVEFILE_PACKET,  SAVEFILE_PACKET,    SAVEFILE_PACKET,    SAVEFILE_STATISTICS,
        SAVEFILE_SECTION, SAVEFILE_INTERFACE, SAVEFILE_PACKET,
    };
    const struct savefile_statistics *statistics;
    struct file file;
    struct seen seen;

    make_pcapng(&file, _i);
    read_everywhere(&file, &seen);
    ck_assert_msg(!seen.broken, "%s", seen.fault.why);
    ck_assert_uint_eq(seen.count, sizeof kinds / sizeof *kinds);
    ck_assert_mem_eq(seen.kinds, kinds, sizeof kinds);
    assert_text(&seen, seen.items[0].section.os, "Linux");
    assert_text(&seen, seen.items[0].section.application, "someone");
    assert_text(&seen, seen.items[1].interface.name, "eth0");
    assert_text(&seen, seen.items[1].interface.filter, "udp");
    ck_assert(seen.items[1].interface.has_mac);
    ck_assert_mem_eq(seen.items[1].interface.mac, "\x02\0\0\0\0\x01", 6);
    ck_assert_uint_eq(seen.items[1].interface.speed, 1000000000);
    ck_assert_uint_eq(seen.items[1].interface.fcs, 4);
    ck_assert_uint_eq(seen.items[2].interface.linktype, 276);
    ck_assert_uint_eq(seen.items[2].interface.snaplen, 64);
    ck_assert_uint_eq(seen.items[2].interface.filter.length, 0); /* instructions, no text */
    assert_packet(&seen, 3, "0123456789abc", 113, 1700000000123456789);
    ck_assert_int_eq(seen.items[3].packet.direction, SAVEFILE_INBOUND);
    ck_assert_uint_eq(seen.items[3].packet.dropped, 77);
    ck_assert_uint_eq(seen.items[3].packet.fcs, 8);
    assert_text(&seen, seen.items[3].packet.comment, "a comment");
    assert_packet(&seen, 4, "ABCD", 104, 1700000005123456000);
    ck_assert_uint_eq(seen.items[4].packet.linktype, 276);
    assert_packet(&seen, 5, "simple", 6, 0);
    ck_assert_uint_eq(seen.items[5].packet.fcs, 4);
    assert_packet(&seen, 6, "old", 3, 6000000000);
    ck_assert_uint_eq(seen.items[6].packet.dropped, 9);
    statistics = &seen.items[7].statistics;
    ck_assert_uint_eq(statistics->time, 1700000001000000000);
    ck_assert_uint_eq(statistics->start, 1700000000000000000);
    ck_assert_uint_eq(statistics->end, SAVEFILE_UNKNOWN);
    ck_assert_uint_eq(statistics->received, 1000);
    ck_assert_uint_eq(statistics->delivered, 900);
    ck_assert_uint_eq(statistics->os_dropped, SAVEFILE_UNKNOWN);
    assert_packet(&seen, 10, "simp", 6, 0);
}
END_TEST

START_TEST(pcap_of_either_kind_in_either_order)
{
    bool nanoseconds = _i & 1;
    uint64_t time = 1700000000 * UINT64_C(1000000000) + (nanoseconds ? 123456 : 123456000);
    struct file file;
    struct seen seen;

    make_pcap(&file, _i & 2, nanoseconds);
    read_everywhere(&file, &seen);
    ck_assert_msg(!seen.broken, "%s", seen.fault.why);
    ck_assert_uint_eq(seen.count, 5);
    ck_assert_int_eq(seen.kinds[0], SAVEFILE_INTERFACE);
    ck_assert_uint_eq(seen.items[0].interface.linktype, SAVEFILE_ETHERNET);
    ck_assert_uint_eq(seen.items[0].interface.snaplen, 65535);
    assert_packet(&seen, 1, "", 1, time);
    assert_packet(&seen, 4, "0123456789abcdefghijklmnopqrstuvwxyz012", 40, time);
}
END_TEST

START_TEST(a_check_sequence_of_pcap_is_told)
{
    struct file file;
    struct seen seen;

    make_pcap(&file, true, true);
    memcpy(file.bytes + 20, "\x24\0\0\1", 4); /* two pairs of bytes */
    read_file(&file, &seen);
    ck_assert_uint_eq(seen.items[0].interface.linktype, SAVEFILE_ETHERNET);
    ck_assert_uint_eq(seen.items[1].packet.fcs, 4);
}
END_TEST

/* Wherever a file is cut but behind a block, it is said; what came before is there. */
START_TEST(a_cut_file_is_said_to_be)
{
    size_t whole = 0, frames = 0;
    struct file file;
    struct seen seen;

    if (_i < 2)
        make_pcapng(&file, _i);
    else
        make_pcap(&file, false, true);
    for (size_t n = 0; n <= file.length; n++) {
        read_split(&file, n, n, &seen);
        must(seen.count >= frames, "what came before the cut is there");
        must(seen.whole || strstr(seen.fault.why, n ? "it ends within" : "it is empty"),
             "it is said");
        frames = seen.count;
        whole += seen.whole;
    }
    ck_assert_uint_eq(whole, _i < 2 ? seen.count + 2 : seen.count); /* two blocks are no items */
}
END_TEST

/* --- Times --------------------------------------------------------------------------------- */

static const struct {
    uint8_t resolution;
    int64_t seconds;
    uint64_t value, time; /* time 0: refused */
} times[] = {
    {0, 0, 1700000000, 1700000000000000000},
    {3, 0, 1700000000123, 1700000000123000000},
    {6, 0, 1700000000123456, 1700000000123456000},
    {9, 0, UINT64_MAX, UINT64_MAX},
    {12, 0, 1700000000123456789, 1700000000123456},
    {9, 1700000000, 5, 1700000000000000005},
    {9, -2, 3000000000, 1000000000},
    {9, -4, 3000000000, 0},
    {9, INT64_MIN, 1, 0},
    {9, INT64_MAX, 1, 0},
    {9, 1, UINT64_MAX, 0},
    {0, 0, UINT64_C(18446744073), UINT64_C(18446744073000000000)},
    {0, 0, UINT64_C(18446744074), 0},
    {0x80, 0, 1700000000, 1700000000000000000},
    {0x80, 0, UINT64_C(18446744074), 0},
    {0x81, 0, 3, 1500000000},
    {0x80 | 32, 0, UINT64_C(1700000000) << 32 | 0x80000000, 1700000000500000000},
    {0x80 | 63, 0, UINT64_C(1) << 63 | UINT64_C(1) << 62, 1500000000},
    {0x80 | 64, 0, UINT64_C(1) << 63, 500000000},
    {0x80 | 65, 0, UINT64_C(1) << 63, 250000000},
    {0x80 | 127, 1, UINT64_MAX, 1000000000},
    {127, 1, UINT64_MAX, 1000000000},
};

START_TEST(times_of_any_resolution)
{
    struct file file = {.big = _i & 1};
    struct seen seen;

    put_section(&file);
    put_interface(&file, 1, 0);
    put_number_option(&file, 9, times[_i].resolution, 1);
    put_number_option(&file, 14, (uint64_t)times[_i].seconds, 8);
    end_block(&file);
    put_packet(&file, 0, times[_i].value, "", 0);
    end_block(&file);
    read_file(&file, &seen);
    ck_assert_int_eq(seen.broken, times[_i].time == 0);
    if (seen.broken)
        ck_assert_ptr_nonnull(strstr(seen.fault.why, "between 1970 and 2554"));
    else
        ck_assert_uint_eq(seen.items[2].packet.time, times[_i].time);
}
END_TEST

/* --- What nobody should write -------------------------------------------------------------- */

/* A file of a section, an interface and this, at this offset of it. */
static const struct {
    const char *what, *why;
    unsigned char bytes[64];
    size_t length;
} hostile[] = {
    {"no length", "shorter than its own", {6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 12},
    {"a length below 12", "shorter than its own", {6, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0}, 12},
    {"an odd length", "no multiple of 4", {6, 0, 0, 0, 34, 0, 0, 0}, 40},
    {"a length of 4 GiB", "longer than any", {6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff}, 40},
    {"a length above the bound", "longer than any", {6, 0, 0, 0, 4, 0, 6, 0}, 40},
    {"an unknown block of 4 GiB", "longer than any", {99, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff}, 40},
    {"an unknown block's other length",
     "at the end of a block",
     {99, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0},
     16},
    {"a packet's other length", "at the end of a block", {6, 0, 0, 0, 32, 0, 0, 0, [28] = 36}, 32},
    {"a packet's block of 12 bytes", "too short", {6, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}, 12},
    {"an old one of 12 bytes", "too short", {2, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}, 12},
    {"a simple one of 12 bytes", "too short", {3, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}, 12},
    {"statistics of 12 bytes", "too short", {5, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}, 12},
    {"an interface of 12 bytes", "too short", {1, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0}, 12},
    {"a section of 16 bytes",
     "too short",
     {0x0a, 0x0d, 0x0d, 0x0a, 16, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 16},
     16},
    {"a section's byte order",
     "byte order",
     {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 0, [24] = 28},
     28},
    {"a section's version",
     "version",
     {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 2, 0, 0, 0, [24] = 28},
     28},
    {"another interface", "does not have", {6, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, [28] = 32}, 32},
    {"statistics of another interface",
     "does not have",
     {5, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, [20] = 24},
     24},
    {"a frame longer than its block",
     "longer than its block",
     {6, 0, 0, 0, 32, 0, 0, 0, [20] = 4, 0, 0, 0, 4, 0, 0, 0, 32},
     32},
    {"a frame of 4 GiB",
     "more bytes than frames",
     {6, 0, 0, 0, 32, 0, 0, 0, [20] = 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 32},
     32},
    {"a frame longer than it was",
     "more was captured",
     {6, 0, 0, 0, 36, 0, 0, 0, [20] = 4, 0, 0, 0, 3, 0, 0, 0, [32] = 36},
     36},
    {"a simple frame longer than its block",
     "longer than its block",
     {3, 0, 0, 0, 16, 0, 0, 0, 4, 0, 0, 0, 16, 0, 0, 0},
     16},
    {"an option longer than its block",
     "option is longer",
     {6, 0, 0, 0, 36, 0, 0, 0, [28] = 1, 0, 1, 0, 36},
     36},
    {"half an option",
     "option is longer",
     {1, 0, 0, 0, 24, 0, 0, 0, 1, 0, [16] = 2, 0, 8, 0, 24},
     24},
    {"flags of 2 bytes",
     "another length than its kind",
     {6, 0, 0, 0, 40, 0, 0, 0, [28] = 2, 0, 2, 0, [36] = 40},
     40},
    {"a resolution of 2 bytes",
     "another length than its kind",
     {1, 0, 0, 0, 28, 0, 0, 0, 1, 0, [16] = 9, 0, 2, 0, 6, 6, 0, 0, 28},
     28},
    {"a MAC of 2 bytes",
     "another length than its kind",
     {1, 0, 0, 0, 28, 0, 0, 0, 1, 0, [16] = 6, 0, 2, 0, 6, 6, 0, 0, 28},
     28},
    {"statistics of a time beyond clocks",
     "between 1970 and 2554",
     {1, 0, 0, 0, 28, 0, 0, 0, 1, 0, [16] = 9, 0, 1,    0,    0,    0,    0, 0, 28, 0, 0, 0,
      5, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0,        0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,  0, 24},
     52},
    {"half an option of statistics",
     "option is longer",
     {5, 0, 0, 0, 28, 0, 0, 0, [20] = 2, 0, 8, 0, 28},
     28},
    {"half an option of a section",
     "option is longer",
     {0x0a, 0x0d, 0x0d, 0x0a, 32, 0,        0, 0, 0x4d, 0x3c, 0x2b,
      0x1a, 1,    0,    0,    0,  [24] = 2, 0, 8, 0,    32},
     32},
    {"a start of 4 bytes",
     "another length than its kind",
     {5, 0, 0, 0, 32, 0, 0, 0, [20] = 2, 0, 4, 0, [28] = 32},
     32},
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

START_TEST(what_nobody_should_write_is_refused)
{
    struct file file = {.big = false};
    struct seen seen;
    size_t offset;

    put_section(&file);
    put_interface(&file, 1, 0);
    end_block(&file);
    offset = file.length;
    put(&file, hostile[_i].bytes, hostile[_i].length);
    put_other(&file);
    read_everywhere(&file, &seen);
    ck_assert_msg(seen.broken, "%s is read", hostile[_i].what);
    ck_assert_msg(strstr(seen.fault.why, hostile[_i].why), "%s: %s", hostile[_i].what,
                  seen.fault.why);
    ck_assert_uint_ge(seen.count, 2);
    ck_assert_uint_ge(seen.fault.offset, offset);
    ck_assert_uint_lt(seen.fault.offset, offset + hostile[_i].length);
}
END_TEST

START_TEST(a_packet_without_an_interface_is_refused)
{
    struct file file = {.big = false};
    struct seen seen;

    put_section(&file);
    begin_block(&file, 3);
    put_u32(&file, 0);
    end_block(&file);
    read_file(&file, &seen);
    ck_assert_ptr_nonnull(strstr(seen.fault.why, "does not have"));
}
END_TEST

static const struct {
    size_t at;
    unsigned char byte;
    const char *why;
} bad_pcaps[] = {
    {4, 3, "version"},
    {6, 9, "version"},
    {24 + 8 + 3, 0x80, "more bytes than frames"},
    {24 + 8, 2, "more was captured"},
    {24 + 7, 0x80, "a second or more"},
    {0, 0, "no capture file"},
};

START_TEST(a_pcap_that_nobody_should_write_is_refused)
{
    struct file file;
    struct seen seen;

    make_pcap(&file, false, true);
    file.bytes[bad_pcaps[_i].at] = bad_pcaps[_i].byte;
    read_everywhere(&file, &seen);
    ck_assert_msg(seen.broken && strstr(seen.fault.why, bad_pcaps[_i].why), "%s", seen.fault.why);
    ck_assert_uint_eq(seen.fault.offset, bad_pcaps[_i].at < 24 ? 0 : 24);
}
END_TEST

START_TEST(interfaces_have_a_bound)
{
    static unsigned char bytes[32 + 20 * (SAVEFILE_INTERFACES_MAX + 1)];
    static const unsigned char described[20] = {1, 0, 0, 0, 20, 0, 0, 0, 1, 0, [16] = 20};
    struct savefile_reader reader = {0};
    struct savefile_item item;
    size_t at, used, length;

    length = pcapng_put_section(bytes, sizeof bytes, &(struct savefile_section){.os = {0}});
    for (int i = 0; i <= SAVEFILE_INTERFACES_MAX; i++, length += 20)
        memcpy(bytes + length, described, 20);
    ck_assert_int_eq(savefile_reader_next(&reader, bytes, length, &at, &item), SAVEFILE_SECTION);
    for (int i = 0; i < SAVEFILE_INTERFACES_MAX; i++, at += used)
        ck_assert_int_eq(savefile_reader_next(&reader, bytes + at, length - at, &used, &item),
                         SAVEFILE_INTERFACE);
    ck_assert_int_eq(savefile_reader_next(&reader, bytes + at, length - at, &used, &item),
                     SAVEFILE_BROKEN);
    ck_assert_ptr_nonnull(strstr(reader.fault.why, "more interfaces"));
    ck_assert_int_eq(savefile_reader_next(&reader, bytes, length, &at, &item), SAVEFILE_BROKEN);
}
END_TEST

/* Passed over without being there as a whole. */
START_TEST(a_large_block_of_another_kind_is_passed_over)
{
    enum { LENGTH = SAVEFILE_OTHER_BLOCK_MAX, PIECE = 64 * 1024 };
    unsigned char begin[8] = {99, 0, 0, 0, 0, 0, 0, 1}, end[4] = {0, 0, 0, 1};
    static unsigned char zeros[PIECE];
    struct savefile_reader reader = {0};
    struct savefile_item item;
    unsigned char head[40];
    size_t used, n, left = LENGTH - 12;

    n = pcapng_put_section(head, sizeof head, &(struct savefile_section){.os = {0}});
    memcpy(head + n, begin, 8);
    memset(head + n + 8, 0, 4);
    ck_assert_int_eq(savefile_reader_next(&reader, head, n, &used, &item), SAVEFILE_SECTION);
    ck_assert_int_eq(savefile_reader_next(&reader, head + n, 12, &used, &item), SAVEFILE_MORE);
    ck_assert_uint_eq(used, 12);
    for (left -= 4; left > 0; left -= used) {
        ck_assert_int_eq(
            savefile_reader_next(&reader, zeros, left < PIECE ? left : PIECE, &used, &item),
            SAVEFILE_MORE);
        ck_assert_uint_gt(used, 0);
    }
    ck_assert(!savefile_reader_end(&reader, 0));
    reader.fault.why = NULL;
    ck_assert_int_eq(savefile_reader_next(&reader, end, 4, &used, &item), SAVEFILE_MORE);
    ck_assert_uint_eq(used, 4);
    ck_assert(savefile_reader_end(&reader, 0));
}
END_TEST

/* --- There and back ------------------------------------------------------------------------ */

enum { ROUNDS = 300, ROOM = 1 << 20, LONGEST = 2000 };

static struct savefile_packet random_packet(enum savefile_format format, uint32_t *random,
                                            unsigned char *bytes)
{
    struct savefile_packet packet = {
        .has_time = true,
        .time = (uint64_t)next_random(random) * 1000000000 + next_random(random) % 1000000000,
        .captured = next_random(random) % LONGEST,
        .bytes = bytes,
        .linktype = SAVEFILE_ETHERNET,
    };

    packet.length = packet.captured + next_random(random) % 2;
    fill_frame(bytes, packet.captured, random);
    if (format == SAVEFILE_PCAP_US)
        packet.time -= packet.time % 1000;
    if (format != SAVEFILE_PCAPNG)
        return packet;
    packet.interface = next_random(random) % 2;
    packet.direction = (enum savefile_direction)(next_random(random) % 3);
    packet.dropped = next_random(random) % 2 ? next_random(random) : 0;
    packet.comment = (struct savefile_text){"a comment", next_random(random) % 10};
    return packet;
}

static size_t put_head(enum savefile_format format, unsigned char *room)
{
    struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    size_t n;

    if (format != SAVEFILE_PCAPNG)
        return pcap_put_header(room, ROOM, format, &interface);
    n = pcapng_put_section(room, ROOM, &(struct savefile_section){.os = {0}});
    n += pcapng_put_interface(room + n, ROOM - n, &interface);
    return n + pcapng_put_interface(room + n, ROOM - n, &interface);
}

static void must_be_same(const struct savefile_packet *one, const struct savefile_packet *two)
{
    must(one->interface == two->interface && one->time == two->time &&
             one->has_time == two->has_time && one->direction == two->direction &&
             one->dropped == two->dropped && one->linktype == two->linktype,
         "its numbers come back");
    must(one->length == two->length && one->captured == two->captured &&
             memcmp(one->bytes, two->bytes, one->captured) == 0,
         "its bytes come back");
    must(one->comment.length == two->comment.length &&
             (one->comment.length == 0 ||
              memcmp(one->comment.bytes, two->comment.bytes, one->comment.length) == 0),
         "its comment comes back");
}

START_TEST(random_frames_come_back)
{
    enum savefile_format format = (enum savefile_format)_i;
    unsigned char *room = malloc(ROOM), bytes[LONGEST];
    struct savefile_reader reader = {0};
    struct savefile_item item;
    uint32_t random = 99, again;
    size_t n = put_head(format, room), at = 0, used;

    again = random;
    for (int i = 0; i < ROUNDS; i++) {
        struct savefile_packet packet = random_packet(format, &random, bytes);
        size_t put_bytes = savefile_put_packet(room + n, ROOM - n, format, &packet);

        must(put_bytes > 0, "it has room");
        n += put_bytes;
    }
    for (int i = 0; i < ROUNDS;) {
        enum savefile_next kind = savefile_reader_next(&reader, room + at, n - at, &used, &item);

        must(kind != SAVEFILE_BROKEN && kind != SAVEFILE_MORE, "it is read");
        at += used;
        if (kind == SAVEFILE_PACKET) {
            struct savefile_packet packet = random_packet(format, &again, bytes);

            must_be_same(&item.packet, &packet);
            i++;
        }
    }
    ck_assert_uint_eq(at, n);
    ck_assert(savefile_reader_end(&reader, 0));
    free(room);
}
END_TEST

static void must_be(struct savefile_text text, const char *expected)
{
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.bytes, expected, text.length);
}

/* The next item of bytes that begin there. */
static struct savefile_item next_item(struct savefile_reader *reader, const unsigned char **bytes,
                                      size_t n, enum savefile_next expected)
{
    struct savefile_item item;
    size_t used;

    ck_assert_int_eq(savefile_reader_next(reader, *bytes, n, &used, &item), expected);
    *bytes += used;
    return item;
}

START_TEST(all_that_is_said_comes_back)
{
    const struct savefile_section section = {.hardware = savefile_text("h"),
                                             .os = savefile_text("system"),
                                             .application = savefile_text("program"),
                                             .comment = savefile_text("a comment")};
    const struct savefile_interface interface = {.linktype = 1,
                                                 .name = savefile_text("eth0"),
                                                 .description = savefile_text("described"),
                                                 .filter = savefile_text("arp"),
                                                 .hardware = savefile_text("card"),
                                                 .os = savefile_text("its system"),
                                                 .comment = savefile_text("another")};
    const struct savefile_statistics statistics = {.time = 1,
                                                   .start = 2,
                                                   .end = UINT64_C(1) << 40,
                                                   .received = 3,
                                                   .dropped = 4,
                                                   .accepted = 5,
                                                   .os_dropped = 6,
                                                   .delivered = 7,
                                                   .comment = savefile_text("third")};
    unsigned char room[1024];
    const unsigned char *at = room;
    struct savefile_reader reader = {0};
    struct savefile_item item;
    size_t n = pcapng_put_section(room, sizeof room, &section);

    n += pcapng_put_interface(room + n, sizeof room - n, &interface);
    n += pcapng_put_statistics(room + n, sizeof room - n, &statistics);
    item = next_item(&reader, &at, n, SAVEFILE_SECTION);
    must_be(item.section.hardware, "h");
    must_be(item.section.os, "system");
    must_be(item.section.application, "program");
    must_be(item.section.comment, "a comment");
    item = next_item(&reader, &at, (size_t)(room + n - at), SAVEFILE_INTERFACE);
    must_be(item.interface.name, "eth0");
    must_be(item.interface.description, "described");
    must_be(item.interface.filter, "arp");
    must_be(item.interface.hardware, "card");
    must_be(item.interface.os, "its system");
    must_be(item.interface.comment, "another");
    item = next_item(&reader, &at, (size_t)(room + n - at), SAVEFILE_STATISTICS);
    must_be(item.statistics.comment, "third");
    ck_assert_uint_eq(item.statistics.start, 2);
    ck_assert_uint_eq(item.statistics.end, UINT64_C(1) << 40);
    ck_assert_uint_eq(item.statistics.received, 3);
    ck_assert_uint_eq(item.statistics.dropped, 4);
    ck_assert_uint_eq(item.statistics.accepted, 5);
    ck_assert_uint_eq(item.statistics.os_dropped, 6);
    ck_assert_uint_eq(item.statistics.delivered, 7);
    ck_assert_ptr_eq(at, room + n);
}
END_TEST

/* A check sequence in bits, as the draft has it, or in bytes, as its example has it. */
START_TEST(a_check_sequence_in_bits_or_bytes)
{
    struct file file = {.big = false};
    struct seen seen;

    put_section(&file);
    put_interface(&file, 1, 0);
    put_number_option(&file, 13, _i ? 32 : 4, 1);
    end_block(&file);
    read_file(&file, &seen);
    ck_assert_uint_eq(seen.items[1].interface.fcs, 4);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, pcapng_in_either_order, 0, 2);
    tcase_add_loop_test(tests, pcap_of_either_kind_in_either_order, 0, 4);
    tcase_add_test(tests, a_check_sequence_of_pcap_is_told);
    tcase_add_loop_test(tests, a_cut_file_is_said_to_be, 0, 3);
    tcase_add_loop_test(tests, times_of_any_resolution, 0, sizeof times / sizeof *times);
    tcase_add_loop_test(tests, what_nobody_should_write_is_refused, 0, HOSTILE);
    tcase_add_test(tests, a_packet_without_an_interface_is_refused);
    tcase_add_loop_test(tests, a_pcap_that_nobody_should_write_is_refused, 0,
                        sizeof bad_pcaps / sizeof *bad_pcaps);
    tcase_add_test(tests, interfaces_have_a_bound);
    tcase_add_test(tests, a_large_block_of_another_kind_is_passed_over);
    tcase_add_loop_test(tests, random_frames_come_back, 0, 3);
    tcase_add_test(tests, all_that_is_said_comes_back);
    tcase_add_loop_test(tests, a_check_sequence_in_bits_or_bytes, 0, 2);
}

int main(void)
{
    return suite_run("capture_reader", add_tests);
}
