/* Reading pcapng: blocks, each with its length at both ends. */
#include "internal.h"

enum { BLOCK_LEAST = BLOCK_HEADER + BLOCK_TRAILER };

/* --- Options ------------------------------------------------------------------------------- */

struct option {
    unsigned code;
    const unsigned char *bytes;
    size_t length;
};

/* The next option of the body. 1: here is one; 0: there is none; -1: it is longer than the block.
 */
static int next_option(struct block *block, struct option *ret)
{
    if (block->length - block->at < 4)
        return block->at == block->length ? 0 : -1;
    ret->code = block_u16(block);
    ret->length = block_u16(block);
    ret->bytes = block->body + block->at;
    if (ret->code == OPTION_END)
        return 0;
    if (block->length - block->at < pad4(ret->length))
        return -1;
    block->at += pad4(ret->length);
    return 1;
}

static struct savefile_text text_of(const struct option *option)
{
    return (struct savefile_text){(const char *)option->bytes, option->length};
}

/* Takes one option into what it belongs to. False: it has not the length of its kind. */
typedef bool option_taker(struct block *block, const struct option *option, void *into);

static const char *take_options(struct block *block, option_taker *take, void *into)
{
    struct option option;
    int found;

    while ((found = next_option(block, &option)) > 0)
        if (!take(block, &option, into))
            return "an option has another length than its kind has";
    return found == 0 ? NULL : "an option is longer than its block";
}

static uint64_t number_of(const struct block *block, const struct option *option)
{
    return load(option->bytes, (unsigned)option->length, block->reader->big);
}

/* --- Sections and interfaces --------------------------------------------------------------- */

static bool take_section_option(struct block *block, const struct option *option, void *into)
{
    struct savefile_section *section = into;

    (void)block;
    switch (option->code) {
    case OPTION_COMMENT:
        section->comment = text_of(option);
        break;
    case SECTION_HARDWARE:
        section->hardware = text_of(option);
        break;
    case SECTION_OS:
        section->os = text_of(option);
        break;
    case SECTION_APPLICATION:
        section->application = text_of(option);
        break;
    default:
        break;
    }
    return true;
}

/* The length of a section is not used: nothing but its blocks is passed over. */
static enum savefile_next parse_section(struct block *block, struct savefile_item *ret)
{
    struct savefile_section section = {.comment.length = 0};
    struct savefile_reader *reader = block->reader;
    uint32_t major;
    const char *wrong;

    if (block->length < 16)
        return reader_fail(reader, block->length, "a section's header is too short");
    block->at = 4;
    major = block_u16(block);
    if (major != 1)
        return reader_fail(reader, major, "the version of pcapng is not 1");
    block->at = 16;
    wrong = take_options(block, take_section_option, &section);
    if (wrong)
        return reader_fail(reader, block->at, wrong);
    reader->interface_count = 0;
    ret->section = section;
    return SAVEFILE_SECTION;
}

struct described {
    struct savefile_interface interface;
    struct savefile_reader_interface source;
};

static bool take_mac(const struct option *option, struct savefile_interface *interface)
{
    if (option->length != SAVEFILE_MAC_BYTES)
        return false;
    interface->has_mac = true;
    memcpy(interface->mac, option->bytes, SAVEFILE_MAC_BYTES);
    return true;
}

static void take_filter(const struct option *option, struct savefile_interface *interface)
{
    if (option->length > 0 && option->bytes[0] == FILTER_TEXT)
        interface->filter =
            (struct savefile_text){(const char *)option->bytes + 1, option->length - 1};
}

static bool take_interface_text(const struct option *option, struct savefile_interface *interface)
{
    switch (option->code) {
    case OPTION_COMMENT:
        interface->comment = text_of(option);
        return true;
    case INTERFACE_NAME:
        interface->name = text_of(option);
        return true;
    case INTERFACE_DESCRIPTION:
        interface->description = text_of(option);
        return true;
    case INTERFACE_OS:
        interface->os = text_of(option);
        return true;
    case INTERFACE_HARDWARE:
        interface->hardware = text_of(option);
        return true;
    case INTERFACE_FILTER:
        take_filter(option, interface);
        return true;
    default:
        return false;
    }
}

static bool take_interface_option(struct block *block, const struct option *option, void *into)
{
    struct described *described = into;

    if (take_interface_text(option, &described->interface))
        return true;
    switch (option->code) {
    case INTERFACE_MAC:
        return take_mac(option, &described->interface);
    case INTERFACE_SPEED:
        described->interface.speed = number_of(block, option);
        return option->length == 8;
    case INTERFACE_RESOLUTION:
        described->source.resolution = (uint8_t)number_of(block, option);
        return option->length == 1;
    case INTERFACE_FCS: /* the draft says bits and means bytes in its example; both are written */
        described->source.fcs = (uint8_t)number_of(block, option);
        if (described->source.fcs > 15)
            described->source.fcs /= 8;
        return option->length == 1;
    case INTERFACE_OFFSET:
        described->source.seconds = (int64_t)number_of(block, option);
        return option->length == 8;
    default:
        return true;
    }
}

