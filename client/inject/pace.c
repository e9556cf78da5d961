#include "pace.h"

/* Long division, in digits of a thousand: the rest is less than the divisor, so that nothing in it
 * is beyond 64 bits. */
bool pace_scale(uint64_t n, unsigned thousands, uint64_t divisor, uint64_t *ret)
{
    uint64_t quotient = n / divisor, rest = n % divisor;

    for (unsigned i = 0; i < thousands; i++) {
        rest *= 1000;
        if (__builtin_mul_overflow(quotient, 1000, &quotient) ||
            __builtin_add_overflow(quotient, rest / divisor, &quotient))
            return false;
        rest %= divisor;
    }
    *ret = quotient;
    return true;
}

enum { CLOCK_SET_NS = 500000000 };

/* A little before the frame before it, it was captured elsewhere at the same time, and goes with
 * that. By more than this, the clock of the capture was set: its time goes on from there, and what
 * follows is no burst. */
static void go_back(struct pace *pace, uint64_t time)
{
    pace->backwards++;
    if (pace->latest - time >= CLOCK_SET_NS)
        pace->set += pace->latest - time;
}

/* The file's time since the beginning, over all passes. */
static bool take_time(struct pace *pace, uint64_t time, uint64_t *ret)
{
    if (pace->pass_frames == 0)
        pace->set = 0;
    if (__builtin_add_overflow(time, pace->set, &time))
        return false;
    if (pace->pass_frames == 0)
        pace->first = pace->latest = time;
    if (time < pace->latest)
        go_back(pace, time);
    else
        pace->latest = time;
    return !__builtin_add_overflow(pace->base, pace->latest - pace->first, ret);
}

static bool find_offset(struct pace *pace, uint64_t time, uint64_t *ret)
{
    uint64_t spent;

    switch (pace->kind) {
    case PACE_NONE:
        break;
    case PACE_TIMES:
        return take_time(pace, time, &spent) && pace_scale(spent, 2, pace->number, ret);
    case PACE_RATE:
        return pace_scale(pace->frames, 5, pace->number, ret);
    case PACE_INTERVAL:
        return !__builtin_mul_overflow(pace->frames, pace->number, ret);
    }
    *ret = 0;
    return true;
}

enum pace_next pace_next(struct pace *pace, bool has_time, uint64_t time, uint64_t *ret_offset)
{
    uint64_t offset;

    if (pace->kind == PACE_TIMES && !has_time)
        return PACE_NO_TIME;
    if (!find_offset(pace, time, &offset) || __builtin_add_overflow(offset, pace->delay, &offset))
        return PACE_TOO_FAR;
    pace->frames++;
    pace->pass_frames++;
    *ret_offset = offset;
    return PACE_OFFSET;
}

bool pace_pass(struct pace *pace)
{
    uint64_t spent = pace->latest - pace->first;
    uint64_t gap = pace->pass_frames > 1 ? spent / (pace->pass_frames - 1) : 0;

    if (pace->kind == PACE_TIMES) {
        if (gap == 0)
            return false;
        if (__builtin_add_overflow(pace->base, spent + gap, &pace->base))
            pace->base = UINT64_MAX; /* the next frame says so */
    }
    pace->pass_frames = 0;
    return true;
}

/* --- Numbers ------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool append_digit(char digit, uint64_t *number)
{
    *number = *number * 10 + (uint64_t)(digit - '0');
    return *number <= PACE_NUMBER_MAX;
}

static bool take_digits(const char **text, uint64_t *number)
{
    const char *begin = *text;

    for (; is_digit(**text); (*text)++)
        if (!append_digit(**text, number))
            return false;
    return *text > begin;
}

/* The places behind the point, and 0 for those that are not there. */
static bool take_places(const char **text, unsigned places, uint64_t *number)
{
    bool has_any = is_digit(**text);

    for (; places > 0; places--) {
        char digit = '0';

        if (is_digit(**text))
            digit = *(*text)++;
        if (!append_digit(digit, number))
            return false;
    }
    while (**text == '0')
        (*text)++;
    return has_any;
}

bool pace_parse(const char *text, unsigned places, uint64_t *ret)
{
    static const char none[] = "0";
    const char *fraction = none;
    uint64_t number = 0;

    if (!take_digits(&text, &number))
        return false;
    if (*text == '.')
        fraction = text + 1;
    else if (*text)
        return false;
    if (!take_places(&fraction, places, &number) || *fraction)
        return false;
    *ret = number;
    return true;
}
