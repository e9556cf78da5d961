/* sv run: a test set by lines of JSON. Requests come from a file or the standard input, replies and
 * events go to the standard output; the streams are those of client/streams.
 *
 * Where nobody reads the output, its lines wait, and the streams go on. The descriptor is not made
 * non-blocking, for it may be others' as well, as a terminal's is: it is written to when there is
 * room, and no more at once than a pipe takes then. */
#include "cli.h"
#include "decode.h"
#include "engine.h"
#include "spec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 10000,
    LAST_WORDS_MS = 2000, /* for who reads them, behind an interruption */
};

struct sv_run {
    const struct command_line *line;
    struct streams_engine *engine;
    int input;     /* -1: it has ended */
    bool is_file;  /* which says nothing more when it has ended */
    bool refused;  /* a request */
    bool too_long; /* the line that comes has no room */
    int unread;    /* why nothing more can be read: a negative errno, else 0 */
    bool is_deaf;  /* nobody can read the output any more */
    struct lines lines;
    size_t length; /* bytes that are no whole line yet */
    size_t taken;  /* lines that have come, this one as well */
    char *text;
    sigset_t before;
};

/* --- Signals ------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_signal(int unused)
{
    (void)unused;
    interrupted = 1;
}

/* They come while the command waits. */
static void take_signals(sigset_t *ret_before)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaddset(&blocked, signals[i]);
        sigaction(signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, ret_before);
}

/* --- What is said -------------------------------------------------------------------------- */

static void say(void *context, const char *line, enum lines_kind kind)
{
    struct sv_run *run = context;

    lines_add(&run->lines, line, kind);
}

static void tell_dropped(struct sv_run *run)
{
    uint64_t dropped = lines_take_dropped(&run->lines);
    struct timespec now;
    char line[160];

    if (!dropped)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(line, sizeof line,
             "{\"topic\":\"output/dropped\",\"ts\":\"%" PRIu64 "\",\"data\":{\"lines\":%" PRIu64
             "}}",
             (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec, dropped);
    lines_add(&run->lines, line, LINES_REPLY);
}

/* Waits for room so long, in ms, and less where `before` lets a signal in. */
static bool has_room(const sigset_t *before, int ms)
{
    const struct timespec timeout = {ms / 1000, ms % 1000 * 1000000L};
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return ppoll(&output, 1, &timeout, before) > 0;
}

static void write_some(struct sv_run *run)
{
    const char *text;
    size_t n = lines_next(&run->lines, &text);
    ssize_t written = n ? write(STDOUT_FILENO, text, n < PIPE_BUF ? n : PIPE_BUF) : 0;

    if (written >= 0)
        lines_wrote(&run->lines, (size_t)written);
    else if (errno != EAGAIN && errno != EINTR)
        run->is_deaf = true;
    tell_dropped(run);
}

static void write_lines(struct sv_run *run)
{
    while (run->lines.first && !run->is_deaf && has_room(NULL, 0))
        write_some(run);
}

/* What is left at the end: who does not read it keeps this process until he interrupts it. */
static void write_last(struct sv_run *run)
{
    bool was_interrupted = interrupted;

    interrupted = 0;
    while (run->lines.first && !run->is_deaf && !interrupted) {
        if (has_room(&run->before, LAST_WORDS_MS))
            write_some(run);
        else if (was_interrupted)
            break;
    }
    run->is_deaf |= run->lines.first != NULL || run->lines.has_failed;
}

/* --- Lines --------------------------------------------------------------------------------- */

/* Blank lines and comments are passed over. */
static void take_line(struct sv_run *run, const char *text, size_t n)
{
    size_t begin = 0;

    while (begin < n && strchr(" \t\r", text[begin]))
        begin++;
    if (begin == n || text[begin] == '#')
        return;
    run->refused |= !streams_request(run->engine, text, n, run->taken);
}

static void take_end_of_line(struct sv_run *run, size_t n)
{
    run->taken++;
    if (run->too_long)
        take_line(run, run->text, SPEC_LINE_MAX + 1); /* it says so */
    else
        take_line(run, run->text, n);
    run->too_long = false;
}

/* The first whole line. False: there is none. */
static bool take_first_line(struct sv_run *run)
{
    char *end = memchr(run->text, '\n', run->length);
    size_t n = end ? (size_t)(end - run->text) : 0;

    if (!end)
        return false;
    take_end_of_line(run, n);
    run->length -= n + 1;
    memmove(run->text, end + 1, run->length);
    return true;
}

/* Who takes no replies has to wait with requests. False: lines are left. */
static bool take_lines(struct sv_run *run)
{
    while (!lines_are_many(&run->lines))
        if (!take_first_line(run))
            return true;
    return false;
}

/* The rest of a line without room is dropped. */
static void make_room(struct sv_run *run)
{
    if (run->length <= SPEC_LINE_MAX)
        return;
    run->too_long = true;
    run->length = 1;
    run->text[0] = 'x'; /* not blank */
}

static void take_input(struct sv_run *run)
{
    ssize_t got;

    make_room(run);
    got = read(run->input, run->text + run->length, SPEC_LINE_MAX + 1 - run->length);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        run->length += (size_t)got;
        take_lines(run);
        return;
    }
    if (got < 0)
        run->unread = -errno;
    else if (run->length)
        take_end_of_line(run, run->length);
    run->input = -1;
}

