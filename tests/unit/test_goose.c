/* GOOSE: golden frames are read and written again to the same bytes, with data of each type, and
 * what is none is refused where it is wrong. */
#include "iec61850/goose.h"
#include "iec61850_frames.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

enum { VALUES = 64 };

static struct goose_message message;
static struct iec_fault fault;
static uint8_t frame[GOLDEN_MAX], again[GOLDEN_MAX], data[GOLDEN_MAX];
static struct mms_value values[VALUES];

static const struct {
    const char *text;
    bool fixed;
    bool has_other_data; /* not those that we write for the same values */
} golden[] = {{GOLDEN_GOOSE, false, false},
              {GOLDEN_GOOSE_ALL, true, false},
              {GOLDEN_GOOSE_RELAY, false, false},
              {GOLDEN_GOOSE_ZERO, false, true}};
enum { GOLDEN = sizeof golden / sizeof *golden };

static size_t take(const char *text)
{
    size_t n = golden_bytes(text, frame);

    ck_assert_msg(goose_decode(frame, n, &message, &fault), "%s at %zu", fault.why, fault.offset);
    return n;
}

static size_t walk_values(void)
{
    struct mms_walk walk;
    size_t count = 0;

    mms_begin(&walk, message.all_data, message.all_data_length);
    while (count < VALUES && mms_next(&walk, &values[count]))
        count++;
    ck_assert_ptr_null(walk.why);
    return count;
}

static void assert_text(struct iec_text text, const char *expected)
{
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.bytes, expected, text.length);
}

START_TEST(a_frame_has_its_values)
{
    take(GOLDEN_GOOSE);
    ck_assert_uint_eq(message.frame.app_id, 1000);
    ck_assert(!iec_is_simulated(&message.frame) && !message.simulation && !message.nds_com);
    assert_text(message.gocb_ref, "simpleIOGenericIO/LLN0$GO$gcbAnalogValues");
    assert_text(message.go_id, "simpleIOGenericIO/LLN0$GO$gcbAnalogValues");
    assert_text(message.dat_set, "simpleIOGenericIO/LLN0$AnalogValues");
    ck_assert_uint_eq(message.time_allowed_to_live, 500);
    ck_assert_uint_eq(message.t.ns, UINT64_C(1704067200250000000));
    ck_assert_uint_eq(message.t.quality, 10);
    ck_assert_uint_eq(message.st_num, 1);
    ck_assert_uint_eq(message.sq_num, 0);
    ck_assert_uint_eq(message.conf_rev, 1);
    ck_assert_uint_eq(message.entries, 3);
    ck_assert_uint_eq(walk_values(), 3);
    ck_assert_int_eq(values[0].type, MMS_INTEGER);
    ck_assert_int_eq(values[0].integer, 1234);
    ck_assert_int_eq(values[1].type, MMS_BINARY_TIME);
    ck_assert(!values[1].is_short);
    ck_assert_int_eq(values[2].integer, 5678);
}
END_TEST

START_TEST(data_of_each_type_are_read)
{
    static const enum mms_type types[] = {
        MMS_BOOLEAN,         MMS_BIT_STRING, MMS_INTEGER,      MMS_UNSIGNED,
        MMS_FLOAT,           MMS_FLOAT,      MMS_OCTET_STRING, MMS_VISIBLE_STRING,
        MMS_BINARY_TIME,     MMS_UTC_TIME,   MMS_STRUCTURE,    MMS_ARRAY,
        MMS_INTEGER,         MMS_INTEGER,    MMS_INTEGER,      MMS_STRUCTURE,
        MMS_STRUCTURE,       MMS_STRUCTURE,  MMS_BOOLEAN,      MMS_BCD,
        MMS_BOOLEAN_ARRAY,   MMS_OBJECT_ID,  MMS_MMS_STRING,   MMS_REAL,
        MMS_GENERALIZED_TIME};
    static const unsigned depths[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2,
                                      2, 2, 1, 1, 2, 3, 1, 1, 1, 1, 1, 1};

    take(GOLDEN_GOOSE_ALL);
    ck_assert_uint_eq(walk_values(), sizeof types / sizeof *types);
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++) {
        ck_assert_msg(values[i].type == types[i], "%u is a %s", i, mms_type_name(values[i].type));
        ck_assert_uint_eq(values[i].depth, depths[i]);
    }
    ck_assert(values[0].boolean);
    ck_assert_uint_eq(values[1].bits, 10);
    ck_assert(!mms_bit(&values[1], 0) && mms_bit(&values[1], 1) && mms_bit(&values[1], 9));
    ck_assert_int_eq(values[2].integer, -128);
    ck_assert_uint_eq(values[3].natural, 255);
    ck_assert(values[4].is_short && values[4].real == (double)3.14159274101257324f);
    ck_assert(!values[5].is_short && values[5].real == 3.141592653589793);
    ck_assert_mem_eq(values[6].bytes, "\xde\xad\xbe", 3);
    ck_assert_mem_eq(values[7].bytes, "OK", 2);
    ck_assert(values[8].is_short);
    ck_assert_uint_eq(values[9].time.ns, UINT64_C(1704067200500000000));
    ck_assert_int_eq(values[14].integer, 3);
    ck_assert_int_eq(values[19].integer, 9);
    ck_assert_uint_eq(values[20].bits, 1);
    ck_assert(mms_bit(&values[20], 0));
}
END_TEST

