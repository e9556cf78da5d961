#include "sender.h"

#include "platform/injection.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROOM_PART = 4, /* of a ring */
    NS_PER_MS = 1000000,
};

struct sender {
    struct worker worker;
    int fd;

    /* The thread's own. */
    struct outlet *outlets[SENDER_OUTLETS_MAX];
    unsigned outlet_count;
    uint8_t own[FRAME_MAC_BYTES]; /* the address of the interface */
    struct pollfd polled[1 + SENDER_OUTLETS_MAX];
    unsigned char frame[INJECT_FRAME_MAX]; /* the copy that is judged and sent */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- Frames -------------------------------------------------------------------------------- */

static enum transmit_refusal_reason judge(const struct sender *sender, const struct outlet *outlet,
                                          uint32_t length)
{
    static const enum transmit_refusal_reason reasons[] = {
        [FRAME_RIGHT] = TRANSMIT_SENT,
        [FRAME_TOO_SHORT] = TRANSMIT_TOO_SHORT,
        [FRAME_WRONG_SOURCE] = TRANSMIT_SOURCE,
        [FRAME_WRONG_DESTINATION] = TRANSMIT_DESTINATION,
        [FRAME_WRONG_ETHERTYPE] = TRANSMIT_ETHERTYPE,
        [FRAME_WRONG_VLAN] = TRANSMIT_VLAN,
    };
    const struct frame_grant grant = {
        .scope = &outlet->scope,
        .ethertypes = outlet->ethertypes.types,
        .ethertype_count = outlet->ethertypes.count,
        .own = sender->own,
    };

    return reasons[frame_judge(&grant, sender->frame, length)];
}

static enum transmit_refusal_reason reason_of(int result)
{
    static const struct {
        int result;
        enum transmit_refusal_reason reason;
    } reasons[] = {
        {0, TRANSMIT_SENT},
        {-ENETDOWN, TRANSMIT_DOWN},
        {-EMSGSIZE, TRANSMIT_TOO_LONG},
        {-EINVAL, TRANSMIT_TOO_SHORT},
    };

    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].result == result)
            return reasons[i].reason;
    return TRANSMIT_KERNEL;
}

/* *full: the milliseconds that this turn may still wait for the kernel. */
static enum transmit_refusal_reason send_frame(const struct sender *sender, uint32_t length,
                                               int *full)
{
    int result = injection_send(sender->fd, sender->frame, length);

    while (result == -EAGAIN && (*full)-- > 0) {
        injection_wait(sender->fd, 1);
        result = injection_send(sender->fd, sender->frame, length);
    }
    return reason_of(result);
}

static void tell_counts(struct outlet *outlet)
{
    const struct transmit_counts *counts = &outlet->reader.counts;

    atomic_store_explicit(&outlet->sent, counts->sent, memory_order_relaxed);
    atomic_store_explicit(&outlet->sent_bytes, counts->sent_bytes, memory_order_relaxed);
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        atomic_store_explicit(&outlet->refused[i], counts->refused[i], memory_order_relaxed);
}

static uint32_t frames_of_turn(struct outlet *outlet)
{
    uint64_t frames = rate_frames(&outlet->rate, now_ns());

    return frames < SENDER_TURN_FRAMES ? (uint32_t)frames : SENDER_TURN_FRAMES;
}

static void take_frames(struct sender *sender, struct outlet *outlet)
{
    struct transmit_frame frame;
    enum transmit_next next;
    int full = SENDER_FULL_MS;

    while ((next = transmit_reader_next(&outlet->reader, sender->frame, &frame)) <=
           TRANSMIT_REFUSED) {
        enum transmit_refusal_reason reason;

        if (next == TRANSMIT_REFUSED)
            continue;
        reason = judge(sender, outlet, frame.length);
        if (reason == TRANSMIT_SENT)
            reason = send_frame(sender, frame.length, &full);
        transmit_reader_judge(&outlet->reader, &frame, reason);
    }
}

static void release(struct outlet *outlet)
{
    outlet->released = outlet->reader.tail;
    tell_counts(outlet);
    if (transmit_reader_release(&outlet->reader))
        bell_ring(outlet->ring.room.ring);
}

/* A client that waits for room is woken for a part of the ring, not for each turn; but as soon as
 * all was read. */
