#include "timed_seat.h"

static uint64_t look(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

bool timed_seat_join(struct timed_seat *seat, int fd, timed_send send)
{
    seat->config.fd = fd;
    seat->config.send = send;
    seat->stalls = look(&seat->timed->stalls);
    seat->stalled_ns = look(&seat->timed->stalled_ns);
    seat->stream = timed_add(seat->timed, &seat->config);
    return seat->stream != NULL;
}

static void tell_start(struct timed_seat *seat, struct transmit_reader *reader)
{
    uint64_t started = seat->knows_start ? 0 : look(&seat->stream->started);

    if (started == 0)
        return;
    transmit_reader_started(reader, started);
    seat->knows_start = true;
}

static void tell_stalls(struct timed_seat *seat, struct transmit_reader *reader)
{
    uint64_t stalls = look(&seat->timed->stalls), ns = look(&seat->timed->stalled_ns);

    transmit_reader_stalled(reader, stalls - seat->stalls, ns - seat->stalled_ns);
    seat->stalls = stalls;
    seat->stalled_ns = ns;
}

void timed_seat_settle(struct timed_seat *seat, struct transmit_reader *reader)
{
    if (!seat->stream)
        return;
    tell_start(seat, reader);
    tell_stalls(seat, reader);
}

bool timed_seat_leave(struct timed_seat *seat)
{
    if (!seat->stream)
        return true;
    if (!seat->is_leaving)
        timed_remove(seat->timed, seat->stream);
    seat->is_leaving = true;
    if (!timed_has_left(seat->timed, seat->stream))
        return false;
    timed_free(seat->timed, seat->stream);
    seat->stream = NULL;
    return true;
}
