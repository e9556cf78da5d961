/* Written files: their bytes as the drafts have them, what does not fit, and what comes back. */
#include "capture/capture.h"
#include "frames.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#define TIME UINT64_C(0x0102030405060708)

static unsigned char place[1024];
static const unsigned char frame[5] = {1, 2, 3, 4, 5};

/* --- Known bytes --------------------------------------------------------------------------- */

static const unsigned char section_bytes[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 0x48, 0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, /* 1.0 */
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,                                     /* length */
    1,    0,    5,    0,    'a',  ' ',  't',  'e',  'x',  0,    0,    0, /* comment */
    2,    0,    3,    0,    'x',  '8',  '6',  0,                         /* hardware */
    3,    0,    5,    0,    'L',  'i',  'n',  'u',  'x',  0,    0,    0, /* os */
    4,    0,    4,    0,    'u',  's',  'e',  'r',                       /* application */
    0,    0,    0,    0,    0x48, 0,    0,    0,
};

static const unsigned char bare_section_bytes[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 0x1c, 0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0,
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1c, 0,    0, 0,
};

static const unsigned char interface_bytes[] = {
    1,  0, 0, 0, 0x70, 0,    0,    0,    1, 0, 0, 0, 0x00, 0x01, 0, 0, /* Ethernet, 256 bytes */
    1,  0, 1, 0, 'c',  0,    0,    0,                                  /* comment */
    2,  0, 4, 0, 'e',  't',  'h',  '0',                                /* name */
    3,  0, 2, 0, 'u',  'p',  0,    0,                                  /* description */
    6,  0, 6, 0, 2,    0,    0,    0,    0, 1, 0, 0,                   /* MAC */
    8,  0, 8, 0, 0x00, 0xca, 0x9a, 0x3b, 0, 0, 0, 0,                   /* 10^9 bits a second */
    9,  0, 1, 0, 9,    0,    0,    0,                                  /* ns */
    11, 0, 4, 0, 0,    'a',  'r',  'p',                                /* filter */
    12, 0, 1, 0, 'o',  0,    0,    0,                                  /* os */
    13, 0, 1, 0, 4,    0,    0,    0,                                  /* check sequence */
    15, 0, 1, 0, 'h',  0,    0,    0,                                  /* hardware */
    0,  0, 0, 0, 0x70, 0,    0,    0,
};

static const unsigned char packet_bytes[] = {
    6, 0, 0, 0, 0x48, 0,   0, 0, 3, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, /* the high half first */
    5, 0, 0, 0, 60,   0,   0, 0, 1, 2, 3, 4, 5, 0, 0, 0,             /* 5 of 60 bytes */
    1, 0, 2, 0, 'h',  'i', 0, 0,                                     /* comment */
    2, 0, 4, 0, 2,    0,   0, 0,                                     /* flags: outbound */
    4, 0, 8, 0, 7,    0,   0, 0, 0, 0, 0, 0,                         /* 7 were lost */
    0, 0, 0, 0, 0x48, 0,   0, 0,
};

static const unsigned char bare_packet_bytes[] = {
    6, 0, 0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8,    7, 6, 5,
    5, 0, 0, 0, 5,    0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0x28, 0, 0, 0,
};

static const unsigned char statistics_bytes[] = {
    5, 0, 0, 0, 0x78, 0, 0, 0, 1, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, /* interface 1 */
    1, 0, 1, 0, 'c',  0, 0, 0,                                     /* comment */
    2, 0, 8, 0, 0,    0, 0, 0, 1, 0, 0, 0,                         /* start */
    3, 0, 8, 0, 1,    0, 0, 0, 2, 0, 0, 0,                         /* end */
    4, 0, 8, 0, 10,   0, 0, 0, 0, 0, 0, 0,                         /* received */
    5, 0, 8, 0, 1,    0, 0, 0, 0, 0, 0, 0,                         /* dropped */
    6, 0, 8, 0, 9,    0, 0, 0, 0, 0, 0, 0,                         /* accepted */
    7, 0, 8, 0, 2,    0, 0, 0, 0, 0, 0, 0,                         /* dropped by the system */
    8, 0, 8, 0, 7,    0, 0, 0, 0, 0, 0, 0,                         /* delivered */
    0, 0, 0, 0, 0x78, 0, 0, 0,
};

static const unsigned char pcap_bytes[] = {
    0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0,
};

static const unsigned char pcap_us_bytes[] = {
    0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
};

/* 2 seconds and 3,000,001 ns. */
static const unsigned char record_bytes[] = {2, 0,  0, 0, 0xc1, 0xc6, 0x2d, 0, 5, 0, 0,
                                             0, 60, 0, 0, 0,    1,    2,    3, 4, 5};
