/* Frames of IEC 61850 for the script beside this.
 *
 *     iec61850-tool write FILE COUNT     Sampled Values and GOOSE by turns, of pseudo-random values
 *     iec61850-tool read FILE            what our decoders find in each frame, a line each, with
 * the fields that iec61850.sh asks tshark for */
#include "frames.h"
#include "iec61850/goose.h"
#include "iec61850/sv.h"
#include "source.h"
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 1500, CHANNELS_MAX = 8, VALUES_MAX = 24 };

static uint32_t state = 61850;

static int fail(const char *what)
{
    fprintf(stderr, "iec61850-tool: %s\n", what);
    return 1;
}

static uint32_t below(uint32_t end)
{
    return (next_random(&state) >> 8) % end;
}

static void fill(void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)below(256);
}

/* --- Writing ------------------------------------------------------------------------------- */

static struct iec_frame make_header(uint8_t kind)
{
    struct iec_frame frame = {.destination = {0x01, 0x0c, 0xcd, kind, 0, (uint8_t)below(256)},
                              .source = {2, 0, 0, 0, 0, (uint8_t)below(256)},
                              .tags = below(2),
                              .app_id = (uint16_t)below(0x10000),
                              .reserved1 = below(2) ? IEC_SIMULATED : 0};

    frame.tag[0] = (struct frame_tag){FRAME_8021Q, frame_tci(below(8), false, below(4095))};
    return frame;
}

static struct iec_text make_text(char *room)
{
    size_t length = 1 + below(30);

    for (size_t i = 0; i < length; i++)
        room[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/$_."[below(66)];
    return (struct iec_text){room, length};
}

static struct iec_time make_time(void)
{
    return (struct iec_time){UINT64_C(1000000000) * below(2000000000) + below(1000000000),
                             (uint8_t)below(256)};
}

static size_t write_sv(uint8_t *frame)
{
    static char texts[SV_ASDUS_MAX][2][32];
    static uint8_t contents[SV_ASDUS_MAX][CHANNELS_MAX * SV_CHANNEL_BYTES];
    struct sv_message message = {.frame = make_header(4), .asdus = 1 + below(8)};
    unsigned channels = 1 + below(CHANNELS_MAX);

    for (unsigned i = 0; i < message.asdus; i++) {
        fill(contents[i], sizeof contents[i]);
        message.asdu[i] = (struct sv_asdu){
            .sv_id = make_text(texts[i][0]),
            .smp_cnt = (uint16_t)below(0x10000),
            .conf_rev = next_random(&state),
            .smp_synch = (uint8_t)below(3),
            .has_refr_tm = below(2),
            .has_smp_rate = below(2),
            .has_smp_mod = below(2),
            .refr_tm = make_time(),
            .smp_rate = (uint16_t)below(0x10000),
            .smp_mod = (uint16_t)below(3),
            .sample = contents[i],
            .sample_length = (size_t)channels * SV_CHANNEL_BYTES,
        };
        if (below(2))
            message.asdu[i].dat_set = make_text(texts[i][1]);
    }
    return sv_encode(&message, frame, FRAME_MAX);
}

/* A value of any type whose fields tshark has; a list's members are those that follow deeper. */
static struct mms_value make_value(unsigned depth, uint8_t *room)
{
    static const enum mms_type types[] = {MMS_BOOLEAN,        MMS_BIT_STRING,  MMS_INTEGER,
                                          MMS_UNSIGNED,       MMS_FLOAT,       MMS_OCTET_STRING,
                                          MMS_VISIBLE_STRING, MMS_BINARY_TIME, MMS_UTC_TIME,
                                          MMS_STRUCTURE,      MMS_ARRAY};
    struct mms_value value = {.type = types[below(depth < 5 ? 11 : 9)],
                              .depth = depth,
                              .bytes = room,
                              .length = 1 + below(16)};

