#include "waveform.h"

#include <math.h>
#include <stddef.h>

#define MICRO  1000000 /* parts of a hertz, and of a turn in a second */
#define DEGREE (M_PI / 180)

static void balance(const struct sv_layout *layout, struct waveform_channel *channels,
                    unsigned from, unsigned to, const struct waveform_channel *phase_a)
{
    for (unsigned i = from; i < to; i++) {
        unsigned phase = sv_layout_phase(layout, i);

        channels[i].is_sum = phase == SV_NEUTRAL;
        channels[i].rms = channels[i].is_sum ? 0 : phase_a->rms;
        channels[i].angle = channels[i].is_sum ? 0 : phase_a->angle - 120.0 * phase;
    }
}

void waveform_balance_currents(struct waveform *waveform, unsigned state, double rms, double angle)
{
    balance(&waveform->layout, waveform->state[state].channels, 0, waveform->layout.currents,
            &(struct waveform_channel){.rms = rms, .angle = angle});
}

void waveform_balance_voltages(struct waveform *waveform, unsigned state, double rms, double angle)
{
    balance(&waveform->layout, waveform->state[state].channels, waveform->layout.currents,
            sv_layout_channels(&waveform->layout),
            &(struct waveform_channel){.rms = rms, .angle = angle});
}

int32_t waveform_round(double steps)
{
    if (!(steps > INT32_MIN))
        return INT32_MIN;
    return steps < INT32_MAX ? (int32_t)lrint(steps) : INT32_MAX;
}

/* How far the fundamental has turned: parts of a turn, of which one has MICRO * rate. Whole seconds
 * and the rest of one are taken apart, so that no product is beyond 64 bits. */
static uint64_t turned(const struct waveform *waveform, uint64_t number)
{
    uint64_t turn = (uint64_t)MICRO * waveform->rate;
    uint64_t seconds = number / waveform->rate % MICRO, rest = number % waveform->rate;
    uint64_t whole = seconds * (waveform->microhertz % MICRO) % MICRO * waveform->rate;

    return (whole + rest * waveform->microhertz) % turn;
}

static double compute(const struct waveform_channel *channel, uint64_t at, uint64_t turn)
{
    double sum = 0;

    for (unsigned order = 1; order <= WAVEFORM_ORDER_MAX; order++) {
        const struct waveform_part *part = &channel->parts[order];
        double share = order == 1 ? 1 : part->share;

        if (share != 0)
            sum += share * cos(2 * M_PI * (double)(at * order % turn) / (double)turn +
                               (channel->angle * order + part->angle) * DEGREE);
    }
    return sum * channel->rms * M_SQRT2;
}

unsigned waveform_state(const struct waveform *waveform, uint64_t number)
{
    unsigned state = waveform->states - 1;

    while (state > 0 && waveform->state[state].begin > number)
        state--;
    return state;
}

static int32_t sum_of_three(const int32_t *values)
{
    return waveform_round((double)values[0] + values[1] + values[2]);
}

void waveform_sample(const struct waveform *waveform, uint64_t number, int32_t *values)
{
    uint64_t turn = (uint64_t)MICRO * waveform->rate, at = turned(waveform, number);
    const struct sv_layout *layout = &waveform->layout;
    const struct waveform_state *state = &waveform->state[waveform_state(waveform, number)];

    for (unsigned i = 0; i < sv_layout_channels(layout); i++) {
        const struct waveform_channel *channel = &state->channels[i];

        values[i] = channel->is_sum
                        ? sum_of_three(values + i - SV_NEUTRAL)
                        : waveform_round(compute(channel, at, turn) / sv_layout_step(layout, i));
    }
}
