/* Recordings in COMTRADE: each edition and each form of data gives the same values, and what is
 * wrong is refused by its line. */
#include "comtrade/comtrade.h"
#include "comtrade/text.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct comtrade cfg;
static struct comtrade_fault fault;
static struct comtrade_reader reader;
static struct comtrade_sample sample;
static char text[8192];

/* --- Configurations ------------------------------------------------------------------------ */

#define CHANNELS_1999                                                                              \
    "1,Ia,A,Line 1,A,0.5,1,0,-32767,32767,100,1,P\r\n"                                             \
    "2, Va ,B,,kV,-2.5e-1,0,12.5,-32767,32767,1000,100,s\r\n"                                      \
    "1,Trip,,CB 1,0\r\n2,Closed,,,1\r\n"

static const char edition_1991[] =
    "Station,Recorder\r\n4,2A,2D\r\n"
    "1,Ia,A,Line 1,A,0.5,1,0,-32767,32767\r\n"
    "2, Va ,B,,kV,-2.5e-1,0,12.5,-32767,32767\r\n"
    "1,Trip,0\r\n2,Closed,1\r\n"
    "50\r\n1\r\n1000,4\r\n"
    "02/29/96,12:34:56.250000\r\n02/29/96,12:34:56.300000\r\nASCII\r\n\x1a";
static const char edition_1999[] =
    "Station,Recorder,1999\r\n4,2A,2D\r\n" CHANNELS_1999 "50\r\n1\r\n1000,4\r\n"
    "29/02/1996,12:34:56.250000\r\n29/02/1996,12:34:56.300000\r\n"
    "ascii\r\n1\r\n";
static const char edition_2013[] =
    "Station,Recorder,2013\n4,2A,2D\n" CHANNELS_1999 "50\n1\n1000,4\n"
    "29/02/1996,12:34:56.250000000\n29/02/1996,12:34:56.300000000\n"
    "ASCII\n1\n-5h30,0\nB,3\n";
static const struct {
    unsigned edition;
    const char *text;
} editions[] = {{1991, edition_1991}, {1999, edition_1999}, {2013, edition_2013}};
enum { EDITIONS = sizeof editions / sizeof *editions };

static void take_cfg(const char *it)
{
    ck_assert_msg(comtrade_read_cfg(it, strlen(it), &cfg, &fault), "line %u: %s", fault.line,
                  fault.why);
}

static void assert_text(struct comtrade_text seen, const char *expected)
{
    ck_assert_uint_eq(seen.length, strlen(expected));
    ck_assert_mem_eq(seen.bytes, expected, seen.length);
}

START_TEST(each_edition_is_read)
{
    take_cfg(editions[_i].text);
    ck_assert_uint_eq(cfg.edition, editions[_i].edition);
    assert_text(cfg.station, "Station");
    assert_text(cfg.device, "Recorder");
    ck_assert_uint_eq(cfg.analogs, 2);
    ck_assert_uint_eq(cfg.digitals, 2);
    assert_text(cfg.analog[0].id, "Ia");
    assert_text(cfg.analog[0].component, "Line 1");
    assert_text(cfg.analog[1].id, "Va");
    assert_text(cfg.analog[1].unit, "kV");
    ck_assert(cfg.analog[0].a == 0.5 && cfg.analog[0].b == 1);
    ck_assert(cfg.analog[1].a == -0.25 && cfg.analog[1].skew == 12.5);
    assert_text(cfg.digital[1].id, "Closed");
    ck_assert(!cfg.digital[0].normal && cfg.digital[1].normal);
    ck_assert(cfg.frequency == 50);
    ck_assert_uint_eq(cfg.rates, 1);
    ck_assert(cfg.rate[0].rate == 1000);
    ck_assert_uint_eq(cfg.rate[0].end, 4);
    ck_assert_uint_eq(cfg.start,
                      UINT64_C(825597296250000000)); /* date -u -d "1996-02-29 12:34:56" */
    ck_assert_uint_eq(cfg.trigger - cfg.start, 50000000);
    ck_assert_int_eq(cfg.format, COMTRADE_ASCII);
    ck_assert(cfg.tick == (cfg.edition == 2013 ? 1 : 1000));
    if (cfg.edition > 1991) {
        ck_assert(cfg.analog[0].is_primary && !cfg.analog[1].is_primary);
        ck_assert(cfg.analog[1].primary == 1000 && cfg.analog[1].secondary == 100);
    }
}
END_TEST

