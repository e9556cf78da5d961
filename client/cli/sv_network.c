/* The network that `sv publish` generates: its options become the states of a waveform. */
#include "sv_publish.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MICRO 1e6

/* --- Numbers ------------------------------------------------------------------------------- */

/* Numbers with colons between them, at least `least` of them. Returns how many; 0: there are others
 * than so many. */
static unsigned read_reals(const char *text, unsigned least, unsigned most, double *ret)
{
    unsigned count = 0;

    for (;;) {
        char *end;

        if (count == most || (!isdigit((unsigned char)*text) && !strchr("+-.", *text)) || !*text)
            return 0;
        ret[count] = strtod(text, &end);
        if (end == text || !isfinite(ret[count]) || (*end && *end != ':'))
            return 0;
        count++;
        if (!*end)
            return count >= least ? count : 0;
        text = end + 1;
    }
}

/* --- Phasors ------------------------------------------------------------------------------- */

/* Currents, or voltages, of one state. */
struct group {
    struct waveform *waveform;
    unsigned state;
    bool is_voltages;
};

static bool is_in(const struct group *group, unsigned channel)
{
    return (channel >= group->waveform->layout.currents) == group->is_voltages;
}

static void balance(const struct group *group, double rms, double angle)
{
    (group->is_voltages ? waveform_balance_voltages
                        : waveform_balance_currents)(group->waveform, group->state, rms, angle);
}

/* Whether the name, of n characters, is that of the channel, or of its phase: a to c, and n. */
static bool is_named(const struct group *group, const char *name, size_t n, unsigned channel)
{
    const struct sv_layout *layout = &group->waveform->layout;

    if (n == 1 && is_in(group, channel))
        return name[0] == "abcn"[sv_layout_phase(layout, channel)];
    return is_in(group, channel) && sv_layout_find(layout, name, n) == (int)channel;
}

static bool set_named(const struct group *group, const char *name, size_t n,
                      const double numbers[2])
{
    struct waveform_channel *channels = group->waveform->state[group->state].channels;
    unsigned found = 0;

    for (unsigned i = 0; i < sv_layout_channels(&group->waveform->layout); i++) {
        if (!is_named(group, name, n, i))
            continue;
        channels[i].is_sum = false;
        channels[i].rms = numbers[0];
        channels[i].angle = numbers[1];
        found++;
    }
    return found > 0;
}

static bool set_phasor(const struct group *group, const char *text)
{
    const char *equals = strchr(text, '=');
    double numbers[2] = {0};

    if (!read_reals(equals ? equals + 1 : text, 1, 2, numbers) || numbers[0] < 0 ||
        numbers[0] > 1e7)
        return false;
    if (equals)
        return set_named(group, text, (size_t)(equals - text), numbers);
    balance(group, numbers[0], numbers[1]);
    return true;
}

static bool take_phasors(const struct command_line *line, const char *option,
                         struct waveform *waveform, unsigned state)
{
    const struct group group = {waveform, state, strstr(option, "voltages") != NULL};
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, option, i)); i++)
        if (!set_phasor(&group, text))
            return publish_wrong(line, option,
                                 "'%s' is no phasor: root mean square up to 10000000 and angle in "
                                 "degrees, such as 100:-30, or of one phase a=100:-30, or of one "
                                 "channel.",
                                 text);
    return true;
}

/* --- Harmonics ----------------------------------------------------------------------------- */

/* Whether a name such as "I", "V" or "Ia" is that of the channel; "": each has it. */
static bool is_of(const struct sv_layout *layout, const char *name, size_t n, unsigned channel)
{
    char own[SV_NAME_BYTES];

    sv_layout_name(layout, channel, own);
    return n == 0 || (n == 1 && name[0] == own[0]) || (n == strlen(own) && !memcmp(name, own, n));
}

static bool set_harmonic(struct waveform *waveform, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : 0;
    double numbers[3] = {0};
    unsigned order, found = 0;

    if (!read_reals(equals ? equals + 1 : text, 2, 3, numbers) || numbers[0] < 2 ||
        numbers[0] > WAVEFORM_ORDER_MAX || numbers[1] < 0 || numbers[1] > 1000)
        return false;
    order = (unsigned)numbers[0];
    for (unsigned i = 0; i < sv_layout_channels(&waveform->layout); i++) {
        if (!is_of(&waveform->layout, text, n, i))
            continue;
        waveform->state[0].channels[i].parts[order] =
            (struct waveform_part){numbers[1] / 100, numbers[2]};
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
                         "the harmonic %g is at %g Hz, and %u samples a second represent less than "
                         "%g Hz: a higher --sample-rate would be right.",
                         order, order * (double)waveform->microhertz / MICRO, waveform->rate,
                         waveform->rate / 2.0);
}

static bool take_harmonics(const struct command_line *line, struct waveform *waveform)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, "harmonics", i)); i++) {
        if (!set_harmonic(waveform, text))
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
    static const char *const others[] = {"fault_duration", "fault_currents", "fault_voltages",
                                         "fault_quality"};
    struct waveform_state *fault = &waveform->state[SV_FAULT_STATE];
    double at = 0, duration = 0;

    if (!command_line_flag(line, "fault_at")) {
        for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
            if (command_line_flag(line, others[i]))
                return publish_wrong(line, others[i],
                                     "when the fault begins is not told: --fault-at says it.");
        return true;
    }
    if (!command_line_flag(line, "fault_currents") && !command_line_flag(line, "fault_voltages") &&
        !command_line_flag(line, "fault_quality"))
        return publish_wrong(line, "fault_at",
                             "what the fault is is not told: --fault-currents, --fault-voltages or "
                             "--fault-quality says it.");
    if (!command_line_real(line, "fault_at", 0, 1e8, &at) ||
        !command_line_real(line, "fault_duration", 0.0001, 1e8, &duration))
        return false;
    *fault = waveform->state[0];
    fault->begin = (uint64_t)(at * waveform->rate + 0.5);
    waveform->states = 2;
    if (duration > 0) {
        waveform->state[2] = waveform->state[0];
        waveform->state[2].begin = (uint64_t)((at + duration) * waveform->rate + 0.5);
        waveform->states = 3;
    }
    return take_phasors(line, "fault_currents", waveform, SV_FAULT_STATE) &&
           take_phasors(line, "fault_voltages", waveform, SV_FAULT_STATE);
}

bool sv_network(const struct command_line *line, const struct sv_layout *layout, double frequency,
                uint32_t rate, struct waveform *ret)
{
    memset(ret, 0, sizeof *ret);
    if (!command_line_real(line, "signal_frequency", 0.1, 1000, &frequency))
        return false;
    ret->rate = rate;
    ret->layout = *layout;
    ret->microhertz = (uint64_t)(frequency * MICRO + 0.5);
    ret->states = 1;
    waveform_balance_currents(ret, 0, 100, 0);
    waveform_balance_voltages(ret, 0, 63508.5, 0);
    return take_phasors(line, "currents", ret, 0) && take_phasors(line, "voltages", ret, 0) &&
           take_harmonics(line, ret) && take_fault(line, ret);
}
