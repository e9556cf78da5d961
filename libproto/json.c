#include "json.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 1024 };

static bool make_room(struct json *json, size_t more)
{
    size_t needed = json->length + more;
    size_t capacity = json->capacity ? json->capacity : CAPACITY_MIN;

    if (json->failed || needed > json->limit)
        return false;
    if (needed <= json->capacity)
        return true;
    while (capacity < needed)
        capacity *= 2;

    char *text = realloc(json->text, capacity);

    if (!text)
        return false;
    json->text = text;
    json->capacity = capacity;
    return true;
}

void json_bytes(struct json *json, const char *bytes, size_t length)
{
    if (length == 0)
        return; /* there may be no bytes at all, and memcpy takes no NULL */
    if (!make_room(json, length)) {
        json->failed = true;
        return;
    }
    memcpy(json->text + json->length, bytes, length);
    json->length += length;
}

void json_clear(struct json *json)
{
    free(json->text);
    *json = (struct json){.limit = json->limit};
}

void json_cut(struct json *json, size_t length)
{
    json->length = length;
    json->comma = false;
    json->failed = false;
}

void json_raw(struct json *json, const char *text, size_t length)
{
    if (json->comma)
        json_bytes(json, ",", 1);
    json_bytes(json, text, length);
    json->comma = true;
}

void json_open(struct json *json, char bracket)
{
    json_raw(json, &bracket, 1);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    json_bytes(json, &bracket, 1);
    json->comma = true;
}

enum { SEQUENCE_MAX = 4 }; /* the text's end belongs to no sequence */

/* ASCII without what is escaped. */
static const bool is_plain[256] = {
    [0x20 ... '"' - 1] = true,
    ['"' + 1 ... '\\' - 1] = true,
    ['\\' + 1 ... 0x7f] = true,
};

/* How many bytes of the text can stand as they are. */
static size_t plain_length(const char *text)
{
    size_t length = 0, step = 1;

    while (step > 0) {
        while (is_plain[(unsigned char)text[length]])
            length++;
        step = (unsigned char)text[length] < 0x80 ? 0 : utf8_sequence(text + length, SEQUENCE_MAX);
        length += step;
    }
    return length;
}

static void put_escaped(struct json *json, unsigned char c)
{
    char text[8] = "\xef\xbf\xbd"; /* U+FFFD */

    if (c == '"' || c == '\\')
        snprintf(text, sizeof text, "\\%c", c);
    else if (c == '\n')
        strcpy(text, "\\n");
    else if (c < 0x80)
        snprintf(text, sizeof text, "\\u%04x", c);
    json_bytes(json, text, strlen(text));
}

void json_text_part(struct json *json, const char *part)
{
    while (*part) {
        size_t plain = plain_length(part);

        json_bytes(json, part, plain);
        part += plain;
        if (*part)
            put_escaped(json, (unsigned char)*part++);
    }
}

/* The quoted text alone, for keys and values alike. */
static void put_quoted(struct json *json, const char *value)
{
    size_t length = plain_length(value);
    char *at = NULL;

    if (json->comma)
        json_bytes(json, ",", 1);
    if (!value[length] && make_room(json, length + 2))
        at = json->text + json->length;
    if (at) { /* as nearly all are */
        at[0] = at[length + 1] = '"';
        memcpy(at + 1, value, length);
        json->length += length + 2;
        return;
    }
    json_bytes(json, "\"", 1);
    json_text_part(json, value);
    json_bytes(json, "\"", 1);
}

void json_key(struct json *json, const char *key)
{
    put_quoted(json, key);
    json_bytes(json, ":", 1);
    json->comma = false;
}

void json_string(struct json *json, const char *value)
{
    put_quoted(json, value);
    json->comma = true;
}

void json_text_open(struct json *json)
{
    json_raw(json, "\"", 1);
}

void json_text_close(struct json *json)
{
    json_bytes(json, "\"", 1);
    json->comma = true;
}

/* A list has many, and snprintf(3) takes 200 ns for each. */
static void put_number(struct json *json, bool negative, uint64_t value)
{
    char text[24], *at = text + sizeof text;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative)
        *--at = '-';
    json_raw(json, at, (size_t)(text + sizeof text - at));
}

void json_number(struct json *json, int64_t value)
{
    put_number(json, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_unsigned(struct json *json, uint64_t value)
{
    put_number(json, false, value);
}

void json_bool(struct json *json, bool value)
{
    json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void json_member_string(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    json_string(json, value);
}

void json_member_unsigned(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_unsigned(json, value);
}

void json_member_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

void json_member_ethertypes(struct json *json, const char *key, const uint16_t *types, size_t count)
{
    char text[sizeof "0x88ba"];

    json_key(json, key);
    json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "0x%04x", types[i]);
        json_string(json, text);
    }
    json_close(json, ']');
}
