/* Frames of IEC 61850 for the script beside this.
 *
 *     iec61850-tool write FILE COUNT     Sampled Values and GOOSE by turns, of pseudo-random values
 *     iec61850-tool golden FILE          frames of others, of tests/unit/iec61850_frames.h
 *     iec61850-tool stream FILE RATE ASDUS FREQUENCY SAMPLES [N...]
 *                                        a stream of Sampled Values, begun 1000 s after 1970: 100 A
 *                                        and 63.5 kV of three phases with 5 % of the third
 * harmonic. Frame N is left out, and frame -N sent twice iec61850-tool goose FILE           a
 * publisher that changes its state, loses messages, and falls silent iec61850-tool read FILE what
 * our decoders find in each frame, a line each, with the fields that iec61850.sh asks tshark for */
#include "frames.h"
#include "iec61850/goose.h"
#include "iec61850/sv.h"
#include "iec61850_frames.h"
#include "source.h"
#include "writer.h"

#include <inttypes.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

/* --- Files --------------------------------------------------------------------------------- */

static struct savefile_writer *open_writer(const char *path)
{
    static const struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    const struct savefile_writer_config config = {
        .path = path, .interfaces = &interface, .interface_count = 1};
    char problem[SAVEFILE_WRITER_PROBLEM];
    struct savefile_writer *writer;

    if (savefile_writer_open(&writer, &config, problem) == 0)
        return writer;
    exit(fail(problem));
}

static void put_frame(struct savefile_writer *writer, uint64_t time, const uint8_t *frame,
                      size_t length)
{
    struct savefile_packet packet = {
        .time = time, .captured = (uint32_t)length, .length = (uint32_t)length, .bytes = frame};

    if (length == 0)
        exit(fail("a frame was not written"));
    while (savefile_writer_put(writer, &packet) != SAVEFILE_TAKEN)
        savefile_writer_wait(writer, 1000);
}

static int close_writer(struct savefile_writer *writer)
{
    char problem[SAVEFILE_WRITER_PROBLEM];

    return savefile_writer_close(writer, problem) == SAVEFILE_FAILED ? fail(problem) : 0;
}

static int write_file(const char *path, unsigned count)
{
    struct savefile_writer *writer = open_writer(path);
    static uint8_t frame[FRAME_MAX];

    for (unsigned i = 0; i < count; i++)
        put_frame(writer, i * UINT64_C(1000000), frame,
                  i % 2 ? write_goose(frame) : write_sv(frame));
    return close_writer(writer);
}

/* Golden frames, which are not ours. */
static int write_golden(const char *path)
{
    static const char *const golden[] = {GOLDEN_SV_UNIT,     GOLDEN_SV_NINE,    GOLDEN_SV_SHORT,
                                         GOLDEN_GOOSE_RELAY, GOLDEN_GOOSE_ZERO, GOLDEN_GOOSE};
    struct savefile_writer *writer = open_writer(path);
    static uint8_t frame[GOLDEN_MAX];

    for (unsigned i = 0; i < sizeof golden / sizeof *golden; i++)
        put_frame(writer, i * UINT64_C(1000000), frame, golden_bytes(golden[i], frame));
    return close_writer(writer);
}

/* --- A stream ------------------------------------------------------------------------------ */

struct stream {
    unsigned rate, asdus;
    double frequency;
};

static void fill_channels(const struct stream *stream, unsigned long n, uint8_t *sample)
{
    for (unsigned i = 0; i < CHANNELS_MAX; i++) {
        double angle = 2 * M_PI * (stream->frequency * (double)n / stream->rate - i % 4 / 3.0);
        double peak = (i < 4 ? 100000 : 6350000) * M_SQRT2 * (i % 4 < 3);

        sv_put_channel(sample, i, (int32_t)lrint(peak * (cos(angle) + 0.05 * cos(3 * angle))),
                       i == 7 ? 0x800 : 0);
    }
}

static size_t write_stream(const struct stream *stream, unsigned long first, uint8_t *frame)
{
    static uint8_t contents[SV_ASDUS_MAX][CHANNELS_MAX * SV_CHANNEL_BYTES];
    struct sv_message message = {
        .frame = {.destination = {0x01, 0x0c, 0xcd, 4, 0, 1},
                  .source = {2, 0, 0, 0, 0, 1},
                  .tags = 1,
                  .tag = {{FRAME_8021Q, frame_tci(4, false, 5)}},
                  .app_id = 0x4000},
        .asdus = stream->asdus,
    };

    for (unsigned i = 0; i < stream->asdus; i++) {
        fill_channels(stream, first + i, contents[i]);
        message.asdu[i] = (struct sv_asdu){
            .sv_id = {"MU01", 4},
            .smp_cnt = (uint16_t)((first + i) % stream->rate),
            .conf_rev = 1,
            .smp_synch = SV_GLOBAL_CLOCK,
            .sample = contents[i],
            .sample_length = sizeof contents[i],
        };
    }
    return sv_encode(&message, frame, FRAME_MAX);
}

