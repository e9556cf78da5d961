/* The offload header: what is taken is what the kernel takes (virtio_net_hdr_to_skb()), and costs
 * nobody but who sent it. The first bytes choose the limit. */
#include "framing/offload.h"
#include "fuzz.h"

#include <string.h>

static uint32_t at16(const uint8_t *bytes, size_t at)
{
    return (uint32_t)bytes[at + 1] << 8 | bytes[at];
}

/* Of a frame that is to be cut: behind the headers is what segments are made of. */
static void check_segments(const uint8_t *bytes, size_t n, uint32_t limit)
{
    uint32_t start = at16(bytes, 6);
    const uint8_t *tcp = bytes + OFFLOAD_HEADER + start;
    size_t header = (size_t)(tcp[12] >> 4) * 4;

    must(bytes[1] == 1 || bytes[1] == 4, "it is TCP over IPv4 or IPv6");
    must(bytes[0] & 1 && at16(bytes, 8) == 16, "its checksum is TCP's");
    must(at16(bytes, 4) > 0 && at16(bytes, 4) != 0xffff, "segments have a size");
    must(OFFLOAD_HEADER + start + header <= n, "its headers are there");
    must(start + header + at16(bytes, 4) <= limit, "segments are not too long");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint32_t limit = n > 0 ? FRAMING_LIMIT_LEAST + bytes[0] * 257U : 0;
    const char *why = NULL;
    enum framing_fate fate;
    uint8_t *copy;

    if (n == 0)
        return 0;
    n--;
    copy = malloc(n ? n : 1);
    memcpy(copy, bytes + 1, n);
    fate = offload_judge(copy, n, limit, &why);
    must((fate == FRAMING_INVALID) == (why != NULL), "what is invalid has a sentence");
    must(fate != FRAMING_UNCARRIED && fate != FRAMING_DROPPED, "it is one of the others");
    if (fate == FRAMING_FITS) {
        size_t length = n - OFFLOAD_HEADER;

        must(n >= OFFLOAD_HEADER + FRAME_LEAST && n <= OFFLOAD_LIMIT, "it has a length");
        must(at16(copy, 2) <= length, "its headers end within it");
        must(!(copy[0] & 1) || (at16(copy, 6) >= 34 && at16(copy, 6) + at16(copy, 8) + 2 <= length),
             "its checksum is within it, behind Ethernet and IP");
        must(copy[1] != 0 || length <= limit, "it is not too long");
        if (copy[1] != 0)
            check_segments(copy, n, limit);
    }
    free(copy);
    return 0;
}
