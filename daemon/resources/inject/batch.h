/* The frames of a turn: copied out of a ring one behind the other, each copy judged, and those that
 * are right sent by as few system calls as there can be. Whatever the client does meanwhile, what
 * is sent is what was judged.
 *
 *     batch_take   ring ──► copies, each with its verdict
 *     batch_send   copies ──► kernel; what became of each ──► ring
 *
 * What the kernel's queue has no room for goes back to the ring as if it had not been read, and is
 * copied and judged again when it is its turn. */
#ifndef NB_INJECT_BATCH_H
#define NB_INJECT_BATCH_H

#include "frame/scope.h"
#include "inject_ring.h"
#include "platform/injection.h"

enum {
    BATCH_FRAMES = INJECTION_FRAMES,
    BATCH_BYTES = 65536, /* of records; the last one may go beyond */
    BATCH_ALIGN = 64,    /* of a copy: a line of the cache */
};

struct batch {
    _Alignas(BATCH_ALIGN) unsigned char bytes[BATCH_BYTES + BATCH_FRAMES * BATCH_ALIGN +
                                              INJECT_FRAME_MAX];
    bool was_full;                             /* the queue, to batch_send */
    unsigned sent;                             /* by batch_send */
    unsigned count;                            /* frames that were taken */
    unsigned right;                            /* of these, to be sent */
    struct transmit_frame taken[BATCH_FRAMES]; /* with their verdicts */
    struct injection_frame frames[BATCH_FRAMES];
};

/* Takes what is left of the turn that the reader has begun, of at most BATCH_FRAMES records and
 * BATCH_BYTES bytes. */
void batch_take(struct batch *batch, struct transmit_reader *reader,
                const struct frame_grant *grant);

/* Sends those that are right, and tells the reader what became of all, up to the first for which
 * the kernel's queue has no room: that one and what is behind it go back to the ring. gives_up:
 * they do not, and those for which there is no room are refused. */
void batch_send(struct batch *batch, struct transmit_reader *reader, int fd, bool gives_up);

/* What a frame is refused for, TRANSMIT_SENT if it is right; and the same of a result of
 * injection_send. */
enum transmit_refusal_reason batch_judge(const struct frame_grant *grant,
                                         const unsigned char *bytes, uint32_t length);
enum transmit_refusal_reason batch_reason(int result);

#endif
