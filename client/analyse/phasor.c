#include "phasor.h"

#include <math.h>
#include <string.h>

enum {
    ROUNDS_MAX = 12,  /* to find the frequency */
    SIGNAL_LEAST = 4, /* a channel of less, in steps of its values, is taken for noise */
};

#define TURN    (2 * M_PI)
#define NOTHING 0.01 /* steps of the values: less has no angle */
#define FLAT_SHARE                                                                                 \
    0.46 /* of the sample rate: frequencies below pass the interpolation unchanged                 \
          */

/* Where a cycle is interpolated. */
struct window {
    const struct phasor_history *history;
    double begin;  /* samples; those of the history are whole numbers from 0 on */
    double length; /* of a cycle, samples */
    unsigned points;
};

struct complex_number {
    double real, imaginary;
};

void phasor_begin(struct phasor_history *history, unsigned channels)
{
    history->channels = channels < history->room ? channels : history->room;
    history->end = 0;
}

static double samples_needed(double rate)
{
    return 2 * rate / PHASOR_FREQUENCY_LEAST + 2 * PHASOR_HALF_TAPS + 2;
}

bool phasor_is_ready(const struct phasor_history *history, double rate)
{
    return rate >= PHASOR_RATE_LEAST && samples_needed(rate) <= PHASOR_HISTORY &&
           (double)history->end >= samples_needed(rate);
}

/* --- Interpolation -------------------------------------------------------------------------- */

/* A window of four cosines (Blackman and Harris), by that of the first: its side lobes are 92 dB
 * down. */
static double window_of_cosine(double cosine)
{
    double twice = 2 * cosine * cosine - 1;

    return 0.35875 + 0.48829 * cosine + 0.14128 * twice + 0.01168 * (2 * twice * cosine - cosine);
}

/* How much each of the samples around counts at a point that is `part` behind one of them. Their
 * sum is 1, so that a constant stays one. The angle of the window's cosine is turned from sample to
 * sample. */
static void compute_weights(double part, double weights[2 * PHASOR_HALF_TAPS])
{
    const double step_cosine = cos(M_PI / PHASOR_HALF_TAPS),
                 step_sine = sin(M_PI / PHASOR_HALF_TAPS);
    double distance = part + PHASOR_HALF_TAPS - 1, scale = sin(M_PI * part), sum = 0;
    double cosine = cos(M_PI * distance / PHASOR_HALF_TAPS);
    double sine = sin(M_PI * distance / PHASOR_HALF_TAPS);

    for (unsigned i = 0; i < 2 * PHASOR_HALF_TAPS; i++) {
        double turned = cosine * step_cosine + sine * step_sine;

        scale = -scale;
        weights[i] = scale / distance * window_of_cosine(cosine);
        sum += weights[i];
        sine = sine * step_cosine - cosine * step_sine;
        cosine = turned;
        distance -= 1;
    }
    for (unsigned i = 0; i < 2 * PHASOR_HALF_TAPS; i++)
        weights[i] /= sum;
}

/* The channels [from, to) at this place, which has enough samples on both sides. */
static void interpolate(const struct phasor_history *history, double place, unsigned from,
                        unsigned to, double *ret)
{
    double below = floor(place), weights[2 * PHASOR_HALF_TAPS];
    uint64_t first = (uint64_t)below - PHASOR_HALF_TAPS + 1;

    if (place - below < 1e-9) {
        for (unsigned channel = from; channel < to; channel++)
            ret[channel - from] = phasor_sample(history, (uint64_t)below)[channel];
        return;
    }
    compute_weights(place - below, weights);
    memset(ret, 0, (to - from) * sizeof *ret);
    for (unsigned i = 0; i < 2 * PHASOR_HALF_TAPS; i++) {
        const int32_t *values = phasor_sample(history, first + i);

        for (unsigned channel = from; channel < to; channel++)
            ret[channel - from] += weights[i] * values[channel];
    }
}

/* --- The frequency -------------------------------------------------------------------------- */

/* The newest cycle, or one that is so many cycles older. */
static struct window window_of(const struct phasor_history *history, double rate, double frequency,
                               unsigned older)
{
    struct window window = {history, 0, rate / frequency, PHASOR_POINTS_LEAST};

    while (window.points < window.length && window.points < PHASOR_POINTS_MAX)
        window.points *= 2;
    window.begin = (double)history->end - 1 - PHASOR_HALF_TAPS - (older + 1) * window.length;
    return window;
}

/* The first harmonic of one channel. */
static struct complex_number fundamental(const struct window *window, unsigned channel)
{
    struct complex_number sum = {0, 0};

    for (unsigned i = 0; i < window->points; i++) {
        double value, angle = TURN * i / window->points;

        interpolate(window->history, window->begin + window->length * i / window->points, channel,
                    channel + 1, &value);
        sum.real += value * cos(angle);
        sum.imaginary -= value * sin(angle);
    }
    return sum;
}

