/* The keeper is the only code with privileges. It opens the sockets that need them, keeps a copy of
 * each, and starts a broker, which does everything else without any. When the broker dies, the
 * copies keep the kernel's state alive, connections wait in the listening socket, and the next
 * broker inherits both. It allocates nothing, parses no text and never talks to a client.
 *
 * #syscalls keeper: socketpair socket setsockopt getsockopt sendmsg recvmsg poll ppoll read write
 * #syscalls keeper: close fcntl fcntl64 clone fork kill wait4 waitpid waitid signalfd4 dup2 dup3
 */
#include "keeper.h"

#include "channel.h"
#include "confine.h"
#include "fdpass.h"
#include "log.h"
#include "notify.h"
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
    STOP_TIMEOUT_MS = 5000, /* then a broker that was told to stop is killed */
};

struct keeper {
    const struct config *config;
    struct kept *kept;
    int (*broker_main)(const struct broker_start *start);
    pid_t broker; /* 0: none runs */
    int channel;
    int signals;
    int ready_fd;
    struct sandbox_report sandbox;
    int counters[2]; /* only brokers read them; negative: none */
    bool fresh;
    bool served; /* a broker was ready once */
    bool stopping;
    unsigned restarts;
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

static int run_broker(struct keeper *keeper, int channel)
{
    struct broker_start start = {
        .config = keeper->config,
        .kept = keeper->kept,
        .channel = channel,
        .keeper = getppid(),
        .fresh = keeper->fresh,
        .restarts = keeper->restarts,
    };
    struct error error;
    sigset_t reload;

    start.keeper_sandbox = keeper->sandbox;
    memcpy(start.counters, keeper->counters, sizeof start.counters);
    process_privileges_describe(start.keeper_privileges, sizeof start.keeper_privileges);
    close(keeper->signals);
    kept_joins_forget(&keeper->kept->joins);
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
    if (!confine_broker(keeper->config, &start.broker_sandbox))
        return 1;
    return keeper->broker_main(&start);
}

static void start_broker(struct keeper *keeper)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
        log_line(LOG_ERR, "cannot make the channel to the broker: %s.", strerror(errno));
        keeper->deadline_ms = now_ms() + PAUSE_MAX_MS;
        return;
    }
    kept_joins_begin(&keeper->kept->joins);
    keeper->broker = fork();
    if (keeper->broker == 0) {
        close(pair[0]);
        _exit(run_broker(keeper, pair[1]));
    }
    close(pair[1]);
    keeper->channel = pair[0];
    fcntl(pair[0], F_SETFL, O_NONBLOCK); /* nobody waits for a broker that does not read */
    keeper->started_ms = now_ms();
    keeper->deadline_ms = keeper->started_ms + ALIVE_TIMEOUT_MS;
    if (keeper->broker < 0) {
        log_line(LOG_ERR, "cannot start the broker: %s.", strerror(errno));
        keeper->broker = 0;
        close(keeper->channel);
        keeper->channel = -1;
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
    keeper->fresh = false;
}

static void bury_broker(struct keeper *keeper, int status)
{
    char how[64];

    keeper->broker = 0;
    close(keeper->channel);
    keeper->channel = -1;
    describe_end(status, how, sizeof how);
    if (keeper->stopping) {
        keeper->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        return;
    }
    if (!keeper->served) { /* the start failed; it said why */
        keeper->stopping = true;
        keeper->status = 1;
        return;
    }
    log_line(LOG_ERR, "the broker %s; its routes stay in force, starting another.", how);
    notify_manager("STATUS=The broker died; its routes stay in force, another one starts", -1);
    plan_restart(keeper);
}

/* --- What the broker asks for -------------------------------------------------------------- */

static void table_name(const struct mroute_socket *table, const char *prefix, char *text,
                       size_t size)
{
    snprintf(text, size, "%smroute-%s-%u", prefix, family_name(table->family), table->table);
}

/* The manager keeps a copy as well, so that the table outlives the keeper (sd_notify(3)). */
static void store_table(const struct mroute_socket *table)
{
    char state[96] = "FDSTORE=1\nFDPOLL=0\nFDNAME=";
    size_t used = strlen(state);

    table_name(table, "", state + used, sizeof state - used);
    notify_manager(state, table->fd);
}

static struct mroute_socket *find_table(struct kept *kept, uint32_t family, uint32_t table)
{
    for (size_t i = 0; i < kept->table_count; i++)
        if (kept->tables[i].family == family && kept->tables[i].table == table)
            return &kept->tables[i];
    return NULL;
}

