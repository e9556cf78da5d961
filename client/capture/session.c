#include "session.h"

#include "ring/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 1024, /* records, between looks at signals and limits */
    ROOM_MS = 100,
    AGAIN_MS = 5000, /* a broker that ended is started again at once */
    AGAIN_PAUSE_MS = 100,
    PROGRESS_MS = 1000,
    TICK_MS = 20,
    NS_PER_MS = 1000000,
    NS_PER_SECOND = 1000000000,
};

struct session {
    const struct session_config *config;
    const char *interface;
    struct nb_client *client;
    struct nb_capture *capture;
    struct savefile_writer *writer; /* NULL: none */
    struct session_counters *counters,
        before;      /* before: of captures that ended with their service */
    bool is_resumed; /* the next frame is the first one of another capture */
    uint64_t began, shown;
    uint64_t gap;        /* frames lost before the next one */
    uint64_t over;       /* when no more is waited for, because of a signal; 0: there was none */
    const char *comment; /* of the counters at the end; NULL: none */
    char *problem;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* --- Signals, and the writer's thread ------------------------------------------------------ */

/* The ends of a pipe that both write to: a handler of signals can do no more. */
static int bell[2] = {-1, -1};
static volatile sig_atomic_t has_signal;

static void ring(void)
{
    int error = errno;
    ssize_t written = write(bell[1], "", 1);

    (void)written;
    errno = error;
}

static void take_signal(int unused)
{
    (void)unused;
    has_signal = 1;
    ring();
}

static void writer_ended(void *context)
{
    (void)context;
    ring();
}

bool session_take_signals(void)
{
    struct sigaction action = {.sa_handler = take_signal};

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

/* A signal ends it: what is there is written, and what was lost told, but no longer than a second.
 */
static bool is_over(struct session *session)
{
    if (has_signal && session->over == 0)
        session->over = now_ns() + NS_PER_SECOND;
    return session->over > 0 && now_ns() >= session->over;
}

/* --- The file ------------------------------------------------------------------------------ */

static void fill_statistics(void *context, struct savefile_statistics *ret)
{
    const struct session *session = context;
    const struct session_counters *counters = session->counters;

    ret->received = counters->received + counters->kernel_dropped + counters->iface_dropped;
    ret->dropped = counters->kernel_dropped + counters->lost + counters->iface_dropped;
    ret->os_dropped = counters->kernel_dropped;
    ret->accepted = counters->frames + counters->lost;
    ret->delivered = counters->frames;
    if (session->comment)
        ret->comment = savefile_text(session->comment);
}

/* Of this machine, for the head of the file; *system is kept until that is written. */
static void fill_section(const struct session_config *config, struct utsname *system, char *os,
                         size_t size, struct savefile_section *ret)
{
    os[0] = '\0';
    system->machine[0] = '\0';
    if (uname(system) == 0)
        snprintf(os, size, "%s %s", system->sysname, system->release);
    *ret = (struct savefile_section){
        .hardware = savefile_text(system->machine),
        .os = savefile_text(os),
        .application = savefile_text(config->application),
        .comment = savefile_text(config->comment),
    };
}

/* The service names the clock by a word. */
static const char *clock_text(const struct nb_value *payload)
{
    const char *clock = nb_value_string(nb_value_get(payload, "timestamps"));

    return clock && strcmp(clock, "interface") == 0
               ? "Time stamps are the interface's, where it has them; else the kernel's."
               : NULL;
}

static bool open_file(struct session *session, const struct nb_value *payload)
{
    const struct session_config *from = session->config;
    struct utsname system;
    char os[sizeof system.sysname + sizeof system.release + 1];
    const struct savefile_interface interface = {
        .linktype = SAVEFILE_ETHERNET,
        .snaplen = (uint32_t)nb_value_integer(nb_value_get(payload, "snaplen")),
        .description = savefile_text(clock_text(payload)),
        .name = savefile_text(session->interface),
        .filter = savefile_text(from->filter),
    };
    struct savefile_writer_config config = {
        .path = from->path,
        .format = from->format,
        .interfaces = &interface,
        .interface_count = 1,
        .rotate = from->rotate,
        .stop = from->stop,
        .statistics = fill_statistics,
        .ended = writer_ended,
        .context = session,
    };

    if (!from->path)
        return true;
    config.stop.duration = 0; /* it is the loop's */
    fill_section(from, &system, os, sizeof os, &config.section);
    return savefile_writer_open(&session->writer, &config, session->problem) == 0;
}

static enum session_end close_file(struct session *session, enum session_end end)
{
    char problem[SAVEFILE_WRITER_PROBLEM];

    if (!session->writer || savefile_writer_close(session->writer, problem) != SAVEFILE_FAILED)
        return end;
    memcpy(session->problem, problem, sizeof problem);
    return SESSION_FAILED;
}

/* --- Records ------------------------------------------------------------------------------- */

static void tell_lost(const struct session *session, uint64_t frames)
{
    if (frames && session->config->lost)
        session->config->lost(session->config->context, frames);
}

static void take_status(struct session *session, const struct nb_capture_record *record)
{
    struct session_counters *counters = session->counters;
    uint64_t dropped = session->before.kernel_dropped + record->kernel_dropped;
    bool changed = counters->knows_up ? counters->is_up != record->is_up : !record->is_up;

    counters->received = session->before.received + record->received;
    tell_lost(session, dropped > counters->kernel_dropped ? dropped - counters->kernel_dropped : 0);
    counters->kernel_dropped = dropped;
    counters->iface_dropped = session->before.iface_dropped + record->iface_dropped;
    counters->is_up = record->is_up;
    counters->knows_up = true;
    if (changed && session->config->changed)
        session->config->changed(session->config->context, counters);
}

/* False: the file is complete, or there is none any more. */
static bool write_frame(struct session *session, const struct nb_capture_record *record)
{
    const struct savefile_limits *stop = &session->config->stop;
    struct savefile_packet packet = {
        .has_time = true,
        .time = record->time,
        .captured = record->length,
        .length = record->original,
        .bytes = record->bytes,
        .direction = record->flags & NB_CAPTURE_OUTGOING ? SAVEFILE_OUTBOUND : SAVEFILE_INBOUND,
        .dropped = session->gap,
    };
    enum savefile_put put;

    if (session->is_resumed)
        packet.comment = savefile_text("The service was gone before this frame: some are missing.");
    session->is_resumed = false;
    if (!session->writer)
        return !stop->packets || session->counters->frames + 1 < stop->packets;
    /* Meanwhile the ring loses, and counts. */
    while ((put = savefile_writer_put(session->writer, &packet)) == SAVEFILE_FULL &&
           !is_over(session))
        savefile_writer_wait(session->writer, ROOM_MS);
    return put == SAVEFILE_TAKEN && savefile_writer_state(session->writer) == SAVEFILE_RUNS;
}

static bool take_frame(struct session *session, const struct nb_capture_record *record)
{
    return session->config->frame ? session->config->frame(session->config->context, record)
                                  : write_frame(session, record);
}

static bool take_record(struct session *session, const struct nb_capture_record *record)
{
    struct session_counters *counters = session->counters;
    bool goes_on = true;

    switch (record->kind) {
    case NB_CAPTURE_FRAME:
        goes_on = take_frame(session, record);
        session->gap = 0;
        counters->frames++;
        counters->bytes += record->length;
        break;
    case NB_CAPTURE_GAP:
        session->gap += record->lost;
        counters->lost += record->lost;
        tell_lost(session, record->lost);
        break;
    case NB_CAPTURE_STATUS:
        take_status(session, record);
        break;
    }
    return goes_on;
}

/* Reads what is there, but no more than a batch. Returns 1: there may be more, 0: there is none, or
 * a negative errno; -ECANCELED: enough was read. */
static int take_batch(struct session *session)
{
    struct nb_capture_record record;
    int got = 1;

    for (unsigned i = 0; i < BATCH && got > 0; i++) {
        got = nb_capture_next(session->capture, &record);
        if (got > 0 && !take_record(session, &record))
            got = -ECANCELED;
    }
    nb_capture_release(session->capture);
    return got;
}

static void drain(struct session *session)
{
    while (take_batch(session) > 0 && !is_over(session))
        ;
}

/* --- The end ------------------------------------------------------------------------------- */

/* What is there and no more comes. Returns as take_batch does. */
static int read_rest(struct session *session)
{
    int got;

    do
        got = take_batch(session);
    while (got > 0);
    return got;
}

static bool ask_again(struct session *session)
{
    struct nb_reply *reply = session->config->again(session->config->context, &session->client);
    bool is_open = reply && nb_capture_open(&session->capture, reply) == 0;

    nb_reply_free(reply);
    return is_open;
}

/* What the service had written was read. Where it comes back, frames go on into the same file, and
 * the first one says what happened. False: it does not, or a signal came meanwhile. */
static bool resume(struct session *session)
{
    struct pollfd signals = {.fd = bell[0], .events = POLLIN};

    nb_capture_close(session->capture);
    session->capture = NULL;
    for (int i = 0; session->config->again && i < AGAIN_MS / AGAIN_PAUSE_MS; i++) {
        if (poll(&signals, 1, AGAIN_PAUSE_MS) != 0)
            return false;
        if (!ask_again(session))
            continue;
        session->before = *session->counters;
        session->is_resumed = true;
        if (session->config->resumed)
            session->config->resumed(session->config->context);
        return true;
    }
    return false;
}

/* The ring was ended by a service that stops, and may be started again. */
static bool has_stopped(const struct session *session)
{
    return strcmp(nb_capture_end(session->capture), ring_end_meaning(RING_END_SERVICE)) == 0;
}

/* It does not come back. */
static enum session_end end_gone(struct session *session, int error)
{
    session->comment = "The capture ends here: the service is gone.";
    snprintf(session->problem, SESSION_PROBLEM,
             "the service is gone (%s), and the capture of %s with it: what was captured before is "
             "written. Start it again to go on",
             strerror(-error), session->interface);
    return SESSION_GONE;
}

static enum session_end end_closed(struct session *session, int error)
{
    const char *why = nb_capture_end(session->capture);

    session->comment = "The capture ends here: it was ended by the service.";
    snprintf(session->problem, SESSION_PROBLEM, "the capture of %s has ended: %s",
             session->interface, why[0] ? why : strerror(-error));
    return SESSION_CLOSED;
}

/* --- The loop ------------------------------------------------------------------------------ */

/* For how long nothing is due, in ms; -1: the time of the capture is over. */
static int next_due(const struct session *session)
{
    uint64_t now = now_ns(), spent = now - session->began;
    uint64_t duration = session->config->stop.duration;
    uint32_t due = session->config->tick       ? TICK_MS
                   : session->config->progress ? PROGRESS_MS
                                               : INT32_MAX;

    if (duration && spent >= duration)
        return -1;
    if (session->writer) {
        uint32_t file = savefile_writer_tick(session->writer, now);

        due = file < due ? file : due;
    }
    if (duration && (duration - spent) / NS_PER_MS < due)
        due = (uint32_t)((duration - spent) / NS_PER_MS) + 1;
    return due > INT32_MAX ? INT32_MAX : (int)due;
}

static void show_progress(struct session *session)
{
    uint64_t now = now_ns();

    if (!session->config->progress || now - session->shown < NS_PER_SECOND)
        return;
    session->config->progress(session->config->context, session->counters);
    session->shown = now;
}

/* Waits for any of: frames, the service, a signal, the writer. Returns 1, 0: it is to end, or a
 * negative errno of the connection. */
static int wait_for_more(const struct session *session, int milliseconds)
{
    struct pollfd polled[] = {
        {.fd = nb_capture_fd(session->capture), .events = POLLIN},
        {.fd = nb_fd(session->client), .events = nb_poll_events(session->client)},
        {.fd = bell[0], .events = POLLIN},
    };
    int result;

    if (poll(polled, 3, milliseconds) < 0)
        return errno == EINTR ? 1 : -errno;
    if (polled[2].revents)
        return 0;
    if (polled[0].revents & POLLHUP) /* the other end of the bell was closed with the broker */
        return -EPIPE;
    if (!polled[1].revents)
        return 1;
    result = nb_dispatch(session->client);
    return result < 0 ? result : 1;
}

/* The ring has ended, or the connection. True: the capture goes on. */
static bool goes_on(struct session *session, int error, enum session_end *ret)
{
    if (error == -EBADMSG || (nb_capture_end(session->capture)[0] && !has_stopped(session))) {
        *ret = end_closed(session, error);
        return false;
    }
    if (resume(session))
        return true;
    *ret = end_gone(session, error == -ENODATA ? -ECONNRESET : error);
    return false;
}

/* Returns 1, 0: it is to end, or a negative errno: the ring has ended, or the connection. */
static int step(struct session *session)
{
    int due = next_due(session), got = due < 0 ? -ECANCELED : take_batch(session), rest;

    if (got < 0)
        return got == -ECANCELED ? 0 : got;
    if (session->config->tick && !session->config->tick(session->config->context))
        return 0;
    show_progress(session);
    got = wait_for_more(session, got > 0 || !nb_capture_wait(session->capture) ? 0 : due);
    if (got == 0)
        drain(session);
    if (got >= 0)
        return got;
    rest = read_rest(session);
    if (rest == -ECANCELED)
        return 0;
    return rest < 0 ? rest : got;
}

static enum session_end loop(struct session *session)
{
    enum session_end end = SESSION_DONE;
    int got;

    do
        got = step(session);
    while (got > 0 || (got < 0 && goes_on(session, got, &end)));
    return end;
}

enum session_end session_run(struct nb_client *client, const struct nb_reply *reply,
                             const struct session_config *config, struct session_counters *ret,
                             char problem[SESSION_PROBLEM])
{
    const struct nb_value *payload = nb_reply_payload(reply);
    struct session session = {
        .config = config,
        .interface = nb_value_string(nb_value_get(payload, "interface")),
        .client = client,
        .counters = ret,
        .problem = problem,
    };
    int result = nb_capture_open(&session.capture, reply);
    enum session_end end = SESSION_FAILED;

    *ret = (struct session_counters){0};
    problem[0] = '\0';
    if (result < 0) {
        snprintf(problem, SESSION_PROBLEM, "the service's reply brought no capture: %s",
                 strerror(-result));
        return SESSION_INVALID;
    }
    if (open_file(&session, payload)) {
        session.began = now_ns();
        end = close_file(&session, loop(&session));
    }
    nb_capture_close(session.capture);
    return end;
}
