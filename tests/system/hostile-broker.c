/* hostile-broker SOCKET [FENCES]: the real keeper, confined as it is in service, but without these
 * fences (enum sandbox_fence), and brokers that an attacker has taken over. Each life of a broker
 * tries one thing that must end it, or many that must be refused; the life after the last is a good
 * broker's, which serves SOCKET. What goes otherwise than it should is told on standard error as
 * "NOT AS IT SHOULD". */
#include "broker/broker.h"
#include "descriptors.h"
#include "fdpass.h"
#include "keeper/channel.h"
#include "keeper/keeper.h"
#include "keeper/listener.h"
#include "log.h"
#include "platform/process.h"
#include "resources/join/operations.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SO_PASSRIGHTS /* include/uapi/asm-generic/socket.h, since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif

enum { ALLOWED = 150, FORBIDDEN = 200, PATIENCE_MS = 3000, ALIVE_EACH = 1000 };

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
    open.number = UINT32_MAX;
    refused(open, -EINVAL, "no table above the kernel's");
    open.number = FORBIDDEN;
    refused(open, -EACCES, "no table that the configuration does not name");
    open.family = 99;
    open.number = ALLOWED;
    refused(open, -EINVAL, "no family of tables but IPv4 and IPv6");
    for (uint32_t family = 0; family < 12; family += 11)
        refused((joins.family = family, joins), -EINVAL, "no family of joins but IPv4 and IPv6");
    rule.ifindex = 1;
    rule.number = ALLOWED;
    refused(rule, -EBADF, "no rule to a table that is not open");
    rule.number = FORBIDDEN;
    refused(rule, -EACCES, "no rule to a table that the configuration does not name");
    rule.number = family_table(FAMILY_IPV4, 0);
    refused(rule, -EINVAL, "no rule to the default table");
    rule.number = 0;
    refused(rule, -EINVAL, "no rule to table 0");
}

/* A tap that could be made: a port of the bridge nbr0. */
static struct keeper_request tap_request(void)
{
    struct keeper_request request = {
        .operation = KEEPER_OPEN_TAP,
        .tap = {.name = "nb-hostile", .mac = {TAP_PORT_MAC_FIRST, 1}, .mtu = 1500, .queues = 1},
    };

    return request;
}

static void add_host(struct keeper_request *request, const char *address, uint8_t length)
{
    struct host_address *host = &request->tap.hosts[request->tap.host_count++];

    expect(address_parse(address, &host->address), address);
    host->length = length;
}

static void try_tap_names(void)
{
    static const char *const names[] = {"", "eth0", "lo", "nb-", "nb-%d", "nb-../../x", "nb a"};
    struct keeper_request open = tap_request();

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        memset(open.tap.name, 0, sizeof open.tap.name);
        strcpy(open.tap.name, names[i]);
        refused(open, -EACCES, "no tap with a name that is not below the prefix");
    }
    memset(open.tap.name, 'x', sizeof open.tap.name);
    memcpy(open.tap.name, "nb-", 3);
    refused(open, -EACCES, "no tap with a name without an end");
}

static void try_tap_values(void)
{
    struct keeper_request open = tap_request();

    refused((open.tap.mac[0] = 1, open), -EINVAL, "no tap with a group's address");
    memset(open.tap.mac, 0, sizeof open.tap.mac);
    refused(open, -EINVAL, "no tap with the address of zeros");
    open = tap_request();
    refused((open.tap.mtu = 575, open), -EINVAL, "no tap with a small MTU");
    refused((open.tap.mtu = 65522, open), -EINVAL, "no tap with a large MTU");
    open = tap_request();
    refused((open.tap.flags = 16, open), -EINVAL, "no tap with flags that are not known");
    refused((open.tap.flags = TAP_ISOLATED, open), -EINVAL, "no isolation without a bridge");
    open.tap.flags = 0;
    refused((open.tap.host_count = TAP_HOSTS_MAX + 1, open), -EINVAL, "no tap with more hosts");
    open = tap_request();
    memcpy(open.tap.bridge, "nbr0", 5);
    refused((open.tap.mac[0] = 2, open), -EINVAL, "no port with an address that a bridge takes");
    open.tap.mac[0] = TAP_PORT_MAC_FIRST;
    add_host(&open, "192.0.2.1", 24);
    refused(open, -EINVAL, "no port with a host's address");
}

