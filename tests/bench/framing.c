/* What the codec of framings costs, without a socket: frames go to the encoder, its bytes to the
 * decoder's buffer, and frames out of that. Batched, the bytes of 64 frames go at once; one by one,
 * those of each; in two, the header and the frame apart, as programs send them that write twice.
 * Beside it, the copies alone that the first way makes: into the batch and out of it.
 *
 * usage: framing
 *
 * Prints nanoseconds a frame: medians of turns that alternate. */
#include "framing/framing.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1518, BUFFER = 128 * 1024, TURNS = 31, FRAMES = 64 * 100, ONE_BY_ONE = 1 };

struct codec {
    struct framing_encoder encoder;
    struct framing_decoder decoder;
    unsigned char frame[LIMIT];
    size_t length;
    unsigned long received;
};

/* An IPv4 packet, which all framings carry. */
static void make_frame(struct codec *codec, size_t length)
{
    memset(codec->frame, 0x5a, sizeof codec->frame);
    memcpy(codec->frame + 12, "\x08\x00\x45", 3);
    codec->frame[16] = (unsigned char)((length - FRAME_LEAST) >> 8);
    codec->frame[17] = (unsigned char)(length - FRAME_LEAST);
    codec->length = length;
}

static void take_frames(struct codec *codec)
{
    struct framing_frame frame;

    while (framing_decoder_next(&codec->decoder, &frame) == FRAMING_FRAME)
        codec->received += frame.length == codec->length;
}

/* Stands for write(2) and read(2). */
static void carry(struct codec *codec, size_t most)
{
    size_t size, room;
    const unsigned char *bytes = framing_encoder_pending(&codec->encoder, &size);
    unsigned char *place = framing_decoder_room(&codec->decoder, &room);

    size = size < most ? size : most;
    size = size < room ? size : room;
    memcpy(place, bytes, size);
    framing_decoder_filled(&codec->decoder, size);
    take_frames(codec);
    framing_encoder_consume(&codec->encoder, size);
}

static void run_codec(struct codec *codec, unsigned batch, size_t header)
{
    size_t size;

    for (unsigned i = 0; i < FRAMES; i += batch) {
        for (unsigned j = 0; j < batch; j++)
            framing_encoder_append(&codec->encoder, codec->frame, codec->length);
        if (header > 0)
            carry(codec, header);
        do
            carry(codec, SIZE_MAX);
        while (framing_encoder_pending(&codec->encoder, &size), size > 0);
    }
}

/* The same copies, with nothing else. */
static void run_bare(struct codec *codec)
{
    unsigned char *out = codec->encoder.buffer, *in = codec->decoder.buffer;

    for (unsigned i = 0; i < FRAMES; i += FRAMING_BATCH) {
        for (unsigned j = 0; j < FRAMING_BATCH; j++)
            memcpy(out + j * codec->length, codec->frame, codec->length);
        memcpy(in, out, FRAMING_BATCH * codec->length);
        __asm__ volatile("" : : "r"(in), "r"(out) : "memory");
    }
}

enum way { BARE, BATCHED, SINGLE, IN_TWO, WAYS };

static double measure(struct codec *codec, enum way way)
{
    size_t header = codec->encoder.row->header;
    double start = bench_now();

    switch (way) {
    case BARE:
        run_bare(codec);
        break;
    case BATCHED:
        run_codec(codec, FRAMING_BATCH, 0);
        break;
    case SINGLE:
        run_codec(codec, ONE_BY_ONE, 0);
        break;
    default:
        run_codec(codec, ONE_BY_ONE, header ? header : FRAME_LEAST);
    }
    return (bench_now() - start) * 1000 / FRAMES;
}

static void compare(struct codec *codec, enum framing framing, void *out, void *in)
{
    double times[WAYS][TURNS], median[WAYS];
    char what[80];

    bench_require(framing_encoder_init(&codec->encoder, framing, LIMIT, out, BUFFER) &&
                      framing_decoder_init(&codec->decoder, framing, LIMIT, in, BUFFER),
                  "buffers of the codec");
    codec->received = 0;
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (unsigned way = 0; way < WAYS; way++)
            times[way][turn] = measure(codec, (enum way)way);
    bench_require(codec->received == (unsigned long)FRAMES * TURNS * (WAYS - 1), "all frames");
    for (unsigned way = 0; way < WAYS; way++)
        median[way] = bench_median(times[way], TURNS);
    snprintf(what, sizeof what, "%s, %zu bytes", framing_row(framing)->name, codec->length);
    printf("%-24s %8.1f %8.1f %8.1f %8.1f %9.2f %9.2f %9.2f\n", what, median[BARE], median[BATCHED],
           median[SINGLE], median[IN_TWO], median[BATCHED] / median[BARE],
           median[SINGLE] / median[BATCHED], median[IN_TWO] / median[BATCHED]);
}

int main(void)
{
    static const size_t lengths[] = {60, 1514};
    void *out = bench_array(BUFFER, 1), *in = bench_array(BUFFER, 1);
    static struct codec codec;

    printf("%-24s %8s %8s %8s %8s %9s %9s %9s\n", "ns a frame, there and back", "copies", "batched",
           "single", "in two", "batched:", "single:", "in two:");
    printf("%-61s %9s %9s %9s\n", "", "copies", "batched", "batched");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_frame(&codec, lengths[i]);
        for (unsigned framing = 0; framing < FRAMING_COUNT; framing++)
            if (framing_row((enum framing)framing)->stream)
                compare(&codec, (enum framing)framing, out, in);
    }
    free(out);
    free(in);
    return 0;
}
