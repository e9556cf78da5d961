#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_SAMPLES = 1024, /* are written at a time, so that a part always fits into the memory */
    TABLE_BYTES_LEAST = 1 << 16,
};

uint64_t player_table_bytes(const struct sv_frames *frames, uint32_t period)
{
    struct tables tables;
    uint64_t bytes;

    tables_begin(&tables, frames->rate, frames->asdus, period);
    bytes = (uint64_t)tables.capacity * frames->channels * SV_CHANNEL_BYTES;
    return bytes < TABLE_BYTES_LEAST ? TABLE_BYTES_LEAST : bytes;
}

int player_begin(struct player *player, struct nb_inject *inject, const struct sv_frames *frames,
                 const struct sv_samples *source, uint32_t period)
{
    int result;

    *player = (struct player){.inject = inject, .source = *source, .channels = frames->channels};
    tables_begin(&player->tables, frames->rate, frames->asdus, period);
    player->samples = malloc((size_t)PART_SAMPLES * frames->channels * SV_CHANNEL_BYTES);
    if (!player->samples)
        return -ENOMEM;
    result = nb_inject_template(inject, frames->frame, (uint32_t)frames->length, frames->rate);
    if (result <= 0)
        return result < 0 ? result : -ENODATA; /* the memory was empty */
    return nb_inject_publish(inject);
}

void player_clear(struct player *player)
{
    free(player->samples);
    *player = (struct player){.inject = NULL};
}

uint64_t player_change(struct player *player, uint64_t number)
{
    player->is_writing = false; /* it would be of the samples before the change */
    return tables_change(&player->tables, number);
}

void player_end(struct player *player, uint64_t number)
{
    tables_end(&player->tables, number);
}

/* --- Writing ------------------------------------------------------------------------------- */

static void compute(struct player *player, uint32_t count)
{
    size_t length = (size_t)player->channels * SV_CHANNEL_BYTES;
    int32_t values[SV_FRAMES_CHANNELS] = {0};
    uint32_t qualities[SV_FRAMES_CHANNELS] = {0};

    for (uint32_t i = 0; i < count; i++) {
        player->source.take(player->source.context, player->segment.begin + player->written + i,
                            values, qualities);
        for (unsigned channel = 0; channel < player->channels; channel++)
            sv_put_channel(player->samples + i * length, channel, values[channel],
                           qualities[channel]);
    }
}

static int write_samples(struct player *player)
{
    int result = 1;

    while (player->written < player->segment.count && result > 0) {
        uint32_t left = player->segment.count - player->written;
        uint32_t count = left < PART_SAMPLES ? left : PART_SAMPLES;

        compute(player, count);
        result = nb_inject_samples(player->inject, player->segment.first + player->written,
                                   player->samples, count, player->channels * SV_CHANNEL_BYTES);
        if (result > 0)
            player->written += count;
    }
    return result;
}

static int write_stop(struct player *player)
{
    return player->segment.cuts ? nb_inject_stop(player->inject, player->segment.begin) : 1;
}

static int write_play(struct player *player)
{
    const struct table_segment *segment = &player->segment;
    const struct nb_inject_segment play = {
        .begin = segment->begin,
        .first = segment->first,
        .count = segment->count,
        .repeats = segment->is_endless ? 0 : 1,
        .tag = segment->begin,
    };

    return nb_inject_play(player->inject, &play);
}

/* An endless segment has an end of its own where the stream has one. */
static int write_end(struct player *player)
{
    return player->segment.is_endless && player->tables.end != TABLES_NEVER
               ? nb_inject_stop(player->inject, player->tables.end)
               : 1;
}

/* Each step is done once, also where the next one has to wait for room. */
static int write_segment(struct player *player)
{
    static int (*const steps[])(struct player *) = {write_samples, write_stop, write_play,
                                                    write_end};
    int result = 1;

    while (player->step < sizeof steps / sizeof *steps && result > 0) {
        result = steps[player->step](player);
        player->step += result > 0;
    }
    if (result > 0)
        player->is_writing = false;
    return result;
}

int player_feed(struct player *player, uint64_t now)
{
    int result = 1;

    while (result > 0) {
        if (!player->is_writing) {
            if (!tables_next(&player->tables, now, nb_inject_next(player->inject),
                             &player->segment))
                break;
            player->is_writing = true;
            player->step = 0;
            player->written = 0;
        }
        result = write_segment(player);
    }
    return result < 0 ? result : nb_inject_publish(player->inject);
}

bool player_is_fed(const struct player *player)
{
    return player->tables.period == 0;
}

bool player_waits(const struct player *player)
{
    return player->is_writing || (player->tables.cuts && player->tables.next != TABLES_NEVER);
}
