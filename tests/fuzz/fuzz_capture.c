/* The reader of pcapng and pcap: whatever a file has, what is found is within it, and the same
 * however the file comes in pieces. Packets that were read are written, and then read the same. */
#include "capture/capture.h"
#include "fuzz.h"

/* What was found, in an order that the hash keeps. */
struct found {
    uint64_t hash;
    struct savefile_fault fault;
};

static void add(struct found *found, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        found->hash = (found->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static void add_number(struct found *found, uint64_t number)
{
    add(found, &number, sizeof number);
}

static void add_text(struct found *found, struct savefile_text text)
{
    add_number(found, text.length);
    add(found, text.bytes, text.length);
}

static void add_packet(struct found *found, const struct savefile_packet *packet)
{
    must(packet->captured <= packet->length, "no more is captured than a frame has");
    must(packet->captured <= SAVEFILE_FRAME_MAX, "a frame has a bound");
    add_number(found, packet->time);
    add_number(found, packet->interface);
    add_number(found, packet->dropped);
    add_number(found, packet->direction);
    add_number(found, packet->fcs);
    add_number(found, packet->length);
    add(found, packet->bytes, packet->captured);
    add_text(found, packet->comment);
}

static void add_item(struct found *found, enum savefile_next kind, const struct savefile_item *item)
{
    add_number(found, kind);
    switch (kind) {
    case SAVEFILE_SECTION:
        add_text(found, item->section.hardware);
        add_text(found, item->section.os);
        add_text(found, item->section.application);
        add_text(found, item->section.comment);
        break;
    case SAVEFILE_INTERFACE:
        add_number(found, item->interface.linktype);
        add_text(found, item->interface.name);
        add_text(found, item->interface.description);
        add_text(found, item->interface.filter);
        add_text(found, item->interface.hardware);
        add_text(found, item->interface.os);
        add_text(found, item->interface.comment);
        break;
    case SAVEFILE_PACKET:
        add_packet(found, &item->packet);
        break;
    default:
        add_number(found, item->statistics.received);
        add_number(found, item->statistics.start);
        add_text(found, item->statistics.comment);
    }
}

/* --- There and back ------------------------------------------------------------------------ */

static void write_again(const struct savefile_packet *packet)
{
    static unsigned char place[SAVEFILE_BLOCK_MAX];
    static const struct savefile_interface ethernet = {.linktype = SAVEFILE_ETHERNET};
    struct savefile_packet one = *packet;
    struct savefile_reader reader = {0};
    struct savefile_item item;
    size_t at, n, used;

    one.interface = 0;
    n = pcapng_put_section(place, sizeof place, &(struct savefile_section){.os = {0}});
    n += pcapng_put_interface(place + n, sizeof place - n, &ethernet);
    must(pcapng_put_packet(place + n, savefile_packet_size(SAVEFILE_PCAPNG, &one), &one) > 0,
         "it takes no more than was said");
    n += savefile_packet_size(SAVEFILE_PCAPNG, &one);
    must(savefile_reader_next(&reader, place, n, &at, &item) == SAVEFILE_SECTION, "a section");
    must(savefile_reader_next(&reader, place + at, n - at, &used, &item) == SAVEFILE_INTERFACE,
         "an interface");
    at += used;
    must(savefile_reader_next(&reader, place + at, n - at, &used, &item) == SAVEFILE_PACKET,
         "a packet");
    must(item.packet.time == one.time && item.packet.captured == one.captured &&
             item.packet.length == one.length && item.packet.direction == one.direction &&
             item.packet.dropped == one.dropped && item.packet.comment.length == one.comment.length,
         "it is the same");
    must(memcmp(item.packet.bytes, one.bytes, one.captured) == 0, "its bytes are the same");
}

/* --- A file in pieces ---------------------------------------------------------------------- */

static void read_split(const uint8_t *bytes, size_t n, size_t piece, bool again, struct found *ret)
{
    struct savefile_reader reader = {0};
    size_t at = 0, end = piece < n ? piece : n, used;

    memset(ret, 0, sizeof *ret);
    for (;;) {
        struct savefile_item item;
        enum savefile_next kind = savefile_reader_next(&reader, bytes + at, end - at, &used, &item);

        must(used <= end - at, "no more is used than was given");
        at += used;
        if (kind == SAVEFILE_BROKEN || (kind == SAVEFILE_MORE && end == n))
            break;
        if (kind == SAVEFILE_MORE)
            end = n - end < piece ? n : end + piece;
        else
            add_item(ret, kind, &item);
        if (kind == SAVEFILE_PACKET && again)
            write_again(&item.packet);
    }
    must(savefile_reader_end(&reader, n - at) == !reader.fault.why, "what is wrong is said");
    must(reader.fault.offset <= n, "it is wrong within the file");
    ret->fault = reader.fault;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct found whole, split;

    read_split(bytes, n, n, true, &whole);
    for (size_t piece = 1; piece < n; piece = piece * 5 + 2) {
        read_split(bytes, n, piece, false, &split);
        must(memcmp(&whole, &split, sizeof whole) == 0, "it is the same however it is split");
    }
    return 0;
}
