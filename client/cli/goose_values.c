/* Members of a data set from text: "bool:true", "float:1.5" and so on, and other values for them.
 */
#include "publish.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512 };

/* Reads the text of a value. Returns NULL, or what is wrong. */
typedef const char *reader(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                           const char *text);

static const char *read_boolean(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                                const char *text)
{
    (void)bytes;
    value->boolean = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return value->boolean || strcmp(text, "false") == 0 || strcmp(text, "0") == 0
               ? NULL
               : "a bool is true or false";
}

static const char *read_integer(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                                const char *text)
{
    char *end;

    (void)bytes;
    errno = 0;
    value->integer = strtoll(text, &end, 10);
    return end == text || *end || errno || isspace((unsigned char)text[0])
               ? "an int is a whole number of 64 bits"
               : NULL;
}

static const char *read_unsigned(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                                 const char *text)
{
    char *end;

    (void)bytes;
    errno = 0;
    value->natural = strtoull(text, &end, 10);
    return !isdigit((unsigned char)text[0]) || *end || errno || value->natural > (uint64_t)INT64_MAX
               ? "a uint is a whole number that is not negative"
               : NULL;
}

static const char *read_float(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                              const char *text)
{
    char *end;

    (void)bytes;
    value->real = strtod(text, &end);
    value->is_short = true;
    return end == text || *end || isspace((unsigned char)text[0])
               ? "a float is a number such as 1.5 or -2e3"
               : NULL;
}

static const char *read_bits(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                             const char *text)
{
    size_t n = strlen(text);

    if (n == 0 || n != strspn(text, "01") || n > 8 * (size_t)GOOSE_TEXT_MAX)
        return "bits are 0 and 1, such as 0110";
    memset(bytes, 0, GOOSE_TEXT_MAX);
    for (size_t i = 0; i < n; i++)
        bytes[i / 8] |= (uint8_t)((text[i] - '0') << (7 - i % 8));
    value->bits = (unsigned)n;
    value->length = (n + 7) / 8;
    return NULL;
}

static const char *read_string(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                               const char *text)
{
    size_t n = strlen(text);

    if (n > GOOSE_TEXT_MAX)
        return "a string has at most 256 bytes";
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)text[i];
    value->length = n;
    return NULL;
}

static const char *read_time(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                             const char *text)
{
    char *end;

    (void)bytes;
    if (strcmp(text, "now") == 0)
        return NULL; /* it is that already */
    errno = 0;
    value->time.ns = strtoull(text, &end, 10);
    return !isdigit((unsigned char)text[0]) || *end || errno
               ? "a time is 'now', or nanoseconds since 1970"
               : NULL;
}

static const struct {
    const char *word;
    enum mms_type type;
    reader *read;
} types[] = {
    {"bool", MMS_BOOLEAN, read_boolean},   {"int", MMS_INTEGER, read_integer},
    {"uint", MMS_UNSIGNED, read_unsigned}, {"float", MMS_FLOAT, read_float},
    {"bits", MMS_BIT_STRING, read_bits},   {"string", MMS_VISIBLE_STRING, read_string},
    {"time", MMS_UTC_TIME, read_time},
};

enum { TYPES = sizeof types / sizeof *types };

/* Reads it apart first, so that a mistake changes nothing. */
static const char *set(struct goose_values *values, unsigned member, unsigned type,
                       const char *text, struct iec_time now)
{
    struct mms_value value = {.type = types[type].type, .time = now};
    uint8_t bytes[GOOSE_TEXT_MAX];
    const char *wrong = types[type].read(&value, bytes, text);

    if (wrong)
        return wrong;
    memcpy(values->bytes[member], bytes, value.length);
    value.bytes = values->bytes[member];
    values->values[member] = value;
    return NULL;
}

const char *goose_add(struct goose_values *values, const char *text, struct iec_time now)
{
    size_t n = strcspn(text, ":");
    const char *wrong;

    if (values->count == GOOSE_VALUES_MAX)
        return "a data set has at most 32 members here";
    for (unsigned i = 0; i < TYPES; i++) {
        if (!text[n] || strlen(types[i].word) != n || memcmp(types[i].word, text, n) != 0)
            continue;
        wrong = set(values, values->count, i, text + n + 1, now);
        values->count += !wrong;
        return wrong;
    }
    return "it begins with bool:, int:, uint:, float:, bits:, string: or time:";
}

static unsigned type_of(const struct mms_value *value)
{
    unsigned type = 0;

    while (types[type].type != value->type)
        type++;
    return type;
}

const char *goose_change(struct goose_values *values, const char *text, size_t n,
                         struct iec_time now)
{
    char copy[TEXT_MAX], *end;
    unsigned long member;

    if (n >= sizeof copy)
        return "it is too long";
    memcpy(copy, text, n);
    copy[n] = '\0';
    member = strtoul(copy, &end, 10);
    if (!isdigit((unsigned char)copy[0]) || *end != '=')
        return "a change is a member and its value, such as 1=true";
    if (member < 1 || member > values->count)
        return "there is no such member: they are counted from 1";
    return set(values, (unsigned)member - 1, type_of(&values->values[member - 1]), end + 1, now);
}
