/* goose publish: the messages of a GOOSE control block. A message is made shortly before it is due,
 * because the state may change until then: by a line of standard input, or at a time. */
#include "goose_pace.h"
#include "goose_values.h"
#include "iec61850/goose.h"
#include "publish.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LEAD_MS = 100, /* from the request to the first message */
    LINE_MAX_BYTES = 1024,
    FRAME_BYTES = 1522,
    CHANGES_MAX = OPTION_VALUES_MAX,
    QUALITY = 10, /* of the time: bits of its fraction that are right, about a millisecond */
    WAIT_MAX_MS = 1000,
};

#define MS     UINT64_C(1000000)
#define SECOND 1e9
#define AHEAD  (5 * MS) /* a message goes into the ring so long before it is due */
#define SOON   MS       /* a change that comes now is sent then */

struct change {
    uint64_t at; /* ns from the start */
    const char *text;
};

struct goose_publication {
    const struct command_line *line;
    struct goose_pace pace;
    struct goose_values values, spare;
    struct goose_message message;
    struct injection_feed feed;
    uint64_t start;       /* ns since 1970, of offset 0 */
    uint64_t due;         /* of the next message, as long as nothing changes */
    uint64_t latest;      /* of the message before */
    uint64_t end;         /* 0: there is none */
    uint64_t sent, total; /* messages; total 0: without end */
    unsigned changes, changed;
    struct change change[CHANGES_MAX];
    char input[LINE_MAX_BYTES];
    size_t input_length;
    bool is_skipping; /* the rest of a line that is too long */
    uint8_t data[FRAME_BYTES], frame[FRAME_BYTES];
};

static struct iec_time time_at(const struct goose_publication *run, uint64_t offset)
{
    return (struct iec_time){run->start + offset, QUALITY};
}

static uint64_t now_offset(const struct goose_publication *run)
{
    uint64_t now = clock_now();

    return now > run->start ? now - run->start : 0;
}

/* --- Messages ------------------------------------------------------------------------------ */

/* Returns its length; 0: the values are more than a frame has room for. */
static size_t encode(struct goose_publication *run)
{
    struct goose_message *message = &run->message;

    message->entries = run->values.members;
    message->all_data = run->data;
    message->all_data_length =
        mms_encode(run->values.values, run->values.count, run->data, sizeof run->data);
    message->time_allowed_to_live = goose_life(&run->pace, message->sq_num);
    return message->all_data_length ? goose_encode(message, false, run->frame, sizeof run->frame)
                                    : 0;
}

/* A state that is new at this time. */
static void begin_state(struct goose_publication *run, uint64_t at)
{
    run->message.st_num = run->message.st_num == UINT32_MAX ? 1 : run->message.st_num + 1;
    run->message.sq_num = 0;
    run->message.t = time_at(run, at);
    run->due = at;
}

/* --- Changes ------------------------------------------------------------------------------- */

/* Members of one line change together. Returns NULL, or what is wrong: then nothing changes. */
static const char *change(struct goose_publication *run, const char *text, size_t n, uint64_t at)
{
    const char *wrong = goose_change_all(&run->values, &run->spare, text, n, time_at(run, at));

    if (!wrong)
        begin_state(run, at);
    return wrong;
}

