/* The broker is killed under load, again and again: how long until another one serves and holds
 * every lease.
 *
 * usage: crash COUNT   (NETBROKER_SOCKET names the service's socket; there are interfaces r0 and
 * r1)
 *
 * Needs the right to kill the broker. */
#include "bench.h"
#include "netbroker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    /* The keeper pauses before it replaces a broker that lived shorter than a second. */
    LIFE_US = 1050 * 1000,
    BURST = 100, /* requests on their way when the broker dies */
    GIVE_UP_US = 10 * 1000 * 1000,
};

struct leases {
    char (*ids)[13];
    size_t count;
};

static const char add[] = "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":"
                          "\"239.78.0.1\",\"iif\":\"r0\",\"oifs\":[\"r1\"]}}";
static const char del[] = "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":"
                          "\"239.78.0.1\"}}";

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The ids in a reply to LEASES, sorted. */
static struct leases parse_leases(const char *reply)
{
    static const char key[] = "\"lease\":\"";
    struct leases leases = {0};
    size_t capacity = strlen(reply) / sizeof key;

    leases.ids = bench_array(capacity, sizeof *leases.ids);
    for (const char *at = reply; (at = strstr(at, key));) {
        at += sizeof key - 1;
        snprintf(leases.ids[leases.count++], sizeof *leases.ids, "%.12s", at);
    }
    qsort(leases.ids, leases.count, sizeof *leases.ids, compare_ids);
    return leases;
}

static size_t count_missing(const struct leases *leases, const char *reply)
{
    struct leases there = parse_leases(reply);
    size_t missing = 0;

    for (size_t i = 0; i < leases->count; i++)
        missing += !bsearch(leases->ids[i], there.ids, there.count, sizeof *there.ids, compare_ids);
    free(there.ids);
    return missing;
}

/* Requests one after the other, and then a burst whose replies nobody waits for. */
static void load(int fd, double until)
{
    while (bench_now() < until) {
        free(bench_ask(fd, add));
        free(bench_ask(fd, del));
    }
    for (int i = 0; i < BURST; i++)
        bench_require(send(fd, i % 2 ? del : add, strlen(i % 2 ? del : add), 0) > 0, "send");
}

/* Asks until somebody answers. The caller frees the reply. */
static char *ask_successor(double start)
{
    struct timespec pause = {0, 200000};
    char *reply = NULL;

    while (!reply) {
        int fd = bench_try_connect(nb_socket_path(NULL));

        bench_require(bench_now() < start + GIVE_UP_US, "another broker");
        if (fd >= 0) {
            reply = bench_try_ask(fd, "{\"action\":\"LEASES\"}");
            close(fd);
        }
        if (!reply)
            nanosleep(&pause, NULL);
    }
    return reply;
}

/* Returns after how many microseconds another one has answered with the leases. */
static double kill_once(const struct leases *leases, size_t *missing)
{
    int fd = bench_connect();
    pid_t broker = bench_broker(fd);

    load(fd, bench_now() + LIFE_US);
    bench_require(kill(broker, SIGKILL) == 0, "kill");

    double start = bench_now();
    char *reply = ask_successor(start);
    double time = bench_now() - start;

    *missing += count_missing(leases, reply);
    free(reply);
    close(fd);
    return time;
}

int main(int argc, char **argv)
{
    size_t count = argc == 2 ? (size_t)atoi(argv[1]) : 0, missing = 0;
    char what[96];

    if (count == 0)
        return 2;

    double *times = bench_array(count, sizeof *times);
    int client = bench_connect();
    char *reply = bench_ask(client, "{\"action\":\"LEASES\"}");
    struct leases leases = parse_leases(reply);

    free(reply);
    close(client);
    for (size_t i = 0; i < count; i++)
        times[i] = kill_once(&leases, &missing);
    snprintf(what, sizeof what, "broker killed %zu times under load: serves again, median", count);
    bench_judge(what, bench_quantile(times, count, 0.5) / 1000, "ms", AT_MOST, 1000);
    bench_judge("  the slowest", bench_quantile(times, count, 1) / 1000, "ms", AT_MOST, 1000);
    snprintf(what, sizeof what, "  leases missing afterwards, of %zu each time", leases.count);
    bench_judge(what, (double)missing, "", AT_MOST, 0);
    free(leases.ids);
    free(times);
    return leases.count > 0 ? 0 : 1;
}
