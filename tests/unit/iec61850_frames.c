#include "iec61850_frames.h"

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t golden_bytes(const char *text, uint8_t ret[GOLDEN_MAX])
{
    size_t digits = 0;

    for (; *text && digits < (size_t)2 * GOLDEN_MAX; text++) {
        if (*text == ' ')
            continue;
        ret[digits / 2] =
            (uint8_t)(digits % 2 ? ret[digits / 2] << 4 | digit(*text) : digit(*text));
        digits++;
    }
    return digits / 2;
}
