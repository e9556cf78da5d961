#include "lateness.h"

#include "bench.h"
#include "platform/realtime.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    FRAME_MAX = 1522,
    WINDOWS = 10, /* a second */
    BATCH = 64,
    ROOM_BYTES = 64 << 20,
    PRIORITY = 30,     /* as the unit grants it */
    AFTER_US = 200000, /* what is sent last has this time to come */
};

#define SECOND UINT64_C(1000000000)

/* --- The grid ------------------------------------------------------------------------------ */

uint64_t lateness_due(const struct lateness_grid *grid, uint32_t number)
{
    uint64_t sample = ((uint64_t)number + 1) * grid->step - 1;

    return grid->start + sample / grid->rate * SECOND + sample % grid->rate * SECOND / grid->rate;
}

uint32_t lateness_frames_a_second(const struct lateness_grid *grid)
{
    return grid->rate / grid->step;
}

/* --- The other end ------------------------------------------------------------------------- */

static struct {
    int fd;
    lateness_identify *identify;
    struct lateness_grid grid;
    int64_t *late;
    size_t room;
    pthread_t thread;
    _Atomic bool ends;
} peer;

static size_t place(uint32_t stream, uint32_t number)
{
    return (size_t)stream * peer.grid.count + number;
}

static void take(const unsigned char *bytes, size_t length, struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    uint32_t stream, number;
    struct timespec stamp;
    uint64_t time;

    if (!part || part->cmsg_type != SCM_TIMESTAMPNS)
        return;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    time = (uint64_t)stamp.tv_sec * SECOND + (uint64_t)stamp.tv_nsec;
    if (peer.identify(&peer.grid, bytes, length, time, &stream, &number) &&
        stream < peer.grid.streams && number < peer.grid.count)
        peer.late[place(stream, number)] = (int64_t)(time - lateness_due(&peer.grid, number));
}

static void *receive(void *context)
{
    static unsigned char bytes[BATCH][FRAME_MAX];
    static char control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];

    while (!atomic_load(&peer.ends)) {
        int n;

        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){bytes[i], sizeof bytes[i]};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = control[i],
                                                  .msg_controllen = sizeof control[i]};
        }
        n = recvmmsg(peer.fd, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++)
            take(bytes[i], messages[i].msg_len, &messages[i].msg_hdr);
    }
    return context;
}

int lateness_packets(const char *iface, uint16_t protocol)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(protocol),
                                  .sll_ifindex = (int)if_nametoindex(iface)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    bench_require(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, iface);
    return fd;
}

/* It holds as long as the descriptor is open. */
static void keep_awake(void)
{
    int32_t latency = 0;
    int fd = getenv("BENCH_AWAKE") ? open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC) : -1;
    bool awake = fd >= 0 && write(fd, &latency, sizeof latency) == sizeof latency;

    printf("processors %s sleep when they are idle\n", awake ? "do not" : "may");
}

void lateness_open(const char *iface, uint16_t ethertype, lateness_identify *identify)
{
    struct timeval patience = {0, 100000};
    int one = 1, bytes = ROOM_BYTES;

    peer.identify = identify;
    peer.fd = lateness_packets(iface, ethertype);
    bench_require(setsockopt(peer.fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) == 0 &&
                      setsockopt(peer.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0,
                  "the other end");
    setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    keep_awake();
}

void lateness_begin(struct lateness_grid *grid, uint64_t lead)
{
    size_t frames = (size_t)grid->streams * grid->count;

    if (frames > peer.room) {
        free(peer.late);
        peer.late = bench_array(frames, sizeof *peer.late);
        peer.room = frames;
    }
    for (size_t i = 0; i < frames; i++)
        peer.late[i] = INT64_MIN;
    grid->start = ((realtime_wall() + lead) / SECOND + 1) * SECOND;
    peer.grid = *grid;
    atomic_store(&peer.ends, false);
    bench_require(pthread_create(&peer.thread, NULL, receive, NULL) == 0, "a thread");
}

void lateness_end(void)
{
    usleep(AFTER_US);
    atomic_store(&peer.ends, true);
    pthread_join(peer.thread, NULL);
}

int64_t lateness_of(uint32_t stream, uint32_t number)
{
    return peer.late[place(stream, number)];
}

/* --- Figures ------------------------------------------------------------------------------- */

void lateness_clear(struct lateness_figures *figures)
{
    free(figures->late);
    *figures = (struct lateness_figures){0};
}

static double distance(int64_t late)
{
    return (double)(late < 0 ? -late : late) / 1000;
}

static void add_window(struct lateness_figures *figures, uint32_t first, uint32_t end)
{
    uint32_t missing = 0;
    bool stalled = false;

    for (uint32_t stream = 0; stream < peer.grid.streams; stream++)
        for (uint32_t i = first; i < end; i++) {
            int64_t late = lateness_of(stream, i);

            missing += late == INT64_MIN;
            stalled |= late == INT64_MIN || late > LATENESS_STALL_NS;
        }
    figures->sent += (uint64_t)(end - first) * peer.grid.streams - missing;
    figures->missing += missing;
    figures->windows++;
    if (stalled)
        return;
    figures->quiet++;
    for (uint32_t stream = 0; stream < peer.grid.streams; stream++)
        for (uint32_t i = first; i < end; i++)
            figures->late[figures->n++] = distance(lateness_of(stream, i));
}

void lateness_add(struct lateness_figures *figures)
{
    uint32_t window = lateness_frames_a_second(&peer.grid) / WINDOWS;
    size_t most = figures->n + (size_t)peer.grid.streams * peer.grid.count;

    figures->late = realloc(figures->late, most * sizeof *figures->late);
    bench_require(figures->late != NULL, "memory");
    for (uint32_t i = 0; i + window <= peer.grid.count; i += window)
        add_window(figures, i, i + window);
}

static double quantile(struct lateness_figures *figures, double q)
{
    return figures->n ? bench_quantile(figures->late, figures->n, q) : 0;
}

void lateness_print(const char *name, struct lateness_figures *figures,
                    struct lateness_figures *beside)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};

    printf("%s: %llu frames, %llu did not come or were skipped, %u of %u windows without a stall\n",
           name, (unsigned long long)figures->sent, (unsigned long long)figures->missing,
           figures->quiet, figures->windows);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        char what[64];

        snprintf(what, sizeof what, "%s, p%g", name, shares[i] * 100);
        bench_print(what, quantile(figures, shares[i]), quantile(beside, shares[i]), "us",
                    LATENESS_TARGET);
    }
}

