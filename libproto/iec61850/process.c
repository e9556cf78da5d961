#include "process.h"

#include <string.h>

enum { HEADER = 8, NS_PER_SECOND = 1000000000, FRACTION_BITS = 24, FRACTION_END = 1 << 24 };

bool iec_wrong(struct iec_fault *fault, const uint8_t *frame, const uint8_t *byte, const char *why)
{
    *fault = (struct iec_fault){why, (size_t)(byte - frame)};
    return false;
}

bool iec_read(const uint8_t *bytes, size_t n, uint16_t ethertype, struct iec_frame *ret,
              struct iec_fault *fault)
{
    struct frame_view view;
    const uint8_t *header;
    size_t length;

    if (!frame_parse(bytes, n, &view))
        return iec_wrong(fault, bytes, bytes, "the frame is shorter than its Ethernet header");
    header = bytes + view.payload;
    if (view.ethertype != ethertype)
        return iec_wrong(fault, bytes, header - 2, "it has another EtherType");
    if (n - view.payload < HEADER)
        return iec_wrong(fault, bytes, header, "APPID, length and reserved words are cut off");
    length = (size_t)ber_big_endian(header + 2, 2);
    if (length < HEADER)
        return iec_wrong(fault, bytes, header + 2, "its length is less than that of its header");
    if (length > n - view.payload)
        return iec_wrong(fault, bytes, header + 2, "its length is more than the frame has");
    *ret = (struct iec_frame){
        .tags = view.tags,
        .app_id = (uint16_t)ber_big_endian(header, 2),
        .reserved1 = (uint16_t)ber_big_endian(header + 4, 2),
        .reserved2 = (uint16_t)ber_big_endian(header + 6, 2),
        .apdu = header + HEADER,
        .apdu_length = length - HEADER,
    };
    memcpy(ret->destination, view.destination, sizeof ret->destination);
    memcpy(ret->source, view.source, sizeof ret->source);
    memcpy(ret->tag, view.tag, view.tags * sizeof *view.tag);
    return true;
}

void iec_put_header(struct ber_writer *writer, const struct iec_frame *frame, uint16_t ethertype)
{
    size_t length = (size_t)(writer->end - writer->at) + HEADER;

    if (length > UINT16_MAX || frame->tags > FRAME_TAGS_MAX)
        writer->is_full = true;
    ber_put_big_endian(writer, frame->reserved2, 2);
    ber_put_big_endian(writer, frame->reserved1, 2);
    ber_put_big_endian(writer, length, 2);
    ber_put_big_endian(writer, frame->app_id, 2);
    ber_put_big_endian(writer, ethertype, 2);
    for (unsigned i = writer->is_full ? 0 : frame->tags; i > 0; i--) {
        ber_put_big_endian(writer, frame->tag[i - 1].tci, 2);
        ber_put_big_endian(writer, frame->tag[i - 1].tpid, 2);
    }
    ber_put(writer, frame->source, FRAME_MAC_BYTES);
    ber_put(writer, frame->destination, FRAME_MAC_BYTES);
}

struct iec_time iec_read_time(const uint8_t bytes[IEC_TIME_BYTES])
{
    uint64_t seconds = ber_big_endian(bytes, 4), fraction = ber_big_endian(bytes + 4, 3);

    return (struct iec_time){
        .ns =
            seconds * NS_PER_SECOND + (fraction * NS_PER_SECOND + FRACTION_END / 2) / FRACTION_END,
        .quality = bytes[7],
    };
}

/* Rounded to the nearest, which may be the next second, so that a time that was read is written as
 * it was: a step of the fraction is 60 ns. */
void iec_write_time(struct iec_time time, uint8_t ret[IEC_TIME_BYTES])
{
    uint64_t steps = time.ns / NS_PER_SECOND << FRACTION_BITS;

    steps += (time.ns % NS_PER_SECOND * FRACTION_END + NS_PER_SECOND / 2) / NS_PER_SECOND;
    for (unsigned i = 0; i < 7; i++)
        ret[i] = (uint8_t)(steps >> 8 * (6 - i));
    ret[7] = time.quality;
}

void iec_put_text(struct ber_writer *writer, uint8_t tag, struct iec_text text)
{
    if (text.bytes)
        ber_put_item(writer, tag, text.bytes, text.length);
}
