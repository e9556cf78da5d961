/* Channels: magnitudes, angles, harmonics and quality. */
#include "iec61850/sv_words.h"
#include "spec_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANGLE_MAX 1e6
#define NOTHING   1e-6 /* A or V: less than a step of a sample, and not 0 */

#define VOLTS 63508.5
#define AMPS  100.0
#define SIDE  120.0 /* degrees between phases */

const struct sv_layout spec_layout = {SPEC_GROUP, SPEC_GROUP};

static bool is_neutral(unsigned channel)
{
    return channel % SPEC_GROUP == SPEC_GROUP - 1;
}

void spec_channels_none(struct spec_channels *ret)
{
    memset(ret, 0, sizeof *ret);
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        ret->channel[i].is_sum = is_neutral(i);
}

void spec_channels_usual(struct spec_channels *ret)
{
    spec_channels_none(ret);
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        if (!is_neutral(i))
            ret->channel[i].phasor =
                (struct spec_phasor){i < SPEC_GROUP ? AMPS : VOLTS, -SIDE * (i % SPEC_GROUP)};
}

/* --- Quality ------------------------------------------------------------------------------- */

static bool wrong_quality(struct reader *reader)
{
    char list[256] = "";

    for (unsigned i = 0; i < SV_QUALITY_WORDS; i++) {
        size_t length = strlen(list);
        uint32_t bits;

        snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "",
                 sv_quality_word(i, &bits));
    }
    return reader_wrong(
        reader, "takes a number of 32 bits or words with commas between them, of these: %s", list);
}

static bool take_quality(struct reader *reader, const cJSON *item, uint32_t *ret)
{
    uint32_t quality = 0;
    uint64_t number;
    const char *text = cJSON_IsString(item) ? item->valuestring : "";

    if (cJSON_IsNumber(item) || isdigit((unsigned char)text[0])) {
        if (!reader_natural(reader, item, 0, UINT32_MAX, &number))
            return false;
        *ret = (uint32_t)number;
        return true;
    }
    for (;; text++) {
        size_t n = strcspn(text, ",");

        if (!sv_quality_add(text, n, &quality))
            return wrong_quality(reader);
        text += n;
        if (!*text)
            break;
    }
    *ret = quality;
    return true;
}

/* --- A channel ----------------------------------------------------------------------------- */

/* The one that is read: its number is that of its name. */
struct place {
    struct spec_change *change;
    unsigned channel;
};

static struct spec_channel *channel_of(const struct place *place)
{
    return &place->change->channels.channel[place->channel];
}

static bool take_magnitude(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, 0, SPEC_RMS_MAX, &channel_of(context)->phasor.magnitude);
}

static bool take_angle(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, -ANGLE_MAX, ANGLE_MAX, &channel_of(context)->phasor.angle);
}

struct harmonic {
    uint64_t order;
    struct spec_phasor phasor;
};

static bool take_order(struct reader *reader, const cJSON *item, void *context)
{
    struct harmonic *harmonic = context;

    return reader_natural(reader, item, 2, WAVEFORM_ORDER_MAX, &harmonic->order);
}

static bool take_harmonic_magnitude(struct reader *reader, const cJSON *item, void *context)
{
    struct harmonic *harmonic = context;

    return reader_real(reader, item, 0, SPEC_RMS_MAX, &harmonic->phasor.magnitude);
}

static bool take_harmonic_angle(struct reader *reader, const cJSON *item, void *context)
{
    struct harmonic *harmonic = context;

    return reader_real(reader, item, -ANGLE_MAX, ANGLE_MAX, &harmonic->phasor.angle);
}

static bool take_harmonic(struct reader *reader, const cJSON *item, void *context)
{
    static const struct reader_key keys[] = {
        {"order", take_order, true},
        {"magnitude", take_harmonic_magnitude, true},
        {"angleDeg", take_harmonic_angle, false},
    };
    struct harmonic harmonic = {0};

    if (!reader_object(reader, item, keys, sizeof keys / sizeof *keys, &harmonic, NULL))
        return false;
    channel_of(context)->harmonics[harmonic.order] = harmonic.phasor;
    return true;
}

static bool take_harmonics(struct reader *reader, const cJSON *item, void *context)
{
    return reader_list(reader, item, WAVEFORM_ORDER_MAX - 1, "harmonics", take_harmonic, context);
}

static bool take_channel_quality(struct reader *reader, const cJSON *item, void *context)
{
    return take_quality(reader, item, &channel_of(context)->quality);
}

