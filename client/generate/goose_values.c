#include "goose_values.h"

#include "frame/hex.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512 };

static const char too_long[] = "a value has at most 511 characters";

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

static const char *read_double(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                               const char *text)
{
    char *end;

    (void)bytes;
    value->real = strtod(text, &end);
    return end == text || *end || isspace((unsigned char)text[0])
               ? "a float is a number such as 1.5 or -2e3"
               : NULL;
}

static const char *read_float(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                              const char *text)
{
    value->is_short = true;
    return read_double(value, bytes, text);
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

static const char *read_octets(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                               const char *text)
{
    size_t n = 0;

    for (; text[0]; text += 2) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

        if (low < 0 || n == GOOSE_TEXT_MAX)
            return "octets are pairs of hexadecimal digits, such as 00ff";
        bytes[n++] = (uint8_t)(16 * high + low);
    }
    value->length = n;
    return NULL;
}

/* "now" is what the value has already; the quality is that of the clock (IEC 61850-8-1, table 26).
 */
static const char *read_time(struct mms_value *value, uint8_t bytes[GOOSE_TEXT_MAX],
                             const char *text)
{
    bool is_now = strncmp(text, "now", 3) == 0, is_number = isdigit((unsigned char)text[0]);
    const char *rest = is_now ? text + strlen("now") : text;
    char *end;

    (void)bytes;
    errno = 0;
    if (is_number) {
        value->time.ns = strtoull(text, &end, 10);
        rest = end;
    }
    if ((is_now || is_number) && rest[0] == ':' && isdigit((unsigned char)rest[1])) {
        unsigned long quality = strtoul(rest + 1, &end, 0);

        errno = quality > UINT8_MAX ? ERANGE : errno;
        value->time.quality = (uint8_t)quality;
        rest = end;
    }
    return (is_now || is_number) && !*rest && !errno
               ? NULL
               : "a time is 'now', or nanoseconds since 1970, and perhaps a quality: now:0x20";
}

static const struct {
    const char *word;
    enum mms_type type;
    bool is_short;
    reader *read;
} types[] = {
    {"bool", MMS_BOOLEAN, false, read_boolean},
    {"int", MMS_INTEGER, false, read_integer},
    {"uint", MMS_UNSIGNED, false, read_unsigned},
    {"float", MMS_FLOAT, true, read_float},
    {"double", MMS_FLOAT, false, read_double},
    {"bits", MMS_BIT_STRING, false, read_bits},
    {"octets", MMS_OCTET_STRING, false, read_octets},
    {"string", MMS_VISIBLE_STRING, false, read_string},
    {"utf8", MMS_MMS_STRING, false, read_string},
    {"time", MMS_UTC_TIME, false, read_time},
};

enum { TYPES = sizeof types / sizeof *types };

/* --- One value ----------------------------------------------------------------------------- */

/* A mistake changes nothing. */
static const char *set(struct goose_values *values, unsigned place, unsigned type, unsigned depth,
                       const char *text, struct iec_time now)
{
    struct mms_value *value = &values->values[place], before = *value;
    uint8_t bytes[GOOSE_TEXT_MAX];
    const char *wrong;

    *value = (struct mms_value){.type = types[type].type, .depth = depth, .time = now};
    wrong = types[type].read(value, bytes, text);
    if (wrong) {
        *value = before;
        return wrong;
    }
    memcpy(values->bytes[place], bytes, value->length);
    value->bytes = values->bytes[place];
    return NULL;
}

static const char *set_named(struct goose_values *values, unsigned place, unsigned depth,
                             const char *text, struct iec_time now)
{
    size_t n = strcspn(text, ":");

    for (unsigned i = 0; i < TYPES; i++)
        if (text[n] && strlen(types[i].word) == n && memcmp(types[i].word, text, n) == 0)
            return set(values, place, i, depth, text + n + 1, now);
    return "it begins with bool:, int:, uint:, float:, double:, bits:, octets:, string:, utf8: or "
           "time:, or is a structure {...} or an array [...] of those";
}

/* --- Lists --------------------------------------------------------------------------------- */

struct parsing {
    struct goose_values *values;
    unsigned count, depth;
    char closing[MMS_DEPTH_MAX + 1]; /* of the lists that are open */
    const char *at;
    struct iec_time now;
};

static const char *open_list(struct parsing *parsing)
{
    bool is_array = *parsing->at == '[';

    if (parsing->depth == MMS_DEPTH_MAX)
        return "structures are deeper in each other than 8";
    parsing->values->values[parsing->count++] =
        (struct mms_value){.type = is_array ? MMS_ARRAY : MMS_STRUCTURE, .depth = parsing->depth};
    parsing->closing[++parsing->depth] = is_array ? ']' : '}';
    parsing->at++;
    return NULL;
}