    fill(room, 16);
    switch (value.type) {
    case MMS_BOOLEAN:
        value.boolean = below(2);
        break;
    case MMS_BIT_STRING:
        value.bits = 1 + below(32);
        room[(value.bits - 1) / 8] &= (uint8_t)(0xff << (7 - (value.bits - 1) % 8));
        break;
    case MMS_INTEGER:
        value.integer = (int32_t)next_random(&state) >> below(31);
        break;
    case MMS_UNSIGNED:
        value.natural = next_random(&state) >> (1 + below(30)); /* tshark's are signed */
        break;
    case MMS_FLOAT:
        value.is_short = true;
        value.real = (double)(below(20000)) / 64 - 100;
        break;
    case MMS_VISIBLE_STRING:
        value.length = make_text((char *)room).length;
        break;
    case MMS_BINARY_TIME:
        value.length = below(2) ? 4 : MMS_BINARY_TIME_BYTES;
        break;
    case MMS_UTC_TIME:
        value.time = make_time();
        break;
    default:
        break;
    }
    return value;
}

static size_t write_goose(uint8_t *frame)
{
    static uint8_t rooms[VALUES_MAX][32], data[FRAME_MAX];
    static struct mms_value values[VALUES_MAX];
    static char texts[3][32];
    unsigned count = below(VALUES_MAX), entries = 0, most = 0;
    struct goose_message message = {
        .frame = make_header(1),
        .gocb_ref = make_text(texts[0]),
        .dat_set = make_text(texts[1]),
        .time_allowed_to_live = below(100000),
        .t = make_time(),
        .st_num = next_random(&state),
        .sq_num = next_random(&state),
        .nds_com = below(2),
        .conf_rev = below(INT32_MAX),
        .all_data = data,
    };

    message.simulation = iec_is_simulated(&message.frame); /* they go together */
    if (below(2))
        message.go_id = make_text(texts[2]);
    for (unsigned i = 0; i < count; i++) {
        values[i] = make_value(below(most + 1), rooms[i]);
        most = values[i].depth + (values[i].type <= MMS_STRUCTURE);
        entries += values[i].depth == 0;
    }
    message.entries = entries;
    message.all_data_length = mms_encode(values, count, data, sizeof data);
    return goose_encode(&message, below(2), frame, FRAME_MAX);
}

static int write_file(const char *path, unsigned count)
{
    static const struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    const struct savefile_writer_config config = {
        .path = path, .interfaces = &interface, .interface_count = 1};
    char problem[SAVEFILE_WRITER_PROBLEM];
    struct savefile_writer *writer;
    static uint8_t frame[FRAME_MAX];

    if (savefile_writer_open(&writer, &config, problem) < 0)
        return fail(problem);
    for (unsigned i = 0; i < count; i++) {
        size_t length = i % 2 ? write_goose(frame) : write_sv(frame);
        struct savefile_packet packet = {.time = i * UINT64_C(1000000),
                                         .captured = (uint32_t)length,
                                         .length = (uint32_t)length,
                                         .bytes = frame};

        if (length == 0)
            return fail("a frame was not written");
        while (savefile_writer_put(writer, &packet) != SAVEFILE_TAKEN)
            savefile_writer_wait(writer, 1000);
    }
    return savefile_writer_close(writer, problem) == SAVEFILE_FAILED ? fail(problem) : 0;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* What tshark's fields have of all parts of a frame, with commas between. */
struct list {
    const char *comma;
};

static void begin(struct list *list)
{
    printf(";");
    list->comma = "";
}

#define add(list, ...) (printf("%s", (list)->comma), printf(__VA_ARGS__), (list)->comma = ",")

static void print_header(const struct iec_frame *frame, unsigned ethertype)
{
    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++)
        printf("%s%02x", i ? ":" : "", frame->destination[i]);
    printf(";");
    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++)
        printf("%s%02x", i ? ":" : "", frame->source[i]);
    if (frame->tags)
        printf(";%u;%u", frame_priority(frame->tag[0]), frame_vlan_id(frame->tag[0]));
    else
        printf(";;");
    if (ethertype == IEC_GOOSE)
        printf(";;;;;;;;;;;;"); /* those of Sampled Values */
    printf(";0x%04x;%d", frame->app_id, iec_is_simulated(frame));
}

