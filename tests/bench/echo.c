/* One request and its reply on an idle connection, beside a bare echo of the same number of bytes
 * over a Unix socket between two processes.
 *
 * usage: echo   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"
#include "netbroker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 20000 };

static const char request[] = "{\"action\":\"PING\"}";

static void serve_echo(int fd)
{
    char bytes[4096];
    ssize_t length;

    while ((length = read(fd, bytes, sizeof bytes)) > 0)
        if (write(fd, bytes, (size_t)length) != length)
            break;
    _exit(0);
}

static double exchange(int fd)
{
    char bytes[4096];
    double start = bench_now();

    bench_require(write(fd, request, sizeof request - 1) == (ssize_t)sizeof request - 1, "write");
    bench_require(read(fd, bytes, sizeof bytes) > 0, "read");
    return bench_now() - start;
}

static int connect_service(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", nb_socket_path(NULL));
    bench_require(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0, "connect");
    return fd;
}

int main(void)
{
    static double ours[TURNS], bare[TURNS];
    int pair[2], service = connect_service();
    pid_t child;

    bench_require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    child = fork();
    if (child == 0) {
        close(pair[0]);
        serve_echo(pair[1]);
    }
    close(pair[1]);
    for (int i = 0; i < TURNS; i++) {
        bare[i] = exchange(pair[0]);
        ours[i] = exchange(service);
    }
    bench_print("request and reply, median", bench_median(ours, TURNS), bench_median(bare, TURNS),
                "us", 3.0);
    close(pair[0]);
    waitpid(child, NULL, 0);
    return 0;
}
