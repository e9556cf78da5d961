/* Phasors of signals that are known: within 0.1 % and 0.1 degrees at any frequency from 45 to 65
 * Hz, with harmonics to the 50th, at each rate of the profiles. */
#include "phasor.h"
#include "suite.h"

#include <math.h>
#include <string.h>

enum { CHANNELS = 8, SAMPLES = 1500, ORDER = 50 };

/* Those of the profiles from 12800 on tell the 50th harmonic of 65 Hz. */
static const double rates[] = {4000, 4800, 5760, 12800, 14400, 15360, 16000};
static int32_t values[PHASOR_HISTORY * CHANNELS];
static struct phasor_channel channels[CHANNELS];
static struct phasor_history history = {.values = values, .room = CHANNELS};
static struct phasors phasors = {.channels = channels};
static struct phasor_work work;

/* A channel: cosines of these root mean squares and angles at the full second. */
struct signal {
    double direct, magnitude[ORDER + 1], degrees[ORDER + 1];
};
static struct signal signals[CHANNELS];

static double value_at(const struct signal *signal, double frequency, double time)
{
    double value = signal->direct;

    for (unsigned h = 1; h <= ORDER; h++)
        if (signal->magnitude[h] > 0)
            value += M_SQRT2 * signal->magnitude[h] *
                     cos(h * 2 * M_PI * frequency * time + signal->degrees[h] * M_PI / 180);
    return value;
}

/* The count of the newest sample. */
static uint16_t generate(double rate, double frequency, unsigned first)
{
    phasor_begin(&history, CHANNELS);
    for (unsigned i = first; i < first + SAMPLES; i++) {
        int32_t *room = phasor_room(&history);

        for (unsigned channel = 0; channel < CHANNELS; channel++)
            room[channel] = (int32_t)lrint(value_at(&signals[channel], frequency, i / rate));
    }
    return (uint16_t)(first + SAMPLES - 1);
}

static double angle_between(double one, double other)
{
    return fabs(remainder(one - other, 360));
}

/* The angle of a harmonic where they are told: the middle of the cycle. */
static double expected_angle(const struct signal *signal, unsigned h, double rate, double frequency,
                             double nominal, uint16_t count)
{
    double middle = (count - PHASOR_HALF_TAPS) / rate - 0.5 / frequency;

    return signal->degrees[h] + 360 * h * (frequency - nominal) * middle;
}

/* Three phases and a neutral of currents, and the same of voltages, in steps of 1 mA and 10 mV. */
static void set_three_phases(void)
{
    memset(signals, 0, sizeof signals);
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        signals[channel].magnitude[1] = channel < 4 ? 100000 : 6350000;
        signals[channel].degrees[1] =
            channel % 4 == 3 ? 45 : -120.0 * (channel % 4) + 10 * (channel > 3);
    }
    signals[3].magnitude[1] = 500;
    signals[7].magnitude[1] = 0;
}

static void assert_phasors(double rate, double frequency, double nominal, uint16_t count,
                           unsigned order)
{
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        const struct signal *signal = &signals[channel];

        for (unsigned h = 1; h <= order; h++) {
            const struct phasor_harmonic *found = &phasors.channels[channel].harmonics[h];
            double magnitude = signal->magnitude[h];
            double angle = expected_angle(signal, h, rate, frequency, nominal, count);

            /* A step of the values is an error, too. */
            ck_assert_msg(fabs(found->magnitude - magnitude) <= 0.001 * magnitude + 0.2,
                          "%g Hz at %g, channel %u, order %u: %.9g and not %g", frequency, rate,
                          channel, h, found->magnitude, magnitude);
            ck_assert_msg(magnitude < 400 || angle_between(found->angle, angle) < 0.1 * sqrt(h),
                          "%g Hz at %g, channel %u, order %u: %.6g and not %g degrees", frequency,
                          rate, channel, h, found->angle, remainder(angle, 360));
        }
    }
}

