/* goose subscribe: each GOOSE message of an interface or a file, as what it is after those before.
 */
#include "goose_state.h"
#include "iec61850/goose.h"
#include "subscribe.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PUBLISHERS_MAX = 256, REFERENCE_MAX = 129 };

struct publisher {
    uint8_t source[FRAME_MAC_BYTES];
    uint16_t app_id;
    char reference[REFERENCE_MAX], id[REFERENCE_MAX];
    size_t reference_length, id_length;
    bool has_id;
    uint32_t allowed;
    struct iec_time t;
    struct goose_state state;
};

struct goose_subscription {
    const struct command_line *line;
    bool changes_only, types;
    unsigned count;
    uint64_t frames, malformed, refused, lost;
    uint64_t now;           /* when the newest message came */
    struct iec_fault fault; /* the newest */
    struct publisher *publishers;
};

static const char *const change_names[] = {
    [GOOSE_STATE] = "state",
    [GOOSE_RETRANSMIT] = "retransmit",
    [GOOSE_LOST] = "lost",
    [GOOSE_TIMEOUT] = "timeout",
};

/* --- Values -------------------------------------------------------------------------------- */

static void print_hex(const struct mms_value *value)
{
    putchar('"');
    for (size_t i = 0; i < value->length; i++)
        printf("%02x", value->bytes[i]);
    putchar('"');
}

static void print_bits(const struct mms_value *value)
{
    putchar('"');
    for (unsigned i = 0; i < value->bits; i++)
        putchar(mms_bit(value, i) ? '1' : '0');
    putchar('"');
}

static void print_value(const struct mms_value *value)
{
    switch (value->type) {
    case MMS_ARRAY:
    case MMS_STRUCTURE:
        putchar('[');
        break;
    case MMS_BOOLEAN:
        fputs(value->boolean ? "true" : "false", stdout);
        break;
    case MMS_INTEGER:
    case MMS_BCD:
        printf("%" PRId64, value->integer);
        break;
    case MMS_UNSIGNED:
        printf("%" PRIu64, value->natural);
        break;
    case MMS_FLOAT:
        line_real(value->is_short ? "%.9g" : "%.17g", value->real);
        break;
    case MMS_BIT_STRING:
    case MMS_BOOLEAN_ARRAY:
        print_bits(value);
        break;
    case MMS_VISIBLE_STRING:
    case MMS_MMS_STRING:
    case MMS_GENERALIZED_TIME:
        line_text(value->bytes, value->length);
        break;
    case MMS_UTC_TIME:
        printf("\"%" PRIu64 "\"", value->time.ns);
        break;
    default:
        print_hex(value);
    }
}

/* What the time says of its clock: 31 bits of accuracy are none that is known. */
static void print_clock_quality(struct iec_time time)
{
    unsigned accuracy = time.quality & IEC_ACCURACY;

    printf("{\"leapSecondsKnown\":%s,\"clockFailure\":%s,\"clockNotSynchronized\":%s,"
           "\"accuracy\":",
           time.quality & IEC_LEAP_SECONDS_KNOWN ? "true" : "false",
           time.quality & IEC_CLOCK_FAILURE ? "true" : "false",
           time.quality & IEC_CLOCK_NOT_SYNCHRONIZED ? "true" : "false");
    if (accuracy == IEC_ACCURACY)
        fputs("null}", stdout);
    else
        printf("%u}", accuracy);
}

/* With --types a value is an object; that of a structure is open behind this. */
static void open_value(const struct goose_subscription *run, const struct mms_value *value)
{
    if (run->types)
        printf("{\"type\":\"%s\",%s\"value\":", mms_type_name(value->type),
               value->type == MMS_FLOAT && !value->is_short ? "\"bits\":64," : "");
    print_value(value);
    if (run->types && value->type == MMS_UTC_TIME) {
        fputs(",\"quality\":", stdout);
        print_clock_quality(value->time);
    }
    if (run->types && value->type != MMS_ARRAY && value->type != MMS_STRUCTURE)
        putchar('}');
}

static void close_value(const struct goose_subscription *run)
{
    fputs(run->types ? "]}" : "]", stdout);
}

/* Structures and arrays are arrays of JSON; each is closed where the next value stands less deep.
 */
