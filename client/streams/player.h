/* One stream of Sampled Values that the service plays (netbroker.h, nb_inject_template): the player
 * makes the template, computes samples ahead of their time and writes them with their segments. */
#ifndef NB_STREAMS_PLAYER_H
#define NB_STREAMS_PLAYER_H

#include "netbroker.h"
#include "sv_flaws.h"
#include "sv_frames.h"
#include "tables.h"

struct player {
    struct nb_inject *inject; /* the caller's */
    struct tables tables;
    struct sv_samples source; /* by numbers of samples since time 0 of the injection */
    struct sv_flaws flaws;    /* of frames from `first` on, the number of a sample; */
    uint64_t first;           /* if there are any, it must be fed */
    uint32_t channels;
    /* The segment that is written: it may have to wait for room. */
    struct table_segment segment;
    uint32_t written; /* samples of it */
    uint32_t put;     /* likewise, that are to be played */
    uint64_t parts;   /* of segments, that were put and not refused */
    bool is_full;     /* as many parts wait as the service takes */
    unsigned step;    /* that is to be done */
    bool is_writing;
    uint8_t *samples; /* of a part of it */
};

/* Begins with a template. Nothing is played before player_change. `period`: see tables_period.
 * Returns 0 or a negative errno, as nb_inject_template does, or -ENOMEM. The table that the
 * injection was opened with has player_table_bytes. */
int player_begin(struct player *player, struct nb_inject *inject, const struct sv_frames *frames,
                 const struct sv_samples *source, uint32_t period);
void player_clear(struct player *player);

/* Bytes of the table that a stream needs. */
uint64_t player_table_bytes(const struct sv_frames *frames, uint32_t period);

/* From this sample on the source gives other samples than before, or the first. Returns the sample,
 * rounded up to a frame. */
uint64_t player_change(struct player *player, uint64_t number);

/* These frames are left out or sent twice, counted from this sample on: it is one of player_change,
 * or was. */
void player_spoil(struct player *player, const struct sv_flaws *flaws, uint64_t number);

/* A part of a segment was refused. */
void player_refused(struct player *player);

/* The stream ends with this sample, which is not sent. */
void player_end(struct player *player, uint64_t number);

/* Writes what is due. `now`: the number of the sample that is due. Returns 0 or a negative errno:
 * -ENODATA: the injection has ended. */
int player_feed(struct player *player, uint64_t now);

/* Whether it must be fed again and again, or once for each change. */
bool player_is_fed(const struct player *player);

/* Whether something waits for room: feed it again soon. */
bool player_waits(const struct player *player);

#endif
