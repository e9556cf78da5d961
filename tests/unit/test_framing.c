/* The table of framings, what becomes of frames, and the length by a frame's own headers. */
#include "frames.h"
#include "framing/framing.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

/* --- The table ----------------------------------------------------------------------------- */

START_TEST(each_framing_is_found_by_its_name)
{
    for (unsigned i = 0; i < FRAMING_COUNT; i++) {
        const struct framing_row *row = framing_row((enum framing)i);
        enum framing found;

        ck_assert(framing_parse(row->name, &found));
        ck_assert_int_eq(found, i);
        ck_assert(row->peers[0] && row->cannot[0]);
        ck_assert_int_eq(row->stream, row->measure != NULL);
    }
}
END_TEST

START_TEST(other_names_are_refused)
{
    static const char *const names[] = {"", "u16", "U16LE", "u16le ", "u32", "messages"};
    enum framing found = FRAMING_COUNT;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert(!framing_parse(names[i], &found));
    ck_assert_int_eq(found, FRAMING_COUNT);
}
END_TEST

static const struct {
    enum framing framing;
    size_t size;
    uint32_t length;
    unsigned char bytes[FRAMING_HEADER_MAX];
} headers[] = {
    {FRAMING_U16LE, 2, 42, {0x2a, 0x00}},
    {FRAMING_U16LE, 2, 1514, {0xea, 0x05}},
    {FRAMING_U16LE, 2, 65535, {0xff, 0xff}},
    {FRAMING_U16BE, 2, 42, {0x00, 0x2a}},
    {FRAMING_U16BE, 2, 1514, {0x05, 0xea}},
    {FRAMING_U32BE, 4, 42, {0x00, 0x00, 0x00, 0x2a}},
    {FRAMING_U32BE, 4, 69632, {0x00, 0x01, 0x10, 0x00}},
    {FRAMING_U32BE, 4, 131072, {0x00, 0x02, 0x00, 0x00}},
    {FRAMING_MESSAGE, 0, 1514, {0}},
    {FRAMING_UNFRAMED, 0, 1514, {0}},
};

START_TEST(headers_have_these_bytes)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        unsigned char bytes[FRAMING_HEADER_MAX] = {0};
        const struct framing_row *row = framing_row(headers[i].framing);

        ck_assert_uint_eq(framing_header(headers[i].framing, headers[i].length, bytes),
                          headers[i].size);
        ck_assert_uint_eq(row->header, headers[i].size);
        ck_assert_mem_eq(bytes, headers[i].bytes, FRAMING_HEADER_MAX);
        ck_assert_uint_le(headers[i].length, row->frame_max);
    }
}
END_TEST

START_TEST(headers_say_the_length_that_was_written)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const struct framing_row *row = framing_row(headers[i].framing);
        struct framing_measure measure;

        if (row->header == 0)
            continue;
        for (size_t n = 0; n < row->header; n++)
            ck_assert_int_eq(row->measure(headers[i].bytes, n, &measure), FRAMING_SHORT);
        ck_assert_int_eq(row->measure(headers[i].bytes, row->header, &measure), FRAMING_LENGTH);
        ck_assert_uint_eq(measure.length, headers[i].length);
    }
}
END_TEST

START_TEST(a_limit_is_what_mtu_and_framing_allow)
{
    ck_assert_uint_eq(framing_limit(FRAMING_U16LE, 1500), 1518);
    ck_assert_uint_eq(framing_limit(FRAMING_U16LE, 65517), 65535);
    ck_assert_uint_eq(framing_limit(FRAMING_U16BE, 65518), 65535);
    ck_assert_uint_eq(framing_limit(FRAMING_U32BE, 65535), 65553);
    ck_assert_uint_eq(framing_limit(FRAMING_MESSAGE, UINT32_MAX), 65565);
    ck_assert_uint_eq(framing_cap(FRAMING_U32BE, 200000), 131072);
}
END_TEST

/* --- What became of frames ----------------------------------------------------------------- */

START_TEST(frames_are_judged_at_their_bounds)
{
    static const struct {
        size_t length;
        enum framing_fate fate;
    } cases[] = {
        {0, FRAMING_ZERO},         {1, FRAMING_UNDERSIZE},       {13, FRAMING_UNDERSIZE},
        {14, FRAMING_FITS},        {1518, FRAMING_FITS},         {1519, FRAMING_OVERSIZE},
        {65535, FRAMING_OVERSIZE}, {SIZE_MAX, FRAMING_OVERSIZE},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(framing_judge(cases[i].length, 1518), cases[i].fate);
}
END_TEST

START_TEST(each_fate_has_its_counter)
{
    struct framing_counts counts = {0};

    for (unsigned fate = 0; fate < FRAMING_FATES; fate++)
        for (unsigned times = 0; times <= fate; times++)
            framing_count(&counts, (enum framing_fate)fate, 100);
    ck_assert_uint_eq(counts.frames, 1);
    ck_assert_uint_eq(counts.bytes, 100);
    ck_assert_uint_eq(counts.zero, 2);
    ck_assert_uint_eq(counts.undersize, 3);
    ck_assert_uint_eq(counts.oversize, 4);
    ck_assert_uint_eq(counts.uncarried, 5);
    ck_assert_uint_eq(counts.invalid, 6);
    ck_assert_uint_eq(counts.dropped, 7);
    framing_recount(&counts, FRAMING_OVERSIZE, 100);
    ck_assert_uint_eq(counts.frames + counts.bytes, 0);
    ck_assert_uint_eq(counts.oversize, 5);
}
END_TEST

/* --- The length by a frame's own headers ---------------------------------------------------- */

/* In memory that ends with the bytes, so that a sanitizer sees what is read behind them. */
static enum framing_found infer_exactly(const unsigned char *bytes, size_t n,
                                        struct framing_measure *ret)
{
    unsigned char *copy = malloc(n ? n : 1);
    enum framing_found found;

    memcpy(copy, bytes, n);
    found = framing_infer(copy, n, ret);
    free(copy);
    return found;
}

START_TEST(a_frame_is_as_long_as_its_headers_say)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct framing_measure measure = {0};

        ck_assert_msg(infer_exactly(samples[i].bytes, samples[i].length, &measure) ==
                          FRAMING_LENGTH,
                      "%s", samples[i].what);
        ck_assert_uint_eq(measure.length, samples[i].length);
    }
}
END_TEST

