#include "check.h"

#include "bounds.h"
#include "utf8.h"

#include <stdint.h>
#include <string.h>

struct reader {
    const char *start;
    const char *at;
    const char *end;
    unsigned depth;
    bool any_number; /* inside "id": fractions and exponents may pass */
    struct span *id;
    struct error *error;
};

static bool check_value(struct reader *r);

static bool refuse(struct reader *r, const char *why)
{
    return error_set(r->error, ERROR_INVALID_JSON, NULL,
                     "The request is not valid: %s at byte %zu. It takes one JSON object such as "
                     "{\"action\": \"PING\"}.",
                     why, (size_t)(r->at - r->start));
}

static int peek(const struct reader *r)
{
    return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool take(struct reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static void skip_space(struct reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\n' || peek(r) == '\r' || peek(r) == '\t')
        r->at++;
}

static bool check_utf8(struct reader *r)
{
    size_t length = utf8_sequence(r->at, (size_t)(r->end - r->at));

    if (length == 0)
        return refuse(r, "invalid UTF-8");
    r->at += length;
    return true;
}

/* Reads four hexadecimal digits; -1 where they are none. */
static int take_hex4(struct reader *r)
{
    int value = 0;

    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        int c = peek(r);
        const char *found = c > 0 ? strchr(digits, c) : NULL;

        if (!found)
            return -1;
        value = value * 16 + (int)((found - digits) % 16);
        r->at++;
    }
    return value;
}

/* The part of \uXXXX after the u. A NUL would end the text for C programs, so it is refused. */
static bool check_unicode_escape(struct reader *r)
{
    int high = take_hex4(r);

    if (high < 0)
        return refuse(r, "\\u without four hexadecimal digits");
    if (high == 0)
        return refuse(r, "a NUL character in a text");
    if (high >= 0xdc00 && high <= 0xdfff)
        return refuse(r, "a lone surrogate");
    if (high < 0xd800 || high > 0xdbff)
        return true;
    if (!take(r, '\\') || !take(r, 'u'))
        return refuse(r, "a lone surrogate");

    int low = take_hex4(r);

    return (low >= 0xdc00 && low <= 0xdfff) || refuse(r, "a lone surrogate");
}

static bool check_escape(struct reader *r)
{
    int c = peek(r);

    if (c <= 0 || !strchr("\"\\/bfnrtu", c))
        return refuse(r, "an unknown escape");
    r->at++;
    return c != 'u' || check_unicode_escape(r);
}

/* Most texts are such: ASCII that needs no look at the bytes around it. */
static void skip_plain(struct reader *r)
{
    while (r->at < r->end && *r->at >= ' ' && *r->at < 0x7f && *r->at != '"' && *r->at != '\\')
        r->at++;
}

static bool check_string(struct reader *r)
{
    if (!take(r, '"'))
        return refuse(r, "a text was expected");
    for (skip_plain(r); !take(r, '"'); skip_plain(r)) {
        int c = peek(r);

        if (c < 0)
            return refuse(r, "a text without end");
        if (c < 0x20)
            return refuse(r, "a control byte in a text");
        if (take(r, '\\')) {
            if (!check_escape(r))
                return false;
        } else if (!check_utf8(r)) {
            return false;
        }
    }
    return true;
}

static size_t take_digits(struct reader *r)
{
    const char *start = r->at;

    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return (size_t)(r->at - start);
}

/* The fraction and the exponent of a number, which only an "id" may have. */
static bool check_inexact_rest(struct reader *r)
{
    if (take(r, '.') && take_digits(r) == 0)
        return refuse(r, "a fraction without digits");
    if (take(r, 'e') || take(r, 'E')) {
        if (!take(r, '+'))
            take(r, '-');
        if (take_digits(r) == 0)
            return refuse(r, "an exponent without digits");
    }
    return true;
}

static bool check_number(struct reader *r)
{
    take(r, '-');

    bool zero = peek(r) == '0';
    size_t digits = take_digits(r);

    if (digits == 0)
        return refuse(r, "a number without digits");
    if (zero && digits > 1)
        return refuse(r, "a number with a leading zero");
    if (r->any_number)
        return check_inexact_rest(r);
    if (digits > 15 || peek(r) == '.' || peek(r) == 'e' || peek(r) == 'E')
        return refuse(r, "a number that is not an exact integer of at most 15 digits");
    return true;
}

static bool check_word(struct reader *r, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0)
        return refuse(r, "an unknown word");
    r->at += length;
    return true;
}

