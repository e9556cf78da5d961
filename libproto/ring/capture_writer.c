/* The writing side of a capture ring: see capture.h. Of what the client can write it reads the
 * tail, in believe_tail and capture_writer_was_read, and `waiting`, in client_waits. */
#include "capture.h"

static uint64_t offset_of(const struct capture_writer *writer, uint64_t position)
{
    return position & (writer->memory.size - 1);
}

bool capture_writer_init(struct capture_writer *writer, const struct capture_memory *memory,
                         uint64_t began)
{
    struct capture_control *control = memory->control;

    if (!ring_size_is_right(memory->size))
        return false;
    memset(writer, 0, sizeof *writer);
    writer->memory = *memory;
    control->magic = RING_MAGIC;
    control->version = RING_VERSION;
    control->size = memory->size;
    control->data_offset = memory->data_offset;
    control->length_max = RING_LENGTH_MAX;
    control->began = began;
    return true;
}

/* --- Room ---------------------------------------------------------------------------------- */

/* A tail is somewhere from the last one to what can be read. Both are at most `size` before the
 * head, and so are all between them. */
static void believe_tail(struct capture_writer *writer)
{
    uint64_t tail = RING_LOAD(&writer->memory.page->tail, acquire);

    if (tail - writer->tail <= writer->published - writer->tail)
        writer->tail = tail;
    else
        writer->counts.lies++;
}

static bool fits(const struct capture_writer *writer, uint64_t bytes)
{
    return bytes <= writer->memory.size - (writer->head - writer->tail);
}

/* The tail is looked at only where the last one leaves too little. */
static bool has_room(struct capture_writer *writer, uint64_t bytes)
{
    if (fits(writer, bytes))
        return true;
    believe_tail(writer);
    return fits(writer, bytes);
}

/* --- Records ------------------------------------------------------------------------------- */

static void put_header(struct capture_writer *writer, const struct capture_header *header)
{
    ring_write(writer->memory.data, offset_of(writer, writer->head), header, sizeof *header);
}

static uint64_t payload_of(const struct capture_writer *writer)
{
    return offset_of(writer, writer->head) + sizeof(struct capture_header);
}

/* One that is no frame. There is room for it. */
static void put_record(struct capture_writer *writer, enum capture_kind kind, uint64_t time,
                       const void *payload, uint32_t length)
{
    struct capture_header header = {length, length, writer->sequence, time, (uint16_t)kind, 0, 0};

    put_header(writer, &header);
    ring_write(writer->memory.data, payload_of(writer), payload, length);
    writer->head += capture_record_bytes(length);
}

static uint64_t gap_bytes(const struct capture_writer *writer)
{
    return writer->gap.frames > 0 ? capture_record_bytes(sizeof writer->gap) : 0;
}

/* The frames that it tells of have counted already; its sequence is that of the first. */
static void tell_gap(struct capture_writer *writer)
{
    if (writer->gap.frames == 0)
        return;
    writer->sequence -= writer->gap.frames;
    put_record(writer, CAPTURE_GAP, writer->gap_time, &writer->gap, sizeof writer->gap);
    writer->sequence += writer->gap.frames;
    writer->gap.frames = writer->gap.bytes = 0;
}

static void lose(struct capture_writer *writer, const struct capture_frame *frame)
{
    if (writer->gap.frames == 0)
        writer->gap_time = frame->time;
    writer->gap.frames++;
    writer->gap.bytes += frame->length;
    writer->counts.lost_frames++;
    writer->counts.lost_bytes += frame->length;
    writer->sequence++;
}

/* Writes the frame's header, with a gap before it where there is one. */
static bool begin_frame(struct capture_writer *writer, const struct capture_frame *frame)
{
    bool is_cut = frame->length < frame->original;
    struct capture_header header = {
        frame->length,
        is_cut ? frame->original : frame->length,
        writer->sequence,
        frame->time,
        CAPTURE_FRAME,
        (uint16_t)(frame->flags | (is_cut ? CAPTURE_CUT : 0)),
        0,
    };
    uint64_t bytes = capture_record_bytes(frame->length);

    writer->reserved = 0;
    if (frame->length > RING_LENGTH_MAX || !has_room(writer, gap_bytes(writer) + bytes)) {
        lose(writer, frame);
        return false;
    }
    tell_gap(writer);
    put_header(writer, &header);
    writer->reserved = bytes;
    writer->reserved_length = frame->length;
    return true;
}

unsigned char *capture_writer_reserve(struct capture_writer *writer,
                                      const struct capture_frame *frame)
{
    if (!begin_frame(writer, frame))
        return NULL;
    return ring_place(writer->memory.data, payload_of(writer));
}

void capture_writer_commit(struct capture_writer *writer)
{
    if (writer->reserved == 0)
        return;
    writer->head += writer->reserved;
    writer->reserved = 0;
    writer->sequence++;
    writer->counts.frames++;
    writer->counts.bytes += writer->reserved_length;
}

bool capture_writer_put(struct capture_writer *writer, const struct capture_frame *frame,
                        const void *bytes)
{
    if (!begin_frame(writer, frame))
        return false;
    ring_write(writer->memory.data, payload_of(writer), bytes, frame->length);
    capture_writer_commit(writer);
    return true;
}

bool capture_writer_status(struct capture_writer *writer, uint64_t time,
                           const struct capture_status *status)
{
    writer->reserved = 0;
    if (!has_room(writer, gap_bytes(writer) + capture_record_bytes(sizeof *status)))
        return false;
    tell_gap(writer);
    put_record(writer, CAPTURE_STATUS, time, status, sizeof *status);
    return true;
}

/* --- Publishing ---------------------------------------------------------------------------- */

/* Behind a store that the client should see. */
static bool client_waits(struct capture_writer *writer)
{
    uint64_t waiting;

    RING_FENCE(seq_cst);
    waiting = RING_LOAD(&writer->memory.page->waiting, relaxed);
    if (waiting % 2 == 0 || waiting == writer->rung)
        return false;
    writer->rung = waiting;
    return true;
}

/* Whether there is something new. */
static bool publish(struct capture_writer *writer)
{
    writer->reserved = 0;
    if (writer->gap.frames > 0 && has_room(writer, gap_bytes(writer)))
        tell_gap(writer);
    RING_STORE(&writer->memory.control->offered, writer->sequence, relaxed);
    if (writer->published == writer->head)
        return false;
    RING_STORE(&writer->memory.control->head, writer->head, release);
    writer->published = writer->head;
    return true;
}

bool capture_writer_publish(struct capture_writer *writer)
{
    return publish(writer) && client_waits(writer);
}

/* A lie costs the client what it has not read. */
bool capture_writer_was_read(const struct capture_writer *writer)
{
    return RING_LOAD(&writer->memory.page->tail, relaxed) == writer->published;
}

bool capture_writer_end(struct capture_writer *writer, enum ring_end end)
{
    publish(writer);
    RING_STORE(&writer->memory.control->ended, end, release);
    return client_waits(writer);
}
