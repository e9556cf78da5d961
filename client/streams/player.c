#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_SAMPLES = 1024, /* are written at a time, so that a part always fits into the memory */
    TABLE_BYTES_LEAST = 1 << 16,
    PARTS_MAX = 15, /* that wait: the service takes 16 */
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

void player_spoil(struct player *player, const struct sv_flaws *flaws, uint64_t number)
{
    player->flaws = *flaws;
    player->first = number;
}

void player_refused(struct player *player)
{
    player->parts -= player->parts > 0;
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

    if (player->segment.is_there)
        return 1;

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

/* What becomes of this sample's frame, and of how many samples at most. */
static enum nb_inject_how how_of(const struct player *player, uint64_t sample, uint32_t *count)
{
    static const enum nb_inject_how hows[] = {
        [SV_FATE_SEND] = NB_INJECT_SEND,
        [SV_FATE_DROP] = NB_INJECT_DROP,
        [SV_FATE_TWICE] = NB_INJECT_TWICE,
    };
    uint64_t frame = sample / player->tables.asdus, first = player->first / player->tables.asdus;
    uint64_t end = frame < first ? first : sv_fate_end(&player->flaws, frame - first);

    if (frame >= first && end != UINT64_MAX)
        end += first;
    if (end - frame < *count / player->tables.asdus)
        *count = (uint32_t)(end - frame) * player->tables.asdus;
    return frame < first ? NB_INJECT_SEND : hows[sv_fate(&player->flaws, frame - first)];
}

static int write_part(struct player *player)
{
    const struct table_segment *segment = &player->segment;
    struct nb_inject_segment play = {
        .begin = segment->begin + player->put,
        .first = segment->first + player->put,
        .count = segment->count - player->put,
        .repeats = segment->repeats,
        .tag = segment->begin + player->put,
    };
    int result;

    if (player->flaws.count > 0)
        play.how = how_of(player, play.begin, &play.count);
    result = nb_inject_play(player->inject, &play);
    if (result > 0) {
        player->put += play.count;
        player->parts++;
    }
    return result;
}

/* A segment is played as a whole, or in parts, with what is done wrong. */
static int write_play(struct player *player)
{
    int result = 1;

    while (player->put < player->segment.count && result > 0) {
        player->is_full = player->flaws.count > 0 &&
                          player->parts - nb_inject_played(player->inject) >= PARTS_MAX;
        result = player->is_full ? 0 : write_part(player);
    }
    return result;
}

/* One that is repeated goes beyond the stream's end. */
static int write_end(struct player *player)
{
    return player->segment.repeats > 1 && player->tables.next > player->tables.end
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
            player->put = 0;
        }
        result = write_segment(player);
    }
    return result < 0 ? result : nb_inject_publish(player->inject);
}

bool player_is_fed(const struct player *player)
{
    return player->tables.period == 0;
}

/* What is played is over some time later. */
bool player_waits(const struct player *player)
{
    return (player->is_writing && !player->is_full) ||
           (player->tables.cuts && player->tables.next != TABLES_NEVER);
}