START_TEST(fewer_bytes_say_nothing_or_the_same)
{
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t n = 0; n < samples[i].length; n++) {
            struct framing_measure measure = {0};
            enum framing_found found = infer_exactly(samples[i].bytes, n, &measure);

            ck_assert_int_ne(found, FRAMING_UNKNOWN);
            ck_assert(found == FRAMING_LENGTH || n < 29);
            ck_assert(found == FRAMING_SHORT || measure.length == samples[i].length);
        }
}
END_TEST

static const struct unknown {
    const char *word; /* of the sentence */
    uint32_t value;
    size_t sample; /* changed at these places */
    struct {
        size_t at;
        unsigned char byte;
    } changes[3];
} unknowns[] = {
    {"EtherType", 0x88cc, 0, {{12, 0x88}, {13, 0xcc}}},         /* LLDP */
    {"EtherType", 0x0026, 0, {{12, 0x00}, {13, 0x26}}},         /* a length: STP */
    {"EtherType", 0x0000, 1, {{16, 0x00}, {17, 0x00}}},         /* within a VLAN */
    {"VLAN tags", 3, 3, {{20, 0x81}, {21, 0x00}}},              /* three of them */
    {"IPv4", 0x65, 2, {{14, 0x65}}},                            /* version 6 */
    {"IPv4", 0x44, 2, {{14, 0x44}}},                            /* a header of 16 bytes */
    {"shorter than its header", 19, 2, {{17, 19}}},             /* one byte */
    {"shorter than its header", 0, 2, {{16, 0}, {17, 0}}},      /* an offloaded one */
    {"shorter than its header", 28, 2, {{14, 0x48}, {17, 28}}}, /* with options */
    {"IPv6", 0x45, 4, {{14, 0x45}}},                            /* version 4 */
    {"jumbogram", 0, 4, {{18, 0}, {19, 0}}},                    /* hop-by-hop follows */
    {"ARP", 6, 0, {{15, 6}}},                                   /* of IEEE 802 */
    {"ARP", 1, 0, {{16, 0x86}, {17, 0xdd}}},                    /* for IPv6 */
    {"ARP", 1, 0, {{18, 8}}},                                   /* longer addresses */
};

START_TEST(what_has_no_length_is_said_in_a_sentence)
{
    for (size_t i = 0; i < sizeof unknowns / sizeof *unknowns; i++) {
        const struct unknown *it = &unknowns[i];
        struct framing_measure measure = {0};
        unsigned char frame[128];

        memcpy(frame, samples[it->sample].bytes, samples[it->sample].length);
        for (size_t j = 0; j < 3 && it->changes[j].at > 0; j++)
            frame[it->changes[j].at] = it->changes[j].byte;
        ck_assert_int_eq(infer_exactly(frame, samples[it->sample].length, &measure),
                         FRAMING_UNKNOWN);
        ck_assert_msg(strstr(measure.why, it->word), "%zu: %s", i, measure.why);
        ck_assert_uint_eq(measure.value, it->value);
    }
}
END_TEST

START_TEST(an_empty_ipv6_packet_has_its_header)
{
    struct framing_measure measure;
    unsigned char frame[54];

    memcpy(frame, samples[4].bytes, sizeof frame);
    frame[19] = 0;  /* the payload's length */
    frame[20] = 59; /* no next header */
    ck_assert_int_eq(infer_exactly(frame, sizeof frame, &measure), FRAMING_LENGTH);
    ck_assert_uint_eq(measure.length, 54);
}
END_TEST

START_TEST(the_longest_unframed_is_of_ipv6_in_two_vlans)
{
    struct framing_measure measure;
    unsigned char frame[29];

    memcpy(frame, samples[3].bytes, 20);
    memcpy(frame + 20, samples[4].bytes + 12, 9);
    frame[26] = frame[27] = 0xff;
    ck_assert_int_eq(infer_exactly(frame, sizeof frame, &measure), FRAMING_LENGTH);
    ck_assert_uint_eq(measure.length, framing_row(FRAMING_UNFRAMED)->frame_max);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_framing_is_found_by_its_name);
    tcase_add_test(tests, other_names_are_refused);
    tcase_add_test(tests, headers_have_these_bytes);
    tcase_add_test(tests, headers_say_the_length_that_was_written);
    tcase_add_test(tests, a_limit_is_what_mtu_and_framing_allow);
    tcase_add_test(tests, frames_are_judged_at_their_bounds);
    tcase_add_test(tests, each_fate_has_its_counter);
    tcase_add_test(tests, a_frame_is_as_long_as_its_headers_say);
    tcase_add_test(tests, fewer_bytes_say_nothing_or_the_same);
    tcase_add_test(tests, what_has_no_length_is_said_in_a_sentence);
    tcase_add_test(tests, an_empty_ipv6_packet_has_its_header);
    tcase_add_test(tests, the_longest_unframed_is_of_ipv6_in_two_vlans);
}

int main(void)
{
    return suite_run("framing", add_tests);
}
