#include "subscribe.h"

#include "clock.h"
#include "frame/frame.h"
#include "session.h"
#include "source.h"
#include "utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000 * NS_PER_MS,
    /* Frames may wait so long in the kernel and the ring: what has not come by then does not. */
    BEHIND = 100 * NS_PER_MS,
};

struct run {
    const struct command_line *line;
    const struct subscriber *subscriber;
    struct nb_client *client; /* NULL: the service is gone */
    struct nb_request *request;
    uint64_t frames, count; /* count 0: no limit */
    uint64_t end;           /* of the time that it is to last; UINT64_MAX: none */
    uint64_t duration;      /* ns; 0: no limit */
};

/* --- Signals, of those who read a file ------------------------------------------------------ */

static volatile sig_atomic_t ended;

static void on_signal(int unused)
{
    (void)unused;
    ended = 1;
}

/* --- Frames -------------------------------------------------------------------------------- */

/* False: it was the last one. */
static bool take_frame(struct run *run, const unsigned char *bytes, size_t length, uint64_t time)
{
    const struct subscriber *subscriber = run->subscriber;
    struct frame_view view;

    if (!frame_parse(bytes, length, &view) || view.ethertype != subscriber->ethertype)
        return true;
    if (run->duration && run->end == UINT64_MAX)
        run->end = time + run->duration;
    if (time > run->end)
        return false;
    subscriber->tick(subscriber->context, time);
    subscriber->take(subscriber->context, bytes, length, time);
    return ++run->frames != run->count;
}

static bool output_is_gone(void)
{
    return fflush(stdout) != 0 || ferror(stdout);
}

/* --- From a file --------------------------------------------------------------------------- */

static int read_file(struct run *run, const char *path)
{
    struct savefile_source *source;
    struct savefile_source_frame frame;
    enum savefile_source_next next = SAVEFILE_SOURCE_END;
    int status = EXIT_DONE, result = savefile_source_open(&source, path);

    if (result < 0)
        return explain_file(run->line, path, result);
    while (!ended && (next = savefile_source_next(source, &frame)) == SAVEFILE_SOURCE_FRAME)
        if (!take_frame(run, frame.bytes, frame.length, frame.time))
            break;
    if (next == SAVEFILE_SOURCE_BROKEN) {
        report(run->line, &(struct fault){.code = "file", .file = path}, "%s.",
               savefile_source_problem(source));
        status = EXIT_REFUSED;
    }
    savefile_source_close(source);
    return status;
}

/* --- From the service ---------------------------------------------------------------------- */

static bool take_record(void *context, const struct nb_capture_record *record)
{
    return take_frame(context, record->bytes, record->length, record->time);
}

static void take_lost(void *context, uint64_t frames)
{
    const struct run *run = context;

    run->subscriber->lost(run->subscriber->context, frames);
}

static bool take_tick(void *context)
{
    const struct run *run = context;

    run->subscriber->tick(run->subscriber->context, clock_now() - BEHIND);
    return !output_is_gone();
}

static struct nb_reply *ask_again(void *context, struct nb_client **client)
{
    struct run *run = context;
    struct nb_reply *reply = call_again(run->line, run->request, &run->client);

    *client = run->client;
    return reply;
}

static void say_resumed(void *context)
{
    const struct run *run = context;

    fprintf(stderr, "netbroker: the service was gone; what is sent on %s is followed again.\n",
            command_line_value(run->line, "interface", 0));
}

static int listen_on(struct run *run, const struct nb_reply *reply)
{
    const struct session_config config = {
        .stop = {.duration = run->duration},
        .frame = take_record,
        .lost = take_lost,
        .tick = take_tick,
        .again = ask_again,
        .resumed = say_resumed,
        .context = run,
    };
    struct session_counters counters;
    char problem[SESSION_PROBLEM];
    enum session_end end = session_run(run->client, reply, &config, &counters, problem);

    if (end == SESSION_DONE)
        return EXIT_DONE;
    report(run->line, &(struct fault){.code = end == SESSION_INVALID ? "internal" : "gone"}, "%s.",
           problem);
    return end == SESSION_GONE ? EXIT_UNREACHABLE : EXIT_REFUSED;
}

static int ask_service(struct run *run)
{
    struct nb_reply *reply = NULL;
    char ethertype[8];
    int status, result;

    snprintf(ethertype, sizeof ethertype, "0x%04x", run->subscriber->ethertype);
    nb_request_add_string(run->request, "ethertypes", ethertype);
    result = connect_service(run->line, &run->client);
    if (result < 0)
        return explain_unreachable(run->line, result);
    result = nb_call(run->client, run->request, &reply);
    if (result < 0)
        status = explain_unreachable(run->line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal(run->line, reply);
    else
        status = listen_on(run, reply);
    nb_reply_free(reply);
    nb_close(run->client);
    return status;
}

/* --- The whole ----------------------------------------------------------------------------- */

int subscribe(const struct command_line *line, struct nb_request *request,
              const struct subscriber *subscriber)
{
    struct run run = {
        .line = line, .subscriber = subscriber, .request = request, .end = UINT64_MAX};
    const char *path = command_line_value(line, "file", 0);
    double count = 0, seconds = 0;
    int status;

    if (!path == !command_line_flag(line, "interface"))
        return say_usage(line, line->command.row->cli, NULL,
                         "'%s' needs INTERFACE, or --file and the name of a capture file.",
                         line->command.row->cli);
    if (!command_line_real(line, "count", 1, 1e15, &count) ||
        !command_line_real(line, "duration", 0.001, 1e9, &seconds))
        return EXIT_USAGE;
    run.count = (uint64_t)count;
    run.duration = (uint64_t)(seconds * NS_PER_SECOND);
    if (path) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        status = read_file(&run, path);
    } else {
        status = session_take_signals() ? ask_service(&run) : explain_no_memory(line);
    }
    return output_is_gone() ? EXIT_REFUSED : status;
}

/* --- Lines of JSON ------------------------------------------------------------------------- */

void line_begin(const char *topic, uint64_t time)
{
    printf("{\"topic\":\"%s\",\"ts\":\"%" PRIu64 "\",\"data\":", topic, time);
}

void line_end(void)
{
    fputs("}\n", stdout);
}

/* Control characters, and what is beyond ASCII, which a terminal may play with, are escaped: it
 * means the same. Bytes that are no UTF-8 become U+FFFD. */
static size_t put_sequence(const char *text, size_t n, bool is_json)
{
    unsigned char byte = (unsigned char)text[0];
    size_t length = byte < 0x80 ? 1 : utf8_sequence(text, n);
    uint32_t code = length > 1 ? byte & (0x7fu >> length) : length ? byte : 0xfffd;

    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    if (!is_json)
        printf(length == 1 && isprint(byte) ? "%c" : "\\x%02x", byte);
    else if (byte == '"' || byte == '\\')
        printf("\\%c", byte);
    else if (code < 0x80 && isprint((int)code))
        putchar((int)code);
    else if (code < 0x10000)
        printf("\\u%04x", code);
    else
        printf("\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    return is_json && length ? length : 1;
}

void line_text(const void *bytes, size_t n)
{
    putchar('"');
    for (size_t at = 0; at < n;)
        at += put_sequence((const char *)bytes + at, n - at, true);
    putchar('"');
}

void line_plain(const void *bytes, size_t n)
{
    for (size_t at = 0; at < n;)
        at += put_sequence((const char *)bytes + at, n - at, false);
}

void line_mac(const unsigned char *mac)
{
    printf("\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void line_real(const char *format, double value)
{
    if (isfinite(value))
        printf(format, value);
    else
        fputs("null", stdout);
}
