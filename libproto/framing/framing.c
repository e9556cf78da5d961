#include "framing.h"

#include <string.h>

enum {
    U16_FRAME_MAX = UINT16_MAX,
    U32_FRAME_MAX = 131072, /* the most that any peer is known to take (gvproxy) */
    MESSAGE_FRAME_MAX = OFFLOAD_LIMIT,
    UNFRAMED_MAX = FRAME_LEAST + 8 + 40 + UINT16_MAX, /* IPv6 within two VLAN tags */
};

/* --- Lengths before frames ----------------------------------------------------------------- */

static enum framing_found measure_u16le(const unsigned char *bytes, size_t n,
                                        struct framing_measure *ret)
{
    if (n < 2)
        return FRAMING_SHORT;
    ret->length = (uint32_t)bytes[1] << 8 | bytes[0];
    return FRAMING_LENGTH;
}

static enum framing_found measure_u16be(const unsigned char *bytes, size_t n,
                                        struct framing_measure *ret)
{
    if (n < 2)
        return FRAMING_SHORT;
    ret->length = (uint32_t)bytes[0] << 8 | bytes[1];
    return FRAMING_LENGTH;
}

/* Of a frame that is merely too long, the bytes come and can be skipped. Of one that nobody would
 * send, they do not: what was read is no length. */
static enum framing_found measure_u32be(const unsigned char *bytes, size_t n,
                                        struct framing_measure *ret)
{
    uint32_t length;

    if (n < 4)
        return FRAMING_SHORT;
    length =
        (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    if (length > U32_FRAME_MAX) {
        *ret = (struct framing_measure){
            .value = length,
            .why = "no peer sends frames of such a length: the stream has lost its place, or the "
                   "peer speaks another framing",
        };
        return FRAMING_UNKNOWN;
    }
    ret->length = length;
    return FRAMING_LENGTH;
}

static void put_u16le(unsigned char *bytes, uint32_t length)
{
    bytes[0] = (unsigned char)length;
    bytes[1] = (unsigned char)(length >> 8);
}

static void put_u16be(unsigned char *bytes, uint32_t length)
{
    bytes[0] = (unsigned char)(length >> 8);
    bytes[1] = (unsigned char)length;
}

static void put_u32be(unsigned char *bytes, uint32_t length)
{
    put_u16be(bytes, length >> 16);
    put_u16be(bytes + 2, length);
}

static void put_nothing(unsigned char *bytes, uint32_t length)
{
    (void)bytes;
    (void)length;
}

/* --- The table ----------------------------------------------------------------------------- */

static const struct framing_row rows[] = {
    [FRAMING_U16LE] =
        {
            /* tapserver writes the length as its processor has it. All that it and its clients run
             * on are little-endian, and Dolphin always writes it so: so the bytes are the same on
             * each machine, and a relay on a big-endian one swaps them. */
            .name = "u16le",
            .peers = "Dolphin, tapserver",
            .cannot = "frames above 65535 bytes, so no segmentation offload",
            .stream = true,
            .header = 2,
            .frame_max = U16_FRAME_MAX,
            .measure = measure_u16le,
            .put_header = put_u16le,
        },
    [FRAMING_U16BE] =
        {
            .name = "u16be",
            .peers = "vde_plug",
            .cannot = "frames above 65535 bytes, so no segmentation offload",
            .stream = true,
            .header = 2,
            .frame_max = U16_FRAME_MAX,
            .measure = measure_u16be,
            .put_header = put_u16be,
        },
    [FRAMING_U32BE] =
        {
            .name = "u32be",
            .peers = "QEMU (-netdev stream, socket), socket_vmnet, passt, gvproxy",
            .cannot = "frames above 131072 bytes; most of its peers take 65535 or 69632",
            .stream = true,
            .offload = true,
            .header = 4,
            .frame_max = U32_FRAME_MAX,
            .measure = measure_u32be,
            .put_header = put_u32be,
        },
    [FRAMING_MESSAGE] =
        {
            .name = "message",
            .peers = "QEMU (-netdev dgram), User-mode Linux, slirp4netns, vfkit, krunkit",
            .cannot = "frames above 65565 bytes",
            .offload = true,
            .frame_max = MESSAGE_FRAME_MAX,
            .put_header = put_nothing,
        },
    [FRAMING_UNFRAMED] =
        {
            .name = "unframed",
            .peers = "tapserver without --use-framed-protocol",
            .cannot =
                "anything but IPv4, IPv6, ARP and RARP, with or without VLAN tags; no padding "
                "behind them, and no jumbograms",
            .stream = true,
            .frame_max = UNFRAMED_MAX,
            .measure = framing_infer,
            .put_header = put_nothing,
        },
};
_Static_assert(sizeof rows / sizeof *rows == FRAMING_COUNT, "each framing has a row");

const struct framing_row *framing_row(enum framing framing)
{
    return &rows[framing];
}

bool framing_parse(const char *name, enum framing *ret)
{
    for (unsigned i = 0; i < FRAMING_COUNT; i++)
        if (strcmp(name, rows[i].name) == 0) {
            *ret = (enum framing)i;
            return true;
        }
    return false;
}

uint32_t framing_cap(enum framing framing, uint32_t limit)
{
    return limit < rows[framing].frame_max ? limit : rows[framing].frame_max;
}

uint32_t framing_limit(enum framing framing, uint32_t mtu)
{
    return framing_cap(framing, mtu > UINT32_MAX - FRAME_OVERHEAD ? mtu : mtu + FRAME_OVERHEAD);
}

size_t framing_header(enum framing framing, uint32_t length, unsigned char ret[FRAMING_HEADER_MAX])
{
    rows[framing].put_header(ret, length);
    return rows[framing].header;
}

/* --- What became of frames ----------------------------------------------------------------- */

enum framing_fate framing_judge(size_t length, uint32_t limit)
{
    if (length > limit)
        return FRAMING_OVERSIZE;
    if (length >= FRAME_LEAST)
        return FRAMING_FITS;
    return length == 0 ? FRAMING_ZERO : FRAMING_UNDERSIZE;
}

/* The counters of the fates behind FRAMING_FITS. */
static const size_t counters[] = {
    [FRAMING_ZERO] = offsetof(struct framing_counts, zero),
    [FRAMING_UNDERSIZE] = offsetof(struct framing_counts, undersize),
    [FRAMING_OVERSIZE] = offsetof(struct framing_counts, oversize),
    [FRAMING_UNCARRIED] = offsetof(struct framing_counts, uncarried),
    [FRAMING_INVALID] = offsetof(struct framing_counts, invalid),
    [FRAMING_DROPPED] = offsetof(struct framing_counts, dropped),
};
_Static_assert(sizeof counters / sizeof *counters == FRAMING_FATES, "each fate has a counter");

void framing_count(struct framing_counts *counts, enum framing_fate fate, size_t length)
{
    if (fate == FRAMING_FITS) {
        counts->frames++;
        counts->bytes += length;
        return;
    }
    ++*(uint64_t *)((char *)counts + counters[fate]);
}

void framing_recount(struct framing_counts *counts, enum framing_fate fate, size_t length)
{
    counts->frames--;
    counts->bytes -= length;
    framing_count(counts, fate, length);
}