START_TEST(messages_of_others_have_their_values)
{
    take(GOLDEN_GOOSE_RELAY);
    assert_text(message.gocb_ref, "GEDeviceF650/LLN0$GO$gcb01");
    assert_text(message.dat_set, "GEDeviceF650/LLN0$GOOSE1");
    assert_text(message.go_id, "F650_GOOSE1");
    ck_assert_uint_eq(message.time_allowed_to_live, 40000);
    ck_assert_uint_eq(message.t.ns / 1000000000, 946781171);
    ck_assert_uint_eq(message.st_num, 1);
    ck_assert_uint_eq(message.sq_num, 10);
    ck_assert_uint_eq(walk_values(), 8);
    ck_assert(values[6].type == MMS_BOOLEAN && !values[6].boolean);
    ck_assert_uint_eq(values[7].bits, 13); /* a quality */

    take(GOLDEN_GOOSE_ZERO);
    assert_text(message.gocb_ref, "IED01LD0/LLN0$GO");
    ck_assert_uint_eq(message.t.ns, UINT64_C(1767225600500000000));
    ck_assert_uint_eq(message.st_num, 128);
    ck_assert_uint_eq(walk_values(), 2);
    ck_assert(values[0].boolean);

    take(GOLDEN_GOOSE_CHARGER);
    ck_assert_uint_eq(message.time_allowed_to_live, 10000);
    ck_assert_uint_eq(message.t.ns, UINT64_C(1667349766000000000));
    ck_assert_uint_eq(walk_values(), 8);
    ck_assert_uint_eq(values[1].natural, 65535);
    ck_assert(values[4].type == MMS_FLOAT && values[4].is_short && values[4].real == 999);
    ck_assert(values[5].real == 5);
}
END_TEST

START_TEST(numbers_have_32_bits)
{
    take(GOLDEN_GOOSE_ALL);
    ck_assert(iec_is_simulated(&message.frame) && message.simulation && message.nds_com);
    ck_assert_uint_eq(message.st_num, UINT32_MAX);
    ck_assert_uint_eq(message.sq_num, 128);
    ck_assert_ptr_null(message.go_id.bytes);
    ck_assert_uint_eq(message.st_num_length, 5);
    ck_assert_mem_eq(message.sq_num_at, "\0\0\0\0\x80", message.sq_num_length);
}
END_TEST

START_TEST(it_is_written_as_it_was_read)
{
    size_t n = take(golden[_i].text), count = walk_values();
    size_t length = mms_encode(values, count, data, sizeof data);

    if (!golden[_i].has_other_data) {
        ck_assert_uint_eq(length, message.all_data_length);
        ck_assert_mem_eq(data, message.all_data, length);
        message.all_data = data;
    }
    for (size_t size = 0; size < length; size++)
        ck_assert_uint_eq(mms_encode(values, count, again, size), 0);
    ck_assert_uint_eq(goose_encode(&message, golden[_i].fixed, again, sizeof again), n);
    ck_assert_mem_eq(again, frame, n);
    for (size_t size = 0; size < n; size++)
        ck_assert_uint_eq(goose_encode(&message, golden[_i].fixed, again, size), 0);
}
END_TEST

