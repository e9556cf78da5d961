#include "text.h"

#include <string.h>

enum { CTRL_Z = 0x1a, DIGITS_MAX = 18, EXPONENT_MAX = 308 };

bool text_line(struct comtrade_text *rest, struct comtrade_text *ret)
{
    size_t length = 0;

    if (rest->length == 0 || rest->bytes[0] == CTRL_Z)
        return false;
    while (length < rest->length && rest->bytes[length] != '\n' && rest->bytes[length] != '\r')
        length++;
    *ret = (struct comtrade_text){rest->bytes, length};
    if (length + 1 < rest->length && rest->bytes[length] == '\r' && rest->bytes[length + 1] == '\n')
        length++;
    length += length < rest->length;
    rest->bytes += length;
    rest->length -= length;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct comtrade_text trim(struct comtrade_text text)
{
    while (text.length && is_space(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length && is_space(text.bytes[text.length - 1]))
        text.length--;
    return text;
}

bool text_field(struct comtrade_text *rest, struct comtrade_text *ret)
{
    const char *comma;
    size_t length;

    if (!rest->bytes)
        return false;
    comma = rest->length ? memchr(rest->bytes, ',', rest->length) : NULL;
    length = comma ? (size_t)(comma - rest->bytes) : rest->length;
    *ret = trim((struct comtrade_text){rest->bytes, length});
    rest->bytes = comma ? comma + 1 : NULL;
    rest->length -= comma ? length + 1 : length;
    return true;
}

static bool is_digit(const struct comtrade_text *text)
{
    return text->length && text->bytes[0] >= '0' && text->bytes[0] <= '9';
}

static char take(struct comtrade_text *text)
{
    text->length--;
    return *text->bytes++;
}

static bool take_sign(struct comtrade_text *text)
{
    return text->length && (text->bytes[0] == '-' || text->bytes[0] == '+') && take(text) == '-';
}

/* Digits and a point: as many as a mantissa has are kept. Returns how many digits there were. */
static unsigned take_digits(struct comtrade_text *text, uint64_t *mantissa, int *exponent)
{
    unsigned digits = 0, kept = 0;
    bool is_fraction = false;

    while (is_digit(text) || (text->length && text->bytes[0] == '.' && !is_fraction)) {
        char c = take(text);

        if (c == '.') {
            is_fraction = true;
            continue;
        }
        digits++;
        if (kept < DIGITS_MAX) {
            *mantissa = *mantissa * 10 + (unsigned)(c - '0');
            kept += *mantissa > 0;
            *exponent -= is_fraction;
        } else
            *exponent += !is_fraction;
    }
    return digits;
}

static bool take_exponent(struct comtrade_text *text, int *exponent)
{
    bool is_negative;
    int value = 0;

    take(text);
    is_negative = take_sign(text);
    if (!is_digit(text))
        return false;
    while (is_digit(text))
        value = value < 10000 ? value * 10 + (take(text) - '0') : (take(text), value);
    *exponent += is_negative ? -value : value;
    return true;
}

static double scaled(uint64_t mantissa, int exponent)
{
    double value = (double)mantissa, power = 10;
    unsigned left = (unsigned)(exponent < 0 ? -exponent : exponent);
    double scale = 1;

    while (left) {
        if (left & 1)
            scale *= power;
        power *= power;
        left >>= 1;
    }
    return exponent < 0 ? value / scale : value * scale;
}

bool text_real(struct comtrade_text text, double *ret)
{
    bool is_negative = take_sign(&text);
    uint64_t mantissa = 0;
    int exponent = 0;
    double value;

    if (!take_digits(&text, &mantissa, &exponent))
        return false;
    if (text.length && (text.bytes[0] == 'e' || text.bytes[0] == 'E') &&
        !take_exponent(&text, &exponent))
        return false;
    if (text.length || exponent > EXPONENT_MAX - DIGITS_MAX)
        return false;
    value = exponent < -EXPONENT_MAX ? 0 : scaled(mantissa, exponent);
    *ret = is_negative ? -value : value;
    return true;
}

bool text_natural(struct comtrade_text text, uint64_t *ret)
{
    uint64_t value = 0;

    if (!is_digit(&text) || text.length > DIGITS_MAX)
        return false;
    while (is_digit(&text))
        value = value * 10 + (unsigned)(take(&text) - '0');
    *ret = value;
    return text.length == 0;
}

bool text_is(struct comtrade_text text, const char *word)
{
    size_t i;

    for (i = 0; i < text.length && word[i]; i++) {
        char c = text.bytes[i];

        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != word[i])
            return false;
    }
    return i == text.length && !word[i];
}