static enum savefile_next parse_interface(struct block *block, struct savefile_item *ret)
{
    struct described described = {.source.resolution = RESOLUTION_US};
    struct savefile_reader *reader = block->reader;
    const char *wrong;

    if (block->length < 8)
        return reader_fail(reader, block->length, "the description of an interface is too short");
    if (reader->interface_count == SAVEFILE_INTERFACES_MAX)
        return reader_fail(reader, SAVEFILE_INTERFACES_MAX,
                           "a section has more interfaces than are read");
    described.source.linktype = (uint16_t)block_u16(block);
    block_u16(block); /* reserved */
    described.source.snaplen = block_u32(block);
    wrong = take_options(block, take_interface_option, &described);
    if (wrong)
        return reader_fail(reader, block->at, wrong);
    reader->interfaces[reader->interface_count++] = described.source;
    described.interface.linktype = described.source.linktype;
    described.interface.snaplen = described.source.snaplen;
    described.interface.fcs = described.source.fcs;
    ret->interface = described.interface;
    return SAVEFILE_INTERFACE;
}

/* --- Packets ------------------------------------------------------------------------------- */

/* The interface of a packet; NULL: the section has none of this number. */
static const struct savefile_reader_interface *find_interface(struct block *block,
                                                              struct savefile_packet *packet)
{
    const struct savefile_reader *reader = block->reader;
    const struct savefile_reader_interface *found;

    if (packet->interface >= reader->interface_count)
        return NULL;
    found = &reader->interfaces[packet->interface];
    packet->linktype = found->linktype;
    packet->fcs = found->fcs;
    return found;
}

/* What is wrong with the frame that begins here; NULL: nothing. */
static const char *take_frame(struct block *block, struct savefile_packet *packet)
{
    if (packet->captured > SAVEFILE_FRAME_MAX)
        return "a frame has more bytes than frames can have";
    if (packet->captured > packet->length)
        return "more was captured of a frame than it has";
    if (pad4(packet->captured) > block->length - block->at)
        return "a frame is longer than its block";
    packet->bytes = block->body + block->at;
    block->at += pad4(packet->captured);
    return NULL;
}

static bool take_packet_option(struct block *block, const struct option *option, void *into)
{
    struct savefile_packet *packet = into;
    uint64_t flags;

    switch (option->code) {
    case OPTION_COMMENT:
        packet->comment = text_of(option);
        return true;
    case PACKET_FLAGS: /* bits 0-1: the direction; 5-8: the check sequence, 0: not told */
        if (option->length != 4)
            return false;
        flags = number_of(block, option);
        packet->direction = (flags & 3) < 3 ? (enum savefile_direction)(flags & 3) : 0;
        if (flags >> 5 & 15)
            packet->fcs = flags >> 5 & 15;
        return true;
    case PACKET_DROPPED:
        packet->dropped = number_of(block, option);
        return option->length == 8;
    default:
        return true;
    }
}

/* The body of a packet from its time on: both halves of that, the lengths, the frame and options.
 */
static enum savefile_next parse_timed(struct block *block, struct savefile_packet *packet,
                                      struct savefile_item *ret)
{
    const struct savefile_reader_interface *interface = find_interface(block, packet);
    struct savefile_reader *reader = block->reader;
    uint64_t time = (uint64_t)block_u32(block) << 32;
    const char *wrong;

    time |= block_u32(block);
    packet->captured = block_u32(block);
    packet->length = block_u32(block);
    if (!interface)
        return reader_fail(reader, packet->interface,
                           "a frame is of an interface that its section does not have");
    wrong = take_frame(block, packet);
    if (wrong)
        return reader_fail(reader, packet->captured, wrong);
    packet->has_time = true;
    if (!savefile_time(interface->resolution, interface->seconds, time, &packet->time))
        return reader_fail(reader, time, "the time of a frame is not between 1970 and 2554");
    wrong = take_options(block, take_packet_option, packet);
    if (wrong)
        return reader_fail(reader, block->at, wrong);
    ret->packet = *packet;
    return SAVEFILE_PACKET;
}

static enum savefile_next parse_packet(struct block *block, struct savefile_item *ret)
{
    struct savefile_packet packet = {.time = 0};

    if (block->length < 20)
        return reader_fail(block->reader, block->length, "a packet's block is too short");
    packet.interface = block_u32(block);
    return parse_timed(block, &packet, ret);
}

