/* Text from outside, made harmless: a service may be another than it seems, and names of interfaces
 * are chosen by whoever made them. Control characters, those of C1 among them, would play with the
 * terminal; those of the bidirectional algorithm show a line otherwise than it is. */
#include "cli.h"
#include "json.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQUENCE_MAX = 4 };

/* The code point of a valid sequence. */
static uint32_t decode(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t code = length == 1 ? s[0] : s[0] & (0x7f >> length);

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (s[i] & 0x3f);
    return code;
}

/* Unicode's Bidi_Control, the line and paragraph separators, and Cc. */
static bool is_harmful(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
           code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* How many bytes of the text can stand as they are. */
static size_t harmless_length(const char *text)
{
    size_t length = 0, step;

    while (text[length]) {
        step = utf8_sequence(text + length, SEQUENCE_MAX);
        if (step == 0 || is_harmful(decode(text + length, step)))
            break;
        length += step;
    }
    return length;
}

static void escape_for_people(struct json *out, const char *bytes, size_t length)
{
    char escape[8];

    for (size_t i = 0; i < length; i++) {
        snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)bytes[i]);
        json_bytes(out, escape, strlen(escape));
    }
}

/* All of them are in the plane that four digits name. */
static void escape_for_programs(struct json *out, const char *bytes, size_t length)
{
    char escape[16];

    snprintf(escape, sizeof escape, "\\u%04x", length ? decode(bytes, length) : 0xfffd);
    json_bytes(out, escape, strlen(escape));
}

static char *make_safe(const char *text,
                       void (*escape)(struct json *, const char *bytes, size_t length))
{
    struct json out = {.limit = SIZE_MAX / 2};

    while (*text) {
        size_t plain = harmless_length(text), step;

        json_bytes(&out, text, plain);
        text += plain;
        if (!*text)
            break;
        step = utf8_sequence(text, SEQUENCE_MAX);
        if (escape == escape_for_people && step == 0)
            escape(&out, text, 1);
        else
            escape(&out, text, step);
        text += step ? step : 1;
    }
    json_bytes(&out, "", 1);
    if (out.failed) {
        json_clear(&out);
        return NULL;
    }
    return out.text;
}

char *safe_text(const char *text)
{
    return make_safe(text, escape_for_people);
}

void print_safe(FILE *file, const char *text)
{
    char *safe = safe_text(text);

    fputs(safe ? safe : "", file);
    free(safe);
}

void print_safe_lines(FILE *file, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);

        if (line)
            print_safe(file, line);
        free(line);
        text += length;
        if (*text == '\n') {
            putc('\n', file);
            text++;
        }
    }
}

/* Only strings can have such characters, and there an escape means the same. */
char *safe_json_text(const char *json)
{
    return make_safe(json, escape_for_programs);
}

char *safe_json(const struct nb_value *value)
{
    char *text = nb_value_text(value), *safe;

    if (!text || harmless_length(text) == strlen(text))
        return text;
    safe = safe_json_text(text);
    free(text);
    return safe;
}

void printf_safe(const char *format, const char *text)
{
    char *safe = safe_text(text);

    printf(format, safe ? safe : "");
    free(safe);
}
