/* Headers of frames: with and without tags, cut at each length, and a tag that is put in. */
#include "frame/frame.h"
#include "frames.h"
#include "suite.h"

#include <string.h>

static const struct {
    const char *what;
    uint8_t bytes[24];
    size_t header;
    unsigned tags;
    struct frame_tag tag[2];
    uint16_t ethertype;
} headers[] = {
    {"none", {[12] = 0x88, [13] = 0xba}, 14, 0, {{0}}, 0x88ba},
    {"a length of IEEE 802.3", {[12] = 0x00, [13] = 0x26}, 14, 0, {{0}}, 0x0026},
    {"a VLAN", {[12] = 0x81, 0x00, 0x80, 0x64, 0x88, 0xba}, 18, 1, {{0x8100, 0x8064}}, 0x88ba},
    {"a priority", {[12] = 0x81, 0x00, 0xe0, 0x00, 0x08, 0x00}, 18, 1, {{0x8100, 0xe000}}, 0x0800},
    {"two tags",
     {[12] = 0x88, 0xa8, 0x10, 0x07, 0x81, 0x00, 0x00, 0x08, 0x86, 0xdd},
     22,
     2,
     {{0x88a8, 0x1007}, {0x8100, 0x0008}},
     0x86dd},
    {"three tags",
     {[12] = 0x81, 0x00, 0x00, 0x01, 0x81, 0x00, 0x00, 0x02, 0x81, 0x00},
     22,
     2,
     {{0x8100, 0x0001}, {0x8100, 0x0002}},
     0x8100},
};
enum { HEADERS = sizeof headers / sizeof *headers };

START_TEST(a_header_is_taken_apart)
{
    struct frame_view view;

    for (size_t n = 0; n < headers[_i].header; n++)
        ck_assert_msg(!frame_parse(headers[_i].bytes, n, &view), "%zu bytes", n);
    ck_assert(frame_parse(headers[_i].bytes, headers[_i].header, &view));
    ck_assert_ptr_eq(view.destination, headers[_i].bytes);
    ck_assert_ptr_eq(view.source, headers[_i].bytes + 6);
    ck_assert_uint_eq(view.tags, headers[_i].tags);
    ck_assert_uint_eq(view.ethertype, headers[_i].ethertype);
    ck_assert_uint_eq(view.payload, headers[_i].header);
    for (unsigned i = 0; i < view.tags; i++) {
        ck_assert_uint_eq(view.tag[i].tpid, headers[_i].tag[i].tpid);
        ck_assert_uint_eq(view.tag[i].tci, headers[_i].tag[i].tci);
    }
}
END_TEST

START_TEST(a_tag_has_three_parts)
{
    struct frame_tag tag = {.tpid = FRAME_8021Q, .tci = 0xb123};

    ck_assert_uint_eq(frame_priority(tag), 5);
    ck_assert(frame_is_drop_eligible(tag));
    ck_assert_uint_eq(frame_vlan_id(tag), 0x123);
    for (unsigned tci = 0; tci <= UINT16_MAX; tci++) {
        tag.tci = (uint16_t)tci;
        if (frame_tci(frame_priority(tag), frame_is_drop_eligible(tag), frame_vlan_id(tag)) != tci)
            ck_abort_msg("%04x", tci);
    }
}
END_TEST

/* Of a frame whose tag was taken off, the tag and the frame are the frame again. */
START_TEST(a_tag_is_put_in)
{
    enum { LENGTH = 60 };
    uint8_t frame[LENGTH], room[LENGTH + 8], *begin;
    struct frame_tag inner = {FRAME_8021Q, 0x8064}, outer = {FRAME_8021AD, 0x2007};
    struct frame_view view;
    uint32_t random = 7;

    fill_frame(frame, LENGTH, &random);
    memset(room, 0xee, sizeof room);
    memcpy(room + 8, frame, LENGTH);
    begin = frame_insert_tag(room + 8, inner);
    ck_assert_ptr_eq(begin, room + 4);
    begin = frame_insert_tag(begin, outer);
    ck_assert_ptr_eq(begin, room);
    ck_assert_mem_eq(begin, frame, 12);
    ck_assert_mem_eq(begin + 12, "\x88\xa8\x20\x07\x81\x00\x80\x64", 8);
    ck_assert_mem_eq(begin + 20, frame + 12, LENGTH - 12);
    ck_assert(frame_parse(begin, LENGTH + 8, &view));
    ck_assert_uint_eq(view.tags, 2);
    ck_assert_uint_eq(frame_vlan_id(view.tag[0]), 7);
    ck_assert_uint_eq(frame_vlan_id(view.tag[1]), 100);
}
END_TEST

START_TEST(a_group_is_known_by_its_first_byte)
{
    ck_assert(frame_is_group((const uint8_t *)"\xff\xff\xff\xff\xff\xff"));
    ck_assert(frame_is_group((const uint8_t *)"\x01\x0c\xcd\x04\x00\x01"));
    ck_assert(!frame_is_group((const uint8_t *)"\x02\x01\x01\x01\x01\x01"));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_header_is_taken_apart, 0, HEADERS);
    tcase_add_test(tests, a_tag_has_three_parts);
    tcase_add_test(tests, a_tag_is_put_in);
    tcase_add_test(tests, a_group_is_known_by_its_first_byte);
}

int main(void)
{
    return suite_run("frame", add_tests);
}
