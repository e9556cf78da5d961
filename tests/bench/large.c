/* A request of 1 MiB, sent in small pieces: after how many bytes it is refused.
 *
 * usage: large   (NETBROKER_SOCKET names the service's socket) */
#include "bench.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1024, PIECES = 1024, PATIENCE_MS = 20 };

int main(void)
{
    struct pollfd client = {.fd = bench_connect(), .events = POLLIN};
    char piece[PIECE], reply[4096] = "";
    int sent = 0;

    memset(piece, 'A', sizeof piece);
    memcpy(piece, "{\"action\":\"", 11);
    while (sent < PIECES && poll(&client, 1, PATIENCE_MS) == 0) {
        bench_require(send(client.fd, piece, sizeof piece, MSG_NOSIGNAL) == PIECE, "send");
        memset(piece, 'A', sizeof piece);
        sent++;
    }
    bench_require(recv(client.fd, reply, sizeof reply - 1, 0) > 0, "the refusal");
    bench_require(strstr(reply, "\"too-large\"") != NULL, reply);
    bench_judge("a request of 1 MiB: refused after", sent, "KiB", AT_MOST, 16);
    close(client.fd);
    return 0;
}
