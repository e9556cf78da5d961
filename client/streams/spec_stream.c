/* A stream, as "create" has it in its payload. */
#include "iec61850/sv_words.h"
#include "spec_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    CONF_REV_USUAL = 1,
    APP_ID_USUAL = 0x4000,
    PRIORITY_USUAL = 4,
    VLAN_MAX = 4094, /* 4095 is reserved: IEEE 802.1Q */
};

#define MICRO       1e6
#define NOMINAL     50.0
#define NOMINAL_LOW 10.0
#define NOMINAL_TOP 400.0
#define SIGNAL_LOW  0.1
#define SIGNAL_TOP  1000.0

struct taking {
    struct spec_stream *stream;
    struct spec_change change;
    double signal; /* Hz; 0: the nominal frequency */
    bool has_channels, is_recorded;
    uint64_t rate, asdus; /* 0: not given */
};

/* --- Keys ---------------------------------------------------------------------------------- */

static struct spec_stream *stream_of(void *context)
{
    return ((struct taking *)context)->stream;
}

static bool take_app_id(struct reader *reader, const cJSON *item, void *context)
{
    uint64_t number = 0;

    if (!reader_natural(reader, item, 0, UINT16_MAX, &number))
        return false;
    stream_of(context)->app_id = (uint16_t)number;
    return true;
}

static bool take_destination(struct reader *reader, const cJSON *item, void *context)
{
    return reader_mac(reader, item, stream_of(context)->destination);
}

static bool take_source(struct reader *reader, const cJSON *item, void *context)
{
    stream_of(context)->has_source = true;
    return reader_mac(reader, item, stream_of(context)->source);
}

static bool take_vlan(struct reader *reader, const cJSON *item, void *context)
{
    uint64_t number = 0;

    if (!reader_natural(reader, item, 0, VLAN_MAX, &number))
        return false;
    stream_of(context)->vlan = (uint16_t)number;
    stream_of(context)->is_tagged = true;
    return true;
}

static bool take_priority(struct reader *reader, const cJSON *item, void *context)
{
    uint64_t number = 0;

    if (!reader_natural(reader, item, 0, 7, &number))
        return false;
    stream_of(context)->priority = (uint16_t)number;
    stream_of(context)->is_tagged = true;
    return true;
}

static bool take_sv_id(struct reader *reader, const cJSON *item, void *context)
{
    return reader_text(reader, item, SPEC_TEXT_MAX, stream_of(context)->sv_id);
}

static bool take_dat_set(struct reader *reader, const cJSON *item, void *context)
{
    return reader_text(reader, item, SPEC_TEXT_MAX, stream_of(context)->dat_set);
}

static bool take_conf_rev(struct reader *reader, const cJSON *item, void *context)
{
    uint64_t number = 0;

    if (!reader_natural(reader, item, 0, UINT32_MAX, &number))
        return false;
    stream_of(context)->conf_rev = (uint32_t)number;
    return true;
}

static bool take_synch(struct reader *reader, const cJSON *item, void *context)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    int found = sv_synch_find(text);
    uint64_t number = 0;

    if (found >= 0 || strcmp(text, "auto") == 0) {
        stream_of(context)->synch = found >= 0 ? found : SPEC_SYNCH_AUTO;
        return true;
    }
    if (!cJSON_IsNumber(item) || !reader_natural(reader, item, 0, SV_SYNCH_MAX, &number))
        return reader_wrong(reader, "takes none, local, global, auto or a number from 0 to %d",
                            SV_SYNCH_MAX);
    stream_of(context)->synch = (int)number;
    return true;
}

static bool take_simulation(struct reader *reader, const cJSON *item, void *context)
{
    return reader_bool(reader, item, &stream_of(context)->is_simulated);
}

static bool take_nominal(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, NOMINAL_LOW, NOMINAL_TOP, &stream_of(context)->nominal);
}

static bool take_signal(struct reader *reader, const cJSON *item, void *context)
{
    return reader_real(reader, item, SIGNAL_LOW, SIGNAL_TOP, &((struct taking *)context)->signal);
}

