#include "frames.h"

#include <string.h>

#define ADDRESSES 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x09, 0xbf, 0x01, 0x02, 0x03
#define ARP_BODY                                                                                   \
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, 0x00, 0x09, 0xbf, 0x01, 0x02, 0x03, 192, 168,  \
        0, 5, 0, 0, 0, 0, 0, 0, 192, 168, 0, 1
#define IPV4_BODY                                                                                  \
    0x45, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x40, 0x00, 0x40, 0x01, 0xb9, 0x8a, 192, 168, 0, 5, 192,   \
        168, 0, 1, 0x08, 0x00, 0xf7, 0xfe, 0x00, 0x01, 0x00, 0x00
/* An MLD report: the payload of 24 bytes begins with a hop-by-hop header of 8. */
#define IPV6_BODY                                                                                  \
    0x60, 0, 0, 0, 0x00, 0x18, 0x00, 0x01, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5,   \
        0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16, 0x3a, 0x00, 0x05, 0x02, 0x00,     \
        0x00, 0x01, 0x00, 0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static const unsigned char arp[] = {ADDRESSES, 0x08, 0x06, ARP_BODY};
static const unsigned char rarp[] = {ADDRESSES, 0x80, 0x35, ARP_BODY};
static const unsigned char ipv4[] = {ADDRESSES, 0x08, 0x00, IPV4_BODY};
static const unsigned char ipv6[] = {ADDRESSES, 0x86, 0xdd, IPV6_BODY};
static const unsigned char tagged[] = {ADDRESSES, 0x81, 0x00, 0x00, 0x07, 0x86, 0xdd, IPV6_BODY};
static const unsigned char two_tags[] = {ADDRESSES, 0x88, 0xa8, 0x00, 0x07, 0x81,
                                         0x00,      0x00, 0x08, 0x08, 0x00, IPV4_BODY};

const struct sample samples[SAMPLES] = {
    {"ARP", arp, sizeof arp},
    {"IPv6 in a VLAN", tagged, sizeof tagged},
    {"IPv4", ipv4, sizeof ipv4},
    {"IPv4 in two VLANs", two_tags, sizeof two_tags},
    {"IPv6 with more headers", ipv6, sizeof ipv6},
    {"RARP", rarp, sizeof rarp},
};

/* xorshift32 (Marsaglia, 2003). */
uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void fill_frame(unsigned char *frame, size_t length, uint32_t *state)
{
    for (size_t i = 0; i < length; i++)
        frame[i] = (unsigned char)next_random(state);
}

static void put_u16(unsigned char *bytes, size_t value)
{
    bytes[0] = (unsigned char)(value >> 8);
    bytes[1] = (unsigned char)value;
}

size_t fill_known_frame(unsigned char *frame, size_t length, uint32_t *state)
{
    static const unsigned char arp_begin[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4};
    size_t at = 12;

    fill_frame(frame, length, state);
    for (uint32_t tags = next_random(state) % 3; tags > 0; tags--, at += 4)
        put_u16(frame + at, tags == 2 ? 0x88a8 : 0x8100);
    switch (next_random(state) % 3) {
    case 0:
        put_u16(frame + at, 0x0800);
        frame[at + 2] = 0x45;
        put_u16(frame + at + 4, length - at - 2);
        return length;
    case 1:
        put_u16(frame + at, 0x86dd);
        frame[at + 2] = 0x60;
        put_u16(frame + at + 6, length - at - 2 - 40);
        frame[at + 8] = 6; /* TCP */
        return length;
    default:
        memcpy(frame + at, arp_begin, sizeof arp_begin);
        return at + 2 + 28;
    }
}