static bool wrong_channel(struct reader *reader)
{
    return reader_wrong(reader,
                        "is no channel: there are Ia, Ib, Ic, In, Va, Vb, Vc and Vn, as 9-2LE has "
                        "them");
}

static bool take_channel(struct reader *reader, const cJSON *item, void *context)
{
    /* In the order of enum spec_given. */
    static const struct reader_key keys[] = {
        {"magnitude", take_magnitude, false},
        {"angleDeg", take_angle, false},
        {"harmonics", take_harmonics, false},
        {"quality", take_channel_quality, false},
    };
    int channel = sv_layout_find(&spec_layout, item->string, strlen(item->string));
    struct place place = {context, (unsigned)channel};
    unsigned given;

    if (channel < 0)
        return wrong_channel(reader);
    if (!reader_object(reader, item, keys, sizeof keys / sizeof *keys, &place, &given))
        return false;
    place.change->given[channel] |= given;
    return true;
}

bool spec_take_channels(struct reader *reader, const cJSON *item, struct spec_change *change)
{
    return reader_names(reader, item, take_channel, change);
}

/* --- Quality beside them ------------------------------------------------------------------- */

static void set_quality(struct spec_change *change, unsigned channel, uint32_t quality)
{
    change->channels.channel[channel].quality = quality;
    change->given[channel] |= SPEC_QUALITY;
}

static bool take_one_quality(struct reader *reader, const cJSON *item, void *context)
{
    int channel = sv_layout_find(&spec_layout, item->string, strlen(item->string));
    uint32_t quality = 0;

    if (channel < 0)
        return wrong_channel(reader);
    if (!take_quality(reader, item, &quality))
        return false;
    set_quality(context, (unsigned)channel, quality);
    return true;
}

bool spec_take_quality(struct reader *reader, const cJSON *item, struct spec_change *change)
{
    uint32_t quality = 0;

    if (cJSON_IsObject(item))
        return reader_names(reader, item, take_one_quality, change);
    if (!take_quality(reader, item, &quality))
        return false;
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        set_quality(change, i, quality);
    return true;
}

/* --- What they mean ------------------------------------------------------------------------ */

void spec_apply(struct spec_channels *channels, const struct spec_change *change)
{
    for (unsigned i = 0; i < SPEC_CHANNELS; i++) {
        struct spec_channel *to = &channels->channel[i];
        const struct spec_channel *from = &change->channels.channel[i];
        unsigned given = change->given[i];

        if (given & SPEC_MAGNITUDE)
            to->phasor.magnitude = from->phasor.magnitude;
        if (given & SPEC_ANGLE)
            to->phasor.angle = from->phasor.angle;
        if (given & SPEC_HARMONICS)
            memcpy(to->harmonics, from->harmonics, sizeof to->harmonics);
        if (given & SPEC_QUALITY)
            to->quality = from->quality;
        if (given & ~(unsigned)SPEC_QUALITY)
            to->is_sum = false;
    }
}

/* Harmonics of a waveform are shares of the fundamental, and turn with it. */
static void convert(const struct spec_channel *channel, struct waveform_channel *ret)
{
    double base = channel->phasor.magnitude > 0 ? channel->phasor.magnitude : NOTHING;

    memset(ret, 0, sizeof *ret);
    ret->is_sum = channel->is_sum;
    ret->rms = channel->phasor.magnitude;
    ret->angle = channel->phasor.angle;
    for (unsigned order = 2; order <= WAVEFORM_ORDER_MAX; order++) {
        const struct spec_phasor *harmonic = &channel->harmonics[order];

        if (harmonic->magnitude > 0) {
            ret->rms = base;
            ret->parts[order] = (struct waveform_part){
                harmonic->magnitude / base, harmonic->angle - channel->phasor.angle * order};
        }
    }
}

void spec_waveform(const struct spec_channels *channels, struct waveform *ret)
{
    ret->layout = spec_layout;
    ret->states = 1;
    ret->state[0].begin = 0;
    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        convert(&channels->channel[i], &ret->state[0].channels[i]);
}

unsigned spec_highest_order(const struct spec_channels *channels)
{
    unsigned highest = 1;

    for (unsigned i = 0; i < SPEC_CHANNELS; i++)
        for (unsigned order = 2; order <= WAVEFORM_ORDER_MAX; order++)
            if (channels->channel[i].harmonics[order].magnitude > 0 && order > highest)
                highest = order;
    return highest;
}
