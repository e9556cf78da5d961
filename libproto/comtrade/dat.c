#include "text.h"

#include <math.h>
#include <string.h>

enum {
    HEAD = 8, /* bytes of a sample's number and time */
    WORD = 2, /* bytes of 16 digital channels */
    NO_TIME = -1,
    MISSING_TEXT = 99999, /* what 1991 and 1999 write for no value */
    NS_PER_SECOND = 1000000000,
};

void comtrade_begin(struct comtrade_reader *reader, const struct comtrade *cfg, const void *data,
                    size_t n)
{
    *reader = (struct comtrade_reader){
        .cfg = cfg, .at = data, .end = (const char *)data + n, .fault = {0, NULL}};
}

static enum comtrade_next broken(struct comtrade_reader *reader, const char *why)
{
    reader->fault = (struct comtrade_fault){reader->line, why};
    reader->at = reader->end;
    return COMTRADE_BROKEN;
}

/* The time of a sample, where rates say it: the number of the first one may be any. */
static double time_by_rates(const struct comtrade *cfg, uint64_t index)
{
    double time = 0;
    uint64_t before = 0;

    for (unsigned i = 0; i < cfg->rates; i++) {
        bool is_last = index < cfg->rate[i].end || i + 1 == cfg->rates;
        uint64_t samples = (is_last ? index : cfg->rate[i].end) - before;

        time += (double)samples * NS_PER_SECOND / cfg->rate[i].rate;
        if (is_last)
            break;
        before = cfg->rate[i].end;
    }
    return time;
}

static bool set_time(const struct comtrade_reader *reader, double ticks,
                     struct comtrade_sample *ret)
{
    ret->time = reader->cfg->rates ? time_by_rates(reader->cfg, reader->line - 1)
                                   : ticks * reader->cfg->tick;
    return reader->cfg->rates || ticks >= 0;
}

static void set_digital(struct comtrade_sample *sample, unsigned channel, bool value)
{
    if (value)
        sample->digital[channel / 8] |= (uint8_t)(1 << channel % 8);
}

/* --- Text ---------------------------------------------------------------------------------- */

static const char *read_fields(struct comtrade_reader *reader, struct comtrade_text line,
                               struct comtrade_sample *ret)
{
    const struct comtrade *cfg = reader->cfg;
    struct comtrade_text field;
    double ticks = NO_TIME, value;
    uint64_t number;

    if (!text_field(&line, &field) || !text_natural(field, &ret->number))
        return "the line does not begin with the number of a sample";
    if (!text_field(&line, &field) || (field.length && !text_real(field, &ticks)))
        return "the sample's time is no number";
    if (!set_time(reader, ticks, ret))
        return "the sample has no time, and there is no sample rate";
    for (unsigned i = 0; i < cfg->analogs; i++) {
        if (!text_field(&line, &field) || (field.length && !text_real(field, &value)))
            return "an analog value is missing, or no number";
        ret->analog[i] = field.length == 0 || (cfg->edition != 2013 && value == MISSING_TEXT)
                             ? (double)NAN
                             : cfg->analog[i].a * value + cfg->analog[i].b;
    }
    for (unsigned i = 0; i < cfg->digitals; i++) {
        if (!text_field(&line, &field) || !text_natural(field, &number) || number > 1)
            return "a digital value is missing, or not 0 or 1";
        set_digital(ret, i, number);
    }
    return text_field(&line, &field) && (field.length || line.bytes)
               ? "the line has more values than there are channels"
               : NULL;
}

static enum comtrade_next next_text(struct comtrade_reader *reader, struct comtrade_sample *ret)
{
    struct comtrade_text rest = {reader->at, (size_t)(reader->end - reader->at)}, line = {NULL, 0};
    const char *why;

    do {
        if (!text_line(&rest, &line))
            return COMTRADE_END;
        reader->at = rest.bytes;
    } while (line.length == 0); /* at the end of some files */
    reader->line++;
    why = read_fields(reader, line, ret);
    return why ? broken(reader, why) : COMTRADE_SAMPLE;
}

/* --- Binary -------------------------------------------------------------------------------- */

static uint32_t little_endian(const uint8_t *bytes, size_t n)
{
    uint32_t value = 0;

    for (size_t i = n; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

/* The smallest number there is stands for none. */
static double read_analog(enum comtrade_format format, const uint8_t *bytes)
{
    uint32_t bits = little_endian(bytes, format == COMTRADE_BINARY ? 2 : 4);
    float real;

    switch (format) {
    case COMTRADE_BINARY:
        return bits == 0x8000 ? (double)NAN : (double)(int16_t)bits;
    case COMTRADE_BINARY32:
        return bits == 0x80000000 ? (double)NAN : (double)(int32_t)bits;
    default:
        memcpy(&real, &bits, sizeof real);
        return bits == 0xff7fffff ? (double)NAN : (double)real;
    }
}

static enum comtrade_next next_binary(struct comtrade_reader *reader, struct comtrade_sample *ret)
{
    const struct comtrade *cfg = reader->cfg;
    const uint8_t *at = (const uint8_t *)reader->at;
    size_t width = cfg->format == COMTRADE_BINARY ? 2 : 4,
           left = (size_t)(reader->end - reader->at);
    size_t size = HEAD + cfg->analogs * width + (size_t)(cfg->digitals + 15) / 16 * WORD;
    uint32_t ticks;

    if (left == 0)
        return COMTRADE_END;
    reader->line++;
    if (left < size)
        return broken(reader, "the last sample is cut off");
    reader->at += size;
    ret->number = little_endian(at, 4);
    ticks = little_endian(at + 4, 4);
    if (!set_time(reader, ticks == UINT32_MAX ? NO_TIME : (double)ticks, ret))
        return broken(reader, "the sample has no time, and there is no sample rate");
    at += HEAD;
    for (unsigned i = 0; i < cfg->analogs; i++, at += width)
        ret->analog[i] = cfg->analog[i].a * read_analog(cfg->format, at) + cfg->analog[i].b;
    for (unsigned i = 0; i < cfg->digitals; i++)
        set_digital(ret, i, at[i / 8] >> i % 8 & 1);
    return COMTRADE_SAMPLE;
}

enum comtrade_next comtrade_next(struct comtrade_reader *reader, struct comtrade_sample *ret)
{
    memset(ret->digital, 0, sizeof ret->digital);
    return reader->cfg->format == COMTRADE_ASCII ? next_text(reader, ret)
                                                 : next_binary(reader, ret);
}