static bool is_worth_a_word(const struct outlet *outlet)
{
    const struct transmit_reader *reader = &outlet->reader;

    return reader->tail == reader->head ||
           reader->tail - outlet->released >= reader->memory.size / ROOM_PART;
}

/* --- Frames that have a time ---------------------------------------------------------------- */

/* By the timed sender, which waits for nothing. */
static enum transmit_refusal_reason send_timed(int fd, const unsigned char *bytes, uint32_t length)
{
    return reason_of(injection_send(fd, bytes, length));
}

/* Judges them ahead of their time. */
static uint64_t take_timed(struct sender *sender, struct outlet *outlet)
{
    struct transmit_frame frame;
    enum transmit_next next;
    uint64_t frames = 0;

    for (;
         timed_ring_has_room(outlet->timed) &&
         (next = transmit_reader_next(&outlet->reader, sender->frame, &frame)) <= TRANSMIT_REFUSED;
         frames++) {
        enum transmit_refusal_reason reason;

        if (next == TRANSMIT_REFUSED)
            continue;
        reason = judge(sender, outlet, frame.length);
        if (reason == TRANSMIT_SENT)
            reason = timed_ring_take(outlet->timed, &frame, sender->frame);
        if (reason != TRANSMIT_SENT)
            transmit_reader_judge(&outlet->reader, &frame, reason);
    }
    timed_ring_publish(outlet->timed);
    return frames;
}

static uint64_t serve_timed(struct sender *sender, struct outlet *outlet)
{
    uint64_t before = outlet->reader.counts.judged, frames = 0;

    timed_ring_settle(outlet->timed, &outlet->reader);
    if (timed_ring_has_room(outlet->timed) &&
        transmit_reader_turn(&outlet->reader, SENDER_TURN_FRAMES, SENDER_TURN_BYTES))
        frames = take_timed(sender, outlet);
    if (frames > 0 || outlet->reader.counts.judged > before)
        release(outlet);
    return frames;
}

/* --- Streams that are made here -------------------------------------------------------------- */

/* Only a template is a frame. */
static enum transmit_refusal_reason take_record(struct sender *sender, struct outlet *outlet,
                                                const struct transmit_frame *record)
{
    enum transmit_refusal_reason reason = TRANSMIT_SENT;

    if (record->record == STREAM_TEMPLATE)
        reason = judge(sender, outlet, record->length);
    if (reason == TRANSMIT_SENT)
        reason = template_ring_take(outlet->template, record, sender->frame);
    return reason;
}

static uint64_t take_records(struct sender *sender, struct outlet *outlet)
{
    struct transmit_frame record;
    enum transmit_next next;
    uint64_t records = 0;

    for (;
         template_ring_has_room(outlet->template, now_ns()) &&
         (next = transmit_reader_next(&outlet->reader, sender->frame, &record)) <= TRANSMIT_REFUSED;
         records++) {
        enum transmit_refusal_reason reason;

        if (next == TRANSMIT_REFUSED)
            continue;
        reason = take_record(sender, outlet, &record);
        if (reason != TRANSMIT_SENT)
            transmit_reader_judge(&outlet->reader, &record, reason);
    }
    template_ring_publish(outlet->template);
    return records;
}

static uint64_t serve_template(struct sender *sender, struct outlet *outlet)
{
    bool is_new = template_ring_settle(outlet->template, &outlet->reader);
    uint64_t records = 0;

    if (template_ring_has_room(outlet->template, now_ns()) &&
        transmit_reader_turn(&outlet->reader, SENDER_TURN_FRAMES, SENDER_TURN_BYTES))
        records = take_records(sender, outlet);
    if (records > 0 || is_new)
        release(outlet);
    return records;
}

/* --- Turns --------------------------------------------------------------------------------- */

/* One turn of an outlet. Returns how many frames it had. */
static uint64_t serve(struct sender *sender, struct outlet *outlet)
{
    uint64_t before = outlet->reader.counts.judged, frames;
    uint32_t most;

    if (outlet->template)
        return serve_template(sender, outlet);
    if (outlet->timed)
        return serve_timed(sender, outlet);
    most = frames_of_turn(outlet);
    if (most == 0 || !transmit_reader_turn(&outlet->reader, most, SENDER_TURN_BYTES))
        return 0;
    take_frames(sender, outlet);
    frames = outlet->reader.counts.judged - before;
    if (frames == 0)
        return 0;
    rate_take(&outlet->rate, frames);
    if (most < SENDER_TURN_FRAMES || is_worth_a_word(outlet))
        release(outlet);
    return frames;
}

