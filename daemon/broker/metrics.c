#include "metrics.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void metric_line(struct json *out, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    json_text_part(out, text);
    json_text_part(out, "\n");
}

void metric_head(struct json *out, const char *name, const char *help)
{
    const char *last = strrchr(name, '_');
    bool counts = last && strcmp(last, "_total") == 0;

    metric_line(out, "# HELP netbroker_%s %s", name, help);
    metric_line(out, "# TYPE netbroker_%s %s", name, counts ? "counter" : "gauge");
}

void metric_number(struct json *out, const char *name, const char *help, uint64_t value)
{
    metric_head(out, name, help);
    metric_line(out, "netbroker_%s %" PRIu64, name, value);
}

static int escape_byte(char *text, char c)
{
    if (c == '"' || c == '\\')
        return sprintf(text, "\\%c", c);
    if (c == '\n')
        return sprintf(text, "\\n");
    return sprintf(text, "\\\\x%02x", (unsigned char)c);
}

const char *metric_label(const char *name, char text[METRIC_LABEL_SIZE])
{
    char *at = text;

    while (*name) {
        size_t length = utf8_sequence(name, strlen(name));

        if (length == 0 || strchr("\"\\\n", *name)) {
            at += escape_byte(at, *name++);
        } else {
            memcpy(at, name, length);
            at += length;
            name += length;
        }
    }
    *at = '\0';
    return text;
}
