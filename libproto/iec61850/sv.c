#include "sv.h"

#define SECOND UINT64_C(1000000000) /* ns */

enum tag {
    SAV_PDU = 0x60,
    NO_ASDU = 0x80,
    SECURITY = 0x81,
    SECURITY_CONSTRUCTED = 0xa1,
    SEQ_ASDU = 0xa2,
    ASDU = 0x30,
    SV_ID = 0x80,
    DAT_SET,
    SMP_CNT,
    CONF_REV,
    REFR_TM,
    SMP_SYNCH,
    SMP_RATE,
    SAMPLE,
    SMP_MOD,
    GM_IDENTITY,
    FIELDS_END,
};

/* The fields of an ASDU, in their order: how long they are, and whether they must be there. */
static const struct {
    const char *wrong, *missing;
    uint8_t least, most; /* bytes; both 0: any */
} fields[FIELDS_END - SV_ID] = {
    [0] = {NULL, "an ASDU has no svID", 0, 0},
    [SMP_CNT - SV_ID] = {"smpCnt has not 2 bytes", "an ASDU has no smpCnt", 2, 2},
    [CONF_REV - SV_ID] = {"confRev has not 4 bytes", "an ASDU has no confRev", 4, 4},
    [REFR_TM - SV_ID] = {"refrTm has not 8 bytes", NULL, IEC_TIME_BYTES, IEC_TIME_BYTES},
    [SMP_SYNCH - SV_ID] = {"smpSynch has not 1 byte", "an ASDU has no smpSynch", 1, 1},
    [SMP_RATE - SV_ID] = {"smpRate has not 2 bytes", NULL, 2, 2},
    [SAMPLE - SV_ID] = {NULL, "an ASDU has no sample", 0, 0},
    [SMP_MOD - SV_ID] = {"smpMod has not 1 or 2 bytes", NULL, 1, 2},
    [GM_IDENTITY -
        SV_ID] = {"gmIdentity has not 8 bytes", NULL, SV_GM_IDENTITY_BYTES, SV_GM_IDENTITY_BYTES},
};

struct decoding {
    const uint8_t *frame;
    struct iec_fault *fault;
};

static bool wrong(const struct decoding *decoding, const uint8_t *byte, const char *why)
{
    return iec_wrong(decoding->fault, decoding->frame, byte, why);
}

static void take_field(struct sv_asdu *asdu, const struct ber_item *item)
{
    uint64_t number = ber_big_endian(item->bytes, item->length < 8 ? item->length : 0);

    switch (item->tag) {
    case SV_ID:
        asdu->sv_id = iec_text(item);
        break;
    case DAT_SET:
        asdu->dat_set = iec_text(item);
        break;
    case SMP_CNT:
        asdu->smp_cnt = (uint16_t)number;
        asdu->smp_cnt_at = item->bytes;
        break;
    case CONF_REV:
        asdu->conf_rev = (uint32_t)number;
        break;
    case REFR_TM:
        asdu->has_refr_tm = true;
        asdu->refr_tm = iec_read_time(item->bytes);
        asdu->refr_tm_at = item->bytes;
        break;
    case SMP_SYNCH:
        asdu->smp_synch = (uint8_t)number;
        asdu->smp_synch_at = item->bytes;
        break;
    case SMP_RATE:
        asdu->has_smp_rate = true;
        asdu->smp_rate = (uint16_t)number;
        break;
    case SAMPLE:
        asdu->sample = item->bytes;
        asdu->sample_length = item->length;
        break;
    case SMP_MOD:
        asdu->has_smp_mod = true;
        asdu->smp_mod = (uint16_t)number;
        asdu->smp_mod_length = (uint8_t)item->length;
        break;
    case GM_IDENTITY:
        asdu->gm_identity = item->bytes;
        break;
    }
}

static bool has_length(const struct ber_item *item)
{
    uint8_t least = fields[item->tag - SV_ID].least, most = fields[item->tag - SV_ID].most;

    return most == 0 || (item->length >= least && item->length <= most);
}

/* Fields have an order, and none comes twice. What a later edition has behind them is passed over.
 */
static bool read_asdu(const struct decoding *decoding, const struct ber_item *asdu,
                      struct sv_asdu *ret)
{
    struct ber_reader reader = ber_reader(asdu->bytes, asdu->length);
    unsigned next = SV_ID, seen = 0;
    struct ber_item item;

    *ret = (struct sv_asdu){.smp_cnt = 0};
    while (reader.at < reader.end) {
        const uint8_t *at = reader.at;

        if (!ber_next(&reader, &item))
            return wrong(decoding, at, "a field of an ASDU is cut off");
        if (item.tag < next)
            return wrong(decoding, at, "a field of an ASDU is none, or not in its place");
        next = item.tag + 1u;
        if (item.tag >= FIELDS_END)
            continue;
        if (!has_length(&item))
            return wrong(decoding, at, fields[item.tag - SV_ID].wrong);
        seen |= 1u << (item.tag - SV_ID);
        take_field(ret, &item);
    }
    for (unsigned i = 0; i < FIELDS_END - SV_ID; i++)
        if (fields[i].missing && !(seen >> i & 1))
            return wrong(decoding, asdu->bytes, fields[i].missing);
    return true;
}

static bool read_asdus(const struct decoding *decoding, const struct ber_item *sequence,
                       uint64_t count, struct sv_message *ret)
{
    struct ber_reader reader = ber_reader(sequence->bytes, sequence->length);
    struct ber_item item;

    if (count == 0 || count > SV_ASDUS_MAX)
        return wrong(decoding, sequence->bytes, "there are not 1 to 16 ASDUs");
    for (ret->asdus = 0; ret->asdus < count; ret->asdus++) {
        const uint8_t *at = reader.at;

        if (!ber_next(&reader, &item) || item.tag != ASDU)
            return wrong(decoding, at, "there are fewer ASDUs than noASDU says");
        if (!read_asdu(decoding, &item, &ret->asdu[ret->asdus]))
            return false;
    }
    return reader.at == reader.end || wrong(decoding, reader.at, "there is more than noASDU says");
}

