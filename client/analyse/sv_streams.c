#include "sv_streams.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1e9

/* --- Memory -------------------------------------------------------------------------------- */

/* Zeros, which cost nothing until they are used. */
bool sv_streams_begin(struct sv_streams *streams)
{
    *streams = (struct sv_streams){.count = 0};
    streams->streams = calloc(SV_STREAMS_MAX, sizeof *streams->streams);
    streams->samples = calloc((size_t)SV_STREAMS_CHANNELS * PHASOR_HISTORY, sizeof(int32_t));
    streams->channels = calloc(SV_STREAMS_CHANNELS, sizeof *streams->channels);
    streams->work = calloc(1, sizeof *streams->work);
    if (streams->streams && streams->samples && streams->channels && streams->work)
        return true;
    sv_streams_end(streams);
    return false;
}

void sv_streams_end(struct sv_streams *streams)
{
    free(streams->streams);
    free(streams->samples);
    free(streams->channels);
    free(streams->work);
    *streams = (struct sv_streams){.count = 0};
}

/* As many channels as its first sample has, of those that are left. */
static void give_room(struct sv_streams *streams, struct sv_stream *stream, unsigned channels)
{
    unsigned left = SV_STREAMS_CHANNELS - streams->used;

    channels = channels < SV_CHANNELS_MAX ? channels : SV_CHANNELS_MAX;
    stream->history.room = channels < left ? channels : left;
    stream->history.values = streams->samples + (size_t)streams->used * PHASOR_HISTORY;
    stream->phasors.channels = streams->channels + streams->used;
    streams->used += stream->history.room;
}

/* --- Which stream -------------------------------------------------------------------------- */

static size_t id_length(const struct sv_asdu *asdu)
{
    return asdu->sv_id.length < SV_ID_MAX ? asdu->sv_id.length : SV_ID_MAX;
}

static bool is_of(const struct sv_stream *stream, const struct sv_message *message,
                  const struct sv_asdu *asdu)
{
    const struct iec_frame *one = &stream->frame, *other = &message->frame;

    return one->app_id == other->app_id && stream->id_length == id_length(asdu) &&
           memcmp(stream->id, asdu->sv_id.bytes, stream->id_length) == 0 &&
           memcmp(one->source, other->source, sizeof one->source) == 0 &&
           memcmp(one->destination, other->destination, sizeof one->destination) == 0 &&
           one->tags == other->tags &&
           memcmp(one->tag, other->tag, one->tags * sizeof *one->tag) == 0;
}

static struct sv_stream *begin_stream(struct sv_streams *streams, const struct sv_message *message,
                                      const struct sv_asdu *asdu)
{
    struct sv_stream *stream;

    if (streams->count == SV_STREAMS_MAX)
        return NULL;
    stream = &streams->streams[streams->count++];
    stream->frame = message->frame;
    stream->frame.apdu = NULL; /* the frame goes */
    stream->id_length = id_length(asdu);
    memcpy(stream->id, asdu->sv_id.bytes, stream->id_length);
    if (streams->rate)
        counting_set_rate(&stream->counting, streams->rate);
    stream->nominal = streams->nominal;
    give_room(streams, stream, sv_channels(asdu));
    return stream;
}

static struct sv_stream *find_stream(struct sv_streams *streams, const struct sv_message *message,
                                     const struct sv_asdu *asdu)
{
    for (unsigned i = 0; i < streams->count; i++)
        if (is_of(&streams->streams[i], message, asdu))
            return &streams->streams[i];
    return begin_stream(streams, message, asdu);
}

/* --- What came ----------------------------------------------------------------------------- */

/* smpRate counts samples a second, or a period of the nominal frequency. */
static void take_rate(struct sv_stream *stream, const struct sv_asdu *asdu)
{
    double rate = asdu->smp_rate;

    if (!asdu->has_smp_rate || stream->counting.rate_is_fixed)
        return;
    if (!asdu->has_smp_mod || asdu->smp_mod == SV_SAMPLES_PER_PERIOD)
        rate *= stream->nominal;
    else if (asdu->smp_mod != SV_SAMPLES_PER_SECOND)
        rate = 0;
    if (rate >= PHASOR_RATE_LEAST)
        counting_set_rate(&stream->counting, (uint32_t)rate);
}