START_TEST(any_frequency_is_right)
{
    double rate = rates[_i];

    set_three_phases();
    for (unsigned step = 0; step <= 20; step++) {
        double frequency = 45 + step;
        double nominal = frequency < 55 ? 50 : 60;
        uint16_t count = generate(rate, frequency, 1000 + (unsigned)(frequency * 7));

        ck_assert(phasor_compute(&history, rate, nominal, 0, count, &work, &phasors));
        ck_assert_msg(fabs(phasors.frequency - frequency) < 0.0005, "%.9g is not %g",
                      phasors.frequency, frequency);
        assert_phasors(rate, frequency, nominal, count, 1);
        ck_assert(phasors.channels[0].thd < 0.0005);
        ck_assert(fabs(phasors.channels[0].rms - 100000) < 50);
        ck_assert(phasors.channels[7].harmonics[1].magnitude < 0.5);
    }
}
END_TEST

/* A transform of a cycle of the nominal frequency would have them leak into each other. */
START_TEST(harmonics_leak_nowhere)
{
    double rate = rates[_i];

    set_three_phases();
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        for (unsigned h = 2; h <= 25; h++) {
            signals[channel].magnitude[h] = signals[channel].magnitude[1] * 0.2 / h;
            signals[channel].degrees[h] = 17 * h;
        }
    signals[0].direct = 30000;
    for (unsigned step = 0; step <= 8; step++) {
        double frequency = 45 + 2.3 * step;
        double squares = 0;
        uint16_t count = generate(rate, frequency, 77);

        ck_assert(phasor_compute(&history, rate, 50, 0, count, &work, &phasors));
        ck_assert_msg(fabs(phasors.frequency - frequency) < 0.001, "%.9g is not %g",
                      phasors.frequency, frequency);
        assert_phasors(rate, frequency, 50, count, 25);
        ck_assert(fabs(phasors.channels[0].harmonics[0].magnitude - 30000) < 30);
        for (unsigned h = 2; h <= 25; h++)
            squares += 0.2 / h * (0.2 / h);
        ck_assert(fabs(phasors.channels[0].thd - sqrt(squares)) < 0.001);
    }
}
END_TEST

START_TEST(harmonics_to_the_50th)
{
    double rate = rates[3 + _i];

    set_three_phases();
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        for (unsigned h = 2; h <= ORDER; h++) {
            signals[channel].magnitude[h] = signals[channel].magnitude[1] * 0.01;
            signals[channel].degrees[h] = -31 * h;
        }
    for (unsigned step = 0; step <= 8; step++) {
        double frequency = 45 + 2.5 * step;
        uint16_t count = generate(rate, frequency, 4000);

        ck_assert(phasor_compute(&history, rate, 50, 0, count, &work, &phasors));
        ck_assert_uint_eq(phasors.order, ORDER);
        assert_phasors(rate, frequency, 50, count, ORDER);
    }
}
END_TEST

/* What a rate does not have is not told. */
START_TEST(the_order_ends_below_half_the_rate)
{
    set_three_phases();
    ck_assert(phasor_compute(&history, 4000, 50, 0, generate(4000, 50, 0), &work, &phasors));
    ck_assert_uint_eq(phasors.order, 36);
    ck_assert(phasor_compute(&history, 4000, 50, 0, generate(4000, 60, 0), &work, &phasors));
    ck_assert_uint_eq(phasors.order, 30);
}
END_TEST

/* Each of the 20 ms that a cycle may end at, at the ends of the range, over the full second. */
START_TEST(any_place_of_a_cycle_is_right)
{
    static const double frequencies[] = {45, 49.99, 50, 59.3, 60, 65};
    double rate = rates[_i];

    set_three_phases();
    for (unsigned i = 0; i < sizeof frequencies / sizeof *frequencies; i++)
        for (unsigned first = 0; first < 400; first += 37) {
            double nominal = frequencies[i] < 55 ? 50 : 60;
            uint16_t count = generate(rate, frequencies[i], first);

            ck_assert(phasor_compute(&history, rate, nominal, 0, count, &work, &phasors));
            assert_phasors(rate, frequencies[i], nominal, count, 1);
        }
}
END_TEST

