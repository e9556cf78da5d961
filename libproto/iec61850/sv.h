/* Sampled Values: the savPdu of IEC 61850-9-2, as the profiles 9-2LE and IEC 61869-9 use it.
 *
 * Pure code: bytes in, values out. What is pointed to is in the frame. */
#ifndef NB_IEC61850_SV_H
#define NB_IEC61850_SV_H

#include "iec61850/process.h"

enum {
    SV_ASDUS_MAX = 16,    /* the profiles have 1, 2, 6 and 8 */
    SV_CHANNEL_BYTES = 8, /* an INT32 and its quality */
    SV_GM_IDENTITY_BYTES = 8,
};

/* What smpSynch says of the clock; 5 to 254: the number of an area that has a clock of its own. */
enum sv_synch { SV_NOT_SYNCHRONIZED, SV_LOCAL_CLOCK, SV_GLOBAL_CLOCK };

/* What smpRate counts, by smpMod; without it the first. */
enum sv_mode { SV_SAMPLES_PER_PERIOD, SV_SAMPLES_PER_SECOND, SV_SECONDS_PER_SAMPLE };

/* Bits of the quality of a channel (IEC 61850-7-3, 6.2); the low two are its validity. */
#define SV_QUALITY_BITS(Q)                                                                         \
    Q(2, overflow)                                                                                 \
    Q(3, outOfRange)                                                                               \
    Q(4, badReference)                                                                             \
    Q(5, oscillatory)                                                                              \
    Q(6, failure)                                                                                  \
    Q(7, oldData)                                                                                  \
    Q(8, inconsistent)                                                                             \
    Q(9, inaccurate)                                                                               \
    Q(10, substituted)                                                                             \
    Q(11, test)                                                                                    \
    Q(12, operatorBlocked)                                                                         \
    Q(13, derived)

enum sv_validity { SV_GOOD, SV_INVALID, SV_RESERVED, SV_QUESTIONABLE };

struct sv_asdu {
    struct iec_text sv_id, dat_set; /* dat_set may be missing */
    uint16_t smp_cnt;
    uint32_t conf_rev;
    uint8_t smp_synch;
    bool has_refr_tm, has_smp_rate, has_smp_mod;
    struct iec_time refr_tm;
    uint16_t smp_rate, smp_mod;
    uint8_t
        smp_mod_length; /* bytes: 2, or 0 for the same; 1 from those who take it for an INTEGER */
    const uint8_t *sample; /* of the channels, one behind the other */
    size_t sample_length;
    const uint8_t *gm_identity; /* of the PTP clock; NULL: not there */
    /* Where they lie in a frame that was read. */
    const uint8_t *smp_cnt_at, *refr_tm_at, *smp_synch_at;
};

struct sv_message {
    struct iec_frame frame;
    unsigned asdus;
    struct sv_asdu asdu[SV_ASDUS_MAX];
};

/* Reads a frame. False: it is none, and the fault says why. */
bool sv_decode(const uint8_t *bytes, size_t n, struct sv_message *ret, struct iec_fault *fault);

/* Writes a frame. Returns its length; 0: the buffer is too small, or there is no frame like that.
 */
size_t sv_encode(const struct sv_message *message, uint8_t *buffer, size_t size);

/* --- Channels of 9-2LE and 61869-9 --------------------------------------------------------- */

/* How many there are; 0: the sample is not made of such channels. */
static inline unsigned sv_channels(const struct sv_asdu *asdu)
{
    return asdu->sample_length % SV_CHANNEL_BYTES
               ? 0
               : (unsigned)(asdu->sample_length / SV_CHANNEL_BYTES);
}

static inline int32_t sv_value(const struct sv_asdu *asdu, unsigned channel)
{
    return (int32_t)ber_big_endian(asdu->sample + (size_t)channel * SV_CHANNEL_BYTES, 4);
}

static inline uint32_t sv_quality(const struct sv_asdu *asdu, unsigned channel)
{
    return (uint32_t)ber_big_endian(asdu->sample + (size_t)channel * SV_CHANNEL_BYTES + 4, 4);
}

void sv_put_channel(uint8_t *sample, unsigned channel, int32_t value, uint32_t quality);

/* --- Samples and times --------------------------------------------------------------------- */

/* When a sample of `rate` a second is due, in ns from sample 0, rounded down: each on its own, so
 * that no error grows. */
uint64_t sv_sample_due(uint32_t rate, uint64_t sample);

/* The last sample that is due by then; as times are rounded down, that may be said of the next one,
 * too. */
uint64_t sv_sample_at(uint32_t rate, uint64_t ns);

/* --- Frames that are sent again with other values ------------------------------------------- */

/* Offsets in a frame of what changes from one to the next; refr_tm is 0 where it has none. */
struct sv_places {
    size_t smp_cnt, refr_tm, smp_synch, sample, sample_length;
};

/* Those of each ASDU of a frame that was read. */
void sv_locate(const struct sv_message *message, const uint8_t *frame,
               struct sv_places ret[SV_ASDUS_MAX]);

#endif
