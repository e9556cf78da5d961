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
    *ring =
        (struct timed_ring){.seat = {.timed = timed, .config = *config}, .length_max = length_max};
    ring->seat.config.ops = &timed_queue_supply;
    ring->seat.config.supply = &ring->queue;
    ring->seat.config.judge = timed_queue_judge;
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

bool timed_ring_join(struct timed_ring *ring, int fd, timed_send send)
{
    return timed_seat_join(&ring->seat, fd, send);
}

bool timed_ring_has_room(const struct timed_ring *ring)
{
    return !ring->seat.is_leaving && timed_queue_has_room(&ring->queue, ring->length_max);
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
    ring->has_news = true;
    ring->waiting++;
    return TRANSMIT_SENT;
}

void timed_ring_own_changed(struct timed_ring *ring)
{
    timed_queue_own_changed(&ring->queue);
}

void timed_ring_publish(struct timed_ring *ring)
{
    if (ring->has_news)
        timed_wake(ring->seat.timed);
    ring->has_news = false;
}

/* --- What became of frames ----------------------------------------------------------------- */

void timed_ring_settle(struct timed_ring *ring, struct transmit_reader *reader)
{
    struct timed_record record;

    for (; timed_queue_reap(&ring->queue, &record); ring->waiting--)
        transmit_reader_judge_timed(reader, &record.frame, record.outcome.reason,
                                    record.outcome.lateness);
    timed_seat_settle(&ring->seat, reader);
}

uint64_t timed_ring_wait(const struct timed_ring *ring)
{
    const uint64_t least = (uint64_t)TIMED_SETTLE_MS * NS_PER_MS;
    const uint64_t most = (uint64_t)TIMED_SETTLE_MOST_MS * NS_PER_MS;
    uint64_t half = ring->waiting * NS_PER_MS * 500 / ring->seat.config.rate;

    if (ring->waiting == 0 && !ring->seat.is_leaving)
        return TIMED_NEVER;
    if (half < least || ring->seat.is_leaving)
        return least;
    return half < most ? half : most;
}

bool timed_ring_leave(struct timed_ring *ring)
{
    return timed_seat_leave(&ring->seat);
}
