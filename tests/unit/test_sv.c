/* Sampled Values: golden frames are read and written again to the same bytes, and what is none is
 * refused where it is wrong. */
#include "iec61850/sv.h"
#include "iec61850_frames.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

static struct sv_message message;
static struct iec_fault fault;
static uint8_t frame[GOLDEN_MAX], again[GOLDEN_MAX];

static const char *const golden[] = {GOLDEN_SV_LE, GOLDEN_SV_TWO, GOLDEN_SV_UNIT, GOLDEN_SV_NINE,
                                     GOLDEN_SV_SHORT};
enum { GOLDEN = sizeof golden / sizeof *golden };

static size_t take(const char *text)
{
    size_t n = golden_bytes(text, frame);

    ck_assert_msg(sv_decode(frame, n, &message, &fault), "%s at %zu", fault.why, fault.offset);
    return n;
}

static void assert_text(struct iec_text text, const char *expected)
{
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.bytes, expected, text.length);
}

START_TEST(a_frame_of_9_2le_has_its_values)
{
    static const struct {
        int32_t value;
        uint32_t quality;
    } channels[] = {{1000, 0},     {-1000, 1},     {0, 2},         {0, 0x2000},
                    {10000000, 0}, {-10000000, 0}, {INT32_MAX, 4}, {INT32_MIN, 0x800}};
    const struct sv_asdu *asdu = &message.asdu[0];

    take(GOLDEN_SV_LE);
    ck_assert_mem_eq(message.frame.destination, "\x01\x0c\xcd\x04\0\x01", 6);
    ck_assert_mem_eq(message.frame.source, "\0\x30\xa7\0\0\x01", 6);
    ck_assert_uint_eq(message.frame.tags, 1);
    ck_assert_uint_eq(frame_priority(message.frame.tag[0]), 4);
    ck_assert_uint_eq(message.frame.app_id, 0x4000);
    ck_assert(!iec_is_simulated(&message.frame));
    ck_assert_uint_eq(message.asdus, 1);
    assert_text(asdu->sv_id, "MU01");
    ck_assert_ptr_null(asdu->dat_set.bytes);
    ck_assert_uint_eq(asdu->smp_cnt, 3999);
    ck_assert_uint_eq(asdu->conf_rev, 1);
    ck_assert_uint_eq(asdu->smp_synch, SV_GLOBAL_CLOCK);
    ck_assert(!asdu->has_refr_tm && !asdu->has_smp_rate && !asdu->has_smp_mod);
    ck_assert_ptr_null(asdu->gm_identity);
    ck_assert_uint_eq(sv_channels(asdu), 8);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(sv_value(asdu, i), channels[i].value);
        ck_assert_uint_eq(sv_quality(asdu, i), channels[i].quality);
    }
}
END_TEST

START_TEST(a_frame_of_61869_9_has_its_values)
{
    take(GOLDEN_SV_TWO);
    ck_assert(iec_is_simulated(&message.frame));
    ck_assert_uint_eq(frame_vlan_id(message.frame.tag[0]), 100);
    ck_assert_uint_eq(message.asdus, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct sv_asdu *asdu = &message.asdu[i];

        assert_text(asdu->sv_id, i ? "MU02v02" : "MU02v01");
        assert_text(asdu->dat_set, "LLN0$D");
        ck_assert_uint_eq(asdu->smp_cnt, i);
        ck_assert_uint_eq(asdu->conf_rev, 7);
        ck_assert(asdu->has_refr_tm && asdu->has_smp_rate && asdu->has_smp_mod);
        ck_assert_uint_eq(asdu->refr_tm.ns, UINT64_C(1704067200) * 1000000000 +
                                                (i ? UINT64_C(500208318) : UINT64_C(500000000)));
        ck_assert_uint_eq(asdu->refr_tm.quality, IEC_CLOCK_NOT_SYNCHRONIZED | 10);
        ck_assert_uint_eq(asdu->smp_synch, SV_LOCAL_CLOCK);
        ck_assert_uint_eq(asdu->smp_rate, 4800);
        ck_assert_uint_eq(asdu->smp_mod, SV_SAMPLES_PER_SECOND);
        ck_assert_mem_eq(asdu->gm_identity, "\0\x30\xa7\xff\xfe\0\0\x01", 8);
        ck_assert_int_eq(sv_value(asdu, 0), i ? 3 : 1);
    }
}
END_TEST