/* --- The least sender ---------------------------------------------------------------------- */

struct bare {
    const char *iface;
    const struct lateness_grid *grid;
    lateness_fill *fill;
    uint64_t cpu;
};

static void sleep_until(uint64_t due)
{
    struct timespec time = {(time_t)(due / SECOND), (long)(due % SECOND)};

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static void *run_bare(void *context)
{
    struct bare *bare = context;
    int fd = lateness_packets(bare->iface, 0);
    unsigned char frame[FRAME_MAX];
    uint64_t begin;

    mlockall(MCL_CURRENT | MCL_FUTURE);
    if (realtime_begin("hurried") < 0)
        fprintf(stderr, "no real-time priority here: the figures say little\n");
    begin = lateness_cpu(gettid());
    for (uint32_t i = 0; i < bare->grid->count; i++) {
        /* The first frame of the grid point is made before its time. */
        size_t length = bare->fill(bare->grid, 0, i, frame);

        sleep_until(lateness_due(bare->grid, i));
        for (uint32_t stream = 0; stream < bare->grid->streams; stream++) {
            if (stream > 0)
                length = bare->fill(bare->grid, stream, i, frame);
            if (send(fd, frame, length, 0) != (ssize_t)length)
                perror("send");
        }
    }
    bare->cpu = lateness_cpu(gettid()) - begin;
    munlockall();
    close(fd);
    return NULL;
}

uint64_t lateness_send_bare(const char *iface, const struct lateness_grid *grid,
                            lateness_fill *fill)
{
    struct bare bare = {iface, grid, fill, 0};
    pthread_t thread;

    bench_require(pthread_create(&thread, NULL, run_bare, &bare) == 0, "a thread");
    pthread_join(thread, NULL);
    return bare.cpu;
}

/* --- The service's thread ------------------------------------------------------------------ */

pid_t lateness_broker(void)
{
    int fd = bench_connect();
    pid_t broker = bench_broker(fd);

    close(fd);
    return broker;
}

static bool is_timed(pid_t broker, pid_t thread)
{
    char path[64], name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)broker, (int)thread);
    file = fopen(path, "re");
    if (file && !fgets(name, sizeof name, file))
        name[0] = '\0';
    if (file)
        fclose(file);
    return strcmp(name, "timed sender\n") == 0;
}

pid_t lateness_timed_thread(pid_t broker)
{
    char path[64];
    struct dirent *entry;
    pid_t found = 0;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", (int)broker);
    tasks = opendir(path);
    bench_require(tasks != NULL, path);
    while ((entry = readdir(tasks)))
        if (is_timed(broker, atoi(entry->d_name)))
            found = atoi(entry->d_name);
    closedir(tasks);
    return found;
}

void lateness_hurry(pid_t thread)
{
    struct sched_param priority = {.sched_priority = PRIORITY};

    if (getenv("BENCH_HURRY"))
        bench_require(sched_setscheduler(thread, SCHED_FIFO, &priority) == 0, "a priority");
}

/* The first number of the file is the time on the processor, in ns
 * (Documentation/scheduler/sched-stats.rst). */
uint64_t lateness_cpu(pid_t thread)
{
    unsigned long long ns = 0;
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)thread);
    file = fopen(path, "re");
    bench_require(file && fscanf(file, "%llu", &ns) == 1, path);
    fclose(file);
    return ns;
}
