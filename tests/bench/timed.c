/* usage: bench-timed IFACE PEER [RATE [SECONDS [ROUNDS]]]
 *
 * Frames at fixed times, each of 128 bytes, by a thread that does nothing else with bare system
 * calls, by the timed sender in this process, and by a service that NETBROKER_SOCKET names, in
 * turns of SECONDS; lateness.h says how it is measured. */
#include "bench.h"
#include "lateness.h"
#include "platform/realtime.h"
#include "resources/inject/timed_queue.h"

#include "netbroker.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LENGTH = 128,
    HEADER = 14,
    ETHERTYPE = 0x88b5,  /* for experiments (IEEE 802) */
    LEAD_NS = 200000000, /* until the first frame */
    AHEAD = 1000,        /* frames that are given before their time */
};

static struct {
    const char *iface, *peer;
    uint32_t rate, seconds, rounds;
} options = {.rate = 4800, .seconds = 2, .rounds = 5};

static struct lateness_grid grid = {.streams = 1, .step = 1};

/* --- Frames -------------------------------------------------------------------------------- */

static bool identify(const struct lateness_grid *of, const unsigned char *bytes, size_t length,
                     uint64_t time, uint32_t *ret_stream, uint32_t *ret_number)
{
    (void)of;
    (void)time;
    if (length != LENGTH)
        return false;
    *ret_stream = 0;
    memcpy(ret_number, bytes + HEADER, sizeof *ret_number);
    return true;
}

static size_t fill(const struct lateness_grid *of, uint32_t stream, uint32_t number,
                   unsigned char *frame)
{
    static const unsigned char header[HEADER] = {
        0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, ETHERTYPE >> 8, ETHERTYPE & 0xff};

    (void)of;
    (void)stream;
    memset(frame, 0, LENGTH);
    memcpy(frame, header, sizeof header);
    memcpy(frame + HEADER, &number, sizeof number);
    return LENGTH;
}

/* From the start of the turn, as both queues have it. */
static uint64_t due_of(uint32_t number)
{
    return lateness_due(&grid, number) - grid.start;
}

/* --- Senders ------------------------------------------------------------------------------- */

static void bare(void)
{
    lateness_send_bare(options.iface, &grid, fill);
}

static enum transmit_refusal_reason send_one(int fd, const unsigned char *bytes, uint32_t length)
{
    return send(fd, bytes, length, MSG_DONTWAIT) == (ssize_t)length ? TRANSMIT_SENT
                                                                    : TRANSMIT_KERNEL;
}

static void *run_timed(void *context)
{
    timed_run(context);
    return NULL;
}

/* Gives all frames to the queue, as there is room, and takes back what became of them. */
static void feed(struct timed *timed, struct timed_queue *queue)
{
    struct timed_record record;
    unsigned char frame[LENGTH];
    uint32_t given = 0, taken = 0;

    while (taken < grid.count) {
        while (given < grid.count && given - taken < AHEAD && timed_queue_has_room(queue, LENGTH)) {
            fill(&grid, 0, given, frame);
            timed_queue_put(
                queue, &(struct transmit_frame){.time = due_of(given), .length = LENGTH}, frame);
            given++;
        }
        timed_wake(timed);
        while (timed_queue_reap(queue, &record))
            taken++;
        poll(NULL, 0, 5);
    }
}

static void thread(void)
{
    static struct timed timed;
    struct timed_queue queue;
    struct timed_config config = {.ops = &timed_queue_supply,
                                  .supply = &queue,
                                  .send = send_one,
                                  .fd = lateness_packets(options.iface, 0),
                                  .start = grid.start,
                                  .late = LATENESS_STALL_NS,
                                  .rate = options.rate};
    struct timed_stream *stream;
    pthread_t runner;

    memset(&timed, 0, sizeof timed);
    bench_require(timed_queue_make(&queue, timed_queue_size(LENGTH)) == 0, "a queue");
    bench_require(pthread_create(&runner, NULL, run_timed, &timed) == 0, "the timed sender");
    stream = timed_add(&timed, &config);
    feed(&timed, &queue);
    timed_remove(&timed, stream);
    timed_stop(&timed);
    pthread_join(runner, NULL);
    timed_queue_free(&queue);
    close(config.fd);
}

