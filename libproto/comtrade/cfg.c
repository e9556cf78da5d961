#include "text.h"

#include <string.h>

enum {
    FIELDS_MAX = 14,
    ANALOG_FIELDS = 13, /* in 1991 the last three are missing */
    ANALOG_FIELDS_1991 = 10,
    DIGITAL_FIELDS = 5,
    DIGITAL_FIELDS_1991 = 3,
    NS_PER_US = 1000,
    NS_PER_SECOND = 1000000000,
    NANOSECONDS = 9, /* digits of a fraction of a second */
};

/* A configuration while it is read. */
struct parsing {
    struct comtrade_text rest;
    struct comtrade_fault *fault;
    unsigned line;
    unsigned count; /* fields of the line */
    struct comtrade_text fields[FIELDS_MAX];
};

static bool wrong(struct parsing *parsing, const char *why)
{
    *parsing->fault = (struct comtrade_fault){parsing->line, why};
    return false;
}

static bool next_line(struct parsing *parsing)
{
    struct comtrade_text line;

    parsing->line++;
    if (!text_line(&parsing->rest, &line))
        return wrong(parsing, "the configuration ends here");
    for (parsing->count = 0; parsing->count < FIELDS_MAX; parsing->count++)
        if (!text_field(&line, &parsing->fields[parsing->count]))
            return true;
    return wrong(parsing, "the line has more fields than any has");
}

static bool take_real(struct parsing *parsing, unsigned field, double *ret, const char *why)
{
    return text_real(parsing->fields[field], ret) || wrong(parsing, why);
}

/* --- The lines, from the first on ---------------------------------------------------------- */

static bool read_station(struct parsing *parsing, struct comtrade *cfg)
{
    uint64_t edition = 1991;

    if (!next_line(parsing))
        return false;
    if (parsing->count < 2)
        return wrong(parsing, "the line has not the station's name, the device and the edition");
    if (parsing->count > 2 && parsing->fields[2].length &&
        (!text_natural(parsing->fields[2], &edition) ||
         (edition != 1991 && edition != 1999 && edition != 2001 && edition != 2013)))
        return wrong(parsing, "the edition is not 1991, 1999 or 2013");
    cfg->station = parsing->fields[0];
    cfg->device = parsing->fields[1];
    cfg->edition = edition == 2001 ? 1999 : (unsigned)edition; /* IEC's year of that of 1999 */
    return true;
}

/* "4A": a number with the letter of its kind. */
static bool take_count(struct comtrade_text field, char letter, uint64_t *ret)
{
    if (!field.length || (field.bytes[field.length - 1] & ~0x20) != letter)
        return false;
    return text_natural((struct comtrade_text){field.bytes, field.length - 1}, ret);
}

static bool read_counts(struct parsing *parsing, struct comtrade *cfg)
{
    uint64_t all, analogs, digitals;

    if (!next_line(parsing))
        return false;
    if (parsing->count < 3 || !text_natural(parsing->fields[0], &all) ||
        !take_count(parsing->fields[1], 'A', &analogs) ||
        !take_count(parsing->fields[2], 'D', &digitals))
        return wrong(parsing, "the line has not the numbers of channels, such as 8,4A,4D");
    if (all != analogs + digitals)
        return wrong(parsing, "there are not as many channels as analog and digital ones");
    if (analogs > COMTRADE_ANALOGS_MAX || digitals > COMTRADE_DIGITALS_MAX)
        return wrong(parsing, "there are more than 256 analog or 1024 digital channels");
    cfg->analogs = (unsigned)analogs;
    cfg->digitals = (unsigned)digitals;
    return true;
}

static bool read_transformer(struct parsing *parsing, struct comtrade_analog *analog)
{
    struct comtrade_text side = parsing->fields[12];

    if (!take_real(parsing, 10, &analog->primary, "the primary ratio is no number") ||
        !take_real(parsing, 11, &analog->secondary, "the secondary ratio is no number"))
        return false;
    if (!text_is(side, "P") && !text_is(side, "S"))
        return wrong(parsing, "the last field is not P or S");
    analog->is_primary = text_is(side, "P");
    return true;
}

static bool read_analog(struct parsing *parsing, const struct comtrade *cfg,
                        struct comtrade_analog *analog)
{
    uint64_t number;

