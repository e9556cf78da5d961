/* The length of a frame by its own headers.
 *
 * What it takes is strict: a stream that has lost its place should be noticed at once, because
 * nothing in it says where the next frame begins. */
#include "framing.h"

#include <string.h>

static uint32_t read_u16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static enum framing_found unknown(struct framing_measure *ret, uint32_t value, const char *why)
{
    *ret = (struct framing_measure){.value = value, .why = why};
    return FRAMING_UNKNOWN;
}

/* RFC 791: the version, the header's length in words, and the length of all, which offload leaves 0
 * where it does not fit. */
static enum framing_found infer_ipv4(const unsigned char *header, struct framing_measure *ret)
{
    uint32_t header_length = (header[0] & 15U) * 4;

    if (header[0] >> 4 != 4 || header_length < 20)
        return unknown(ret, header[0], "the version or the header's length is not IPv4's");
    ret->length = read_u16(header + 2);
    if (ret->length < header_length)
        return unknown(ret, ret->length, "the length that IPv4 gives is shorter than its header");
    return FRAMING_LENGTH;
}

/* RFC 8200: the length counts the extension headers. With 0 and a hop-by-hop header the true length
 * is in an option (RFC 2675), and above what is carried here. */
static enum framing_found infer_ipv6(const unsigned char *header, struct framing_measure *ret)
{
    enum { HEADER = 40, HOP_BY_HOP = 0 };
    uint32_t payload = read_u16(header + 4);

    if (header[0] >> 4 != 6)
        return unknown(ret, header[0], "the version is not IPv6's");
    if (payload == 0 && header[6] == HOP_BY_HOP)
        return unknown(ret, 0, "an IPv6 jumbogram is longer than an unframed stream can carry");
    ret->length = HEADER + payload;
    return FRAMING_LENGTH;
}

/* RFC 826, and RFC 903 for RARP. */
static enum framing_found infer_arp(const unsigned char *header, struct framing_measure *ret)
{
    static const unsigned char ethernet_and_ipv4[] = {0, 1, 8, 0, 6, 4};

    if (memcmp(header, ethernet_and_ipv4, sizeof ethernet_and_ipv4) != 0)
        return unknown(ret, read_u16(header), "the ARP header is not of Ethernet and IPv4");
    ret->length = 28;
    return FRAMING_LENGTH;
}

static const struct {
    uint16_t ethertype;
    uint8_t needs; /* bytes of the header */
    enum framing_found (*infer)(const unsigned char *header, struct framing_measure *ret);
} protocols[] = {
    {0x0800, 4, infer_ipv4},
    {0x86dd, 7, infer_ipv6},
    {0x0806, 6, infer_arp},
    {0x8035, 6, infer_arp},
};

/* The header of the protocol begins at this place. */
static enum framing_found infer_payload(uint32_t ethertype, const unsigned char *bytes, size_t n,
                                        size_t at, struct framing_measure *ret)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        enum framing_found found;

        if (protocols[i].ethertype != ethertype)
            continue;
        if (n < at + protocols[i].needs)
            return FRAMING_SHORT;
        found = protocols[i].infer(bytes + at, ret);
        if (found == FRAMING_LENGTH)
            ret->length += (uint32_t)at;
        return found;
    }
    return unknown(ret, ethertype,
                   "the EtherType is none of IPv4, IPv6, ARP, RARP and VLAN tags: unframed, such a "
                   "frame cannot be carried, or padding is behind the frame before it");
}

enum framing_found framing_infer(const unsigned char *bytes, size_t n, struct framing_measure *ret)
{
    struct frame_view view;

    if (!frame_parse(bytes, n, &view))
        return FRAMING_SHORT;
    if (frame_is_tag(view.ethertype))
        return unknown(ret, FRAME_TAGS_MAX + 1,
                       "the frame has more VLAN tags than an unframed stream can carry");
    return infer_payload(view.ethertype, bytes, n, view.payload, ret);
}
