/* Clients that are killed, each at one of the steps of a conversation, and what the service keeps
 * of them: nothing.
 *
 * usage: kill COUNT   (NETBROKER_SOCKET names the service's socket; there are interfaces r0 and r1)
 */
#include "bench.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 2000 };

/* --- The steps: each returns where the client is to die ----------------------------------------
 */

static void say(int fd, const char *bytes)
{
    bench_require(send(fd, bytes, strlen(bytes), 0) > 0, "send");
}

static void hear(int fd)
{
    char bytes[512];

    bench_require(recv(fd, bytes, sizeof bytes, 0) > 0, "recv");
}

static void connected(int fd)
{
    (void)fd;
}

static void in_request(int fd)
{
    say(fd, "{\"action\":\"ADD_MFC\",\"payl");
}

static void before_reply(int fd)
{
    say(fd, "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":\"239.1.1.1\","
            "\"iif\":\"r0\",\"oifs\":[\"r1\"],\"table\":4343}}");
}

/* The first of two changes is answered, and the second may be on its way. */
static void between_changes(int fd)
{
    before_reply(fd);
    hear(fd);
    say(fd, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":4343}}");
}

static void in_reply(int fd)
{
    say(fd, "{\"action\":\"SHOW\"}");
    hear(fd);
}

static void subscribed(int fd)
{
    say(fd, "{\"action\":\"SUBSCRIBE\"}");
    hear(fd);
}

static void (*const steps[])(int fd) = {connected,       in_request, before_reply,
                                        between_changes, in_reply,   subscribed};

enum { STEPS = sizeof steps / sizeof *steps };

static void kill_client(unsigned step)
{
    pid_t pid = fork();

    bench_require(pid >= 0, "fork");
    if (pid == 0) {
        steps[step](bench_connect());
        raise(SIGKILL);
    }

    int status;

    waitpid(pid, &status, 0);
    bench_require(WIFSIGNALED(status), "a client that is killed");
}

/* --- What is left ------------------------------------------------------------------------------
 */

struct stock {
    double connections, subscribers, routes, vifs, tables, leases, descriptors, memory;
};

static double count_text(int fd, const char *request, const char *text)
{
    char *reply = bench_ask(fd, request);
    double count = 0;

    for (const char *at = reply; (at = strstr(at, text)); at++)
        count++;
    free(reply);
    return count;
}

static double count_descriptors(pid_t pid)
{
    char path[64];
    double count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);

    DIR *folder = opendir(path);

    if (!folder) {
        perror(path);
        exit(1);
    }
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

/* Without the scratch table, which no client may leave otherwise than empty. */
static struct stock take_stock(int fd)
{
    struct timespec pause = {0, 200000000}; /* the last clients' ends are noticed, tables closed */
    pid_t broker = bench_broker(fd);

    nanosleep(&pause, NULL);
    free(bench_ask(fd, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":4343,\"all\":true}}"));
    nanosleep(&pause, NULL);

    char *status = bench_ask(fd, "{\"action\":\"STATUS\"}");
    struct stock stock = {
        .connections = bench_number(status, "\"connections\":"),
        .subscribers = bench_number(status, "\"subscribers\":"),
        .routes = bench_number(status, "\"routes\":"),
        .vifs = count_text(fd, "{\"action\":\"SHOW_VIF\"}", "\"interface\":"),
        .tables = count_text(fd, "{\"action\":\"STATUS\"}", "\"table\":"),
        .leases = count_text(fd, "{\"action\":\"LEASES\"}", "\"lease\":"),
        .descriptors = count_descriptors(broker),
        .memory = bench_memory(broker),
    };

    free(status);
    return stock;
}

static double difference(double a, double b)
{
    return a > b ? a - b : b - a;
}

static void judge(const struct stock *before, const struct stock *after)
{
    bench_judge("  descriptors left", difference(after->descriptors, before->descriptors), "",
                AT_MOST, 0);
    bench_judge("  connections and subscriptions left",
                difference(after->connections, before->connections) +
                    difference(after->subscribers, before->subscribers),
                "", AT_MOST, 0);
    bench_judge(
        "  routes, leases, VIFs and tables left",
        difference(after->routes, before->routes) + difference(after->leases, before->leases) +
            difference(after->vifs, before->vifs) + difference(after->tables, before->tables),
        "", AT_MOST, 0);
    bench_judge("  memory, drift", (after->memory - before->memory) / before->memory * 100, "%",
                AT_MOST, 1);
}

int main(int argc, char **argv)
{
    unsigned count = argc == 2 ? (unsigned)atoi(argv[1]) : 0;

    if (count == 0)
        return 2;

    int client = bench_connect();

    for (unsigned i = 0; i < WARM_UP; i++)
        kill_client(i % STEPS);

    struct stock before = take_stock(client), after;
    double start = bench_now();

    for (unsigned i = 0; i < count; i++)
        kill_client(i % STEPS);
    printf("%u clients killed -9 at %d steps of a conversation, in %.1f s\n", count, STEPS,
           (bench_now() - start) / 1e6);
    after = take_stock(client);
    judge(&before, &after);
    close(client);
    return 0;
}