START_TEST(what_is_cut_is_refused)
{
    const char *whole = editions[_i].text;

    for (size_t n = 0; n < strlen(whole); n++) {
        char *copy = malloc(n ? n : 1);

        memcpy(copy, whole, n);
        if (!comtrade_read_cfg(copy, n, &cfg, &fault))
            ck_assert(fault.why && fault.line > 0 && fault.line < 16);
        else
            ck_assert_uint_gt(n, strlen(whole) - 25); /* what is missing may be left out */
        free(copy);
    }
}
END_TEST

static const struct {
    const char *from, *to, *why;
    unsigned line;
} refused[] = {
    {"Station,Recorder,1999", "Station", "the line has not the station's name, the device", 1},
    {"1999", "2000", "the edition is not", 1},
    {"4,2A,2D", "4,2A", "the line has not the numbers of channels", 2},
    {"4,2A,2D", "4,2B,2D", "the line has not the numbers of channels", 2},
    {"4,2A,2D", "5,2A,2D", "there are not as many channels", 2},
    {"4,2A,2D", "302,300A,2D", "there are more than 256 analog", 2},
    {"4,2A,2D", "5,3A,2D", "an analog channel has not 13 fields", 5},
    {"4,2A,2D", "3,1A,2D", "a digital channel has not 5 fields", 4},
    {"0.5,1,0", "half,1,0", "the factor a is no number", 3},
    {"0.5,1,0", "0.5,,0", "the offset b is no number", 3},
    {"0.5,1,0", "0.5,1,x", "the skew is no number", 3},
    {"100,1,P", "100,1,X", "the last field is not P or S", 3},
    {"100,1,P", "x,1,P", "the primary ratio is no number", 3},
    {"100,1,P", "100,1,P,1,2", "the line has more fields than any has", 3},
    {"1,Ia", "x,Ia", "the line does not begin with the number of an analog channel", 3},
    {"2,Closed,,,1", "2,Closed,,,2", "the normal state is not 0 or 1", 6},
    {"2,Closed,,,1", "2,Closed,1", "a digital channel has not 5 fields", 6},
    {"50\r\n", "fifty\r\n", "the frequency is no number", 7},
    {"50\r\n1\r\n", "50\r\n65\r\n", "the number of sample rates is not 0 to 64", 8},
    {"1000,4", "1000", "the line has not a sample rate and its last sample", 9},
    {"1000,4", "0,4", "the sample rate is not positive", 9},
    {"1000,4", "1000,0", "the last sample of a rate is not behind", 9},
    {"29/02/1996,12:34:56.25", "29-02-1996,12:34:56.25", "the date is not dd/mm/yyyy", 10},
    {"29/02/1996,12:34:56.25", "29/13/1996,12:34:56.25", "the date is not dd/mm/yyyy", 10},
    {"29/02/1996,12:34:56.30", "29/02/1996,12.34", "the time is not", 11},
    {"29/02/1996,12:34:56.30", "29/02/1996;12:34", "the line has not a date and a time", 11},
    {"ascii", "BINARY32", "the data are not ASCII or BINARY", 12},
    {"ascii\r\n1", "ascii\r\nx", "the factor of times is no number", 13},
    {"ascii\r\n1", "ascii\r\n0", "the factor of times is not positive", 13},
    {"ascii\r\n1\r\n", "ascii\r\n", "the configuration ends here", 13},
};

