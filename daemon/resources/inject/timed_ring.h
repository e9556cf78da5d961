/* The way of a client's frames that have a time: out of its ring, as they are judged, into the
 * queue of a stream; and what became of them back to the client.
 *
 *     ring ──► sender thread: judge, time, rate ──► queue ──► timed sender
 *          ◄── refusals, counters, lateness ◄──────────────
 *
 * All but timed_ring_make and timed_ring_free is for the sender's thread. Times must not go back,
 * and the rate is held by them and not by the clock: which frames are refused depends on nothing
 * but the frames. */
#ifndef NB_INJECT_TIMED_RING_H
#define NB_INJECT_TIMED_RING_H

#include "rate.h"
#include "ring/transmit.h"
#include "timed_queue.h"
#include "timed_seat.h"

/* So often what became of frames is looked for: rarely, as long as there are many that wait. */
enum { TIMED_SETTLE_MS = 5, TIMED_SETTLE_MOST_MS = 20 };

struct timed_ring {
    struct timed_seat seat;
    struct timed_queue queue; /* owned */
    uint32_t length_max;      /* bytes of a frame */

    /* The sender thread's own. */
    struct rate rate; /* by the frames' times */
    uint64_t last;    /* the time of the frame before */
    uint64_t waiting; /* frames in the queue */
    bool has_news;    /* the timed sender is to be told */
};

/* Makes one, for frames of so many bytes at most. start: ns since 1970, or 0; late: ns. NULL: there
 * is no memory. timed_ring_bytes: what it takes. */
struct timed_ring *timed_ring_make(struct timed *timed, const struct timed_config *config,
                                   uint32_t length_max);
void timed_ring_free(struct timed_ring *ring); /* NULL is allowed; it must have left */
uint64_t timed_ring_bytes(uint32_t length_max);

/* Begins to send by this descriptor. False: there are too many streams. */
bool timed_ring_join(struct timed_ring *ring, int fd, timed_send send);

/* Whether a frame of any length has room. */
bool timed_ring_has_room(const struct timed_ring *ring);

/* Takes a frame that was judged right, and for which there is room. TRANSMIT_SENT: it is to be
 * sent, and timed_ring_settle tells of it; else why not. needs_own: it is right as long as the
 * interface has its address (frame/scope.h). */
enum transmit_refusal_reason timed_ring_take(struct timed_ring *ring,
                                             const struct transmit_frame *frame,
                                             const unsigned char *bytes, bool needs_own);

/* The interface has another address: frames that were taken and need the one before are refused
 * when they are due. */
void timed_ring_own_changed(struct timed_ring *ring);

/* Has the frames that were taken seen. */
void timed_ring_publish(struct timed_ring *ring);

/* Tells the reader what became of frames. */
void timed_ring_settle(struct timed_ring *ring, struct transmit_reader *reader);

/* When to look again, in ns from now: before half of those that wait can have been sent;
 * TIMED_NEVER where none waits. */
uint64_t timed_ring_wait(const struct timed_ring *ring);

/* Has it leave, between two frames. True: it has, and what it had not sent is gone. Else it is to
 * be called again. */
bool timed_ring_leave(struct timed_ring *ring);

#endif
