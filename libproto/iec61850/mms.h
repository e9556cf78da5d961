/* Data of MMS (ISO 9506-2, Data), as GOOSE has it in allData (IEC 61850-8-1, annex A).
 *
 * Values are read in their order, each with how deep it stands: an array or structure is followed
 * by its members. Pure code; what is pointed to is in the frame. */
#ifndef NB_IEC61850_MMS_H
#define NB_IEC61850_MMS_H

#include "iec61850/process.h"

enum {
    MMS_DEPTH_MAX = 8,     /* arrays and structures in each other: data of 61850 have five */
    MMS_VALUES_MAX = 1024, /* more do not fit in a frame, but for empty structures */
    MMS_BINARY_TIME_BYTES = 6,
};

/* T(NAME, tag, its name) */
#define MMS_TYPES(T)                                                                               \
    T(ARRAY, 0xa1, "array")                                                                        \
    T(STRUCTURE, 0xa2, "structure")                                                                \
    T(BOOLEAN, 0x83, "boolean")                                                                    \
    T(BIT_STRING, 0x84, "bit-string")                                                              \
    T(INTEGER, 0x85, "integer")                                                                    \
    T(UNSIGNED, 0x86, "unsigned")                                                                  \
    T(FLOAT, 0x87, "float")                                                                        \
    T(REAL, 0x88, "real")                                                                          \
    T(OCTET_STRING, 0x89, "octet-string")                                                          \
    T(VISIBLE_STRING, 0x8a, "visible-string")                                                      \
    T(GENERALIZED_TIME, 0x8b, "generalized-time")                                                  \
    T(BINARY_TIME, 0x8c, "binary-time")                                                            \
    T(BCD, 0x8d, "bcd")                                                                            \
    T(BOOLEAN_ARRAY, 0x8e, "boolean-array")                                                        \
    T(OBJECT_ID, 0x8f, "object-id")                                                                \
    T(MMS_STRING, 0x90, "mms-string")                                                              \
    T(UTC_TIME, 0x91, "utc-time")

enum mms_type {
#define T(NAME, tag, name) MMS_##NAME,
    MMS_TYPES(T)
#undef T
        MMS_TYPE_COUNT
};

struct mms_value {
    const uint8_t *bytes; /* the content; of bits, without the byte before them */
    size_t length;
    union {
        bool boolean;
        int64_t integer;      /* also bcd */
        uint64_t natural;     /* unsigned */
        double real;          /* float */
        struct iec_time time; /* utc-time */
    };
    enum mms_type type;
    unsigned depth; /* 0: a member of the data set */
    unsigned bits;  /* of a bit-string or boolean-array: how many, the highest of the first byte
                     * first */
    bool is_short;  /* a float of 32 bits, or a binary-time without days */
};

struct mms_walk {
    const uint8_t *ends[MMS_DEPTH_MAX + 1]; /* of what is open; the first is that of all */
    const uint8_t *at;
    unsigned depth;
    const char *why; /* what is wrong with the byte at `at`; NULL: nothing */
};

void mms_begin(struct mms_walk *walk, const uint8_t *bytes, size_t n);

/* The next value. False: there is none; where that is because of a mistake, walk->why says so. Of
 * *ret, what belongs to other types stays as it was. */
bool mms_next(struct mms_walk *walk, struct mms_value *ret);

/* How many values there are at depth 0. False: there is a mistake, see walk. */
bool mms_count(struct mms_walk *walk, const uint8_t *bytes, size_t n, unsigned *ret);

/* Whether this bit is set; it is one of value->bits. */
static inline bool mms_bit(const struct mms_value *value, unsigned bit)
{
    return value->bytes[bit / 8] >> (7 - bit % 8) & 1;
}

const char *mms_type_name(enum mms_type type);

/* Writes these values, which stand in the order in which they are read, each by what its type says.
 * Returns how many bytes they have; 0: there is no room, or they are no such list. */
size_t mms_encode(const struct mms_value *values, size_t count, uint8_t *buffer, size_t size);

#endif
