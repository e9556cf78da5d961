/* The reader of frames as text: however the text is split, the same frames are found, or the same
 * is wrong; and what is found is read the same when it is written as digits. */
#include "capture/hex.h"
#include "fuzz.h"

#include <string.h>

struct found {
    uint64_t hash, line;
    const char *why;
};

static void add(struct found *found, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        found->hash = (found->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static void write_again(const unsigned char *frame, size_t length)
{
    static struct hex_reader reader;
    static char text[2 * HEX_FRAME_MAX + 1];
    const unsigned char *again;
    size_t used, n;

    memset(&reader, 0, sizeof reader);
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = "0123456789abcdef"[frame[i] >> 4];
        text[2 * i + 1] = "0123456789ABCDEF"[frame[i] & 15];
    }
    if (length <= 4)
        return; /* such a line may be a place */
    must(hex_reader_next(&reader, text, 2 * length, true, &used, &again, &n) == HEX_FRAME,
         "it is a frame");
    must(used == 2 * length && n == length && memcmp(again, frame, n) == 0, "it is the same");
}

static void read_split(const char *text, size_t n, size_t piece, struct found *ret)
{
    static struct hex_reader reader;
    size_t at = 0, end = piece < n ? piece : n;

    memset(&reader, 0, sizeof reader);
    memset(ret, 0, sizeof *ret);
    for (;;) {
        const unsigned char *frame;
        size_t used, length;
        enum hex_next next =
            hex_reader_next(&reader, text + at, end - at, end == n, &used, &frame, &length);

        must(used <= end - at, "no more is used than was given");
        at += used;
        if (next == HEX_BROKEN || (next == HEX_MORE && end == n))
            break;
        if (next == HEX_MORE)
            end = n - end < piece ? n : end + piece;
        if (next != HEX_FRAME)
            continue;
        add(ret, &length, sizeof length);
        add(ret, frame, length);
        add(ret, &reader.line, sizeof reader.line);
        if (piece >= n)
            write_again(frame, length);
    }
    ret->why = reader.why;
    ret->line = reader.line;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct found whole, split;

    read_split((const char *)bytes, n, n, &whole);
    for (size_t piece = 1; piece < n; piece = piece * 5 + 2) {
        read_split((const char *)bytes, n, piece, &split);
        must(memcmp(&whole, &split, sizeof whole) == 0, "it is the same however it is split");
    }
    return 0;
}
