/* Options of `sv publish` about its frames: their rate, channels, fields, and what is wrong with
 * them on purpose. */
#include "sv_publish.h"

#include "frame/hex.h"
#include "iec61850/sv_words.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

/* --- Rate and channels --------------------------------------------------------------------- */

static bool take_rate(struct sv_publication *run)
{
    uint64_t rate, asdus;

    run->frequency = 50;
    if (!command_line_real(run->line, "frequency", 10, 400, &run->frequency))
        return false;
    rate = sv_usual_rate(run->frequency);
    if (!publish_natural(run->line, "sample_rate", SV_RATE_LEAST, SV_RATE_MAX, &rate))
        return false;
    asdus = sv_usual_asdus(rate);
    if (!publish_natural(run->line, "asdus", 1, SV_ASDUS_MAX, &asdus))
        return false;
    if (rate % asdus)
        return publish_wrong(run->line, "asdus",
                             "%" PRIu64
                             " samples a second are no whole number of frames of %" PRIu64
                             " samples, and a full second would not begin with a frame.",
                             rate, asdus);
    run->frames.rate = (uint32_t)rate;
    run->frames.asdus = (unsigned)asdus;
    run->frames.channels = sv_layout_channels(&run->layout);
    return true;
}

static bool take_layout(struct sv_publication *run)
{
    const char *text;
    unsigned layouts = 0, lists = 0;

    run->layout = (struct sv_layout){4, 4};
    for (unsigned i = 0; (text = command_line_value(run->line, "channels", i)); i++) {
        bool is_layout = sv_layout_parse(text, strlen(text), &run->layout);

        layouts += is_layout;
        lists += !is_layout;
        if (!is_layout && !command_line_flag(run->line, "comtrade"))
            return publish_wrong(run->line, "channels",
                                 "'%s' does not say how many currents and voltages there are, at "
                                 "most %d in all, such as I4U4; and names of channels are for a "
                                 "recording: --comtrade names one.",
                                 text, SV_CHANNELS_MAX);
    }
    return (layouts <= 1 && lists <= 1) ||
           publish_wrong(run->line, "channels", "--channels says that once.");
}

const char *sv_channel_list(const struct command_line *line)
{
    struct sv_layout layout;
    const char *text;

    for (unsigned i = 0; (text = command_line_value(line, "channels", i)); i++)
        if (!sv_layout_parse(text, strlen(text), &layout))
            return text;
    return NULL;
}

/* --- smpSynch ------------------------------------------------------------------------------ */

static bool read_synch(const char *text, struct sv_synch_change *ret)
{
    int found = sv_synch_find(text);
    unsigned long number;
    char *end;

    ret->is_auto = strcmp(text, "auto") == 0;
    ret->synch = (uint8_t)found;
    if (found >= 0)
        return true;
    number = strtoul(text, &end, 10);
    ret->synch = (uint8_t)number;
    return ret->is_auto || (isdigit((unsigned char)text[0]) && !*end && number <= SV_SYNCH_MAX);
}

/* "global", or from a time on: "2.5:none". */
static bool add_synch(struct sv_publication *run, const char *text)
{
    struct sv_synch_change *change = &run->synch[run->synchs];
    const char *colon = strchr(text, ':');
    char *end = NULL;
    double at = colon ? strtod(text, &end) : 0;

    if (run->synchs == SV_SYNCHS_MAX || (colon && (end != colon || !(at >= 0 && at <= 1e8))))
        return false;
    change->sample = (uint64_t)llround(at * run->frames.rate);
    if (!read_synch(colon ? colon + 1 : text, change) ||
        (run->synchs && change->sample < change[-1].sample))
        return false;
    run->synchs++;
    return true;
}

static bool take_synch(struct sv_publication *run)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(run->line, "smp_synch", i)); i++)
        if (!add_synch(run, text))
            return publish_wrong(
                run->line, "smp_synch",
                "--smp-synch takes none, local, global, auto or a number from 0 to "
                "%d, and later ones from a time in seconds on, such as 2.5:none, "
                "in the order of time; '%s' is none of them.",
                SV_SYNCH_MAX, text);
    return true;
}