/* --- The loop ------------------------------------------------------------------------------ */

/* A file without a sequence says what is published until somebody interrupts it; who has written to
 * the standard input, and closes it, has said all. A file with a mistake is not published for good:
 * its sequence may be what was refused, and nobody may look. */
static bool is_over(const struct sv_run *run, bool had_sequence)
{
    if (run->input >= 0 || streams_have_sequence(run->engine))
        return false;
    return !run->is_file || run->refused || run->unread || had_sequence ||
           !streams_are_running(run->engine);
}

/* Whoever pipes requests into the command, and no sequence, may wonder why nothing is sent. */
static void say_why(const struct sv_run *run, bool had_sequence)
{
    if (run->unread)
        explain_file(run->line, run->is_file ? run->line->file : "standard input", run->unread);
    else if (run->input < 0 && !run->is_file && !had_sequence && streams_are_running(run->engine))
        report(run->line, &(struct fault){.code = "note"},
               "standard input has ended, and with it all streams; those of a FILE go on until it "
               "is interrupted.");
}

static void wait_for_more(struct sv_run *run)
{
    struct pollfd fds[STREAMS_FDS_MAX + 2];
    bool may_take = take_lines(run);
    int ms;
    size_t count = streams_poll(run->engine, fds, &ms);
    struct timespec timeout = {ms / 1000, ms % 1000 * 1000000L};

    fds[count] = (struct pollfd){.fd = may_take ? run->input : -1, .events = POLLIN};
    fds[count + 1] =
        (struct pollfd){.fd = run->lines.first ? STDOUT_FILENO : -1, .events = POLLOUT};
    if (ppoll(fds, count + 2, &timeout, &run->before) > 0 && fds[count].revents)
        take_input(run);
}

static int serve(struct sv_run *run)
{
    bool had_sequence = false;

    while (!interrupted && !run->is_deaf) {
        streams_run(run->engine);
        write_lines(run);
        had_sequence |= streams_have_sequence(run->engine);
        if (is_over(run, had_sequence))
            break;
        wait_for_more(run);
    }
    say_why(run, had_sequence);
    streams_stop(run->engine);
    write_last(run);
    return run->refused || run->unread || streams_have_failed(run->engine) || run->is_deaf
               ? EXIT_REFUSED
               : EXIT_DONE;
}

/* --- The whole ----------------------------------------------------------------------------- */

static int open_input(struct sv_run *run)
{
    const char *path = run->line->file;

    run->is_file = path && strcmp(path, "-") != 0;
    run->input = run->is_file ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    return run->input < 0 ? explain_file(run->line, path, -errno) : EXIT_DONE;
}

static int begin(struct sv_run *run)
{
    const char *late = command_line_value(run->line, "late", 0);
    const struct streams_options options = {
        .interface = command_line_value(run->line, "interface", 0),
        .socket = run->line->socket,
        .timeout = timeout_ms(run->line),
        .late = late ? strtoll(late, NULL, 10) : -1, /* it was judged */
        .patience = PATIENCE_MS,
        .say = say,
        .context = run,
    };
    int result, status;

    /* Without a look at it, a FILE in its place would have the requests come from a terminal. */
    if (!interface_name_is_valid(options.interface))
        return say_usage(run->line, run->line->command.row->cli, "interface",
                         "'%s' is no name of an interface; it stands before the file: netbroker sv "
                         "run eth1 test.json.",
                         options.interface);
    status = open_input(run);
    if (status != EXIT_DONE)
        return status;
    if (!run->is_file && !run->line->json && isatty(STDIN_FILENO))
        fputs("Requests, an object on a line each, such as {\"action\":\"list\"}; Ctrl-D ends.\n",
              stderr);
    take_signals(&run->before);
    result = streams_new(&run->engine, &options);
    status = result == 0         ? serve(run)
             : result == -ENOMEM ? explain_no_memory(run->line)
                                 : explain_unreachable(run->line, result);
    streams_free(run->engine);
    return status;
}

int run_sv_run(const struct command_line *line, struct nb_request *unused)
{
    struct sv_run run = {.line = line, .text = malloc(SPEC_LINE_MAX + 1)};
    int status = run.text ? begin(&run) : explain_no_memory(line);

    (void)unused;
    if (run.is_file && run.input >= 0)
        close(run.input);
    lines_clear(&run.lines);
    free(run.text);
    return status;
}
