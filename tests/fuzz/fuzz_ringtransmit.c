/* The service's reader of a transmit ring, of a client that does what it likes: any bytes in the
 * ring, indices that go anywhere, and a service that judges what it got. A turn is bounded, a frame
 * fits into a buffer that has no byte more than the limit, and a ring that has ended stays so. */
#include "fuzz.h"
#include "ring/transmit.h"

#include <string.h>

enum { SIZE = RING_SIZE_MIN, STEPS = 16, STEP_BYTES = 4 };

static struct transmit_control control;
static struct transmit_feedback feedback;
static _Alignas(8) unsigned char data[2 * SIZE];

static void make_turn(struct transmit_reader *reader, unsigned char *buffer, const uint8_t *step)
{
    uint32_t records = step[2] % 8, count = 0, limit = reader->memory.length_max;
    struct transmit_frame frame;
    enum transmit_next next;

    if (!transmit_reader_turn(reader, records, 1000)) {
        must(reader->end != RING_GOES_ON, "it says why");
        return;
    }
    while ((next = transmit_reader_next(reader, buffer, &frame)) <= TRANSMIT_REFUSED) {
        must(++count <= records, "a turn has a bound");
        must(next == TRANSMIT_REFUSED || frame.length <= limit, "a frame is not too long");
        must(reader->head - reader->tail <= SIZE, "it stays within the ring");
        transmit_reader_judge(reader, &frame,
                              next == TRANSMIT_FRAME ? step[3] % TRANSMIT_REASON_COUNT
                                                     : frame.reason);
    }
    must(reader->told - reader->heard <= RING_REFUSALS, "refusals have room");
    must((next == TRANSMIT_BROKEN) == (reader->end != RING_GOES_ON), "it has ended where it says");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct transmit_memory memory = {&control, data, SIZE, 4096, 0, &feedback};
    struct transmit_reader reader;
    unsigned char *buffer;
    uint64_t head = 0;

    if (n < 1 + (size_t)STEPS * STEP_BYTES)
        return 0;
    memory.length_max = 14 + *bytes++;
    n -= 1 + (size_t)STEPS * STEP_BYTES;
    memset(data, 0, sizeof data);
    memcpy(data, bytes + (size_t)STEPS * STEP_BYTES, n < SIZE ? n : SIZE);
    memcpy(data + SIZE, data, SIZE);
    memset(&control, 0, sizeof control);
    memset(&feedback, 0, sizeof feedback);
    buffer = malloc(memory.length_max);
    must(transmit_reader_init(&reader, &memory), "it begins");
    for (unsigned step = 0; step < STEPS; step++, bytes += STEP_BYTES) {
        uint64_t by = (uint64_t)(bytes[0] | bytes[1] << 8) % (SIZE + 16);

        head = bytes[3] % 32 == 0 ? head - by : head + (by & ~7u);
        RING_STORE(&control.head, head, release);
        RING_STORE(&control.waiting, bytes[2], relaxed);
        RING_STORE(&control.heard, bytes[3] % 4 ? reader.told : by, relaxed);
        make_turn(&reader, buffer, bytes);
        transmit_reader_release(&reader);
        if (reader.end == RING_GOES_ON)
            head = reader.tail;
    }
    free(buffer);
    return 0;
}
