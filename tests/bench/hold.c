/* Connects and says nothing, until it is killed.
 *
 * usage: hold SOCKET COUNT   prints "held" when all are connected, or wait to be taken */
#include "bench.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 500 }; /* with all of those for whom the listener's queue has no place */

static bool try_connect(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    bench_require(fd >= 0, "socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return true;
    bench_require(errno == EAGAIN, "connect");
    close(fd);
    return false;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timespec pause_ms = {0, 1000000};

    if (argc != 3)
        return 2;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);

    double end = bench_now() + PATIENCE_MS * 1e3;

    for (int left = atoi(argv[2]); left > 0 && bench_now() < end;)
        if (try_connect(&address))
            left--;
        else
            nanosleep(&pause_ms, NULL);
    puts("held");
    fflush(stdout);
    pause();
    return 0;
}
