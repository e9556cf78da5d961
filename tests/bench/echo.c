/* One request and its reply on an idle connection, beside a bare echo of the same number of bytes
 * over a Unix socket between two processes.
 *
 * usage: echo BROKER-PID   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"
#include "netbroker.h"

#include <sched.h>
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

/* A process of two that talk runs beside the other or on its processor, as the scheduler likes, and
 * that alone makes a factor of three. So both pairs are put where they are to be compared. */
static void place(pid_t process, int processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    bench_require(sched_setaffinity(process, sizeof set, &set) == 0, "sched_setaffinity");
}

static void compare(const char *what, int service, int echo)
{
    static double ours[TURNS], bare[TURNS];

    for (int i = 0; i < TURNS; i++)
        bare[i] = exchange(echo);
    for (int i = 0; i < TURNS; i++)
        ours[i] = exchange(service);
    bench_print(what, bench_median(ours, TURNS), bench_median(bare, TURNS), "us", 3.0);
}

static void compare_at(const char *what, int processor, pid_t broker, int service)
{
    int pair[2];
    pid_t child;

    bench_require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
    child = fork();
    if (child == 0) {
        close(pair[0]);
        serve_echo(pair[1]);
    }
    close(pair[1]);
    place(0, 0);
    place(child, processor);
    place(broker, processor);
    compare(what, service, pair[0]);
    close(pair[0]);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    int service = connect_service();

    if (argc != 2) {
        fputs("usage: echo BROKER-PID\n", stderr);
        return 2;
    }
    compare_at("request and reply, on one processor", 0, (pid_t)atoi(argv[1]), service);
    if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
        compare_at("request and reply, from one to another", 1, (pid_t)atoi(argv[1]), service);
    return 0;
}
