/* The writing side of a transmit ring: see transmit.h. */
#include "transmit.h"

static uint64_t offset_of(const struct transmit_writer *writer, uint64_t position)
{
    return position & (writer->size - 1);
}

bool transmit_writer_init(struct transmit_writer *writer, struct transmit_control *control,
                          ring_data *data, uint64_t mapped,
                          const struct transmit_feedback *feedback)
{
    memset(writer, 0, sizeof *writer);
    writer->control = control;
    writer->data = data;
    writer->feedback = feedback;
    writer->size = mapped;
    writer->length_max = feedback->length_max;
    if (ring_size_is_right(mapped) && feedback->magic == RING_MAGIC &&
        feedback->version == RING_VERSION && feedback->size == mapped &&
        writer->length_max <= RING_LENGTH_MAX)
        return true;
    writer->end = RING_END_LAYOUT;
    return false;
}

/* The number was there when this began, and the service writes it once. */
static bool is_gone(const struct transmit_writer *writer)
{
    return *(const volatile uint32_t *)&writer->feedback->magic != RING_MAGIC;
}

static bool look_for_end(struct transmit_writer *writer)
{
    uint64_t ended = RING_LOAD(&writer->feedback->ended, relaxed);

    if (writer->end == RING_GOES_ON)
        writer->end = ended < RING_END_COUNT ? (enum ring_end)ended : RING_END_CLOSED;
    if (writer->end == RING_GOES_ON && is_gone(writer))
        writer->end = RING_END_GONE;
    return writer->end == RING_GOES_ON;
}

/* False: it has ended, by what the service says or by a tail that cannot be. */
static bool look_for_tail(struct transmit_writer *writer)
{
    uint64_t tail = RING_LOAD(&writer->feedback->tail, acquire);

    if (!look_for_end(writer))
        return false;
    if (tail - writer->tail <= writer->published - writer->tail)
        writer->tail = tail;
    else
        writer->end = RING_END_INDEX;
    return writer->end == RING_GOES_ON;
}

static bool fits(const struct transmit_writer *writer, uint32_t length)
{
    return transmit_record_bytes(length) <= writer->size - (writer->head - writer->tail);
}

static enum transmit_taken begin_frame(struct transmit_writer *writer, uint32_t length,
                                       uint64_t time, uint64_t tag)
{
    struct transmit_header header = {length, 0, tag, time};

    writer->reserved = 0;
    if (length > writer->length_max || transmit_record_bytes(length) > writer->size)
        return TRANSMIT_LONGER;
    if (writer->end != RING_GOES_ON || (!fits(writer, length) && !look_for_tail(writer)))
        return TRANSMIT_ENDED;
    if (!fits(writer, length))
        return TRANSMIT_FULL;
    ring_write(writer->data, offset_of(writer, writer->head), &header, sizeof header);
    writer->reserved = transmit_record_bytes(length);
    return TRANSMIT_TAKEN;
}

static uint64_t payload_of(const struct transmit_writer *writer)
{
    return offset_of(writer, writer->head) + sizeof(struct transmit_header);
}

enum transmit_taken transmit_writer_reserve(struct transmit_writer *writer, uint32_t length,
                                            uint64_t time, uint64_t tag, unsigned char **ret_place)
{
    enum transmit_taken taken = begin_frame(writer, length, time, tag);

    if (taken == TRANSMIT_TAKEN)
        *ret_place = ring_place(writer->data, payload_of(writer));
    return taken;
}

uint64_t transmit_writer_commit(struct transmit_writer *writer)
{
    writer->head += writer->reserved;
    writer->reserved = 0;
    return writer->sequence++;
}

enum transmit_taken transmit_writer_put(struct transmit_writer *writer, const void *bytes,
                                        uint32_t length, uint64_t time, uint64_t tag)
{
    enum transmit_taken taken = begin_frame(writer, length, time, tag);

    if (taken != TRANSMIT_TAKEN)
        return taken;
    ring_write(writer->data, payload_of(writer), bytes, length);
    transmit_writer_commit(writer);
    return TRANSMIT_TAKEN;
}

