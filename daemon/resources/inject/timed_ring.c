#include "timed_ring.h"

#include <stdlib.h>

enum { NS_PER_MS = 1000000 };

uint64_t timed_ring_bytes(uint32_t length_max)
{
    return sizeof(struct timed_ring) + timed_queue_size(length_max);
}

struct timed_ring *timed_ring_make(struct timed *timed, const struct timed_config *config,
                                   uint32_t length_max)
{
    struct timed_ring *ring = aligned_alloc(_Alignof(struct timed_ring), sizeof *ring);

    if (!ring)
        return NULL;
    *ring = (struct timed_ring){.timed = timed, .config = *config, .length_max = length_max};
    ring->config.ops = &timed_queue_supply;
    ring->config.supply = &ring->queue;
    ring->config.judge = timed_queue_judge;
    rate_begin(&ring->rate, config->rate, 0);
    if (timed_queue_make(&ring->queue, timed_queue_size(length_max)) == 0)
        return ring;
    free(ring);
    return NULL;
}

void timed_ring_free(struct timed_ring *ring)
{
    if (ring)
        timed_queue_free(&ring->queue);
    free(ring);
}

static uint64_t look(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

bool timed_ring_join(struct timed_ring *ring, int fd, timed_send send)
{
    ring->config.fd = fd;
    ring->config.send = send;
    ring->stalls = look(&ring->timed->stalls);
    ring->stalled_ns = look(&ring->timed->stalled_ns);
    ring->stream = timed_add(ring->timed, &ring->config);
    return ring->stream != NULL;
}

bool timed_ring_has_room(const struct timed_ring *ring)
{
    return !ring->is_leaving && timed_queue_has_room(&ring->queue, ring->length_max);
}

static enum transmit_refusal_reason judge_time(struct timed_ring *ring, uint64_t time)
{
    if (time < ring->last || time > TIMED_TIME_MAX)
        return TRANSMIT_TIME;
    if (rate_frames(&ring->rate, time) == 0)
        return TRANSMIT_RATE;
    ring->last = time;
    rate_take(&ring->rate, 1);
    return TRANSMIT_SENT;
}

enum transmit_refusal_reason timed_ring_take(struct timed_ring *ring,
                                             const struct transmit_frame *frame,
                                             const unsigned char *bytes, bool needs_own)
{
    enum transmit_refusal_reason reason = judge_time(ring, frame->time);

    if (reason != TRANSMIT_SENT)
        return reason;
    (needs_own ? timed_queue_put_own : timed_queue_put)(&ring->queue, frame, bytes);
    ring->waiting++;
    return TRANSMIT_SENT;
}

void timed_ring_own_changed(struct timed_ring *ring)
{
    timed_queue_own_changed(&ring->queue);
}

void timed_ring_publish(struct timed_ring *ring)
{
    timed_wake(ring->timed);
}

/* --- What became of frames ----------------------------------------------------------------- */

static void tell_start(struct timed_ring *ring, struct transmit_reader *reader)
{
    uint64_t started = ring->knows_start ? 0 : look(&ring->stream->started);

    if (started == 0)
        return;
    transmit_reader_started(reader, started);
    ring->knows_start = true;
}

static void tell_stalls(struct timed_ring *ring, struct transmit_reader *reader)
{
    uint64_t stalls = look(&ring->timed->stalls), ns = look(&ring->timed->stalled_ns);

    transmit_reader_stalled(reader, stalls - ring->stalls, ns - ring->stalled_ns);
    ring->stalls = stalls;
    ring->stalled_ns = ns;
}

void timed_ring_settle(struct timed_ring *ring, struct transmit_reader *reader)
{
    struct timed_record record;

    for (; timed_queue_reap(&ring->queue, &record); ring->waiting--)
        transmit_reader_judge_timed(reader, &record.frame, record.outcome.reason,
                                    record.outcome.lateness);
    if (!ring->stream)
        return;
    tell_start(ring, reader);
    tell_stalls(ring, reader);
}

uint64_t timed_ring_wait(const struct timed_ring *ring)
{
    const uint64_t least = (uint64_t)TIMED_SETTLE_MS * NS_PER_MS;
    const uint64_t most = (uint64_t)TIMED_SETTLE_MOST_MS * NS_PER_MS;
    uint64_t half = ring->waiting * NS_PER_MS * 500 / ring->config.rate;

    if (ring->waiting == 0 && !ring->is_leaving)
        return TIMED_NEVER;
    if (half < least || ring->is_leaving)
        return least;
    return half < most ? half : most;
}

bool timed_ring_leave(struct timed_ring *ring)
{
    if (!ring->stream)
        return true;
    if (!ring->is_leaving)
        timed_remove(ring->timed, ring->stream);
    ring->is_leaving = true;
    if (!timed_has_left(ring->timed, ring->stream))
        return false;
    timed_free(ring->timed, ring->stream);
    ring->stream = NULL;
    return true;
}
