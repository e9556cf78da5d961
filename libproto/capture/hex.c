/* Line by line. What a line is, is seen at its start: a place and a dump's bytes behind it, bytes
 * alone, tcpdump's words, or nothing. */
#include "hex.h"

#include <string.h>

/* The text of a line that was not looked at yet. */
struct rest {
    const char *at, *end;
};

/* --- Characters ---------------------------------------------------------------------------- */

/* The value of a digit; -1: it is none. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_one_of(const char *characters, char c)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

static bool is_space(char c)
{
    return is_one_of(" \t\r", c);
}

static size_t count_digits(const struct rest *rest)
{
    const char *at = rest->at;

    while (at < rest->end && digit(*at) >= 0)
        at++;
    return (size_t)(at - rest->at);
}

static size_t skip_spaces(struct rest *rest)
{
    const char *begin = rest->at;

    while (rest->at < rest->end && is_space(*rest->at))
        rest->at++;
    return (size_t)(rest->at - begin);
}

static enum hex_next fail(struct hex_reader *reader, const char *why)
{
    reader->line = reader->read + 1;
    reader->why = why;
    return HEX_BROKEN;
}

/* --- Bytes --------------------------------------------------------------------------------- */

/* Takes a group of digits as bytes. NULL, or what is wrong. */
static const char *take_group(struct hex_reader *reader, struct rest *rest)
{
    size_t digits = count_digits(rest);

    if (rest->at + digits < rest->end && !is_one_of(" \t\r:-", rest->at[digits]))
        return "this is no hexadecimal digit; a line has the bytes of a frame, as in "
               "ff:ff:ff:ff:ff:ff or ffffffffffff, or it is one of a dump, with its place and "
               "other text behind two spaces";
    if (digits == 0)
        return "there are no bytes between two separators";
    if (digits % 2 != 0)
        return "a byte has two digits: a group with an odd number of them is none of bytes "
               "(od -tx1 and hexdump -C write bytes)";
    if (digits / 2 > HEX_FRAME_MAX - reader->length)
        return "the frame is too long: it may have 65571 bytes";
    for (; digits > 0; digits -= 2, rest->at += 2)
        reader->frame[reader->length++] =
            (unsigned char)((unsigned)digit(rest->at[0]) << 4 | (unsigned)digit(rest->at[1]));
    return NULL;
}

/* The bytes of a line without a place. */
static const char *take_line(struct hex_reader *reader, struct rest *rest)
{
    const char *wrong = NULL;

    while (!wrong && rest->at < rest->end) {
        wrong = take_group(reader, rest);
        if (skip_spaces(rest) == 0 && rest->at < rest->end &&
            (*rest->at == ':' || *rest->at == '-'))
            rest->at++;
    }
    return wrong;
}

/* Where a line of a dump stands in its frame. */
struct place {
    size_t at;
    bool colon; /* behind it: such dumps have no gap in the middle of a line */
};

/* Whether the bytes go on behind the gap in the middle of a line of 16 bytes. */
static bool is_middle(const struct place *place, size_t bytes, size_t gap, const struct rest *rest)
{
    return !place->colon && bytes == 8 && gap == 2 && count_digits(rest) == 2 &&
           (rest->end - rest->at == 2 || is_space(rest->at[2]));
}

/* The bytes of a dump's line behind its place: up to two spaces, or up to text in '|'. */
static const char *take_dump(struct hex_reader *reader, const struct place *place,
                             struct rest *rest)
{
    size_t before = reader->length, gap;
    const char *wrong = NULL;

    skip_spaces(rest);
    while (!wrong && rest->at < rest->end) {
        wrong = take_group(reader, rest);
        gap = skip_spaces(rest);
        if (gap > 1 && !is_middle(place, reader->length - before, gap, rest))
            break;
    }
    return wrong;
}

/* --- What a line is ------------------------------------------------------------------------ */

/* Whether a line begins with a place: digits and ':' and a space, or four digits and more, and then
 * bytes of two digits each or nothing. Moves behind it. */
