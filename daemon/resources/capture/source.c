#include "source.h"

#include "filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum {
    TURN_MS = 500, /* the longest wait: numbers are told at times also without frames */
    COUNT_NS = 500000000,
    ADDRESSES = 12,
    TAGS_MAX = 2,
};

struct source {
    struct packets_config config;
    int fd;
    int wake; /* the thread's bell */
    uv_thread_t thread;
    void (*news)(void *context);
    void *context;

    uv_mutex_t mutex; /* of these */
    struct frame_readers coming, removed;
    bool ended;

    _Atomic bool stopping, is_up, is_changed; /* is_changed: there is a command */
    _Atomic uint64_t turns, fenced;

    /* The thread's own. */
    struct packets packets;
    struct frame_reader *readers[SOURCE_READERS_MAX];
    unsigned reader_count;
    struct capture_status status;
    uint64_t counted; /* when the kernel was asked last; ns of the monotonic clock */
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- Frames -------------------------------------------------------------------------------- */

/* The EtherType behind at most two tags; 0: the frame is too short. */
static uint16_t ethertype_of(const struct packet *packet)
{
    for (uint32_t at = ADDRESSES, tags = 0; at + 2 <= packet->captured; at += PACKETS_TAG) {
        uint16_t type = (uint16_t)(packet->bytes[at] << 8 | packet->bytes[at + 1]);

        if ((type != 0x8100 && type != 0x88a8) || tags++ == TAGS_MAX)
            return type;
    }
    return 0;
}

/* The second fence: whoever asked for this source may see the frame. */
static bool is_granted(const struct packets_config *config, const struct packet *packet)
{
    uint16_t type;

    if (!(config->directions & (packet->outgoing ? DIRECTION_OUT : DIRECTION_IN)))
        return false;
    if (config->ethertypes.count == 0)
        return true;
    type = ethertype_of(packet);
    for (uint32_t i = 0; i < config->ethertypes.count; i++)
        if (config->ethertypes.types[i] == type)
            return true;
    return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void give(struct frame_reader *reader, const struct packet *packet,
                 struct capture_frame *frame)
{
    uint32_t wanted = filter_run(&reader->filter, packet->bytes, packet->captured, packet->length);

    if (wanted == 0)
        return;
    frame->length = least(packet->captured, least(wanted, reader->snaplen));
    capture_writer_put(&reader->writer, frame, packet->bytes);
}

static void take_packet(struct source *source, const struct packet *packet)
{
    struct capture_frame frame = {
        .original = packet->length,
        .time = packet->time,
        .flags = (uint16_t)((packet->outgoing ? CAPTURE_OUTGOING : 0) |
                            (packet->to_other ? CAPTURE_PROMISCUOUS : 0) |
                            (packet->hardware ? CAPTURE_HARDWARE_TIME : 0) |
                            (packet->tagged ? CAPTURE_VLAN_INSERTED : 0)),
    };

    if (!is_granted(&source->config, packet)) {
        atomic_fetch_add_explicit(&source->fenced, 1, memory_order_relaxed);
        return;
    }
    for (unsigned i = 0; i < source->reader_count; i++)
        give(source->readers[i], packet, &frame);
}

/* --- Numbers ------------------------------------------------------------------------------- */

/* Before what they count: who has read a frame finds it counted. */
static void tell_counts(struct frame_reader *reader)
{
    const struct capture_counts *counts = &reader->writer.counts;

    atomic_store_explicit(&reader->frames, counts->frames, memory_order_relaxed);
    atomic_store_explicit(&reader->bytes, counts->bytes, memory_order_relaxed);
    atomic_store_explicit(&reader->lost, counts->lost_frames, memory_order_relaxed);
}

static void publish(struct frame_reader *reader)
{
    tell_counts(reader);
    if (capture_writer_publish(&reader->writer))
        bell_ring(reader->ring.bell.ring);
}

static void publish_all(struct source *source)
{
    for (unsigned i = 0; i < source->reader_count; i++)
        publish(source->readers[i]);
}

static void tell_status(const struct source *source, struct frame_reader *reader)
{
    struct capture_status status = source->status;

    status.received -= reader->base.received;
    status.kernel_dropped -= reader->base.kernel_dropped;
    status.iface_dropped -= reader->base.iface_dropped;
    atomic_store_explicit(&reader->iface_dropped, status.iface_dropped, memory_order_relaxed);
    atomic_store_explicit(&reader->kernel_dropped, status.kernel_dropped, memory_order_relaxed);
    if (!reader->is_told)
        reader->is_told = capture_writer_status(&reader->writer, now_ns(CLOCK_REALTIME), &status);
}

/* Asks the kernel. Whoever reads is told where there is something new. */
static void count(struct source *source)
{
    uint64_t received = 0, dropped = 0, iface_dropped = source->status.iface_dropped;
    bool is_up = atomic_load(&source->is_up), is_new;

    packets_count(source->fd, &received, &dropped);
    packets_count_iface(source->config.ifindex, &iface_dropped);
    is_new = received > 0 || dropped > 0 || source->status.iface_is_up != is_up ||
             iface_dropped != source->status.iface_dropped;
    source->status.iface_dropped = iface_dropped;
    source->status.received += received;
    source->status.kernel_dropped += dropped;
    source->status.iface_is_up = is_up;
    source->counted = now_ns(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < source->reader_count; i++) {
        source->readers[i]->is_told &= !is_new;
        tell_status(source, source->readers[i]);
    }
}

/* --- Commands ------------------------------------------------------------------------------ */

static void give_back(struct source *source, struct frame_reader *reader)
{
    uv_mutex_lock(&source->mutex);
    STAILQ_INSERT_TAIL(&source->removed, reader, in_commands);
    uv_mutex_unlock(&source->mutex);
    source->news(source->context);
}

/* With its last numbers, if there is room for them. */
static void end_reader(struct source *source, struct frame_reader *reader, enum ring_end end)
{
    reader->is_told = false;
    tell_status(source, reader);
    publish(reader);
    if (capture_writer_end(&reader->writer, end))
        bell_ring(reader->ring.bell.ring);
    give_back(source, reader);
}

static void begin_reader(struct source *source, struct frame_reader *reader)
{
    reader->base = source->status;
    reader->is_told = false;
    if (source->reader_count == SOURCE_READERS_MAX) {
        end_reader(source, reader, RING_END_CLOSED);
        return;
    }
    source->readers[source->reader_count++] = reader;
    tell_status(source, reader);
    publish(reader);
}

static void take_coming(struct source *source)
{
    struct frame_readers coming = STAILQ_HEAD_INITIALIZER(coming);
    struct frame_reader *reader;

    uv_mutex_lock(&source->mutex);
    STAILQ_CONCAT(&coming, &source->coming);
    uv_mutex_unlock(&source->mutex);
    while ((reader = STAILQ_FIRST(&coming))) {
        STAILQ_REMOVE_HEAD(&coming, in_commands);
        count(source);
        begin_reader(source, reader);
    }
}

static void end_those(struct source *source, bool all)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < source->reader_count; i++) {
        struct frame_reader *reader = source->readers[i];
        int end = atomic_load(&reader->end);

        if (end || all)
            end_reader(source, reader, end ? (enum ring_end)end : RING_END_SERVICE);
        else
            source->readers[kept++] = reader;
    }
    source->reader_count = kept;
}

