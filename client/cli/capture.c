/* capture: the frames of an interface, from the ring that the service fills to a file.
 *
 *     ring ──► this loop ──► the writer's thread ──► file, or standard output
 *
 * What ends it: a signal, a limit, the reader of standard output, the interface, the service. In
 * each case what was read is written, with the counters behind it. */
#include "capture_filter.h"
#include "cli.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum {
    PROGRESS_MS = 1000,
    BATCH = 1024, /* records, between looks at signals and limits */
    ROOM_MS = 1000,
    NS_PER_SECOND = 1000000000,
};

struct counters {
    uint64_t frames, bytes; /* that were taken out of the ring */
    uint64_t lost;          /* that we were too slow for */
    uint64_t received, kernel_dropped;
    bool is_up, knows_up;
};

struct run {
    const struct command_line *line;
    const char *interface, *path; /* path NULL: frames are counted, no more */
    struct savefile_limits rotate, stop;
    uint64_t duration; /* ns; 0: no limit */
    struct nb_client *client;
    struct nb_capture *capture;
    struct savefile_writer *writer; /* NULL: none */
    struct counters counters;
    uint64_t began, gap; /* gap: frames lost before the next one */
    const char *comment; /* of the counters at the end; NULL: none */
    bool shows_progress, has_progress;
    int status;
};

/* --- Signals, and the writer's thread ------------------------------------------------------ */

/* The ends of a pipe that both write to: a handler of signals can do no more. */
static int bell[2] = {-1, -1};

static void ring(int unused)
{
    int error = errno;
    ssize_t written = write(bell[1], "", 1);

    (void)unused;
    (void)written;
    errno = error;
}

static void writer_ended(void *context)
{
    (void)context;
    ring(0);
}

static bool take_signals(void)
{
    struct sigaction action = {.sa_handler = ring};

    if (pipe(bell) < 0)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(bell[i], F_SETFL, O_NONBLOCK);
        fcntl(bell[i], F_SETFD, FD_CLOEXEC);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return true;
}

/* --- Options ------------------------------------------------------------------------------- */

static int wrong(const struct run *run, const char *option, const char *sentence)
{
    return say_usage(run->line, run->line->command.row->cli, option, "--%s: %s.", option, sentence);
}

/* The number of an option, times a unit; 0 where it is not given. */
static bool take_number(const struct run *run, const char *option, uint64_t unit, uint64_t *ret)
{
    const char *text = command_line_value(run->line, option, 0);
    char *end;
    unsigned long long number;

    *ret = 0;
    if (!text)
        return true;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number == 0 ||
        number > UINT64_MAX / unit) {
        say_usage(run->line, run->line->command.row->cli, option,
                  "--%s takes a number from 1 on, and '%s' is none.", option, text);
        return false;
    }
    *ret = number * unit;
    return true;
}

static int read_limits(struct run *run)
{
    uint64_t files;

    if (!take_number(run, "count", 1, &run->stop.packets) ||
        !take_number(run, "duration", NS_PER_SECOND, &run->duration) ||
        !take_number(run, "file_bytes", 1, &run->rotate.bytes) ||
        !take_number(run, "file_seconds", NS_PER_SECOND, &run->rotate.duration) ||
        !take_number(run, "file_frames", 1, &run->rotate.packets) ||
        !take_number(run, "files", 1, &files))
        return EXIT_USAGE;
    if (files > SAVEFILE_FILES_MAX)
        return wrong(run, "files", "there are at most 10000");
    run->rotate.files = (unsigned)files;
    if (!run->path && (run->rotate.bytes || run->rotate.duration || run->rotate.packets))
        return wrong(run, "write", "files that take turns need a name");
    return EXIT_DONE;
}

static int add_filter(const struct run *run, struct nb_request *request)
{
    const char *expression = command_line_value(run->line, "filter", 0);
    char problem[FILTER_PROBLEM_MAX], *program;

    if (!expression)
        return EXIT_DONE;
    program = capture_filter_compile(expression, SNAPLEN_MAX, problem);
    if (!program)
        return say_usage(run->line, run->line->command.row->cli, "filter",
                         "--filter '%s': %s. pcap-filter(7) has what it takes.", expression,
                         problem);
    nb_request_set_string(request, "filter", program);
    free(program);
    return EXIT_DONE;
}

