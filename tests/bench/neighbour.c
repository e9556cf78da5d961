/* A user who behaves, and what the service costs him: the 99th percentile of each thing that he
 * does.
 *
 * usage: neighbour SECONDS   (NETBROKER_SOCKET names the service's socket; he may change routes
 *                             from r0 to r1 of groups in 239.77.0.0/16)
 *
 * Prints a line for each: its name, milliseconds, and how often it was refused. He pauses between
 * two requests, as somebody who has other things to do. */
#include "bench.h"
#include "netbroker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 100000, PAUSE_NS = 500000 };

#define ROUTE(group)                                                                               \
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":\"" group              \
    "\",\"iif\":\"r0\",\"oifs\":[\"r1\"]}}"
/* The stream that is measured meanwhile goes by the first. A set is all that its user wants. */
#define STREAM_ROUTE ROUTE("239.77.0.1")
#define OTHER_ROUTE  ROUTE("239.77.0.2")

static bool ask(int fd, const char *request)
{
    char *reply = bench_try_ask(fd, request);
    bool done = reply && strncmp(reply, "{\"status\":\"success\"", 19) == 0;

    if (!done)
        fprintf(stderr, "%s\n", reply ? reply : "the connection ended");
    free(reply);
    return done;
}

static bool ping(int fd)
{
    return ask(fd, "{\"action\":\"PING\"}");
}

static bool add(int fd)
{
    return ask(fd, OTHER_ROUTE);
}

static bool commit(int fd)
{
    return ask(fd, "{\"action\":\"BEGIN_REPLACE\"}") && ask(fd, STREAM_ROUTE) &&
           ask(fd, OTHER_ROUTE) && ask(fd, "{\"action\":\"COMMIT\"}");
}

static bool delete (int fd)
{
    return ask(fd, "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":"
                   "\"239.77.0.2\"}}");
}

static bool meet(int fd)
{
    int other = bench_try_connect(nb_socket_path(NULL));
    bool done = other >= 0 && ping(other);

    (void)fd;
    if (other >= 0)
        close(other);
    return done;
}

static struct deed {
    const char *name;
    bool (*perform)(int fd);
    size_t count, refused;
    double *times; /* microseconds */
} deeds[] = {
    {.name = "ping", .perform = ping},     {.name = "add", .perform = add},
    {.name = "commit", .perform = commit}, {.name = "delete", .perform = delete},
    {.name = "connect", .perform = meet},
};

static void perform(struct deed *deed, int fd)
{
    struct timespec pause = {0, PAUSE_NS};
    double start = bench_now();

    if (!deed->perform(fd))
        deed->refused++;
    deed->times[deed->count++] = bench_now() - start;
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    double end = bench_now() + (argc == 2 ? atof(argv[1]) : 0) * 1e6;
    int fd = bench_connect();

    for (struct deed *deed = deeds; deed < deeds + sizeof deeds / sizeof *deeds; deed++)
        deed->times = bench_array(SAMPLES_MAX, sizeof *deed->times);
    bench_require(ask(fd, STREAM_ROUTE), "the first route");
    do
        for (struct deed *deed = deeds; deed < deeds + sizeof deeds / sizeof *deeds; deed++)
            perform(deed, fd);
    while (bench_now() < end && deeds->count < SAMPLES_MAX);
    for (struct deed *deed = deeds; deed < deeds + sizeof deeds / sizeof *deeds; deed++)
        printf("%s %.3f %zu\n", deed->name, bench_quantile(deed->times, deed->count, 0.99) / 1000,
               deed->refused);
    close(fd);
    return 0;
}