static struct nb_inject *open_inject(struct nb_client *client)
{
    struct nb_request *request;
    struct nb_inject *inject = NULL;
    struct nb_reply *reply;

    bench_require(nb_request_new(&request, "OPEN_INJECT") == 0, "a request");
    nb_request_set_string(request, "interface", options.iface);
    nb_request_add_string(request, "sources", "any");
    nb_request_set_integer(request, "rate", options.rate);
    nb_request_set_bool(request, "timed", true);
    nb_request_set_integer(request, "late", LATENESS_STALL_NS / 1000);
    nb_request_set_integer(request, "start", (int64_t)(grid.start / 1000000));
    bench_require(nb_call(client, request, &reply) == 0, "OPEN_INJECT");
    if (nb_inject_open(&inject, reply) != 0) {
        fprintf(stderr, "OPEN_INJECT: %s\n", nb_reply_message(reply));
        exit(1);
    }
    nb_reply_free(reply);
    nb_request_free(request);
    return inject;
}

static void wait_for(struct nb_inject *inject, uint32_t length)
{
    struct pollfd room = {nb_inject_fd(inject), POLLIN, 0};
    struct nb_inject_refusal refusal;

    while (nb_inject_next_refusal(inject, &refusal) > 0)
        if (strcmp(nb_inject_reason_word(refusal.reason), "late") != 0)
            fprintf(stderr, "frame %u: %s\n", (unsigned)refusal.sequence,
                    nb_inject_reason_meaning(refusal.reason));
    bench_require(!*nb_inject_end(inject), nb_inject_end(inject));
    if (nb_inject_wait(inject, length))
        poll(&room, 1, 1000);
}

static void service(void)
{
    struct nb_inject_counts counts;
    struct nb_client *client;
    struct nb_inject *inject;
    unsigned char frame[LENGTH];

    bench_require(nb_connect(&client, NULL) == 0, "the service");
    inject = open_inject(client);
    lateness_hurry(lateness_timed_thread(lateness_broker()));
    for (uint32_t i = 0; i < grid.count;) {
        fill(&grid, 0, i, frame);
        if (nb_inject_put(inject, frame, LENGTH, due_of(i), i) > 0) {
            i++;
            continue;
        }
        nb_inject_publish(inject);
        wait_for(inject, LENGTH);
    }
    nb_inject_publish(inject);
    do {
        poll(NULL, 0, 10);
        wait_for(inject, UINT32_MAX);
        nb_inject_counts(inject, &counts);
    } while (counts.judged < grid.count);
    nb_inject_close(inject);
    nb_close(client);
}

/* --- Turns --------------------------------------------------------------------------------- */

struct method {
    const char *name;
    void (*send)(void);
    struct lateness_figures figures;
};

static void take_turn(struct method *method)
{
    lateness_begin(&grid, LEAD_NS);
    method->send();
    lateness_end();
    lateness_add(&method->figures);
}

int main(int argc, char **argv)
{
    static struct method methods[] = {
        {.name = "bare", .send = bare},
        {.name = "the timed sender", .send = thread},
        {.name = "the service", .send = service},
    };
    size_t used = getenv("NETBROKER_SOCKET") ? 3 : 2;
    uint32_t *const numbers[] = {&options.rate, &options.seconds, &options.rounds};

    bench_require(argc >= 3 && argc <= 6,
                  "usage: bench-timed IFACE PEER [RATE [SECONDS [ROUNDS]]]");
    options.iface = argv[1];
    options.peer = argv[2];
    for (int i = 3; i < argc; i++)
        *numbers[i - 3] = (uint32_t)strtoul(argv[i], NULL, 10);
    grid.rate = options.rate;
    grid.count = options.rate * options.seconds;
    lateness_open(options.peer, ETHERTYPE, identify);
    for (uint32_t i = 0; i < options.rounds * used; i++)
        take_turn(&methods[i % used]);
    for (size_t i = 1; i < used; i++)
        lateness_print(methods[i].name, &methods[i].figures, &methods[0].figures);
    return 0;
}
