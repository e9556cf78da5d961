/* Samples are what the formula gives for their number, after hours as in the first second. */
#include "suite.h"
#include "waveform.h"

#include <math.h>
#include <string.h>

static struct waveform waveform;
static int32_t values[SV_CHANNELS_MAX];

static void begin(uint32_t rate, uint64_t microhertz)
{
    memset(&waveform, 0, sizeof waveform);
    waveform.rate = rate;
    waveform.microhertz = microhertz;
    waveform.states = 1;
    waveform.layout = (struct sv_layout){4, 4};
    waveform_balance_currents(&waveform, 0, 100, -30);
    waveform_balance_voltages(&waveform, 0, 63508.5, 0);
}

/* In long double, which has digits enough for hours. */
static double right(double rms, double degrees, uint64_t number, double share)
{
    long double turns = (long double)waveform.microhertz * (long double)number /
                        ((long double)waveform.rate * 1000000.0L);

    turns -= floorl(turns);
    return (double)(share * rms * M_SQRT2 * cosl(2 * M_PIl * turns + degrees * M_PIl / 180));
}

static void agrees(uint64_t number)
{
    waveform_sample(&waveform, number, values);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_double_le(fabs(values[i] - 1e3 * right(100, -30 - 120.0 * i, number, 1)), 0.6);
        ck_assert_double_le(fabs(values[4 + i] - 1e2 * right(63508.5, -120.0 * i, number, 1)), 0.6);
    }
    ck_assert_int_eq(values[3], values[0] + values[1] + values[2]);
}

START_TEST(nothing_drifts)
{
    static const uint64_t frequencies[] = {50000000, 60000000, 49950000, 45123457, 65000001};
    static const uint32_t rates[] = {4000, 4800, 12800, 14400, 65535};

    for (unsigned f = 0; f < 5; f++)
        for (unsigned r = 0; r < 5; r++) {
            begin(rates[r], frequencies[f]);
            for (uint64_t hour = 0; hour < 100000; hour = 3 * hour + 1)
                for (uint64_t i = 0; i < 50; i++)
                    agrees(hour * 3600 * rates[r] + i * 37);
        }
}
END_TEST

START_TEST(harmonics_are_added)
{
    begin(4800, 50000000);
    waveform.state[0].channels[0].parts[5] = (struct waveform_part){0.1, 20};
    for (uint64_t i = 0; i < 200; i++) {
        double fifth = 0.1 * 100 * M_SQRT2 *
                       cos(2 * M_PI * 50 * 5 * (double)i / 4800 + (5 * -30 + 20) * M_PI / 180);

        waveform_sample(&waveform, i, values);
        ck_assert_double_le(fabs(values[0] - 1e3 * (right(100, -30, i, 1) + fifth)), 0.6);
    }
}
END_TEST

START_TEST(states_begin_with_their_sample)
{
    begin(4000, 50000000);
    waveform.states = 3;
    for (unsigned i = 1; i < 3; i++) {
        waveform.state[i] = waveform.state[0];
        waveform.state[i].begin = 80 * i;
        waveform_balance_currents(&waveform, i, 1000.0 * i, 0);
    }
    ck_assert_uint_eq(waveform_state(&waveform, 79), 0);
    ck_assert_uint_eq(waveform_state(&waveform, 80), 1);
    ck_assert_uint_eq(waveform_state(&waveform, 1000), 2);
    waveform_sample(&waveform, 79, values);
    ck_assert_int_lt(values[0], 142000);
    waveform_sample(&waveform, 80, values);
    ck_assert_int_eq(values[0], 1414214);
    waveform_sample(&waveform, 160, values);
    ck_assert_int_eq(values[0], 2828427);
}
END_TEST

/* Several networks in a sample, and groups without a neutral. */
START_TEST(layouts_have_phases)
{
    begin(4800, 60000000);
    waveform.layout = (struct sv_layout){8, 3};
    waveform_balance_currents(&waveform, 0, 10, 20);
    waveform_balance_voltages(&waveform, 0, 1000, -5);
    for (uint64_t number = 0; number < 100; number++) {
        waveform_sample(&waveform, number, values);
        for (unsigned i = 0; i < 3; i++) {
            double current = 1e3 * right(10, 20 - 120.0 * i, number, 1);

            ck_assert_double_le(fabs(values[i] - current), 0.6);
            ck_assert_double_le(fabs(values[4 + i] - current), 0.6);
            ck_assert_double_le(fabs(values[8 + i] - 1e2 * right(1000, -5 - 120.0 * i, number, 1)),
                                0.6);
        }
        ck_assert_int_eq(values[7], values[4] + values[5] + values[6]);
    }
}
END_TEST

START_TEST(too_much_is_the_most)
{
    begin(4000, 50000000);
    waveform_balance_currents(&waveform, 0, 1e7, 0);
    waveform_sample(&waveform, 0, values);
    ck_assert_int_eq(values[0], INT32_MAX);
    ck_assert_int_eq(waveform_round(-1e300), INT32_MIN);
    ck_assert_int_eq(waveform_round(NAN), INT32_MIN);
    ck_assert_int_eq(waveform_round(-0.6), -1);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, nothing_drifts);
    tcase_add_test(tests, harmonics_are_added);
    tcase_add_test(tests, states_begin_with_their_sample);
    tcase_add_test(tests, layouts_have_phases);
    tcase_add_test(tests, too_much_is_the_most);
}

int main(void)
{
    return suite_run("waveform", add_tests);
}