    if (!next_line(parsing))
        return false;
    if (parsing->count != ANALOG_FIELDS &&
        (cfg->edition != 1991 || parsing->count < ANALOG_FIELDS_1991))
        return wrong(parsing, cfg->edition == 1991 ? "an analog channel has not 10 or 13 fields"
                                                   : "an analog channel has not 13 fields");
    if (!text_natural(parsing->fields[0], &number))
        return wrong(parsing, "the line does not begin with the number of an analog channel");
    analog->id = parsing->fields[1];
    analog->phase = parsing->fields[2];
    analog->component = parsing->fields[3];
    analog->unit = parsing->fields[4];
    analog->primary = analog->secondary = 1;
    analog->skew = 0;
    analog->is_primary = true;
    if (!take_real(parsing, 5, &analog->a, "the factor a is no number") ||
        !take_real(parsing, 6, &analog->b, "the offset b is no number") ||
        (parsing->fields[7].length &&
         !take_real(parsing, 7, &analog->skew, "the skew is no number")))
        return false;
    return parsing->count < ANALOG_FIELDS || read_transformer(parsing, analog);
}

static bool read_digital(struct parsing *parsing, const struct comtrade *cfg,
                         struct comtrade_digital *digital)
{
    struct comtrade_text normal;
    uint64_t number, value = 0;

    if (!next_line(parsing))
        return false;
    if (parsing->count != DIGITAL_FIELDS &&
        (cfg->edition != 1991 || parsing->count != DIGITAL_FIELDS_1991))
        return wrong(parsing, cfg->edition == 1991 ? "a digital channel has not 3 or 5 fields"
                                                   : "a digital channel has not 5 fields");
    if (!text_natural(parsing->fields[0], &number))
        return wrong(parsing, "the line does not begin with the number of a digital channel");
    normal = parsing->fields[parsing->count - 1];
    if (normal.length && (!text_natural(normal, &value) || value > 1))
        return wrong(parsing, "the normal state is not 0 or 1");
    digital->id = parsing->fields[1];
    digital->normal = value;
    return true;
}

static bool read_channels(struct parsing *parsing, struct comtrade *cfg)
{
    for (unsigned i = 0; i < cfg->analogs; i++)
        if (!read_analog(parsing, cfg, &cfg->analog[i]))
            return false;
    for (unsigned i = 0; i < cfg->digitals; i++)
        if (!read_digital(parsing, cfg, &cfg->digital[i]))
            return false;
    return true;
}

/* Without rates there is one line all the same, of 0 and the last sample. */
static bool read_rates(struct parsing *parsing, struct comtrade *cfg)
{
    uint64_t rates, before = 0;

    if (!next_line(parsing))
        return false;
    if (parsing->fields[0].length &&
        !take_real(parsing, 0, &cfg->frequency, "the frequency is no number"))
        return false;
    if (!next_line(parsing))
        return false;
    if (!text_natural(parsing->fields[0], &rates) || rates > COMTRADE_RATES_MAX)
        return wrong(parsing, "the number of sample rates is not 0 to 64");
    for (unsigned i = 0; i < (rates ? rates : 1); i++) {
        if (!next_line(parsing))
            return false;
        if (parsing->count != 2 || !text_natural(parsing->fields[1], &cfg->rate[i].end))
            return wrong(parsing, "the line has not a sample rate and its last sample");
        if (!take_real(parsing, 0, &cfg->rate[i].rate, "the sample rate is no number"))
            return false;
        if (rates && !(cfg->rate[i].rate > 0))
            return wrong(parsing, "the sample rate is not positive");
        if (rates && cfg->rate[i].end <= before)
            return wrong(parsing, "the last sample of a rate is not behind that of the one before");
        before = cfg->rate[i].end;
    }
    cfg->rates = (unsigned)rates;
    return true;
}

/* --- Dates --------------------------------------------------------------------------------- */

/* Days from 1970-01-01, of the Gregorian calendar; the year begins with March, so that a leap day
 * is its last. */
static uint64_t days_from_1970(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t shifted = (month + 9) % 12, years = year - (month <= 2);

    return years * 365 + years / 4 - years / 100 + years / 400 + (shifted * 153 + 2) / 5 + day - 1 -
           719468;
}

/* Takes the next number, up to one of these marks. */
static bool take_part(struct comtrade_text *text, char mark, uint64_t most, uint64_t *ret)
{
    const char *found = text->length ? memchr(text->bytes, mark, text->length) : NULL;
    size_t length = found ? (size_t)(found - text->bytes) : text->length;
    bool right = text_natural((struct comtrade_text){text->bytes, length}, ret) && *ret <= most;

    text->bytes += length + (found != NULL);
    text->length -= length + (found != NULL);
    return right;
}