/* #syscalls broker: eventfd2 read write close */
static void take_commands(struct source *source)
{
    uint64_t rung;
    ssize_t taken = read(source->wake, &rung, sizeof rung);

    (void)taken;
    if (!atomic_exchange(&source->is_changed, false))
        return;
    take_coming(source);
    count(source);
    end_those(source, false);
    publish_all(source);
}

static void command(struct source *source)
{
    uint64_t one = 1;
    ssize_t written;

    atomic_store(&source->is_changed, true);
    written = write(source->wake, &one, sizeof one);
    (void)written;
}

/* --- The thread ---------------------------------------------------------------------------- */

/* Who was added before a frame came has it: commands are looked at between. */
static void take_block(struct source *source)
{
    struct packet packet;

    if (atomic_load(&source->is_changed))
        take_commands(source);
    while (packets_next(&source->packets, &packet))
        take_packet(source, &packet);
    publish_all(source);
}

static void turn(struct source *source)
{
    atomic_fetch_add_explicit(&source->turns, 1, memory_order_relaxed);
    if (atomic_load_explicit(&source->is_changed, memory_order_relaxed))
        take_commands(source);
    if (now_ns(CLOCK_MONOTONIC) - source->counted >= COUNT_NS) {
        count(source);
        publish_all(source);
    }
}