static bool serve_all(struct sender *sender)
{
    uint64_t frames = 0;

    if (sender->outlet_count > 0)
        injection_address(sender->fd, sender->own);
    for (unsigned i = 0; i < sender->outlet_count; i++)
        frames += serve(sender, sender->outlets[i]);
    return frames > 0;
}

/* --- Commands ------------------------------------------------------------------------------ */

static struct outlet *outlet_of(struct worker_item *item)
{
    return item ? (struct outlet *)((char *)item - offsetof(struct outlet, item)) : NULL;
}

/* The client is woken in any case: it may wait for anything. */
static void end_outlet(struct sender *sender, struct outlet *outlet, enum ring_end end)
{
    if (outlet->timed)
        timed_ring_settle(outlet->timed, &outlet->reader);
    if (outlet->template)
        template_ring_settle(outlet->template, &outlet->reader);
    transmit_reader_end(&outlet->reader, end);
    atomic_store(&outlet->end, (int)outlet->reader.end);
    release(outlet);
    bell_ring(outlet->ring.room.ring);
    worker_give_back(&sender->worker, &outlet->item);
}

static bool join(const struct sender *sender, struct outlet *outlet)
{
    if (outlet->template)
        return template_ring_join(outlet->template, sender->fd, send_timed, now_ns());
    return !outlet->timed || timed_ring_join(outlet->timed, sender->fd, send_timed);
}

static void begin_outlet(struct sender *sender, struct outlet *outlet)
{
    rate_begin(&outlet->rate, outlet->per_second, now_ns());
    outlet->released = 0;
    outlet->is_mute = false;
    if (sender->outlet_count == SENDER_OUTLETS_MAX || !join(sender, outlet))
        end_outlet(sender, outlet, RING_END_CLOSED);
    else
        sender->outlets[sender->outlet_count++] = outlet;
}

static void take_coming(struct sender *sender)
{
    struct outlet *outlet;

    while ((outlet = outlet_of(worker_next_given(&sender->worker))))
        begin_outlet(sender, outlet);
}

/* The timed sender gives it back between two frames. */
static bool has_left(struct outlet *outlet)
{
    if (outlet->template)
        return template_ring_leave(outlet->template);
    return !outlet->timed || timed_ring_leave(outlet->timed);
}

/* Those that are to end, and those whose clients have written what cannot be. */
static void end_those(struct sender *sender, bool all)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < sender->outlet_count; i++) {
        struct outlet *outlet = sender->outlets[i];
        int end = atomic_load_explicit(&outlet->end, memory_order_relaxed);

        if ((end || all || outlet->reader.end != RING_GOES_ON) && has_left(outlet))
            end_outlet(sender, outlet, end ? (enum ring_end)end : RING_END_SERVICE);
        else
            sender->outlets[kept++] = outlet;
    }
    sender->outlet_count = kept;
}

/* --- Waiting ------------------------------------------------------------------------------- */

/* What became of frames is looked for while there are some; while there is no room for more, the
 * bell does not matter. */
static uint64_t wait_for_timed(struct outlet *outlet, struct pollfd *polled)
{
    bool looks = outlet->timed->waiting > 0 || outlet->timed->seat.is_leaving;

    *polled = (struct pollfd){.fd = -1, .events = POLLIN};
    if (timed_ring_has_room(outlet->timed)) {
        if (!transmit_reader_wait(&outlet->reader))
            return 0;
        if (!outlet->is_mute)
            polled->fd = outlet->ring.bell.wait;
    }
    return (uint64_t)(looks ? TIMED_SETTLE_MS : WORKER_TURN_MS) * NS_PER_MS;
}

/* As with those whose frames have times; what becomes of frames is looked for all the time. */
static uint64_t wait_for_template(struct outlet *outlet, struct pollfd *polled)
{
    *polled = (struct pollfd){.fd = -1, .events = POLLIN};
    if (template_ring_has_room(outlet->template, now_ns())) {
        if (!transmit_reader_wait(&outlet->reader))
            return 0;
        if (!outlet->is_mute)
            polled->fd = outlet->ring.bell.wait;
    }
    return (uint64_t)TEMPLATE_SETTLE_MS * NS_PER_MS;
}