/* How often this frame is sent: the numbers say which are left out, or sent twice. */
static unsigned times_sent(long number, char **numbers)
{
    for (; *numbers; numbers++)
        if (labs(strtol(*numbers, NULL, 10)) == number)
            return **numbers == '-' ? 2 : 0;
    return 1;
}

static int write_streams(char **arguments)
{
    const struct stream stream = {(unsigned)atoi(arguments[1]), (unsigned)atoi(arguments[2]),
                                  atof(arguments[3])};
    unsigned long end = strtoul(arguments[4], NULL, 10);
    struct savefile_writer *writer = open_writer(arguments[0]);
    static uint8_t frame[FRAME_MAX];
    uint64_t begin = UINT64_C(1000000000000);

    for (unsigned long n = 0; n < end; n += stream.asdus) {
        size_t length = write_stream(&stream, n, frame);
        unsigned times = times_sent((long)(n / stream.asdus), arguments + 5);

        for (unsigned i = 0; i < times; i++)
            put_frame(writer, begin + n * UINT64_C(1000000000) / stream.rate, frame, length);
    }
    return close_writer(writer);
}

/* --- A publisher --------------------------------------------------------------------------- */

static int write_publisher(const char *path)
{
    static const struct {
        unsigned ms, st_num, sq_num;
        bool value;
    } messages[] = {{0, 1, 0, false},  {100, 1, 1, false}, {200, 1, 2, false}, {300, 2, 0, true},
                    {302, 2, 1, true}, {310, 2, 4, true},  {400, 4, 0, false}, {1400, 4, 1, false}};
    struct savefile_writer *writer = open_writer(path);
    static uint8_t frame[FRAME_MAX], data[64];

    for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++) {
        uint64_t time = UINT64_C(1000000000000) + messages[i].ms * UINT64_C(1000000);
        const struct mms_value values[] = {
            {.type = MMS_BOOLEAN, .boolean = messages[i].value},
            {.type = MMS_STRUCTURE},
            {.type = MMS_FLOAT, .depth = 1, .real = 12.5, .is_short = true},
            {.type = MMS_BIT_STRING, .depth = 1, .bytes = (const uint8_t *)"\x20", .bits = 3},
            {.type = MMS_STRUCTURE, .depth = 1},
            {.type = MMS_VISIBLE_STRING, .bytes = (const uint8_t *)"a\"\x1b", .length = 3},
        };
        struct goose_message message = {
            .frame = {.destination = {0x01, 0x0c, 0xcd, 1, 0, 1},
                      .source = {2, 0, 0, 0, 0, 1},
                      .app_id = 0x1001},
            .gocb_ref = {"IED1/LLN0$GO$gcb1", 17},
            .dat_set = {"IED1/LLN0$ds1", 13},
            .go_id = {"gcb1", 4},
            .time_allowed_to_live = 200,
            .t = {time - messages[i].sq_num * UINT64_C(1000000), 10},
            .st_num = messages[i].st_num,
            .sq_num = messages[i].sq_num,
            .conf_rev = 1,
            .entries = 3,
            .all_data = data,
            .all_data_length = mms_encode(values, 6, data, sizeof data),
        };

        put_frame(writer, time, frame, goose_encode(&message, false, frame, sizeof frame));
    }
    return close_writer(writer);
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

/* --- Sending ------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t time)
{
    struct timespec until = {(time_t)(time / 1000000000), (long)(time % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
        ;
}

static int send_file(const char *interface, const char *path)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    struct savefile_source *source;
    struct savefile_source_frame frame;
    uint64_t offset = 0;

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return fail(interface);
    if (savefile_source_open(&source, path) < 0)
        return fail(path);
    while (savefile_source_next(source, &frame) == SAVEFILE_SOURCE_FRAME) {
        offset = offset ? offset : now_ns() - frame.time;
        sleep_until(frame.time + offset);
        if (send(fd, frame.bytes, frame.length, 0) < 0)
            return fail("a frame was not sent");
    }
    savefile_source_close(source);
    close(fd);
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 4 && strcmp(arguments[1], "send") == 0)
        return send_file(arguments[2], arguments[3]);
    if (count == 4 && strcmp(arguments[1], "write") == 0)
        return write_file(arguments[2], (unsigned)strtoul(arguments[3], NULL, 10));
    if (count == 3 && strcmp(arguments[1], "golden") == 0)
        return write_golden(arguments[2]);
    if (count >= 7 && strcmp(arguments[1], "stream") == 0)
        return write_streams(arguments + 2);
    if (count == 3 && strcmp(arguments[1], "goose") == 0)
        return write_publisher(arguments[2]);
    if (count == 3 && strcmp(arguments[1], "read") == 0)
        return read_file(arguments[2]);
    return fail("write, golden, stream, goose, send or read, as the source says");
}