/* --- The file ------------------------------------------------------------------------------ */

static void fill_statistics(void *context, struct savefile_statistics *ret)
{
    const struct run *run = context;
    const struct counters *counters = &run->counters;

    ret->received = counters->received + counters->kernel_dropped;
    ret->dropped = counters->kernel_dropped + counters->lost;
    ret->os_dropped = counters->kernel_dropped;
    ret->accepted = counters->frames + counters->lost;
    ret->delivered = counters->frames;
    if (run->comment)
        ret->comment = savefile_text(run->comment);
}

static int open_file(struct run *run, const struct nb_value *payload)
{
    const char *filter = command_line_value(run->line, "filter", 0);
    const char *comment = command_line_value(run->line, "comment", 0);
    struct utsname system;
    char os[sizeof system.sysname + sizeof system.release + 1] = "";
    struct savefile_interface interface = {
        .linktype = SAVEFILE_ETHERNET,
        .snaplen = (uint32_t)member_number(payload, "snaplen"),
        .name = savefile_text(run->interface),
        .filter = savefile_text(filter),
    };
    struct savefile_writer_config config = {
        .path = run->path,
        .format = command_line_flag(run->line, "pcap") ? SAVEFILE_PCAP : SAVEFILE_PCAPNG,
        .section = {.application = savefile_text("netbroker " NB_VERSION),
                    .comment = savefile_text(comment)},
        .interfaces = &interface,
        .interface_count = 1,
        .rotate = run->rotate,
        .stop = run->stop,
        .statistics = fill_statistics,
        .ended = writer_ended,
        .context = run,
    };
    char problem[SAVEFILE_WRITER_PROBLEM];

    if (!run->path)
        return EXIT_DONE;
    if (uname(&system) == 0)
        snprintf(os, sizeof os, "%s %s", system.sysname, system.release);
    config.section.os = savefile_text(os);
    config.section.hardware = savefile_text(system.machine);
    if (savefile_writer_open(&run->writer, &config, problem) == 0)
        return EXIT_DONE;
    report(run->line, &(struct fault){.code = "file"}, "%s.", problem);
    return EXIT_REFUSED;
}

/* --- What people see ----------------------------------------------------------------------- */

