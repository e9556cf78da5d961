#include "timed_queue.h"

#include "platform/realtime.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    QUEUE_LEAST = 1 << 18, /* bytes: 0.2 s of 4800 small frames a second, and more */
    FRAMES_LEAST = 4,
    FILLER = UINT32_MAX, /* a length: there is nothing up to the end of the memory */
};

static uint64_t bytes_of(uint32_t length)
{
    return (sizeof(struct timed_record) + (uint64_t)length + RING_ALIGN - 1) &
           ~(uint64_t)(RING_ALIGN - 1);
}

uint64_t timed_queue_size(uint32_t length_max)
{
    uint64_t size = QUEUE_LEAST;

    while (size < FRAMES_LEAST * bytes_of(length_max))
        size *= 2;
    return size;
}

/* #syscalls broker: mmap munmap */
int timed_queue_make(struct timed_queue *queue, uint64_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    *queue = (struct timed_queue){.size = size};
    if (memory == MAP_FAILED)
        return -errno;
    queue->memory = memory;
    queue->is_locked = realtime_lock(memory, size) == 0;
    return 0;
}

void timed_queue_free(struct timed_queue *queue)
{
    if (queue->memory)
        munmap(queue->memory, queue->size);
    queue->memory = NULL;
}

static struct timed_record *record_at(const struct timed_queue *queue, uint64_t position)
{
    return (struct timed_record *)(void *)(queue->memory + (position & (queue->size - 1)));
}

static uint64_t left_behind(const struct timed_queue *queue, uint64_t position)
{
    return queue->size - (position & (queue->size - 1));
}

/* --- The writer ---------------------------------------------------------------------------- */

static uint64_t head_of(const struct timed_queue *queue)
{
    return atomic_load_explicit(&queue->head, memory_order_relaxed);
}

/* As if what is left at the end were of no use. */
bool timed_queue_has_room(const struct timed_queue *queue, uint32_t length)
{
    uint64_t head = head_of(queue), bytes = bytes_of(length);

    if (left_behind(queue, head) < bytes)
        bytes += left_behind(queue, head);
    return bytes <= queue->size - (head - queue->reaped);
}

/* Where a record of so many bytes lies, with a filler before it if it does not fit to the end. */
static uint64_t place_for(const struct timed_queue *queue, uint64_t head, uint64_t bytes)
{
    uint64_t left = left_behind(queue, head);

    if (left >= bytes)
        return head;
    if (left >= sizeof(struct timed_record))
        record_at(queue, head)->frame.length = FILLER;
    return head + left;
}

static void put(struct timed_queue *queue, const struct transmit_frame *frame,
                const unsigned char *bytes, bool needs_own)
{
    uint64_t at = place_for(queue, head_of(queue), bytes_of(frame->length));
    struct timed_record *record = record_at(queue, at);

    record->frame = *frame;
    record->needs_own = needs_own;
    memcpy(record + 1, bytes, frame->length);
    atomic_store_explicit(&queue->head, at + bytes_of(frame->length), memory_order_release);
}

void timed_queue_put(struct timed_queue *queue, const struct transmit_frame *frame,
                     const unsigned char *bytes)
{
    put(queue, frame, bytes, false);
}

void timed_queue_put_own(struct timed_queue *queue, const struct transmit_frame *frame,
                         const unsigned char *bytes)
{
    put(queue, frame, bytes, true);
}

void timed_queue_own_changed(struct timed_queue *queue)
{
    atomic_store_explicit(&queue->own_from, head_of(queue), memory_order_release);
}

/* Beyond a filler, if there is one. */
static uint64_t skip_filler(const struct timed_queue *queue, uint64_t at)
{
    uint64_t left = left_behind(queue, at);

    if (left < sizeof(struct timed_record) || record_at(queue, at)->frame.length == FILLER)
        return at + left;
    return at;
}

bool timed_queue_reap(struct timed_queue *queue, struct timed_record *ret)
{
    uint64_t done = atomic_load_explicit(&queue->done, memory_order_acquire);

    if (queue->reaped == done)
        return false;
    queue->reaped = skip_filler(queue, queue->reaped);
    *ret = *record_at(queue, queue->reaped);
    queue->reaped += bytes_of(ret->frame.length);
    return true;
}

/* --- The sender ---------------------------------------------------------------------------- */

static uint64_t done_of(const struct timed_queue *queue)
{
    return atomic_load_explicit(&queue->done, memory_order_relaxed);
}

static bool next(void *supply, const struct timed_moment *moment, struct timed_frame *ret)
{
    struct timed_queue *queue = supply;
    uint64_t at = done_of(queue);
    struct timed_record *record;

    (void)moment;
    if (at == atomic_load_explicit(&queue->head, memory_order_acquire))
        return false;
    record = record_at(queue, skip_filler(queue, at));
    *ret = (struct timed_frame){record->frame.time, record->frame.length, 1,
                                (const unsigned char *)(record + 1)};
    return true;
}

static void done(void *supply, const struct timed_outcome *outcome)
{
    struct timed_queue *queue = supply;
    uint64_t at = skip_filler(queue, done_of(queue));
    struct timed_record *record = record_at(queue, at);

    record->outcome = *outcome;
    atomic_store_explicit(&queue->done, at + bytes_of(record->frame.length), memory_order_release);
}

enum transmit_refusal_reason timed_queue_judge(void *supply)
{
    const struct timed_queue *queue = supply;
    const struct timed_record *record = record_at(queue, skip_filler(queue, done_of(queue)));
    uint64_t own_from = atomic_load_explicit(&queue->own_from, memory_order_acquire);

    return record->needs_own && done_of(queue) < own_from ? TRANSMIT_SOURCE : TRANSMIT_SENT;
}

const struct timed_supply_ops timed_queue_supply = {next, done};