/* The configuration with one part of it another. */
static void change(const char *whole, const char *from, const char *to)
{
    const char *at = strstr(whole, from);

    ck_assert_ptr_nonnull(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
}

START_TEST(what_is_wrong_is_said_by_its_line)
{
    change(edition_1999, refused[_i].from, refused[_i].to);
    ck_assert(!comtrade_read_cfg(text, strlen(text), &cfg, &fault));
    ck_assert_msg(fault.line == refused[_i].line && strstr(fault.why, refused[_i].why),
                  "line %u: %s", fault.line, fault.why);
}
END_TEST

START_TEST(what_may_be_empty_is)
{
    change(edition_1999, "29/02/1996,12:34:56.250000", ",");
    take_cfg(text);
    ck_assert_uint_eq(cfg.start, 0);
    change(edition_1999, "50\r\n", "\r\n");
    take_cfg(text);
    ck_assert(cfg.frequency == 0);
    change(edition_1999, "0.5,1,0", "0.5,1,");
    take_cfg(text);
    change(edition_1999, ",1999", "");
    ck_assert(!comtrade_read_cfg(text, strlen(text), &cfg, &fault)); /* a date of 1991 */
    ck_assert_uint_eq(fault.line, 10);
}
END_TEST

/* --- Data ---------------------------------------------------------------------------------- */

static void begin(const char *it, enum comtrade_format format, const void *data, size_t n)
{
    take_cfg(it);
    cfg.format = format;
    comtrade_begin(&reader, &cfg, data, n);
}

static void assert_sample(double time, double one, double two, bool trip, bool closed)
{
    ck_assert_msg(comtrade_next(&reader, &sample) == COMTRADE_SAMPLE, "%u: %s", reader.fault.line,
                  reader.fault.why);
    ck_assert(fabs(sample.time - time) < 1e-6);
    ck_assert(isnan(one) ? isnan(sample.analog[0]) : sample.analog[0] == one);
    ck_assert(isnan(two) ? isnan(sample.analog[1]) : sample.analog[1] == two);
    ck_assert(comtrade_bit(&sample, 0) == trip && comtrade_bit(&sample, 1) == closed);
}

/* 100, 200 and none; 0.5 x + 1 and -0.25 x. */
static void assert_samples(void)
{
    assert_sample(0, 51, -50, false, true);
    assert_sample(1e6, -49, 50, true, true);
    assert_sample(2e6, NAN, 8191.75, true, false);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_END);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_END);
}

START_TEST(text_is_read)
{
    static const char data[] = "1,0,100,200,0,1\r\n  2, 1000, -100, -200, 1, 1,\r\n\r\n"
                               "3,2000,99999,-32767,1,0\r\n\x1a";

    begin(edition_1999, COMTRADE_ASCII, data, sizeof data - 1);
    assert_samples();
}
END_TEST

START_TEST(what_is_missing_in_2013_is_empty)
{
    static const char data[] = "1,0,100,200,0,1\n2,1000,-100,-200,1,1\n3,,,-32767,1,0";

    begin(edition_2013, COMTRADE_ASCII, data, sizeof data - 1);
    assert_samples();
}
END_TEST

static size_t put(uint8_t *at, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> 8 * i);
    return n;
}

static size_t put_real(uint8_t *at, enum comtrade_format format, double value)
{
    float single = (float)value;
    uint32_t bits;

    memcpy(&bits, &single, sizeof bits);
    if (isnan(value))
        bits = format == COMTRADE_FLOAT32  ? 0xff7fffff
               : format == COMTRADE_BINARY ? 0x8000
                                           : 1u << 31;
    else if (format != COMTRADE_FLOAT32)
        bits = (uint32_t)(int32_t)value;
    return put(at, bits, format == COMTRADE_BINARY ? 2 : 4);
}

static size_t put_sample(uint8_t *at, enum comtrade_format format, uint32_t number, double one,
                         double two, uint32_t digital)
{
    size_t n = put(at, number, 4);

    n += put(at + n, (number - 1) * 1000, 4);
    n += put_real(at + n, format, one);
    n += put_real(at + n, format, two);
    return n + put(at + n, digital, 2);
}