/* By how many turns the phase of the newest cycle differs from that of the one before. */
static double turned(const struct phasor_history *history, double rate, double frequency,
                     unsigned channel)
{
    struct window newest = window_of(history, rate, frequency, 0);
    struct window before = window_of(history, rate, frequency, 1);
    struct complex_number one = fundamental(&newest, channel),
                          other = fundamental(&before, channel);

    return atan2(one.imaginary * other.real - one.real * other.imaginary,
                 one.real * other.real + one.imaginary * other.imaginary) /
           TURN;
}

static double limited(double frequency)
{
    return fmin(fmax(frequency, PHASOR_FREQUENCY_LEAST), PHASOR_FREQUENCY_MAX);
}

/* Goes on until another round changes nothing: then a cycle has the length of the signal's, and no
 * harmonic leaks into the first. 0: it does not come to an end, so this is no periodic signal. */
static double find_frequency(const struct phasor_history *history, double rate, double guess,
                             unsigned channel)
{
    double frequency = limited(guess);

    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        double next = frequency * (1 + turned(history, rate, frequency, channel));

        if (fabs(next - frequency) < 1e-6)
            return next;
        if (next != limited(next) && round > ROUNDS_MAX / 2)
            return 0;
        frequency = limited(next);
    }
    return frequency > PHASOR_FREQUENCY_LEAST && frequency < PHASOR_FREQUENCY_MAX ? frequency : 0;
}

/* The channel of the largest alternating part, in the newest samples. False: none has a signal. */
static bool loudest(const struct phasor_history *history, double length, unsigned *ret)
{
    unsigned count = (unsigned)length;
    double most = (double)SIGNAL_LEAST * SIGNAL_LEAST;
    bool found = false;

    for (unsigned channel = 0; channel < history->channels; channel++) {
        double sum = 0, squares = 0, power;

        for (unsigned i = 1; i <= count; i++) {
            double value = phasor_sample(history, history->end - i)[channel];

            sum += value;
            squares += value * value;
        }
        power = squares / count - sum / count * (sum / count);
        if (power <= most)
            continue;
        most = power;
        *ret = channel;
        found = true;
    }
    return found;
}

/* --- Phasors -------------------------------------------------------------------------------- */

static double degrees(double turns)
{
    double angle = 360 * (turns - floor(turns));

    return angle > 180 ? angle - 360 : angle;
}

/* shift: what the first harmonic's angle changes by from the start of the cycle to where angles are
 * told, in turns. */
static void transform(const double *values, unsigned stride, const struct window *window,
                      unsigned order, double shift, const double *cosines,
                      struct phasor_channel *ret)
{
    unsigned points = window->points;
    double squares = 0, harmonics = 0;

    for (unsigned i = 0; i < points; i++)
        squares += values[(size_t)i * stride] * values[(size_t)i * stride];
    ret->rms = sqrt(squares / points);
    for (unsigned h = 0; h <= order; h++) {
        double real = 0, imaginary = 0, scale = (h ? M_SQRT2 : 1) / points;

        for (unsigned i = 0; i < points; i++) {
            unsigned at = h * i % points;

            real += values[(size_t)i * stride] * cosines[at];
            imaginary -= values[(size_t)i * stride] * cosines[(at + 3 * points / 4) % points];
        }
        ret->harmonics[h].magnitude = hypot(real, imaginary) * scale;
        ret->harmonics[h].angle = ret->harmonics[h].magnitude > NOTHING
                                      ? degrees(atan2(imaginary, real) / TURN + h * shift)
                                      : 0;
        harmonics += h > 1 ? ret->harmonics[h].magnitude * ret->harmonics[h].magnitude : 0;
    }
    ret->thd = ret->harmonics[1].magnitude > 1 ? sqrt(harmonics) / ret->harmonics[1].magnitude : 0;
}

static void transform_all(const struct window *window, double shift, struct phasor_work *work,
                          struct phasors *ret)
{
    unsigned channels = window->history->channels;
    double *values = work->values, *cosines = work->cosines;

    for (unsigned i = 0; i < window->points; i++) {
        cosines[i] = cos(TURN * i / window->points);
        interpolate(window->history, window->begin + window->length * i / window->points, 0,
                    channels, values + (size_t)i * channels);
    }
    for (unsigned channel = 0; channel < channels; channel++)
        transform(values + channel, channels, window, ret->order, shift, cosines,
                  &ret->channels[channel]);
}

bool phasor_compute(const struct phasor_history *history, double rate, double nominal, double guess,
                    uint16_t count, struct phasor_work *work, struct phasors *ret)
{
    double frequency = 0, middle;
    struct window window;
    unsigned channel;

    if (!phasor_is_ready(history, rate))
        return false;
    if (loudest(history, rate / nominal, &channel))
        frequency = find_frequency(history, rate, guess > 0 ? guess : nominal, channel);
    ret->frequency = frequency;
    window = window_of(history, rate, frequency > 0 ? frequency : nominal, 0);
    ret->order = (unsigned)fmin(PHASOR_HARMONICS, FLAT_SHARE * window.length);
    /* The middle of the cycle, in seconds from the second that the count begins with. */
    middle = (count - PHASOR_HALF_TAPS - window.length / 2) / rate;
    transform_all(&window, 0.5 - nominal * middle, work, ret);
    return true;
}
