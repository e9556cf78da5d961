/* One TCP stream between two network namespaces.
 *
 * usage: stream NAMESPACE NAMESPACE ADDRESS SECONDS
 *
 * The first sends, the second has the IPv4 address. Prints Mbit/s that arrived, of the time after
 * the first half second. A namespace is the path of its file. */
#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PORT = 5201, PIECE = 128 << 10, WARM_UP_US = 500000, PATIENCE_S = 10 };

static void enter(const char *namespace)
{
    int fd = open(namespace, O_RDONLY | O_CLOEXEC);

    bench_require(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, namespace);
    close(fd);
}

static void send_for_ever(const char *namespace, const struct sockaddr_in *address)
{
    static char piece[PIECE];
    int fd;

    enter(namespace);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_require(connect(fd, (const struct sockaddr *)address, sizeof *address) == 0, "connect");
    while (send(fd, piece, sizeof piece, MSG_NOSIGNAL) > 0)
        ;
    _exit(0);
}

static int listening(const struct sockaddr_in *address)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    bench_require(bind(fd, (const struct sockaddr *)address, sizeof *address) == 0, "bind");
    bench_require(listen(fd, 1) == 0, "listen");
    return fd;
}

/* Bytes a microsecond. */
static double receive(int listener, double seconds)
{
    static char piece[PIECE];
    int fd = accept(listener, NULL, NULL);
    double begin = bench_now() + WARM_UP_US, now, bytes = 0;

    bench_require(fd >= 0, "accept");
    while ((now = bench_now()) < begin + seconds * 1e6) {
        ssize_t n = recv(fd, piece, sizeof piece, 0);

        bench_require(n > 0, "recv");
        if (now >= begin)
            bytes += (double)n;
    }
    return bytes / (now - begin);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int listener;
    pid_t sender;

    if (argc != 5 || inet_pton(AF_INET, argv[3], &address.sin_addr) != 1)
        return 2;
    enter(argv[2]);
    listener = listening(&address);
    sender = fork();
    bench_require(sender >= 0, "fork");
    if (sender == 0)
        send_for_ever(argv[1], &address);
    printf("%.0f\n", receive(listener, atof(argv[4])) * 8);
    kill(sender, SIGKILL);
    waitpid(sender, NULL, 0);
    return 0;
}
