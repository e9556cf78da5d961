/* The encoder. The pending bytes lie behind each other in the buffer. They are moved to its front
 * when there is no room behind them, but only if at least a half of the buffer was consumed before
 * them: so a move is paid for by the bytes that were consumed since the last one. Until then it is
 * full. */
#include "framing.h"

#include <string.h>

size_t framing_encoder_least(enum framing framing, uint32_t limit)
{
    return (size_t)framing_row(framing)->header + framing_cap(framing, limit) + 1;
}

bool framing_encoder_init(struct framing_encoder *encoder, enum framing framing, uint32_t limit,
                          void *buffer, size_t size)
{
    const struct framing_row *row = framing_row(framing);

    if (!row->stream || limit < FRAMING_LIMIT_LEAST || size < framing_encoder_least(framing, limit))
        return false;
    *encoder = (struct framing_encoder){
        .row = row,
        .limit = framing_cap(framing, limit),
        .buffer = buffer,
        .size = size,
    };
    return true;
}

static void move_to_front(struct framing_encoder *encoder)
{
    memmove(encoder->buffer, encoder->buffer + encoder->begin, encoder->end - encoder->begin);
    encoder->end -= encoder->begin;
    encoder->begin = 0;
}

/* Whether another frame and so many bytes fit behind what is pending. */
static bool has_room(struct framing_encoder *encoder, size_t bytes)
{
    if (encoder->frames == FRAMING_BATCH)
        return false;
    if (encoder->size - encoder->end < bytes && encoder->begin >= encoder->size / 2)
        move_to_front(encoder);
    return encoder->size - encoder->end >= bytes;
}

/* What becomes of a frame on this link; how much of it is sent. */
static enum framing_fate judge(const struct framing_encoder *encoder, const unsigned char *frame,
                               size_t *length)
{
    enum framing_fate fate = framing_judge(*length, encoder->limit);
    struct framing_measure measure;

    if (fate != FRAMING_FITS || encoder->row->header > 0)
        return fate;
    if (framing_infer(frame, *length, &measure) != FRAMING_LENGTH || measure.length > *length)
        return FRAMING_UNCARRIED;
    *length = measure.length;
    return FRAMING_FITS;
}

static enum framing_taken refuse(struct framing_encoder *encoder, enum framing_fate fate)
{
    framing_count(&encoder->counts, fate, 0);
    return FRAMING_REFUSED;
}

/* The frame stands behind the place of its header. */
static enum framing_taken put(struct framing_encoder *encoder, size_t length)
{
    uint32_t size = (uint32_t)(encoder->row->header + length);

    encoder->row->put_header(encoder->buffer + encoder->end, (uint32_t)length);
    encoder->sizes[(encoder->first + encoder->frames++) % FRAMING_BATCH] = size;
    encoder->end += size;
    return FRAMING_TAKEN;
}

enum framing_taken framing_encoder_append(struct framing_encoder *encoder, const void *frame,
                                          size_t length)
{
    size_t header = encoder->row->header;
    enum framing_fate fate = judge(encoder, frame, &length);

    if (fate != FRAMING_FITS)
        return refuse(encoder, fate);
    if (!has_room(encoder, header + length))
        return FRAMING_FULL;
    memcpy(encoder->buffer + encoder->end + header, frame, length);
    return put(encoder, length);
}

unsigned char *framing_encoder_reserve(struct framing_encoder *encoder, size_t *ret_size)
{
    size_t header = encoder->row->header;

    *ret_size = (size_t)encoder->limit + 1;
    if (!has_room(encoder, header + *ret_size))
        return NULL;
    return encoder->buffer + encoder->end + header;
}

enum framing_taken framing_encoder_commit(struct framing_encoder *encoder, size_t length)
{
    const unsigned char *frame = encoder->buffer + encoder->end + encoder->row->header;
    enum framing_fate fate = judge(encoder, frame, &length);

    return fate == FRAMING_FITS ? put(encoder, length) : refuse(encoder, fate);
}

const unsigned char *framing_encoder_pending(const struct framing_encoder *encoder,
                                             size_t *ret_size)
{
    *ret_size = encoder->end - encoder->begin;
    return encoder->buffer + encoder->begin;
}

/* Takes the frames from the ring whose last byte was sent. */
static void finish_frames(struct framing_encoder *encoder, size_t sent)
{
    while (encoder->frames > 0 && sent >= encoder->sizes[encoder->first]) {
        uint32_t size = encoder->sizes[encoder->first];

        sent -= size;
        framing_count(&encoder->counts, FRAMING_FITS, size - encoder->row->header);
        encoder->first = (encoder->first + 1) % FRAMING_BATCH;
        encoder->frames--;
    }
    encoder->sent = (uint32_t)sent;
}

void framing_encoder_consume(struct framing_encoder *encoder, size_t n)
{
    finish_frames(encoder, encoder->sent + n);
    encoder->begin += n;
    if (encoder->begin == encoder->end)
        encoder->begin = encoder->end = 0;
}

void framing_encoder_restart(struct framing_encoder *encoder)
{
    encoder->counts.dropped += encoder->frames;
    encoder->begin = encoder->end = 0;
    encoder->frames = 0;
    encoder->sent = 0;
}
