/* The reading side of a transmit ring: see transmit.h. Whatever the client writes, this reads
 * within the ring, and not more than a turn. It reads of the client's memory: head, waiting and
 * heard, once a look; a header, once; a frame, once. */
#include "transmit.h"

bool transmit_reader_init(struct transmit_reader *reader, const struct transmit_memory *memory)
{
    struct transmit_feedback *feedback = memory->feedback;

    if (!ring_size_is_right(memory->size) || memory->length_max > RING_LENGTH_MAX)
        return false;
    memset(reader, 0, sizeof *reader);
    reader->memory = *memory;
    feedback->magic = RING_MAGIC;
    feedback->version = RING_VERSION;
    feedback->size = memory->size;
    feedback->data_offset = memory->data_offset;
    feedback->length_max = memory->length_max;
    return true;
}

/* --- The end ------------------------------------------------------------------------------- */

static bool client_waits(struct transmit_reader *reader)
{
    uint64_t waiting;

    RING_FENCE(seq_cst);
    waiting = RING_LOAD(&reader->memory.control->waiting, relaxed);
    if (waiting % 2 == 0 || waiting == reader->rung)
        return false;
    reader->rung = waiting;
    return true;
}

static void set_end(struct transmit_reader *reader, enum ring_end end)
{
    reader->end = end;
    RING_STORE(&reader->memory.feedback->ended, end, relaxed);
}

bool transmit_reader_end(struct transmit_reader *reader, enum ring_end end)
{
    if (reader->end == RING_GOES_ON)
        set_end(reader, end);
    return client_waits(reader);
}

static enum transmit_next broken(struct transmit_reader *reader, enum ring_end end)
{
    set_end(reader, end);
    return TRANSMIT_BROKEN;
}

/* --- A turn -------------------------------------------------------------------------------- */

bool transmit_reader_turn(struct transmit_reader *reader, uint32_t records, uint64_t bytes)
{
    uint64_t head = RING_LOAD(&reader->memory.control->head, acquire);

    if (reader->end != RING_GOES_ON)
        return false;
    if (head - reader->tail > reader->memory.size || head % RING_ALIGN != 0) {
        set_end(reader, RING_END_INDEX);
        return false;
    }
    reader->head = head;
    reader->records = records;
    reader->bytes = bytes;
    return true;
}

static void charge(struct transmit_reader *reader, uint64_t bytes)
{
    reader->records--;
    reader->bytes -= bytes < reader->bytes ? bytes : reader->bytes;
}

static enum transmit_refusal_reason judge_header(const struct transmit_reader *reader,
                                                 const struct transmit_header *header)
{
    if (header->length > reader->memory.length_max)
        return TRANSMIT_TOO_LONG;
    if (!reader->has_records)
        return header->flags != 0 ? TRANSMIT_FLAGS : TRANSMIT_SENT;
    return header->flags - 1 < STREAM_RECORD_COUNT - 1 ? TRANSMIT_SENT : TRANSMIT_FLAGS;
}

/* Takes the record whose header was copied to here and is right. */
static enum transmit_next take(struct transmit_reader *reader, const struct transmit_header *header,
                               unsigned char *buffer, struct transmit_frame *ret)
{
    uint64_t at = reader->tail & (reader->memory.size - 1);

    ret->position = reader->tail;
    ret->sequence = reader->sequence++;
    ret->tag = header->tag;
    ret->time = header->time;
    ret->length = header->length;
    ret->reason = judge_header(reader, header);
    ret->record = reader->has_records ? (uint16_t)header->flags : 0;
    reader->tail += transmit_record_bytes(header->length);
    charge(reader, transmit_record_bytes(header->length));
    if (ret->reason != TRANSMIT_SENT)
        return TRANSMIT_REFUSED;
    ring_read(reader->memory.data, at + sizeof *header, buffer, header->length);
    return TRANSMIT_FRAME;
}

enum transmit_next transmit_reader_next(struct transmit_reader *reader, unsigned char *buffer,
                                        struct transmit_frame *ret)
{
    uint64_t published = reader->head - reader->tail;
    struct transmit_header header;

    if (reader->end != RING_GOES_ON)
        return TRANSMIT_BROKEN;
    if (published == 0)
        return TRANSMIT_NONE;
    if (reader->records == 0 || reader->bytes == 0)
        return TRANSMIT_TURN_OVER;
    if (published < sizeof header)
        return broken(reader, RING_END_RECORD);
    ring_read(reader->memory.data, reader->tail & (reader->memory.size - 1), &header,
              sizeof header);
    if (transmit_record_bytes(header.length) > published)
        return broken(reader, RING_END_RECORD);
    return take(reader, &header, buffer, ret);
}

void transmit_reader_back(struct transmit_reader *reader, const struct transmit_frame *frame)
{
    reader->tail = frame->position;
    reader->sequence = frame->sequence;
    reader->records = 0;
}

/* --- What became of frames ----------------------------------------------------------------- */

/* How many refusals the client has read: not more than were told, nor less than before. */
static void look_for_heard(struct transmit_reader *reader)
{
    uint64_t heard = RING_LOAD(&reader->memory.control->heard, acquire);

    if (heard - reader->heard <= reader->told - reader->heard)
        reader->heard = heard;
}

static void tell(struct transmit_reader *reader, const struct transmit_frame *frame,
                 enum transmit_refusal_reason reason)
{
    struct transmit_told *place = &reader->memory.feedback->refusals[reader->told % RING_REFUSALS];

    if (reader->told - reader->heard == RING_REFUSALS)
        look_for_heard(reader);
    if (reader->told - reader->heard == RING_REFUSALS) {
        reader->counts.untold++;
        return;
    }
    RING_SET(place->sequence, frame->sequence);
    RING_SET(place->tag, frame->tag);
    RING_SET(place->what, (uint64_t)frame->length << 32 | frame->record << 16 | reason);
    reader->told++;
}

void transmit_reader_judge(struct transmit_reader *reader, const struct transmit_frame *frame,
                           enum transmit_refusal_reason reason)
{
    reader->counts.judged++;
    if (reason == TRANSMIT_SENT) {
        reader->counts.sent++;
        reader->counts.sent_bytes += frame->length;
        return;
    }
    reader->counts.refused[reason]++;
    tell(reader, frame, reason);
}

void transmit_reader_tell(struct transmit_reader *reader)
{
    struct transmit_feedback *feedback = reader->memory.feedback;
    const struct transmit_counts *counts = &reader->counts;

    RING_STORE(&feedback->sent, counts->sent, relaxed);
    RING_STORE(&feedback->sent_bytes, counts->sent_bytes, relaxed);
    RING_STORE(&feedback->untold, counts->untold, relaxed);
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        RING_STORE(&feedback->refused[i], counts->refused[i], relaxed);
    RING_STORE(&feedback->told, reader->told, release);
    RING_STORE(&feedback->judged, counts->judged, relaxed);
    RING_STORE(&feedback->tail, reader->tail, release);
}

bool transmit_reader_release(struct transmit_reader *reader)
{
    transmit_reader_tell(reader);
    return client_waits(reader);
}

bool transmit_reader_wait(struct transmit_reader *reader)
{
    struct transmit_feedback *feedback = reader->memory.feedback;

    reader->waits += 1 + reader->waits % 2;
    RING_STORE(&feedback->waiting, reader->waits, relaxed);
    RING_FENCE(seq_cst);
    if (reader->end == RING_GOES_ON &&
        RING_LOAD(&reader->memory.control->head, relaxed) == reader->tail)
        return true;
    reader->waits++;
    RING_STORE(&feedback->waiting, reader->waits, relaxed);
    return false;
}
