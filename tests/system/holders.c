/* holders free|broker SOCKET FOLDER ELSEWHERE: what can be done with the descriptors that the
 * keeper lends a broker. `broker`: by a broker of the real keeper, confined as in service. `free`:
 * by a process that has no capability, and that nothing else confines: what the kernel allows to
 * whoever has the descriptor. Prints a line for each act, "WHAT | DOES | yes or no", which
 * holders.sh compares with docs/threats.md. */
#include "holders.h"

#include "descriptors.h"
#include "fdpass.h"
#include "keeper/channel.h"
#include "keeper/keeper.h"
#include "keeper/listener.h"
#include "log.h"
#include "platform/diagnose.h"
#include "platform/joins.h"
#include "platform/process.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000 };

static const struct {
    const char *what, *does;
    act *act;
    bool families, keeper;
} acts[] = {
#define H(what, act, does, families, keeper) {what, does, act, families, keeper},
    HOLDERS_ACTS(H)
#undef H
};

static const uint8_t families[FAMILIES] = {FAMILY_IPV4, FAMILY_IPV6};
static const char *folder, *elsewhere;
static unsigned network;
static const struct tap_config tap = {.name = TAP, .mac = {0xfe, 1}, .mtu = 1500, .queues = 2};

static struct packets_config frames(void)
{
    return (struct packets_config){.ifindex = network,
                                   .latency = 1,
                                   .directions = DIRECTION_BOTH,
                                   .timestamps = TIMESTAMPS_KERNEL};
}

static const char *judge(const struct held *held, size_t i)
{
    bool v4 = acts[i].act(held, 0), v6 = acts[i].families ? acts[i].act(held, 1) : v4;

    return v4 && v6 ? "yes" : v4 ? "IPv4" : v6 ? "IPv6" : "no";
}

static void try_all(const struct held *held)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        const char *word = acts[i].keeper && held->requests < 0 ? "-" : judge(held, i);

        printf("%s | %s | %s\n", acts[i].what, acts[i].does, word);
        fflush(stdout);
    }
}

static struct held take_kept(const struct kept *kept)
{
    struct held held = {
        .journal = kept_find(kept, KEPT_JOURNAL),
        .listener = kept->listeners[0],
        .requests = -1,
        .answers = -1,
        .folder = folder,
        .elsewhere = elsewhere,
        .network = network,
        .keeper = getppid(),
    };

    for (int i = 0; i < FAMILIES; i++) {
        uint32_t number = family_table(families[i], 0);
        char name[KEPT_NAME_MAX + 1];

        snprintf(name, sizeof name, "mroute-%s-%u", family_name(families[i]), number);
        held.tables[i] = (struct mroute_socket){kept_find(kept, name), families[i], number};
    }
    return held;
}

/* --- In the cage --------------------------------------------------------------------------- */

static int ask(const struct channel *channel, const struct keeper_request *request)
{
    struct pollfd polled = {.fd = channel->answers, .events = POLLIN};
    struct keeper_answer answer;
    int fd = -1;

    if (write(channel->requests, request, sizeof *request) == (ssize_t)sizeof *request &&
        poll(&polled, 1, PATIENCE_MS) == 1)
        fdpass_receive(channel->answers, &answer, sizeof answer, &fd);
    return fd;
}

static int live(const struct broker_start *start)
{
    struct held held = take_kept(start->kept);

    held.requests = start->channel.requests;
    held.answers = start->channel.answers;
    for (int i = 0; i < FAMILIES; i++) {
        struct keeper_request joins = {.operation = KEEPER_OPEN_JOINS, .family = families[i]};

        held.joins[i] = ask(&start->channel, &joins);
        held.counters[i] = start->counters[i];
    }
    held.tap =
        ask(&start->channel, &(struct keeper_request){.operation = KEEPER_OPEN_TAP, .tap = tap});
    held.packets = ask(&start->channel, &(struct keeper_request){.operation = KEEPER_OPEN_CAPTURE,
                                                                 .packets = frames()});
    printf("in force: %s\nmissing: %s\n", start->broker_sandbox.in_force,
           start->broker_sandbox.missing);
    try_all(&held);
    return 0;
}

/* --- Without a cage ------------------------------------------------------------------------ */

static int hold_freely(const struct kept *kept)
{
    struct held held;
    struct error error;
    struct packets_config wanted = frames();
    pid_t child = fork();
    int status;

    if (child > 0)
        return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    held = take_kept(kept);
    for (int i = 0; i < FAMILIES; i++) {
        held.joins[i] = joins_socket_open(families[i]);
        held.counters[i] = diagnose_counters_open(families[i]);
    }
    held.packets = packets_open(&wanted);
    held.tap = taps_open(&tap);
    if (!process_become_broker(&error))
        _exit(1);
    try_all(&held);
    _exit(0);
}

int main(int argc, char **argv)
{
    struct kept kept = {0};
    struct config config;
    struct error error;

    if (argc != 5)
        return 2;
    folder = argv[3];
    elsewhere = argv[4];
    network = if_nametoindex(NETWORK);
    descriptors_reserve();
    process_hide();
    signal(SIGPIPE, SIG_IGN);
    config_init(&config);
    config.started_by = geteuid();
    config.foreground = true;
    interface_set_parse(NETWORK, &config.capture_interfaces);
    snprintf(config.socket, sizeof config.socket, "%s", argv[2]);
    snprintf(config.state, sizeof config.state, "%s/routes", folder);
    if (!kept_start(&kept, &config) ||
        !listener_open(config.socket, config.user, "netbroker", &kept, &error) ||
        !process_become_keeper(config.user, &error)) {
        fprintf(stderr, "the start failed\n");
        return 1;
    }
    if (strcmp(argv[1], "free") == 0)
        return hold_freely(&kept);
    keeper_run(&config, &kept, -1, live);
    return 0;
}