static const unsigned char record_us_bytes[] = {2, 0,  0, 0, 0xb8, 0x0b, 0, 0, 5, 0, 0,
                                                0, 60, 0, 0, 0,    1,    2, 3, 4, 5};

static const struct savefile_interface interface = {
    .linktype = SAVEFILE_ETHERNET,
    .snaplen = 256,
    .fcs = 4,
    .has_mac = true,
    .mac = {2, 0, 0, 0, 0, 1},
    .speed = 1000000000,
    .name = {"eth0", 4},
    .description = {"up", 2},
    .filter = {"arp", 3},
    .hardware = {"h", 1},
    .os = {"o", 1},
    .comment = {"c", 1},
};

static size_t section(size_t size)
{
    return pcapng_put_section(place, size,
                              &(struct savefile_section){
                                  .hardware = savefile_text("x86"),
                                  .os = savefile_text("Linux"),
                                  .application = savefile_text("user"),
                                  .comment = savefile_text("a tex"),
                              });
}

static size_t bare_section(size_t size)
{
    return pcapng_put_section(place, size, &(struct savefile_section){.os = savefile_text(NULL)});
}

static size_t described(size_t size)
{
    return pcapng_put_interface(place, size, &interface);
}

static size_t packet(size_t size)
{
    return savefile_put_packet(place, size, SAVEFILE_PCAPNG,
                               &(struct savefile_packet){
                                   .interface = 3,
                                   .time = TIME,
                                   .captured = 5,
                                   .length = 60,
                                   .bytes = frame,
                                   .direction = SAVEFILE_OUTBOUND,
                                   .dropped = 7,
                                   .comment = savefile_text("hi"),
                               });
}

static size_t bare_packet(size_t size)
{
    return pcapng_put_packet(
        place, size,
        &(struct savefile_packet){.time = TIME, .captured = 5, .length = 5, .bytes = frame});
}

static size_t statistics(size_t size)
{
    return pcapng_put_statistics(place, size,
                                 &(struct savefile_statistics){.interface = 1,
                                                               .time = TIME,
                                                               .start = 1,
                                                               .end = UINT64_C(0x100000002),
                                                               .received = 10,
                                                               .dropped = 1,
                                                               .accepted = 9,
                                                               .os_dropped = 2,
                                                               .delivered = 7,
                                                               .comment = savefile_text("c")});
}

static size_t pcap(size_t size)
{
    return pcap_put_header(place, size, SAVEFILE_PCAP, &interface);
}

static size_t pcap_us(size_t size)
{
    return pcap_put_header(place, size, SAVEFILE_PCAP_US,
                           &(struct savefile_interface){.linktype = SAVEFILE_ETHERNET});
}

static const struct savefile_packet recorded = {
    .time = UINT64_C(2003000001), .captured = 5, .length = 60, .bytes = frame};

static size_t record(size_t size)
{
    return savefile_put_packet(place, size, SAVEFILE_PCAP, &recorded);
}

static size_t record_us(size_t size)
{
    return savefile_put_packet(place, size, SAVEFILE_PCAP_US, &recorded);
}

#define PART(name)                                                                                 \
    {                                                                                              \
#name, name, name##_bytes, sizeof name##_bytes                                             \
    }
static const struct {
    const char *what;
    size_t (*put)(size_t size);
    const unsigned char *bytes;
    size_t length;
} golden[] = {
    PART(section),
    PART(bare_section),
    {"described", described, interface_bytes, sizeof interface_bytes},
    PART(packet),
    PART(bare_packet),
    PART(statistics),
    PART(pcap),
    PART(pcap_us),
    PART(record),
    PART(record_us),
};
enum { GOLDEN = sizeof golden / sizeof *golden };

START_TEST(bytes_are_as_the_drafts_have_them)
{
    memset(place, 0xee, sizeof place);
    ck_assert_uint_eq(golden[_i].put(sizeof place), golden[_i].length);
    ck_assert_mem_eq(place, golden[_i].bytes, golden[_i].length);
    ck_assert_uint_eq(place[golden[_i].length], 0xee);
}
END_TEST

START_TEST(what_has_no_room_is_not_put)
{
    for (size_t size = 0; size < golden[_i].length; size++) {
        memset(place, 0xee, sizeof place);
        ck_assert_msg(golden[_i].put(size) == 0, "%s in %zu bytes", golden[_i].what, size);
        for (size_t i = size; i < golden[_i].length; i++)
            ck_assert_msg(place[i] == 0xee, "%s in %zu bytes: beyond them", golden[_i].what, size);
    }
    ck_assert_uint_eq(golden[_i].put(golden[_i].length), golden[_i].length);
}
END_TEST

/* --- What cannot be put -------------------------------------------------------------------- */