/* In a list a value ends at a comma or the end of the list; else with the text. */
static const char *take_scalar(struct parsing *parsing)
{
    const char *ends = parsing->depth ? ",}]" : "", *wrong;
    char text[TEXT_MAX];
    size_t n = 0;

    for (; *parsing->at && !strchr(ends, *parsing->at); parsing->at++) {
        if (parsing->depth && *parsing->at == '\\' && parsing->at[1])
            parsing->at++;
        if (n + 1 == sizeof text)
            return too_long;
        text[n++] = *parsing->at;
    }
    text[n] = '\0';
    wrong = set_named(parsing->values, parsing->count, parsing->depth, text, parsing->now);
    parsing->count += !wrong;
    return wrong;
}

/* Closes the lists that end here. Returns NULL, or what is wrong. */
static const char *close_lists(struct parsing *parsing)
{
    while (parsing->depth && *parsing->at == parsing->closing[parsing->depth]) {
        parsing->at++;
        parsing->depth--;
    }
    if (parsing->depth && *parsing->at == ',')
        parsing->at++;
    else if (parsing->depth)
        return "a structure ends with }, an array with ], and commas are between their members";
    else if (*parsing->at)
        return "there is more behind its end";
    return NULL;
}

const char *goose_add(struct goose_values *values, const char *text, struct iec_time now)
{
    struct parsing parsing = {.values = values, .count = values->count, .at = text, .now = now};
    const char *wrong = NULL;

    do {
        bool opens = *parsing.at == '{' || *parsing.at == '[';

        if (parsing.count == GOOSE_VALUES_MAX)
            return "a data set has at most 128 values here";
        wrong = opens ? open_list(&parsing) : take_scalar(&parsing);
        if (!wrong && (!opens || *parsing.at == parsing.closing[parsing.depth]))
            wrong = close_lists(&parsing);
    } while (!wrong && parsing.depth);
    if (wrong)
        return wrong;
    values->count = parsing.count;
    values->members++;
    return NULL;
}

/* --- Changes ------------------------------------------------------------------------------- */

static unsigned type_of(const struct mms_value *value)
{
    unsigned type = 0;

    while (types[type].type != value->type || types[type].is_short != value->is_short)
        type++;
    return type;
}

/* The place of this member, counted from 1, of those at this depth from `from` on. Returns count
 * where there is none. */
static unsigned find(const struct goose_values *values, unsigned from, unsigned depth,
                     unsigned long number)
{
    for (unsigned i = from; i < values->count && values->values[i].depth >= depth; i++)
        if (values->values[i].depth == depth && --number == 0)
            return i;
    return values->count;
}

static bool is_list(const struct mms_value *value)
{
    return value->type == MMS_ARRAY || value->type == MMS_STRUCTURE;
}

/* 2, or 2.1 in a structure. Returns NULL, or what is wrong. */
static const char *find_path(const struct goose_values *values, char **text, unsigned *ret)
{
    unsigned place = 0;

    for (unsigned depth = 0;; depth++, place++, (*text)++) {
        unsigned long number = strtoul(*text, text, 10);

        place = number ? find(values, place, depth, number) : values->count;
        if (place == values->count)
            return "there is no such member: they are counted from 1";
        if (**text != '.' || !isdigit((unsigned char)(*text)[1]))
            break;
        if (!is_list(&values->values[place]))
            return "that member is no structure";
    }
    *ret = place;
    return NULL;
}

const char *goose_change(struct goose_values *values, const char *text, size_t n,
                         struct iec_time now)
{
    char copy[TEXT_MAX], *end = copy;
    const char *wrong;
    unsigned place;

    if (n >= sizeof copy)
        return too_long;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (!isdigit((unsigned char)copy[0]) || copy[strspn(copy, "0123456789.")] != '=')
        return "a change is a member and its value, such as 1=true";
    wrong = find_path(values, &end, &place);
    if (wrong)
        return wrong;
    if (*end != '=')
        return "a change is a member and its value, such as 1=true";
    if (is_list(&values->values[place]))
        return "that member is a structure: one of its own is changed, such as 2.1=true";
    return set(values, place, type_of(&values->values[place]), values->values[place].depth, end + 1,
               now);
}

const char *goose_change_all(struct goose_values *values, struct goose_values *spare,
                             const char *text, size_t n, struct iec_time now)
{
    const char *wrong = NULL, *end = text + n;

    *spare = *values;
    while (text < end && !wrong) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        size_t length = (size_t)((space ? space : end) - text);

        if (length)
            wrong = goose_change(values, text, length, now);
        text += length + (space != NULL);
    }
    if (wrong)
        *values = *spare; /* what it points to is at the same place */
    return wrong;
}