START_TEST(a_frame_of_a_merging_unit_has_its_values)
{
    static const int32_t values[] = {-108158,  277980,   -168100,   1722,
                                     -7474176, 18742210, -11182068, 85966};
    const struct sv_asdu *asdu = &message.asdu[0];

    take(GOLDEN_SV_UNIT);
    assert_text(asdu->sv_id, "4001");
    ck_assert_uint_eq(message.frame.app_id, 0x4001);
    ck_assert_uint_eq(frame_vlan_id(message.frame.tag[0]), 1);
    ck_assert_uint_eq(asdu->smp_cnt, 280);
    ck_assert_uint_eq(asdu->smp_synch, SV_GLOBAL_CLOCK);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(sv_value(asdu, i), values[i]);
        ck_assert_uint_eq(sv_quality(asdu, i), i % 4 == 3 ? UINT32_C(1) << 13 : 0); /* derived */
    }
}
END_TEST

START_TEST(frames_of_others_have_their_values)
{
    take(GOLDEN_SV_NINE);
    ck_assert_uint_eq(message.asdus, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_text(message.asdu[i].sv_id, "SV_1");
        ck_assert_uint_eq(message.asdu[i].smp_cnt, i);
        ck_assert_uint_eq(message.asdu[i].conf_rev, 10000);
        ck_assert_uint_eq(sv_channels(&message.asdu[i]), 9);
        for (unsigned channel = 0; channel < 9; channel++)
            ck_assert_int_eq(sv_value(&message.asdu[i], channel), (int32_t)(1000 * channel));
    }
    take(GOLDEN_SV_SHORT);
    ck_assert_uint_eq(sv_channels(&message.asdu[0]), 1);
    ck_assert_int_eq(sv_value(&message.asdu[0], 0), 100);
    ck_assert_uint_eq(message.asdu[0].smp_rate, 4000);
    ck_assert(message.asdu[0].has_smp_mod);
    ck_assert_uint_eq(message.asdu[0].smp_mod, SV_SAMPLES_PER_SECOND);
}
END_TEST

START_TEST(it_is_written_as_it_was_read)
{
    size_t n = take(golden[_i]);

    ck_assert_uint_eq(sv_encode(&message, again, sizeof again), n);
    ck_assert_mem_eq(again, frame, n);
    ck_assert_uint_eq(sv_encode(&message, again, n), n);
    for (size_t size = 0; size < n; size++)
        ck_assert_uint_eq(sv_encode(&message, again, size), 0);
}
END_TEST

/* The frame is in memory of its own size, so that a sanitizer sees what reads behind it. */
static bool decode_alone(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    bool result;

    memcpy(copy, bytes, n);
    fault = (struct iec_fault){NULL, 0};
    result = sv_decode(copy, n, &message, &fault);
    ck_assert(result || (fault.why && fault.offset <= n));
    if (result) {
        size_t length = sv_encode(&message, again, sizeof again);

        ck_assert_uint_gt(length, 0);
        ck_assert_uint_le(length, n); /* shorter where lengths had zeros before them */
    }
    free(copy);
    return result;
}

START_TEST(what_is_cut_is_refused)
{
    size_t n = golden_bytes(golden[_i], frame);

    for (size_t cut = 0; cut < n; cut++)
        ck_assert_msg(!decode_alone(frame, cut), "%zu bytes", cut);
}
END_TEST

