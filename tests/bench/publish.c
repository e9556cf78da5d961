/* usage: bench-publish CLIENT IFACE PEER [PART...]
 *
 * Streams of Sampled Values: how late their frames are on the wire (lateness.h), and what of the
 * processor a frame costs, each way beside a thread that does nothing else with bare system calls,
 * in turns. CLIENT is the command (netbroker), whose service NETBROKER_SOCKET names. A PART is a
 * row of `parts`, or "limit": how many streams there can be until a sample comes after the next one
 * was due; all if none is given. SECONDS_EACH (2) and ROUNDS (3) are how long a turn is and how
 * many there are. */
#include "bench.h"
#include "lateness.h"

#include "netbroker.h"
#include "sv_frames.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    APP_ID = 0x4000,  /* of the first stream, and the others follow */
    STREAMS_MAX = 16, /* of the service: timed-streams-per-user in netbrokerd.conf(5) */
    CHANNELS = 8,
    REPORT_MAX = 4096,
    LEAD_MS = 500,      /* until the first frame */
    LEAD_MS_EACH = 20,  /* for each command that is started */
    THREAD_WAITS = 500, /* of 10 ms, for the service's thread */
    LATE_NS = 1000000,
    TABLE_SAMPLES = 96, /* a cycle of 50 Hz at 4800 Hz */
    SAMPLE_BYTES = CHANNELS * SV_CHANNEL_BYTES,
    PATIENCE_NS = 1000000000, /* for a frame that does not come */
    LIMIT_TURNS = 3,          /* the best counts: the machine may stop in one */
};

#define SECOND UINT64_C(1000000000)

#define CPU_TARGET   2.0  /* of the service's thread */
#define LIMIT_TARGET 0.75 /* of the streams that the bare thread can send */

static struct {
    const char *client, *iface, *peer;
    uint32_t seconds, rounds;
} options = {.seconds = 2, .rounds = 3};

/* What a turn cost, in ns of the processor, and what commands said of it. */
struct cost {
    uint64_t thread, service, clients, frames;
    double starved;
    char failure[REPORT_MAX];
};

/* --- The grid ------------------------------------------------------------------------------ */

static struct lateness_grid grid_of(uint32_t streams, uint32_t rate, uint32_t asdus)
{
    return (struct lateness_grid){
        .streams = streams, .rate = rate, .step = asdus, .count = rate / asdus * options.seconds};
}

/* smpCnt tells the place in a second; the second is the one that is nearest. */
static bool identify(const struct lateness_grid *grid, const unsigned char *bytes, size_t length,
                     uint64_t time, uint32_t *ret_stream, uint32_t *ret_number)
{
    struct sv_message message;
    struct iec_fault fault;
    uint64_t first;
    uint32_t place;

    if (!sv_decode(bytes, length, &message, &fault) || message.frame.app_id < APP_ID)
        return false;
    place = message.asdu[0].smp_cnt / grid->step;
    first = lateness_due(grid, place) - SECOND / 2;
    *ret_stream = message.frame.app_id - APP_ID;
    *ret_number = place;
    if (time > first)
        *ret_number += (uint32_t)((time - first) / SECOND) * lateness_frames_a_second(grid);
    return true;
}

/* --- Bare ---------------------------------------------------------------------------------- */

static struct sv_frames templates[STREAMS_MAX];

static void make_templates(const struct lateness_grid *grid)
{
    static const struct sv_asdu asdu = {.sv_id = {"NETBROKER01", 11}, .conf_rev = 1};

    for (uint32_t i = 0; i < grid->streams; i++) {
        const struct iec_frame header = {.destination = {0x01, 0x0c, 0xcd, 0x04, 0, 1},
                                         .source = {0x02, 0, 0, 0, 0, 1},
                                         .app_id = (uint16_t)(APP_ID + i)};

        templates[i] =
            (struct sv_frames){.rate = grid->rate, .asdus = grid->step, .channels = CHANNELS};
        bench_require(sv_frames_begin(&templates[i], &header, &asdu), "a frame");
    }
}

static void take_nothing(void *context, uint64_t number, int32_t *values, uint32_t *qualities)
{
    (void)context;
    for (unsigned i = 0; i < CHANNELS; i++) {
        values[i] = (int32_t)number;
        qualities[i] = SV_GOOD;
    }
}