START_TEST(angles_stand_still_at_the_nominal_frequency)
{
    set_three_phases();
    for (unsigned first = 0; first < 3000; first += 111) {
        uint16_t count = generate(4800, 60, first);

        ck_assert(phasor_compute(&history, 4800, 60, 60, count, &work, &phasors));
        ck_assert(angle_between(phasors.channels[1].harmonics[1].angle, -120) < 0.01);
        ck_assert(angle_between(phasors.channels[5].harmonics[1].angle, -110) < 0.01);
    }
}
END_TEST

START_TEST(without_a_signal_there_is_no_frequency)
{
    memset(signals, 0, sizeof signals);
    signals[2].direct = 5000;
    signals[3].magnitude[1] = 2;
    ck_assert(phasor_compute(&history, 4000, 50, 0, generate(4000, 50, 0), &work, &phasors));
    ck_assert(phasors.frequency == 0);
    ck_assert(fabs(phasors.channels[2].harmonics[0].magnitude - 5000) < 1);
    ck_assert(fabs(phasors.channels[2].rms - 5000) < 1);
}
END_TEST

/* Noise of any kind gives any numbers, but some, and comes to an end. */
START_TEST(noise_is_no_harm)
{
    uint32_t state = 1;

    phasor_begin(&history, CHANNELS);
    for (unsigned i = 0; i < SAMPLES; i++) {
        int32_t *room = phasor_room(&history);

        for (unsigned channel = 0; channel < CHANNELS; channel++) {
            state = state * 1664525 + 1013904223;
            room[channel] = channel % 2 ? (int32_t)state : i % 100 < 50 ? INT32_MAX : INT32_MIN;
        }
        if (i < 800)
            continue;
        ck_assert(phasor_compute(&history, 4000, 50, phasors.frequency, 7, &work, &phasors));
        ck_assert(isfinite(phasors.frequency));
        for (unsigned channel = 0; channel < CHANNELS; channel++)
            ck_assert(isfinite(phasors.channels[channel].harmonics[1].angle) &&
                      isfinite(phasors.channels[channel].thd));
    }
}
END_TEST

START_TEST(samples_are_needed)
{
    phasor_begin(&history, CHANNELS);
    for (unsigned i = 0; i < 266; i++) {
        ck_assert(!phasor_is_ready(&history, 4000));
        memset(phasor_room(&history), 0, CHANNELS * sizeof *values);
    }
    ck_assert(phasor_is_ready(&history, 4000));
    ck_assert(!phasor_is_ready(&history, 96000)); /* they would not fit */
    ck_assert(!phasor_is_ready(&history, 0));
    ck_assert(!phasor_compute(&history, 96000, 50, 0, 0, &work, &phasors));
}
END_TEST

static void add_tests(TCase *tests)
{
    enum { RATES = sizeof rates / sizeof *rates };

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_frequency_is_right, 0, RATES);
    tcase_add_loop_test(tests, harmonics_leak_nowhere, 0, RATES);
    tcase_add_loop_test(tests, harmonics_to_the_50th, 0, RATES - 3);
    tcase_add_loop_test(tests, any_place_of_a_cycle_is_right, 0, RATES);
    tcase_add_test(tests, the_order_ends_below_half_the_rate);
    tcase_add_test(tests, angles_stand_still_at_the_nominal_frequency);
    tcase_add_test(tests, without_a_signal_there_is_no_frequency);
    tcase_add_test(tests, noise_is_no_harm);
    tcase_add_test(tests, samples_are_needed);
}

int main(void)
{
    return suite_run("phasor", add_tests);
}
