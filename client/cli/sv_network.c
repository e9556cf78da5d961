/* The network that `sv publish` generates: its options become the states of a waveform. */
#include "publish.h"
#include "subscribe.h"

#include <stdlib.h>
#include <string.h>

#define MICRO 1e6

enum { CURRENTS = 0, VOLTAGES = WAVEFORM_GROUP };

static const char names[WAVEFORM_CHANNELS][3] = {"Ia", "Ib", "Ic", "In", "Va", "Vb", "Vc", "Vn"};

int sv_channel(const char *name, size_t n)
{
    for (int i = 0; i < WAVEFORM_CHANNELS; i++)
        if (n == strlen(names[i]) && memcmp(name, names[i], n) == 0)
            return i;
    return -1;
}

/* --- Phasors ------------------------------------------------------------------------------- */

static bool set_phasor(struct waveform_channel *group, const char *text)
{
    static const char phases[] = "abcn";
    const char *phase = *text ? strchr(phases, *text) : NULL;
    double numbers[2] = {0};

    phase = phase && text[1] == '=' ? phase : NULL;
    if (!publish_reals(phase ? text + 2 : text, 1, 2, numbers) || numbers[0] < 0 ||
        numbers[0] > 1e7)
        return false;
    if (!phase) {
        waveform_balance(group, numbers[0], numbers[1]);
        return true;
    }
    group[phase - phases].is_sum = false;
    group[phase - phases].rms = numbers[0];
    group[phase - phases].angle = numbers[1];
    return true;
}

static bool take_phasors(const struct command_line *line, const char *option,
                         struct waveform_channel *group)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, option, i)); i++)
        if (!set_phasor(group, text))
            return publish_wrong(line, option,
                                 "'%s' is no phasor: root mean square up to 10000000 and angle in "
                                 "degrees, such as 100:-30, or of one phase a=100:-30.",
                                 text);
    return true;
}

/* --- Harmonics ----------------------------------------------------------------------------- */

/* Whether a name such as "I", "V" or "Ia" is that of the channel; "": each has it. */
static bool is_of(const char *name, size_t n, unsigned channel)
{
    return n == 0 || (n <= 2 && memcmp(name, names[channel], n) == 0);
}

static bool set_harmonic(struct waveform_channel *channels, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    double numbers[3] = {0};
    unsigned order, found = 0;

    if (!publish_reals(equals ? equals + 1 : text, 2, 3, numbers) || numbers[0] < 2 ||
        numbers[0] > WAVEFORM_ORDER_MAX || numbers[1] < 0 || numbers[1] > 1000)
        return false;
    order = (unsigned)numbers[0];
    for (unsigned i = 0; i < WAVEFORM_CHANNELS; i++) {
        if (!is_of(text, n, i))
            continue;
        channels[i].parts[order] = (struct waveform_part){numbers[1] / 100, numbers[2]};
        found++;
    }
    return order == numbers[0] && found && (!equals || n);
}

/* A harmonic above half of the sample rate would be seen as another one. */
static bool is_below_half(const struct command_line *line, const struct waveform *waveform,
                          const char *text)
{
    const char *equals = strchr(text, '=');
    double order = strtod(equals ? equals + 1 : text, NULL);

    return order * (double)waveform->microhertz < waveform->rate * MICRO / 2 ||
           publish_wrong(line, "harmonics",
                         "the harmonic %g is at %g Hz, and %u samples a second tell less than %g "
                         "Hz: a higher --sample-rate would be right.",
                         order, order * (double)waveform->microhertz / MICRO, waveform->rate,
                         waveform->rate / 2.0);
}

static bool take_harmonics(const struct command_line *line, struct waveform *waveform)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, "harmonics", i)); i++) {
        if (!set_harmonic(waveform->state[0].channels, text))
            return publish_wrong(line, "harmonics",
                                 "'%s' is no harmonic: order from 2 to %d, percent and angle, such "
                                 "as 5:10:30, or of some channels I=5:10 or Va=5:10.",
                                 text, WAVEFORM_ORDER_MAX);
        if (!is_below_half(line, waveform, text))
            return false;
    }
    return true;
}

/* --- A fault ------------------------------------------------------------------------------- */

static bool take_fault(const struct command_line *line, struct waveform *waveform)
{
    static const char *const others[] = {"fault_duration", "fault_currents", "fault_voltages"};
    struct waveform_state *fault = &waveform->state[1];
    double at = 0, duration = 0;

    if (!command_line_flag(line, "fault_at")) {
        for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
            if (command_line_flag(line, others[i]))
                return publish_wrong(line, others[i],
                                     "when the fault begins is not told: --fault-at says it.");
        return true;
    }
    if (!command_line_flag(line, "fault_currents") && !command_line_flag(line, "fault_voltages"))
        return publish_wrong(line, "fault_at",
                             "what the fault is is not told: --fault-currents or --fault-voltages "
                             "says it.");
    if (!subscribe_number(line, "fault_at", 0, 1e8, &at) ||
        !subscribe_number(line, "fault_duration", 0.0001, 1e8, &duration))
        return false;
    *fault = waveform->state[0];
    fault->begin = (uint64_t)(at * waveform->rate + 0.5);
    waveform->states = 2;
    if (duration > 0) {
        waveform->state[2] = waveform->state[0];
        waveform->state[2].begin = (uint64_t)((at + duration) * waveform->rate + 0.5);
        waveform->states = 3;
    }
    return take_phasors(line, "fault_currents", fault->channels + CURRENTS) &&
           take_phasors(line, "fault_voltages", fault->channels + VOLTAGES);
}

bool sv_network(const struct command_line *line, double frequency, uint32_t rate,
                struct waveform *ret)
{
    struct waveform_channel *channels = ret->state[0].channels;

    memset(ret, 0, sizeof *ret);
    if (!subscribe_number(line, "signal_frequency", 0.1, 1000, &frequency))
        return false;
    ret->rate = rate;
    ret->microhertz = (uint64_t)(frequency * MICRO + 0.5);
    ret->states = 1;
    waveform_balance(channels + CURRENTS, 100, 0);
    waveform_balance(channels + VOLTAGES, 63508.5, 0);
    return take_phasors(line, "currents", channels + CURRENTS) &&
           take_phasors(line, "voltages", channels + VOLTAGES) && take_harmonics(line, ret) &&
           take_fault(line, ret);
}
