/* The decoder of framings: however a stream is split, it finds what a reader of the whole stream
 * finds. The first bytes choose the framing, the limit and how the buffer is larger than the least.
 */
#include "framing/framing.h"
#include "fuzz.h"

#include <string.h>

enum { U32_MOST = 131072 };

/* What was found, in an order that the hash keeps. */
struct found {
    struct framing_counts counts;
    uint64_t hash;
    bool broken, within;
};

static void add(struct found *found, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        found->hash = (found->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static void add_frame(struct found *found, const uint8_t *frame, size_t length)
{
    add(found, &length, sizeof length);
    add(found, frame, frame ? length : 0);
}

/* --- A reader of the whole stream ---------------------------------------------------------- */

/* Returns whether there is a length; one that nobody sends breaks the stream. */
static bool read_length(enum framing framing, const uint8_t *bytes, size_t n, size_t *length,
                        struct found *found)
{
    struct framing_measure measure;
    size_t header = framing_row(framing)->header;

    *length = 0;
    if (framing == FRAMING_UNFRAMED) {
        enum framing_found result = framing_infer(bytes, n, &measure);

        found->broken = result == FRAMING_UNKNOWN;
        *length = result == FRAMING_LENGTH ? measure.length : 0;
        return result == FRAMING_LENGTH;
    }
    if (n < header)
        return false;
    for (size_t i = 0; i < header; i++)
        *length = *length << 8 | bytes[framing == FRAMING_U16LE ? 1 - i : i];
    found->broken = *length > U32_MOST;
    return !found->broken;
}

static void read_whole(enum framing framing, uint32_t limit, const uint8_t *bytes, size_t n,
                       struct found *ret)
{
    size_t header = framing_row(framing)->header, at = 0, length;

    *ret = (struct found){.within = false};
    while (read_length(framing, bytes + at, n - at, &length, ret)) {
        size_t here = n - at - header;
        bool fits = length >= FRAME_LEAST && length <= limit;

        if (fits && here < length)
            break;
        ret->counts.frames += fits;
        ret->counts.bytes += fits ? length : 0;
        ret->counts.zero += length == 0;
        ret->counts.undersize += length > 0 && length < FRAME_LEAST;
        ret->counts.oversize += length > limit;
        add_frame(ret, fits ? bytes + at + header : NULL, length);
        if (here < length) {
            ret->within = true;
            return;
        }
        at += header + length;
    }
    ret->within = at < n;
}

/* --- The decoder --------------------------------------------------------------------------- */

static bool take(struct framing_decoder *decoder, struct found *ret)
{
    struct framing_frame frame = {0};
    enum framing_next next = framing_decoder_next(decoder, &frame);

    if (next == FRAMING_FRAME || next == FRAMING_SKIPPED) {
        must((next == FRAMING_FRAME) == (frame.bytes != NULL), "a frame has bytes");
        add_frame(ret, frame.bytes, frame.length);
        return true;
    }
    ret->broken = next == FRAMING_BROKEN;
    must(!ret->broken || decoder->fault.why, "what is wrong is said");
    return false;
}

static void read_split(struct framing_decoder *decoder, const uint8_t *bytes, size_t n,
                       size_t piece, struct found *ret)
{
    *ret = (struct found){.within = false};
    for (size_t at = 0; at < n && !ret->broken;) {
        size_t room, some = n - at < piece ? n - at : piece;
        unsigned char *place = framing_decoder_room(decoder, &room);

        must(room >= decoder->size / 4, "there is room when frames were taken");
        some = some < room ? some : room;
        memcpy(place, bytes + at, some);
        framing_decoder_filled(decoder, some);
        at += some;
        while (take(decoder, ret))
            ;
    }
    ret->counts = decoder->counts;
    ret->within = framing_decoder_is_within(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const enum framing streams[] = {FRAMING_U16LE, FRAMING_U16BE, FRAMING_U32BE,
                                           FRAMING_UNFRAMED};
    struct found whole, split;
    enum framing framing;
    uint32_t limit;
    size_t size;

    if (n < 3)
        return 0;
    framing = streams[bytes[0] % 4];
    limit = FRAMING_LIMIT_LEAST + bytes[1];
    size = framing_decoder_least(framing, limit) + bytes[2];
    bytes += 3;
    n -= 3;
    read_whole(framing, limit, bytes, n, &whole);
    for (size_t piece = 1; piece < 2000; piece = piece * 3 + 1) {
        unsigned char *buffer = malloc(size);
        struct framing_decoder decoder;

        must(framing_decoder_init(&decoder, framing, limit, buffer, size), "the least is enough");
        read_split(&decoder, bytes, n, piece, &split);
        free(buffer);
        if (split.broken)
            split.within = whole.within; /* the rest was not given */
        must(memcmp(&whole, &split, sizeof whole) == 0, "it is the same however it is split");
    }
    return 0;
}
