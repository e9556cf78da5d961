#include "lines.h"

#include <stdlib.h>
#include <string.h>

struct line {
    struct line *next; /* of the lines that wait, in their order */
    size_t length;
    enum lines_kind kind;
    char text[];
};

static void take_out(struct lines *lines, struct line *before, struct line *line)
{
    *(before ? &before->next : &lines->first) = line->next;
    if (lines->last == line)
        lines->last = before;
    lines->bytes -= line->length;
    free(line);
}

/* A line that was written in part stays. */
static bool drop_status(struct lines *lines)
{
    struct line *before = lines->written ? lines->first : NULL;
    struct line *line = before ? before->next : lines->first;

    while (line && line->kind != LINES_STATUS) {
        before = line;
        line = line->next;
    }
    if (!line)
        return false;
    take_out(lines, before, line);
    lines->dropped++;
    return true;
}

static bool has_room(struct lines *lines, size_t length, enum lines_kind kind)
{
    static const size_t most[] = {
        [LINES_REPLY] = SIZE_MAX, [LINES_EVENT] = LINES_MAX, [LINES_STATUS] = LINES_STATUS_MAX};

    while (lines->bytes + length > LINES_STATUS_MAX && drop_status(lines))
        ;
    return length <= most[kind] && lines->bytes <= most[kind] - length;
}

void lines_add(struct lines *lines, const char *text, enum lines_kind kind)
{
    size_t length = strlen(text) + 1;
    struct line *line = has_room(lines, length, kind) ? malloc(sizeof *line + length) : NULL;

    if (!line) {
        lines->dropped++;
        lines->has_failed |= kind == LINES_REPLY;
        return;
    }
    line->next = NULL;
    line->length = length;
    line->kind = kind;
    memcpy(line->text, text, length - 1);
    line->text[length - 1] = '\n';
    *(lines->last ? &lines->last->next : &lines->first) = line;
    lines->last = line;
    lines->bytes += length;
}

size_t lines_next(const struct lines *lines, const char **ret)
{
    if (!lines->first)
        return 0;
    *ret = lines->first->text + lines->written;
    return lines->first->length - lines->written;
}

void lines_wrote(struct lines *lines, size_t bytes)
{
    lines->written += bytes;
    if (!lines->first || lines->written < lines->first->length)
        return;
    lines->written = 0;
    take_out(lines, NULL, lines->first);
}

uint64_t lines_take_dropped(struct lines *lines)
{
    uint64_t dropped = lines->bytes > LINES_STATUS_MAX / 2 ? 0 : lines->dropped;

    lines->dropped -= dropped;
    return dropped;
}

void lines_clear(struct lines *lines)
{
    while (lines->first)
        take_out(lines, NULL, lines->first);
    *lines = (struct lines){0};
}