static void take_line(struct goose_publication *run, const char *text, size_t n)
{
    uint64_t at = now_offset(run) + SOON;
    const char *wrong;

    while (n && (text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    if (n == 0 || text[0] == '#')
        return;
    if (at <= run->latest)
        at = run->latest + 1;
    wrong = change(run, text, n, at);
    if (wrong)
        report(run->line, &(struct fault){.code = "input"},
               "a line of standard input changes nothing: %s.", wrong);
}

/* Takes a line that is there as a whole. False: there is none. */
static bool take_whole_line(struct goose_publication *run)
{
    char *end = memchr(run->input, '\n', run->input_length);
    size_t n;

    if (!end && run->input_length < sizeof run->input)
        return false;
    n = end ? (size_t)(end - run->input) : run->input_length;
    if (!end || run->is_skipping) {
        if (!run->is_skipping)
            report(run->line, &(struct fault){.code = "input"},
                   "a line of standard input changes nothing: it has more than %d bytes.",
                   LINE_MAX_BYTES - 1);
        run->is_skipping = !end;
    } else {
        take_line(run, run->input, n);
    }
    n += end != NULL;
    run->input_length -= n;
    memmove(run->input, run->input + n, run->input_length);
    return true;
}

static void read_input(struct goose_publication *run)
{
    struct pollfd polled = {.fd = run->feed.fd, .events = POLLIN};
    ssize_t got;

    if (run->feed.fd < 0 || poll(&polled, 1, 0) <= 0)
        return;
    got = read(run->feed.fd, run->input + run->input_length, sizeof run->input - run->input_length);
    if (got > 0)
        run->input_length += (size_t)got;
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
        run->feed.fd = -1; /* the state stays as it is */
}

/* A change of the command line that is due before the next message. */
static void take_planned(struct goose_publication *run, uint64_t now)
{
    const struct change *next = &run->change[run->changed];

    if (run->changed == run->changes || next->at > now + AHEAD || next->at > run->due)
        return;
    change(run, next->text, strlen(next->text),
           next->at > run->latest ? next->at : run->latest + 1);
    run->changed++;
}

/* --- The feed ------------------------------------------------------------------------------ */

static uint64_t next_due(const struct goose_publication *run)
{
    uint64_t planned = run->changed < run->changes ? run->change[run->changed].at : UINT64_MAX;

    return planned < run->due ? planned : run->due;
}

static enum supply_next next_message(void *context, struct savefile_source_frame *ret,
                                     uint64_t *ret_offset)
{
    struct goose_publication *run = context;
    uint64_t now = now_offset(run);
    size_t length;

    if (run->total && run->sent >= run->total)
        return SUPPLY_END;
    if (run->message.sq_num) { /* each new state is told before there is another */
        read_input(run);
        if (!take_whole_line(run))
            take_planned(run, now);
    }
    if (run->end && next_due(run) > run->end)
        return SUPPLY_END;
    if (run->due > now + AHEAD)
        return SUPPLY_WAIT;
    length = encode(run);
    if (!length) {
        report(run->line, &(struct fault){.code = "input"},
               "the values are more than a frame has room for.");
        return SUPPLY_BROKEN;
    }
    *ret = (struct savefile_source_frame){.bytes = run->frame, .length = length};
    *ret_offset = run->latest = run->due;
    run->due += goose_gap(&run->pace, run->message.sq_num);
    run->message.sq_num = goose_next_sq(run->message.sq_num);
    run->sent++;
    return SUPPLY_FRAME;
}

static int wait_ms(void *context)
{
    const struct goose_publication *run = context;
    uint64_t now = now_offset(run) + AHEAD, due = next_due(run);

    if (memchr(run->input, '\n', run->input_length))
        return 0;
    return due <= now                     ? 0
           : due - now > WAIT_MAX_MS * MS ? WAIT_MAX_MS
                                          : (int)((due - now) / MS) + 1;
}

static void report_status(void *context, FILE *file, const struct injection_tally *tally)
{
    const struct goose_publication *run = context;

    publish_status(file, run->message.gocb_ref, tally, &(struct publish_notes){.has_synch = false});
}

/* --- Options ------------------------------------------------------------------------------- */

static bool take_pace(struct goose_publication *run)
{
    double shortest = 4, longest = 1000;
    uint64_t life = 2;

    if (!command_line_real(run->line, "shortest", 0.1, 60000, &shortest) ||
        !command_line_real(run->line, "longest", 0.1, 3600000, &longest) ||
        !publish_natural(run->line, "life", 1, 100, &life))
        return false;
    if (shortest > longest)
        return publish_wrong(run->line, "shortest",
                             "--shortest is %g ms, and that is more than --longest, %g ms.",
                             shortest, longest);
    run->pace = (struct goose_pace){(uint64_t)llround(shortest * (double)MS),
                                    (uint64_t)llround(longest * (double)MS), (uint32_t)life};
    return true;
}

static bool take_values(struct goose_publication *run)
{
    const char *text, *wrong = NULL;

    for (unsigned i = 0; !wrong && (text = command_line_value(run->line, "value", i)); i++) {
        wrong = goose_add(&run->values, text, time_at(run, 0));
        if (wrong)
            return publish_wrong(run->line, "value", "'%s' is no value: %s.", text, wrong);
    }
    if (run->values.count == 0)
        goose_add(&run->values, "bool:false", time_at(run, 0));
    return true;
}

/* Tried on a copy, so that a mistake is told before anything is sent. */
static bool take_change(struct goose_publication *run, const char *text)
{
    struct goose_values *copy = malloc(sizeof *copy);
    char *end;
    double at = strtod(text, &end);
    const char *wrong = NULL;

    if (!copy)
        return explain_no_memory(run->line) == EXIT_DONE;
    *copy = run->values;
    if (end == text || *end != ':' || !(at >= 0 && at <= 1e8))
        wrong = "it begins with the time in seconds, such as 2.5:1=true";
    else if (run->changes && at * SECOND < (double)run->change[run->changes - 1].at)
        wrong = "it is before the one that stands before it";
    else if (end[1] == '\0')
        wrong = "no member changes";
    else
        wrong = goose_change_all(copy, &run->spare, end + 1, strlen(end + 1), time_at(run, 0));
    free(copy);
    if (wrong)
        return publish_wrong(run->line, "change", "'%s' is no change: %s.", text, wrong);
    run->change[run->changes++] = (struct change){(uint64_t)llround(at * SECOND), end + 1};
    return true;
}

static bool take_changes(struct goose_publication *run)
{
    const char *text;

    for (unsigned i = 0; (text = command_line_value(run->line, "change", i)); i++)
        if (!take_change(run, text))
            return false;
    return true;
}

static bool take_message(struct goose_publication *run)
{
    struct goose_message *message = &run->message;
    uint64_t conf_rev = 1, st_num = 1;

    if (!publish_header(run->line, 0x0001, "01:0c:cd:01:00:01", &message->frame) ||
        !publish_natural(run->line, "conf_rev", 0, UINT32_MAX, &conf_rev) ||
        !publish_natural(run->line, "st_num", 1, UINT32_MAX, &st_num) ||
        !publish_text(run->line, "gocb_ref", "NETBROKER01LD0/LLN0$GO$gcb01", &message->gocb_ref) ||
        !publish_text(run->line, "dat_set", "NETBROKER01LD0/LLN0$dataset01", &message->dat_set))
        return false;
    message->go_id = message->gocb_ref;
    message->conf_rev = (uint32_t)conf_rev;
    message->st_num = (uint32_t)st_num;
    message->simulation = command_line_flag(run->line, "simulation");
    message->nds_com = command_line_flag(run->line, "nds_com");
    return publish_text(run->line, "go_id", NULL, &message->go_id);
}

static bool take_options(struct goose_publication *run)
{
    return take_pace(run) && take_message(run) && take_values(run) && take_changes(run) &&
           publish_duration(run->line, &run->end) &&
           publish_natural(run->line, "count", 1, UINT64_C(1000000000000000), &run->total) &&
           (encode(run) ||
            publish_wrong(run->line, "value", "the values are more than a frame has room for."));
}

static int publish(struct goose_publication *run, struct nb_request *request)
{
    const struct injection_plan plan = {.feed = &run->feed, .pace = {.kind = PACE_INTERVAL}};

    run->feed = (struct injection_feed){
        .context = run,
        .sample = run->frame,
        .sample_length = encode(run),
        .total = run->total,
        .next = next_message,
        .wait = wait_ms,
        .fd = STDIN_FILENO,
        .report_json = report_status,
    };
    run->feed.is_endless = run->total == 0 && run->end == 0;
    if (!command_line_flag(run->line, "late"))
        nb_request_set_integer(request, "late", 0); /* a state that is late is better than none */
    return run_injection(run->line, request, &plan);
}

int run_goose_publish(const struct command_line *line, struct nb_request *request)
{
    struct goose_publication *run = calloc(1, sizeof *run);
    int status;

    if (!run)
        return explain_no_memory(line);
    run->line = line;
    run->start = publish_start(request, LEAD_MS, 1);
    run->message.t = time_at(run, 0);
    status = take_options(run) ? publish(run, request) : EXIT_USAGE;
    free(run);
    return status;
}
