/* hostile-broker SOCKET: the real keeper, confined as it is in service, and brokers that an
 * attacker has taken over. Each life of a broker tries one thing that must end it, or many that
 * must be refused; the life after the last is a good broker's, which serves SOCKET. What goes
 * otherwise than it should is told on standard error as "NOT AS IT SHOULD". */
#include "broker/broker.h"
#include "fdpass.h"
#include "keeper/channel.h"
#include "keeper/keeper.h"
#include "keeper/listener.h"
#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS /* include/uapi/asm-generic/socket.h, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

enum { ALLOWED = 150, FORBIDDEN = 200, PATIENCE_MS = 3000 };

static struct channel channel;

static void expect(bool right, const char *what)
{
    if (!right)
        fprintf(stderr, "NOT AS IT SHOULD: %s (%s)\n", what, strerror(errno));
}

static bool tell(const struct keeper_request *request)
{
    return write(channel.requests, request, sizeof *request) == (ssize_t)sizeof *request;
}

/* The answer's error; 1 where none came. */
static int ask(struct keeper_request request, int *ret_fd)
{
    static uint32_t id;
    struct pollfd polled = {.fd = channel.answers, .events = POLLIN};
    struct keeper_answer answer;

    *ret_fd = -1;
    request.id = ++id;
    if (!tell(&request) || poll(&polled, 1, PATIENCE_MS) != 1 ||
        fdpass_receive(channel.answers, &answer, sizeof answer, ret_fd) != 1)
        return 1;
    expect(answer.id == id, "the answer has the id of its question");
    expect((answer.error == 0) || *ret_fd < 0, "a refusal carries no descriptor");
    return answer.error;
}

static void refused(struct keeper_request request, int error, const char *what)
{
    int fd, result = ask(request, &fd);

    errno = result < 0 ? -result : 0;
    expect(result == error, what);
    if (fd >= 0)
        close(fd);
}

/* --- What is refused ----------------------------------------------------------------------- */

static void try_values(void)
{
    struct keeper_request open = {.operation = KEEPER_OPEN_MROUTE, .family = FAMILY_IPV4};
    struct keeper_request rule = {.operation = KEEPER_ADD_RULE, .family = FAMILY_IPV4};
    struct keeper_request joins = {.operation = KEEPER_OPEN_JOINS};

    refused(open, -EINVAL, "no table 0");
    open.table = UINT32_MAX;
    refused(open, -EINVAL, "no table above the kernel's");
    open.table = FORBIDDEN;
    refused(open, -EACCES, "no table that the configuration does not name");
    open.family = 99;
    open.table = ALLOWED;
    refused(open, -EINVAL, "no family of tables but IPv4 and IPv6");
    for (uint32_t family = 0; family < 12; family += 11)
        refused((joins.family = family, joins), -EINVAL, "no family of joins but IPv4 and IPv6");
    rule.ifindex = 1;
    rule.table = ALLOWED;
    refused(rule, -EBADF, "no rule to a table that is not open");
    rule.table = FORBIDDEN;
    refused(rule, -EACCES, "no rule to a table that the configuration does not name");
    rule.table = family_table(FAMILY_IPV4, 0);
    refused(rule, -EINVAL, "no rule to the default table");
    rule.table = 0;
    refused(rule, -EINVAL, "no rule to table 0");
}

/* Statements have no answer; the script looks at what they did. */
static void try_statements(void)
{
    struct keeper_request rule = {.operation = KEEPER_DEL_RULE, .family = FAMILY_IPV4};

    rule.table = FORBIDDEN;
    memcpy(rule.iif, "lo", 3);
    expect(tell(&rule), "a statement is taken");
    rule.table = ALLOWED; /* a rule of the administrator's, without our mark */
    memset(rule.iif, 'x', sizeof rule.iif);
    expect(tell(&rule), "a name without an end is taken");
    memset(rule.iif, 0, sizeof rule.iif);
    memcpy(rule.iif, "lo", 3);
    expect(tell(&rule), "a statement about a foreign rule is taken");
    expect(tell(&(struct keeper_request){.operation = KEEPER_CLOSE_MROUTE, .table = 7}),
           "a statement about a table that is not open is taken");
}

