/* Messages from one process to another, and back: by the rings of the service, with bells, and
 * beside them by an AF_UNIX socket of type SOCK_SEQPACKET, in the same run. The one process is on
 * the first processor and the other on the second, if there are two.
 *
 * usage: rings [ROUNDS [SECONDS]]
 *
 * Messages a second: as many as arrive. The sender of a ring publishes each one by itself, or 16 at
 * a time, and waits for nothing but room. Microseconds: half of the way there, by a transmit ring,
 * and back, by a capture ring; who waits looks 200 times before it sleeps, or sleeps at once.
 * Medians of rounds that alternate; ratios are against the socket. */
#include "platform/rings.h"
#include "bench.h"
#include "ring/capture.h"
#include "ring/transmit.h"
#include "rings.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 1 << 20, LONGEST = 1500, ROUNDS_MOST = 31, TURN = 64, TIMES_MOST = 100000 };

static double seconds = 1;

/* --- Two processes ------------------------------------------------------------------------- */

struct wire {
    struct ring_memory capture, page, transmit, feedback;
    struct bell to_client, to_service;
    int sockets[2]; /* of the service, of the client */
    struct capture_writer capture_writer;
    struct capture_reader capture_reader;
    struct transmit_writer transmit_writer;
    struct transmit_reader transmit_reader;
    uint32_t length;
    unsigned batch; /* messages that are published at once */
    unsigned looks; /* before it sleeps */
    atomic_ulong *arrived;
    _Atomic int *ends;
};

static void make_memory(struct wire *wire)
{
    bench_require(ring_memory_make("capture", SIZE, MEMORY_SHOWN, &wire->capture) == 0 &&
                      ring_memory_make("page", 0, MEMORY_FIXED, &wire->page) == 0 &&
                      ring_memory_make("transmit", SIZE, MEMORY_FIXED, &wire->transmit) == 0 &&
                      ring_memory_make("feedback", 0, MEMORY_SHOWN, &wire->feedback) == 0 &&
                      bell_make(&wire->to_client) == 0 && bell_make(&wire->to_service) == 0 &&
                      socketpair(AF_UNIX, SOCK_SEQPACKET, 0, wire->sockets) == 0,
                  "rings and sockets");
    wire->arrived = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_require(wire->arrived != MAP_FAILED, "memory");
    wire->ends = (_Atomic int *)(wire->arrived + 16);
}

static void wire_make(struct wire *wire)
{
    make_memory(wire);
    bench_require(
        capture_writer_init(&wire->capture_writer,
                            &(struct capture_memory){wire->capture.page, wire->capture.data, SIZE,
                                                     wire->capture.data_offset, wire->page.page},
                            1) &&
            capture_reader_init(&wire->capture_reader, wire->capture.page, wire->capture.data, SIZE,
                                wire->page.page) &&
            transmit_reader_init(&wire->transmit_reader,
                                 &(struct transmit_memory){wire->transmit.page, wire->transmit.data,
                                                           SIZE, wire->transmit.data_offset,
                                                           LONGEST, wire->feedback.page}) &&
            transmit_writer_init(&wire->transmit_writer, wire->transmit.page, wire->transmit.data,
                                 SIZE, wire->feedback.page),
        "both sides of the rings");
}

static void wire_free(struct wire *wire)
{
    const int fds[] = {wire->to_client.ring,  wire->to_client.wait, wire->to_service.ring,
                       wire->to_service.wait, wire->sockets[0],     wire->sockets[1]};

    ring_memory_free(&wire->capture);
    ring_memory_free(&wire->page);
    ring_memory_free(&wire->transmit);
    ring_memory_free(&wire->feedback);
    munmap(wire->arrived, 4096);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void pin(int processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set); /* where there is one only, both are there */
}

static pid_t begin(struct wire *wire, void (*run)(struct wire *wire))
{
    pid_t pid = fork();

    bench_require(pid >= 0, "a process");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pin(1);
        run(wire);
        _exit(0);
    }
    pin(0);
    return pid;
}

static void sleep_for(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN, 0};

    poll(&poll_fd, 1, 100);
}

/* --- One message --------------------------------------------------------------------------- */

static unsigned char message[LONGEST];

static bool capture_put(struct wire *wire)
{
    struct capture_frame frame = {wire->length, wire->length, 0, 0};

    return capture_writer_put(&wire->capture_writer, &frame, message);
}

static void capture_publish(struct wire *wire)
{
    if (capture_writer_publish(&wire->capture_writer))
        bell_ring(wire->to_client.ring);
}

static volatile unsigned char sink;

/* True: there was a frame. It looks at each, as a client would. */
static bool capture_get(struct wire *wire)
{
    struct capture_record record;

    if (capture_reader_next(&wire->capture_reader, &record) != CAPTURE_RECORD)
        return false;
    sink = record.payload[record.header.length / 2];
    return record.header.kind == CAPTURE_FRAME || capture_get(wire);
}