bool sv_decode(const uint8_t *bytes, size_t n, struct sv_message *ret, struct iec_fault *fault)
{
    struct decoding decoding = {bytes, fault};
    struct ber_reader reader;
    struct ber_item item;
    const uint8_t *at;
    uint64_t count;

    if (!iec_read(bytes, n, IEC_SV, &ret->frame, fault))
        return false;
    reader = ber_reader(ret->frame.apdu, ret->frame.apdu_length);
    if (!ber_next(&reader, &item) || item.tag != SAV_PDU)
        return wrong(&decoding, ret->frame.apdu, "it has no savPdu, or one that is cut off");
    reader = ber_reader(item.bytes, item.length);
    at = reader.at;
    if (!ber_next(&reader, &item) || item.tag != NO_ASDU || !ber_unsigned(&item, &count))
        return wrong(&decoding, at, "the savPdu does not begin with noASDU");
    at = reader.at;
    if (ber_next(&reader, &item) && (item.tag == SECURITY || item.tag == SECURITY_CONSTRUCTED)) {
        at = reader.at;
        item.tag = 0;
        ber_next(&reader, &item);
    }
    if (item.tag != SEQ_ASDU)
        return wrong(&decoding, at, "the savPdu has no ASDUs, or they are cut off");
    return read_asdus(&decoding, &item, count, ret);
}

/* --- Writing ------------------------------------------------------------------------------- */

static void put_number(struct ber_writer *writer, uint8_t tag, uint64_t value, size_t n)
{
    const uint8_t *end = writer->at;

    ber_put_big_endian(writer, value, n);
    ber_put_head(writer, tag, end);
}

static void put_asdu(struct ber_writer *writer, const struct sv_asdu *asdu)
{
    const uint8_t *end = writer->at;
    uint8_t time[IEC_TIME_BYTES];

    if (asdu->gm_identity)
        ber_put_item(writer, GM_IDENTITY, asdu->gm_identity, SV_GM_IDENTITY_BYTES);
    if (asdu->has_smp_mod)
        put_number(writer, SMP_MOD, asdu->smp_mod, asdu->smp_mod_length == 1 ? 1 : 2);
    ber_put_item(writer, SAMPLE, asdu->sample, asdu->sample_length);
    if (asdu->has_smp_rate)
        put_number(writer, SMP_RATE, asdu->smp_rate, 2);
    put_number(writer, SMP_SYNCH, asdu->smp_synch, 1);
    if (asdu->has_refr_tm) {
        iec_write_time(asdu->refr_tm, time);
        ber_put_item(writer, REFR_TM, time, sizeof time);
    }
    put_number(writer, CONF_REV, asdu->conf_rev, 4);
    put_number(writer, SMP_CNT, asdu->smp_cnt, 2);
    iec_put_text(writer, DAT_SET, asdu->dat_set);
    iec_put_text(writer, SV_ID, asdu->sv_id);
    ber_put_head(writer, ASDU, end);
}

size_t sv_encode(const struct sv_message *message, uint8_t *buffer, size_t size)
{
    struct ber_writer writer = ber_writer(buffer, size);

    if (message->asdus == 0 || message->asdus > SV_ASDUS_MAX)
        return 0;
    for (unsigned i = message->asdus; i > 0; i--) {
        if (!message->asdu[i - 1].sv_id.bytes || !message->asdu[i - 1].sample)
            return 0;
        put_asdu(&writer, &message->asdu[i - 1]);
    }
    ber_put_head(&writer, SEQ_ASDU, writer.end);
    ber_put_unsigned(&writer, NO_ASDU, message->asdus);
    ber_put_head(&writer, SAV_PDU, writer.end);
    iec_put_header(&writer, &message->frame, IEC_SV);
    return ber_finish(&writer);
}

void sv_put_channel(uint8_t *sample, unsigned channel, int32_t value, uint32_t quality)
{
    uint64_t both = (uint64_t)(uint32_t)value << 32 | quality;
    uint8_t *at = sample + (size_t)channel * SV_CHANNEL_BYTES;

    for (unsigned i = 0; i < SV_CHANNEL_BYTES; i++)
        at[i] = (uint8_t)(both >> 8 * (SV_CHANNEL_BYTES - 1 - i));
}

void sv_locate(const struct sv_message *message, const uint8_t *frame,
               struct sv_places ret[SV_ASDUS_MAX])
{
    for (unsigned i = 0; i < message->asdus; i++) {
        const struct sv_asdu *asdu = &message->asdu[i];

        ret[i] = (struct sv_places){
            .smp_cnt = (size_t)(asdu->smp_cnt_at - frame),
            .refr_tm = asdu->refr_tm_at ? (size_t)(asdu->refr_tm_at - frame) : 0,
            .smp_synch = (size_t)(asdu->smp_synch_at - frame),
            .sample = (size_t)(asdu->sample - frame),
            .sample_length = asdu->sample_length,
        };
    }
}

/* --- Samples and times --------------------------------------------------------------------- */

uint64_t sv_sample_due(uint32_t rate, uint64_t sample)
{
    return sample / rate * SECOND + sample % rate * SECOND / rate;
}

uint64_t sv_sample_at(uint32_t rate, uint64_t ns)
{
    return ns / SECOND * rate + ns % SECOND * rate / SECOND;
}