START_TEST(binary_data_are_read)
{
    enum comtrade_format format = (enum comtrade_format)_i;
    uint8_t data[64];
    size_t n = put_sample(data, format, 1, 100, 200, 2);

    n += put_sample(data + n, format, 2, -100, -200, 3);
    n += put_sample(data + n, format, 3, (double)NAN, -32767, 1);
    begin(edition_2013, format, data, n);
    assert_samples();
    comtrade_begin(&reader, &cfg, data, n - 1);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_SAMPLE);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_BROKEN);
    ck_assert_uint_eq(reader.fault.line, 3);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_END);
}
END_TEST

/* Two rates: samples 1 to 4 at 1000 a second, then 500; behind the last rate it goes on. */
START_TEST(times_are_those_of_the_rates)
{
    static const char data[] = "1,0,0,0,0,0\n2,9,0,0,0,0\n3,9,0,0,0,0\n4,9,0,0,0,0\n5,9,0,0,0,0\n"
                               "6,9,0,0,0,0\n7,9,0,0,0,0\n8,9,0,0,0,0\n";
    static const double times[] = {0, 1e6, 2e6, 3e6, 4e6, 6e6, 8e6, 10e6};

    change(edition_1999, "1\r\n1000,4", "2\r\n1000,4\r\n500,6");
    begin(text, COMTRADE_ASCII, data, sizeof data - 1);
    for (unsigned i = 0; i < 8; i++)
        assert_sample(times[i], 1, 0, false, false);
}
END_TEST

START_TEST(times_are_those_of_samples_without_a_rate)
{
    static const char data[] = "1,0,0,0,0,0\n2,1500,0,0,0,0\n3,,0,0,0,0\n";

    change(edition_1999, "1\r\n1000,4", "0\r\n0,3");
    begin(text, COMTRADE_ASCII, data, sizeof data - 1);
    assert_sample(0, 1, 0, false, false);
    assert_sample(1.5e6, 1, 0, false, false);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_BROKEN);
    ck_assert_uint_eq(reader.fault.line, 3);
    ck_assert(strstr(reader.fault.why, "no time") != NULL);
}
END_TEST

static const struct {
    const char *line, *why;
} wrong_data[] = {
    {"x,0,1,2,0,1", "number of a sample"}, {"1,x,1,2,0,1", "time is no number"},
    {"1,0,x,2,0,1", "analog value"},       {"1,0,1", "analog value"},
    {"1,0,1,2,0", "digital value"},        {"1,0,1,2,0,2", "digital value"},
    {"1,0,1,2,0,1,0", "more values"},      {"1,0,1,2,0,1,,", "more values"},
    {"1,0,1,2,0,", "digital value"},       {"-1,0,1,2,0,1", "number of a sample"},
};

START_TEST(wrong_data_are_refused_by_their_line)
{
    snprintf(text, sizeof text, "1,0,1,2,0,1\n%s\n", wrong_data[_i].line);
    begin(edition_1999, COMTRADE_ASCII, text, strlen(text));
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_SAMPLE);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_BROKEN);
    ck_assert_uint_eq(reader.fault.line, 2);
    ck_assert_msg(strstr(reader.fault.why, wrong_data[_i].why) != NULL, "%s", reader.fault.why);
    ck_assert_int_eq(comtrade_next(&reader, &sample), COMTRADE_END);
}
END_TEST

/* --- One file ------------------------------------------------------------------------------ */

