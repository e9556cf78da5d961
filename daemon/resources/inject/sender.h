/* A sender: a thread that sends the frames of all rings for one interface.
 *
 *     loop ── commands: add, remove ──► thread ◄── frames ── rings of clients
 *          ◄── outlets that ended ─────        ── refusals ──►
 *
 * The thread looks at each ring in turn. A turn is at most SENDER_TURN_FRAMES frames and
 * SENDER_TURN_BYTES bytes, and not more than the ring's rate allows: what is more stays in the ring
 * until its time, and its client finds that full. Each frame is copied, the copy is held to the
 * scope of the ring (frame/scope.h), and sent or refused; the client is told why (batch.h).
 *
 * Where the kernel's queue is full, a frame stays in its ring, and the thread looks at the others.
 * As long as that was so lately, a turn is one frame, and those who found no room come first: so
 * whoever fills the queue waits behind all others, and not they behind him. Where the queue has
 * taken no frame for SENDER_FULL_MS, frames are refused until it takes one again.
 *
 * An outlet that is added belongs to the thread until it comes back: when it is to be removed, when
 * the thread ends, or when its client has written what cannot be. Nothing is allocated on the way
 * of a frame, and no client can make the thread wait, nor wake it more often than it has frames:
 * whoever rings and has put nothing is looked at every SENDER_DEAF_MS. */
#ifndef NB_INJECT_SENDER_H
#define NB_INJECT_SENDER_H

#include "batch.h"
#include "broker/worker.h"
#include "frame/scope.h"
#include "inject_ring.h"
#include "rate.h"
#include "table.h"
#include "template_ring.h"
#include "timed_ring.h"

enum {
    SENDER_OUTLETS_MAX = 64,
    SENDER_TURN_FRAMES = BATCH_FRAMES,
    SENDER_TURN_BYTES = BATCH_BYTES,
    SENDER_FULL_MS = 200,
    SENDER_CROWDED_MS = 10,
    SENDER_DEAF_MS = 10,
    SENDER_REFUSALS = 10000, /* frames of a timed ring that are refused in a second */
};

struct outlet {
    struct worker_item item;
    struct inject_ring ring; /* owned */
    struct send_scope scope;
    struct ethertype_list ethertypes;
    uint32_t per_second;            /* frames, at most */
    struct timed_ring *timed;       /* owned; NULL: they have no times */
    struct template_ring *template; /* owned; NULL: the client makes them */
    _Atomic int end; /* enum ring_end: why it is to be removed, or has ended; 0: it goes on */
    /* What the thread told last, for whoever looks. */
    _Atomic uint64_t sent, sent_bytes, refused[TRANSMIT_REASON_COUNT];
    void *owner; /* of the loop's side */

    /* The thread's own. */
    struct transmit_reader reader;
    struct rate rate;  /* of a timed ring: of frames that are refused, as the others have times */
    uint64_t released; /* bytes that were read when the client was woken last, or needed not be */
    uint64_t told;     /* refusals, at that time */
    uint64_t released_at; /* ns: that time */
    uint64_t told_at;     /* ns: when the client could see the last news, if it looked */
    uint64_t deaf_until;  /* ns: its bell is not listened to before */
    uint32_t rings;       /* that it may still ring for nothing */
    bool is_held;         /* the kernel had no room for its next frame */
    bool was_rung;
    bool is_mute; /* its client has closed the bell: it is looked at now and then */
};

/* Frames that were sent, and refused for any reason; for whoever looks. */
uint64_t outlet_sent(const struct outlet *outlet);
uint64_t outlet_refused(const struct outlet *outlet);

struct sender;

/* Starts the thread on a descriptor of injection_open, which is owned from now on, also where it
 * fails. news: called by the thread when an outlet came back, or it has ended. NULL with a negative
 * errno in *ret_error. */
struct sender *sender_start(int fd, void (*news)(void *context), void *context, int *ret_error);

/* Gives the thread an outlet, whose members up to `owner` are set. */
void sender_add(struct sender *sender, struct outlet *outlet);

/* Has the ring ended for this reason, and the outlet given back. */
void sender_remove(struct sender *sender, struct outlet *outlet, enum ring_end end);

/* What came back, each once; NULL: there is none. */
struct outlet *sender_next_removed(struct sender *sender);

/* Ends the thread; it gives all outlets back before. sender_has_ended: it is at its end, and
 * sender_free waits for no time worth the word. */
void sender_stop(struct sender *sender);
bool sender_has_ended(struct sender *sender);

/* Waits for the end of the thread. The descriptor is returned, to be closed. */
int sender_free(struct sender *sender);

/* A second has passed; see worker_is_stuck. */
bool sender_is_stuck(struct sender *sender);

#endif
