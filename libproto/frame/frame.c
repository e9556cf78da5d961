#include "frame.h"

#include <string.h>

enum { TYPE_AT = 2 * FRAME_MAC_BYTES }; /* behind the addresses */

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void write_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

bool frame_parse(const uint8_t *bytes, size_t n, struct frame_view *ret)
{
    struct frame_view view = {.destination = bytes, .source = bytes + FRAME_MAC_BYTES};
    size_t at = TYPE_AT;

    if (n < FRAME_LEAST)
        return false;
    view.ethertype = read_u16(bytes + at);
    while (frame_is_tag(view.ethertype) && view.tags < FRAME_TAGS_MAX) {
        if (n < at + 2 + FRAME_TAG_BYTES)
            return false;
        view.tag[view.tags++] =
            (struct frame_tag){.tpid = view.ethertype, .tci = read_u16(bytes + at + 2)};
        at += FRAME_TAG_BYTES;
        view.ethertype = read_u16(bytes + at);
    }
    view.payload = at + 2;
    *ret = view;
    return true;
}

uint8_t *frame_insert_tag(uint8_t *frame, struct frame_tag tag)
{
    uint8_t *begin = frame - FRAME_TAG_BYTES;

    memmove(begin, frame, TYPE_AT);
    write_u16(begin + TYPE_AT, tag.tpid);
    write_u16(begin + TYPE_AT + 2, tag.tci);
    return begin;
}