START_TEST(one_file_has_parts)
{
    struct comtrade_parts parts;
    uint8_t data[64];
    size_t n;

    snprintf(text, sizeof text,
             "--- file type: CFG ---\n%s--- file type: INF ---\n\n--- file type: HDR ---\nabc\n"
             "--- file type: DAT ASCII ---\n1,0,100,200,0,1\n2,1000,-100,-200,1,1\n"
             "3,,,-32767,1,0\n",
             edition_2013);
    ck_assert(comtrade_split(text, strlen(text), &parts, &fault));
    ck_assert_uint_eq(parts.cfg_line, 1);
    ck_assert(comtrade_read_cfg(parts.cfg.bytes, parts.cfg.length, &cfg, &fault));
    comtrade_begin(&reader, &cfg, parts.data.bytes, parts.data.length);
    assert_samples();

    /* Binary data may have what looks like a line of the file. */
    n = put_sample(data, COMTRADE_BINARY, 1, 100, 200, 2);
    snprintf(text, sizeof text,
             "--- FILE TYPE: CFG ---\r\n%s--- File Type: DAT BINARY: %zu ---\r\n", edition_2013, n);
    memcpy(text + strlen(text), data, n);
    n += (size_t)(strstr(text, "---\r\n\x01") - text) + 5;
    ck_assert(comtrade_split(text, n, &parts, &fault));
    ck_assert_uint_eq(parts.data.length, 14);
    ck_assert(!comtrade_split(text, n - 1, &parts, &fault));
    ck_assert_str_eq(fault.why, "the data are shorter than this line says");
    ck_assert(!comtrade_split("abc", 3, &parts, &fault));
    ck_assert_uint_eq(fault.line, 1);
    ck_assert(!comtrade_split("--- file type: CFG ---\n", 23, &parts, &fault));
    ck_assert_str_eq(fault.why, "the file has not a part CFG and a part DAT");
}
END_TEST

/* --- Numbers ------------------------------------------------------------------------------- */

static const char *const numbers[] = {
    "0",
    "-0.0",
    "1",
    "+1.5",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "1e+20",
    "-12345678901234567890123",
    "0.1138916015625",
    "0.000000000000000000000123",
    "123456789.123456789123456789",
    "1e290",
    "1e-300",
    "3.40282347E+38",
    "00000000000000000012",
};

START_TEST(numbers_are_those_of_strtod)
{
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double seen = -1, expected = strtod(numbers[i], NULL);

        ck_assert(text_real((struct comtrade_text){numbers[i], strlen(numbers[i])}, &seen));
        ck_assert_msg(fabs(seen - expected) <= fabs(expected) * 1e-14, "%s: %.17g", numbers[i],
                      seen);
    }
}
END_TEST

static const char *const no_numbers[] = {"",    "-",   ".",   "e5",  "1e",    "1e+", "1.2.3",
                                         "0x1", "nan", "inf", "1 2", "1e999", "--1", "1,5"};

START_TEST(what_is_no_number_is_none)
{
    for (unsigned i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        double seen;

        ck_assert_msg(
            !text_real((struct comtrade_text){no_numbers[i], strlen(no_numbers[i])}, &seen), "%s",
            no_numbers[i]);
    }
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, each_edition_is_read, 0, EDITIONS);
    tcase_add_loop_test(tests, what_is_cut_is_refused, 0, EDITIONS);
    tcase_add_loop_test(tests, what_is_wrong_is_said_by_its_line, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(tests, what_may_be_empty_is);
    tcase_add_test(tests, text_is_read);
    tcase_add_test(tests, what_is_missing_in_2013_is_empty);
    tcase_add_loop_test(tests, binary_data_are_read, COMTRADE_BINARY, COMTRADE_FLOAT32 + 1);
    tcase_add_test(tests, times_are_those_of_the_rates);
    tcase_add_test(tests, times_are_those_of_samples_without_a_rate);
    tcase_add_loop_test(tests, wrong_data_are_refused_by_their_line, 0,
                        sizeof wrong_data / sizeof *wrong_data);
    tcase_add_test(tests, one_file_has_parts);
    tcase_add_test(tests, numbers_are_those_of_strtod);
    tcase_add_test(tests, what_is_no_number_is_none);
}

int main(void)
{
    return suite_run("comtrade", add_tests);
}
