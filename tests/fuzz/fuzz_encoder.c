/* The encoder of framings, driven by the bytes: whatever is appended and however it is written in
 * parts, a decoder reads the frames that were taken, whole and in order. */
#include "framing/framing.h"
#include "fuzz.h"

#include <string.h>

enum { FRAME_MOST = 4200, HEADERS = 30 };

struct taken {
    size_t length;
    uint8_t bytes[FRAME_MOST];
};

struct world {
    const uint8_t *bytes;
    size_t left;
    enum framing framing;
    uint32_t limit;
    struct framing_encoder encoder;
    struct framing_decoder decoder;
    unsigned char *in;
    struct taken *taken; /* and not yet read: a ring of FRAMING_BATCH */
    unsigned first, count;
    uint64_t read, dropped;
};

static uint8_t next(struct world *world)
{
    if (world->left == 0)
        return 0;
    world->left--;
    return *world->bytes++;
}

/* --- Frames -------------------------------------------------------------------------------- */

static size_t make_frame(struct world *world, uint8_t *frame)
{
    size_t length = next(world);

    length = (length | (size_t)next(world) << 8) % (world->limit + 10);
    memset(frame, next(world), FRAME_MOST);
    for (size_t i = 0; i < HEADERS && world->left > 0; i++)
        frame[i] = next(world);
    return length;
}

/* What arrives of a frame: unframed, without its padding. */
static size_t length_on_wire(const struct world *world, const uint8_t *frame, size_t length)
{
    struct framing_measure measure;

    if (length < FRAME_LEAST || length > world->limit)
        return 0;
    if (world->framing != FRAMING_UNFRAMED)
        return length;
    if (framing_infer(frame, length, &measure) != FRAMING_LENGTH || measure.length > length)
        return 0;
    return measure.length;
}

static void note(struct world *world, const uint8_t *frame, size_t length, enum framing_taken taken)
{
    size_t arrives = length_on_wire(world, frame, length);
    struct taken *last = &world->taken[(world->first + world->count) % FRAMING_BATCH];

    must(arrives > 0 || taken == FRAMING_REFUSED, "what does not fit is refused");
    must(arrives == 0 || taken != FRAMING_REFUSED, "what fits is not refused");
    must(taken != FRAMING_FULL || world->count > 0, "with nothing pending it is not full");
    if (taken != FRAMING_TAKEN)
        return;
    must(world->count < FRAMING_BATCH, "a batch has its most");
    last->length = arrives;
    memcpy(last->bytes, frame, arrives);
    world->count++;
}

/* --- Operations ---------------------------------------------------------------------------- */

static void do_append(struct world *world)
{
    uint8_t frame[FRAME_MOST], *exact;
    size_t length = make_frame(world, frame);

    exact = malloc(length ? length : 1);
    memcpy(exact, frame, length);
    note(world, frame, length, framing_encoder_append(&world->encoder, exact, length));
    free(exact);
}

static void do_commit(struct world *world)
{
    uint8_t frame[FRAME_MOST];
    size_t length = make_frame(world, frame), size;
    unsigned char *place = framing_encoder_reserve(&world->encoder, &size);

    must(place || world->count > 0, "with nothing pending there is room");
    if (!place)
        return;
    must(size == world->limit + 1, "there is room for one byte too many");
    length = length < size ? length : size;
    memcpy(place, frame, length);
    note(world, frame, length, framing_encoder_commit(&world->encoder, length));
}

static void receive(struct world *world)
{
    struct framing_frame frame = {0};
    enum framing_next result;

    while ((result = framing_decoder_next(&world->decoder, &frame)) == FRAMING_FRAME) {
        struct taken *taken = &world->taken[world->first];

        must(world->count > 0, "no more frames than were taken");
        must(frame.length == taken->length && memcmp(frame.bytes, taken->bytes, frame.length) == 0,
             "frames are what was taken");
        world->first = (world->first + 1) % FRAMING_BATCH;
        world->count--;
        world->read++;
    }
    must(result == FRAMING_MORE, "what is written is right");
}

static void do_write(struct world *world)
{
    size_t size, room, n = next(world);
    const unsigned char *bytes = framing_encoder_pending(&world->encoder, &size);

    must((size > 0) == (world->count > 0), "bytes are pending where frames are");
    n *= 1 + next(world) % 64;
    n = n < size ? n : size;
    for (size_t at = 0; at < n;) {
        unsigned char *place = framing_decoder_room(&world->decoder, &room);
        size_t some = n - at < room ? n - at : room;

        memcpy(place, bytes + at, some);
        framing_decoder_filled(&world->decoder, some);
        at += some;
        receive(world);
    }
    framing_encoder_consume(&world->encoder, n);
}

static void begin_decoder(struct world *world)
{
    must(framing_decoder_init(&world->decoder, world->framing, world->limit, world->in,
                              framing_decoder_least(world->framing, world->limit)),
         "the least is enough for the decoder");
}

static void do_restart(struct world *world)
{
    world->dropped += world->count;
    world->count = 0;
    framing_encoder_restart(&world->encoder);
    begin_decoder(world);
}

static void (*const operations[])(struct world *world) = {
    do_append, do_append, do_commit, do_commit, do_write, do_write, do_write, do_restart,
};

static void run(struct world *world)
{
    while (world->left > 0) {
        operations[next(world) % (sizeof operations / sizeof *operations)](world);
        must(world->encoder.counts.frames == world->read, "what was read is counted");
        must(world->encoder.counts.dropped == world->dropped, "what was dropped is counted");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const enum framing streams[] = {FRAMING_U16LE, FRAMING_U16BE, FRAMING_U32BE,
                                           FRAMING_UNFRAMED};
    static struct taken ring[FRAMING_BATCH];
    struct world world = {.bytes = bytes, .left = n, .taken = ring};
    unsigned char *out;
    size_t size;

    world.framing = streams[next(&world) % 4];
    world.limit = FRAMING_LIMIT_LEAST + 16U * next(&world);
    size = framing_encoder_least(world.framing, world.limit) + 20U * next(&world);
    out = malloc(size);
    world.in = malloc(framing_decoder_least(world.framing, world.limit));
    must(framing_encoder_init(&world.encoder, world.framing, world.limit, out, size),
         "the least is enough for the encoder");
    begin_decoder(&world);
    run(&world);
    free(world.in);
    free(out);
    return 0;
}
