#include "text.h"

#include <string.h>

/* A part begins with a line such as "--- file type: CFG ---" or "--- file type: DAT BINARY: 702
 * ---". Of binary data it says how many bytes they are, which may hold what looks like such a line.
 */
static const char mark[] = "--- file type:";

enum part { CFG, DATA, OTHER, PARTS };

/* The same letters, whether they are capitals or not. */
static bool begins_part(struct comtrade_text line)
{
    size_t length = sizeof mark - 1;

    if (line.length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((line.bytes[i] | 0x20) != (mark[i] | 0x20))
            return false;
    return true;
}

static bool take_word(struct comtrade_text *line, struct comtrade_text *ret)
{
    while (line->length && (line->bytes[0] == ' ' || line->bytes[0] == ':')) {
        line->bytes++;
        line->length--;
    }
    *ret = (struct comtrade_text){line->bytes, 0};
    while (line->length && line->bytes[0] != ' ' && line->bytes[0] != ':') {
        line->bytes++;
        line->length--;
        ret->length++;
    }
    return ret->length > 0;
}

/* Which part it is, and how many bytes it has; 0: up to the next one. */
static enum part part_of(struct comtrade_text line, uint64_t *ret_bytes)
{
    struct comtrade_text word;
    enum part part;

    line.bytes += sizeof mark - 1;
    line.length -= sizeof mark - 1;
    *ret_bytes = 0;
    if (!take_word(&line, &word))
        return OTHER;
    part = text_is(word, "CFG") ? CFG : text_is(word, "DAT") ? DATA : OTHER;
    while (part == DATA && take_word(&line, &word))
        if (text_natural(word, ret_bytes))
            break;
    return part;
}

/* Up to the next part. */
static struct comtrade_text take_part(struct comtrade_text *rest, unsigned *lines)
{
    struct comtrade_text part = {rest->bytes, 0}, after = *rest, line;

    while (text_line(&after, &line) && !begins_part(line)) {
        *rest = after;
        ++*lines;
    }
    part.length = (size_t)(rest->bytes - part.bytes);
    return part;
}

bool comtrade_split(const char *bytes, size_t n, struct comtrade_parts *ret,
                    struct comtrade_fault *fault)
{
    struct comtrade_text rest = {bytes, n}, line, parts[PARTS] = {{NULL, 0}};
    unsigned lines = 0;
    uint64_t size;

    *fault = (struct comtrade_fault){1, "the file does not begin with '--- file type:'"};
    while (text_line(&rest, &line) && begins_part(line)) {
        enum part part = part_of(line, &size);

        *fault = (struct comtrade_fault){++lines, "the data are shorter than this line says"};
        if (size > rest.length)
            return false;
        if (part == CFG)
            ret->cfg_line = lines;
        if (size) {
            parts[part] = (struct comtrade_text){rest.bytes, (size_t)size};
            break; /* the data are the last part */
        }
        parts[part] = take_part(&rest, &lines);
    }
    if (lines && (!parts[CFG].bytes || !parts[DATA].bytes))
        fault->why = "the file has not a part CFG and a part DAT";
    ret->cfg = parts[CFG];
    ret->data = parts[DATA];
    return parts[CFG].bytes && parts[DATA].bytes;
}
