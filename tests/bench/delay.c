/* Prints by how many milliseconds clients that connect and say nothing delay another one: the 99th
 * percentile of its PINGs beside them, less that without them, and at least 0.
 *
 * usage: delay COUNT   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS = 5000 };

static double p99(int fd)
{
    static double times[TURNS];

    for (int i = 0; i < TURNS; i++) {
        double start = bench_now();

        free(bench_ask(fd, "{\"action\":\"PING\"}"));
        times[i] = bench_now() - start;
    }
    return bench_quantile(times, TURNS, 0.99);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;

    int fd = bench_connect();

    p99(fd);

    double without = p99(fd);

    for (int i = atoi(argv[1]); i > 0; i--)
        bench_connect();

    double delay = p99(fd) - without;

    printf("%.3f\n", delay > 0 ? delay / 1000 : 0);
    return 0;
}