static void run(void *context)
{
    struct source *source = context;

    while (!atomic_load(&source->stopping)) {
        turn(source);
        if (packets_next_block(&source->packets))
            take_block(source);
        else
            packets_wait(source->fd, source->wake, TURN_MS);
    }
    take_coming(source);
    count(source);
    end_those(source, true);
    packets_unmap(&source->packets);
    uv_mutex_lock(&source->mutex);
    source->ended = true;
    uv_mutex_unlock(&source->mutex);
    source->news(source->context);
}

/* --- The loop's side ----------------------------------------------------------------------- */

static void destroy(struct source *source)
{
    packets_unmap(&source->packets);
    close(source->wake);
    uv_mutex_destroy(&source->mutex);
    free(source);
}

static int prepare(struct source *source)
{
    int result = packets_map(&source->packets, source->fd);

    source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (result == 0 && source->wake < 0)
        result = -errno;
    if (result == 0)
        result = uv_thread_create(&source->thread, run, source);
    return result;
}

struct source *source_start(const struct packets_config *config, int fd, bool is_up,
                            void (*wake)(void *context), void *context, int *ret_error)
{
    struct source *source = calloc(1, sizeof *source);

    *ret_error = -ENOMEM;
    if (!source) {
        close(fd);
        return NULL;
    }
    source->config = *config;
    source->fd = fd;
    source->news = wake;
    source->context = context;
    source->status.iface_is_up = is_up;
    STAILQ_INIT(&source->coming);
    STAILQ_INIT(&source->removed);
    atomic_init(&source->is_up, is_up);
    uv_mutex_init(&source->mutex);
    *ret_error = prepare(source);
    if (*ret_error == 0)
        return source;
    close(fd);
    destroy(source);
    return NULL;
}

/* The client may look before the thread does. */
void source_add(struct source *source, struct frame_reader *reader)
{
    struct capture_memory memory = shared_ring_memory(&reader->ring);

    capture_writer_init(&reader->writer, &memory, now_ns(CLOCK_REALTIME));
    uv_mutex_lock(&source->mutex);
    STAILQ_INSERT_TAIL(&source->coming, reader, in_commands);
    uv_mutex_unlock(&source->mutex);
    command(source);
}

void source_remove(struct source *source, struct frame_reader *reader, enum ring_end end)
{
    atomic_store(&reader->end, (int)end);
    command(source);
}

void source_take_removed(struct source *source, struct frame_readers *ret)
{
    uv_mutex_lock(&source->mutex);
    STAILQ_CONCAT(ret, &source->removed);
    uv_mutex_unlock(&source->mutex);
}

void source_set_up(struct source *source, bool is_up)
{
    if (atomic_exchange(&source->is_up, is_up) != is_up)
        command(source);
}

void source_stop(struct source *source)
{
    atomic_store(&source->stopping, true);
    command(source);
}

bool source_has_ended(struct source *source)
{
    bool ended;

    uv_mutex_lock(&source->mutex);
    ended = source->ended;
    uv_mutex_unlock(&source->mutex);
    return ended;
}

int source_free(struct source *source)
{
    int fd = source->fd;

    uv_thread_join(&source->thread);
    destroy(source);
    return fd;
}

uint64_t source_turns(const struct source *source)
{
    return atomic_load_explicit(&source->turns, memory_order_relaxed);
}

uint64_t source_fenced(const struct source *source)
{
    return atomic_load_explicit(&source->fenced, memory_order_relaxed);
}