START_TEST(what_no_file_can_have_is_not_put)
{
    enum { ROOM = 2 * SAVEFILE_FRAME_MAX };
    unsigned char *room = malloc(ROOM), *bytes = calloc(1, ROOM);
    struct savefile_packet most = {
        .captured = SAVEFILE_FRAME_MAX, .length = UINT32_MAX, .bytes = bytes};
    struct savefile_interface with_filter = {
        .filter = {(const char *)bytes, SAVEFILE_TEXT_MAX - 1}};

    for (enum savefile_format format = SAVEFILE_PCAPNG; format <= SAVEFILE_PCAP_US; format++) {
        struct savefile_packet other = most;

        ck_assert_uint_gt(savefile_put_packet(room, ROOM, format, &most), SAVEFILE_FRAME_MAX);
        other.captured++;
        ck_assert_uint_eq(savefile_put_packet(room, ROOM, format, &other), 0);
        other.captured = 6;
        other.length = 5;
        ck_assert_uint_eq(savefile_put_packet(room, ROOM, format, &other), 0);
    }
    most.time = (UINT64_C(1) << 32) * 1000000000 - 1;
    ck_assert_uint_gt(savefile_put_packet(room, ROOM, SAVEFILE_PCAP, &most), 0);
    most.time++;
    ck_assert_uint_eq(savefile_put_packet(room, ROOM, SAVEFILE_PCAP, &most), 0);
    ck_assert_uint_gt(savefile_put_packet(room, ROOM, SAVEFILE_PCAPNG, &most), 0);
    most.comment = (struct savefile_text){(const char *)bytes, SAVEFILE_TEXT_MAX};
    ck_assert_uint_gt(pcapng_put_packet(room, ROOM, &most), 0);
    most.comment.length++;
    ck_assert_uint_eq(pcapng_put_packet(room, ROOM, &most), 0);
    ck_assert_uint_gt(pcapng_put_interface(room, ROOM, &with_filter), SAVEFILE_TEXT_MAX);
    with_filter.filter.length++;
    ck_assert_uint_eq(pcapng_put_interface(room, ROOM, &with_filter), 0);
    free(room);
    free(bytes);
}
END_TEST

/* --- How much it is ------------------------------------------------------------------------ */

START_TEST(a_packet_takes_no_more_than_was_said)
{
    uint32_t random = 11;

    for (int i = 0; i < 2000; i++) {
        enum savefile_format format = (enum savefile_format)(next_random(&random) % 3);
        uint32_t captured = next_random(&random) % 400;
        struct savefile_packet one = {
            .captured = captured,
            .length = captured,
            .direction = (enum savefile_direction)(next_random(&random) % 3),
            .dropped = next_random(&random) % 2,
            .comment = {"twelve bytes", next_random(&random) % 13},
        };
        unsigned char bytes[400] = {0};

        one.bytes = bytes;
        ck_assert_uint_le(savefile_put_packet(place, sizeof place, format, &one),
                          savefile_packet_size(format, &one));
        ck_assert_uint_gt(
            savefile_put_packet(place, savefile_packet_size(format, &one), format, &one), 0);
    }
}
END_TEST

START_TEST(whole_blocks_are_counted)
{
    for (enum savefile_format format = SAVEFILE_PCAPNG; format <= SAVEFILE_PCAP_US; format++) {
        size_t one = savefile_put_packet(place, sizeof place, format, &recorded);
        size_t two = one + savefile_put_packet(place + one, sizeof place - one, format, &recorded);

        for (size_t n = 0; n <= two; n++)
            ck_assert_uint_eq(savefile_whole(format, place, n), n < one ? 0 : n < two ? one : two);
    }
    memset(place, 0, sizeof place); /* a length of nothing is no block */
    ck_assert_uint_eq(savefile_whole(SAVEFILE_PCAPNG, place, sizeof place), 0);
}
END_TEST

START_TEST(link_types_have_names)
{
    ck_assert_str_eq(savefile_linktype_name(SAVEFILE_ETHERNET), "EN10MB (Ethernet)");
    ck_assert_ptr_nonnull(strstr(savefile_linktype_name(113), "LINUX_SLL"));
    ck_assert_ptr_null(savefile_linktype_name(65535));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, bytes_are_as_the_drafts_have_them, 0, GOLDEN);
    tcase_add_loop_test(tests, what_has_no_room_is_not_put, 0, GOLDEN);
    tcase_add_test(tests, what_no_file_can_have_is_not_put);
    tcase_add_test(tests, a_packet_takes_no_more_than_was_said);
    tcase_add_test(tests, whole_blocks_are_counted);
    tcase_add_test(tests, link_types_have_names);
}

int main(void)
{
    return suite_run("capture_writer", add_tests);
}
