/* A line is read to its end whatever its length is, so that the numbers of the lines are right, and
 * the rest of a long line is not taken for a line. Its parts are cut in place. */
#include "settings.h"

#include <errno.h>
#include <string.h>

/* A file that is being read. */
struct reading {
    const struct settings_reader *reader;
    FILE *file;
    int line;                         /* the number of the line that is being read */
    char text[SETTINGS_LINE_MAX + 1]; /* of that line */
    char name[SETTINGS_LINE_MAX + 1]; /* of the setting before it; "": none since the heading */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool begins_comment(char c)
{
    return c == '#' || c == ';';
}

static void complain(struct reading *reading, const char *what, const char *right)
{
    reading->reader->mistake(reading->reader->context, reading->line, what, right);
}

/* --- Parts of a line ----------------------------------------------------------------------- */

static char *skip_space(char *text)
{
    while (is_space(*text))
        text++;
    return text;
}

/* The byte-order mark of UTF-8, with which some editors begin a file. */
static char *skip_mark(char *text)
{
    return strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}

static void cut_space(char *text)
{
    size_t length = strlen(text);

    while (length > 0 && is_space(text[length - 1]))
        length--;
    text[length] = '\0';
}

/* A ';' behind white space begins a comment. '#' does not: a path may contain it. */
static void cut_comment(char *text)
{
    for (char *c = text + 1; c[-1]; c++)
        if (*c == ';' && is_space(c[-1])) {
            *c = '\0';
            return;
        }
}

/* What follows a heading that is a mistake belongs to nothing. */
static void take_wrong_heading(struct reading *reading)
{
    reading->name[0] = '\0';
    reading->reader->heading(reading->reader->context, reading->line, NULL);
}

static void take_heading(struct reading *reading, char *text)
{
    char *end = strchr(text, ']');
    const char *behind;

    if (!end) {
        complain(reading, text, "[HEADING], and then lines NAME = VALUE");
        take_wrong_heading(reading);
        return;
    }
    *end = '\0';
    behind = skip_space(end + 1);
    if (*behind && !begins_comment(*behind))
        complain(reading, behind, "nothing after a heading on its line");
    reading->name[0] = '\0';
    reading->reader->heading(reading->reader->context, reading->line, text + 1);
}

static void take_setting(struct reading *reading, char *text)
{
    char *separator = strpbrk(text, "=:"), *value;

    if (!separator) {
        complain(reading, text, "NAME = VALUE");
        return;
    }
    *separator = '\0';
    cut_space(text);
    value = skip_space(separator + 1);
    strcpy(reading->name, text);
    reading->reader->setting(reading->reader->context, reading->line, text, value);
}

/* --- A line -------------------------------------------------------------------------------- */

static void take_line(struct reading *reading, char *line)
{
    const struct settings_reader *reader = reading->reader;
    char *text = skip_space(line);

    if (*text == '\0' || begins_comment(*text))
        return;
    if (*text == '[') {
        take_heading(reading, text);
        return;
    }
    cut_comment(text);
    cut_space(text);
    if (reader->lists && text > line && reading->name[0])
        reader->setting(reader->context, reading->line, reading->name, text);
    else
        take_setting(reading, text);
}

/* Only its beginning was kept: enough to see whether it is a heading. */
static void refuse_line(struct reading *reading, bool is_text)
{
    if (is_text)
        complain(reading, "a line that is too long",
                 "one of at most 198 bytes; a list may go on in a second line of the same name");
    else
        complain(reading, "a NUL byte", "text");
    if (*skip_space(reading->text) == '[')
        take_wrong_heading(reading);
}

/* Reads the next line to its end, and keeps it, or of a long one the beginning. Returns false at
 * the end of the file. */
static bool read_line(struct reading *reading)
{
    size_t length = 0;
    bool is_text = true;
    int byte;

    while ((byte = getc(reading->file)) != EOF && byte != '\n') {
        if (length < SETTINGS_LINE_MAX)
            reading->text[length] = (char)byte;
        is_text = is_text && byte != '\0';
        length++;
    }
    if (byte == EOF && length == 0)
        return false;
    reading->line++;
    reading->text[length < SETTINGS_LINE_MAX ? length : SETTINGS_LINE_MAX] = '\0';
    if (length > SETTINGS_LINE_MAX || !is_text)
        refuse_line(reading, is_text);
    else
        take_line(reading, reading->line == 1 ? skip_mark(reading->text) : reading->text);
    return true;
}

int settings_read(FILE *file, const struct settings_reader *reader)
{
    struct reading reading = {.reader = reader, .file = file};

    while (read_line(&reading))
        ;
    return ferror(file) ? -errno : 0;
}
