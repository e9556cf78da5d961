/* Frames of one interface: sent at a rate, or read by somebody who does nothing with them.
 *
 * usage: frames send IFACE BYTES RATE SECONDS [MARKS]
 *        frames bare IFACE
 *        frames ring IFACE [BUFFER [stalled|lying]]
 *
 * send: frames of so many bytes, without the checksum, so many a second (0: as fast as it can) in
 * ticks of 250 us; what is late is sent at once. Prints how many, and in how many seconds.
 * bare: a reader of TPACKET_V3 with the ring that the service has, without a service: what can be
 * had at best. ring: a reader of a capture of the service. Both print how many frames they saw and
 * how many they lost when they are interrupted. A stalled one reads nothing; a lying one writes
 * what cannot be to its page all the time. */
#include "bench.h"
#include "netbroker.h"
#include "platform/packets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TICK_US = 250, BATCH = 64, LONGEST = 1514, CHECK = 4096 };

static volatile sig_atomic_t interrupted;

static void interrupt(int unused)
{
    (void)unused;
    interrupted = 1;
}

static void take_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --- Sending ------------------------------------------------------------------------------- */

static int open_sender(const char *iface)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), bytes = 1 << 24;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(iface)};

    bench_require(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0,
                  "a packet socket");
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    return fd;
}

static uint64_t send_some(int fd, size_t length, uint64_t count)
{
    static unsigned char frame[LONGEST] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    struct iovec part = {frame, length};
    struct mmsghdr messages[BATCH];
    int sent;

    for (unsigned i = 0; i < BATCH; i++)
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};
    sent = sendmmsg(fd, messages, count < BATCH ? (unsigned)count : BATCH, 0);
    bench_require(sent > 0 || errno == ENOBUFS, "frames to be sent");
    return sent > 0 ? (uint64_t)sent : 0;
}

static void sleep_until(double time)
{
    struct timespec until = {(time_t)(time / 1e6), (long)((time - 1e6 * (long)(time / 1e6)) * 1e3)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void run_sender(const char *iface, size_t length, double rate, double seconds)
{
    int fd = open_sender(iface);
    double began = bench_now(), now = began;
    uint64_t sent = 0;

    bench_require(length >= ETH_ZLEN && length <= LONGEST, "60 to 1514 bytes");
    while (now - began < seconds * 1e6) {
        uint64_t due = rate > 0 ? (uint64_t)((now - began) * rate / 1e6) : sent + CHECK;

        while (sent < due)
            sent += send_some(fd, length, due - sent);
        if (rate > 0)
            sleep_until(now + TICK_US);
        now = bench_now();
    }
    printf("%" PRIu64 " %.6f\n", sent, (now - began) / 1e6);
}

/* --- The bare reader ----------------------------------------------------------------------- */

static volatile unsigned char sink;

static void run_bare(const char *iface)
{
    struct packets_config config = {.ifindex = if_nametoindex(iface),
                                    .latency = LATENCY_DEFAULT,
                                    .directions = DIRECTION_BOTH,
                                    .timestamps = TIMESTAMPS_KERNEL};
    int fd = packets_open(&config);
    struct packets packets;
    struct packet packet;
    uint64_t frames = 0, received, dropped = 0;

    bench_require(fd >= 0 && packets_map(&packets, fd) == 0, "a ring of frames");
    while (!interrupted) {
        while (packets_next_block(&packets))
            for (; packets_next(&packets, &packet); frames++)
                sink = packet.bytes[0];
        poll(&(struct pollfd){fd, POLLIN, 0}, 1, 100);
    }
    packets_count(fd, &received, &dropped);
    printf("%" PRIu64 " %" PRIu64 "\n", frames, dropped);
}

/* --- A reader of the service --------------------------------------------------------------- */

static struct nb_reply *ask(const char *iface, const char *buffer)
{
    struct nb_request *request = NULL;
    struct nb_reply *reply = NULL;
    struct nb_client *client = NULL;

    bench_require(nb_connect(&client, NULL) == 0 && nb_request_new(&request, "OPEN_CAPTURE") == 0,
                  "a connection");
    nb_request_set_string(request, "interface", iface);
    if (buffer)
        nb_request_set_integer(request, "buffer", strtoll(buffer, NULL, 10));
    bench_require(nb_call(client, request, &reply) == 0, "a reply");
    if (nb_reply_code(reply))
        fprintf(stderr, "%s\n", nb_reply_message(reply));
    return reply;
}

static uint64_t lost, kernel_dropped;

static uint64_t read_some(struct nb_capture *capture)
{
    struct nb_capture_record record;
    uint64_t frames = 0;

    while (frames < CHECK && nb_capture_next(capture, &record) > 0) {
        if (record.kind == NB_CAPTURE_FRAME) {
            sink = record.bytes[0];
            frames++;
        } else if (record.kind == NB_CAPTURE_GAP)
            lost += record.lost;
        else
            kernel_dropped = record.kernel_dropped;
    }
    nb_capture_release(capture);
    return frames;
}

static void run_ring(const struct nb_reply *reply, bool stalls)
{
    struct nb_capture *capture = NULL;
    uint64_t frames = 0, more;

    bench_require(nb_capture_open(&capture, reply) == 0, "a capture");
    while (stalls && !interrupted)
        pause();
    while (!interrupted) {
        more = read_some(capture);
        frames += more;
        if (more == 0 && nb_capture_wait(capture))
            poll(&(struct pollfd){nb_capture_fd(capture), POLLIN, 0}, 1, 100);
    }
    while ((more = read_some(capture)))
        frames += more;
    printf("%" PRIu64 " %" PRIu64 "\n", frames, lost + kernel_dropped);
}

/* It says that it has read what it has not, what is not there, and that it waits. */
static void run_liar(const struct nb_reply *reply)
{
    int fd = nb_reply_fd(reply, "page");
    char *page = mmap(NULL, CHECK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    bench_require(fd >= 0 && page != MAP_FAILED, "a page");
    for (uint64_t lie = 1; !interrupted; lie = lie * UINT64_C(6364136223846793005) + 1) {
        memcpy(page, &lie, sizeof lie);
        memcpy(page + 128, &lie, sizeof lie);
        usleep(100);
    }
}

static void read_ring(const struct nb_reply *reply, const char *how)
{
    if (strcmp(how, "lying") == 0)
        run_liar(reply);
    else
        run_ring(reply, strcmp(how, "stalled") == 0);
}

int main(int argc, char **argv)
{
    take_signals();
    if (argc >= 6 && strcmp(argv[1], "send") == 0)
        run_sender(argv[2], strtoul(argv[3], NULL, 10), strtod(argv[4], NULL),
                   strtod(argv[5], NULL));
    else if (argc >= 3 && strcmp(argv[1], "bare") == 0)
        run_bare(argv[2]);
    else if (argc >= 3 && strcmp(argv[1], "ring") == 0)
        read_ring(ask(argv[2], argc > 3 ? argv[3] : NULL), argc > 4 ? argv[4] : "");
    else
        return 2;
    return 0;
}
