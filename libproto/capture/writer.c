/* Putting blocks and records together. A cursor runs through the place; where it is full, nothing
 * more is put, and the result is 0. */
#include "capture.h"
#include "internal.h"

struct cursor {
    unsigned char *at, *end;
    bool full; /* or it cannot be put */
};

/* --- Numbers and options ------------------------------------------------------------------- */

static unsigned char *take(struct cursor *cursor, size_t n)
{
    unsigned char *place = cursor->at;

    if (cursor->full || (size_t)(cursor->end - cursor->at) < n) {
        cursor->full = true;
        return NULL;
    }
    cursor->at += n;
    return place;
}

static void store(unsigned char *place, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        place[i] = (unsigned char)(value >> 8 * i);
}

static void put_number(struct cursor *cursor, uint64_t value, unsigned bytes)
{
    unsigned char *place = take(cursor, bytes);

    if (place)
        store(place, value, bytes);
}

static void put_u16(struct cursor *cursor, uint32_t value)
{
    put_number(cursor, value, 2);
}

static void put_u32(struct cursor *cursor, uint32_t value)
{
    put_number(cursor, value, 4);
}

/* pcapng has the high half of a time first, in either byte order. */
static void put_time(struct cursor *cursor, uint64_t time)
{
    put_u32(cursor, (uint32_t)(time >> 32));
    put_u32(cursor, (uint32_t)time);
}

/* Bytes, and zeros up to the next multiple of four. */
static void put_padded(struct cursor *cursor, const void *bytes, size_t n)
{
    unsigned char *place = take(cursor, pad4(n));

    if (!place || n == 0)
        return;
    memcpy(place, bytes, n);
    memset(place + n, 0, pad4(n) - n);
}

static void put_option(struct cursor *cursor, unsigned code, const void *bytes, size_t n)
{
    if (n > SAVEFILE_TEXT_MAX)
        cursor->full = true;
    put_u16(cursor, code);
    put_u16(cursor, (uint32_t)n);
    put_padded(cursor, bytes, n);
}

static void put_text(struct cursor *cursor, unsigned code, struct savefile_text text)
{
    if (text.length > 0)
        put_option(cursor, code, text.bytes, text.length);
}

static void put_number_option(struct cursor *cursor, unsigned code, uint64_t value, unsigned bytes)
{
    unsigned char number[8];

    store(number, value, bytes);
    put_option(cursor, code, number, bytes);
}

/* The options of a block that begins here, if it has any, end here. */
static void end_options(struct cursor *cursor, const unsigned char *first)
{
    if (cursor->at != first)
        put_u32(cursor, OPTION_END);
}

/* --- Blocks -------------------------------------------------------------------------------- */

static struct cursor begin_block(void *place, size_t size, uint32_t type)
{
    struct cursor cursor = {.at = place, .end = (unsigned char *)place + size};

    put_u32(&cursor, type);
    put_u32(&cursor, 0);
    return cursor;
}

/* Its length stands behind its type and again at its end. */
static size_t end_block(struct cursor *cursor, void *place)
{
    uint32_t length = (uint32_t)(cursor->at - (unsigned char *)place) + 4;

    put_u32(cursor, length);
    if (cursor->full)
        return 0;
    store((unsigned char *)place + 4, length, 4);
    return length;
}

size_t pcapng_put_section(void *place, size_t size, const struct savefile_section *section)
{
    struct cursor cursor = begin_block(place, size, BLOCK_SECTION);
    const unsigned char *options;

    put_u32(&cursor, BYTE_ORDER_MAGIC);
    put_u16(&cursor, 1); /* version 1.0 */
    put_u16(&cursor, 0);
    put_number(&cursor, UINT64_MAX, 8); /* its length is not known before it ends */
    options = cursor.at;
    put_text(&cursor, OPTION_COMMENT, section->comment);
    put_text(&cursor, SECTION_HARDWARE, section->hardware);
    put_text(&cursor, SECTION_OS, section->os);
    put_text(&cursor, SECTION_APPLICATION, section->application);
    end_options(&cursor, options);
    return end_block(&cursor, place);
}

