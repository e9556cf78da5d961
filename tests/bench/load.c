/* Adds routes (10.1.0.2, 239.200.x.y) from interface r0 to r1, pipelined.
 *
 * usage: load COUNT   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUTES_A_TURN = 50 };

static void send_route(int fd, unsigned i)
{
    char request[256];

    snprintf(request, sizeof request,
             "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":"
             "\"239.200.%u.%u\",\"iif\":\"r0\",\"oifs\":[\"r1\"]}}",
             i / 250, i % 250 + 1);
    bench_require(write(fd, request, strlen(request)) == (ssize_t)strlen(request), "write");
}

static void await_replies(int fd, unsigned count)
{
    char bytes[16384];

    while (count > 0) {
        ssize_t length = read(fd, bytes, sizeof bytes);

        bench_require(length > 0, "read");
        for (ssize_t i = 0; i < length; i++)
            count -= bytes[i] == '\n';
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc == 2 ? (unsigned)atoi(argv[1]) : 0, sent = 0;
    int fd = bench_connect();

    while (sent < count) {
        unsigned batch = count - sent < ROUTES_A_TURN ? count - sent : ROUTES_A_TURN;

        for (unsigned i = 0; i < batch; i++)
            send_route(fd, sent + i);
        await_replies(fd, batch);
        sent += batch;
    }
    close(fd);
    return 0;
}