/* --- Quality ------------------------------------------------------------------------------- */

static bool add_quality(const char *word, size_t n, uint32_t *quality)
{
    char text[WORD_MAX], *end;
    unsigned long number;

    if (sv_quality_add(word, n, quality))
        return true;
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, word, n);
    text[n] = '\0';
    number = strtoul(text, &end, 0);
    *quality |= (uint32_t)number;
    return isdigit((unsigned char)text[0]) && !*end && number <= UINT32_MAX;
}

static bool set_quality(const struct sv_publication *run, const char *text, uint32_t *qualities)
{
    const char *equals = strchr(text, '=');
    int channel = equals ? sv_layout_find(&run->layout, text, (size_t)(equals - text)) : 0;
    uint32_t quality = 0;

    if (channel < 0)
        return false;
    for (text = equals ? equals + 1 : text;; text++) {
        size_t n = strcspn(text, ",");

        if (!add_quality(text, n, &quality))
            return false;
        text += n;
        if (!*text)
            break;
    }
    for (int i = 0; i < SV_CHANNELS_MAX; i++)
        if (!equals || i == channel)
            qualities[i] = quality;
    return true;
}

static bool take_quality(const struct sv_publication *run, const char *option, uint32_t *qualities)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(run->line, option, i)); i++)
        if (!set_quality(run, text, qualities))
            return publish_wrong(run->line, option,
                                 "'%s' is no quality: good, invalid, questionable, overflow, "
                                 "outOfRange, badReference, oscillatory, failure, oldData, "
                                 "inconsistent, inaccurate, substituted, test, operatorBlocked, "
                                 "derived or a number, with commas; of one channel Ia=invalid.",
                                 text);
    return true;
}

static bool take_qualities(struct sv_publication *run)
{
    if (!take_quality(run, "quality", run->qualities))
        return false;
    memcpy(run->fault_qualities, run->qualities, sizeof run->qualities);
    return take_quality(run, "fault_quality", run->fault_qualities);
}

/* --- Fields that may be there -------------------------------------------------------------- */

/* What smpRate counts: samples of a period, or of a second. */
static bool take_mode(struct sv_publication *run)
{
    static const char *const words[] = {"period", "second", "interval"};
    const char *text = command_line_value(run->line, "smp_mod", 0);
    uint64_t number = 0;

    run->asdu.has_smp_mod = text != NULL;
    for (unsigned i = 0; text && i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0) {
            run->asdu.smp_mod = (uint16_t)i;
            return true;
        }
    if (text && !isdigit((unsigned char)text[0]))
        return publish_wrong(run->line, "smp_mod",
                             "--smp-mod takes period, second, interval or a number, and '%s' is "
                             "none of them.",
                             text);
    if (!publish_natural(run->line, "smp_mod", 0, UINT16_MAX, &number))
        return false;
    run->asdu.smp_mod = (uint16_t)number;
    return true;
}

/* Without a number of the user's, it is the stream's rate, as smpMod counts. */
static bool take_smp_rate(struct sv_publication *run)
{
    const char *text = command_line_value(run->line, "smp_rate", 0);
    double rate = run->frames.rate;
    uint64_t number = 0;

    run->asdu.has_smp_rate = text || run->asdu.has_smp_mod;
    if (text && strcmp(text, "auto") != 0) {
        if (!publish_natural(run->line, "smp_rate", 0, UINT16_MAX, &number))
            return false;
        run->asdu.smp_rate = (uint16_t)number;
        return true;
    }
    if (run->asdu.smp_mod == SV_SAMPLES_PER_PERIOD)
        rate /= run->frequency;
    if (run->asdu.has_smp_rate &&
        (run->asdu.smp_mod > SV_SAMPLES_PER_SECOND || rate != floor(rate)))
        return publish_wrong(run->line, "smp_rate",
                             "%" PRIu32 " samples a second of %g Hz are no whole number of what "
                             "smpMod counts: --smp-rate says which number is to be sent.",
                             run->frames.rate, run->frequency);
    run->asdu.smp_rate = (uint16_t)rate;
    return true;
}