/* A frame that follows the one before without a gap comes a period of its samples later. */
static void take_time(struct sv_stream *stream, uint64_t time, unsigned samples)
{
    uint64_t passed = time - stream->time, due;

    if (!stream->counting.rate || time < stream->time)
        return;
    due = (uint64_t)(samples * NS_PER_SECOND / stream->counting.rate);
    quantiles_take(&stream->jitter, passed > due ? passed - due : due - passed);
}

static void take_optional(struct sv_stream *stream, const struct sv_asdu *asdu)
{
    stream->dat_set_length = asdu->dat_set.length < SV_ID_MAX ? asdu->dat_set.length : SV_ID_MAX;
    if (stream->dat_set_length)
        memcpy(stream->dat_set, asdu->dat_set.bytes, stream->dat_set_length);
    stream->has_refr_tm = asdu->has_refr_tm;
    stream->refr_tm = asdu->refr_tm;
    stream->has_smp_rate = asdu->has_smp_rate;
    stream->smp_rate = asdu->smp_rate;
    stream->has_smp_mod = asdu->has_smp_mod;
    stream->smp_mod = asdu->smp_mod;
    stream->has_gm_identity = asdu->gm_identity != NULL;
    if (asdu->gm_identity)
        memcpy(stream->gm_identity, asdu->gm_identity, SV_GM_IDENTITY_BYTES);
}

static void take_values(struct sv_stream *stream, const struct sv_asdu *asdu, enum counted counted)
{
    unsigned channels = sv_channels(asdu);
    int32_t *room;

    if (counted == COUNTED_REPEATED || counted == COUNTED_LATE)
        return;
    channels = channels < stream->history.room ? channels : stream->history.room;
    if (counted != COUNTED_NEXT || channels != stream->channels)
        phasor_begin(&stream->history, channels);
    stream->channels = channels;
    stream->newest = asdu->smp_cnt;
    room = phasor_room(&stream->history);
    for (unsigned i = 0; i < channels; i++) {
        room[i] = sv_value(asdu, i);
        stream->quality[i] = sv_quality(asdu, i);
    }
}

void sv_streams_take(struct sv_streams *streams, const struct sv_message *message, uint64_t time)
{
    struct sv_stream *stream = NULL;
    bool is_even = true;

    for (unsigned i = 0; i < message->asdus; i++) {
        const struct sv_asdu *asdu = &message->asdu[i];
        enum counted counted;

        if (!stream || !is_of(stream, message, asdu))
            stream = find_stream(streams, message, asdu);
        if (!stream) {
            streams->refused++;
            continue;
        }
        take_rate(stream, asdu);
        is_even = is_even && stream->counting.has_begun;
        counted = counting_take(&stream->counting, asdu->smp_cnt, time);
        is_even = is_even && counted == COUNTED_NEXT;
        take_values(stream, asdu, counted);
        stream->conf_rev = asdu->conf_rev;
        stream->smp_synch = asdu->smp_synch;
        take_optional(stream, asdu);
        stream->is_simulated = iec_is_simulated(&message->frame);
    }
    if (!stream)
        return;
    if (is_even && stream->asdus == message->asdus)
        take_time(stream, time, message->asdus);
    stream->asdus = message->asdus;
    stream->time = time;
    stream->frames++;
}

/* --- Phasors ------------------------------------------------------------------------------- */

/* The profiles have 80 samples a period, or 256; 61869-9 has 4800 a second at either frequency. */
static double first_guess(uint32_t rate)
{
    return rate == 15360 || rate == 5760 ? 60 : 50;
}

bool sv_stream_analyse(const struct sv_streams *streams, struct sv_stream *stream)
{
    double guess = stream->phasors.frequency;

    if (!phasor_is_ready(&stream->history, stream->counting.rate))
        return false;
    if (stream->nominal <= 0)
        stream->nominal = first_guess(stream->counting.rate);
    phasor_compute(&stream->history, stream->counting.rate, stream->nominal, guess, stream->newest,
                   streams->work, &stream->phasors);
    if (streams->nominal > 0 || stream->phasors.frequency <= 0 ||
        (stream->phasors.frequency < 55) == (stream->nominal < 55))
        return true;
    stream->nominal = stream->phasors.frequency < 55 ? 50 : 60;
    return phasor_compute(&stream->history, stream->counting.rate, stream->nominal,
                          stream->phasors.frequency, stream->newest, streams->work,
                          &stream->phasors);
}
