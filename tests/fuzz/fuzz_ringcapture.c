/* The reader of a capture ring, of a writer that does what it likes: any bytes in the ring, and a
 * head that goes anywhere. What it returns lies within what was published; and it stays broken
 * where it was. The first bytes are steps, and the rest is the ring. */
#include "fuzz.h"
#include "ring/capture.h"

#include <string.h>

enum { SIZE = RING_SIZE_MIN, STEPS = 16, STEP_BYTES = 3 };

static struct capture_control control;
static struct capture_page page;
static _Alignas(8) unsigned char data[2 * SIZE];

static void take_all(struct capture_reader *reader, uint64_t head)
{
    struct capture_record record;
    enum capture_next next;
    uint64_t before = reader->next, sum = 0;

    while ((next = capture_reader_next(reader, &record)) == CAPTURE_RECORD) {
        must(reader->next > before && reader->next <= head, "a record is within the published");
        must(record.payload >= data && record.payload + record.header.length <= data + 2 * SIZE,
             "a payload is within the ring");
        for (uint32_t i = 0; i < record.header.length; i++)
            sum += record.payload[i];
        before = reader->next;
    }
    must(next != CAPTURE_NONE || reader->next == head, "it has read all");
    must(next != CAPTURE_BROKEN || reader->end != RING_GOES_ON, "it says why");
    must(next == CAPTURE_NONE || capture_reader_next(reader, &record) == next, "it stays so");
    page.reserved[0] = (unsigned char)sum;
}

/* Mostly some way forward, as a head is. */
static uint64_t step_head(uint64_t head, const uint8_t *step)
{
    uint64_t by = (uint64_t)(step[0] | step[1] << 8) % (SIZE + 16);

    if (step[2] % 16 == 0)
        return head - by;
    return step[2] % 16 == 1 ? by << 48 : head + (by & ~7u);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct capture_reader reader;
    uint64_t head = 0;

    if (n < (size_t)STEPS * STEP_BYTES)
        return 0;
    memset(data, 0, sizeof data);
    for (size_t i = (size_t)STEPS * STEP_BYTES; i < n && i < SIZE; i++)
        data[i - (size_t)STEPS * STEP_BYTES] = bytes[i];
    memcpy(data + SIZE, data, SIZE);
    memset(&page, 0, sizeof page);
    memset(&control, 0, sizeof control);
    control.magic = RING_MAGIC;
    control.version = RING_VERSION;
    control.size = SIZE;
    must(capture_reader_init(&reader, &control, data, SIZE, &page), "it is a ring");
    for (unsigned step = 0; step < STEPS; step++, bytes += STEP_BYTES) {
        head = step_head(head, bytes);
        RING_STORE(&control.head, head, release);
        if (bytes[2] / 16 == 15)
            RING_STORE(&control.ended, bytes[0], release);
        take_all(&reader, head);
        if (bytes[2] & 16)
            capture_reader_release(&reader);
    }
    return 0;
}