static int open_table(struct keeper *keeper, const struct keeper_request *request)
{
    struct kept *kept = keeper->kept;
    struct mroute_socket *table = find_table(kept, request->family, request->table);

    if (request->family != FAMILY_IPV4 && request->family != FAMILY_IPV6)
        return -EINVAL;
    if (request->table == 0 || request->table > TABLE_ID_MAX)
        return -EINVAL;
    if (!table_is_allowed(&keeper->config->tables, (uint8_t)request->family, request->table))
        return -EACCES;
    if (table)
        return table->fd;
    if (kept->table_count == KEPT_MAX)
        return -ENFILE;

    int fd = mroute_socket_open((uint8_t)request->family, request->table);

    if (fd < 0)
        return fd;
    table = &kept->tables[kept->table_count++];
    *table = (struct mroute_socket){fd, (uint8_t)request->family, request->table};
    store_table(table);
    return fd;
}

static void answer(struct keeper *keeper, const struct keeper_answer *words, int fd)
{
    static const struct fdpass_target peer = {NULL, 0};

    if (fdpass_send(keeper->channel, &peer, words, sizeof *words, fd) < 0)
        kill(keeper->broker, SIGKILL); /* it is ending, or asks and does not read */
}

static void answer_open(struct keeper *keeper, const struct keeper_request *request)
{
    struct keeper_answer words = {
        .operation = request->operation,
        .family = request->family,
        .table = request->table,
    };
    int fd = open_table(keeper, request);

    words.error = fd < 0 ? fd : 0;
    if (fd == -EADDRINUSE)
        mroute_owner_describe((uint8_t)request->family, words.owner, sizeof words.owner);
    answer(keeper, &words, fd);
}

static void close_table(struct kept *kept, const struct keeper_request *request)
{
    struct mroute_socket *table = find_table(kept, request->family, request->table);
    char state[96];

    if (!table)
        return;
    table_name(table, "FDSTOREREMOVE=1\nFDNAME=", state, sizeof state);
    notify_manager(state, -1);
    mroute_rules_clear(table->family, table->table);
    close(table->fd);
    *table = kept->tables[--kept->table_count];
}

/* --- Rules, by which packets come to tables that are not the default one -------------------- */

static bool names_other_table(const struct keeper *keeper, const struct keeper_request *request)
{
    uint32_t family = request->family, table = request->table;

    return (family == FAMILY_IPV4 || family == FAMILY_IPV6) && table >= 1 &&
           table <= TABLE_ID_MAX && table != family_table((uint8_t)family, 0) &&
           table_is_allowed(&keeper->config->tables, (uint8_t)family, table);
}

static void answer_rule(struct keeper *keeper, const struct keeper_request *request)
{
    struct keeper_answer words = {
        .operation = request->operation,
        .family = request->family,
        .table = request->table,
        .error = -EINVAL,
    };

    if (names_other_table(keeper, request) && request->ifindex >= 1 &&
        request->ifindex <= INT32_MAX && find_table(keeper->kept, request->family, request->table))
        words.error = mroute_rule_add((uint8_t)request->family, request->table, request->ifindex);
    if (words.error == -EEXIST)
        words.error = 0;
    answer(keeper, &words, -1);
}

/* Only ours are deleted, whatever the broker says, and only of tables that this service may open:
 * another one may have the others. */
static void delete_rule(const struct keeper *keeper, const struct keeper_request *request)
{
    struct mroute_rule rule = {.family = (uint8_t)request->family, .table = request->table};
    int result;

    if (!names_other_table(keeper, request))
        return;
    memcpy(rule.iif, request->iif, INTERFACE_NAME_MAX);
    result = mroute_rule_del(&rule);
    if (result < 0 && result != -ENOENT)
        log_line(LOG_WARNING, "cannot delete the rule that leads %s to multicast table %u: %s.",
                 rule.iif, rule.table, strerror(-result));
}

/* The tables end with the service, and so do the rules that lead to them; but where a manager keeps
 * the tables for the next service, it needs the rules, too. */
static void delete_rules(const struct kept *kept)
{
    for (size_t i = 0; i < kept->table_count && !notify_has_manager(); i++)
        mroute_rules_clear(kept->tables[i].family, kept->tables[i].table);
}

/* --- Group memberships --------------------------------------------------------------------- */

static void answer_joins(struct keeper *keeper, const struct keeper_request *request)
{
    struct keeper_answer words = {.operation = request->operation, .family = request->family};
    int fd = kept_joins_open(&keeper->kept->joins, request->family);

    words.error = fd < 0 ? fd : 0;
    answer(keeper, &words, fd);
}

