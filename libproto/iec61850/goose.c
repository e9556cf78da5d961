#include "goose.h"

enum tag {
    GOOSE_PDU = 0x61,
    GOCB_REF = 0x80,
    TIME_ALLOWED_TO_LIVE,
    DAT_SET,
    GO_ID,
    T,
    ST_NUM,
    SQ_NUM,
    SIMULATION,
    CONF_REV,
    NDS_COM,
    NUM_DAT_SET_ENTRIES,
    ALL_DATA = 0xab,
    FIXED_BYTES = 5, /* a zero, and 32 bits */
};

enum kind { TEXT, NUMBER, BOOLEAN, TIME };

/* The fields before allData, in their order. */
static const struct {
    enum kind kind;
    const char *wrong, *missing; /* missing NULL: it may be */
} fields[NUM_DAT_SET_ENTRIES - GOCB_REF + 1] = {
    [0] = {TEXT, NULL, "it has no gocbRef"},
    [TIME_ALLOWED_TO_LIVE - GOCB_REF] = {NUMBER, "timeAllowedtoLive is no number of 32 bits",
                                         "it has no timeAllowedtoLive"},
    [DAT_SET - GOCB_REF] = {TEXT, NULL, "it has no datSet"},
    [GO_ID - GOCB_REF] = {TEXT, NULL, NULL},
    [T - GOCB_REF] = {TIME, "t has not 8 bytes", "it has no t"},
    [ST_NUM - GOCB_REF] = {NUMBER, "stNum is no number of 32 bits", "it has no stNum"},
    [SQ_NUM - GOCB_REF] = {NUMBER, "sqNum is no number of 32 bits", "it has no sqNum"},
    [SIMULATION - GOCB_REF] = {BOOLEAN, "simulation has not 1 byte", NULL},
    [CONF_REV - GOCB_REF] = {NUMBER, "confRev is no number of 32 bits", "it has no confRev"},
    [NDS_COM - GOCB_REF] = {BOOLEAN, "ndsCom has not 1 byte", NULL},
    [NUM_DAT_SET_ENTRIES - GOCB_REF] = {NUMBER, "numDatSetEntries is no number of 32 bits",
                                        "it has no numDatSetEntries"},
};

static bool wrong(const uint8_t *frame, struct iec_fault *fault, const uint8_t *byte,
                  const char *why)
{
    return iec_wrong(fault, frame, byte, why);
}

/* The number of the field, of those that have one. */
static bool read_number(enum kind kind, const struct ber_item *item, uint32_t *ret)
{
    uint64_t number = 0;

    switch (kind) {
    case TEXT:
        break;
    case NUMBER:
        if (!ber_unsigned(item, &number) || number > UINT32_MAX)
            return false;
        break;
    case BOOLEAN:
        if (item->length != 1)
            return false;
        number = item->bytes[0] != 0;
        break;
    case TIME:
        return item->length == IEC_TIME_BYTES;
    }
    *ret = (uint32_t)number;
    return true;
}

static void take_field(struct goose_message *message, const struct ber_item *item, uint32_t number)
{
    switch (item->tag) {
    case GOCB_REF:
        message->gocb_ref = iec_text(item);
        break;
    case TIME_ALLOWED_TO_LIVE:
        message->time_allowed_to_live = number;
        break;
    case DAT_SET:
        message->dat_set = iec_text(item);
        break;
    case GO_ID:
        message->go_id = iec_text(item);
        break;
    case T:
        message->t = iec_read_time(item->bytes);
        message->t_at = item->bytes;
        break;
    case ST_NUM:
        message->st_num = number;
        message->st_num_at = item->bytes;
        message->st_num_length = (uint8_t)item->length;
        break;
    case SQ_NUM:
        message->sq_num = number;
        message->sq_num_at = item->bytes;
        message->sq_num_length = (uint8_t)item->length;
        break;
    case SIMULATION:
        message->simulation = number;
        break;
    case CONF_REV:
        message->conf_rev = number;
        break;
    case NDS_COM:
        message->nds_com = number;
        break;
    case NUM_DAT_SET_ENTRIES:
        message->entries = number;
        break;
    }
}

/* The fields before allData; that is left in *item. */
static bool read_fields(const uint8_t *frame, struct ber_reader *reader, struct ber_item *item,
                        struct goose_message *ret, struct iec_fault *fault)
{
    unsigned next = GOCB_REF, seen = 0;
    uint32_t number = 0;

