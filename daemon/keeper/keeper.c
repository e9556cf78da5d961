/* The keeper is the only code with privileges. It opens the sockets that need them, keeps a copy of
 * each, and starts a broker, which does everything else without any. When the broker dies, the
 * copies keep the kernel's state alive, connections wait in the listening socket, and the next
 * broker inherits both. It allocates nothing, parses no text and never talks to a client.
 *
 * #syscalls keeper: socketpair pipe2 shutdown socket setsockopt getsockopt sendmsg recvmsg
 * #syscalls keeper: connect poll ppoll read write close fcntl fcntl64 clone fork kill
 * #syscalls keeper: wait4 waitpid waitid signalfd4 dup2 dup3
 */
#include "keeper.h"

#include "confine.h"
#include "fdpass.h"
#include "log.h"
#include "names.h"
#include "notify.h"
#include "operations.h"
#include "platform/diagnose.h"
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    /* A broker that lived shorter than this is started again only after a pause. */
    HEALTHY_MS = 1000,
    PAUSE_MAX_MS = 5000,
    FAILURES_MAX = 3,       /* in a row; then what brokers leave to each other is made anew */
    LATE_MS = 1000,         /* so much behind a deadline, this process was not running itself */
    STOP_TIMEOUT_MS = 5000, /* then a broker that was told to stop is killed */
};

struct keeper {
    const struct config *config;
    struct kept *kept;
    struct operations operations;
    struct errands errands;
    int (*broker_main)(const struct broker_start *start);
    pid_t broker;           /* 0: none runs */
    struct channel channel; /* -1: there is no broker */
    int signals;
    int ready_fd;
    struct sandbox_report sandbox;
    int counters[2]; /* only brokers read them; negative: none */
    bool served;     /* a broker was ready once */
    bool ready;      /* this one is */
    bool stopping;
    unsigned restarts;
    unsigned failures;   /* brokers in a row that died before they were ready */
    int pause_ms;        /* before the next broker is started */
    int64_t started_ms;  /* the broker's start */
    int64_t deadline_ms; /* when the broker must have said that it is alive, or start again */
    int status;          /* of the service */
};

static const int watched_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- Starting a broker --------------------------------------------------------------------- */

static int run_broker(struct keeper *keeper, const struct channel *channel)
{
    struct broker_start start = {
        .config = keeper->config,
        .kept = keeper->kept,
        .channel = *channel,
        .keeper = getppid(),
        .restarts = keeper->restarts,
    };
    struct error error;
    sigset_t reload;

    start.keeper_sandbox = keeper->sandbox;
    memcpy(start.counters, keeper->counters, sizeof start.counters);
    process_privileges_describe(start.keeper_privileges, sizeof start.keeper_privileges);
    close(keeper->signals);
    errands_close(&keeper->errands);
    operations_forked(&keeper->operations);
    if (keeper->sandbox.held > 0)
        close(keeper->sandbox.held);
    kept_become_lent(keeper->kept);
    if (keeper->ready_fd >= 0)
        close(keeper->ready_fd);
    /* A reload that is asked for now waits until the broker watches for it (watch_all). */
    sigemptyset(&reload);
    sigaddset(&reload, SIGHUP);
    sigprocmask(SIG_SETMASK, &reload, NULL);
    if (!process_become_broker(&error)) {
        log_line(LOG_ERR, "%s.", error.message);
        return 1;
    }
    process_privileges_describe(start.broker_privileges, sizeof start.broker_privileges);
    /* What needs a connection, which a broker cannot make. */
    start.names = names_start();
    start.journal_log = log_connect_journal();
    if (!confine_broker(keeper->config, &start.broker_sandbox))
        return 1;
    return keeper->broker_main(&start);
}

static void close_channel(struct channel *channel)
{
    close(channel->requests);
    close(channel->answers);
    *channel = (struct channel){-1, -1};
}

