/* A user who means harm, until SIGTERM comes. Then it prints how often it had its way: replies of
 * success to pipelines, connections that were made.
 *
 *     attack pipelines COUNT REQUEST   so many connections, each with as many of these requests on
 *                                      their way as the service reads at once; it reads the replies
 *     attack halves COUNT BYTES        so many connections, each with so many bytes of a request
 *                                      that never ends; the oldest one goes for the next one
 *     attack uids COUNT FIRST          as root: so many users, the first with this number, who each
 *                                      connect and hold a route; then all again
 *
 * NETBROKER_SOCKET names the service's socket. */
#include "bench.h"
#include "netbroker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PIPELINE = 16384 }; /* bytes of a connection that the service reads at once */

static volatile sig_atomic_t is_over;
static size_t successes;

static void end(int signal)
{
    (void)signal;
    is_over = 1;
}

/* A connection that does not make its caller wait, or -1. */
static int connect_without_waiting(void)
{
    int fd = bench_try_connect(nb_socket_path(NULL));

    if (fd >= 0)
        fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* --- Pipelines ------------------------------------------------------------------------------- */

static char pipeline[PIPELINE];
static size_t pipeline_length;

static void fill_pipeline(const char *request)
{
    size_t length = strlen(request);

    while (pipeline_length + length <= sizeof pipeline) {
        memcpy(pipeline + pipeline_length, request, length);
        pipeline_length += length;
    }
}

/* A reply of which one half is in this and the other in the next is not counted. */
static void count_successes(const char *replies, size_t length)
{
    static const char success[] = "{\"status\":\"success\"";

    for (const char *at = replies;
         (at = memmem(at, length - (size_t)(at - replies), success, sizeof success - 1)); at++)
        successes++;
}

/* Writes what goes, from where the last write ended, and reads what there is. */
static void push(struct pollfd *connection, size_t *sent)
{
    static char replies[65536];
    ssize_t length = 1;

    if (connection->fd < 0) {
        connection->fd = connect_without_waiting();
        *sent = 0;
        return;
    }
    while (length > 0 && connection->revents & POLLIN) {
        length = recv(connection->fd, replies, sizeof replies, 0);
        if (length > 0)
            count_successes(replies, (size_t)length);
    }
    if (length == 0 || (length < 0 && errno != EAGAIN)) {
        close(connection->fd);
        connection->fd = -1;
        return;
    }
    length = send(connection->fd, pipeline + *sent, pipeline_length - *sent, MSG_NOSIGNAL);
    if (length > 0)
        *sent = (*sent + (size_t)length) % pipeline_length;
}

static void push_pipelines(size_t count, const char *request)
{
    struct pollfd *connections = bench_array(count, sizeof *connections);
    size_t *sent = bench_array(count, sizeof *sent);

    fill_pipeline(request);
    for (size_t i = 0; i < count; i++)
        connections[i] = (struct pollfd){.fd = -1, .events = POLLIN | POLLOUT};
    while (!is_over) {
        poll(connections, count, 1);
        for (size_t i = 0; i < count; i++)
            push(&connections[i], &sent[i]);
    }
}

/* --- Connections, one after another; the oldest goes for the next one ------------------------ */

struct flood {
    size_t count;
    unsigned long number;                                /* of bytes, or of the first user */
    int (*connect)(const struct flood *flood, size_t i); /* -1: not now */
    void (*say)(const struct flood *flood, int fd, size_t i);
};

static void say_bytes(int fd, const char *bytes, size_t length)
{
    if (send(fd, bytes, length, MSG_NOSIGNAL) < 0)
        pause_ms(1);
}

static void run_flood(const struct flood *flood)
{
    int *connections = bench_array(flood->count, sizeof *connections);

    for (size_t i = 0; i < flood->count; i++)
        connections[i] = -1;
    for (size_t i = 0; !is_over; i = (i + 1) % flood->count) {
        if (connections[i] >= 0)
            close(connections[i]);
        connections[i] = flood->connect(flood, i);
        successes += connections[i] >= 0;
        if (connections[i] >= 0)
            flood->say(flood, connections[i], i);
        else
            pause_ms(1);
    }
}

static int connect_simply(const struct flood *flood, size_t i)
{
    (void)flood;
    (void)i;
    return connect_without_waiting();
}

static void say_half(const struct flood *flood, int fd, size_t i)
{
    static char half[PIPELINE];

    (void)i;
    memset(half, 'a', sizeof half);
    memcpy(half, "{\"action\":\"", 11);
    say_bytes(fd, half, flood->number < sizeof half ? flood->number : sizeof half - 1);
}

/* The kernel tells the service who its caller was when it connected. */
static int connect_as_another(const struct flood *flood, size_t i)
{
    int fd;

    bench_require(seteuid((uid_t)(flood->number + i)) == 0, "seteuid");
    fd = connect_without_waiting();
    bench_require(seteuid(0) == 0, "seteuid");
    return fd;
}

static void say_route(const struct flood *flood, int fd, size_t i)
{
    char request[256];

    (void)flood;
    snprintf(request, sizeof request,
             "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.1.0.2\",\"group\":"
             "\"239.66.%zu.%zu\",\"iif\":\"r0\",\"oifs\":[\"r2\"]}}",
             i / 250, i % 250 + 1);
    say_bytes(fd, request, strlen(request));
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = end};

    sigaction(SIGTERM, &action, NULL);
    if (argc != 4)
        return 2;

    size_t count = strtoul(argv[2], NULL, 10);

    if (count == 0)
        return 2;
    if (strcmp(argv[1], "pipelines") == 0)
        push_pipelines(count, argv[3]);
    else if (strcmp(argv[1], "halves") == 0)
        run_flood(&(struct flood){count, strtoul(argv[3], NULL, 10), connect_simply, say_half});
    else if (strcmp(argv[1], "uids") == 0)
        run_flood(
            &(struct flood){count, strtoul(argv[3], NULL, 10), connect_as_another, say_route});
    else
        return 2;
    printf("%zu\n", successes);
    return 0;
}