static bool take_place(struct rest *rest, struct place *ret)
{
    struct rest here = *rest;
    bool marked = here.end - here.at > 2 && here.at[0] == '0' && here.at[1] == 'x';
    size_t digits, value = 0;

    here.at += marked ? 2 : 0;
    digits = count_digits(&here);
    if (digits < 3 || digits > 8)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value << 4 | (size_t)digit(*here.at++);
    if (here.at < here.end && *here.at == ':')
        here.at++;
    else if (marked || digits < 4)
        return false;
    else {
        struct rest behind = here;

        skip_spaces(&behind);
        if (behind.at < behind.end && (behind.at == here.at || count_digits(&behind) != 2))
            return false;
    }
    if (here.at < here.end && !is_space(*here.at))
        return false;
    *ret = (struct place){.at = value, .colon = here.at[-1] == ':'};
    *rest = here;
    return true;
}

/* "12:34:56.789012 IP ...", or with the date or the seconds since 1970 before that. */
static bool is_tcpdump(const struct rest *rest)
{
    const char *at = rest->at;
    bool fraction = false;

    for (; at < rest->end && is_one_of("0123456789:- .", *at); at++)
        fraction |= *at == '.';
    return fraction && at < rest->end && at[-1] == ' ';
}

/* --- Frames -------------------------------------------------------------------------------- */

/* The frame ends before this line. */
static enum hex_next end_frame(struct hex_reader *reader, const unsigned char **ret_frame,
                               size_t *ret_length)
{
    reader->within = false;
    reader->line = reader->first;
    *ret_frame = reader->frame;
    *ret_length = reader->length;
    return HEX_FRAME;
}

static void begin_frame(struct hex_reader *reader)
{
    reader->first = reader->read + 1;
    reader->length = 0;
}

static enum hex_next take_dump_line(struct hex_reader *reader, struct rest *rest,
                                    const struct place *place)
{
    const char *wrong;

    reader->prose = false;
    if (!reader->within)
        begin_frame(reader);
    if (place->at != reader->length)
        return fail(reader, "the place at the start of the line is not as many bytes as came "
                            "before it in the frame");
    reader->within = true;
    wrong = take_dump(reader, place, rest);
    return wrong ? fail(reader, wrong) : HEX_MORE;
}

/* One line, without its end. HEX_FRAME with *used false: of lines before this one, which is to be
 * given again. */
static enum hex_next take(struct hex_reader *reader, struct rest rest, bool *used,
                          const unsigned char **ret_frame, size_t *ret_length)
{
    const char *wrong;
    struct place place;

    *used = true;
    skip_spaces(&rest);
    if (rest.at < rest.end && *rest.at == '#')
        return HEX_MORE;
    if (rest.at == rest.end)
        return reader->within ? end_frame(reader, ret_frame, ret_length) : HEX_MORE;
    if (take_place(&rest, &place)) {
        *used = !reader->within || place.at > 0 || reader->length == 0;
        return *used ? take_dump_line(reader, &rest, &place)
                     : end_frame(reader, ret_frame, ret_length);
    }
    if (reader->within) {
        *used = false;
        return end_frame(reader, ret_frame, ret_length);
    }
    reader->prose |= is_tcpdump(&rest);
    if (reader->prose)
        return HEX_MORE;
    begin_frame(reader);
    wrong = take_line(reader, &rest);
    return wrong ? fail(reader, wrong) : end_frame(reader, ret_frame, ret_length);
}

enum hex_next hex_reader_next(struct hex_reader *reader, const char *text, size_t n, bool is_last,
                              size_t *ret_used, const unsigned char **ret_frame, size_t *ret_length)
{
    enum hex_next next = HEX_MORE;
    size_t used = 0;

    *ret_used = 0;
    if (reader->why)
        return HEX_BROKEN;
    while (next == HEX_MORE && used < n) {
        const char *begin = text + used, *end = memchr(begin, '\n', n - used);
        size_t line = end ? (size_t)(end - begin) : n - used;
        bool taken;

        if (line >= HEX_LINE_MAX)
            return fail(reader, "the line is too long");
        if (!end && !is_last)
            break;
        next = take(reader, (struct rest){begin, begin + line}, &taken, ret_frame, ret_length);
        if (taken) {
            used += line + (end != NULL);
            reader->read++;
        }
    }
    *ret_used = used;
    if (next == HEX_MORE && is_last && reader->within)
        next = end_frame(reader, ret_frame, ret_length);
    return next;
}
