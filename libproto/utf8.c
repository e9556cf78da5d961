#include "utf8.h"

#include <stdbool.h>

/* How many bytes a sequence that begins with c has, 0 where c begins none. */
static size_t sequence_length(unsigned char c)
{
    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf)
        return 2;
    if ((c & 0xf0) == 0xe0)
        return 3;
    return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* The second byte carries the rules on overlong forms, surrogates and the end of Unicode. */
static bool second_is_valid(unsigned char first, unsigned char second)
{
    unsigned char lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    return second >= lowest && second <= highest;
}

size_t utf8_sequence(const char *text, size_t length)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t needed = length > 0 ? sequence_length(s[0]) : 0;

    if (needed > length)
        return 0;
    if (needed > 1 && !second_is_valid(s[0], s[1]))
        return 0;
    for (size_t i = 2; i < needed; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return needed;
}