static bool take_rate(struct reader *reader, const cJSON *item, void *context)
{
    return reader_natural(reader, item, SV_RATE_LEAST, SV_RATE_MAX,
                          &((struct taking *)context)->rate);
}

static bool take_asdus(struct reader *reader, const cJSON *item, void *context)
{
    return reader_natural(reader, item, 1, SV_ASDUS_MAX, &((struct taking *)context)->asdus);
}

static bool take_data_source(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;
    const char *text = cJSON_IsString(item) ? item->valuestring : "";

    taking->is_recorded = strcasecmp(text, "COMTRADE") == 0;
    return taking->is_recorded || strcasecmp(text, "MANUAL") == 0 ||
           reader_wrong(reader, "takes \"MANUAL\", for channels that are given here, or "
                                "\"COMTRADE\", for a recording");
}

static bool take_file(struct reader *reader, const cJSON *item, void *context)
{
    return reader_text(reader, item, SPEC_PATH_MAX, stream_of(context)->file);
}

static bool take_file_channels(struct reader *reader, const cJSON *item, void *context)
{
    return reader_text(reader, item, SPEC_PATH_MAX, stream_of(context)->file_channels);
}

static bool take_loop(struct reader *reader, const cJSON *item, void *context)
{
    return reader_bool(reader, item, &stream_of(context)->loops);
}

static bool take_channels(struct reader *reader, const cJSON *item, void *context)
{
    struct taking *taking = context;

    taking->has_channels = true;
    return spec_take_channels(reader, item, &taking->change);
}

static bool take_quality(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_quality(reader, item, &((struct taking *)context)->change);
}

static bool take_drop(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_flaws(reader, item, SV_FATE_DROP, &stream_of(context)->flaws);
}

static bool take_duplicate(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_flaws(reader, item, SV_FATE_TWICE, &stream_of(context)->flaws);
}

static const struct reader_key keys[] = {
    {"appId", take_app_id, false},
    {"macDst", take_destination, false},
    {"macSrc", take_source, false},
    {"vlanId", take_vlan, false},
    {"vlanPrio", take_priority, false},
    {"svId", take_sv_id, false},
    {"datSet", take_dat_set, false},
    {"confRev", take_conf_rev, false},
    {"smpSynch", take_synch, false},
    {"simulation", take_simulation, false},
    {"nominalFreq", take_nominal, false},
    {"signalFreq", take_signal, false},
    {"sampleRate", take_rate, false},
    {"asdus", take_asdus, false},
    {"dataSource", take_data_source, false},
    {"file", take_file, false},
    {"fileChannels", take_file_channels, false},
    {"loop", take_loop, false},
    {"channels", take_channels, false},
    {"quality", take_quality, false},
    {"drop", take_drop, false},
    {"duplicate", take_duplicate, false},
};
_Static_assert(sizeof keys / sizeof *keys <= READER_KEYS_MAX, "a bit for each key");

/* --- What belongs together ------------------------------------------------------------------ */

static bool pair_rates(struct reader *reader, const struct taking *taking)
{
    struct spec_stream *stream = taking->stream;
    uint64_t rate = taking->rate ? taking->rate : sv_usual_rate(stream->nominal);
    uint64_t asdus = taking->asdus ? taking->asdus : sv_usual_asdus(rate);

    if (rate % asdus)
        return reader_wrong(reader,
                            "asks for %u samples a second, which are no whole number of frames of "
                            "%u samples (asdus), and a full second would not begin with a frame",
                            (unsigned)rate, (unsigned)asdus);
    stream->rate = (uint32_t)rate;
    stream->asdus = (unsigned)asdus;
    return true;
}

