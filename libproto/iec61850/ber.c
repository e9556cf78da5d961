#include "ber.h"

#include <string.h>

enum {
    INTEGER_BYTES_MAX = 8, /* of 64 bits */
};

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

    if (length >= BER_LENGTH_LONG)
        for (; length; length >>= 8)
            bytes++;
    return bytes;
}

static void put_head(struct ber_writer *writer, uint8_t tag, size_t length)
{
    size_t bytes = length_bytes(length);

    ber_put_big_endian(writer, length, bytes ? bytes : 1);
    if (bytes)
        ber_put_big_endian(writer, BER_LENGTH_LONG + bytes, 1);
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
