#include "ber.h"

#include <string.h>

enum {
    TAG_LONG = 0x1f,       /* a tag of more bytes begins so */
    LENGTH_LONG = 0x80,    /* so many bytes of length follow */
    LENGTH_BYTES_MAX = 4,  /* what a frame can have, with some zeros before it */
    INTEGER_BYTES_MAX = 8, /* of 64 bits */
};

uint64_t ber_big_endian(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

static bool read_length(struct ber_reader *reader, size_t *ret)
{
    size_t bytes;

    if (reader->at == reader->end)
        return false;
    *ret = *reader->at++;
    if (*ret < LENGTH_LONG)
        return true;
    bytes = *ret - LENGTH_LONG;
    if (bytes == 0 || bytes > LENGTH_BYTES_MAX || bytes > (size_t)(reader->end - reader->at))
        return false;
    *ret = (size_t)ber_big_endian(reader->at, bytes);
    reader->at += bytes;
    return true;
}

bool ber_next(struct ber_reader *reader, struct ber_item *ret)
{
    struct ber_reader here = *reader;
    struct ber_item item;

    if (here.at == here.end)
        return false;
    item.tag = *here.at++;
    if ((item.tag & TAG_LONG) == TAG_LONG || !read_length(&here, &item.length) ||
        item.length > (size_t)(here.end - here.at))
        return false;
    item.bytes = here.at;
    reader->at = here.at + item.length;
    *ret = item;
    return true;
}

bool ber_unsigned(const struct ber_item *item, uint64_t *ret)
{
    const uint8_t *bytes = item->bytes;
    size_t length = item->length;

    if (length == 0)
        return false;
    for (; length > INTEGER_BYTES_MAX && *bytes == 0; length--)
        bytes++;
    if (length > INTEGER_BYTES_MAX)
        return false;
    *ret = ber_big_endian(bytes, length);
    return true;
}

bool ber_signed(const struct ber_item *item, int64_t *ret)
{
    uint64_t value;

    if (item->length == 0 || item->length > INTEGER_BYTES_MAX)
        return false;
    value = item->bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < item->length; i++)
        value = value << 8 | item->bytes[i];
    *ret = (int64_t)value;
    return true;
}

/* --- Writing ------------------------------------------------------------------------------- */

void ber_put(struct ber_writer *writer, const void *bytes, size_t n)
{
    if (writer->is_full || n > (size_t)(writer->at - writer->begin)) {
        writer->is_full = true;
        return;
    }
    writer->at -= n;
    if (n)
        memcpy(writer->at, bytes, n);
}

void ber_put_big_endian(struct ber_writer *writer, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(i < sizeof value ? value >> 8 * i : 0);

        ber_put(writer, &byte, 1);
    }
}

/* How many bytes a length needs behind the first one. */
static size_t length_bytes(size_t length)
{
    size_t bytes = 0;

    if (length >= LENGTH_LONG)
        for (; length; length >>= 8)
            bytes++;
    return bytes;
}

static void put_head(struct ber_writer *writer, uint8_t tag, size_t length)
{
    size_t bytes = length_bytes(length);

    ber_put_big_endian(writer, length, bytes ? bytes : 1);
    if (bytes)
        ber_put_big_endian(writer, LENGTH_LONG + bytes, 1);
    ber_put(writer, &tag, 1);
}

void ber_put_head(struct ber_writer *writer, uint8_t tag, const uint8_t *end)
{
    put_head(writer, tag, (size_t)(end - writer->at));
}

void ber_put_item(struct ber_writer *writer, uint8_t tag, const void *bytes, size_t n)
{
    ber_put(writer, bytes, n);
    put_head(writer, tag, n);
}

void ber_put_unsigned(struct ber_writer *writer, uint8_t tag, uint64_t value)
{
    size_t bytes = 1;

    while (bytes <= INTEGER_BYTES_MAX && value >> (8 * bytes - 1))
        bytes++;
    ber_put_big_endian(writer, value, bytes);
    put_head(writer, tag, bytes);
}

void ber_put_signed(struct ber_writer *writer, uint8_t tag, int64_t value)
{
    uint64_t magnitude = (uint64_t)(value < 0 ? ~value : value);
    size_t bytes = 1;

    while (bytes < INTEGER_BYTES_MAX && magnitude >> (8 * bytes - 1))
        bytes++;
    ber_put_big_endian(writer, (uint64_t)value, bytes);
    put_head(writer, tag, bytes);
}

size_t ber_finish(struct ber_writer *writer)
{
    size_t length = (size_t)(writer->end - writer->at);

    if (writer->is_full)
        return 0;
    memmove(writer->begin, writer->at, length);
    return length;
}