START_TEST(padding_is_none_of_it)
{
    size_t n = take(golden[_i]);

    memset(frame + n, 0xaa, 20);
    ck_assert(decode_alone(frame, n + 20));
}
END_TEST

START_TEST(any_byte_may_be_wrong)
{
    size_t n = golden_bytes(golden[_i], frame);

    for (size_t at = 0; at < n; at++) {
        uint8_t was = frame[at];

        for (unsigned value = 0; value < 256; value++) {
            frame[at] = (uint8_t)value;
            decode_alone(frame, n);
        }
        frame[at] = was;
    }
}
END_TEST

#define HEAD "010ccd040001 0030a7000001 88ba 4000 "

static const struct {
    const char *frame, *why;
    size_t offset;
} refused[] = {
    {"010ccd040001", "the frame is shorter than its Ethernet header", 0},
    {"010ccd040001 0030a7000001 88b8 0000", "it has another EtherType", 12},
    {HEAD "0008 0000", "APPID, length and reserved words are cut off", 14},
    {HEAD "0007 0000 0000", "its length is less than that of its header", 16},
    {HEAD "0009 0000 0000", "its length is more than the frame has", 16},
    {HEAD "0008 0000 0000", "it has no savPdu, or one that is cut off", 22},
    {HEAD "000a 0000 0000 6100", "it has no savPdu, or one that is cut off", 22},
    {HEAD "000a 0000 0000 6080", "it has no savPdu, or one that is cut off", 22},
    {HEAD "000a 0000 0000 6001", "it has no savPdu, or one that is cut off", 22},
    {HEAD "000a 0000 0000 6000", "the savPdu does not begin with noASDU", 24},
    {HEAD "000d 0000 0000 6003 800101", "the savPdu has no ASDUs, or they are cut off", 27},
    {HEAD "000f 0000 0000 6005 800100 a200", "there are not 1 to 16 ASDUs", 29},
    {HEAD "000f 0000 0000 6005 800111 a200", "there are not 1 to 16 ASDUs", 29},
    {HEAD "000f 0000 0000 6005 800101 a200", "there are fewer ASDUs than noASDU says", 29},
    {HEAD "0011 0000 0000 6007 800101 a202 3000", "an ASDU has no svID", 31},
    {HEAD "0014 0000 0000 600a 800101 a205 3003 820100", "smpCnt has not 2 bytes", 31},
    {HEAD "0015 0000 0000 600b 800101 a206 3004 82000000", "smpCnt has not 2 bytes", 31},
    {HEAD "0015 0000 0000 600b 800101 a206 3004 80008000",
     "a field of an ASDU is none, or not in its place", 33},
    {HEAD "0015 0000 0000 600b 800101 a206 3004 80005000",
     "a field of an ASDU is none, or not in its place", 33},
    {HEAD "0012 0000 0000 6008 800101 a203 3001 80", "a field of an ASDU is cut off", 31},
    {HEAD "0021 0000 0000 6017 800101 a212 3010 8000 82020000 830400000001 850100 8700",
     "a field of an ASDU is cut off", 46},
    {HEAD "0022 0000 0000 6018 800101 a213 3011 8000 82020000 830400000001 850100 8700", NULL, 0},
    {HEAD "0024 0000 0000 601a 800101 a215 3011 8000 82020000 830400000001 850100 8700 0500",
     "there is more than noASDU says", 48},
    {HEAD "0025 0000 0000 601b 800101 8101ff a213 3011 8000 82020000 830400000001 850100 8700",
     NULL, 0},
};

START_TEST(what_is_wrong_is_said)
{
    size_t n = golden_bytes(refused[_i].frame, frame);
    bool taken = decode_alone(frame, n);

    ck_assert_msg(taken == !refused[_i].why, "%s: %s", refused[_i].frame, fault.why);
    if (!taken) {
        ck_assert_str_eq(fault.why, refused[_i].why);
        ck_assert_uint_eq(fault.offset, refused[_i].offset);
    }
}
END_TEST

