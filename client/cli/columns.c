#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_MAX = 20, GAP = 2 };

struct columns {
    size_t count; /* columns; 0: headings are being added */
    size_t widths[COLUMNS_MAX];
    struct {
        size_t column;
        bool if_same;
    } spare[COLUMNS_MAX];
    size_t spare_count;
    bool left_out[COLUMNS_MAX];
    char **cells; /* owned, each of them too; the first row are the headings */
    size_t used, capacity;
};

static void *check_memory(void *memory)
{
    if (memory)
        return memory;
    fputs("netbroker: out of memory.\n", stderr);
    exit(EXIT_REFUSED);
}

static void widen(struct columns *columns, size_t column, const char *text)
{
    size_t width = strlen(text);

    if (columns->widths[column] < width)
        columns->widths[column] = width;
}

struct columns *columns_new(void)
{
    return check_memory(calloc(1, sizeof(struct columns)));
}

void columns_end_headings(struct columns *columns)
{
    columns->count = columns->used;
}

void columns_add(struct columns *columns, const char *format, ...)
{
    char *cell, *safe;
    va_list arguments;

    if (columns->used == columns->capacity) {
        columns->capacity = columns->capacity ? columns->capacity * 2 : 64;
        columns->cells =
            check_memory(realloc(columns->cells, columns->capacity * sizeof *columns->cells));
    }
    va_start(arguments, format);
    if (vasprintf(&cell, format, arguments) < 0)
        cell = NULL;
    va_end(arguments);
    safe = check_memory(safe_text(check_memory(cell)));
    free(cell);
    widen(columns, columns->count ? columns->used % columns->count : columns->used, safe);
    columns->cells[columns->used++] = safe;
}

void columns_may_leave_out(struct columns *columns, const char *heading, bool if_same)
{
    for (size_t i = 0; i < columns->count; i++)
        if (strcmp(columns->cells[i], heading) == 0) {
            columns->spare[columns->spare_count].column = i;
            columns->spare[columns->spare_count++].if_same = if_same;
        }
}

/* --- Fitting ------------------------------------------------------------------------------- */

static bool is_same(const struct columns *columns, size_t column)
{
    const char *first = columns->cells[columns->count + column];

    for (size_t at = columns->count + column; at < columns->used; at += columns->count)
        if (strcmp(columns->cells[at], first) != 0)
            return false;
    return true;
}

static size_t total_width(const struct columns *columns)
{
    size_t total = 0;

    for (size_t i = 0; i < columns->count; i++)
        if (!columns->left_out[i])
            total += columns->widths[i] + GAP;
    return total - GAP;
}

static void leave_out(struct columns *columns, size_t width)
{
    for (size_t i = 0; i < columns->spare_count && total_width(columns) > width; i++) {
        size_t column = columns->spare[i].column;

        columns->left_out[column] = !columns->spare[i].if_same || is_same(columns, column);
    }
}

/* --- Printing ------------------------------------------------------------------------------ */

size_t terminal_width(void)
{
    struct winsize size;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return 0;
    return size.ws_col;
}

void print_wrapped(const char *whole, size_t indent, size_t width)
{
    char *safe = check_memory(safe_text(whole));
    const char *text = safe;
    size_t room = width > indent ? width - indent : width, length = strlen(text);

    while (length > room) {
        size_t end = room;

        while (end > 0 && text[end] != ' ')
            end--;
        end = end ? end : room;
        printf("%.*s\n%*s", (int)end, text, (int)indent, "");
        text += end;
        text += strspn(text, " ");
        length = strlen(text);
    }
    puts(text);
    free(safe);
}

/* Puts a '>' at the end of what fits, and cuts no character of UTF-8 into pieces. */
static void cut_line(char *line, size_t width)
{
    size_t end = width - 1;

    while (end > 0 && ((unsigned char)line[end] & 0xc0) == 0x80)
        end--;
    memcpy(line + end, ">", 2);
}

static void print_row(const struct columns *columns, size_t row, size_t width)
{
    char *const *cells = columns->cells + row * columns->count;
    char line[1024];
    size_t used = 0;

    for (size_t i = 0; i < columns->count && used < sizeof line; i++) {
        bool last = i + 1 == columns->count;

        if (columns->left_out[i])
            continue;
        int pad = last ? 0 : (int)(columns->widths[i] + GAP);

        used += (size_t)snprintf(line + used, sizeof line - used, "%-*s", pad, cells[i]);
    }
    if (used >= sizeof line)
        used = sizeof line - 1;
    if (width && used > width)
        cut_line(line, width);
    puts(line);
}

void columns_print(struct columns *columns, size_t lines)
{
    size_t width = terminal_width(), rows = columns->used / columns->count - 1;
    size_t shown = lines > 1 && rows >= lines ? lines - 2 : rows;

    if (width)
        leave_out(columns, width);
    for (size_t row = 0; row <= shown; row++)
        print_row(columns, row, width);
    if (shown < rows)
        printf("... and %zu more\n", rows - shown);
    for (size_t i = 0; i < columns->used; i++)
        free(columns->cells[i]);
    free(columns->cells);
    free(columns);
}
