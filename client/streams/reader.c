#include "reader.h"

#include "frame/hex.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 40, NEAR = 3 };

/* --- Errors -------------------------------------------------------------------------------- */

bool reader_wrong(struct reader *reader, const char *format, ...)
{
    char *text = reader->error->text;
    size_t size = sizeof reader->error->text, length;
    va_list arguments;

    snprintf(text, size, "%s ", reader->path[0] ? reader->path : "the request");
    length = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
    return false;
}

/* The value as it stands there, not too much of it. */
static const char *shown(const cJSON *item, char text[SHOWN_MAX + 4])
{
    if (cJSON_IsString(item)) {
        snprintf(text, SHOWN_MAX + 1, "'%s", item->valuestring);
        strcat(text, "'");
    } else if (cJSON_IsNumber(item))
        snprintf(text, SHOWN_MAX, "%.10g", item->valuedouble);
    else if (cJSON_IsBool(item))
        strcpy(text, cJSON_IsTrue(item) ? "true" : "false");
    else
        strcpy(text, cJSON_IsObject(item) ? "an object" : cJSON_IsArray(item) ? "a list" : "null");
    for (char *c = text; *c; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
    return text;
}

/* --- Places -------------------------------------------------------------------------------- */

/* Appends a part of the path. Returns how long it was. */
static size_t append(struct reader *reader, const char *part)
{
    size_t length = strlen(reader->path);

    snprintf(reader->path + length, sizeof reader->path - length, "%s", part);
    for (char *c = reader->path + length; *c; c++)
        if (!isprint((unsigned char)*c))
            *c = '?';
    return length;
}

static size_t enter(struct reader *reader, const char *key)
{
    char part[READER_PATH_MAX];

    snprintf(part, sizeof part, "%s%.64s", reader->path[0] ? "." : "", key);
    return append(reader, part);
}

static size_t enter_item(struct reader *reader, unsigned number)
{
    char part[16];

    snprintf(part, sizeof part, "[%u]", number);
    return append(reader, part);
}

static void leave(struct reader *reader, size_t length)
{
    reader->path[length] = '\0';
}

/* --- Objects ------------------------------------------------------------------------------- */

/* How many characters differ, where that is a few; longer words are of other lengths mostly. */
static unsigned difference(const char *one, const char *other)
{
    size_t n = strlen(one), m = strlen(other), begin = 0, end = 0;

    while (begin < n && begin < m &&
           tolower((unsigned char)one[begin]) == tolower((unsigned char)other[begin]))
        begin++;
    while (end + begin < n && end + begin < m &&
           tolower((unsigned char)one[n - 1 - end]) == tolower((unsigned char)other[m - 1 - end]))
        end++;
    return (unsigned)((n > m ? n : m) - begin - end);
}

static bool say_unknown(struct reader *reader, const char *word, const struct reader_key *keys,
                        size_t count)
{
    char list[SPEC_ERROR_MAX / 2] = "";
    unsigned least = NEAR + 1;
    const char *nearest = NULL;

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(list);
        unsigned differs = difference(word, keys[i].name);

        snprintf(list + length, sizeof list - length, "%s%s",
                 i == 0          ? ""
                 : i + 1 < count ? ", "
                                 : " and ",
                 keys[i].name);
        if (differs < least && differs < strlen(word)) {
            least = differs;
            nearest = keys[i].name;
        }
    }
    if (nearest)
        return reader_wrong(reader, "is no key here: is %s meant? Keys are %s", nearest, list);
    return reader_wrong(reader, "is no key here: keys are %s", list);
}

static size_t find_key(const struct reader_key *keys, size_t count, const char *name)
{
    size_t at = 0;

    while (at < count && strcmp(keys[at].name, name) != 0)
        at++;
    return at;
}

static bool take_member(struct reader *reader, const cJSON *item, const struct reader_key *keys,
                        size_t count, void *context, unsigned *given)
{
    size_t at = find_key(keys, count, item->string), length = enter(reader, item->string);

    if (at == count)
        return say_unknown(reader, item->string, keys, count);
    if (*given >> at & 1)
        return reader_wrong(reader, "is there twice");
    *given |= 1u << at;
    if (!keys[at].take(reader, item, context))
        return false;
    leave(reader, length);
    return true;
}

static bool is_object(struct reader *reader, const cJSON *object)
{
    char text[SHOWN_MAX + 4];

    return cJSON_IsObject(object) ||
           reader_wrong(reader, "takes an object in braces, and %s is none", shown(object, text));
}

bool reader_object(struct reader *reader, const cJSON *object, const struct reader_key *keys,
                   size_t count, void *context, unsigned *given)
{
    unsigned seen = 0;

    if (!is_object(reader, object))
        return false;
    for (const cJSON *item = object->child; item; item = item->next)
        if (!take_member(reader, item, keys, count, context, &seen))
            return false;
    for (size_t i = 0; i < count; i++)
        if (keys[i].is_required && !(seen >> i & 1))
            return reader_wrong(reader, "has no '%s', which it needs", keys[i].name);
    if (given)
        *given = seen;
    return true;
}