static void try_rule_interfaces(void)
{
    struct keeper_request open = {.operation = KEEPER_OPEN_MROUTE, .family = FAMILY_IPV4};
    struct keeper_request rule = {.operation = KEEPER_ADD_RULE, .family = FAMILY_IPV4};
    int fd;

    open.table = rule.table = ALLOWED;
    expect(ask(open, &fd) == 0 && fd >= 0, "an allowed table is opened");
    close(fd);
    refused(rule, -EINVAL, "no rule from interface 0");
    rule.ifindex = UINT32_MAX;
    refused(rule, -EINVAL, "no rule from a negative interface");
    rule.ifindex = 1000000;
    refused(rule, -ENODEV, "no rule from an interface that is not there");
    expect(tell(&(struct keeper_request){
               .operation = KEEPER_CLOSE_MROUTE, .family = FAMILY_IPV4, .table = ALLOWED}),
           "the table is closed");
}

/* As many sockets as one broker may have, and no more. */
static void try_joins(void)
{
    struct keeper_request joins = {.operation = KEEPER_OPEN_JOINS, .family = FAMILY_IPV4};
    int fd, result = 0, count = -1;

    do {
        result = ask(joins, &fd);
        if (fd >= 0)
            close(fd);
        count++;
    } while (result == 0 && count < 2 * KEPT_JOINS_MAX);
    errno = -result;
    expect(result == -ENFILE && count == JOIN_SOCKETS_MAX, "sockets of joins have a limit");
}

static size_t at_start; /* descriptors that this program was given */

static size_t count_descriptors(void)
{
    size_t count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What a broker inherits: the channel, the tables, the listener, the record of joins, and the
 * kernel's counters for the doctor. */
static void try_descriptors(const struct broker_start *start)
{
    size_t needed = 2 + start->kept->tables.count + start->kept->listener_count;

    needed += start->kept->joins.record >= 0;
    needed += (start->counters[0] >= 0) + (start->counters[1] >= 0);
    expect(count_descriptors() == at_start + needed,
           "the broker has the descriptors that it needs, and no other");
}

static bool can_fork(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child > 0;
}

static bool reaches_abstract_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    bool reached;

    memcpy(address.sun_path, "\0netbroker-test", 15);
    reached = connect(s, (struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 15)) == 0 ||
              errno == ECONNREFUSED;
    close(s);
    return reached;
}

static bool reads_keeper(pid_t keeper)
{
    char path[32];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)keeper);
    fd = open(path, O_RDONLY);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool has_part(const struct broker_start *start, const char *part)
{
    return strstr(start->broker_sandbox.in_force, part) != NULL;
}

static bool refuses_descriptors(int fd)
{
    int passes = 1;
    socklen_t length = sizeof passes;

    return getsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &passes, &length) < 0 || passes == 0;
}

static void try_process(const struct broker_start *start)
{
    expect(!reads_keeper(start->keeper), "the keeper's memory is not readable");
    if (has_part(start, "seccomp"))
        expect(!can_fork(), "the broker cannot fork");
    if (!start->broker_sandbox.missing[0]) {
        expect(!reaches_abstract_socket(), "abstract sockets are out of reach");
        expect(kill(start->keeper, 0) < 0, "the keeper takes no signal from the broker");
    }
    for (size_t i = 0; i < start->kept->listener_count; i++)
        expect(refuses_descriptors(start->kept->listeners[i]),
               "no client can send a descriptor to the broker");
}

/* A descriptor for the keeper does not even leave: the filter forbids it, else the socket. */
static void try_sending_descriptors(void)
{
    static const struct fdpass_target peer = {NULL, 0};

    errno = -fdpass_send(channel.answers, &peer, "x", 1, 0);
    expect(errno == EPIPE || errno == EPERM, "no descriptor reaches the keeper");
}

/* What is asked too often is refused, although each would be answered otherwise. */
static void try_budget(struct keeper_request request, int otherwise, int most, const char *what)
{
    int fd, result, count = 0;

    do {
        result = ask(request, &fd);
        count++;
    } while (result == otherwise && count <= most);
    errno = -result;
    expect(result == -EAGAIN, what);
}

