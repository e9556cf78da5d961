/* Records of a stream whose frames the service makes, of a client that writes what it likes,
 * between turns of the thread that sends. What is sent is the template that was taken last, with
 * samples out of the table, and nothing grows beyond its room. The table and each record are in
 * memory that has no byte more. */
#include "fuzz.h"
#include "resources/inject/template_ring.h"

#include <string.h>

enum { TABLE = 4096, STEP = 1 + 1 + 2 + 8 + 8, RATE = 4000 };

static struct timed timed;
static struct template_ring *ring;
static uint64_t now;

static enum transmit_refusal_reason take(int fd, const unsigned char *bytes, uint32_t length)
{
    struct sv_message message;
    struct iec_fault fault;

    (void)fd;
    must(sv_decode(bytes, length, &message, &fault), "what is sent is a frame");
    must(message.asdus == ring->shape.asdus, "with its ASDUs");
    must(message.asdu[0].sample_length == ring->shape.sample_length, "with its samples");
    return TRANSMIT_SENT;
}

static void run_for(uint64_t ns)
{
    for (uint64_t end = now + ns, turns = 0; now < end && turns < 300; turns++) {
        uint64_t until = timed_turn(&timed, now, now + 1000000000);

        if (until > now)
            now = until < end ? until : end;
        must(ring->template.count <= TEMPLATE_SEGMENTS, "segments have room");
    }
}

static uint64_t number(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

/* type, how long to run, length (2), time (8), tag (8), and the record. Returns how much it was. */
static size_t make_step(const uint8_t *bytes, size_t n)
{
    struct transmit_frame record = {.record = 1 + bytes[0] % (STREAM_RECORD_COUNT - 1),
                                    .time = number(bytes + 4),
                                    .tag = number(bytes + 12)};
    unsigned char *copy;

    record.length = (uint32_t)(bytes[2] | bytes[3] << 8) % 2048;
    if (record.length > n - STEP)
        record.length = (uint32_t)(n - STEP);
    copy = malloc(record.length);
    if (record.length > 0)
        memcpy(copy, bytes + STEP, record.length);
    if (template_ring_has_room(ring, now))
        template_ring_take(ring, &record, copy, bytes[0] & 0x40);
    free(copy);
    must(ring->put - timed_template_played(&ring->template) <= TEMPLATE_SEGMENTS,
         "segments are few");
    if (bytes[0] & 0x80)
        template_ring_publish(ring);
    run_for((uint64_t)(bytes[1] % 64) * 1000000);
    return STEP + record.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct timed_config config = {.rate = RATE, .late = 1000000, .start = 2000000000};
    unsigned char *table, *exact = calloc(1, TABLE);

    memset(&timed, 0, sizeof timed);
    now = 1;
    ring = template_ring_make(&timed, &config, TABLE);
    table = ring->table;
    ring->table = exact;
    ring->template.table = exact;
    template_ring_join(ring, 3, take, now);
    for (size_t used; n >= STEP; bytes += used, n -= used)
        used = make_step(bytes, n);
    while (!template_ring_leave(ring))
        timed_turn(&timed, now, now);
    ring->table = table;
    template_ring_free(ring);
    free(exact);
    return 0;
}
