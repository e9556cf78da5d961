/* Three clients of a link that pass frames round, beside a fourth to which they also send.
 *
 * usage: stalled PATH SECONDS read|stall
 *
 * In each turn the first sends 64 frames to the second, this one sends them to the third, and it
 * back; the first also sends 16 to the fourth, which reads them or does not. Prints the frames a
 * second that the three have received, and how many of them were lost. */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLIENTS = 4,
    LAST = CLIENTS - 1,
    BATCH = 64,
    FOR_LAST = 16,
    LENGTH = 1514,
    WIRE = LENGTH + 2,
    PATIENCE_S = 2
};

static unsigned char batch[(BATCH + FOR_LAST) * WIRE];

static void fill(unsigned from, unsigned to, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        unsigned char *frame = batch + i * WIRE;

        memset(frame, 0, WIRE);
        frame[0] = LENGTH & 0xff;
        frame[1] = LENGTH >> 8;
        frame[2] = frame[8] = 2; /* MAC addresses of ours: 02:00:00:00:00:NUMBER */
        frame[7] = (unsigned char)(to + 1);
        frame[13] = (unsigned char)(from + 1);
        frame[14] = 0x88; /* EtherType 0x88b5, for experiments */
        frame[15] = 0xb5;
    }
}

static void give(int fd, size_t frames)
{
    size_t done = 0;

    while (done < frames * WIRE) {
        ssize_t n = send(fd, batch + done, frames * WIRE - done, MSG_NOSIGNAL);

        bench_require(n > 0, "send");
        done += (size_t)n;
    }
}

/* Frames that arrived, of so many. */
static size_t take(int fd, size_t frames)
{
    static unsigned char bytes[BATCH * WIRE];
    size_t done = 0;

    while (done < frames * WIRE) {
        ssize_t n = recv(fd, bytes, frames * WIRE - done, 0);

        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done / WIRE;
}

static void *read_all(void *context)
{
    static char bytes[1 << 18];

    while (recv(*(int *)context, bytes, sizeof bytes, 0) > 0)
        ;
    return NULL;
}

/* All are known to the switch before the turns: each sends one to the first, which reads them. */
static void meet(int *fds, unsigned count, const char *path)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    for (unsigned i = 0; i < count; i++) {
        fds[i] = bench_try_connect(path);
        bench_require(fds[i] >= 0, path);
        setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    fill(0, 0, 0, 1); /* to itself: it is learned, and goes nowhere */
    give(fds[0], 1);
    for (unsigned i = 1; i < count; i++) {
        usleep(100000); /* for what is learned of the one before */
        fill(i, 0, 0, 1);
        give(fds[i], 1);
        bench_require(take(fds[0], 1) == 1, "a frame of the others");
    }
}

static size_t turn(const int *fds, unsigned fourth)
{
    size_t arrived = 0;

    for (unsigned i = 0; i < LAST; i++) {
        unsigned next = (i + 1) % LAST;

        fill(i, next, 0, BATCH);
        if (i == 0)
            fill(i, fourth, BATCH, FOR_LAST);
        give(fds[i], i == 0 ? BATCH + FOR_LAST : BATCH);
        arrived += take(fds[next], BATCH);
    }
    return arrived;
}

int main(int argc, char **argv)
{
    double begin, arrived = 0, sent = 0, seconds;
    unsigned fourth = LAST;
    int fds[CLIENTS];
    pthread_t reader;

    if (argc != 4)
        return 2;
    if (strcmp(argv[3], "none") == 0)
        fourth = 0;
    meet(fds, fourth ? CLIENTS : LAST, argv[1]);
    if (strcmp(argv[3], "read") == 0) {
        const struct timeval for_ever = {0};

        setsockopt(fds[LAST], SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever);
        bench_require(pthread_create(&reader, NULL, read_all, &fds[LAST]) == 0, "a thread");
    }
    begin = bench_now();
    do {
        arrived += (double)turn(fds, fourth);
        sent += BATCH * LAST;
        seconds = (bench_now() - begin) / 1e6;
    } while (seconds < atof(argv[2]));
    printf("%.0f %.0f\n", arrived / seconds, sent - arrived);
    return 0;
}