static void try_tap_reach(void)
{
    static const struct {
        const char *address;
        uint8_t length;
        int error;
    } rows[] = {
        {"10.0.0.1", 24, -EACCES},        {"192.0.2.1", 23, -EACCES},   {"fd00::1", 64, -EACCES},
        {"192.0.2.0", 24, -EINVAL},       {"192.0.2.255", 24, -EINVAL}, {"127.0.0.1", 8, -EINVAL},
        {"224.0.0.1", 24, -EINVAL},       {"0.0.0.0", 24, -EINVAL},     {"192.0.2.1", 33, -EINVAL},
        {"192.0.2.1", 0, -EINVAL},        {"::1", 128, -EINVAL},        {"ff02::1", 64, -EINVAL},
        {"192.0.2.193", 26, -EADDRINUSE},
    };
    struct keeper_request open;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        open = tap_request();
        add_host(&open, rows[i].address, rows[i].length);
        refused(open, rows[i].error, rows[i].address);
    }
    open = tap_request();
    open.tap.host_count = 1;
    open.tap.hosts[0] = (struct host_address){.address = {.family = 99}, .length = 1};
    refused(open, -EINVAL, "no host of another family");
    open = tap_request();
    memcpy(open.tap.bridge, "docker0", 8);
    refused(open, -EACCES, "no port of a bridge that the configuration does not name");
    memset(open.tap.bridge, 'n', sizeof open.tap.bridge);
    refused(open, -EACCES, "no port of a bridge without an end");
}

/* Spares are judged as taps that are opened, and there are no more than the configuration says. */
static void try_spares(void)
{
    struct keeper_request spare = tap_request();

    spare.operation = KEEPER_SPARE_TAP;
    refused((spare.tap.flags = TAP_PERSISTENT, spare), -EINVAL, "no persistent spare");
    spare.tap.flags = TAP_QUIET;
    memcpy(spare.tap.bridge, "docker0", 8);
    refused(spare, -EACCES, "no spare in a bridge that the configuration does not name");
    memset(spare.tap.bridge, 0, sizeof spare.tap.bridge);
    add_host(&spare, "192.0.2.1", 24);
    refused(spare, -EINVAL, "no spare with a host's address");
    spare.tap.host_count = 0;
    memcpy(spare.tap.name, "eth0", 5);
    refused(spare, -EACCES, "no spare with a name that is not below the prefix");
    memset(spare.tap.name, 0, sizeof spare.tap.name);
    memcpy(spare.tap.name, "nb-hostile", 11);
    refused(spare, -ENOSPC, "no spare where the configuration wants none");
}

enum { INDEXES = 64 };

/* What is below the prefix and was not made by the keeper; the script looks whether it is there. */
static void try_foreign_taps(void)
{
    struct keeper_request join = {.operation = KEEPER_JOIN_TAP, .tap = {.bridge = "nbr0"}};
    struct keeper_request end = {.operation = KEEPER_CLOSE_TAP};

    memcpy(join.tap.name, "nb-foreign", 11);
    refused(join, -EPERM, "no interface of others becomes a port");
    memcpy(join.tap.bridge, "docker0", 8);
    refused(join, -EACCES, "no port of a bridge that the configuration does not name");
    memcpy(join.tap.name, "lo", 3);
    refused(join, -EACCES, "no interface that is not below the prefix becomes a port");
    for (const char *const *name = (const char *const[]){"nbr0", "lo", "nb-foreign", NULL}; *name;
         name++) {
        memset(end.tap.name, 0, sizeof end.tap.name);
        strcpy(end.tap.name, *name);
        expect(tell(&end), "a statement about a foreign interface is taken");
    }
    strcpy(end.tap.name, "nb-hostile"); /* indexes begin anew in each namespace */
    for (end.ifindex = 1; end.ifindex <= INDEXES; end.ifindex++)
        expect(tell(&end), "a statement about the index of a foreign interface is taken");
    memset(end.tap.name, 'n', sizeof end.tap.name);
    expect(tell(&end), "a name of a tap without an end is taken");
}

static void try_taps(void)
{
    try_tap_names();
    try_tap_values();
    try_tap_reach();
    try_spares();
    try_foreign_taps();
}

/* Statements have no answer; the script looks at what they did. */
static void try_statements(void)
{
    struct keeper_request rule = {.operation = KEEPER_DEL_RULE, .family = FAMILY_IPV4};

    rule.number = FORBIDDEN;
    memcpy(rule.name, "lo", 3);
    expect(tell(&rule), "a statement is taken");
    rule.number = ALLOWED; /* a rule of the administrator's, without our mark */
    memset(rule.name, 'x', sizeof rule.name);
    expect(tell(&rule), "a name without an end is taken");
    memset(rule.name, 0, sizeof rule.name);
    memcpy(rule.name, "lo", 3);
    expect(tell(&rule), "a statement about a foreign rule is taken");
    expect(tell(&(struct keeper_request){.operation = KEEPER_CLOSE_MROUTE, .number = 7}),
           "a statement about a table that is not open is taken");
}