/* Until when to wait for it, in ns from now; 0: not at all. One whose rate is used up is not waited
 * for by its bell. */
static uint64_t wait_for(struct outlet *outlet, struct pollfd *polled)
{
    uint64_t wait;

    if (outlet->template)
        return wait_for_template(outlet, polled);
    if (outlet->timed)
        return wait_for_timed(outlet, polled);
    wait = rate_frames(&outlet->rate, now_ns()) ? 0 : rate_wait(&outlet->rate);
    *polled = (struct pollfd){.fd = -1, .events = POLLIN};
    if (wait > 0)
        return wait;
    if (!transmit_reader_wait(&outlet->reader))
        return 0;
    if (!outlet->is_mute)
        polled->fd = outlet->ring.bell.wait;
    return (uint64_t)WORKER_TURN_MS * NS_PER_MS;
}

static void clear_bells(struct sender *sender)
{
    for (unsigned i = 0; i < sender->outlet_count; i++)
        if (sender->polled[1 + i].revents)
            sender->outlets[i]->is_mute = !bell_clear(sender->outlets[i]->ring.bell.wait);
}

/* #syscalls broker: poll ppoll ppoll_time64 close */
static void wait_for_all(struct sender *sender)
{
    uint64_t least = (uint64_t)WORKER_TURN_MS * NS_PER_MS;

    sender->polled[0] = (struct pollfd){.fd = sender->worker.wake, .events = POLLIN};
    for (unsigned i = 0; i < sender->outlet_count && least > 0; i++) {
        uint64_t wait = wait_for(sender->outlets[i], &sender->polled[1 + i]);

        least = wait < least ? wait : least;
    }
    if (least == 0)
        return;
    poll(sender->polled, 1 + sender->outlet_count, (int)((least + NS_PER_MS - 1) / NS_PER_MS));
    clear_bells(sender);
    if (sender->polled[0].revents)
        worker_woken(&sender->worker);
}

/* --- The thread ---------------------------------------------------------------------------- */

static void turn(struct sender *sender)
{
    if (worker_take_command(&sender->worker))
        take_coming(sender);
    end_those(sender, false);
    if (!serve_all(sender))
        wait_for_all(sender);
}

static void run(void *context)
{
    struct sender *sender = context;

    while (worker_begins_turn(&sender->worker))
        turn(sender);
    take_coming(sender);
    for (end_those(sender, true); sender->outlet_count > 0; end_those(sender, true))
        poll(NULL, 0, 1);
    worker_end(&sender->worker);
}

/* --- The loop's side ----------------------------------------------------------------------- */

struct sender *sender_start(int fd, void (*news)(void *context), void *context, int *ret_error)
{
    struct sender *sender = calloc(1, sizeof *sender);

    *ret_error = -ENOMEM;
    if (sender) {
        sender->fd = fd;
        *ret_error = worker_start(&sender->worker, run, sender, news, context);
    }
    if (*ret_error == 0)
        return sender;
    close(fd);
    free(sender);
    return NULL;
}

/* The client may look before the thread does. */
void sender_add(struct sender *sender, struct outlet *outlet)
{
    struct transmit_memory memory = inject_ring_memory(&outlet->ring);

    transmit_reader_init(&outlet->reader, &memory);
    outlet->reader.has_records = outlet->template != NULL;
    worker_give(&sender->worker, &outlet->item);
}

void sender_remove(struct sender *sender, struct outlet *outlet, enum ring_end end)
{
    atomic_store(&outlet->end, (int)end);
    worker_command(&sender->worker);
}

struct outlet *sender_next_removed(struct sender *sender)
{
    return outlet_of(worker_next_returned(&sender->worker));
}

void sender_stop(struct sender *sender)
{
    worker_stop(&sender->worker);
}

bool sender_has_ended(struct sender *sender)
{
    return worker_has_ended(&sender->worker);
}

int sender_free(struct sender *sender)
{
    int fd = sender->fd;

    worker_free(&sender->worker);
    free(sender);
    return fd;
}

bool sender_is_stuck(struct sender *sender)
{
    return worker_is_stuck(&sender->worker);
}

uint64_t outlet_sent(const struct outlet *outlet)
{
    return atomic_load_explicit(&outlet->sent, memory_order_relaxed);
}

uint64_t outlet_refused(const struct outlet *outlet)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        count += atomic_load_explicit(&outlet->refused[i], memory_order_relaxed);
    return count;
}
