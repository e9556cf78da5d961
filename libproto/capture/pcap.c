/* Reading pcap: a header, and records of one interface. */
#include "internal.h"

enum {
    FCS_PRESENT = 1 << 26, /* in the link type: the number of bytes of the check sequence is told */
    FCS_SHIFT = 28,        /* in pairs of bytes */
};

static bool is_version(uint32_t major, uint32_t minor)
{
    return major == 2 && (minor == 3 || minor == 4);
}

enum savefile_next pcap_begin(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                              size_t *used, struct savefile_item *ret)
{
    struct block header = {.reader = reader, .body = bytes, .length = n};
    bool nanoseconds;
    uint32_t major, minor, snaplen, linktype;

    if (n < PCAP_HEADER)
        return SAVEFILE_MORE;
    nanoseconds = block_u32(&header) == PCAP_MAGIC_NS;
    major = block_u16(&header);
    minor = block_u16(&header);
    if (!is_version(major, minor))
        return reader_fail(reader, major, "the version of pcap is neither 2.3 nor 2.4");
    header.at += 8; /* the time zone and the accuracy, which nobody sets */
    snaplen = block_u32(&header);
    linktype = block_u32(&header);
    reader->interfaces[0] = (struct savefile_reader_interface){
        .linktype = (uint16_t)linktype,
        .snaplen = snaplen,
        .resolution = nanoseconds ? RESOLUTION_NS : RESOLUTION_US,
        .fcs = linktype & FCS_PRESENT ? (uint8_t)(2 * (linktype >> FCS_SHIFT)) : 0,
    };
    reader->interface_count = 1;
    ret->interface = (struct savefile_interface){
        .linktype = (uint16_t)linktype,
        .snaplen = snaplen,
        .fcs = reader->interfaces[0].fcs,
    };
    *used = PCAP_HEADER;
    return SAVEFILE_INTERFACE;
}

/* What is wrong with a record of these numbers; NULL: nothing. */
static const char *judge(const struct savefile_packet *packet, uint32_t part, uint32_t second)
{
    if (packet->captured > SAVEFILE_FRAME_MAX)
        return "a frame has more bytes than frames can have: the length of the record is wrong, or "
               "of the one before it";
    if (packet->captured > packet->length)
        return "more was captured of a frame than it has: the record is wrong, or the one before "
               "it";
    if (part >= second)
        return "a time has a second or more behind its seconds: the record is wrong, or the one "
               "before it";
    return NULL;
}

enum savefile_next pcap_next(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                             size_t *used, struct savefile_item *ret)
{
    struct block record = {.reader = reader, .body = bytes, .length = n};
    bool nanoseconds = reader->interfaces[0].resolution == RESOLUTION_NS;
    uint32_t seconds, part;
    const char *wrong;
    struct savefile_packet packet = {
        .has_time = true,
        .linktype = reader->interfaces[0].linktype,
        .fcs = reader->interfaces[0].fcs,
        .bytes = bytes + PCAP_RECORD,
    };

    if (n < PCAP_RECORD)
        return SAVEFILE_MORE;
    seconds = block_u32(&record);
    part = block_u32(&record);
    packet.captured = block_u32(&record);
    packet.length = block_u32(&record);
    wrong = judge(&packet, part, nanoseconds ? 1000000000 : 1000000);
    if (wrong)
        return reader_fail(reader, packet.captured, wrong);
    if (n - PCAP_RECORD < packet.captured)
        return SAVEFILE_MORE;
    packet.time = seconds * SECOND + (nanoseconds ? part : (uint64_t)part * 1000);
    ret->packet = packet;
    *used = PCAP_RECORD + packet.captured;
    return SAVEFILE_PACKET;
}
