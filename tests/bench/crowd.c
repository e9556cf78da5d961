/* A crowd of connections, each of which says the same and then nothing more, and what another
 * client notices of it: the time of its PINGs, before and meanwhile, in the same run.
 *
 * usage: crowd COUNT LABEL [BYTES]   BYTES: what each of the crowd sends; it never reads
 *
 * Without BYTES the cost of the connections themselves is measured as well. */
#include "bench.h"
#include "netbroker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, TURNS = 4000, WARM_UP = 3000, GONE_TARGET_MS = 1000 };

/* Of each round, in us. What is told is the median of the rounds, so that one that the machine
 * disturbs does not count. */
struct pings {
    size_t rounds;
    double medians[2 * ROUNDS], p99s[2 * ROUNDS];
};

/* --- The other client --------------------------------------------------------------------------
 */

static double ping(int fd)
{
    static const char request[] = "{\"action\":\"PING\"}";
    char bytes[4096];
    double start = bench_now();

    bench_require(send(fd, request, sizeof request - 1, 0) == (ssize_t)sizeof request - 1, "send");
    bench_require(recv(fd, bytes, sizeof bytes, 0) > 0, "recv");
    return bench_now() - start;
}

static void add_rounds(struct pings *pings, int fd)
{
    static double times[TURNS];

    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < TURNS; i++)
            times[i] = ping(fd);
        pings->medians[pings->rounds] = bench_quantile(times, TURNS, 0.5);
        pings->p99s[pings->rounds++] = bench_quantile(times, TURNS, 0.99);
    }
}

/* --- The crowd ---------------------------------------------------------------------------------
 */

static int *gather(unsigned count, const char *bytes)
{
    int *crowd = bench_array(count, sizeof *crowd);

    for (unsigned i = 0; i < count; i++) {
        crowd[i] = bench_connect();
        if (bytes)
            bench_require(send(crowd[i], bytes, strlen(bytes), 0) > 0, "send");
    }
    return crowd;
}

static double connections(int fd)
{
    char *reply = bench_ask(fd, "{\"action\":\"STATUS\"}");
    double count = bench_number(reply, "\"connections\":");

    free(reply);
    return count;
}

/* Until the service has so many connections; it gives up after ten seconds. */
static void await_connections(int fd, double count)
{
    struct timespec pause = {0, 500000};
    double end = bench_now() + 10e6;

    while (connections(fd) != count) {
        bench_require(bench_now() < end, "the number of connections, in time");
        nanosleep(&pause, NULL);
    }
}

static void judge(const char *label, const char *what, double figure, const char *unit,
                  enum bench_bound bound, double target)
{
    char text[128];

    snprintf(text, sizeof text, "%s: %s", label, what);
    bench_judge(text, figure, unit, bound, target);
}

static void judge_idle(const char *label, double a_second, struct pings *pings)
{
    judge(label, "connected", a_second, "a second", AT_LEAST, 30000);
    judge(label, "another's PING, median", bench_median(pings->medians, pings->rounds) / 1000, "ms",
          AT_MOST, 0.2);
    judge(label, "another's PING, 99 %", bench_median(pings->p99s, pings->rounds) / 1000, "ms",
          AT_MOST, 0.2);
}

static void judge_talking(const char *label, struct pings *without, struct pings *pings)
{
    double p99 = bench_median(pings->p99s, pings->rounds);
    double p99_without = bench_median(without->p99s, without->rounds);
    char text[64];

    snprintf(text, sizeof text, "another's PING, 99 %% (%.3f, else %.3f ms)", p99 / 1000,
             p99_without / 1000);
    judge(label, text, p99 / p99_without, "times", AT_MOST, 2);
}

/* Returns after how many milliseconds the service has forgotten them all. */
static double disperse(int client, const int *crowd, unsigned count)
{
    double start = bench_now();

    for (unsigned i = 0; i < count; i++)
        close(crowd[i]);
    await_connections(client, 1);
    return (bench_now() - start) / 1000;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 2 ? (unsigned)atoi(argv[1]) : 0;
    const char *bytes = argc > 3 ? argv[3] : NULL;
    struct pings without = {0}, beside = {0};
    int client = bench_connect();
    pid_t broker = bench_broker(client);

    if (count == 0)
        return 2;
    for (int i = 0; i < WARM_UP; i++)
        ping(client);
    add_rounds(&without, client);

    double memory = bench_memory(broker), start = bench_now();
    int *crowd = gather(count, bytes);

    await_connections(client, count + 1);

    double a_second = count / (bench_now() - start) * 1e6;

    add_rounds(&beside, client);
    memory = (bench_memory(broker) - memory) / count;

    double gone = disperse(client, crowd, count);

    add_rounds(&without, client);
    if (bytes)
        judge_talking(argv[2], &without, &beside);
    else
        judge_idle(argv[2], a_second, &beside);
    judge(argv[2], "memory of each", memory / 1024, "KiB", AT_MOST, bytes ? 128 : 1);
    judge(argv[2], "forgotten after their end in", gone, "ms", AT_MOST, GONE_TARGET_MS);
    free(crowd);
    return 0;
}