static void print_values(const struct goose_subscription *run, const struct goose_message *message)
{
    struct mms_walk walk;
    struct mms_value value;
    unsigned depth = 0;
    bool is_first = true;

    putchar('[');
    mms_begin(&walk, message->all_data, message->all_data_length);
    while (mms_next(&walk, &value)) {
        for (; depth > value.depth; depth--, is_first = false)
            close_value(run);
        if (!is_first)
            putchar(',');
        open_value(run, &value);
        is_first = value.type == MMS_ARRAY || value.type == MMS_STRUCTURE;
        depth = value.depth + is_first;
    }
    for (; depth > 0; depth--)
        close_value(run);
    putchar(']');
}

/* --- Events -------------------------------------------------------------------------------- */

/* message NULL: none has come. */
static void print_json(const struct goose_subscription *run, const struct publisher *publisher,
                       enum goose_change change, uint64_t time, uint64_t lost,
                       const struct goose_message *message)
{
    line_begin("goose/events", time);
    printf("{\"change\":\"%s\",\"gocbRef\":", change_names[change]);
    line_text(publisher->reference, publisher->reference_length);
    fputs(",\"goID\":", stdout);
    if (publisher->has_id)
        line_text(publisher->id, publisher->id_length);
    else
        fputs("null", stdout);
    printf(",\"appId\":\"0x%04x\",\"src\":", publisher->app_id);
    line_mac(publisher->source);
    printf(",\"stNum\":%" PRIu32 ",\"sqNum\":%" PRIu32 ",\"t\":\"%" PRIu64
           "\",\"timeAllowedToLive\":%" PRIu32,
           publisher->state.st_num, publisher->state.sq_num, publisher->t.ns, publisher->allowed);
    if (run->types) {
        fputs(",\"tQuality\":", stdout);
        print_clock_quality(publisher->t);
    }
    if (change == GOOSE_LOST)
        printf(",\"lost\":%" PRIu64, lost);
    fputs(",\"values\":", stdout);
    if (message)
        print_values(run, message);
    else
        fputs("null", stdout);
    fputs("}", stdout);
    line_end();
}

static void print_clock(uint64_t time)
{
    time_t seconds = (time_t)(time / 1000000000);
    char clock[16];
    struct tm date;

    localtime_r(&seconds, &date);
    strftime(clock, sizeof clock, "%H:%M:%S", &date);
    printf("%s.%06u ", clock, (unsigned)(time % 1000000000 / 1000));
}

static void print_plain(const struct goose_subscription *run, const struct publisher *publisher,
                        enum goose_change change, uint64_t time, uint64_t lost,
                        const struct goose_message *message)
{
    print_clock(time);
    printf("%-10s ", change_names[change]);
    line_plain(publisher->reference, publisher->reference_length);
    printf(" stNum %" PRIu32 " sqNum %" PRIu32, publisher->state.st_num, publisher->state.sq_num);
    if (change == GOOSE_LOST)
        printf(": %" PRIu64 " messages before it did not come", lost);
    if (change == GOOSE_TIMEOUT)
        printf(": nothing came for %" PRIu32 " ms", publisher->allowed);
    if (message && change != GOOSE_LOST) {
        putchar(' ');
        print_values(run, message);
        fputs(iec_is_simulated(&message->frame) ? " simulated" : "", stdout);
        fputs(message->nds_com ? " needs commissioning" : "", stdout);
    }
    putchar('\n');
}

static void print_event(const struct goose_subscription *run, const struct publisher *publisher,
                        enum goose_change change, uint64_t time, uint64_t lost,
                        const struct goose_message *message)
{
    if (change == GOOSE_RETRANSMIT && run->changes_only)
        return;
    if (run->line->json)
        print_json(run, publisher, change, time, lost, message);
    else
        print_plain(run, publisher, change, time, lost, message);
}

/* --- Messages ------------------------------------------------------------------------------ */

static size_t copy_text(struct iec_text text, char *ret)
{
    size_t length = text.length < REFERENCE_MAX ? text.length : REFERENCE_MAX;

    if (length)
        memcpy(ret, text.bytes, length);
    return length;
}

