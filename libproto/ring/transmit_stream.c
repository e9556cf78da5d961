/* How far the stream of a transmit ring is, both sides of it: see transmit.h. */
#include "transmit.h"

void transmit_reader_progress(struct transmit_reader *reader,
                              const struct stream_progress *progress)
{
    struct stream_page *page = &reader->memory.feedback->stream;

    RING_STORE(&page->next, progress->next, relaxed);
    RING_STORE(&page->starved, progress->starved, relaxed);
    RING_STORE(&page->dropped, progress->dropped, relaxed);
    RING_STORE(&page->played, progress->played, release);
}

static void read_page(const struct stream_page *page, struct stream_progress *ret)
{
    ret->played = RING_LOAD(&page->played, acquire);
    ret->next = RING_LOAD(&page->next, relaxed);
    ret->starved = RING_LOAD(&page->starved, relaxed);
    ret->dropped = RING_LOAD(&page->dropped, relaxed);
}

void transmit_reader_stream(const struct transmit_reader *reader, struct stream_progress *ret)
{
    read_page(&reader->memory.feedback->stream, ret);
}

void transmit_writer_progress(const struct transmit_writer *writer, struct stream_progress *ret)
{
    read_page(&writer->feedback->stream, ret);
}
