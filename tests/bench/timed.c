/* usage: bench-timed IFACE PEER [RATE [SECONDS [ROUNDS]]]
 *
 * Frames at fixed times, each of 128 bytes, by a thread that does nothing else with bare system
 * calls, by the timed sender in this process, and by a service that NETBROKER_SOCKET names, in
 * turns of SECONDS. How late a frame was on the wire says the kernel of the other end, PEER, by the
 * time at which it received it (SO_TIMESTAMPNS of socket(7)).
 *
 * How long an idle processor takes to wake up depends on what it did last, and is no method's: with
 * BENCH_AWAKE in the environment none sleeps, by /dev/cpu_dma_latency, as cyclictest does.
 *
 * A machine that stops for a while, as virtual ones do, says nothing of the method: figures are of
 * windows of 100 ms in which no frame was 2 ms late, and it is told how many there were. */
#include "bench.h"
#include "platform/realtime.h"
#include "resources/inject/timed_queue.h"

#include "netbroker.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    LENGTH = 128,
    HEADER = 14,
    ETHERTYPE = 0x88b5, /* for experiments (IEEE 802) */
    WINDOWS = 10,       /* a second */
    STALL_NS = 2000000,
    SECOND = 1000000000,
    LEAD_NS = 200000000, /* until the first frame */
    AHEAD = 1000,        /* frames that are given before their time */
};

#define TARGET 1.2

static struct {
    const char *iface, *peer;
    uint32_t rate, seconds, rounds;
} options = {.rate = 4800, .seconds = 2, .rounds = 5};

static uint32_t count; /* of frames of a turn */

/* --- The other end ------------------------------------------------------------------------- */

/* ns by which frames were late, by their number; INT64_MIN: it has not come. */
static struct {
    int fd;
    int64_t *late;
    uint64_t start;
    _Atomic bool ends;
} peer;

static uint64_t due_of(uint64_t start, uint32_t number)
{
    return start + (uint64_t)number * SECOND / options.rate;
}

static void take(const unsigned char *bytes, const struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    struct timespec time;
    uint32_t number;

    memcpy(&number, bytes + HEADER, sizeof number);
    if (!part || part->cmsg_type != SCM_TIMESTAMPNS || number >= count)
        return;
    memcpy(&time, CMSG_DATA(part), sizeof time);
    peer.late[number] = (int64_t)((uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec -
                                  due_of(peer.start, number));
}

static void *receive(void *context)
{
    unsigned char bytes[LENGTH];
    char control[CMSG_SPACE(sizeof(struct timespec))];

    while (!atomic_load(&peer.ends)) {
        struct iovec vector = {bytes, sizeof bytes};
        struct msghdr message = {.msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};

        if (recvmsg(peer.fd, &message, 0) == LENGTH)
            take(bytes, &message);
    }
    return context;
}

static int packets(const char *iface, uint16_t protocol)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(protocol),
                                  .sll_ifindex = (int)if_nametoindex(iface)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    bench_require(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, iface);
    return fd;
}

static void open_peer(void)
{
    struct timeval patience = {0, 100000};
    int one = 1, bytes = 8 << 20;

    peer.fd = packets(options.peer, ETHERTYPE);
    bench_require(setsockopt(peer.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) == 0 &&
                      setsockopt(peer.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0,
                  "the other end");
    setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
}

/* It holds as long as the descriptor is open. */
static void keep_awake(void)
{
    int32_t latency = 0;
    int fd = getenv("BENCH_AWAKE") ? open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC) : -1;
    bool awake = fd >= 0 && write(fd, &latency, sizeof latency) == sizeof latency;

    printf("processors %s sleep when they are idle\n", awake ? "do not" : "may");
}

/* --- Senders ------------------------------------------------------------------------------- */

static void fill(unsigned char *frame, uint32_t number)
{
    static const unsigned char header[HEADER] = {
        0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, ETHERTYPE >> 8, ETHERTYPE & 0xff};

    memset(frame, 0, LENGTH);
    memcpy(frame, header, sizeof header);
    memcpy(frame + HEADER, &number, sizeof number);
}

static void hurry(void)
{
    if (realtime_begin("hurried") < 0)
        fprintf(stderr, "no real-time priority here: the figures say little\n");
}

static void *send_bare(void *context)
{
    uint64_t start = *(uint64_t *)context;
    int fd = packets(options.iface, 0);
    unsigned char frame[LENGTH];

    mlockall(MCL_CURRENT | MCL_FUTURE);
    hurry();
    for (uint32_t i = 0; i < count; i++) {
        uint64_t due = due_of(start, i);
        struct timespec time = {(time_t)(due / SECOND), (long)(due % SECOND)};

        fill(frame, i);
        while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL) == EINTR)
            ;
        if (send(fd, frame, LENGTH, 0) != LENGTH)
            perror("send");
    }
    munlockall();
    close(fd);
    return NULL;
}

static void bare(uint64_t start)
{
    pthread_t thread;

    bench_require(pthread_create(&thread, NULL, send_bare, &start) == 0, "a thread");
    pthread_join(thread, NULL);
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

    while (taken < count) {
        while (given < count && given - taken < AHEAD && timed_queue_has_room(queue, LENGTH)) {
            fill(frame, given);
            timed_queue_put(
                queue, &(struct transmit_frame){.time = due_of(0, given), .length = LENGTH}, frame);
            given++;
        }
        timed_wake(timed);
        while (timed_queue_reap(queue, &record))
            taken++;
        poll(NULL, 0, 5);
    }
}

