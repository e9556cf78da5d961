/* inject WAY INTERFACE SIZE SECONDS: sends frames of so many bytes as fast as it can, and prints
 * how many a second left. WAY: ring, an injector of the service at NETBROKER_SOCKET; send and
 * sendmmsg, a packet socket of its own, which needs CAP_NET_RAW. */
#include "bench.h"
#include "netbroker.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIZE_MAX_BYTES = 1514, BATCH = 64 };

static unsigned char frame[SIZE_MAX_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,
                                              0,    0,    0,    0,    1,    0x88, 0xb5};
static double ends;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-inject: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die(interface);
    return fd;
}

static uint64_t by_send(const char *interface, size_t size)
{
    int fd = open_socket(interface);
    uint64_t sent = 0;

    while (now() < ends)
        for (int i = 0; i < BATCH; i++)
            sent += send(fd, frame, size, 0) > 0;
    return sent;
}

static uint64_t by_sendmmsg(const char *interface, size_t size)
{
    struct iovec part = {frame, size};
    struct mmsghdr messages[BATCH];
    int fd = open_socket(interface), n;
    uint64_t sent = 0;

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    while (now() < ends) {
        n = sendmmsg(fd, messages, BATCH, 0);
        sent += n > 0 ? (uint64_t)n : 0;
    }
    return sent;
}

static struct nb_inject *open_inject(const char *interface)
{
    struct nb_request *request;
    struct nb_client *client;
    struct nb_inject *inject;
    struct nb_reply *reply;

    if (nb_request_new(&request, "OPEN_INJECT") < 0)
        die("a request");
    nb_request_set_string(request, "interface", interface);
    nb_request_add_string(request, "sources", "any");
    nb_request_set_integer(request, "rate", 2000000);
    nb_request_set_integer(request, "buffer", 1 << 20);
    if (nb_connect(&client, NULL) < 0 || nb_call(client, request, &reply) < 0)
        die("the service");
    if (nb_inject_open(&inject, reply) < 0) {
        fprintf(stderr, "bench-inject: %s\n", nb_reply_message(reply));
        exit(1);
    }
    return inject;
}

static void wait_for_room(struct nb_inject *inject, size_t size)
{
    struct pollfd room = {.fd = nb_inject_fd(inject), .events = POLLIN};

    if (nb_inject_wait(inject, (uint32_t)size))
        poll(&room, 1, 100);
}

static uint64_t by_ring(const char *interface, size_t size)
{
    struct nb_inject *inject = open_inject(interface);
    struct nb_inject_counts counts;

    while (now() < ends) {
        int taken = 1;

        for (int i = 0; i < BATCH && taken > 0; i++)
            taken = nb_inject_put(inject, frame, (uint32_t)size, 0, 0);
        nb_inject_publish(inject);
        if (taken == 0)
            wait_for_room(inject, size);
        if (taken < 0)
            die("the ring");
    }
    nb_inject_counts(inject, &counts);
    return counts.sent;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word;
        uint64_t (*run)(const char *interface, size_t size);
    } ways[] = {{"ring", by_ring}, {"send", by_send}, {"sendmmsg", by_sendmmsg}};
    double seconds = argc == 5 ? atof(argv[4]) : 0;

    for (size_t i = 0; i < sizeof ways / sizeof *ways && seconds > 0; i++)
        if (strcmp(argv[1], ways[i].word) == 0) {
            ends = now() + seconds;
            printf("%.0f\n", (double)ways[i].run(argv[2], (size_t)atoi(argv[3])) / seconds);
            return 0;
        }
    fprintf(stderr, "usage: bench-inject ring|send|sendmmsg INTERFACE SIZE SECONDS\n");
    return 2;
}
