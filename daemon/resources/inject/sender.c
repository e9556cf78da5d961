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
    TELL_MS = 10,  /* so often a client is told, if not before, */
    WAKE_MS = 100, /* and woken, if it waits */
    FULL_LOOK_MS = 1,
    RINGS_MAX = 1000, /* that are for nothing */
    NS_PER_MS = 1000000,
};

/* Of what the thread waits for. */
enum { WAKE, ROOM, BELLS };

struct sender {
    struct worker worker;
    int fd;

    /* The thread's own. */
    struct outlet *outlets[SENDER_OUTLETS_MAX];
    unsigned outlet_count;
    unsigned first;      /* the outlet that is looked at first */
    uint64_t now;        /* ns: when this pass has begun */
    uint64_t full_since; /* ns: when the kernel's queue was full; 0: it has taken a frame since */
    uint64_t crowded_until; /* ns */
    bool knows_own;
    uint8_t own[FRAME_MAC_BYTES]; /* the address of the interface in this pass */
    struct pollfd polled[BELLS + SENDER_OUTLETS_MAX];
    struct batch batch; /* the copies that are judged and sent */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool has_passed(uint64_t since, unsigned ms, uint64_t now)
{
    return now - since >= (uint64_t)ms * NS_PER_MS;
}

/* --- Frames -------------------------------------------------------------------------------- */

static void tell_own_changed(struct sender *sender)
{
    for (unsigned i = 0; i < sender->outlet_count; i++)
        if (sender->outlets[i]->timed)
            timed_ring_own_changed(sender->outlets[i]->timed);
        else if (sender->outlets[i]->template)
            template_ring_own_changed(sender->outlets[i]->template);
}

/* Once in a pass. */
static void look_for_own(struct sender *sender)
{
    uint8_t before[FRAME_MAC_BYTES];

    if (sender->knows_own)
        return;
    sender->knows_own = true;
    memcpy(before, sender->own, sizeof before);
    injection_address(sender->fd, sender->own);
    if (memcmp(before, sender->own, sizeof before) != 0)
        tell_own_changed(sender);
}

static struct frame_grant grant_of(struct sender *sender, const struct outlet *outlet)
{
    if (outlet->scope.sources.kinds & SOURCES_OWN)
        look_for_own(sender);
    return (struct frame_grant){
        .scope = &outlet->scope,
        .ethertypes = outlet->ethertypes.types,
        .ethertype_count = outlet->ethertypes.count,
        .own = sender->own,
    };
}

/* --- The kernel's queue -------------------------------------------------------------------- */

/* It has taken nothing for so long that it takes nothing. */
static bool is_stuck(const struct sender *sender)
{
    return sender->full_since && has_passed(sender->full_since, SENDER_FULL_MS, sender->now);
}

static bool is_crowded(const struct sender *sender)
{
    return sender->now < sender->crowded_until && sender->outlet_count > 1;
}

static void note_room(struct sender *sender, struct outlet *outlet, bool gives_up)
{
    const struct batch *batch = &sender->batch;

    if (batch->sent > 0)
        sender->full_since = 0;
    outlet->is_held = batch->was_full && !gives_up;
    if (!batch->was_full)
        return;
    sender->crowded_until = sender->now + (uint64_t)SENDER_CROWDED_MS * NS_PER_MS;
    if (!sender->full_since)
        sender->full_since = sender->now;
}

static void take_frames(struct sender *sender, struct outlet *outlet)
{
    const struct frame_grant grant = grant_of(sender, outlet);
    bool gives_up = is_stuck(sender);

    batch_take(&sender->batch, &outlet->reader, &grant);
    batch_send(&sender->batch, &outlet->reader, sender->fd, gives_up);
    note_room(sender, outlet, gives_up);
}

/* --- What is told -------------------------------------------------------------------------- */

static void tell_counts(struct outlet *outlet)
{
    const struct transmit_counts *counts = &outlet->reader.counts;

    atomic_store_explicit(&outlet->sent, counts->sent, memory_order_relaxed);
    atomic_store_explicit(&outlet->sent_bytes, counts->sent_bytes, memory_order_relaxed);
    for (unsigned i = 0; i < TRANSMIT_REASON_COUNT; i++)
        atomic_store_explicit(&outlet->refused[i], counts->refused[i], memory_order_relaxed);
}

static void release(struct outlet *outlet, uint64_t now)
{
    outlet->released = outlet->reader.tail;
    outlet->told = outlet->reader.told;
    outlet->told_at = outlet->released_at = now;
    tell_counts(outlet);
    if (transmit_reader_release(&outlet->reader))
        bell_ring(outlet->ring.room.ring);
}

/* A client that waits is woken for a part of the ring and not for each turn, so that neither side
 * works in small pieces; but as soon as all was read or a frame was refused, and now and then. */
static bool is_worth_waking(const struct outlet *outlet, uint64_t now)
{
    const struct transmit_reader *reader = &outlet->reader;

    return reader->tail == reader->head || reader->told != outlet->told ||
           reader->tail - outlet->released >= reader->memory.size / ROOM_PART ||
           has_passed(outlet->released_at, WAKE_MS, now);
}

/* There is something new; it is told now, where it is not told before long. */
static void tell(struct outlet *outlet, uint64_t now, bool at_once)
{
    if (is_worth_waking(outlet, now)) {
        release(outlet, now);
    } else if (at_once || has_passed(outlet->told_at, TELL_MS, now)) {
        outlet->told_at = now;
        tell_counts(outlet);
        transmit_reader_tell(&outlet->reader);
    }
}

/* --- Frames that have a time ---------------------------------------------------------------- */

/* By the timed sender, which waits for nothing. */
static enum transmit_refusal_reason send_timed(int fd, const unsigned char *bytes, uint32_t length)
{
    return batch_reason(injection_send(fd, bytes, length));
}

/* Judges them ahead of their time. */
static uint64_t take_timed(struct sender *sender, struct outlet *outlet,
                           const struct frame_grant *grant)
{
    unsigned char *bytes = sender->batch.bytes;
    struct transmit_frame frame;
    enum transmit_next next;
    uint64_t frames = 0;

    for (; timed_ring_has_room(outlet->timed) &&
           (next = transmit_reader_next(&outlet->reader, bytes, &frame)) <= TRANSMIT_REFUSED;
         frames++) {
        if (next == TRANSMIT_FRAME)
            frame.reason = batch_judge(grant, bytes, frame.length);
        if (frame.reason == TRANSMIT_SENT)
            frame.reason =
                timed_ring_take(outlet->timed, &frame, bytes, frame_needs_own(grant, bytes));
        if (frame.reason != TRANSMIT_SENT)
            transmit_reader_judge(&outlet->reader, &frame, frame.reason);
    }
    timed_ring_publish(outlet->timed);
    return frames;
}

static uint64_t serve_timed(struct sender *sender, struct outlet *outlet)
{
    const struct frame_grant grant = grant_of(sender, outlet); /* looks for the address as well */
    uint64_t before = outlet->reader.counts.judged, frames = 0;

    timed_ring_settle(outlet->timed, &outlet->reader);
    if (timed_ring_has_room(outlet->timed) &&
        transmit_reader_turn(&outlet->reader, SENDER_TURN_FRAMES, SENDER_TURN_BYTES))
        frames = take_timed(sender, outlet, &grant);
    if (frames > 0 || outlet->reader.counts.judged > before)
        tell(outlet, sender->now, true);
    return frames;
}

/* --- Streams that are made here -------------------------------------------------------------- */

/* Only a template is a frame. */
static enum transmit_refusal_reason take_record(struct outlet *outlet,
                                                const struct frame_grant *grant,
                                                const struct transmit_frame *record,
                                                const unsigned char *bytes)
{
    enum transmit_refusal_reason reason = TRANSMIT_SENT;
    bool needs_own = false;

    if (record->record == STREAM_TEMPLATE) {
        reason = batch_judge(grant, bytes, record->length);
        needs_own = reason == TRANSMIT_SENT && frame_needs_own(grant, bytes);
    }
    if (reason == TRANSMIT_SENT)
        reason = template_ring_take(outlet->template, record, bytes, needs_own);
    return reason;
}

static void refuse_record(struct outlet *outlet, const struct transmit_frame *record)
{
    template_ring_refused(outlet->template);
    transmit_reader_judge(&outlet->reader, record, record->reason);
}

static uint64_t take_records(struct sender *sender, struct outlet *outlet,
                             const struct frame_grant *grant)
{
    struct transmit_frame record;
    enum transmit_next next;
    uint64_t records = 0;

    for (; template_ring_has_room(outlet->template, now_ns()) &&
           (next = transmit_reader_next(&outlet->reader, sender->batch.bytes, &record)) <=
               TRANSMIT_REFUSED;
         records++) {
        if (next == TRANSMIT_FRAME)
            record.reason = take_record(outlet, grant, &record, sender->batch.bytes);
        if (record.reason != TRANSMIT_SENT)
            refuse_record(outlet, &record);
    }
    template_ring_publish(outlet->template);
    return records;
}

static uint64_t serve_template(struct sender *sender, struct outlet *outlet)
{
    const struct frame_grant grant = grant_of(sender, outlet); /* looks for the address as well */
    bool is_new = template_ring_settle(outlet->template, &outlet->reader);
    uint64_t records = 0;

    if (template_ring_has_room(outlet->template, now_ns()) &&
        transmit_reader_turn(&outlet->reader, SENDER_TURN_FRAMES, SENDER_TURN_BYTES))
        records = take_records(sender, outlet, &grant);
    if (records > 0 || is_new)
        release(outlet, sender->now);
    return records;
}

/* --- Turns --------------------------------------------------------------------------------- */

static uint64_t serve_untimed(struct sender *sender, struct outlet *outlet)
{
    uint64_t before = outlet->reader.counts.judged, frames;
    uint64_t rest = rate_frames(&outlet->rate, sender->now);
    uint32_t most = is_crowded(sender) && !is_stuck(sender) ? 1 : SENDER_TURN_FRAMES;

    outlet->is_held = false;
    if (rest == 0 || !transmit_reader_turn(&outlet->reader, rest < most ? (uint32_t)rest : most,
                                           SENDER_TURN_BYTES))
        return 0;
    take_frames(sender, outlet);
    frames = outlet->reader.counts.judged - before;
    rate_take(&outlet->rate, frames);
    if (outlet->reader.tail != outlet->released)
        tell(outlet, sender->now, rest < SENDER_TURN_FRAMES);
    return frames;
}

/* Each frame comes with one ring of the bell at most, which may come late. Who rings more often is
 * not listened to for a while. */
static void note_ring(struct sender *sender, struct outlet *outlet, uint64_t frames)
{
    if (frames > 0)
        outlet->rings =
            frames < RINGS_MAX - outlet->rings ? outlet->rings + (uint32_t)frames : RINGS_MAX;
    else if (outlet->was_rung && outlet->rings > 0)
        outlet->rings--;
    else if (outlet->was_rung)
        outlet->deaf_until = sender->now + (uint64_t)SENDER_DEAF_MS * NS_PER_MS;
    outlet->was_rung = false;
}

/* One turn of an outlet. Returns how many frames it had. */
static uint64_t serve(struct sender *sender, struct outlet *outlet)
{
    uint64_t frames = outlet->template ? serve_template(sender, outlet)
                      : outlet->timed  ? serve_timed(sender, outlet)
                                       : serve_untimed(sender, outlet);

    note_ring(sender, outlet, frames);
    return frames;
}

/* All of them, once. Where one finds no room, the next pass begins with it; else with another one
 * each time. */
static bool serve_all(struct sender *sender)
{
    unsigned first = sender->first, count = sender->outlet_count;
    bool is_full = false;
    uint64_t frames = 0;

    sender->now = now_ns();
    sender->knows_own = false;
    sender->first = first + 1;
    for (unsigned i = 0; i < count; i++) {
        struct outlet *outlet = sender->outlets[(first + i) % count];

        frames += serve(sender, outlet);
        if (outlet->is_held && !is_full)
            sender->first = first + i;
        is_full |= outlet->is_held;
    }
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
    release(outlet, sender->now);
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
    outlet->released = outlet->told = 0;
    outlet->told_at = outlet->released_at = outlet->deaf_until = 0;
    outlet->rings = RINGS_MAX;
    outlet->is_held = outlet->was_rung = outlet->is_mute = false;
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

/* Until when to wait for its bell, or until it is listened to again. */
static uint64_t wait_for_bell(const struct sender *sender, const struct outlet *outlet,
                              struct pollfd *polled)
{
    if (outlet->deaf_until > sender->now)
        return outlet->deaf_until - sender->now;
    if (!outlet->is_mute)
        polled->fd = outlet->ring.bell.wait;
    return (uint64_t)WORKER_TURN_MS * NS_PER_MS;
}

static uint64_t least_of(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* What became of frames is looked for while there are some; while there is no room for more, the
 * bell does not matter. */
static uint64_t wait_for_timed(const struct sender *sender, struct outlet *outlet,
                               struct pollfd *polled)
{
    uint64_t wait = timed_ring_wait(outlet->timed);

    if (!timed_ring_has_room(outlet->timed))
        return wait;
    if (!transmit_reader_wait(&outlet->reader))
        return 0;
    return least_of(wait, wait_for_bell(sender, outlet, polled));
}

/* As with those whose frames have times; what becomes of frames is looked for all the time. */
static uint64_t wait_for_template(const struct sender *sender, struct outlet *outlet,
                                  struct pollfd *polled)
{
    const uint64_t wait = (uint64_t)TEMPLATE_SETTLE_MS * NS_PER_MS;

    if (!template_ring_has_room(outlet->template, sender->now))
        return wait;
    if (!transmit_reader_wait(&outlet->reader))
        return 0;
    return least_of(wait, wait_for_bell(sender, outlet, polled));
}

/* Until when to wait for it, in ns from now; 0: not at all. One whose rate is used up is not waited
 * for by its bell. */
static uint64_t wait_for(struct sender *sender, struct outlet *outlet, struct pollfd *polled)
{
    *polled = (struct pollfd){.fd = -1, .events = POLLIN};
    if (outlet->template)
        return wait_for_template(sender, outlet, polled);
    if (outlet->timed)
        return wait_for_timed(sender, outlet, polled);
    if (outlet->is_held)
        return (uint64_t)FULL_LOOK_MS * NS_PER_MS;
    if (rate_frames(&outlet->rate, sender->now) == 0)
        return rate_wait(&outlet->rate);
    if (!transmit_reader_wait(&outlet->reader))
        return 0;
    return wait_for_bell(sender, outlet, polled);
}

static void clear_bells(struct sender *sender)
{
    for (unsigned i = 0; i < sender->outlet_count; i++) {
        struct outlet *outlet = sender->outlets[i];

        outlet->was_rung = sender->polled[BELLS + i].revents != 0;
        if (outlet->was_rung)
            outlet->is_mute = !bell_clear(outlet->ring.bell.wait);
    }
}

/* Room in the kernel's queue ends the wait, where something tells of it. */
static struct pollfd room_of(const struct sender *sender)
{
    bool is_full = false;

    for (unsigned i = 0; i < sender->outlet_count; i++)
        is_full |= sender->outlets[i]->is_held;
    return (struct pollfd){
        .fd = is_full && injection_tells_room(sender->fd) ? sender->fd : -1,
        .events = POLLOUT,
    };
}

/* #syscalls broker: poll ppoll ppoll_time64 close */
static void wait_for_all(struct sender *sender)
{
    uint64_t least = (uint64_t)WORKER_TURN_MS * NS_PER_MS;

    sender->now = now_ns();
    sender->polled[WAKE] = (struct pollfd){.fd = sender->worker.wake, .events = POLLIN};
    for (unsigned i = 0; i < sender->outlet_count && least > 0; i++)
        least = least_of(least, wait_for(sender, sender->outlets[i], &sender->polled[BELLS + i]));
    if (least == 0)
        return;
    sender->polled[ROOM] = room_of(sender);
    poll(sender->polled, BELLS + sender->outlet_count, (int)((least + NS_PER_MS - 1) / NS_PER_MS));
    clear_bells(sender);
    if (sender->polled[WAKE].revents)
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