static void thread(uint64_t start)
{
    static struct timed timed;
    struct timed_queue queue;
    struct timed_config config = {.ops = &timed_queue_supply,
                                  .supply = &queue,
                                  .send = send_one,
                                  .fd = packets(options.iface, 0),
                                  .start = start,
                                  .late = STALL_NS,
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

static struct nb_inject *open_inject(struct nb_client *client, uint64_t start)
{
    struct nb_request *request;
    struct nb_inject *inject = NULL;
    struct nb_reply *reply;

    bench_require(nb_request_new(&request, "OPEN_INJECT") == 0, "a request");
    nb_request_set_string(request, "interface", options.iface);
    nb_request_add_string(request, "sources", "any");
    nb_request_set_integer(request, "rate", options.rate);
    nb_request_set_bool(request, "timed", true);
    nb_request_set_integer(request, "late", STALL_NS / 1000);
    nb_request_set_integer(request, "start", (int64_t)(start / 1000000));
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

/* Where root may not raise the service's limits, it gives the thread of this name its priority. */
static void hurry_thread(pid_t pid)
{
    struct sched_param priority = {.sched_priority = 30};
    char path[64], name[32];
    struct dirent *entry;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    bench_require(tasks != NULL, path);
    while ((entry = readdir(tasks))) {
        FILE *file;

        snprintf(path, sizeof path, "/proc/%d/task/%.16s/comm", (int)pid, entry->d_name);
        file = fopen(path, "r");
        if (file && fgets(name, sizeof name, file) && strcmp(name, "timed sender\n") == 0)
            bench_require(sched_setscheduler(atoi(entry->d_name), SCHED_FIFO, &priority) == 0,
                          "a priority");
        if (file)
            fclose(file);
    }
    closedir(tasks);
}

static void hurry_service(void)
{
    int fd;

    if (!getenv("BENCH_HURRY"))
        return;
    fd = bench_connect();
    hurry_thread(bench_broker(fd));
    close(fd);
}

static void service(uint64_t start)
{
    struct nb_inject_counts counts;
    struct nb_client *client;
    struct nb_inject *inject;
    unsigned char frame[LENGTH];

    bench_require(nb_connect(&client, NULL) == 0, "the service");
    inject = open_inject(client, start);
    hurry_service();
    for (uint32_t i = 0; i < count;) {
        fill(frame, i);
        if (nb_inject_put(inject, frame, LENGTH, due_of(0, i), i) > 0) {
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
    } while (counts.judged < count);
    nb_inject_close(inject);
    nb_close(client);
}

/* --- Turns --------------------------------------------------------------------------------- */

struct method {
    const char *name;
    void (*send)(uint64_t start);
    double *late; /* us, of windows without a stall */
    size_t n;
    unsigned windows, quiet;
    uint64_t sent, missing;
};

static double distance(int64_t late)
{
    return (double)(late < 0 ? -late : late) / 1000;
}

static void count_window(struct method *method, const int64_t *late, uint32_t n)
{
    uint32_t missing = 0;
    int stalled = 0;

    for (uint32_t i = 0; i < n; i++) {
        missing += late[i] == INT64_MIN;
        stalled |= late[i] == INT64_MIN || late[i] > STALL_NS;
    }
    method->sent += n - missing;
    method->missing += missing;
    method->windows++;
    if (stalled)
        return;
    method->quiet++;
    for (uint32_t i = 0; i < n; i++)
        method->late[method->n++] = distance(late[i]);
}

static void take_turn(struct method *method)
{
    uint32_t window = options.rate / WINDOWS;
    pthread_t receiver;

    for (uint32_t i = 0; i < count; i++)
        peer.late[i] = INT64_MIN;
    peer.start = (realtime_wall() / SECOND + 1) * SECOND;
    if (peer.start - realtime_wall() < LEAD_NS)
        peer.start += SECOND;
    atomic_store(&peer.ends, false);
    bench_require(pthread_create(&receiver, NULL, receive, NULL) == 0, "a thread");
    method->send(peer.start);
    usleep(200000);
    atomic_store(&peer.ends, true);
    pthread_join(receiver, NULL);
    for (uint32_t i = 0; i + window <= count; i += window)
        count_window(method, peer.late + i, window);
}

static double quantile(struct method *method, double q)
{
    return method->n ? bench_quantile(method->late, method->n, q) : 0;
}

static void print(struct method *method, struct method *beside)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};

    printf("%s: %llu frames, %llu did not come or were skipped, %u of %u windows without a stall\n",
           method->name, (unsigned long long)method->sent, (unsigned long long)method->missing,
           method->quiet, method->windows);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        char what[64];

        snprintf(what, sizeof what, "%s, p%g", method->name, shares[i] * 100);
        bench_print(what, quantile(method, shares[i]), quantile(beside, shares[i]), "us", TARGET);
    }
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
    count = options.rate * options.seconds;
    peer.late = bench_array(count, sizeof *peer.late);
    for (size_t i = 0; i < used; i++)
        methods[i].late = bench_array((size_t)count * options.rounds, sizeof(double));
    open_peer();
    keep_awake();
    for (uint32_t i = 0; i < options.rounds * used; i++)
        take_turn(&methods[i % used]);
    for (size_t i = 1; i < used; i++)
        print(&methods[i], &methods[0]);
    return 0;
}
