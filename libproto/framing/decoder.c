/* The decoder. The buffer is at least twice as large as a frame with its header (a unit), so:
 *
 * - The bytes are moved to the front only when less than a half of the buffer is free behind them
 *   and at least a quarter was consumed before them. A move is thus paid for by the bytes that were
 *   consumed since the last one, and there is none a frame.
 * - Where they are not moved for lack of consumed bytes, the frame that begins in the first quarter
 *   ends in the third: it fits. */
#include "framing.h"

#include <string.h>

size_t framing_decoder_least(enum framing framing, uint32_t limit)
{
    return 2 * ((size_t)framing_row(framing)->header + framing_cap(framing, limit));
}

bool framing_decoder_init(struct framing_decoder *decoder, enum framing framing, uint32_t limit,
                          void *buffer, size_t size)
{
    const struct framing_row *row = framing_row(framing);

    if (!row->stream || limit < FRAMING_LIMIT_LEAST || size < framing_decoder_least(framing, limit))
        return false;
    *decoder = (struct framing_decoder){
        .row = row,
        .limit = framing_cap(framing, limit),
        .buffer = buffer,
        .size = size,
    };
    return true;
}

static void move_to_front(struct framing_decoder *decoder)
{
    memmove(decoder->buffer, decoder->buffer + decoder->begin, decoder->end - decoder->begin);
    decoder->end -= decoder->begin;
    decoder->begin = 0;
}

unsigned char *framing_decoder_room(struct framing_decoder *decoder, size_t *ret_size)
{
    if (decoder->begin == decoder->end)
        decoder->begin = decoder->end = 0;
    else if (decoder->size - decoder->end < decoder->size / 2 &&
             decoder->begin >= decoder->size / 4)
        move_to_front(decoder);
    *ret_size = decoder->size - decoder->end;
    return decoder->buffer + decoder->end;
}

void framing_decoder_filled(struct framing_decoder *decoder, size_t n)
{
    decoder->end += n;
}

/* Passes over the bytes of a skipped frame that are here. */
static void skip(struct framing_decoder *decoder)
{
    size_t here = decoder->end - decoder->begin;
    size_t n = here < decoder->skip ? here : decoder->skip;

    decoder->begin += n;
    decoder->skip -= (uint32_t)n;
}

static enum framing_next take(struct framing_decoder *decoder, size_t length,
                              struct framing_frame *ret)
{
    const struct framing_row *row = decoder->row;
    enum framing_fate fate = framing_judge(length, decoder->limit);

    if (fate == FRAMING_FITS && decoder->end - decoder->begin < row->header + length)
        return FRAMING_MORE;
    framing_count(&decoder->counts, fate, length);
    decoder->begin += row->header;
    *ret = (struct framing_frame){.length = length};
    if (fate != FRAMING_FITS) {
        decoder->skip = (uint32_t)length;
        skip(decoder);
        return FRAMING_SKIPPED;
    }
    ret->bytes = decoder->buffer + decoder->begin;
    decoder->begin += length;
    return FRAMING_FRAME;
}

enum framing_next framing_decoder_next(struct framing_decoder *decoder, struct framing_frame *ret)
{
    struct framing_measure measure;

    if (decoder->fault.why)
        return FRAMING_BROKEN;
    if (decoder->skip > 0)
        skip(decoder);
    switch (decoder->row->measure(decoder->buffer + decoder->begin, decoder->end - decoder->begin,
                                  &measure)) {
    case FRAMING_LENGTH:
        return take(decoder, measure.length, ret);
    case FRAMING_SHORT:
        return FRAMING_MORE;
    case FRAMING_UNKNOWN:
        decoder->fault = measure;
        break;
    }
    return FRAMING_BROKEN;
}

bool framing_decoder_is_within(const struct framing_decoder *decoder)
{
    return decoder->skip > 0 || decoder->begin < decoder->end;
}

void framing_decoder_restart(struct framing_decoder *decoder)
{
    decoder->begin = decoder->end = 0;
    decoder->skip = 0;
    decoder->fault = (struct framing_measure){0};
}