static size_t fill(const struct lateness_grid *grid, uint32_t stream, uint32_t number,
                   unsigned char *frame)
{
    const struct sv_samples samples = {NULL, take_nothing};
    struct sv_frames *template = &templates[stream];

    (void)grid;
    sv_frames_next(template, number, &samples);
    memcpy(frame, template->frame, template->length);
    return template->length;
}

static void send_bare(const struct lateness_grid *grid, struct cost *cost)
{
    make_templates(grid);
    cost->thread = lateness_send_bare(options.iface, grid, fill);
}

/* --- One command a stream -------------------------------------------------------------------- */

struct command {
    pid_t pid;
    int output;
};

static uint64_t cpu_of_process(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    bench_require(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0,
                  "the time of a process");
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void become_publisher(const struct lateness_grid *grid, uint32_t stream)
{
    char app_id[16], rate[16], asdus[16], count[16], start[32], late[16];

    snprintf(app_id, sizeof app_id, "0x%x", APP_ID + stream);
    snprintf(rate, sizeof rate, "%u", grid->rate);
    snprintf(asdus, sizeof asdus, "%u", grid->step);
    snprintf(count, sizeof count, "%u", grid->count);
    snprintf(start, sizeof start, "%llu", (unsigned long long)(grid->start / 1000000));
    snprintf(late, sizeof late, "%u", LATENESS_STALL_NS / 1000);
    execl(options.client, options.client, "--json", "sv", "publish", options.iface, "--app-id",
          app_id, "--sample-rate", rate, "--asdus", asdus, "--count", count, "--start", start,
          "--late", late, (char *)NULL);
    perror(options.client);
    _exit(127);
}

static struct command start_publisher(const struct lateness_grid *grid, uint32_t stream)
{
    struct command command;
    int ends[2];

    bench_require(pipe(ends) == 0, "a pipe");
    command = (struct command){fork(), ends[0]};
    bench_require(command.pid >= 0, "a process");
    if (command.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        become_publisher(grid, stream);
    }
    close(ends[1]);
    return command;
}

/* What a command prints is shorter than a pipe is long. */
static void finish(struct command *command, struct cost *cost)
{
    struct rusage usage;
    char report[REPORT_MAX];
    size_t n = 0;
    ssize_t more;
    int status;

    bench_require(wait4(command->pid, &status, 0, &usage) == command->pid, "a command");
    while (n < sizeof report - 1 &&
           (more = read(command->output, report + n, sizeof report - 1 - n)) > 0)
        n += (size_t)more;
    report[n] = '\0';
    close(command->output);
    cost->clients += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND +
                     (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
    if (strstr(report, "\"starved\":"))
        cost->starved += bench_number(report, "\"starved\":");
    else
        memcpy(cost->failure, report, n + 1);
}

/* It starts with the first stream. */
static pid_t await_thread(pid_t broker)
{
    pid_t thread = 0;

    for (unsigned i = 0; i < THREAD_WAITS && !(thread = lateness_timed_thread(broker)); i++)
        poll(NULL, 0, 10);
    return thread;
}

static void send_commands(const struct lateness_grid *grid, struct cost *cost)
{
    static struct command commands[STREAMS_MAX];
    pid_t broker = lateness_broker(), thread;
    uint64_t service = cpu_of_process(broker), before = 0;

    for (uint32_t i = 0; i < grid->streams; i++)
        commands[i] = start_publisher(grid, i);
    thread = await_thread(broker);
    if (thread) {
        lateness_hurry(thread);
        before = lateness_cpu(thread);
    }
    /* The thread ends with its last stream, and has given what it used to its process. */
    for (uint32_t i = 0; i < grid->streams; i++) {
        if (thread && lateness_timed_thread(broker) == thread)
            cost->thread = lateness_cpu(thread) - before;
        finish(&commands[i], cost);
    }
    if (thread && lateness_timed_thread(broker) == thread)
        cost->thread = lateness_cpu(thread) - before;
    cost->service = cpu_of_process(broker) - service;
}

/* --- Streams that the service makes --------------------------------------------------------------
 */

static struct nb_inject *open_stream(struct nb_client *client, const struct lateness_grid *grid,
                                     struct cost *cost)
{
    struct nb_request *request;
    struct nb_inject *inject = NULL;
    struct nb_reply *reply;

    bench_require(nb_request_new(&request, "OPEN_INJECT") == 0, "a request");
    nb_request_set_string(request, "interface", options.iface);
    nb_request_add_string(request, "sources", "any");
    nb_request_set_integer(request, "rate", lateness_frames_a_second(grid));
    nb_request_set_bool(request, "template", true);
    nb_request_set_integer(request, "late", LATENESS_STALL_NS / 1000);
    nb_request_set_integer(request, "start", (int64_t)(grid->start / 1000000));
    bench_require(nb_call(client, request, &reply) == 0, "OPEN_INJECT");
    if (nb_inject_open(&inject, reply) != 0)
        snprintf(cost->failure, sizeof cost->failure, "%s", nb_reply_message(reply));
    nb_reply_free(reply);
    nb_request_free(request);
    return inject;
}

/* A cycle again and again, until as many frames as the grid has are sent. */
static void play(struct nb_inject *inject, const struct lateness_grid *grid, uint32_t stream)
{
    static uint8_t samples[TABLE_SAMPLES][SAMPLE_BYTES];
    const struct nb_inject_segment segment = {.count = TABLE_SAMPLES};
    const struct sv_frames *template = &templates[stream];

    for (unsigned i = 0; i < TABLE_SAMPLES; i++)
        for (unsigned channel = 0; channel < CHANNELS; channel++)
            sv_put_channel(samples[i], channel, (int32_t)i, SV_GOOD);
    bench_require(
        nb_inject_template(inject, template->frame, (uint32_t) template->length, grid->rate) > 0 &&
            nb_inject_samples(inject, 0, samples, TABLE_SAMPLES, SAMPLE_BYTES) > 0 &&
            nb_inject_play(inject, &segment) > 0 &&
            nb_inject_stop(inject, (uint64_t)grid->count * grid->step) > 0,
        "a stream");
    nb_inject_publish(inject);
}

/* Until the last frame's time, and as long as the next sample is before the end. */
static void await_end(struct nb_inject *inject, const struct lateness_grid *grid)
{
    uint64_t end = lateness_due(grid, grid->count), now;
    struct nb_inject_refusal refusal;
    struct timespec time;

    do {
        poll(NULL, 0, 20);
        clock_gettime(CLOCK_REALTIME, &time);
        now = (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
        while (nb_inject_next_refusal(inject, &refusal) > 0)
            if (refusal.record)
                fprintf(stderr, "record %u: %s\n", refusal.record,
                        nb_inject_reason_meaning(refusal.reason));
    } while (now < end || (now < end + PATIENCE_NS && !*nb_inject_end(inject) &&
                           nb_inject_next(inject) < (uint64_t)grid->count * grid->step));
}

static void send_templates(const struct lateness_grid *grid, struct cost *cost)
{
    struct nb_inject *injects[STREAMS_MAX] = {NULL};
    pid_t broker = lateness_broker(), thread;
    uint64_t service = cpu_of_process(broker), own = lateness_cpu(gettid()), before = 0;
    struct nb_client *client;

    make_templates(grid);
    bench_require(nb_connect(&client, NULL) == 0, "the service");
    for (uint32_t i = 0; i < grid->streams; i++)
        if ((injects[i] = open_stream(client, grid, cost)))
            play(injects[i], grid, i);
    thread = await_thread(broker);
    if (thread) {
        lateness_hurry(thread);
        before = lateness_cpu(thread);
    }
    for (uint32_t i = 0; i < grid->streams; i++)
        if (injects[i])
            await_end(injects[i], grid);
    if (thread && lateness_timed_thread(broker) == thread)
        cost->thread = lateness_cpu(thread) - before;
    for (uint32_t i = 0; i < grid->streams; i++)
        if (injects[i]) {
            cost->starved += (double)nb_inject_starved(injects[i]);
            nb_inject_close(injects[i]);
        }
    nb_close(client);
    cost->service = cpu_of_process(broker) - service;
    cost->clients = lateness_cpu(gettid()) - own;
}

/* --- Turns ---------------------------------------------------------------------------------- */

/* The first is what the others are compared with. */
static const struct way {
    const char *name;
    void (*send)(const struct lateness_grid *grid, struct cost *cost);
    uint32_t lead_each; /* ms a stream until the first frame */
} ways[] = {
    {"bare", send_bare, 0},
    {"sv publish", send_commands, LEAD_MS_EACH},
    {"a template", send_templates, LEAD_MS_EACH},
};

enum { WAYS = sizeof ways / sizeof *ways };

static void take_turn(const struct way *way, struct lateness_grid *grid, struct cost *cost)
{
    uint64_t lead = LEAD_MS + (uint64_t)way->lead_each * grid->streams;

    lateness_begin(grid, lead * 1000000);
    way->send(grid, cost);
    lateness_end();
    cost->frames += (uint64_t)grid->streams * grid->count;
}

static double each(uint64_t ns, const struct cost *cost)
{
    return cost->frames ? (double)ns / 1000 / (double)cost->frames : 0;
}

static void print_cost(const char *name, const struct cost *cost, const struct cost *beside)
{
    double service = each(cost->service > cost->thread ? cost->service - cost->thread : 0, cost);
    char what[64];

    snprintf(what, sizeof what, "%s, a frame by the sending thread", name);
    bench_print(what, each(cost->thread, cost), each(beside->thread, beside), "us", CPU_TARGET);
    printf("%s: a frame costs %.2f us of the other threads of the service and %.2f us of the "
           "commands; "
           "%.0f frames were made after their time\n",
           name, service, each(cost->clients, cost), cost->starved);
    if (*cost->failure)
        printf("%s: a command said: %s\n", name, cost->failure);
}

static void add_cost(struct cost *sum, const struct cost *one)
{
    sum->thread += one->thread;
    sum->service += one->service;
    sum->clients += one->clients;
    sum->frames += one->frames;
    sum->starved += one->starved;
    if (*one->failure)
        memcpy(sum->failure, one->failure, sizeof sum->failure);
}

/* --- Rows ------------------------------------------------------------------------------------ */

static const struct part {
    const char *name, *what;
    uint32_t streams, rate, asdus;
} parts[] = {
    {"one", "one stream of 4800 Hz", 1, 4800, 1},
    {"ten", "ten streams of 4800 Hz", 10, 4800, 1},
    {"six", "14400 Hz, 6 samples a frame", 1, 14400, 6},
    {"fast", "14400 Hz, 1 sample a frame", 1, 14400, 1},
};

static void measure(const struct part *part)
{
    struct lateness_grid grid = grid_of(part->streams, part->rate, part->asdus);
    struct lateness_figures figures[WAYS] = {0};
    struct cost costs[WAYS] = {0};

    for (uint32_t round = 0; round < options.rounds; round++)
        for (unsigned i = 0; i < WAYS; i++) {
            struct cost cost = {0};

            take_turn(&ways[i], &grid, &cost);
            lateness_add(&figures[i]);
            add_cost(&costs[i], &cost);
        }
    printf("\n%s:\n", part->what);
    for (unsigned i = 1; i < WAYS; i++) {
        lateness_print(ways[i].name, &figures[i], &figures[0]);
        print_cost(ways[i].name, &costs[i], &costs[0]);
    }
    for (unsigned i = 0; i < WAYS; i++)
        lateness_clear(&figures[i]);
}

/* --- How many streams --------------------------------------------------------------------------
 */

/* Frames that by default are left out because of their time, or that did not come at all. */
static uint64_t count_late(const struct lateness_grid *grid)
{
    uint64_t late = 0;

    for (uint32_t stream = 0; stream < grid->streams; stream++)
        for (uint32_t i = 0; i < grid->count; i++) {
            int64_t by = lateness_of(stream, i);

            late += by == INT64_MIN || by > LATE_NS;
        }
    return late;
}

/* The fewest late ones of some turns, and what that turn cost. */
static uint64_t try_streams(const struct way *way, uint32_t rate, uint32_t streams,
                            struct cost *ret_cost)
{
    uint64_t fewest = UINT64_MAX;

    for (unsigned i = 0; i < LIMIT_TURNS && fewest > 0; i++) {
        struct lateness_grid grid = grid_of(streams, rate, 1);
        struct cost cost = {0};
        uint64_t late;

        take_turn(way, &grid, &cost);
        late = count_late(&grid);
        if (late < fewest) {
            fewest = late;
            *ret_cost = cost;
        }
    }
    return fewest;
}

static double share(uint64_t ns)
{
    return 100 * (double)ns / ((double)options.seconds * (double)SECOND);
}

static void explain(const char *name, uint32_t streams, uint64_t late, const struct cost *cost)
{
    printf(
        "%s, %u streams: %llu samples late; the sending thread takes %.2f us a frame, %.0f %% of a "
        "processor, the rest of the service %.0f %%, the commands %.0f %%; %.0f frames were made "
        "after "
        "their time%s%s\n",
        name, streams, (unsigned long long)late, each(cost->thread, cost), share(cost->thread),
        share(cost->service > cost->thread ? cost->service - cost->thread : 0),
        share(cost->clients), cost->starved, *cost->failure ? "; a command said: " : "",
        cost->failure);
}

/* The most streams without a late sample: doubled until there is one, and then halved between. */
static uint32_t find_limit(const struct way *way, uint32_t rate)
{
    uint32_t good = 0, bad = STREAMS_MAX + 1, streams = 1, late_with = 0;
    struct cost cost, good_cost = {0}, bad_cost = {0};
    uint64_t late, most = 0;

    while (streams > good && streams < bad) {
        late = try_streams(way, rate, streams, &cost);
        if (late == 0) {
            good = streams;
            good_cost = cost;
        } else {
            bad = late_with = streams;
            bad_cost = cost;
            most = late;
        }
        streams = bad > STREAMS_MAX ? good * 2 : good + (bad - good) / 2;
    }
    if (good)
        explain(way->name, good, 0, &good_cost);
    if (late_with)
        explain(way->name, late_with, most, &bad_cost);
    return good;
}

static const struct limit {
    const char *name;
    uint32_t rate;
} limits[] = {{"limit-4800", 4800}, {"limit-14400", 14400}, {"limit-28800", 28800}};

static void measure_limit(const struct limit *limit)
{
    uint32_t bare;

    printf("\nstreams of %u Hz, one sample a frame, until the first late sample; at most %d:\n",
           limit->rate, STREAMS_MAX);
    bare = find_limit(&ways[0], limit->rate);
    for (unsigned i = 1; i < WAYS; i++) {
        uint32_t streams = find_limit(&ways[i], limit->rate);
        char what[96];

        snprintf(what, sizeof what, "%s: %u streams without a late sample, bare %u", ways[i].name,
                 streams, bare);
        bench_judge(what, bare ? (double)streams / bare : 0, "of bare", AT_LEAST, LIMIT_TARGET);
    }
}

/* --------------------------------------------------------------------------------------------- */

/* All of them where there is no name. */
static bool run(const char *name)
{
    bool found = false;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!name || strcmp(parts[i].name, name) == 0) {
            measure(&parts[i]);
            found = true;
        }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (!name || strcmp(limits[i].name, name) == 0) {
            measure_limit(&limits[i]);
            found = true;
        }
    return found;
}

static void take_number(const char *name, uint32_t *number)
{
    const char *text = getenv(name);

    if (text)
        *number = (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    bench_require(argc >= 4, "usage: bench-publish CLIENT IFACE PEER [PART...]");
    options.client = argv[1];
    options.iface = argv[2];
    options.peer = argv[3];
    take_number("SECONDS_EACH", &options.seconds);
    take_number("ROUNDS", &options.rounds);
    setvbuf(stdout, NULL, _IOLBF, 0);
    lateness_open(options.peer, IEC_SV, identify);
    if (argc == 4)
        run(NULL);
    for (int i = 4; i < argc; i++)
        if (!run(argv[i])) {
            fprintf(stderr,
                    "'%s' is no part: one, ten, six, fast and limit-4800, -14400 and -28800 are\n",
                    argv[i]);
            return 2;
        }
    return 0;
}