static bool read_day(const struct comtrade *cfg, struct comtrade_text text, uint64_t *ret)
{
    uint64_t one, two, year, day, month;

    if (!take_part(&text, '/', 31, &one) || !take_part(&text, '/', 31, &two) ||
        !take_part(&text, '/', 9999, &year) || text.length)
        return false;
    day = cfg->edition == 1991 ? two : one; /* 1991 has the month first, and years of two digits */
    month = cfg->edition == 1991 ? one : two;
    if (year < 100)
        year += year < 70 ? 2000 : 1900;
    if (day < 1 || month < 1 || month > 12 || year < 1970)
        return false;
    *ret = days_from_1970(year, month, day);
    return true;
}

/* The digits of the fraction say what a tick is (2013); more than nine are cut. */
static bool read_fraction(struct comtrade_text text, uint64_t *ret, unsigned *ret_digits)
{
    struct comtrade_text kept = {text.bytes, text.length < NANOSECONDS ? text.length : NANOSECONDS};

    *ret = 0;
    *ret_digits = (unsigned)kept.length;
    if (kept.length && !text_natural(kept, ret))
        return false;
    for (size_t i = kept.length; i < NANOSECONDS; i++)
        *ret *= 10;
    return true;
}

static bool read_clock(struct comtrade_text text, uint64_t *ret, unsigned *ret_digits)
{
    uint64_t hours, minutes, seconds, fraction;

    if (!take_part(&text, ':', 24, &hours) || !take_part(&text, ':', 59, &minutes) ||
        !take_part(&text, '.', 60, &seconds) || !read_fraction(text, &fraction, ret_digits))
        return false;
    *ret = ((hours * 60 + minutes) * 60 + seconds) * NS_PER_SECOND + fraction;
    return true;
}

static bool read_date(struct parsing *parsing, const struct comtrade *cfg, uint64_t *ret,
                      unsigned *ret_digits)
{
    uint64_t days = 0, time = 0;

    *ret_digits = 0;
    if (!next_line(parsing))
        return false;
    if (parsing->count != 2)
        return wrong(parsing, "the line has not a date and a time");
    if (parsing->fields[0].length + parsing->fields[1].length == 0)
        *ret = 0;
    else if (!read_day(cfg, parsing->fields[0], &days))
        return wrong(parsing, cfg->edition == 1991 ? "the date is not mm/dd/yy"
                                                   : "the date is not dd/mm/yyyy");
    else if (!read_clock(parsing->fields[1], &time, ret_digits))
        return wrong(parsing, "the time is not hh:mm:ss.ssssss");
    *ret = days * 86400 * NS_PER_SECOND + time;
    return true;
}

/* --- The last lines ------------------------------------------------------------------------ */

static bool read_format(struct parsing *parsing, struct comtrade *cfg)
{
    static const char *const names[] = {
        [COMTRADE_ASCII] = "ASCII",
        [COMTRADE_BINARY] = "BINARY",
        [COMTRADE_BINARY32] = "BINARY32",
        [COMTRADE_FLOAT32] = "FLOAT32",
    };

    if (!next_line(parsing))
        return false;
    for (unsigned i = 0; i < (cfg->edition == 2013 ? 4u : 2u); i++)
        if (text_is(parsing->fields[0], names[i])) {
            cfg->format = (enum comtrade_format)i;
            return true;
        }
    return wrong(parsing, cfg->edition == 2013
                              ? "the data are not ASCII, BINARY, BINARY32 or FLOAT32"
                              : "the data are not ASCII or BINARY");
}

/* The factor of the samples' times; behind it 2013 has two lines, of which the clock's are not
 * needed here. */
static bool read_multiplier(struct parsing *parsing, struct comtrade *cfg, unsigned digits)
{
    double multiplier = 1;

    cfg->tick = cfg->edition == 2013 && digits == NANOSECONDS ? 1 : NS_PER_US;
    if (cfg->edition == 1991)
        return true;
    if (!next_line(parsing))
        return false;
    if (parsing->fields[0].length &&
        !take_real(parsing, 0, &multiplier, "the factor of times is no number"))
        return false;
    if (!(multiplier > 0))
        return wrong(parsing, "the factor of times is not positive");
    cfg->tick *= multiplier;
    return true;
}

bool comtrade_read_cfg(const char *text, size_t n, struct comtrade *ret,
                       struct comtrade_fault *fault)
{
    struct parsing parsing = {.rest = {text, n}, .fault = fault};
    unsigned digits, unused;

    ret->frequency = 0;
    return read_station(&parsing, ret) && read_counts(&parsing, ret) &&
           read_channels(&parsing, ret) && read_rates(&parsing, ret) &&
           read_date(&parsing, ret, &ret->start, &digits) &&
           read_date(&parsing, ret, &ret->trigger, &unused) && read_format(&parsing, ret) &&
           read_multiplier(&parsing, ret, digits);
}
