/* Frames that were judged and wait for their time: a queue from the thread that judges them to the
 * one that sends them, and what became of each, back the same way.
 *
 *     writer: put ──► frames to be sent ──► sender: next, done
 *             reap ◄── what became of them ◄──
 *
 * A frame lies in one place from put to reap; nothing is copied in between, and there is no lock.
 * Three positions follow each other: reaped (the writer's own), done (the sender stores it, the
 * writer loads it) and head (the other way round). Bytes are the sender's between done and head,
 * and the writer's elsewhere. The memory is made before, and nothing is allocated. */
#ifndef NB_INJECT_TIMED_QUEUE_H
#define NB_INJECT_TIMED_QUEUE_H

#include "ring/transmit.h"
#include "timed.h"

struct timed_record {
    struct transmit_frame frame;
    bool needs_own;               /* see timed_queue_put_own */
    struct timed_outcome outcome; /* when it is done */
};

struct timed_queue {
    _Alignas(RING_LINE) _Atomic uint64_t head;
    uint64_t reaped;           /* the writer's own */
    unsigned char *memory;     /* owned; aligned to 8 */
    uint64_t size;             /* bytes of it: a power of two */
    bool is_locked;            /* in memory */
    _Atomic uint64_t own_from; /* frames before it have an address that was the interface's */
    _Alignas(RING_LINE) _Atomic uint64_t done;
};

/* Bytes of the queue of a ring whose longest frame has so many bytes. */
uint64_t timed_queue_size(uint32_t length_max);

/* Makes one of so many bytes. 0 or a negative errno. */
int timed_queue_make(struct timed_queue *queue, uint64_t size);
void timed_queue_free(struct timed_queue *queue);

/* The writer's. A frame of this length has room for sure, or may have none. */
bool timed_queue_has_room(const struct timed_queue *queue, uint32_t length);
void timed_queue_put(struct timed_queue *queue, const struct transmit_frame *frame,
                     const unsigned char *bytes);

/* The same for a frame that is right as long as the interface has its address. */
void timed_queue_put_own(struct timed_queue *queue, const struct transmit_frame *frame,
                         const unsigned char *bytes);

/* The interface has another address: no frame in here that needs the one before is sent. */
void timed_queue_own_changed(struct timed_queue *queue);

/* The next frame that is done, if there is one; it is gone with the next call of the writer's. */
bool timed_queue_reap(struct timed_queue *queue, struct timed_record *ret);

/* The sender's: what a stream takes. */
enum transmit_refusal_reason timed_queue_judge(void *supply);
extern const struct timed_supply_ops timed_queue_supply;

#endif
