/* ASN.1 in the basic encoding rules (ITU-T X.690), as far as IEC 61850 has it on the wire: tags of
 * one byte, definite lengths.
 *
 * The reader takes one item after the other and never leaves what it was given. The writer goes
 * from the end of its buffer to its start, so a length is known when it is written. */
#ifndef NB_IEC61850_BER_H
#define NB_IEC61850_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BER_TAG_LONG = 0x1f,    /* a tag of more bytes begins so */
    BER_LENGTH_LONG = 0x80, /* and a length of more bytes from here on */
    BER_LENGTH_MAX = 4,     /* bytes of it: what a frame can have, with some zeros before it */
};

struct ber_reader {
    const uint8_t *at, *end;
};

struct ber_item {
    uint8_t tag;
    const uint8_t *bytes; /* the content */
    size_t length;
};

static inline struct ber_reader ber_reader(const uint8_t *bytes, size_t n)
{
    return (struct ber_reader){bytes, bytes + n};
}

static inline bool ber_is_constructed(uint8_t tag)
{
    return tag & 0x20;
}

/* A number of n bytes, the high one first; of more than 8, the last ones. */
static inline uint64_t ber_big_endian(const uint8_t *bytes, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* A length of several bytes, of which the first one says how many follow: those at `bytes`, of
 * which there are n. SIZE_MAX: it is none. */
static inline size_t ber_long_length(uint8_t first, const uint8_t *bytes, size_t n)
{
    size_t count = first & 0x7fu;

    return count == 0 || count > BER_LENGTH_MAX || count > n ? SIZE_MAX
                                                             : (size_t)ber_big_endian(bytes, count);
}

/* Takes the next item. False: there is none that is whole, and the reader stays. It is here so that
 * it is made a part of those who call it for each field of each frame. */
static inline bool ber_next(struct ber_reader *reader, struct ber_item *ret)
{
    const uint8_t *at = reader->at, *end = reader->end;
    uint8_t tag, first;
    size_t length;

    if (end - at < 2)
        return false;
    tag = *at++;
    first = *at++;
    length = first;
    if (first >= BER_LENGTH_LONG) {
        length = ber_long_length(first, at, (size_t)(end - at));
        at += length == SIZE_MAX ? 0 : first & 0x7f;
    }
    if ((tag & BER_TAG_LONG) == BER_TAG_LONG || length > (size_t)(end - at))
        return false;
    reader->at = at + length;
    ret->tag = tag; /* not by a copy of a whole item, which would wait for this byte */
    ret->bytes = at;
    ret->length = length;
    return true;
}

/* An INTEGER of at most 64 bits, however many bytes it was given. An unsigned one may have its
 * highest bit in its first byte: some devices leave out the zero before it. */
bool ber_unsigned(const struct ber_item *item, uint64_t *ret);
bool ber_signed(const struct ber_item *item, int64_t *ret);

struct ber_writer {
    uint8_t *begin, *end; /* of the buffer */
    uint8_t *at;          /* where what was written begins */
    bool is_full;         /* something did not fit: what is there is worth nothing */
};

static inline struct ber_writer ber_writer(uint8_t *buffer, size_t size)
{
    return (struct ber_writer){buffer, buffer + size, buffer + size, false};
}

/* Each puts something before what is there. */
void ber_put(struct ber_writer *writer, const void *bytes, size_t n);
void ber_put_big_endian(struct ber_writer *writer, uint64_t value, size_t n);
void ber_put_item(struct ber_writer *writer, uint8_t tag, const void *bytes, size_t n);
void ber_put_unsigned(struct ber_writer *writer, uint8_t tag, uint64_t value);
void ber_put_signed(struct ber_writer *writer, uint8_t tag, int64_t value);

/* The tag and length of what was written since `at` was `end`. */
void ber_put_head(struct ber_writer *writer, uint8_t tag, const uint8_t *end);

/* Moves what was written to the buffer's start. Returns its length; 0: it did not fit. */
size_t ber_finish(struct ber_writer *writer);

#endif
