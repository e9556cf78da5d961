/* A file is read twice: first for the thresholds, which hold for all of it, then line by line. */
#include "lines.h"

#include <string.h>

/* A file that is being read. */
struct reading {
    const struct lines_reader *reader;
    struct thresholds all;  /* of the whole file */
    struct thresholds seen; /* of the lines so far */
    struct line line;
    bool whole; /* no mistake yet */
};

static void report(struct reading *reading, unsigned number, const struct error *error)
{
    reading->whole = false;
    reading->reader->mistake(reading->reader->context, number, error);
}

/* The same interface with another threshold is a mistake: which one was meant? */
static void see_threshold(struct reading *reading, unsigned number)
{
    const struct threshold *threshold = &reading->line.threshold;
    struct error error;

    for (uint32_t i = 0; i < reading->seen.count; i++)
        if (strcmp(reading->seen.entries[i].name.text, threshold->name.text) == 0 &&
            reading->seen.entries[i].ttl != threshold->ttl) {
            error_set(&error, ERROR_IN_USE, NULL,
                      "An earlier line gives '%s' the TTL threshold %u; it takes only one.",
                      threshold->name.text, reading->seen.entries[i].ttl);
            report(reading, number, &error);
            return;
        }
    if (!thresholds_set(&reading->seen, threshold)) {
        error_set(&error, ERROR_LIMIT, NULL,
                  "A file takes TTL thresholds for at most %d interfaces; a pattern such as eth+ "
                  "stands for many.",
                  THRESHOLDS_MAX);
        report(reading, number, &error);
    }
}

static bool see_line(struct reading *reading, const char *bytes, size_t n, unsigned number)
{
    const struct lines_reader *reader = reading->reader;
    struct error error = {0};

    switch (line_read(bytes, n, &reading->all, &reading->line, &error)) {
    case LINE_REQUEST:
        return reader->statement(reader->context, number, &reading->line);
    case LINE_THRESHOLD:
        see_threshold(reading, number);
        break;
    case LINE_WRONG:
        report(reading, number, &error);
        break;
    case LINE_BLANK:
        break;
    }
    return true;
}

/* The first reading: only thresholds. */
static bool collect_threshold(struct reading *reading, const char *bytes, size_t n, unsigned number)
{
    struct error ignored;

    (void)number;
    if (line_is_threshold(bytes, n) &&
        line_read(bytes, n, &reading->all, &reading->line, &ignored) == LINE_THRESHOLD)
        thresholds_set(&reading->all, &reading->line.threshold);
    return true;
}

static bool read_lines(struct reading *reading, const char *bytes, size_t n,
                       bool (*see)(struct reading *, const char *, size_t, unsigned))
{
    unsigned number = 0;

    while (n > 0) {
        const char *newline = memchr(bytes, '\n', n);
        size_t length = newline ? (size_t)(newline - bytes) : n;
        size_t taken = length + (newline != NULL);

        if (!see(reading, bytes, length, ++number))
            return false;
        bytes += taken;
        n -= taken;
    }
    return true;
}

bool lines_read(const char *bytes, size_t n, const struct lines_reader *reader)
{
    struct reading reading = {.reader = reader, .whole = true};
    bool ended;

    read_lines(&reading, bytes, n, collect_threshold);
    ended = !read_lines(&reading, bytes, n, see_line);
    json_clear(&reading.line.json);
    return reading.whole && !ended;
}

static bool check_threshold(struct reading *reading, const char *bytes, size_t n, unsigned number)
{
    return line_is_no_threshold(bytes, n) || see_line(reading, bytes, n, number);
}

static void pass_mistake(void *context, unsigned number, const struct error *error)
{
    (void)context;
    (void)number;
    (void)error;
}

bool lines_thresholds_are_right(const char *bytes, size_t n)
{
    struct lines_reader reader = {.mistake = pass_mistake};
    struct reading reading = {.reader = &reader, .whole = true};

    read_lines(&reading, bytes, n, check_threshold);
    json_clear(&reading.line.json);
    return reading.whole;
}
