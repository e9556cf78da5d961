#include "mms.h"

#include <string.h>

enum { SINGLE_EXPONENT = 8, DOUBLE_EXPONENT = 11 }; /* bits, in a float's first byte */

static const struct {
    uint8_t tag;
    const char *name;
} types[] = {
#define T(NAME, tag, name) [MMS_##NAME] = {tag, name},
    MMS_TYPES(T)
#undef T
};

const char *mms_type_name(enum mms_type type)
{
    return types[type].name;
}

static bool is_list(enum mms_type type)
{
    return type == MMS_ARRAY || type == MMS_STRUCTURE;
}

/* The types stand in the order of their numbers, which are in the low bits of a tag, from 1 on. */
static bool find_type(uint8_t tag, enum mms_type *ret)
{
    unsigned type = (tag & 0x1fu) - 1;

    if (type >= MMS_TYPE_COUNT || types[type].tag != tag)
        return false;
    *ret = (enum mms_type)type;
    return true;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* The first byte says how many bits the exponent has. Some devices leave it out. */
static bool read_float(const struct ber_item *item, struct mms_value *ret)
{
    const uint8_t *bytes = item->bytes + item->length % 2;

    if (item->length == 4 || (item->length == 5 && item->bytes[0] == SINGLE_EXPONENT)) {
        uint32_t bits = (uint32_t)ber_big_endian(bytes, 4);
        float single;

        memcpy(&single, &bits, sizeof single);
        ret->real = (double)single;
        ret->is_short = true;
        return true;
    }
    if (item->length == 8 || (item->length == 9 && item->bytes[0] == DOUBLE_EXPONENT)) {
        uint64_t bits = ber_big_endian(bytes, 8);

        memcpy(&ret->real, &bits, sizeof ret->real);
        return true;
    }
    return false;
}

/* The first byte says how many bits of the last one are none. */
static bool read_bits(const struct ber_item *item, struct mms_value *ret)
{
    if (item->length == 0 || item->bytes[0] > 7 || (item->length == 1 && item->bytes[0]))
        return false;
    ret->bytes = item->bytes + 1;
    ret->length = item->length - 1;
    ret->bits = (unsigned)(8 * ret->length - item->bytes[0]);
    return true;
}

/* Returns what is wrong with it, or NULL. */
static const char *read_value(const struct ber_item *item, struct mms_value *ret)
{
    switch (ret->type) {
    case MMS_BOOLEAN:
        if (item->length != 1)
            return "a boolean has not 1 byte";
        ret->boolean = item->bytes[0];
        return NULL;
    case MMS_INTEGER:
    case MMS_BCD:
        return ber_signed(item, &ret->integer) ? NULL : "an integer has not 1 to 8 bytes";
    case MMS_UNSIGNED:
        return ber_unsigned(item, &ret->natural) ? NULL : "an unsigned has no 64 bits or less";
    case MMS_FLOAT:
        return read_float(item, ret) ? NULL : "a float is none of 32 or 64 bits";
    case MMS_BIT_STRING:
    case MMS_BOOLEAN_ARRAY:
        return read_bits(item, ret) ? NULL : "a bit-string has no right number of unused bits";
    case MMS_BINARY_TIME:
        ret->is_short = item->length == 4;
        return item->length == 4 || item->length == MMS_BINARY_TIME_BYTES
                   ? NULL
                   : "a binary-time has not 4 or 6 bytes";
    case MMS_UTC_TIME:
        if (item->length != IEC_TIME_BYTES)
            return "a utc-time has not 8 bytes";
        ret->time = iec_read_time(item->bytes);
        return NULL;
    default:
        return NULL;
    }
}

void mms_begin(struct mms_walk *walk, const uint8_t *bytes, size_t n)
{
    walk->ends[0] = bytes + n;
    walk->at = bytes;
    walk->depth = 0;
    walk->why = NULL;
}

static bool fail(struct mms_walk *walk, const char *why)
{
    walk->why = why;
    return false;
}

bool mms_next(struct mms_walk *walk, struct mms_value *ret)
{
    struct ber_reader reader;
    struct ber_item item;
    bool has_members;

    while (walk->depth && walk->at == walk->ends[walk->depth])
        walk->depth--;
    reader = (struct ber_reader){walk->at, walk->ends[walk->depth]};
    if (walk->why || reader.at == reader.end)
        return false;
    if (!ber_next(&reader, &item))
        return fail(walk, "a value is cut off");
    if (!find_type(item.tag, &ret->type))
        return fail(walk, "a value has a type that MMS does not have");
    ret->depth = walk->depth;
    ret->bytes = item.bytes;
    ret->length = item.length;
    ret->is_short = false;
    if ((walk->why = read_value(&item, ret)))
        return false;
    has_members = is_list(ret->type);
    if (has_members && walk->depth == MMS_DEPTH_MAX)
        return fail(walk, "structures are deeper in each other than 8");
    walk->at = has_members ? item.bytes : reader.at;
    if (has_members)
        walk->ends[++walk->depth] = reader.at;
    return true;
}

bool mms_count(struct mms_walk *walk, const uint8_t *bytes, size_t n, unsigned *ret)
{
    struct mms_value value;
    unsigned values = 0, count = 0;

    mms_begin(walk, bytes, n);
    while (mms_next(walk, &value)) {
        count += value.depth == 0;
        if (++values > MMS_VALUES_MAX)
            return fail(walk, "there are more than 1024 values");
    }
    *ret = count;
    return !walk->why;
}

/* --- Writing ------------------------------------------------------------------------------- */

static void put_float(struct ber_writer *writer, const struct mms_value *value)
{
    if (value->is_short) {
        float single = (float)value->real;
        uint32_t bits;

        memcpy(&bits, &single, sizeof bits);
        ber_put_big_endian(writer, bits, 4);
        ber_put_big_endian(writer, SINGLE_EXPONENT, 1);
    } else {
        uint64_t bits;

        memcpy(&bits, &value->real, sizeof bits);
        ber_put_big_endian(writer, bits, 8);
        ber_put_big_endian(writer, DOUBLE_EXPONENT, 1);
    }
}

static void put_bits(struct ber_writer *writer, const struct mms_value *value)
{
    size_t bytes = (value->bits + 7) / 8;

    ber_put(writer, value->bytes, bytes);
    ber_put_big_endian(writer, 8 * bytes - value->bits, 1);
}

static void put_scalar(struct ber_writer *writer, const struct mms_value *value)
{
    const uint8_t *end = writer->at;
    uint8_t tag = types[value->type].tag, time[IEC_TIME_BYTES];

    switch (value->type) {
    case MMS_BOOLEAN:
        ber_put_big_endian(writer, value->boolean, 1);
        break;
    case MMS_INTEGER:
    case MMS_BCD:
        ber_put_signed(writer, tag, value->integer);
        return;
    case MMS_UNSIGNED:
        ber_put_unsigned(writer, tag, value->natural);
        return;
    case MMS_FLOAT:
        put_float(writer, value);
        break;
    case MMS_BIT_STRING:
    case MMS_BOOLEAN_ARRAY:
        put_bits(writer, value);
        break;
    case MMS_UTC_TIME:
        iec_write_time(value->time, time);
        ber_put(writer, time, sizeof time);
        break;
    default:
        ber_put(writer, value->bytes, value->length);
    }
    ber_put_head(writer, tag, end);
}

/* From the last to the first. A list's members end where the value begins that follows it and
 * stands no deeper: begins[depth] of those that are written. */
static void put_values(struct ber_writer *writer, const struct mms_value *values, size_t count)
{
    const uint8_t *begins[MMS_DEPTH_MAX + 1];

    for (unsigned depth = 0; depth <= MMS_DEPTH_MAX; depth++)
        begins[depth] = writer->at;
    for (size_t i = count; i > 0; i--) {
        const struct mms_value *value = &values[i - 1];

        if (is_list(value->type))
            ber_put_head(writer, types[value->type].tag, begins[value->depth]);
        else
            put_scalar(writer, value);
        for (unsigned depth = value->depth; depth <= MMS_DEPTH_MAX; depth++)
            begins[depth] = writer->at;
    }
}

/* A member stands one deeper than its list, which is the value before it or holds that one. */
static bool are_a_list(const struct mms_value *values, size_t count)
{
    unsigned most = 0;

    for (size_t i = 0; i < count; i++) {
        if ((unsigned)values[i].type >= MMS_TYPE_COUNT || values[i].depth > most)
            return false;
        most = values[i].depth + is_list(values[i].type);
        if (most > MMS_DEPTH_MAX)
            return false;
    }
    return true;
}

size_t mms_encode(const struct mms_value *values, size_t count, uint8_t *buffer, size_t size)
{
    struct ber_writer writer = ber_writer(buffer, size);

    if (!are_a_list(values, count))
        return 0;
    put_values(&writer, values, count);
    return ber_finish(&writer);
}