/* Sixteen hexadecimal digits, perhaps with colons or dashes between bytes. */
static bool read_identity(const char *text, uint8_t ret[SV_GM_IDENTITY_BYTES])
{
    unsigned digits = 0;

    for (; *text; text++) {
        int digit = hex_digit(*text);

        if (digits % 2 == 0 && strchr(":-", *text))
            continue;
        if (digit < 0 || digits == 2 * SV_GM_IDENTITY_BYTES)
            return false;
        ret[digits / 2] = (uint8_t)(ret[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 2 * SV_GM_IDENTITY_BYTES;
}

static bool take_gm_identity(struct sv_publication *run)
{
    const char *text = command_line_value(run->line, "gm_identity", 0);

    if (text && !read_identity(text, run->gm_identity))
        return publish_wrong(run->line, "gm_identity",
                             "--gm-identity takes the 8 bytes of a clock's identity, such as "
                             "00:30:a7:ff:fe:00:00:01, and '%s' is none.",
                             text);
    run->asdu.gm_identity = text ? run->gm_identity : NULL;
    return true;
}

/* A clock that nobody keeps is not synchronised, and the accuracy is that of a microsecond. */
static void take_refr_tm(struct sv_publication *run)
{
    enum { ACCURACY = 20 };

    run->asdu.has_refr_tm = command_line_flag(run->line, "refr_tm");
    run->asdu.refr_tm.quality =
        ACCURACY | (run->asdu.smp_synch == SV_NOT_SYNCHRONIZED ? IEC_CLOCK_NOT_SYNCHRONIZED : 0);
}

/* --- Flaws --------------------------------------------------------------------------------- */

static bool take_flaws(struct sv_publication *run, const char *option, enum sv_fate fate)
{
    const char *text, *wrong;

    for (unsigned i = 0; (text = command_line_value(run->line, option, i)); i++) {
        wrong = sv_flaws_add(&run->flaws, fate, text, run->frames.rate, run->frames.asdus);
        if (wrong)
            return publish_wrong(run->line, option, "--%s '%s': %s.", option, text, wrong);
    }
    return true;
}

/* --- The whole ----------------------------------------------------------------------------- */

static bool take_asdu(struct sv_publication *run)
{
    uint64_t conf_rev = 1;

    if (!publish_natural(run->line, "conf_rev", 0, UINT32_MAX, &conf_rev) ||
        !publish_text(run->line, "sv_id", "NETBROKER01", &run->asdu.sv_id) ||
        !publish_text(run->line, "dat_set", NULL, &run->asdu.dat_set) || !take_mode(run) ||
        !take_smp_rate(run) || !take_gm_identity(run))
        return false;
    run->asdu.conf_rev = (uint32_t)conf_rev;
    run->asdu.smp_synch = run->synchs && run->synch[0].sample == 0 ? run->synch[0].synch : 0;
    take_refr_tm(run);
    return true;
}

bool sv_options(struct sv_publication *run)
{
    struct iec_frame header;

    if (!publish_header(run->line, 0x4000, "01:0c:cd:04:00:01", &header) || !take_layout(run) ||
        !take_rate(run) || !take_synch(run) || !take_asdu(run) || !take_qualities(run) ||
        !take_flaws(run, "drop", SV_FATE_DROP) || !take_flaws(run, "duplicate", SV_FATE_TWICE))
        return false;
    return sv_frames_begin(&run->frames, &header, &run->asdu) ||
           publish_wrong(run->line, "asdus",
                         "a frame with %u samples of %u channels is longer than Ethernet has them: "
                         "fewer --asdus or --channels, or a shorter --sv-id would be right.",
                         run->frames.asdus, run->frames.channels);
}