static bool span_equal(const struct span *a, const struct span *b)
{
    return a->length == b->length && memcmp(a->start, b->start, a->length) == 0;
}

/* Reads a key and holds it against the count keys before it. */
static bool check_key(struct reader *r, struct span *keys, size_t count)
{
    struct span *key = &keys[count];

    key->start = r->at;
    if (!check_string(r))
        return false;
    key->length = (size_t)(r->at - key->start);
    if (memchr(key->start, '\\', key->length))
        return refuse(r, "an escape in a key");
    for (size_t i = 0; i < count; i++)
        if (span_equal(&keys[i], key))
            return refuse(r, "the same key twice");
    return true;
}

static bool check_member(struct reader *r, struct span *keys, size_t count)
{
    static const struct span id = {"\"id\"", 4};

    if (!check_key(r, keys, count))
        return false;
    skip_space(r);
    if (!take(r, ':'))
        return refuse(r, "a colon was expected");
    skip_space(r);

    const char *start = r->at;
    bool is_id = r->depth == 1 && span_equal(&keys[count], &id);

    r->any_number |= is_id;
    if (!check_value(r))
        return false;
    if (is_id) {
        r->any_number = false;
        *r->id = (struct span){start, (size_t)(r->at - start)};
    }
    return true;
}

static bool check_object(struct reader *r)
{
    struct span keys[MEMBERS_MAX];

    r->at++;
    skip_space(r);
    if (take(r, '}'))
        return true;
    for (size_t count = 0; count < MEMBERS_MAX; count++) {
        skip_space(r);
        if (!check_member(r, keys, count))
            return false;
        skip_space(r);
        if (take(r, '}'))
            return true;
        if (!take(r, ','))
            return refuse(r, "a comma or a closing brace was expected");
    }
    return refuse(r, "an object with more than 64 members");
}

static bool check_array(struct reader *r)
{
    r->at++;
    skip_space(r);
    if (take(r, ']'))
        return true;
    for (;;) {
        skip_space(r);
        if (!check_value(r))
            return false;
        skip_space(r);
        if (take(r, ']'))
            return true;
        if (!take(r, ','))
            return refuse(r, "a comma or a closing bracket was expected");
    }
}

static bool check_nested(struct reader *r, bool (*check)(struct reader *))
{
    if (r->depth == DEPTH_MAX)
        return refuse(r, "nesting of more than 8 levels");
    r->depth++;

    bool valid = check(r);

    r->depth--;
    return valid;
}

static bool check_value(struct reader *r)
{
    switch (peek(r)) {
    case '{':
        return check_nested(r, check_object);
    case '[':
        return check_nested(r, check_array);
    case '"':
        return check_string(r);
    case 't':
        return check_word(r, "true");
    case 'f':
        return check_word(r, "false");
    case 'n':
        return check_word(r, "null");
    default:
        return check_number(r);
    }
}

bool check_request(const char *bytes, size_t n, struct span *ret_id, struct error *error)
{
    struct span id = {NULL, 0};
    struct reader r = {bytes, bytes, bytes + n, 0, false, &id, error};

    *ret_id = id;
    skip_space(&r);
    if (peek(&r) != '{')
        return refuse(&r, "an object was expected");

    bool valid = check_value(&r);

    *ret_id = id;
    if (!valid)
        return false;
    skip_space(&r);
    return r.at == r.end || refuse(&r, "bytes after the object");
}
