/* The place of a ring among the streams of the timed sender: its stream, and what is told of it to
 * the ring's client. For the sender's thread. */
#ifndef NB_INJECT_TIMED_SEAT_H
#define NB_INJECT_TIMED_SEAT_H

#include "ring/transmit.h"
#include "timed.h"

struct timed_seat {
    struct timed *timed;         /* borrowed */
    struct timed_config config;  /* of the stream */
    struct timed_stream *stream; /* NULL: it has not joined, or has left */
    uint64_t stalls, stalled_ns; /* of the thread, when they were looked at last */
    bool is_leaving, knows_start;
};

/* Begins to send by this descriptor. False: there are too many streams. */
bool timed_seat_join(struct timed_seat *seat, int fd, timed_send send);

/* Tells the reader when time 0 is, and for how long the thread was held up. */
void timed_seat_settle(struct timed_seat *seat, struct transmit_reader *reader);

/* Has it leave, between two frames. True: it has, and its supply is nobody's. Else it is to be
 * called again. */
bool timed_seat_leave(struct timed_seat *seat);

#endif
