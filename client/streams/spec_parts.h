/* What the files of spec.h share. */
#ifndef NB_STREAMS_SPEC_PARTS_H
#define NB_STREAMS_SPEC_PARTS_H

#include "reader.h"

/* All are 0, and those of the neutral what the others make of them. */
void spec_channels_none(struct spec_channels *ret);

bool spec_take_channels(struct reader *reader, const cJSON *item, struct spec_change *change);

/* Of all channels, or of some by name. */
bool spec_take_quality(struct reader *reader, const cJSON *item, struct spec_change *change);

/* One text, or a list of them, is added. */
bool spec_take_flaws(struct reader *reader, const cJSON *item, enum sv_fate fate,
                     struct spec_flaws *ret);

/* An id of a stream, which is a key or a value. */
bool spec_take_id(struct reader *reader, const char *text, char ret[SPEC_ID_MAX + 1]);

/* The highest harmonic; 1: there is none. */
unsigned spec_highest_order(const struct spec_channels *channels);

bool spec_take_stream(struct reader *reader, const cJSON *item, struct spec_stream *ret);

/* `flaws`: NULL where it takes none. */
bool spec_take_change(struct reader *reader, const cJSON *item, struct spec_change *ret,
                      struct spec_flaws *flaws);
bool spec_take_sequence(struct reader *reader, const cJSON *item, struct spec_sequence *ret);

#endif
