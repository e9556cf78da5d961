/* A subscriber that does not read: what another client, whose changes it should hear of, notices
 * of it, and whether it is told in the end how much it missed.
 *
 * usage: subscriber   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHANGES = 6000, EVENT_MAX = 4096, PATIENCE_MS = 300 };

static const char *const changes[] = {
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":\"239.77.0.1\",\"iif\":"
    "\"r0\",\"oifs\":[\"r1\"]}}",
    "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":\"239.77.0.1\"}}",
};

/* The median time of a change. */
static double change(int client)
{
    static double times[CHANGES];

    for (int i = 0; i < CHANGES; i++) {
        double start = bench_now();

        free(bench_ask(client, changes[i % 2]));
        times[i] = bench_now() - start;
    }
    return bench_median(times, CHANGES);
}

/* The events in a line: one, or as many as it says are lost. */
static double count_line(const char *line)
{
    return strstr(line, "\"event\":\"lost\"") ? bench_number(line, "\"count\":") : 1;
}

/* Reads until nothing more comes. */
static double count_events(int subscriber)
{
    struct pollfd polled = {.fd = subscriber, .events = POLLIN};
    FILE *lines = fdopen(subscriber, "r");
    char line[EVENT_MAX];
    double count = 0;

    bench_require(lines != NULL, "fdopen");
    setvbuf(lines, NULL, _IONBF, 0); /* so that poll sees what was not read */
    while (poll(&polled, 1, PATIENCE_MS) > 0 && fgets(line, sizeof line, lines))
        count += count_line(line);
    fclose(lines);
    return count;
}

int main(void)
{
    int client = bench_connect(), subscriber = bench_connect();
    double alone = change(client), watched;
    char text[96];

    free(bench_ask(subscriber, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.*\"]}}"));
    watched = change(client);
    snprintf(text, sizeof text, "a subscriber that never reads: a change, %.1f us, was %.1f",
             watched, alone);
    bench_judge(text, watched / alone, "times", AT_MOST, 2);
    bench_judge("the same: events neither told nor counted as lost",
                CHANGES - count_events(subscriber), "of 6000", AT_MOST, 0);
    close(client);
    return 0;
}