START_TEST(integers_are_as_short_as_they_can_be)
{
    static const struct {
        int64_t value;
        size_t length;
    } integers[] = {
        {0, 1},         {127, 1},      {-128, 1},      {128, 2},       {-129, 2},
        {32767, 2},     {32768, 3},    {INT32_MIN, 4}, {INT32_MAX, 4}, {INT64_C(2147483648), 5},
        {INT64_MIN, 8}, {INT64_MAX, 8}};
    struct mms_walk walk;

    for (unsigned i = 0; i < sizeof integers / sizeof *integers; i++) {
        values[0] = (struct mms_value){.type = MMS_INTEGER, .integer = integers[i].value};
        ck_assert_uint_eq(mms_encode(values, 1, data, sizeof data), integers[i].length + 2);
        mms_begin(&walk, data, integers[i].length + 2);
        ck_assert(mms_next(&walk, &values[0]));
        ck_assert_int_eq(values[0].integer, integers[i].value);
    }
    values[0] = (struct mms_value){.type = MMS_UNSIGNED, .natural = UINT64_MAX};
    ck_assert_uint_eq(mms_encode(values, 1, data, sizeof data), 11);
    mms_begin(&walk, data, 11);
    ck_assert(mms_next(&walk, &values[0]));
    ck_assert_uint_eq(values[0].natural, UINT64_MAX);
}
END_TEST

/* In memory of its own size, so that a sanitizer sees what reads behind it. */
static bool decode_alone(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    bool result;

    memcpy(copy, bytes, n);
    fault = (struct iec_fault){NULL, 0};
    result = goose_decode(copy, n, &message, &fault);
    ck_assert(result || (fault.why && fault.offset <= n));
    if (result)
        walk_values();
    free(copy);
    return result;
}

START_TEST(what_is_cut_is_refused)
{
    size_t n = golden_bytes(golden[_i].text, frame);

    for (size_t cut = 0; cut < n; cut++)
        ck_assert_msg(!decode_alone(frame, cut), "%zu bytes", cut);
}
END_TEST

