/* The offload header: what it may say of its frame.
 *
 * The kernel judges what is written to a tap likewise (virtio_net_hdr_to_skb() in
 * include/linux/virtio_net.h, and drivers/net/tun.c), but who reads the frame may be another one,
 * and some of what the kernel takes is no good to others: a checksum that is made within the
 * Ethernet header gives the frame another sender behind the switch that has looked at it, and
 * segments of a byte make 65,000 frames of one. */
#include "offload.h"

#include <string.h>

enum {
    NEEDS_CHECKSUM = 1,
    CHECKSUM_VALID = 2,
    GSO_NONE = 0,
    GSO_TCP_IPV4 = 1,
    GSO_TCP_IPV6 = 4,

    ETHERTYPE_AT = 12,
    TAGS_MAX = 2,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_PROTOCOL = 6,
    TCP_HEADER = 20,
    TCP_CHECKSUM_AT = 16,
    SEGMENT_LEAST = 8, /* bytes; what Linux sends at least (TCP_MIN_SND_MSS, without options) */
};

struct header {
    uint8_t flags, gso_type;
    uint32_t hdr_len, gso_size, csum_start, csum_offset;
};

static uint32_t read_le16(const unsigned char *bytes)
{
    return (uint32_t)bytes[1] << 8 | bytes[0];
}

static uint32_t read_be16(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

static struct header read_header(const unsigned char *bytes)
{
    return (struct header){
        .flags = bytes[0],
        .gso_type = bytes[1],
        .hdr_len = read_le16(bytes + 2),
        .gso_size = read_le16(bytes + 4),
        .csum_start = read_le16(bytes + 6),
        .csum_offset = read_le16(bytes + 8),
    };
}

/* --- What the frame is --------------------------------------------------------------------- */

/* Where IP begins, behind VLAN tags. 0: the frame ends before, or has more tags. */
static size_t find_ip(const unsigned char *frame, size_t length, uint32_t *ret_ethertype)
{
    size_t at = ETHERTYPE_AT;

    for (unsigned tags = 0; tags <= TAGS_MAX && at + 2 <= length; tags++, at += 4) {
        *ret_ethertype = read_be16(frame + at);
        if (*ret_ethertype != 0x8100 && *ret_ethertype != 0x88a8)
            return at + 2;
    }
    return 0;
}

static bool is_tcp_ipv4(const unsigned char *ip, size_t room, size_t tcp_at)
{
    return room >= IPV4_HEADER && tcp_at >= IPV4_HEADER && ip[0] >> 4 == 4 &&
           (size_t)(ip[0] & 15U) * 4 == tcp_at && ip[9] == TCP_PROTOCOL;
}

/* Extension headers may stand between them. */
static bool is_tcp_ipv6(const unsigned char *ip, size_t room, size_t tcp_at)
{
    return room >= IPV6_HEADER && ip[0] >> 4 == 6 &&
           (tcp_at > IPV6_HEADER || (tcp_at == IPV6_HEADER && ip[6] == TCP_PROTOCOL));
}

/* Whether TCP begins where the checksum does, in the version of IP that the header says. */
static bool is_tcp(const struct header *header, const unsigned char *frame, size_t length)
{
    uint32_t ethertype = 0;
    size_t ip = find_ip(frame, length, &ethertype);

    if (ip == 0 || header->csum_start <= ip)
        return false;
    if (header->gso_type == GSO_TCP_IPV4)
        return ethertype == 0x0800 && is_tcp_ipv4(frame + ip, length - ip, header->csum_start - ip);
    return ethertype == 0x86dd && is_tcp_ipv6(frame + ip, length - ip, header->csum_start - ip);
}

/* --- What may be said of it ---------------------------------------------------------------- */

static const char *judge_checksum(const struct header *header, const unsigned char *frame,
                                  size_t length)
{
    uint32_t ethertype;
    size_t ip;

    if (header->flags & ~(NEEDS_CHECKSUM | CHECKSUM_VALID))
        return "its flags are none of this link's";
    if (header->hdr_len > length)
        return "the headers that it speaks of end behind the frame";
    if (!(header->flags & NEEDS_CHECKSUM))
        return NULL;
    ip = find_ip(frame, length, &ethertype);
    if (ip == 0 || header->csum_start < ip + IPV4_HEADER)
        return "the checksum would begin within the headers of Ethernet or IP";
    if (header->csum_start + header->csum_offset + 2 > length)
        return "the checksum would stand behind the frame";
    return NULL;
}

/* Of a frame that is to be cut; sets the bytes of a whole segment. */
static const char *judge_segments(const struct header *header, const unsigned char *frame,
                                  size_t length, size_t *ret_segment)
{
    size_t tcp = header->csum_start, tcp_header;

    if (header->gso_type != GSO_TCP_IPV4 && header->gso_type != GSO_TCP_IPV6)
        return "it is to be cut in another way than TCP";
    if (!(header->flags & NEEDS_CHECKSUM) || header->csum_offset != TCP_CHECKSUM_AT)
        return "it is to be cut, and TCP's checksum is not to be made";
    if (header->gso_size < SEGMENT_LEAST)
        return "it is to be cut into segments of less than 8 bytes";
    if (tcp + TCP_HEADER > length || !is_tcp(header, frame, length))
        return "it is to be cut, and is not TCP of that version of IP";
    tcp_header = (size_t)(frame[tcp + 12] >> 4) * 4;
    if (tcp_header < TCP_HEADER || tcp + tcp_header > length)
        return "it is to be cut, and the length of TCP's header is wrong";
    *ret_segment = tcp + tcp_header + header->gso_size;
    return NULL;
}

enum framing_fate offload_judge(const unsigned char *bytes, size_t length, uint32_t limit,
                                const char **ret_why)
{
    struct header header;
    size_t whole, segment;

    if (length == 0)
        return FRAMING_ZERO;
    if (length < OFFLOAD_HEADER + FRAME_LEAST)
        return FRAMING_UNDERSIZE;
    if (length > OFFLOAD_LIMIT)
        return FRAMING_OVERSIZE;
    header = read_header(bytes);
    whole = segment = length - OFFLOAD_HEADER;
    *ret_why = judge_checksum(&header, bytes + OFFLOAD_HEADER, whole);
    if (!*ret_why && header.gso_type != GSO_NONE)
        *ret_why = judge_segments(&header, bytes + OFFLOAD_HEADER, whole, &segment);
    if (*ret_why)
        return FRAMING_INVALID;
    return segment > limit ? FRAMING_OVERSIZE : FRAMING_FITS;
}

void offload_complete(unsigned char header[OFFLOAD_HEADER])
{
    memset(header + 10, 0, 2);
}