/* A filter's text has a byte before it that says what it is. */
static void put_filter(struct cursor *cursor, struct savefile_text filter)
{
    unsigned char *place;

    if (filter.length == 0)
        return;
    if (filter.length + 1 > SAVEFILE_TEXT_MAX)
        cursor->full = true;
    put_u16(cursor, INTERFACE_FILTER);
    put_u16(cursor, (uint32_t)filter.length + 1);
    place = take(cursor, pad4(filter.length + 1));
    if (!place)
        return;
    memset(place, 0, pad4(filter.length + 1));
    place[0] = FILTER_TEXT;
    memcpy(place + 1, filter.bytes, filter.length);
}

size_t pcapng_put_interface(void *place, size_t size, const struct savefile_interface *interface)
{
    struct cursor cursor = begin_block(place, size, BLOCK_INTERFACE);

    put_u16(&cursor, interface->linktype);
    put_u16(&cursor, 0);
    put_u32(&cursor, interface->snaplen);
    put_text(&cursor, OPTION_COMMENT, interface->comment);
    put_text(&cursor, INTERFACE_NAME, interface->name);
    put_text(&cursor, INTERFACE_DESCRIPTION, interface->description);
    if (interface->has_mac)
        put_option(&cursor, INTERFACE_MAC, interface->mac, SAVEFILE_MAC_BYTES);
    if (interface->speed > 0)
        put_number_option(&cursor, INTERFACE_SPEED, interface->speed, 8);
    put_number_option(&cursor, INTERFACE_RESOLUTION, RESOLUTION_NS, 1);
    put_filter(&cursor, interface->filter);
    put_text(&cursor, INTERFACE_OS, interface->os);
    if (interface->fcs > 0)
        put_number_option(&cursor, INTERFACE_FCS, interface->fcs, 1);
    put_text(&cursor, INTERFACE_HARDWARE, interface->hardware);
    put_u32(&cursor, OPTION_END);
    return end_block(&cursor, place);
}

static bool is_sound(const struct savefile_packet *packet)
{
    return packet->captured <= packet->length && packet->captured <= SAVEFILE_FRAME_MAX;
}

size_t pcapng_put_packet(void *place, size_t size, const struct savefile_packet *packet)
{
    struct cursor cursor = begin_block(place, size, BLOCK_PACKET);
    const unsigned char *options;

    if (!is_sound(packet))
        return 0;
    put_u32(&cursor, packet->interface);
    put_time(&cursor, packet->time);
    put_u32(&cursor, packet->captured);
    put_u32(&cursor, packet->length);
    put_padded(&cursor, packet->bytes, packet->captured);
    options = cursor.at;
    put_text(&cursor, OPTION_COMMENT, packet->comment);
    if (packet->direction != SAVEFILE_EITHER_WAY)
        put_number_option(&cursor, PACKET_FLAGS, packet->direction, 4);
    if (packet->dropped > 0)
        put_number_option(&cursor, PACKET_DROPPED, packet->dropped, 8);
    end_options(&cursor, options);
    return end_block(&cursor, place);
}

static void put_time_option(struct cursor *cursor, unsigned code, uint64_t time)
{
    if (time == SAVEFILE_UNKNOWN)
        return;
    put_u16(cursor, code);
    put_u16(cursor, 8);
    put_time(cursor, time);
}

static void put_counter(struct cursor *cursor, unsigned code, uint64_t value)
{
    if (value != SAVEFILE_UNKNOWN)
        put_number_option(cursor, code, value, 8);
}