static void try_rule_interfaces(void)
{
    struct keeper_request open = {.operation = KEEPER_OPEN_MROUTE, .family = FAMILY_IPV4};
    struct keeper_request rule = {.operation = KEEPER_ADD_RULE, .family = FAMILY_IPV4};
    int fd;

    open.number = rule.number = ALLOWED;
    expect(ask(open, &fd) == 0 && fd >= 0, "an allowed table is opened");
    close(fd);
    refused(rule, -EINVAL, "no rule from interface 0");
    rule.ifindex = UINT32_MAX;
    refused(rule, -EINVAL, "no rule from a negative interface");
    rule.ifindex = 1000000;
    refused(rule, -ENODEV, "no rule from an interface that is not there");
    expect(tell(&(struct keeper_request){
               .operation = KEEPER_CLOSE_MROUTE, .family = FAMILY_IPV4, .number = ALLOWED}),
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
    } while (result == 0 && count < 2 * KEPT_MAX);
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

/* What a broker inherits: the channel, the socket to who knows names, the kernel's counters for the
 * doctor, and of what is kept the two tables and the journal, beside the listener, which has its
 * place from the start; in no life a socket of joins of the lives before. */
static void try_descriptors(const struct broker_start *start)
{
    size_t needed = 2 + 3 + (start->names >= 0);

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
    if (has_part(start, "seccomp") || !strstr(start->broker_sandbox.missing, "landlock")) {
        expect(!reaches_abstract_socket(), "abstract sockets are out of reach");
        expect(kill(start->keeper, 0) < 0, "the keeper takes no signal from the broker");
    }
    for (size_t i = 0; i < start->kept->listener_count; i++)
        expect(refuses_descriptors(start->kept->listeners[i]),
               "no client can send a descriptor to the broker");
}

/* --- With what is lent --------------------------------------------------------------------- */

/* UDP from 1.2.3.4 to 127.0.0.1, or IPv6 from nowhere to ::1. */
static bool forges(int fd, bool is_v4)
{
    char v4[28] = {0x45, 0, 0, 28, 0, 0, 0, 0, 8, IPPROTO_UDP, 0, 0, 1, 2, 3, 4, 127, 0, 0, 1};
    char v6[48] = {0x60, 0, 0, 0, 0, 8, IPPROTO_UDP, 8, [39] = 1};
    struct sockaddr_in to4 = {.sin_family = AF_INET};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int yes = 1;

    to4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (is_v4) {
        setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &yes, sizeof yes);
        return sendto(fd, v4, sizeof v4, 0, (struct sockaddr *)&to4, sizeof to4) > 0;
    }
    setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &yes, sizeof yes);
    return sendto(fd, v6, sizeof v6, 0, (struct sockaddr *)&to6, sizeof to6) > 0;
}

static bool opens_icmp6(int fd)
{
    struct icmp6_filter all;

    ICMP6_FILTER_SETPASSALL(&all);
    return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &all, sizeof all) == 0;
}

static bool gives_up(int fd, bool is_v4)
{
    int yes = 1;

    /* MRT6_DONE has the same number. */
    return setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, MRT_DONE, &yes, sizeof yes) == 0;
}

static bool signals_keeper(int fd, pid_t keeper)
{
    return fcntl(fd, F_SETOWN, keeper) == 0 && fcntl(fd, F_SETSIG, SIGKILL) == 0 &&
           fcntl(fd, F_SETFL, O_ASYNC) == 0;
}

/* The next broker has the same socket: what stays with it is what counts. */
static void try_table(const struct broker_start *start, uint8_t family)
{
    struct keeper_request open = {.operation = KEEPER_OPEN_MROUTE, .family = family};
    int fd, smallest = 1;

    open.number = family_table(family, 0);
    expect(ask(open, &fd) == 0, "the default table is lent");
    expect(!forges(fd, family == FAMILY_IPV4), "no packet with a forged source leaves");
    if (has_part(start, "seccomp")) {
        expect(!signals_keeper(fd, start->keeper), "no signal reaches the keeper by a descriptor");
        expect(!gives_up(fd, family == FAMILY_IPV4), "the table is not given up");
        expect(family == FAMILY_IPV4 || !opens_icmp6(fd), "the filter of ICMPv6 stays");
    } else {
        gives_up(fd, family == FAMILY_IPV4);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest);
    shutdown(fd, SHUT_RD);
    close(fd);
}

/* So that nobody is served any more, or nothing logged. */
static void try_shutting(const struct broker_start *start)
{
    if (!has_part(start, "seccomp"))
        return;
    for (int fd = 0; fd < DESCRIPTORS_GUARDED; fd++) {
        expect(shutdown(fd, SHUT_RDWR) < 0 && errno == EPERM, "what all brokers have is not shut");
        expect(fcntl(fd, F_DUPFD_CLOEXEC, 0) < 0 && errno == EPERM, "nor copied");
    }
}

