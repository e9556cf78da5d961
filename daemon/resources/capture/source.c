#include "source.h"

#include "filter/filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    COUNT_NS = 500000000, /* numbers are told also without frames */
    ADDRESSES = 12,
    TAGS_MAX = 2,
};

struct source {
    struct worker worker;
    struct packets_config config;
    int fd;

    _Atomic bool is_up;
    _Atomic uint64_t fenced;

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

static struct frame_reader *reader_of(struct worker_item *item)
{
    return item ? (struct frame_reader *)((char *)item - offsetof(struct frame_reader, item))
                : NULL;
}

/* With its last numbers, if there is room for them. */
static void end_reader(struct source *source, struct frame_reader *reader, enum ring_end end)
{
    reader->is_told = false;
    tell_status(source, reader);
    publish(reader);
    if (capture_writer_end(&reader->writer, end))
        bell_ring(reader->ring.bell.ring);
    worker_give_back(&source->worker, &reader->item);
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
    struct frame_reader *reader;

    while ((reader = reader_of(worker_next_given(&source->worker)))) {
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

static void take_commands(struct source *source)
{
    if (!worker_take_command(&source->worker))
        return;
    take_coming(source);
    count(source);
    end_those(source, false);
    publish_all(source);
}

/* --- The thread ---------------------------------------------------------------------------- */

/* Who was added before a frame came has it: commands are looked at between. */
static void take_block(struct source *source)
{
    struct packet packet;

    take_commands(source);
    while (packets_next(&source->packets, &packet))
        take_packet(source, &packet);
    publish_all(source);
}

static void turn(struct source *source)
{
    take_commands(source);
    if (now_ns(CLOCK_MONOTONIC) - source->counted >= COUNT_NS) {
        count(source);
        publish_all(source);
    }
    if (packets_next_block(&source->packets)) {
        take_block(source);
        return;
    }
    packets_wait(source->fd, source->worker.wake, WORKER_TURN_MS);
    worker_woken(&source->worker);
}

static void run(void *context)
{
    struct source *source = context;

    while (worker_begins_turn(&source->worker))
        turn(source);
    take_coming(source);
    count(source);
    end_those(source, true);
    packets_unmap(&source->packets);
    worker_end(&source->worker);
}

/* --- The loop's side ----------------------------------------------------------------------- */

/* #syscalls broker: close */
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
    source->status.iface_is_up = is_up;
    atomic_init(&source->is_up, is_up);
    *ret_error = packets_map(&source->packets, fd);
    if (*ret_error == 0)
        *ret_error = worker_start(&source->worker, run, source, wake, context);
    if (*ret_error == 0)
        return source;
    packets_unmap(&source->packets);
    close(fd);
    free(source);
    return NULL;
}

/* The client may look before the thread does. */
void source_add(struct source *source, struct frame_reader *reader)
{
    struct capture_memory memory = shared_ring_memory(&reader->ring);

    capture_writer_init(&reader->writer, &memory, now_ns(CLOCK_REALTIME));
    worker_give(&source->worker, &reader->item);
}

void source_remove(struct source *source, struct frame_reader *reader, enum ring_end end)
{
    atomic_store(&reader->end, (int)end);
    worker_command(&source->worker);
}

struct frame_reader *source_next_removed(struct source *source)
{
    return reader_of(worker_next_returned(&source->worker));
}

void source_set_up(struct source *source, bool is_up)
{
    if (atomic_exchange(&source->is_up, is_up) != is_up)
        worker_command(&source->worker);
}

void source_stop(struct source *source)
{
    worker_stop(&source->worker);
}

bool source_has_ended(struct source *source)
{
    return worker_has_ended(&source->worker);
}

int source_free(struct source *source)
{
    int fd = source->fd;

    worker_free(&source->worker);
    free(source);
    return fd;
}

bool source_is_stuck(struct source *source)
{
    return worker_is_stuck(&source->worker);
}

uint64_t source_fenced(const struct source *source)
{
    return atomic_load_explicit(&source->fenced, memory_order_relaxed);
}