/* The header is written again, with the type. */
enum transmit_taken transmit_writer_put_record(struct transmit_writer *writer, uint32_t record,
                                               const void *bytes, uint32_t length, uint64_t time,
                                               uint64_t tag)
{
    const struct transmit_header header = {length, record, tag, time};
    enum transmit_taken taken = begin_frame(writer, length, time, tag);

    if (taken != TRANSMIT_TAKEN)
        return taken;
    ring_write(writer->data, offset_of(writer, writer->head), &header, sizeof header);
    if (length > 0)
        ring_write(writer->data, payload_of(writer), bytes, length);
    transmit_writer_commit(writer);
    return TRANSMIT_TAKEN;
}

static bool has_bytes(const struct transmit_writer *writer, uint64_t bytes)
{
    return bytes <= writer->size - (writer->head - writer->tail);
}

enum transmit_taken transmit_writer_has_room(struct transmit_writer *writer, uint64_t bytes)
{
    if (bytes > writer->size)
        return TRANSMIT_LONGER;
    if (writer->end != RING_GOES_ON || (!has_bytes(writer, bytes) && !look_for_tail(writer)))
        return TRANSMIT_ENDED;
    return has_bytes(writer, bytes) ? TRANSMIT_TAKEN : TRANSMIT_FULL;
}

bool transmit_writer_publish(struct transmit_writer *writer)
{
    uint64_t waiting;

    if (writer->published == writer->head)
        return false;
    RING_STORE(&writer->control->head, writer->head, release);
    writer->published = writer->head;
    RING_FENCE(seq_cst);
    waiting = RING_LOAD(&writer->feedback->waiting, relaxed);
    look_for_end(writer);
    if (waiting % 2 == 0 || waiting == writer->rung)
        return false;
    writer->rung = waiting;
    return true;
}

bool transmit_writer_wait(struct transmit_writer *writer, uint32_t length)
{
    writer->waits += 1 + writer->waits % 2;
    RING_STORE(&writer->control->waiting, writer->waits, relaxed);
    RING_FENCE(seq_cst);
    if (look_for_tail(writer) && !fits(writer, length) &&
        RING_LOAD(&writer->feedback->told, relaxed) == writer->heard)
        return true;
    writer->waits++;
    RING_STORE(&writer->control->waiting, writer->waits, relaxed);
    return false;
}

static enum transmit_refusal_reason reason_of(uint32_t number)
{
    return number < TRANSMIT_REASON_COUNT ? (enum transmit_refusal_reason)number : TRANSMIT_KERNEL;
}

/* There are so many places for refusals: more would be read without end. */
static bool could_be_told(struct transmit_writer *writer, uint64_t told)
{
    if (told - writer->heard <= RING_REFUSALS)
        return true;
    look_for_end(writer);
    if (writer->end == RING_GOES_ON)
        writer->end = RING_END_INDEX;
    return false;
}

bool transmit_writer_next_refusal(struct transmit_writer *writer, struct transmit_refusal *ret)
{
    uint64_t told = RING_LOAD(&writer->feedback->told, acquire), what;
    const struct transmit_told *place = &writer->feedback->refusals[writer->heard % RING_REFUSALS];

    if (told == writer->heard || !could_be_told(writer, told))
        return false;
    ret->sequence = RING_GET(place->sequence);
    ret->tag = RING_GET(place->tag);
    what = RING_GET(place->what);
    ret->length = (uint32_t)(what >> 32);
    ret->record = (uint16_t)(what >> 16);
    ret->reason = reason_of((uint16_t)what);
    writer->heard++;
    RING_STORE(&writer->control->heard, writer->heard, release);
    return true;
}

void transmit_writer_counts(const struct transmit_writer *writer, struct transmit_counts *ret)
{
    const struct transmit_feedback *feedback = writer->feedback;

    ret->judged = RING_LOAD(&feedback->judged, relaxed);
    ret->sent = RING_LOAD(&feedback->sent, relaxed);
    ret->sent_bytes = RING_LOAD(&feedback->sent_bytes, relaxed);
    ret->untold = RING_LOAD(&feedback->untold, relaxed);
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        ret->refused[i] = RING_LOAD(&feedback->refused[i], relaxed);
}