static void try_budgets(void)
{
    try_budget((struct keeper_request){.operation = KEEPER_OPEN_MROUTE,
                                       .family = FAMILY_IPV4,
                                       .table = FORBIDDEN},
               -EACCES, 2000, "tables are not opened too often");
    try_budget((struct keeper_request){.operation = KEEPER_ADD_RULE,
                                       .family = FAMILY_IPV4,
                                       .table = FORBIDDEN},
               -EACCES, 40000, "rules are not added too often");
}

static void try_all(const struct broker_start *start)
{
    try_descriptors(start);
    try_process(start);
    try_values();
    try_statements();
    try_rule_interfaces();
    try_joins();
    try_sending_descriptors();
    try_budgets();
    expect(tell(&(struct keeper_request){.operation = KEEPER_READY}), "the keeper still listens");
    refused((struct keeper_request){.operation = KEEPER_OPEN_JOINS}, -EINVAL,
            "the keeper still answers");
}

/* --- What ends the broker ------------------------------------------------------------------ */

static void send_unknown(void)
{
    tell(&(struct keeper_request){.operation = KEEPER_OPERATION_COUNT});
}

static void send_far_unknown(void)
{
    tell(&(struct keeper_request){.operation = UINT32_MAX});
}

static void send_short(void)
{
    expect(write(channel.requests, "short", 5) == 5, "a short message is sent");
}

static void join_twice(void)
{
    for (int i = 0; i < 2; i++)
        tell(&(struct keeper_request){.operation = KEEPER_JOINED});
}

/* Until the pipe breaks. */
static void flood(const struct keeper_request *request)
{
    while (tell(request) || errno == EAGAIN)
        ;
}

static void never_read(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_OPEN_JOINS, .family = 99});
}

static void flood_ready(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_READY});
}

static void flood_rules(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_DEL_RULE});
}

static void flood_closes(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_CLOSE_MROUTE});
}

static void (*const fatal[])(void) = {
    send_unknown, send_far_unknown, send_short,  join_twice,
    never_read,   flood_ready,      flood_rules, flood_closes,
};

enum { FATAL_COUNT = sizeof fatal / sizeof *fatal };

static int live(const struct broker_start *start)
{
    struct timespec patience = {.tv_sec = PATIENCE_MS / 1000};

    channel = start->channel;
    signal(SIGPIPE, SIG_IGN);
    if (start->restarts == 0) {
        tell(&(struct keeper_request){.operation = KEEPER_READY});
        try_all(start);
        fprintf(stderr, "all was tried\n");
        return 0;
    }
    if (start->restarts > FATAL_COUNT)
        return broker_run(start);
    fprintf(stderr, "life %u\n", start->restarts);
    fatal[start->restarts - 1]();
    while (nanosleep(&patience, &patience) < 0)
        ;
    fprintf(stderr, "NOT AS IT SHOULD: the broker of life %u lives on\n", start->restarts);
    return 1;
}

static void open_table(struct kept *kept, uint8_t family)
{
    uint32_t table = family_table(family, 0);
    struct mroute_socket socket = {mroute_socket_open(family, table), family, table};

    expect(socket.fd >= 0, "a table is opened");
    kept_tables_take(&kept->tables, &socket);
}

int main(int argc, char **argv)
{
    struct kept kept = {.joins.record = -1};
    struct config config;
    struct error error;

    if (argc != 2)
        return 2;
    at_start = count_descriptors();
    process_hide();
    config_init(&config);
    config.started_by = geteuid();
    config.foreground = true;
    snprintf(config.socket, sizeof config.socket, "%s", argv[1]);
    tables_allowed_parse("default, 100-199", &config.tables);
    open_table(&kept, FAMILY_IPV4);
    open_table(&kept, FAMILY_IPV6);
    if (!listener_open(config.socket, "netbroker", &kept, &error) ||
        !process_become_keeper(config.user, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    return keeper_run(&config, &kept, true, -1, live);
}