/* The kind that was used before that one. */
static enum savefile_next parse_old_packet(struct block *block, struct savefile_item *ret)
{
    enum { DROPS_UNKNOWN = 0xffff };
    struct savefile_packet packet = {.time = 0};

    if (block->length < 20)
        return reader_fail(block->reader, block->length, "a packet's block is too short");
    packet.interface = block_u16(block);
    packet.dropped = block_u16(block);
    if (packet.dropped == DROPS_UNKNOWN)
        packet.dropped = 0;
    return parse_timed(block, &packet, ret);
}

/* A packet of the first interface, without a time. What was captured of it follows from that one's
 * snap length. */
static enum savefile_next parse_simple_packet(struct block *block, struct savefile_item *ret)
{
    struct savefile_packet packet = {.time = 0};
    const struct savefile_reader_interface *interface = find_interface(block, &packet);
    const char *wrong;

    if (block->length < 4)
        return reader_fail(block->reader, block->length, "a packet's block is too short");
    if (!interface)
        return reader_fail(block->reader, 0,
                           "a frame is of an interface that its section does not "
                           "have");
    packet.length = block_u32(block);
    packet.captured = packet.length;
    if (interface->snaplen > 0 && packet.captured > interface->snaplen)
        packet.captured = interface->snaplen;
    wrong = take_frame(block, &packet);
    if (wrong)
        return reader_fail(block->reader, packet.captured, wrong);
    ret->packet = packet;
    return SAVEFILE_PACKET;
}

/* --- Statistics ---------------------------------------------------------------------------- */

struct counted {
    struct savefile_statistics statistics;
    const struct savefile_reader_interface *interface;
};

static bool take_time(struct block *block, const struct option *option,
                      const struct savefile_reader_interface *interface, uint64_t *ret)
{
    bool big = block->reader->big;
    uint64_t value;

    if (option->length != 8)
        return false;
    value = load(option->bytes, 4, big) << 32 | load(option->bytes + 4, 4, big);
    if (!savefile_time(interface->resolution, interface->seconds, value, ret))
        *ret = SAVEFILE_UNKNOWN;
    return true;
}

static bool take_statistics_option(struct block *block, const struct option *option, void *into)
{
    struct counted *counted = into;
    struct savefile_statistics *statistics = &counted->statistics;
    uint64_t *const counters[] = {
        [STATISTICS_RECEIVED] = &statistics->received,
        [STATISTICS_DROPPED] = &statistics->dropped,
        [STATISTICS_ACCEPTED] = &statistics->accepted,
        [STATISTICS_OS_DROPPED] = &statistics->os_dropped,
        [STATISTICS_DELIVERED] = &statistics->delivered,
    };

    if (option->code == OPTION_COMMENT)
        statistics->comment = text_of(option);
    if (option->code == STATISTICS_START)
        return take_time(block, option, counted->interface, &statistics->start);
    if (option->code == STATISTICS_END)
        return take_time(block, option, counted->interface, &statistics->end);
    if (option->code < STATISTICS_RECEIVED || option->code > STATISTICS_DELIVERED)
        return true;
    *counters[option->code] = number_of(block, option);
    return option->length == 8;
}

static enum savefile_next parse_statistics(struct block *block, struct savefile_item *ret)
{
    struct savefile_reader *reader = block->reader;
    struct counted counted = {
        .statistics = {.start = SAVEFILE_UNKNOWN,
                       .end = SAVEFILE_UNKNOWN,
                       .received = SAVEFILE_UNKNOWN,
                       .dropped = SAVEFILE_UNKNOWN,
                       .accepted = SAVEFILE_UNKNOWN,
                       .os_dropped = SAVEFILE_UNKNOWN,
                       .delivered = SAVEFILE_UNKNOWN},
    };
    const char *wrong;
    uint64_t time;

    if (block->length < 12)
        return reader_fail(reader, block->length, "a block of statistics is too short");
    counted.statistics.interface = block_u32(block);
    if (counted.statistics.interface >= reader->interface_count)
        return reader_fail(reader, counted.statistics.interface,
                           "statistics are of an interface that their section does not have");
    counted.interface = &reader->interfaces[counted.statistics.interface];
    time = (uint64_t)block_u32(block) << 32;
    time |= block_u32(block);
    if (!savefile_time(counted.interface->resolution, counted.interface->seconds, time,
                       &counted.statistics.time))
        return reader_fail(reader, time, "the time of statistics is not between 1970 and 2554");
    wrong = take_options(block, take_statistics_option, &counted);
    if (wrong)
        return reader_fail(reader, block->at, wrong);
    ret->statistics = counted.statistics;
    return SAVEFILE_STATISTICS;
}

