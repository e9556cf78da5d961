/* The reading side of a capture ring: see capture.h. The client need not trust what it reads to be
 * safe: positions and lengths are checked as the writer's are. */
#include "capture.h"

bool capture_reader_init(struct capture_reader *reader, const struct capture_control *control,
                         const ring_data *data, uint64_t mapped, struct capture_page *page)
{
    uint64_t tail = RING_LOAD(&page->tail, relaxed);

    memset(reader, 0, sizeof *reader);
    reader->control = control;
    reader->data = data;
    reader->page = page;
    reader->size = mapped;
    reader->head = reader->next = reader->released = tail;
    reader->waits = RING_LOAD(&page->waiting, relaxed);
    reader->has_begun = tail == 0;
    if (ring_size_is_right(mapped) && control->magic == RING_MAGIC &&
        control->version == RING_VERSION && control->size == mapped)
        return true;
    reader->end = RING_END_LAYOUT;
    reader->is_broken = true;
    return false;
}

/* The number was there when this began, and the service writes it once. */
static bool is_gone(const struct capture_reader *reader)
{
    return *(const volatile uint32_t *)&reader->control->magic != RING_MAGIC;
}

static enum capture_next gone(struct capture_reader *reader)
{
    reader->end = RING_END_GONE;
    return CAPTURE_ENDED;
}

static enum capture_next broken(struct capture_reader *reader, enum ring_end end)
{
    if (is_gone(reader))
        return gone(reader);
    reader->end = end;
    reader->is_broken = true;
    return CAPTURE_BROKEN;
}

static uint64_t payload_at_least(enum capture_kind kind)
{
    switch (kind) {
    case CAPTURE_GAP:
        return sizeof(struct capture_gap);
    case CAPTURE_STATUS:
        return sizeof(struct capture_status);
    case CAPTURE_FRAME:
        break;
    }
    return 0;
}

bool capture_header_fits(const struct capture_header *header, uint64_t published)
{
    return header->kind != 0 && header->length <= RING_LENGTH_MAX &&
           header->length <= header->original &&
           header->length >= payload_at_least((enum capture_kind)header->kind) &&
           capture_record_bytes(header->length) <= published;
}

/* The sequence of the frame that comes next, as this record says. */
static uint64_t sequence_behind(const struct capture_reader *reader, uint64_t at,
                                const struct capture_header *header)
{
    struct capture_gap gap;

    if (header->kind == CAPTURE_FRAME)
        return header->sequence + 1;
    if (header->kind != CAPTURE_GAP)
        return header->sequence;
    ring_read(reader->data, at + sizeof *header, &gap, sizeof gap);
    return header->sequence + gap.frames;
}

static bool look_for_head(struct capture_reader *reader)
{
    reader->head = RING_LOAD(&reader->control->head, acquire);
    return reader->head % RING_ALIGN == 0 && reader->head - reader->released <= reader->size &&
           reader->head - reader->next <= reader->head - reader->released;
}

static enum capture_next take(struct capture_reader *reader, struct capture_record *ret)
{
    uint64_t at = reader->next & (reader->size - 1), published = reader->head - reader->next;

    if (published < sizeof ret->header)
        return broken(reader, RING_END_RECORD);
    ring_read(reader->data, at, &ret->header, sizeof ret->header);
    if (!capture_header_fits(&ret->header, published))
        return broken(reader, RING_END_RECORD);
    ret->payload = ring_place_const(reader->data, at + sizeof ret->header);
    reader->sequence = sequence_behind(reader, at, &ret->header);
    reader->has_begun = true;
    reader->next += capture_record_bytes(ret->header.length);
    return CAPTURE_RECORD;
}

/* What was published before the end can be seen when the end can. */
enum capture_next capture_reader_next(struct capture_reader *reader, struct capture_record *ret)
{
    uint64_t ended;

    if (reader->end != RING_GOES_ON)
        return reader->is_broken ? CAPTURE_BROKEN : CAPTURE_ENDED;
    if (reader->next != reader->head)
        return take(reader, ret);
    ended = RING_LOAD(&reader->control->ended, acquire);
    if (!look_for_head(reader))
        return broken(reader, RING_END_INDEX);
    if (reader->next != reader->head)
        return take(reader, ret);
    if (ended == RING_GOES_ON)
        return is_gone(reader) ? gone(reader) : CAPTURE_NONE;
    reader->end = ended < RING_END_COUNT ? (enum ring_end)ended : RING_END_CLOSED;
    if (reader->has_begun)
        reader->untold = RING_LOAD(&reader->control->offered, relaxed) - reader->sequence;
    return CAPTURE_ENDED;
}

void capture_reader_release(struct capture_reader *reader)
{
    if (reader->released == reader->next)
        return;
    reader->released = reader->next;
    RING_STORE(&reader->page->tail, reader->next, release);
}

bool capture_reader_wait(struct capture_reader *reader)
{
    reader->waits += 1 + reader->waits % 2;
    RING_STORE(&reader->page->waiting, reader->waits, relaxed);
    RING_FENCE(seq_cst);
    if (RING_LOAD(&reader->control->head, relaxed) == reader->next &&
        RING_LOAD(&reader->control->ended, relaxed) == RING_GOES_ON)
        return true;
    reader->waits++;
    RING_STORE(&reader->page->waiting, reader->waits, relaxed);
    return false;
}