size_t pcapng_put_statistics(void *place, size_t size, const struct savefile_statistics *statistics)
{
    struct cursor cursor = begin_block(place, size, BLOCK_STATISTICS);
    const unsigned char *options;

    put_u32(&cursor, statistics->interface);
    put_time(&cursor, statistics->time);
    options = cursor.at;
    put_text(&cursor, OPTION_COMMENT, statistics->comment);
    put_time_option(&cursor, STATISTICS_START, statistics->start);
    put_time_option(&cursor, STATISTICS_END, statistics->end);
    put_counter(&cursor, STATISTICS_RECEIVED, statistics->received);
    put_counter(&cursor, STATISTICS_DROPPED, statistics->dropped);
    put_counter(&cursor, STATISTICS_ACCEPTED, statistics->accepted);
    put_counter(&cursor, STATISTICS_OS_DROPPED, statistics->os_dropped);
    put_counter(&cursor, STATISTICS_DELIVERED, statistics->delivered);
    end_options(&cursor, options);
    return end_block(&cursor, place);
}

/* --- Records of pcap ----------------------------------------------------------------------- */

size_t pcap_put_header(void *place, size_t size, enum savefile_format format,
                       const struct savefile_interface *interface)
{
    struct cursor cursor = {.at = place, .end = (unsigned char *)place + size};

    put_u32(&cursor, format == SAVEFILE_PCAP_US ? PCAP_MAGIC_US : PCAP_MAGIC_NS);
    put_u16(&cursor, 2); /* version 2.4 */
    put_u16(&cursor, 4);
    put_number(&cursor, 0, 8); /* the time zone and the accuracy, which nobody sets */
    put_u32(&cursor, interface->snaplen > 0 ? interface->snaplen : SAVEFILE_FRAME_MAX);
    put_u32(&cursor, interface->linktype);
    return cursor.full ? 0 : PCAP_HEADER;
}

size_t pcap_put_packet(void *place, size_t size, enum savefile_format format,
                       const struct savefile_packet *packet)
{
    struct cursor cursor = {.at = place, .end = (unsigned char *)place + size};
    uint64_t seconds = packet->time / SECOND;
    uint32_t rest = (uint32_t)(packet->time % SECOND);
    unsigned char *bytes;

    if (!is_sound(packet) || seconds > UINT32_MAX)
        return 0;
    put_u32(&cursor, (uint32_t)seconds);
    put_u32(&cursor, format == SAVEFILE_PCAP_US ? rest / 1000 : rest);
    put_u32(&cursor, packet->captured);
    put_u32(&cursor, packet->length);
    bytes = take(&cursor, packet->captured);
    if (!bytes)
        return 0;
    if (packet->captured > 0)
        memcpy(bytes, packet->bytes, packet->captured);
    return PCAP_RECORD + packet->captured;
}

/* --- Either -------------------------------------------------------------------------------- */

size_t savefile_put_packet(void *place, size_t size, enum savefile_format format,
                           const struct savefile_packet *packet)
{
    if (format == SAVEFILE_PCAPNG)
        return pcapng_put_packet(place, size, packet);
    return pcap_put_packet(place, size, format, packet);
}

size_t savefile_packet_size(enum savefile_format format, const struct savefile_packet *packet)
{
    /* Block and options around the frame: two numbers' options and the end of options. */
    enum { AROUND = 32 + 8 + 12 + 4 };
    size_t comment = packet->comment.length > 0 ? 4 + pad4(packet->comment.length) : 0;

    if (format == SAVEFILE_PCAPNG)
        return AROUND + pad4(packet->captured) + comment;
    return PCAP_RECORD + (size_t)packet->captured;
}

size_t savefile_whole(enum savefile_format format, const void *bytes, size_t n)
{
    const unsigned char *begin = bytes;
    size_t header = format == SAVEFILE_PCAPNG ? BLOCK_HEADER : PCAP_RECORD, whole = 0;

    while (n - whole >= header) {
        const unsigned char *at = begin + whole;
        size_t length = format == SAVEFILE_PCAPNG ? load(at + 4, 4, false)
                                                  : PCAP_RECORD + load(at + 8, 4, false);

        if (length < header || length > n - whole)
            break;
        whole += length;
    }
    return whole;
}