static bool capture_wait(struct wire *wire)
{
    capture_reader_release(&wire->capture_reader);
    if (!capture_reader_wait(&wire->capture_reader))
        return true;
    sleep_for(wire->to_client.wait);
    return ring_bell_clear(wire->to_client.wait);
}

static bool transmit_put(struct wire *wire)
{
    return transmit_writer_put(&wire->transmit_writer, message, wire->length, 0, 0) ==
           TRANSMIT_TAKEN;
}

static void transmit_publish(struct wire *wire)
{
    if (transmit_writer_publish(&wire->transmit_writer))
        ring_bell_ring(wire->to_service.ring);
}

static unsigned transmit_get(struct wire *wire)
{
    static unsigned char buffer[LONGEST];
    struct transmit_frame frame;
    unsigned count = 0;

    bench_require(transmit_reader_turn(&wire->transmit_reader, TURN, SIZE), "an honest ring");
    for (; transmit_reader_next(&wire->transmit_reader, buffer, &frame) == TRANSMIT_FRAME;
         count++) {
        sink = buffer[frame.length / 2];
        transmit_reader_judge(&wire->transmit_reader, &frame, TRANSMIT_SENT);
    }
    if (transmit_reader_release(&wire->transmit_reader))
        bell_ring(wire->to_client.ring);
    return count;
}

static void transmit_wait(struct wire *wire)
{
    if (!transmit_reader_wait(&wire->transmit_reader))
        return;
    sleep_for(wire->to_service.wait);
    bell_clear(wire->to_service.wait);
}

/* --- Messages a second --------------------------------------------------------------------- */