static bool is_of(const struct publisher *publisher, const struct goose_message *message)
{
    size_t length =
        message->gocb_ref.length < REFERENCE_MAX ? message->gocb_ref.length : REFERENCE_MAX;

    return publisher->app_id == message->frame.app_id && publisher->reference_length == length &&
           memcmp(publisher->source, message->frame.source, FRAME_MAC_BYTES) == 0 &&
           memcmp(publisher->reference, message->gocb_ref.bytes, length) == 0;
}

static struct publisher *find_publisher(struct goose_subscription *run,
                                        const struct goose_message *message)
{
    struct publisher *publisher = run->publishers, *end = publisher + run->count;

    while (publisher < end && !is_of(publisher, message))
        publisher++;
    if (publisher < end)
        return publisher;
    if (run->count == PUBLISHERS_MAX)
        return NULL;
    run->count++;
    publisher->app_id = message->frame.app_id;
    memcpy(publisher->source, message->frame.source, FRAME_MAC_BYTES);
    publisher->reference_length = copy_text(message->gocb_ref, publisher->reference);
    return publisher;
}

static void take_frame(void *context, const unsigned char *bytes, size_t length, uint64_t time)
{
    struct goose_subscription *run = context;
    struct goose_message message;
    struct publisher *publisher;
    enum goose_change change;
    struct iec_fault fault;
    uint64_t lost;

    if (!goose_decode(bytes, length, &message, &fault)) {
        run->malformed++;
        run->fault = fault;
        return;
    }
    run->frames++;
    run->now = time;
    publisher = find_publisher(run, &message);
    if (!publisher) {
        run->refused++;
        return;
    }
    publisher->has_id = message.go_id.bytes;
    publisher->id_length = copy_text(message.go_id, publisher->id);
    publisher->allowed = message.time_allowed_to_live;
    publisher->t = message.t;
    lost = goose_state_take(&publisher->state, message.st_num, message.sq_num, publisher->allowed,
                            time, &change);
    if (lost)
        print_event(run, publisher, GOOSE_LOST, time, lost, &message);
    print_event(run, publisher, change, time, 0, &message);
}

static void take_time(void *context, uint64_t now)
{
    struct goose_subscription *run = context;

    for (unsigned i = 0; i < run->count; i++) {
        struct publisher *publisher = &run->publishers[i];

        if (goose_state_tick(&publisher->state, now))
            print_event(run, publisher, GOOSE_TIMEOUT, publisher->state.deadline, 0, NULL);
    }
}

static void take_lost(void *context, uint64_t frames)
{
    struct goose_subscription *run = context;

    run->lost += frames;
}

static void say_summary(const struct goose_subscription *run)
{
    if (run->line->json) {
        line_begin("goose/end", run->now);
        printf("{\"messages\":%" PRIu64 ",\"publishers\":%u,\"lost\":%" PRIu64
               ",\"malformed\":%" PRIu64 "}",
               run->frames, run->count, run->lost, run->malformed);
        line_end();
    } else
        fprintf(stderr,
                "%" PRIu64 " messages of %u publishers; %" PRIu64
                " frames were lost on their way to this command.\n",
                run->frames, run->count, run->lost);
    if (run->malformed)
        report(run->line, &(struct fault){.code = "malformed"},
               "%" PRIu64 " frames are no GOOSE, the last one because %s (byte %zu).",
               run->malformed, run->fault.why, run->fault.offset);
    if (run->refused)
        report(run->line, &(struct fault){.code = "limit"},
               "%" PRIu64 " messages are of more than %d publishers, and not followed.",
               run->refused, PUBLISHERS_MAX);
}

int run_goose_subscribe(const struct command_line *line, struct nb_request *request)
{
    struct goose_subscription run = {.line = line,
                                     .changes_only = command_line_flag(line, "changes"),
                                     .types = command_line_flag(line, "types")};
    const struct subscriber subscriber = {
        .ethertype = IEC_GOOSE,
        .context = &run,
        .take = take_frame,
        .tick = take_time,
        .lost = take_lost,
    };
    int status;

    run.publishers = calloc(PUBLISHERS_MAX, sizeof *run.publishers);
    if (!run.publishers)
        return explain_no_memory(line);
    status = subscribe(line, request, &subscriber);
    if (status == EXIT_DONE || run.frames)
        say_summary(&run);
    free(run.publishers);
    return status;
}
