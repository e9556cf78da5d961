#include "layout.h"

#include <string.h>

/* --- Text ---------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned take_number(const char **at, const char *end)
{
    unsigned number = 0;

    for (; *at < end && is_digit(**at); (*at)++)
        number = number > SV_CHANNELS_MAX ? number : number * 10 + (unsigned)(**at - '0');
    return number;
}

/* "I4", or "4I" where numbers stand before. Returns whether it is one. */
static bool take_group(const char **at, const char *end, bool number_first, char *ret_kind,
                       unsigned *ret)
{
    const char *begin;

    if (number_first)
        *ret = take_number(at, end);
    if (*at == end)
        return false;
    *ret_kind = (char)(*(*at)++ & ~0x20);
    begin = *at;
    if (number_first)
        return true;
    *ret = take_number(at, end);
    return *at > begin;
}

bool sv_layout_parse(const char *text, size_t n, struct sv_layout *ret)
{
    const char *at = text, *end = text + n;
    bool number_first = n && is_digit(text[0]);
    struct sv_layout layout = {0, 0};

    for (bool has_voltages = false; at < end;) {
        unsigned count;
        char kind;

        if (!take_group(&at, end, number_first, &kind, &count) || has_voltages)
            return false;
        has_voltages = kind == 'U' || kind == 'V';
        if (!has_voltages && (kind != 'I' || at - text > 4 || layout.currents))
            return false;
        *(has_voltages ? &layout.voltages : &layout.currents) = count;
    }
    if (sv_layout_channels(&layout) == 0 || sv_layout_channels(&layout) > SV_CHANNELS_MAX)
        return false;
    *ret = layout;
    return true;
}

/* --- Channels ------------------------------------------------------------------------------ */

/* How many phases the groups of so many channels have; 0: they are no such groups. */
static unsigned phases_of(unsigned channels)
{
    return channels % 4 == 0 ? 4 : channels % 3 == 0 ? 3 : 0;
}

/* The place of a channel among those of its kind, of which there are *ret_count. */
static unsigned place_of(const struct sv_layout *layout, unsigned channel, unsigned *ret_count)
{
    bool is_current = channel < layout->currents;

    *ret_count = is_current ? layout->currents : layout->voltages;
    return is_current ? channel : channel - layout->currents;
}

/* Up to three digits. Returns what is behind them. */
static char *put_number(char *at, unsigned number)
{
    if (number >= 100)
        *at++ = (char)('0' + number / 100 % 10);
    if (number >= 10)
        *at++ = (char)('0' + number / 10 % 10);
    *at++ = (char)('0' + number % 10);
    return at;
}

void sv_layout_name(const struct sv_layout *layout, unsigned channel, char ret[SV_NAME_BYTES])
{
    unsigned count, place = place_of(layout, channel, &count), phases = phases_of(count);

    if (channel >= sv_layout_channels(layout)) {
        *ret++ = 'c';
        *ret++ = 'h';
        ret = put_number(ret, channel + 1);
    } else {
        *ret++ = channel < layout->currents ? 'I' : 'V';
        if (phases != count)
            ret = put_number(ret, (phases ? place / phases : place) + 1);
        if (phases)
            *ret++ = "abcn"[place % phases];
    }
    *ret = '\0';
}

int sv_layout_find(const struct sv_layout *layout, const char *name, size_t n)
{
    for (unsigned i = 0; i < sv_layout_channels(layout); i++) {
        char text[SV_NAME_BYTES];

        sv_layout_name(layout, i, text);
        if (n == strlen(text) && memcmp(name, text, n) == 0)
            return (int)i;
    }
    return -1;
}

unsigned sv_layout_phase(const struct sv_layout *layout, unsigned channel)
{
    unsigned count, place = place_of(layout, channel, &count), phases = phases_of(count);

    return phases ? place % phases : 0;
}

const char *sv_layout_unit(const struct sv_layout *layout, unsigned channel)
{
    return channel < layout->currents ? "A" : channel < sv_layout_channels(layout) ? "V" : "";
}

double sv_layout_step(const struct sv_layout *layout, unsigned channel)
{
    return channel < layout->currents ? 0.001 : channel < sv_layout_channels(layout) ? 0.01 : 1;
}