/* A descriptor for the keeper does not even leave: the filter forbids it, else the socket. */
static void try_sending_descriptors(void)
{
    static const struct fdpass_target peer = {NULL, 0};

    errno = -fdpass_send(channel.answers, &peer, "x", 1, 0);
    expect(errno == EPIPE || errno == EPERM, "no descriptor reaches the keeper");
    expect(send(channel.answers, "x", 1, 0) < 0 && errno == EPIPE, "nor does anything else");
}

/* What the manager would take for a line of its own protocol; the script looks at what it got. */
static void try_text(void)
{
    struct keeper_request status = {.operation = KEEPER_STATUS};

    memcpy(status.text, "hostile\nMAINPID=1", sizeof "hostile\nMAINPID=1");
    expect(tell(&status), "a status of several lines is taken");
}

/* Who says nothing for a while is killed for that, and the machine may be slow. */
static void stay_alive(int count)
{
    if (count % ALIVE_EACH == 0)
        tell(&(struct keeper_request){.operation = KEEPER_ALIVE});
}

/* What is asked too often is refused, although each would be answered otherwise. */
static void try_budget(struct keeper_request request, int otherwise, int most, const char *what)
{
    int fd, result, count = 0;

    do {
        stay_alive(count);
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
                                       .number = FORBIDDEN},
               -EACCES, 2000, "tables are not opened too often");
    try_budget((struct keeper_request){.operation = KEEPER_ADD_RULE,
                                       .family = FAMILY_IPV4,
                                       .number = FORBIDDEN},
               -EACCES, 40000, "rules are not added too often");
    try_budget((struct keeper_request){.operation = KEEPER_OPEN_TAP}, -EINVAL, 8000,
               "taps are not opened too often");
    try_budget((struct keeper_request){.operation = KEEPER_SPARE_TAP}, -EINVAL, 4000,
               "spares are not asked for too often");
}

static void try_all(const struct broker_start *start)
{
    try_process(start);
    try_table(start, FAMILY_IPV4);
    try_table(start, FAMILY_IPV6);
    try_shutting(start);
    try_values();
    try_statements();
    try_rule_interfaces();
    try_joins();
    try_taps();
    try_sending_descriptors();
    try_text();
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

static void flood_taps(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_CLOSE_TAP});
}

static void flood_drops(void)
{
    flood(&(struct keeper_request){.operation = KEEPER_DROP_SPARE});
}

static void (*const fatal[])(void) = {
    send_unknown, send_far_unknown, send_short,   join_twice, never_read,
    flood_ready,  flood_rules,      flood_closes, flood_taps, flood_drops,
};

enum { FATAL_COUNT = sizeof fatal / sizeof *fatal };

/* The journal is as brokers left it, until three of them died in a row before they served. */
static void try_journal(const struct broker_start *start)
{
    char *memory = mmap(NULL, JOURNAL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                        kept_find(start->kept, KEPT_JOURNAL), 0);

    expect(memory != MAP_FAILED, "the journal can be used");
    if (memory == MAP_FAILED)
        return;
    if (start->restarts == 0)
        memcpy(memory, "hostile", 7);
    else if (start->restarts <= 3)
        expect(memory[0] == 'h', "the journal stays");
    else if (start->restarts <= FATAL_COUNT)
        expect(memory[0] == '\0', "a journal that no broker gets over is made anew");
    munmap(memory, JOURNAL_SIZE);
}

static int live(const struct broker_start *start)
{
    channel = start->channel;
    signal(SIGPIPE, SIG_IGN);
    try_descriptors(start);
    try_journal(start);
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
    poll(NULL, 0, PATIENCE_MS);
    fprintf(stderr, "NOT AS IT SHOULD: the broker of life %u lives on\n", start->restarts);
    return 1;
}

int main(int argc, char **argv)
{
    struct kept kept = {0};
    struct config config;
    struct error error;

    if (argc < 2 || argc > 3)
        return 2;
    descriptors_reserve();
    at_start = count_descriptors();
    process_hide();
    config_init(&config);
    config.tap_spares = 0;
    config.started_by = geteuid();
    config.foreground = true;
    config.without_fences = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
    snprintf(config.socket, sizeof config.socket, "%s", argv[1]);
    tables_allowed_parse("default, 100-199", &config.tables);
    tap_bridges_parse("nbr0", &config.tap_bridges);
    tap_networks_parse("192.0.2.0/24", &config.tap_networks);
    if (!kept_start(&kept, &config) ||
        !listener_open(config.socket, config.user, "netbroker", &kept, &error) ||
        !process_become_keeper(config.user, &error)) {
        fprintf(stderr, "the start failed\n");
        return 1;
    }
    return keeper_run(&config, &kept, -1, live);
}