static bool judge_source(struct reader *reader, const struct taking *taking)
{
    const struct spec_stream *stream = taking->stream;

    if (taking->is_recorded && !stream->file[0])
        return reader_wrong(reader, "has dataSource COMTRADE and no 'file', which says the path of "
                                    "its .cfg or .cff file");
    if (taking->is_recorded && taking->has_channels)
        return reader_wrong(reader, "has dataSource COMTRADE, whose channels come from the file: "
                                    "'fileChannels' says which is which");
    if (taking->is_recorded && taking->signal > 0)
        return reader_wrong(reader, "has dataSource COMTRADE, whose frequency is that of the file: "
                                    "'signalFreq' is for MANUAL");
    if (!taking->is_recorded && (stream->file[0] || stream->file_channels[0] || stream->loops))
        return reader_wrong(reader, "has a 'file', 'fileChannels' or 'loop' and not dataSource "
                                    "\"COMTRADE\"");
    return true;
}

/* One above half of the sample rate would be seen as another one. */
bool spec_judge_orders(struct spec_error *error, const struct spec_stream *stream,
                       const struct spec_channels *channels)
{
    unsigned order = spec_highest_order(channels);
    double frequency = (double)stream->microhertz / MICRO;

    if (order == 1 || order * frequency < stream->rate / 2.0)
        return true;
    snprintf(error->text, sizeof error->text,
             "the harmonic %u is at %g Hz, and %u samples a second represent less than %g Hz: a "
             "higher sampleRate would be right",
             order, order * frequency, stream->rate, stream->rate / 2.0);
    return false;
}

static void begin(struct spec_stream *stream)
{
    static const uint8_t usual[FRAME_MAC_BYTES] = {0x01, 0x0c, 0xcd, 0x04, 0x00, 0x01};

    memset(stream, 0, sizeof *stream);
    memcpy(stream->destination, usual, sizeof usual);
    stream->app_id = APP_ID_USUAL;
    stream->priority = PRIORITY_USUAL;
    stream->conf_rev = CONF_REV_USUAL;
    stream->nominal = NOMINAL;
}

static void settle_channels(struct taking *taking)
{
    if (taking->has_channels)
        spec_channels_none(&taking->stream->channels);
    else
        spec_channels_usual(&taking->stream->channels);
    spec_apply(&taking->stream->channels, &taking->change);
}

bool spec_take_stream(struct reader *reader, const cJSON *item, struct spec_stream *ret)
{
    struct taking taking = {.stream = ret};
    struct sv_flaws flaws;

    begin(ret);
    if (!reader_object(reader, item, keys, sizeof keys / sizeof *keys, &taking, NULL) ||
        !pair_rates(reader, &taking) || !judge_source(reader, &taking))
        return false;
    ret->microhertz = (uint64_t)((taking.signal > 0 ? taking.signal : ret->nominal) * MICRO + 0.5);
    settle_channels(&taking);
    return spec_judge_orders(reader->error, ret, &ret->channels) &&
           spec_flaws_make(&ret->flaws, ret->rate, ret->asdus, &flaws, reader->error);
}

/* --- A change ------------------------------------------------------------------------------ */

struct changing {
    struct spec_change *change;
    struct spec_flaws *flaws;
};

static bool change_channels(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_channels(reader, item, ((struct changing *)context)->change);
}

static bool change_quality(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_quality(reader, item, ((struct changing *)context)->change);
}

static bool change_drop(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_flaws(reader, item, SV_FATE_DROP, ((struct changing *)context)->flaws);
}

static bool change_duplicate(struct reader *reader, const cJSON *item, void *context)
{
    return spec_take_flaws(reader, item, SV_FATE_TWICE, ((struct changing *)context)->flaws);
}

bool spec_take_change(struct reader *reader, const cJSON *item, struct spec_change *ret,
                      struct spec_flaws *flaws)
{
    static const struct reader_key change_keys[] = {
        {"channels", change_channels, false},
        {"quality", change_quality, false},
        {"drop", change_drop, false},
        {"duplicate", change_duplicate, false},
    };
    struct changing changing = {ret, flaws};

    memset(ret, 0, sizeof *ret);
    return reader_object(reader, item, change_keys, flaws ? 4 : 2, &changing, NULL);
}