static void count_arrived(struct wire *wire, unsigned long n)
{
    atomic_store_explicit(wire->arrived,
                          atomic_load_explicit(wire->arrived, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void read_captures(struct wire *wire)
{
    unsigned count = 0;

    for (;;) {
        while (capture_get(wire) && count < TURN)
            count++;
        count_arrived(wire, count);
        if (count > 0)
            capture_reader_release(&wire->capture_reader);
        else
            capture_wait(wire);
        count = 0;
    }
}

static void read_transmits(struct wire *wire)
{
    for (;;) {
        unsigned count = transmit_get(wire);

        count_arrived(wire, count);
        if (count == 0)
            transmit_wait(wire);
    }
}

static void read_sockets(struct wire *wire)
{
    static unsigned char buffer[LONGEST];

    while (recv(wire->sockets[1], buffer, sizeof buffer, 0) > 0) {
        sink = buffer[wire->length / 2];
        count_arrived(wire, 1);
    }
}

/* A frame that finds no room is lost; this gives the reader time, and does not count it. */
static void send_capture(struct wire *wire)
{
    for (unsigned i = 0; i < wire->batch; i++)
        if (!capture_put(wire)) {
            capture_publish(wire);
            sched_yield();
        }
    capture_publish(wire);
}

static void send_transmit(struct wire *wire)
{
    for (unsigned i = 0; i < wire->batch; i++)
        while (!transmit_put(wire)) {
            transmit_publish(wire);
            if (transmit_writer_wait(&wire->transmit_writer, wire->length)) {
                sleep_for(wire->to_client.wait);
                ring_bell_clear(wire->to_client.wait);
            }
        }
    transmit_publish(wire);
}

static void send_socket(struct wire *wire)
{
    bench_require(send(wire->sockets[0], message, wire->length, 0) > 0, "send");
}

static const struct way {
    const char *name;
    void (*send)(struct wire *wire);
    void (*read)(struct wire *wire);
    unsigned batch;
} ways[] = {
    {"AF_UNIX SOCK_SEQPACKET", send_socket, read_sockets, 1},
    {"capture ring", send_capture, read_captures, 1},
    {"capture ring, 16 at a time", send_capture, read_captures, 16},
    {"transmit ring", send_transmit, read_transmits, 1},
    {"transmit ring, 16 at a time", send_transmit, read_transmits, 16},
};
enum { WAYS = sizeof ways / sizeof *ways };

static double measure_rate(const struct way *way, uint32_t length)
{
    struct wire wire = {.length = length, .batch = way->batch};
    double start, end;
    unsigned long arrived;
    pid_t pid;

    wire_make(&wire);
    pid = begin(&wire, way->read);
    start = bench_now();
    end = start + seconds * 1e6;
    do
        for (unsigned i = 0; i < 64; i++)
            way->send(&wire);
    while (bench_now() < end);
    arrived = atomic_load(wire.arrived);
    end = bench_now();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    wire_free(&wire);
    return (double)arrived / (end - start);
}

/* --- There and back ------------------------------------------------------------------------ */

static void answer_by_ring(struct wire *wire)
{
    for (unsigned looks = 0;;) {
        unsigned count = transmit_get(wire);

        for (unsigned i = 0; i < count; i++)
            capture_put(wire);
        capture_publish(wire);
        looks = count > 0 ? 0 : looks + 1;
        if (looks > wire->looks)
            transmit_wait(wire);
    }
}

static void ask_by_ring(struct wire *wire)
{
    transmit_put(wire);
    transmit_publish(wire);
    for (unsigned looks = 0; !capture_get(wire); looks++)
        if (looks >= wire->looks)
            capture_wait(wire);
    capture_reader_release(&wire->capture_reader);
}

static void answer_by_socket(struct wire *wire)
{
    static unsigned char buffer[LONGEST];

    while (recv(wire->sockets[1], buffer, sizeof buffer, 0) > 0)
        send(wire->sockets[1], message, wire->length, 0);
}

static void ask_by_socket(struct wire *wire)
{
    static unsigned char buffer[LONGEST];

    send_socket(wire);
    bench_require(recv(wire->sockets[0], buffer, sizeof buffer, 0) > 0, "recv");
}

static const struct path {
    const char *name;
    void (*ask)(struct wire *wire);
    void (*answer)(struct wire *wire);
    unsigned looks;
} paths[] = {
    {"AF_UNIX SOCK_SEQPACKET", ask_by_socket, answer_by_socket, 0},
    {"rings, 200 looks", ask_by_ring, answer_by_ring, 200},
    {"rings, asleep at once", ask_by_ring, answer_by_ring, 0},
};
enum { PATHS = sizeof paths / sizeof *paths };

/* Microseconds one way: the median and the one that 99 of 100 do not exceed. */
static void measure_latency(const struct path *path, uint32_t length, double *ret_median,
                            double *ret_most)
{
    static double times[TIMES_MOST];
    struct wire wire = {.length = length, .looks = path->looks};
    double end = bench_now() + seconds * 1e6;
    size_t count = 0;
    pid_t pid;

    wire_make(&wire);
    pid = begin(&wire, path->answer);
    for (; count < TIMES_MOST && bench_now() < end; count++) {
        double start = bench_now();

        path->ask(&wire);
        times[count] = (bench_now() - start) / 2;
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    wire_free(&wire);
    *ret_median = bench_median(times, count);
    *ret_most = bench_quantile(times, count, 0.99);
}

/* --- Tables -------------------------------------------------------------------------------- */

static void print_rates(uint32_t length, unsigned rounds)
{
    double rates[WAYS][ROUNDS_MOST], ratios[WAYS][ROUNDS_MOST];

    for (unsigned round = 0; round < rounds; round++)
        for (unsigned way = 0; way < WAYS; way++) {
            rates[way][round] = measure_rate(&ways[way], length);
            ratios[way][round] = rates[way][round] / rates[0][round];
        }
    printf("\n%u bytes: messages that arrive in a second, in millions\n", length);
    for (unsigned way = 0; way < WAYS; way++) {
        double rate = bench_median(rates[way], rounds), ratio = bench_median(ratios[way], rounds);
        char what[80];

        printf("%-44s %8.2f\n", ways[way].name, rate);
        snprintf(what, sizeof what, "  beside the socket");
        if (way > 0 && length == 64)
            bench_judge(what, ratio, "times", AT_LEAST, 5);
        else if (way > 0)
            printf("%-44s %8.2f times\n", what, ratio);
    }
}

static void print_latencies(uint32_t length, unsigned rounds)
{
    double medians[PATHS][ROUNDS_MOST], most[PATHS][ROUNDS_MOST];

    for (unsigned round = 0; round < rounds; round++)
        for (unsigned path = 0; path < PATHS; path++)
            measure_latency(&paths[path], length, &medians[path][round], &most[path][round]);
    printf("\n%u bytes: microseconds one way\n", length);
    for (unsigned path = 0; path < PATHS; path++)
        printf("%-44s %8.2f, 99 of 100 within %.2f\n", paths[path].name,
               bench_median(medians[path], rounds), bench_median(most[path], rounds));
}

int main(int count, char **arguments)
{
    static const uint32_t lengths[] = {64, LONGEST};
    unsigned rounds = count > 1 ? (unsigned)atoi(arguments[1]) : 5;

    if (count > 2)
        seconds = atof(arguments[2]);
    bench_require(rounds > 0 && rounds <= ROUNDS_MOST && seconds > 0, "1 to 31 rounds");
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (unsigned i = 0; i < 2; i++)
        print_rates(lengths[i], rounds);
    for (unsigned i = 0; i < 2; i++)
        print_latencies(lengths[i], rounds);
    return 0;
}