static const char *size_text(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double number = (double)bytes;
    unsigned unit = 0;

    while (number >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        number /= 1024;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
    return text;
}

static void show_progress(struct run *run)
{
    const struct counters *counters = &run->counters;
    char size[32];

    if (!run->shows_progress)
        return;
    fprintf(stderr, "\r%s: %" PRIu64 " frames, %s, %" PRIu64 " lost%s\033[K", run->interface,
            counters->frames, size_text(counters->bytes, size),
            counters->lost + counters->kernel_dropped,
            counters->knows_up && !counters->is_up ? "; the interface is down" : "");
    run->has_progress = true;
}

static void end_progress(struct run *run)
{
    if (run->has_progress)
        fputs("\r\033[K", stderr);
    run->has_progress = false;
}

static void say_summary(struct run *run)
{
    const struct counters *counters = &run->counters;
    bool is_data = run->path && strcmp(run->path, "-") == 0;

    end_progress(run);
    if (run->line->json)
        fprintf(is_data ? stderr : stdout,
                "{\"interface\":\"%s\",\"frames\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"lost\":%" PRIu64 ",\"received\":%" PRIu64 ",\"kernel_dropped\":%" PRIu64 "}\n",
                run->interface, counters->frames, counters->bytes, counters->lost,
                counters->received, counters->kernel_dropped);
    else
        fprintf(stderr,
                "%" PRIu64 " frames captured on %s; %" PRIu64 " lost by the kernel, %" PRIu64
                " by this command.\n",
                counters->frames, run->interface, counters->kernel_dropped, counters->lost);
}

/* --- Records ------------------------------------------------------------------------------- */

static void take_status(struct run *run, const struct nb_capture_record *record)
{
    struct counters *counters = &run->counters;
    bool changed = counters->knows_up && counters->is_up != record->is_up;

    counters->received = record->received;
    counters->kernel_dropped = record->kernel_dropped;
    if ((changed || (!counters->knows_up && !record->is_up)) && !run->line->json) {
        end_progress(run);
        fprintf(stderr, "netbroker: %s is %s.\n", run->interface, record->is_up ? "up" : "down");
    }
    counters->is_up = record->is_up;
    counters->knows_up = true;
}

/* False: the file is complete, or there is none any more. */
static bool write_frame(struct run *run, const struct nb_capture_record *record)
{
    struct savefile_packet packet = {
        .has_time = true,
        .time = record->time,
        .captured = record->length,
        .length = record->original,
        .bytes = record->bytes,
        .direction = record->flags & NB_CAPTURE_OUTGOING ? SAVEFILE_OUTBOUND : SAVEFILE_INBOUND,
        .dropped = run->gap,
    };
    enum savefile_put put;

    if (!run->writer)
        return !run->stop.packets || run->counters.frames + 1 < run->stop.packets;
    while ((put = savefile_writer_put(run->writer, &packet)) == SAVEFILE_FULL)
        savefile_writer_wait(run->writer, ROOM_MS); /* meanwhile the ring loses, and counts */
    return put == SAVEFILE_TAKEN && savefile_writer_state(run->writer) == SAVEFILE_RUNS;
}

static bool take_record(struct run *run, const struct nb_capture_record *record)
{
    bool goes_on = true;

    switch (record->kind) {
    case NB_CAPTURE_FRAME:
        goes_on = write_frame(run, record);
        run->gap = 0;
        run->counters.frames++;
        run->counters.bytes += record->length;
        break;
    case NB_CAPTURE_GAP:
        run->gap += record->lost;
        run->counters.lost += record->lost;
        break;
    case NB_CAPTURE_STATUS:
        take_status(run, record);
        break;
    }
    return goes_on;
}

/* Reads what is there, but no more than a batch. Returns 1: there may be more, 0: there is none, or
 * a negative errno; -ECANCELED: enough was read. */
static int take_batch(struct run *run)
{
    struct nb_capture_record record;
    int got = 1;

    for (unsigned i = 0; i < BATCH && got > 0; i++) {
        got = nb_capture_next(run->capture, &record);
        if (got > 0 && !take_record(run, &record))
            got = -ECANCELED;
    }
    nb_capture_release(run->capture);
    return got;
}

/* --- The end ------------------------------------------------------------------------------- */

/* The service is gone: what it had written is read, and no more comes. */
static int say_gone(struct run *run, int error)
{
    run->comment = "The capture ends here: the service is gone.";
    while (take_batch(run) > 0)
        ;
    end_progress(run);
    report(run->line, &(struct fault){.code = "gone"},
           "the service is gone (%s), and the capture of %s with it: what was captured before is "
           "written. Start it again to go on.",
           strerror(-error), run->interface);
    return EXIT_UNREACHABLE;
}

static int say_ended(struct run *run, int error)
{
    const char *why = nb_capture_end(run->capture);

    end_progress(run);
    run->comment = "The capture ends here: it was ended by the service.";
    report(run->line, &(struct fault){.code = "gone"}, "the capture of %s has ended: %s.",
           run->interface, why[0] ? why : strerror(-error));
    return EXIT_REFUSED;
}

static int close_file(struct run *run, int status)
{
    char problem[SAVEFILE_WRITER_PROBLEM];

    if (!run->writer || savefile_writer_close(run->writer, problem) != SAVEFILE_FAILED)
        return status;
    end_progress(run);
    report(run->line, &(struct fault){.code = "file"}, "%s.", problem);
    return EXIT_REFUSED;
}

/* --- The loop ------------------------------------------------------------------------------ */

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* For how long nothing is due, in ms; -1: the time of the capture is over. */
static int next_due(struct run *run)
{
    uint64_t now = now_ns(), spent = now - run->began;
    uint32_t due = run->shows_progress ? PROGRESS_MS : INT32_MAX;

    if (run->duration && spent >= run->duration)
        return -1;
    if (run->writer) {
        uint32_t file = savefile_writer_tick(run->writer, now);

        due = file < due ? file : due;
    }
    if (run->duration && (run->duration - spent) / 1000000 < due)
        due = (uint32_t)((run->duration - spent) / 1000000) + 1;
    return due > INT32_MAX ? INT32_MAX : (int)due;
}

/* Waits for any of: frames, the service, a signal, the writer. Returns 1, 0: it is to end, or a
 * negative errno of the connection. */
static int wait_for_more(struct run *run, int milliseconds)
{
    struct pollfd polled[] = {
        {.fd = nb_capture_fd(run->capture), .events = POLLIN},
        {.fd = nb_fd(run->client), .events = nb_poll_events(run->client)},
        {.fd = bell[0], .events = POLLIN},
    };
    int result;

    if (poll(polled, 3, milliseconds) < 0)
        return errno == EINTR ? 1 : -errno;
    if (polled[2].revents)
        return 0;
    if (!polled[1].revents)
        return 1;
    result = nb_dispatch(run->client);
    return result < 0 ? result : 1;
}

/* A signal ends it: what is in the ring now is written, and what was lost told, but no longer than
 * a second. */
static void drain(struct run *run)
{
    uint64_t end = now_ns() + NS_PER_SECOND;

    while (take_batch(run) > 0 && now_ns() < end)
        ;
}

static int loop(struct run *run)
{
    uint64_t shown = 0;

    for (;;) {
        int due = next_due(run), got = due < 0 ? -ECANCELED : take_batch(run);

        if (got == -ECANCELED)
            return EXIT_DONE;
        if (got < 0)
            return say_ended(run, got);
        if (run->shows_progress && now_ns() - shown >= NS_PER_SECOND) {
            show_progress(run);
            shown = now_ns();
        }
        got = wait_for_more(run, got > 0 || !nb_capture_wait(run->capture) ? 0 : due);
        if (got == 0) {
            drain(run);
            return EXIT_DONE;
        }
        if (got < 0)
            return say_gone(run, got);
    }
}

static int capture(struct run *run, const struct nb_reply *reply)
{
    int result = nb_capture_open(&run->capture, reply), status;

    if (result < 0) {
        report(run->line, &(struct fault){.code = "internal"},
               "the service's reply brought no capture: %s.", strerror(-result));
        return EXIT_REFUSED;
    }
    status = open_file(run, nb_reply_payload(reply));
    if (status != EXIT_DONE)
        return status;
    run->began = now_ns();
    status = close_file(run, loop(run));
    say_summary(run);
    return status;
}

static int ask(struct run *run, const struct nb_request *request)
{
    struct nb_reply *reply = NULL;
    int status, result = nb_call(run->client, request, &reply);

    if (result < 0)
        status = explain_unreachable(run->line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal(run->line, reply);
    else {
        run->interface = member_text(nb_reply_payload(reply), "interface");
        status = capture(run, reply);
    }
    nb_capture_close(run->capture);
    nb_reply_free(reply);
    return status;
}

int run_capture(const struct command_line *line, struct nb_request *request)
{
    struct run run = {.line = line, .path = command_line_value(line, "write", 0)};
    int result, status = read_limits(&run);

    if (status == EXIT_DONE)
        status = add_filter(&run, request);
    if (status != EXIT_DONE)
        return status;
    if (run.path && strcmp(run.path, "-") == 0 && isatty(STDOUT_FILENO))
        return wrong(&run, "write", "frames do not go to a terminal; name a file, or pipe it");
    run.shows_progress = !line->json && isatty(STDERR_FILENO);
    if (!take_signals())
        return explain_no_memory(line);
    result = connect_service(line, &run.client);
    if (result < 0)
        return explain_unreachable(line, result);
    status = ask(&run, request);
    nb_close(run.client);
    return status;
}