START_TEST(no_frame_is_written_that_is_none)
{
    take(GOLDEN_SV_LE);
    message.asdus = 0;
    ck_assert_uint_eq(sv_encode(&message, again, sizeof again), 0);
    message.asdus = SV_ASDUS_MAX + 1;
    ck_assert_uint_eq(sv_encode(&message, again, sizeof again), 0);
    message.asdus = 1;
    message.asdu[0].sv_id.bytes = NULL;
    ck_assert_uint_eq(sv_encode(&message, again, sizeof again), 0);
}
END_TEST

START_TEST(what_changes_is_found)
{
    struct sv_places places[SV_ASDUS_MAX];
    const uint8_t count[] = {0x12, 0x34};
    struct iec_time time = {UINT64_C(1800000000) * 1000000000, 0x0a};
    size_t n = take(GOLDEN_SV_TWO);

    sv_locate(&message, frame, places);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(frame + places[i].smp_cnt, count, sizeof count);
        frame[places[i].smp_synch] = SV_NOT_SYNCHRONIZED;
        iec_write_time(time, frame + places[i].refr_tm);
        ck_assert_uint_eq(places[i].sample_length, 8);
        sv_put_channel(frame + places[i].sample, 0, -5, 0x800);
    }
    ck_assert(sv_decode(frame, n, &message, &fault));
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(message.asdu[i].smp_cnt, 0x1234);
        ck_assert_uint_eq(message.asdu[i].smp_synch, SV_NOT_SYNCHRONIZED);
        ck_assert_uint_eq(message.asdu[i].refr_tm.ns, time.ns);
        ck_assert_int_eq(sv_value(&message.asdu[i], 0), -5);
        ck_assert_uint_eq(sv_quality(&message.asdu[i], 0), 0x800);
        ck_assert_uint_eq(message.asdu[i].conf_rev, 7);
    }
    take(GOLDEN_SV_LE);
    sv_locate(&message, frame, places);
    ck_assert_uint_eq(places[0].refr_tm, 0);
}
END_TEST

START_TEST(a_time_is_written_as_it_was_read)
{
    uint8_t bytes[IEC_TIME_BYTES] = {0, 0, 0, 1, 0, 0, 0, 0x1f}, written[IEC_TIME_BYTES];

    for (uint32_t fraction = 0; fraction < 1 << 24; fraction += fraction < 5000 ? 1 : 4999) {
        bytes[4] = (uint8_t)(fraction >> 16);
        bytes[5] = (uint8_t)(fraction >> 8);
        bytes[6] = (uint8_t)fraction;
        iec_write_time(iec_read_time(bytes), written);
        ck_assert_mem_eq(bytes, written, sizeof bytes);
    }
    iec_write_time((struct iec_time){1999999990, 0}, written); /* nearer to the next second */
    ck_assert_uint_eq(iec_read_time(written).ns, 2000000000);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_frame_of_9_2le_has_its_values);
    tcase_add_test(tests, a_frame_of_61869_9_has_its_values);
    tcase_add_test(tests, a_frame_of_a_merging_unit_has_its_values);
    tcase_add_test(tests, frames_of_others_have_their_values);
    tcase_add_loop_test(tests, it_is_written_as_it_was_read, 0, GOLDEN);
    tcase_add_loop_test(tests, what_is_cut_is_refused, 0, GOLDEN);
    tcase_add_loop_test(tests, padding_is_none_of_it, 0, GOLDEN);
    tcase_add_loop_test(tests, any_byte_may_be_wrong, 0, GOLDEN);
    tcase_add_loop_test(tests, what_is_wrong_is_said, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tests, no_frame_is_written_that_is_none);
    tcase_add_test(tests, what_changes_is_found);
    tcase_add_test(tests, a_time_is_written_as_it_was_read);
}

int main(void)
{
    return suite_run("sv", add_tests);
}