static void become_ready(struct keeper *keeper)
{
    keeper->served = true;
    notify_manager("READY=1", -1);
    if (keeper->ready_fd < 0)
        return;
    if (write(keeper->ready_fd, "", 1) < 0)
        log_line(LOG_WARNING, "nobody waits for this service to be ready.");
    close(keeper->ready_fd);
    keeper->ready_fd = -1;
    log_to_syslog();
}

/* What the manager takes for a line of its own protocol does not come from a broker. */
static void tell_status(const struct keeper_request *request)
{
    char state[sizeof "STATUS=" + STATUS_TEXT_MAX] = "STATUS=";
    char *text = state + strlen(state);

    memcpy(text, request->text, STATUS_TEXT_MAX);
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    notify_manager(state, -1);
}

static void perform(struct keeper *keeper, const struct keeper_request *request)
{
    switch (request->operation) {
    case KEEPER_READY:
        become_ready(keeper);
        break;
    case KEEPER_ALIVE:
        keeper->deadline_ms = now_ms() + ALIVE_TIMEOUT_MS;
        notify_manager("WATCHDOG=1", -1);
        break;
    case KEEPER_OPEN_MROUTE:
        answer_open(keeper, request);
        break;
    case KEEPER_CLOSE_MROUTE:
        close_table(keeper->kept, request);
        break;
    case KEEPER_ADD_RULE:
        answer_rule(keeper, request);
        break;
    case KEEPER_DEL_RULE:
        delete_rule(keeper, request);
        break;
    case KEEPER_OPEN_JOINS:
        answer_joins(keeper, request);
        break;
    case KEEPER_JOINED:
        kept_joins_complete(&keeper->kept->joins);
        break;
    case KEEPER_STATUS:
        tell_status(request);
        break;
    default:
        kill(keeper->broker, SIGKILL);
    }
}

static void take_request(struct keeper *keeper)
{
    struct keeper_request request;
    int fd;
    int result = fdpass_receive(keeper->channel, &request, sizeof request, &fd);

    if (fd >= 0)
        close(fd); /* the keeper takes none */
    if (result == -EAGAIN)
        return;
    if (result != 1) { /* it is ending, or talks nonsense */
        kill(keeper->broker, SIGKILL);
        return;
    }
    perform(keeper, &request);
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

    while ((number = process_signal_read(keeper->signals)) > 0) {
        if (number == SIGTERM || number == SIGINT)
            stop(keeper);
        if (number == SIGHUP && keeper->broker && !keeper->stopping) {
            notify_manager("RELOADING=1", -1);
            kill(keeper->broker, SIGHUP); /* it says ready again when it is done */
        }
    }
    while (keeper->broker && waitpid(keeper->broker, &status, WNOHANG) == keeper->broker)
        bury_broker(keeper, status);
}

static void take_deadline(struct keeper *keeper)
{
    if (now_ms() < keeper->deadline_ms)
        return;
    if (!keeper->broker) {
        start_broker(keeper);
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
        {.fd = keeper->channel, .events = POLLIN}, /* -1 is passed over */
    };

    if (poll(polled, 2, wait_time(keeper)) < 0 && errno != EINTR)
        log_line(LOG_ERR, "poll: %s.", strerror(errno));
    if (polled[1].revents & POLLIN)
        take_request(keeper);
    if (polled[0].revents & POLLIN)
        take_signals(keeper);
    take_deadline(keeper);
}

int keeper_run(const struct config *config, struct kept *kept, bool fresh, int ready_fd,
               int (*broker)(const struct broker_start *start))
{
    struct keeper keeper = {
        .config = config,
        .kept = kept,
        .broker_main = broker,
        .channel = -1,
        .ready_fd = ready_fd,
        .fresh = fresh,
    };

    signal(SIGPIPE, SIG_IGN); /* a broker may die before it takes its answer */
    keeper.signals =
        process_signals_open(watched_signals, sizeof watched_signals / sizeof *watched_signals);
    if (keeper.signals < 0) {
        log_line(LOG_ERR, "cannot watch signals: %s.", strerror(-keeper.signals));
        return 1;
    }
    for (size_t i = 0; i < kept->table_count; i++)
        store_table(&kept->tables[i]);
    kept_joins_make_record(&kept->joins);
    keeper.counters[0] = diagnose_counters_open(FAMILY_IPV4);
    keeper.counters[1] = diagnose_counters_open(FAMILY_IPV6);
    if (!confine_keeper(config, &keeper.sandbox))
        return 1;
    start_broker(&keeper);
    while (!keeper.stopping || keeper.broker)
        run_once(&keeper);
    delete_rules(kept);
    return keeper.status;
}
