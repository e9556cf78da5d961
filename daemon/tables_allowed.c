#include "tables_allowed.h"

#include "address.h"
#include "bounds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Returns what follows the number, or NULL. */
static const char *read_number(const char *text, uint32_t *ret)
{
    char *end;
    unsigned long value;

    if (!isdigit((unsigned char)text[0]))
        return NULL;
    value = strtoul(text, &end, 10);
    *ret = (uint32_t)value;
    return value >= 1 && value <= TABLE_ID_MAX ? end : NULL;
}

/* "default", "N" or "N-M". Returns what follows, or NULL. */
static const char *read_range(const char *text, uint32_t *first, uint32_t *last)
{
    static const char word[] = "default";

    *first = *last = 0;
    if (strncmp(text, word, strlen(word)) == 0)
        return text + strlen(word);
    text = read_number(text, first);
    *last = *first;
    if (text && *text == '-')
        text = read_number(text + 1, last);
    return *first <= *last ? text : NULL;
}

bool tables_allowed_parse(const char *text, struct tables_allowed *ret)
{
    struct tables_allowed found = {0};
    bool more = strcmp(text, "any") != 0;

    while (more) {
        if (found.count == TABLE_RANGES_MAX)
            return false;
        text += strspn(text, " \t");
        text = read_range(text, &found.ranges[found.count].first, &found.ranges[found.count].last);
        if (!text)
            return false;
        found.count++;
        text += strspn(text, " \t");
        more = *text == ',';
        if (!more && *text)
            return false;
        text += more;
    }
    *ret = found;
    return true;
}

bool table_is_allowed(const struct tables_allowed *allowed, uint8_t family, uint32_t table)
{
    for (size_t i = 0; i < allowed->count; i++) {
        uint32_t first = family_table(family, allowed->ranges[i].first);
        uint32_t last = family_table(family, allowed->ranges[i].last);

        if (table >= first && table <= last)
            return true;
    }
    return allowed->count == 0;
}