START_TEST(any_byte_may_be_wrong)
{
    size_t n = golden_bytes(golden[_i].text, frame);

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

/* --- What is wrong ------------------------------------------------------------------------- */

/* A goosePdu with this allData, and as many entries. */
static size_t with_data(const uint8_t *bytes, size_t n, uint32_t entries)
{
    take(GOLDEN_GOOSE);
    message.all_data = bytes;
    message.all_data_length = n;
    message.entries = entries;
    n = goose_encode(&message, false, again, sizeof again);
    ck_assert_uint_gt(n, 0);
    return n;
}

static const struct {
    const char *data, *why;
    uint32_t entries;
} refused[] = {
    {"830101", NULL, 1},
    {"830101", "allData has not as many values as numDatSetEntries says", 2},
    {"", NULL, 0},
    {"8301", "a value is cut off", 1},
    {"83", "a value is cut off", 1},
    {"8380", "a value is cut off", 1},
    {"9f010000", "a value is cut off", 1},
    {"0500", "a value has a type that MMS does not have", 1},
    {"92 00", "a value has a type that MMS does not have", 1},
    {"8300", "a boolean has not 1 byte", 1},
    {"8500", "an integer has not 1 to 8 bytes", 1},
    {"8509 000000000000000001", "an integer has not 1 to 8 bytes", 1},
    {"8600", "an unsigned has no 64 bits or less", 1},
    {"8609 010000000000000000", "an unsigned has no 64 bits or less", 1},
    {"8704 40490fdb", NULL, 1},
    {"8708 400921fb54442d18", NULL, 1},
    {"8703 40490f", "a float is none of 32 or 64 bits", 1},
    {"8709 08400921fb54442d18", "a float is none of 32 or 64 bits", 1},
    {"8705 0940490fdb", "a float is none of 32 or 64 bits", 1},
    {"8400", "a bit-string has no right number of unused bits", 1},
    {"840101", "a bit-string has no right number of unused bits", 1},
    {"84020800", "a bit-string has no right number of unused bits", 1},
    {"840100", NULL, 1},
    {"8c05 0000000000", "a binary-time has not 4 or 6 bytes", 1},
    {"9107 00000000000000", "a utc-time has not 8 bytes", 1},
    {"a2 03 830201", "a value is cut off", 1},
    {"a2 12 a2 10 a2 0e a2 0c a2 0a a2 08 a2 06 a2 04 a2 02 a2 00",
     "structures are deeper in each other than 8", 1},
    {"a2 0e a2 0c a2 0a a2 08 a2 06 a2 04 a2 02 a2 00", NULL, 1},
};

START_TEST(wrong_data_are_refused)
{
    size_t n = golden_bytes(refused[_i].data, data);
    bool taken;

    n = with_data(data, n, refused[_i].entries);
    taken = decode_alone(again, n);
    ck_assert_msg(taken == !refused[_i].why, "%s: %s", refused[_i].data, fault.why);
    if (!taken)
        ck_assert_str_eq(fault.why, refused[_i].why);
}
END_TEST

START_TEST(a_list_that_is_none_is_not_written)
{
    values[0] = (struct mms_value){.type = MMS_BOOLEAN, .depth = 1};
    ck_assert_uint_eq(mms_encode(values, 1, data, sizeof data), 0);
    values[0] = (struct mms_value){.type = MMS_BOOLEAN};
    values[1] = (struct mms_value){.type = MMS_BOOLEAN, .depth = 1};
    ck_assert_uint_eq(mms_encode(values, 2, data, sizeof data), 0);
    values[0] = (struct mms_value){.type = MMS_TYPE_COUNT};
    ck_assert_uint_eq(mms_encode(values, 1, data, sizeof data), 0);
    for (unsigned i = 0; i < 10; i++)
        values[i] = (struct mms_value){.type = MMS_STRUCTURE, .depth = i};
    ck_assert_uint_gt(mms_encode(values, 8, data, sizeof data), 0);
    ck_assert_uint_eq(mms_encode(values, 9, data, sizeof data), 0);
}
END_TEST

/* Each field is taken out: only three may be missing. */
START_TEST(fields_that_must_be_there_are_missed)
{
    static const char *const missing[] = {[0] = "it has no gocbRef",
                                          [1] = "it has no timeAllowedtoLive",
                                          [2] = "it has no datSet",
                                          [4] = "it has no t",
                                          [5] = "it has no stNum",
                                          [6] = "it has no sqNum",
                                          [8] = "it has no confRev",
                                          [10] = "it has no numDatSetEntries",
                                          [11] = NULL};
    size_t n = take(GOLDEN_GOOSE), left;
    const uint8_t *end = frame + n;
    struct ber_reader reader = ber_reader(message.frame.apdu + 3, message.frame.apdu_length - 3);
    const uint8_t *from = reader.at;
    struct ber_item item;

    for (unsigned i = 0; i <= (unsigned)_i; i++) {
        from = reader.at;
        ck_assert(ber_next(&reader, &item));
    }
    n = (size_t)(from - frame);
    memcpy(again, frame, n);
    left = (size_t)(end - reader.at);
    memcpy(again + n, reader.at, left);
    again[21] = (uint8_t)(again[21] - (reader.at - from)); /* behind APPID */
    again[28] = (uint8_t)(again[28] - (reader.at - from)); /* behind 0x61, 0x81 */
    ck_assert_int_eq(decode_alone(again, n + left), missing[_i] == NULL);
    if (missing[_i])
        ck_assert_str_eq(fault.why, missing[_i]);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_frame_has_its_values);
    tcase_add_test(tests, data_of_each_type_are_read);
    tcase_add_test(tests, messages_of_others_have_their_values);
    tcase_add_test(tests, numbers_have_32_bits);
    tcase_add_loop_test(tests, it_is_written_as_it_was_read, 0, GOLDEN);
    tcase_add_test(tests, integers_are_as_short_as_they_can_be);
    tcase_add_loop_test(tests, what_is_cut_is_refused, 0, GOLDEN);
    tcase_add_loop_test(tests, any_byte_may_be_wrong, 0, GOLDEN);
    tcase_add_loop_test(tests, wrong_data_are_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(tests, a_list_that_is_none_is_not_written);
    tcase_add_loop_test(tests, fields_that_must_be_there_are_missed, 0, 11);
}

int main(void)
{
    return suite_run("goose", add_tests);
}
