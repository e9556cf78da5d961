#include "trip.h"

#include <math.h>
#include <string.h>

static bool is_of(const struct spec_trip *spec, const struct goose_message *message)
{
    size_t length = strlen(spec->reference);

    return message->gocb_ref.bytes && message->gocb_ref.length == length &&
           memcmp(message->gocb_ref.bytes, spec->reference, length) == 0;
}

static bool equals(const struct spec_trip *spec, const struct mms_value *value)
{
    switch (value->type) {
    case MMS_BOOLEAN:
        return spec->is_boolean ? value->boolean == spec->boolean
                                : spec->number == (value->boolean ? 1 : 0);
    case MMS_INTEGER:
    case MMS_BCD:
        return !spec->is_boolean && spec->number == (double)value->integer;
    case MMS_UNSIGNED:
        return !spec->is_boolean && spec->number == (double)value->natural;
    case MMS_FLOAT:
        return !spec->is_boolean &&
               fabs(value->real - spec->number) <= 1e-6 * fmax(1, fabs(spec->number));
    case MMS_BIT_STRING:
        /* Such as the position of a breaker: bits as a number, the first one the highest. */
        return !spec->is_boolean && value->bits > 0 && value->bits <= 8 &&
               spec->number == value->bytes[0] >> (8 - value->bits);
    default:
        return false;
    }
}

static bool is_structure(const struct mms_value *value)
{
    return value->type == MMS_STRUCTURE || value->type == MMS_ARRAY;
}

/* The member of this number; of a structure, what it begins with: its value stands before quality
 * and time. */
static bool find_member(const struct goose_message *message, unsigned index, struct mms_value *ret)
{
    struct mms_walk walk;
    unsigned number = 0;

    mms_begin(&walk, message->all_data, message->all_data_length);
    while (mms_next(&walk, ret)) {
        if (ret->depth > 0 || number++ != index)
            continue;
        while (is_structure(ret)) {
            unsigned depth = ret->depth;

            if (!mms_next(&walk, ret) || ret->depth <= depth)
                return false;
        }
        return true;
    }
    return false;
}

bool trip_take(struct trip *trip, const struct goose_message *message)
{
    struct mms_value value;
    bool is_so, was_so;

    if (!is_of(trip->spec, message))
        return false;
    is_so = find_member(message, trip->spec->index, &value) && equals(trip->spec, &value);
    /* The first message that is seen is a repetition: it was so before. */
    was_so = trip->is_known ? trip->is_so : message->sq_num > 0;
    trip->is_known = true;
    trip->is_so = is_so;
    return is_so && !was_so;
}