/* Pairs are few: `take` refuses names that it does not know, and each list has a limit. */
static bool is_there_before(const cJSON *object, const cJSON *item)
{
    for (const cJSON *other = object->child; other != item; other = other->next)
        if (strcmp(other->string, item->string) == 0)
            return true;
    return false;
}

bool reader_names(struct reader *reader, const cJSON *object,
                  bool (*take)(struct reader *reader, const cJSON *item, void *context),
                  void *context)
{
    if (!is_object(reader, object))
        return false;
    for (const cJSON *item = object->child; item; item = item->next) {
        size_t length = enter(reader, item->string);

        if (is_there_before(object, item))
            return reader_wrong(reader, "is there twice");
        if (!take(reader, item, context))
            return false;
        leave(reader, length);
    }
    return true;
}

bool reader_list(struct reader *reader, const cJSON *list, unsigned most, const char *what,
                 bool (*take)(struct reader *reader, const cJSON *item, void *context),
                 void *context)
{
    char text[SHOWN_MAX + 4];
    unsigned number = 0;

    if (!cJSON_IsArray(list))
        return reader_wrong(reader, "takes a list of %s in brackets, and %s is none", what,
                            shown(list, text));
    for (const cJSON *item = list->child; item; item = item->next) {
        size_t length;

        if (number == most)
            return reader_wrong(reader, "has more than %u %s, which is the most", most, what);
        length = enter_item(reader, number++);
        if (!take(reader, item, context))
            return false;
        leave(reader, length);
    }
    return true;
}

/* --- Values -------------------------------------------------------------------------------- */

bool reader_real(struct reader *reader, const cJSON *item, double low, double high, double *ret)
{
    char text[SHOWN_MAX + 4];

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high))
        return reader_wrong(reader, "takes a number from %.10g to %.10g, and %s is none", low, high,
                            shown(item, text));
    *ret = item->valuedouble;
    return true;
}

static bool natural_of_text(const char *text, uint64_t *ret)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *ret = strtoull(text, &end, is_hex ? 16 : 10);
    return *end == '\0' && errno == 0;
}

static bool natural_of(const cJSON *item, uint64_t *ret)
{
    if (cJSON_IsString(item))
        return natural_of_text(item->valuestring, ret);
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 9e15) ||
        floor(item->valuedouble) != item->valuedouble)
        return false;
    *ret = (uint64_t)item->valuedouble;
    return true;
}

bool reader_natural(struct reader *reader, const cJSON *item, uint64_t low, uint64_t high,
                    uint64_t *ret)
{
    char text[SHOWN_MAX + 4];
    uint64_t number;

    if (!natural_of(item, &number) || number < low || number > high)
        return reader_wrong(reader,
                            "takes a whole number from %" PRIu64 " to %" PRIu64
                            ", also as text such as \"0x%" PRIx64 "\", and %s is none",
                            low, high, high, shown(item, text));
    *ret = number;
    return true;
}

bool reader_bool(struct reader *reader, const cJSON *item, bool *ret)
{
    char text[SHOWN_MAX + 4];

    if (!cJSON_IsBool(item))
        return reader_wrong(reader, "takes true or false, and %s is neither", shown(item, text));
    *ret = cJSON_IsTrue(item);
    return true;
}

bool reader_text(struct reader *reader, const cJSON *item, size_t most, char *ret)
{
    char text[SHOWN_MAX + 4];
    size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : 0;

    for (size_t i = 0; i < length; i++)
        if (!isprint((unsigned char)item->valuestring[i])) {
            length = 0;
            break;
        }
    if (length == 0 || length > most)
        return reader_wrong(reader, "takes a text of 1 to %zu characters of ASCII, and %s is none",
                            most, shown(item, text));
    memcpy(ret, item->valuestring, length + 1);
    return true;
}

/* Pairs of digits with colons or dashes between them. */
static bool mac_of(const char *text, uint8_t ret[FRAME_MAC_BYTES])
{
    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++, text += 3) {
        int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);
        bool is_last = i == FRAME_MAC_BYTES - 1;

        if (low < 0 || (is_last ? text[2] != '\0' : text[2] != ':' && text[2] != '-'))
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool reader_mac(struct reader *reader, const cJSON *item, uint8_t ret[FRAME_MAC_BYTES])
{
    char text[SHOWN_MAX + 4];

    return (cJSON_IsString(item) && mac_of(item->valuestring, ret)) ||
           reader_wrong(reader,
                        "takes an Ethernet address such as \"01:0c:cd:04:00:01\", and %s is none",
                        shown(item, text));
}
