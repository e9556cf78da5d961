#include "sv_frames.h"

#include <string.h>

enum { LENGTH_MAX = 1514, TAG_BYTES = 4 }; /* of Ethernet, without its checksum */

bool sv_frames_begin(struct sv_frames *frames, const struct iec_frame *header,
                     const struct sv_asdu *asdu)
{
    uint8_t samples[SV_FRAMES_CHANNELS * SV_CHANNEL_BYTES] = {0};
    struct sv_message message = {.frame = *header, .asdus = frames->asdus};
    struct iec_fault fault;

    for (unsigned i = 0; i < frames->asdus; i++) {
        message.asdu[i] = *asdu;
        message.asdu[i].sample = samples;
        message.asdu[i].sample_length = (size_t)frames->channels * SV_CHANNEL_BYTES;
    }
    frames->length = sv_encode(&message, frames->frame, sizeof frames->frame);
    if (!frames->length || frames->length > LENGTH_MAX + TAG_BYTES * header->tags ||
        !sv_decode(frames->frame, frames->length, &message, &fault))
        return false;
    sv_locate(&message, frames->frame, frames->places);
    return true;
}

void sv_frames_synch(struct sv_frames *frames, uint8_t smp_synch)
{
    for (unsigned i = 0; i < frames->asdus; i++) {
        const struct sv_places *places = &frames->places[i];
        uint8_t *quality = frames->frame + places->refr_tm + IEC_TIME_BYTES - 1;

        frames->frame[places->smp_synch] = smp_synch;
        if (places->refr_tm)
            *quality = (uint8_t)((*quality & ~IEC_CLOCK_NOT_SYNCHRONIZED) |
                                 (smp_synch ? 0 : IEC_CLOCK_NOT_SYNCHRONIZED));
    }
}

uint8_t sv_frames_synch_of(const struct clock_state *clock)
{
    return clock->is_known && clock->is_synchronized ? SV_LOCAL_CLOCK : SV_NOT_SYNCHRONIZED;
}

/* The last byte of it, the quality, stays. */
static void put_refr_tm(struct sv_frames *frames, const struct sv_places *places, uint64_t sample)
{
    uint8_t *at = frames->frame + places->refr_tm;
    struct iec_time time = {frames->start + sv_sample_due(frames->rate, sample),
                            at[IEC_TIME_BYTES - 1]};

    iec_write_time(time, at);
}

static void put_sample(struct sv_frames *frames, const struct sv_places *places, uint64_t sample,
                       const struct sv_samples *samples)
{
    int32_t values[SV_FRAMES_CHANNELS] = {0};
    uint32_t qualities[SV_FRAMES_CHANNELS] = {0};
    uint16_t count = (uint16_t)(sample % frames->rate);

    samples->take(samples->context, sample, values, qualities);
    frames->frame[places->smp_cnt] = (uint8_t)(count >> 8);
    frames->frame[places->smp_cnt + 1] = (uint8_t)count;
    if (places->refr_tm)
        put_refr_tm(frames, places, sample);
    for (unsigned i = 0; i < frames->channels; i++)
        sv_put_channel(frames->frame + places->sample, i, values[i], qualities[i]);
}

uint64_t sv_frames_next(struct sv_frames *frames, uint64_t number, const struct sv_samples *samples)
{
    uint64_t first = number * frames->asdus;

    for (unsigned i = 0; i < frames->asdus; i++)
        put_sample(frames, &frames->places[i], first + i, samples);
    return sv_sample_due(frames->rate, first + frames->asdus - 1);
}