static void print_sv(const struct sv_message *message)
{
    const struct sv_asdu *asdu = message->asdu, *end = asdu + message->asdus;
    struct list list;

    print_header(&message->frame, IEC_SV);
    printf(";%u", message->asdus);
    for (begin(&list); asdu < end; asdu++)
        add(&list, "%.*s", (int)asdu->sv_id.length, asdu->sv_id.bytes);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        if (asdu->dat_set.bytes)
            add(&list, "%.*s", (int)asdu->dat_set.length, asdu->dat_set.bytes);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        add(&list, "%u", asdu->smp_cnt);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        add(&list, "%u", asdu->conf_rev);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        add(&list, "%u", asdu->smp_synch);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        if (asdu->has_smp_rate)
            add(&list, "%u", asdu->smp_rate);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        if (asdu->has_smp_mod)
            add(&list, "%u", asdu->smp_mod);
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        for (unsigned i = 0; i < sv_channels(asdu); i++)
            add(&list, "%d", sv_value(asdu, i));
    for (begin(&list), asdu = message->asdu; asdu < end; asdu++)
        for (unsigned i = 0; i < sv_channels(asdu); i++)
            add(&list, "0x%08x", sv_quality(asdu, i));
    printf(";;;;;;;;;;;;;;;;;;;\n"); /* those of GOOSE */
}

static void print_bytes(struct list *list, const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return;
    printf("%s", list->comma);
    for (size_t i = 0; i < n; i++)
        printf("%02x", bytes[i]);
    list->comma = ",";
}

/* All values of this type, as tshark prints its field. */
static void print_values(const struct goose_message *message, enum mms_type type)
{
    struct mms_value value;
    struct mms_walk walk;
    struct list list;

    begin(&list);
    mms_begin(&walk, message->all_data, message->all_data_length);
    while (mms_next(&walk, &value)) {
        if (value.type != type)
            continue;
        if (type == MMS_BOOLEAN)
            add(&list, "%d", value.boolean);
        else if (type == MMS_INTEGER)
            add(&list, "%" PRId64, value.integer);
        else if (type == MMS_UNSIGNED)
            add(&list, "%" PRIu64, value.natural);
        else if (type == MMS_FLOAT)
            add(&list, "%.6g", value.real);
        else if (type == MMS_VISIBLE_STRING)
            add(&list, "%.*s", (int)value.length, (const char *)value.bytes);
        else
            print_bytes(&list, value.bytes, value.length);
    }
}

static void print_goose(const struct goose_message *message)
{
    static const enum mms_type types[] = {MMS_BOOLEAN,    MMS_INTEGER,      MMS_UNSIGNED,
                                          MMS_BIT_STRING, MMS_OCTET_STRING, MMS_VISIBLE_STRING,
                                          MMS_BINARY_TIME};

    print_header(&message->frame, IEC_GOOSE);
    printf(";%.*s;%u;%.*s", (int)message->gocb_ref.length, message->gocb_ref.bytes,
           message->time_allowed_to_live, (int)message->dat_set.length, message->dat_set.bytes);
    printf(";%.*s", (int)message->go_id.length, message->go_id.bytes ? message->go_id.bytes : "");
    printf(";%u;%u;%d;%u;%d;%u", message->st_num, message->sq_num, message->simulation,
           message->conf_rev, message->nds_com, message->entries);
    for (unsigned i = 0; i < sizeof types / sizeof *types; i++)
        print_values(message, types[i]);
    putchar('\n');
}

static int read_file(const char *path)
{
    struct savefile_source *source;
    struct savefile_source_frame frame;
    enum savefile_source_next next;
    struct iec_fault fault;
    union {
        struct sv_message sv;
        struct goose_message goose;
    } message;

    if (savefile_source_open(&source, path) < 0)
        return fail(path);
    while ((next = savefile_source_next(source, &frame)) == SAVEFILE_SOURCE_FRAME)
        if (sv_decode(frame.bytes, frame.length, &message.sv, &fault))
            print_sv(&message.sv);
        else if (goose_decode(frame.bytes, frame.length, &message.goose, &fault))
            print_goose(&message.goose);
        else
            printf("offset %zu: %s\n", fault.offset, fault.why);
    if (next == SAVEFILE_SOURCE_BROKEN)
        fail(savefile_source_problem(source));
    savefile_source_close(source);
    return next == SAVEFILE_SOURCE_BROKEN;
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "write") == 0)
        return write_file(arguments[2], (unsigned)strtoul(arguments[3], NULL, 10));
    if (count == 3 && strcmp(arguments[1], "read") == 0)
        return read_file(arguments[2]);
    return fail("write FILE COUNT, or read FILE");
}