    for (;;) {
        const uint8_t *at = reader->at;

        if (!ber_next(reader, item))
            return wrong(frame, fault, at, "the goosePdu is cut off before its allData");
        if (item->tag == ALL_DATA)
            break;
        if (item->tag < next || item->tag > NUM_DAT_SET_ENTRIES)
            return wrong(frame, fault, at, "a field is none, or not in its place");
        next = item->tag + 1u;
        if (!read_number(fields[item->tag - GOCB_REF].kind, item, &number))
            return wrong(frame, fault, at, fields[item->tag - GOCB_REF].wrong);
        seen |= 1u << (item->tag - GOCB_REF);
        take_field(ret, item, number);
    }
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].missing && !(seen >> i & 1))
            return wrong(frame, fault, ret->frame.apdu, fields[i].missing);
    return true;
}

static bool read_data(const uint8_t *frame, const struct ber_item *item, struct goose_message *ret,
                      struct iec_fault *fault)
{
    struct mms_walk walk;
    unsigned count;

    ret->all_data = item->bytes;
    ret->all_data_length = item->length;
    if (!mms_count(&walk, item->bytes, item->length, &count))
        return wrong(frame, fault, walk.at, walk.why);
    return count == ret->entries ||
           wrong(frame, fault, item->bytes,
                 "allData has not as many values as numDatSetEntries says");
}

bool goose_decode(const uint8_t *bytes, size_t n, struct goose_message *ret,
                  struct iec_fault *fault)
{
    struct ber_reader reader;
    struct ber_item item;

    *ret = (struct goose_message){.entries = 0};
    if (!iec_read(bytes, n, IEC_GOOSE, &ret->frame, fault))
        return false;
    reader = ber_reader(ret->frame.apdu, ret->frame.apdu_length);
    if (!ber_next(&reader, &item) || item.tag != GOOSE_PDU)
        return wrong(bytes, fault, ret->frame.apdu, "it has no goosePdu, or one that is cut off");
    reader = ber_reader(item.bytes, item.length);
    return read_fields(bytes, &reader, &item, ret, fault) && read_data(bytes, &item, ret, fault);
}

/* --- Writing ------------------------------------------------------------------------------- */

static void put_number(struct ber_writer *writer, uint8_t tag, uint32_t value, bool fixed)
{
    const uint8_t *end = writer->at;

    if (!fixed) {
        ber_put_unsigned(writer, tag, value);
        return;
    }
    ber_put_big_endian(writer, value, FIXED_BYTES);
    ber_put_head(writer, tag, end);
}

static void put_boolean(struct ber_writer *writer, uint8_t tag, bool value)
{
    uint8_t byte = value;

    ber_put_item(writer, tag, &byte, 1);
}

size_t goose_encode(const struct goose_message *message, bool fixed, uint8_t *buffer, size_t size)
{
    struct ber_writer writer = ber_writer(buffer, size);
    uint8_t time[IEC_TIME_BYTES];

    if (!message->gocb_ref.bytes || !message->dat_set.bytes)
        return 0;
    iec_write_time(message->t, time);
    ber_put_item(&writer, ALL_DATA, message->all_data, message->all_data_length);
    put_number(&writer, NUM_DAT_SET_ENTRIES, message->entries, fixed);
    put_boolean(&writer, NDS_COM, message->nds_com);
    put_number(&writer, CONF_REV, message->conf_rev, fixed);
    put_boolean(&writer, SIMULATION, message->simulation);
    put_number(&writer, SQ_NUM, message->sq_num, fixed);
    put_number(&writer, ST_NUM, message->st_num, fixed);
    ber_put_item(&writer, T, time, sizeof time);
    iec_put_text(&writer, GO_ID, message->go_id);
    iec_put_text(&writer, DAT_SET, message->dat_set);
    put_number(&writer, TIME_ALLOWED_TO_LIVE, message->time_allowed_to_live, fixed);
    iec_put_text(&writer, GOCB_REF, message->gocb_ref);
    ber_put_head(&writer, GOOSE_PDU, writer.end);
    iec_put_header(&writer, &message->frame, IEC_GOOSE);
    return ber_finish(&writer);
}