/* --- Blocks -------------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    enum savefile_next (*parse)(struct block *block, struct savefile_item *ret);
} kinds[] = {
    {BLOCK_PACKET, parse_packet},         {BLOCK_SIMPLE_PACKET, parse_simple_packet},
    {BLOCK_OLD_PACKET, parse_old_packet}, {BLOCK_INTERFACE, parse_interface},
    {BLOCK_STATISTICS, parse_statistics}, {BLOCK_SECTION, parse_section},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static unsigned kind_of(uint32_t type)
{
    unsigned kind = 0;

    while (kind < KINDS && kinds[kind].type != type)
        kind++;
    return kind;
}

/* The byte order of a section, from the number behind its type and length. */
static bool read_order(struct savefile_reader *reader, const unsigned char *bytes)
{
    reader->big = load(bytes + BLOCK_HEADER, 4, true) == BYTE_ORDER_MAGIC;
    return reader->big || load(bytes + BLOCK_HEADER, 4, false) == BYTE_ORDER_MAGIC;
}

/* What is wrong with the length of a block of this kind; NULL: nothing. */
static const char *judge_length(uint32_t length, unsigned kind)
{
    if (length < BLOCK_LEAST)
        return "a block is shorter than its own lengths";
    if (length % 4 != 0)
        return "the length of a block is no multiple of 4";
    if (length > (kind < KINDS ? SAVEFILE_BLOCK_MAX : SAVEFILE_OTHER_BLOCK_MAX))
        return "a block is longer than any that is read";
    return NULL;
}

/* Passes over the rest of a block. True: it is behind us, or broken. */
static bool skip(struct savefile_reader *reader, const unsigned char *bytes, size_t n, size_t *used)
{
    size_t some = n - *used < reader->skip ? n - *used : reader->skip;

    *used += some;
    reader->skip -= (uint32_t)some;
    if (reader->skip > 0 || n - *used < BLOCK_TRAILER)
        return false;
    if (load(bytes + *used, 4, reader->big) != reader->trailer) {
        reader->offset += *used;
        reader_fail(reader, load(bytes + *used, 4, reader->big),
                    "the length at the end of a block is not the one at its start");
        return true;
    }
    *used += BLOCK_TRAILER;
    reader->trailer = 0;
    return true;
}

/* A whole block, of a kind that is taken apart. */
static enum savefile_next parse(struct savefile_reader *reader, unsigned kind,
                                const unsigned char *bytes, uint32_t length,
                                struct savefile_item *ret)
{
    struct block block = {
        .reader = reader,
        .body = bytes + BLOCK_HEADER,
        .length = length - BLOCK_LEAST,
    };
    uint64_t trailer = load(bytes + length - BLOCK_TRAILER, 4, reader->big);

    if (trailer != length)
        return reader_fail(reader, trailer,
                           "the length at the end of a block is not the one at its start");
    return kinds[kind].parse(&block, ret);
}

/* The block that begins with these bytes. MORE with some used: it is passed over. */
static enum savefile_next begin_block(struct savefile_reader *reader, const unsigned char *bytes,
                                      size_t n, size_t *used, struct savefile_item *ret)
{
    uint32_t type, length;
    unsigned kind;
    const char *wrong;

    if (n < BLOCK_LEAST)
        return SAVEFILE_MORE;
    if (load(bytes, 4, false) == BLOCK_SECTION && !read_order(reader, bytes))
        return reader_fail(reader, load(bytes + BLOCK_HEADER, 4, true),
                           "the byte order of a section is none");
    type = (uint32_t)load(bytes, 4, reader->big);
    length = (uint32_t)load(bytes + 4, 4, reader->big);
    kind = kind_of(type);
    wrong = judge_length(length, kind);
    if (wrong)
        return reader_fail(reader, length, wrong);
    if (kind == KINDS) {
        reader->trailer = length;
        reader->skip = length - BLOCK_LEAST;
        *used = BLOCK_HEADER;
        return SAVEFILE_MORE;
    }
    if (n < length)
        return SAVEFILE_MORE;
    *used = length;
    return parse(reader, kind, bytes, length, ret);
}

enum savefile_next pcapng_next(struct savefile_reader *reader, const unsigned char *bytes, size_t n,
                               size_t *used, struct savefile_item *ret)
{
    enum savefile_next next;
    size_t some = 0;

    for (;;) {
        if (reader->trailer > 0 && !skip(reader, bytes, n, used))
            return SAVEFILE_MORE;
        if (reader->fault.why)
            return SAVEFILE_BROKEN;
        reader->offset += *used;
        some = 0;
        next = begin_block(reader, bytes + *used, n - *used, &some, ret);
        reader->offset -= *used;
        *used += some;
        if (next != SAVEFILE_MORE || reader->trailer == 0)
            return next;
    }
}
