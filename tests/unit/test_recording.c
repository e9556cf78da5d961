/* Between the samples of a recording, of one rate or several, the values are those of the wave. */
#include "recording.h"

#include "iec61850/sv.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FIRST = 640, SECOND = 400, ALL = FIRST + SECOND };

static struct comtrade cfg;
static struct comtrade_fault fault;
static struct recording recording;
static char data[64 * ALL + 64];

static double wave(double ns)
{
    return 1000 * cos(2 * M_PI * 50 * ns / 1e9);
}

/* 0.1 s at 6400 samples a second, and 0.1 s at 4000. */
static double time_of(unsigned i)
{
    return i < FIRST ? i * 1e9 / 6400 : FIRST * 1e9 / 6400 + (i - FIRST) * 1e9 / 4000;
}

static size_t write_data(unsigned samples)
{
    size_t n = 0;

    for (unsigned i = 0; i < samples; i++)
        n += (size_t)sprintf(data + n, "%u,,%.6f,%u\n", i + 1, wave(time_of(i)), i);
    return n;
}

static void begin(void)
{
    static const char text[] = "A,B,1999\n2,2A,0D\n1,I,,,A,1,0,0,-99999,99999,1,1,P\n"
                               "2,N,,,A,1,0,0,-99999,99999,1,1,P\n50\n2\n6400,640\n4000,1040\n"
                               "01/01/2020,00:00:00.000000\n01/01/2020,00:00:00.000000\nASCII\n1\n";

    ck_assert(comtrade_read_cfg(text, strlen(text), &cfg, &fault));
    recording_clear(&recording);
    recording.width = 8;
    recording.channels[0] = (struct recording_channel){true, 0, 2};
    recording.channels[5] = (struct recording_channel){true, 1, 1};
}

START_TEST(the_wave_is_the_same_between_samples)
{
    double values[RECORDING_CHANNELS];

    begin();
    ck_assert(recording_read(&recording, &cfg, data, write_data(ALL), &fault));
    ck_assert_uint_eq(recording.count, ALL);
    for (double time = 0; time < time_of(ALL - 1); time += 69444) {
        recording_at(&recording, time, values);
        ck_assert_double_le(fabs(values[0] - 2 * wave(time)), 0.2);
        ck_assert(values[1] == 0);
    }
    for (unsigned i = 0; i < ALL; i++) { /* at a sample it is the sample, in any order */
        unsigned other = i * 7 % ALL;

        recording_at(&recording, time_of(other), values);
        ck_assert_double_le(fabs(values[5] - other), 0.001);
    }
    recording_at(&recording, 1e18, values);
    ck_assert_double_le(fabs(values[5] - (ALL - 1)), 0.001);
    recording_clear(&recording);
}
END_TEST

START_TEST(a_pass_goes_over_to_the_next)
{
    double values[RECORDING_CHANNELS], period;

    begin();
    ck_assert(recording_read(&recording, &cfg, data, write_data(ALL), &fault));
    period = recording_close(&recording);
    ck_assert_double_le(fabs(period - 2e8), 1);
    for (double time = 1.9e8; time < 2e8; time += 10000) {
        recording_at(&recording, time, values);
        ck_assert_double_le(fabs(values[0] - 2 * wave(time)), 0.2);
    }
    for (uint64_t number = 0; number < 4000; number++) {
        int32_t samples[RECORDING_CHANNELS];
        uint32_t qualities[RECORDING_CHANNELS] = {0};

        recording_sample(&recording, 4000, period, number, samples, qualities);
        ck_assert_double_le(fabs(samples[0] - 2 * wave((double)number * 250000)), 0.8);
        ck_assert_uint_eq(qualities[0], 0);
    }
    recording_clear(&recording);
}
END_TEST

START_TEST(mistakes_are_told_by_line)
{
    begin();
    ck_assert(!recording_read(&recording, &cfg, data, write_data(3), &fault));
    ck_assert_str_eq(fault.why, "there are fewer than 4 samples");
    begin();
    ck_assert(!recording_read(&recording, &cfg, data, write_data(100) - 4, &fault));
    ck_assert_uint_eq(fault.line, 100);
    begin();
    cfg.rates = 0;
    ck_assert(!recording_read(&recording, &cfg, "1,0,1,1\n2,5,1,1\n3,5,1,1\n", 24, &fault));
    ck_assert_uint_eq(fault.line, 3);
    ck_assert_str_eq(fault.why, "the time does not go on from the sample before");
    recording_clear(&recording);
}
END_TEST

START_TEST(what_the_recorder_has_not_is_none)
{
    double values[RECORDING_CHANNELS];
    int32_t samples[RECORDING_CHANNELS];
    uint32_t qualities[RECORDING_CHANNELS] = {[5] = SV_QUESTIONABLE | 1 << 11};

    begin();
    ck_assert(recording_read(&recording, &cfg,
                             "1,,1,1\n2,,1,1\n3,,1,1\n4,,1,1\n5,,1,\n6,,1,1\n7,,1,1\n8,,1,1\n"
                             "9,,1,1\n",
                             62, &fault));
    recording_at(&recording, time_of(4), values);
    ck_assert(isnan(values[5]) && !isnan(values[0]));
    recording_at(&recording, time_of(1), values);
    ck_assert(!isnan(values[5]));
    recording_sample(&recording, 1, 0, 0, samples, qualities);
    ck_assert_uint_eq(qualities[5], SV_QUESTIONABLE | 1 << 11);
    recording_sample(&recording, 6400, 0, 4, samples, qualities);
    ck_assert_int_eq(samples[5], 0);
    ck_assert_uint_eq(qualities[5], SV_INVALID | 1 << 11);
    ck_assert_uint_eq(qualities[0], 0);
    recording_clear(&recording);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_wave_is_the_same_between_samples);
    tcase_add_test(tests, a_pass_goes_over_to_the_next);
    tcase_add_test(tests, mistakes_are_told_by_line);
    tcase_add_test(tests, what_the_recorder_has_not_is_none);
}

int main(void)
{
    return suite_run("recording", add_tests);
}