/* Nobody waits for a broker that does not read. */
static bool open_channel(struct channel *ours, struct channel *brokers)
{
    int ends[2], pair[2];

    if (pipe2(ends, O_NONBLOCK) < 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    *ours = (struct channel){ends[0], pair[0]};
    *brokers = (struct channel){ends[1], pair[1]};
    fcntl(ours->answers, F_SETFL, O_NONBLOCK);
    shutdown(ours->answers, SHUT_RD); /* what is sent here is refused, descriptors as well */
    return true;
}

static void start_broker(struct keeper *keeper)
{
    struct channel brokers;

    if (!open_channel(&keeper->channel, &brokers)) {
        log_line(LOG_ERR, "cannot make the channel to the broker: %s.", strerror(errno));
        keeper->deadline_ms = now_ms() + PAUSE_MAX_MS;
        return;
    }
    operations_begin(&keeper->operations);
    keeper->ready = false;
    keeper->broker = fork();
    if (keeper->broker == 0) {
        close_channel(&keeper->channel);
        _exit(run_broker(keeper, &brokers));
    }
    close_channel(&brokers);
    keeper->started_ms = now_ms();
    keeper->deadline_ms = keeper->started_ms + ALIVE_TIMEOUT_MS;
    if (keeper->broker < 0) {
        log_line(LOG_ERR, "cannot start the broker: %s.", strerror(errno));
        keeper->broker = 0;
        close_channel(&keeper->channel);
        keeper->deadline_ms = keeper->started_ms + PAUSE_MAX_MS;
    }
}

static void describe_end(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(text, size, "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
}

/* A broker that dies at once would die again: each time the pause before the next one doubles. */
static void plan_restart(struct keeper *keeper)
{
    int64_t now = now_ms();

    if (now - keeper->started_ms >= HEALTHY_MS)
        keeper->pause_ms = 0;
    keeper->deadline_ms = now + keeper->pause_ms;
    keeper->pause_ms = keeper->pause_ms ? keeper->pause_ms * 2 : 50;
    if (keeper->pause_ms > PAUSE_MAX_MS)
        keeper->pause_ms = PAUSE_MAX_MS;
    keeper->restarts++;
}

/* Others may do better: it did not end by itself, and what it began with may be the reason. */
static bool may_start_again(const struct keeper *keeper, int status)
{
    return keeper->served ||
           (WIFSIGNALED(status) && keeper->kept->inherited && keeper->restarts < FAILURES_MAX);
}

static void count_failure(struct keeper *keeper)
{
    keeper->failures = keeper->ready ? 0 : keeper->failures + 1;
    if (keeper->failures < FAILURES_MAX)
        return;
    keeper->failures = 0;
    kept_renew(keeper->kept);
}

static void bury_broker(struct keeper *keeper, int status)
{
    char how[64];

    keeper->broker = 0;
    close_channel(&keeper->channel);
    describe_end(status, how, sizeof how);
    if (keeper->stopping) {
        keeper->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        return;
    }
    if (!may_start_again(keeper, status)) { /* the start failed; it said why, if it could */
        if (WIFSIGNALED(status))
            log_line(LOG_ERR, "the broker %s at its start.", how);
        keeper->stopping = true;
        keeper->status = 1;
        return;
    }
    log_line(LOG_ERR, "the broker %s; what it set up stays in force. Starting another one.", how);
    notify_manager("STATUS=The broker died; what it set up stays in force, and another one starts",
                   -1);
    count_failure(keeper);
    plan_restart(keeper);
}

/* --- What the broker says of itself ---------------------------------------------------------- */

static void on_ready(void *context)
{
    struct keeper *keeper = context;

    keeper->served = keeper->ready = true;
    notify_manager("READY=1", -1);
    if (keeper->ready_fd < 0)
        return;
    if (write(keeper->ready_fd, "", 1) < 0)
        log_line(LOG_WARNING, "the process that started the service has ended already.");
    close(keeper->ready_fd);
    keeper->ready_fd = -1;
    log_to_syslog();
}

static void on_alive(void *context)
{
    struct keeper *keeper = context;

    keeper->deadline_ms = now_ms() + ALIVE_TIMEOUT_MS;
    log_connect(); /* syslogd may be another one by now */
    notify_manager("WATCHDOG=1", -1);
}

static bool defer(void *context, const struct errand *errand)
{
    struct keeper *keeper = context;

    return errands_add(&keeper->errands, errand);
}

/* A broker that does not take a notice would not know what there is. None runs yet where one is
 * told what there is at its beginning: its socket is empty, and has room for that. */
static void notify(void *context, const struct keeper_answer *notice)
{
    static const struct fdpass_target peer = {NULL, 0};
    const struct keeper *keeper = context;

    if (keeper->channel.answers >= 0 &&
        fdpass_send(keeper->channel.answers, &peer, notice, sizeof *notice, -1) < 0 &&
        keeper->broker)
        kill(keeper->broker, SIGKILL);
}

static void take_request(struct keeper *keeper)
{
    if (!operations_take(&keeper->operations, &keeper->channel) && keeper->broker)
        kill(keeper->broker, SIGKILL);
}

/* --- Signals and time ---------------------------------------------------------------------- */

static void stop(struct keeper *keeper)
{
    if (keeper->stopping)
        return;
    keeper->stopping = true;
    keeper->deadline_ms = now_ms() + STOP_TIMEOUT_MS;
    notify_manager("STOPPING=1", -1);
    if (keeper->broker)
        kill(keeper->broker, SIGTERM);
}

static void take_signals(struct keeper *keeper)
{
    int number, status;
    pid_t child;

    while ((number = process_signal_read(keeper->signals)) > 0) {
        if (number == SIGTERM || number == SIGINT)
            stop(keeper);
        if (number == SIGHUP && keeper->broker && !keeper->stopping) {
            notify_manager("RELOADING=1", -1);
            kill(keeper->broker, SIGHUP); /* it says ready again when it is done */
        }
    }
    while ((child = waitpid(-1, &status, WNOHANG)) > 0)
        if (child == keeper->broker)
            bury_broker(keeper, status);
        else if (errands_end(&keeper->errands, child, status))
            operations_errands_ended(&keeper->operations);
}

static void take_deadline(struct keeper *keeper)
{
    if (now_ms() < keeper->deadline_ms)
        return;
    if (!keeper->broker) {
        start_broker(keeper);
        return;
    }
    if (!keeper->stopping && now_ms() - keeper->deadline_ms >= LATE_MS) {
        /* This process itself was stopped or frozen: what the broker says may wait unread, or the
         * broker was stopped as well. */
        keeper->deadline_ms = now_ms() + ALIVE_TIMEOUT_MS;
        return;
    }
    log_line(LOG_ERR, "the broker does not answer; killing it.");
    kill(keeper->broker, SIGKILL);
    keeper->deadline_ms = now_ms() + ALIVE_TIMEOUT_MS;
}

static int wait_time(const struct keeper *keeper)
{
    int64_t left = keeper->deadline_ms - now_ms();

    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void run_once(struct keeper *keeper)
{
    struct pollfd polled[] = {
        {.fd = keeper->signals, .events = POLLIN},
        {.fd = keeper->channel.requests, .events = POLLIN}, /* -1 is passed over */
        {.fd = keeper->errands.keepers, .events = POLLIN},
    };

    if (poll(polled, 3, wait_time(keeper)) < 0 && errno != EINTR)
        log_line(LOG_ERR, "poll: %s.", strerror(errno));
    if (polled[1].revents & POLLIN)
        take_request(keeper);
    if (polled[2].revents & POLLIN)
        errands_take(&keeper->errands);
    if (polled[0].revents & POLLIN)
        take_signals(keeper);
    errands_start(&keeper->errands);
    take_deadline(keeper);
}

/* At the end there is so much time for what a broker left to do, but no more. */
static bool has_work(const struct keeper *keeper)
{
    return keeper->errands.count > 0 && now_ms() < keeper->deadline_ms;
}

int keeper_run(const struct config *config, struct kept *kept, int ready_fd,
               int (*broker)(const struct broker_start *start))
{
    struct keeper keeper = {
        .config = config,
        .kept = kept,
        .broker_main = broker,
        .channel = {-1, -1},
        .ready_fd = ready_fd,
        .operations = {.config = config,
                       .kept = kept,
                       .ready = on_ready,
                       .alive = on_alive,
                       .defer = defer,
                       .notify = notify,
                       .context = &keeper},
    };
    int result;

    signal(SIGPIPE, SIG_IGN); /* a broker may die before it takes its answer */
    keeper.signals =
        process_signals_open(watched_signals, sizeof watched_signals / sizeof *watched_signals);
    if (keeper.signals < 0) {
        log_line(LOG_ERR, "cannot watch signals: %s.", strerror(-keeper.signals));
        return 1;
    }
    result = errands_open(&keeper.errands, &keeper.operations);
    if (result < 0) {
        log_line(LOG_ERR, "cannot make a socket for what takes long: %s.", strerror(-result));
        return 1;
    }
    kept_store(kept);
    keeper.counters[0] = diagnose_counters_open(FAMILY_IPV4);
    keeper.counters[1] = diagnose_counters_open(FAMILY_IPV6);
    if (!confine_keeper(config, kept->made_socket, &keeper.sandbox))
        return 1;
    start_broker(&keeper);
    while (!keeper.stopping || keeper.broker || has_work(&keeper))
        run_once(&keeper);
    kept_end(kept);
    return keeper.status;
}
