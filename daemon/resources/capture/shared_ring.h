/* The memory of a capture's ring, and its bell: see ring/capture.h for what is in it.
 *
 * The client gets both pieces of memory, and can map only the one that it writes to for writing. */
#ifndef NB_SHARED_RING_H
#define NB_SHARED_RING_H

#include "platform/rings.h"
#include "ring/capture.h"

enum { SHARED_RING_FDS = 3 };

/* All of it is owned; descriptors are -1 when they were handed over. */
struct shared_ring {
    struct ring_memory data; /* the service writes there */
    struct ring_memory page; /* the client does */
    struct bell bell;        /* the client waits */
};

/* One with nothing in it. */
void shared_ring_clear(struct shared_ring *ring);

/* Makes it, of so many bytes of data: a power of two. 0 or a negative errno. */
int shared_ring_make(struct shared_ring *ret, size_t size);

/* Gives its memory back, whoever has it mapped, and closes what is there. */
void shared_ring_free(struct shared_ring *ring);

/* The same, but its client may read what is in it as long as he likes, and keeps the memory. */
void shared_ring_leave(struct shared_ring *ring);

/* Whether a client may be reading: it was handed over, and he has not closed the bell. */
bool shared_ring_has_reader(const struct shared_ring *ring);

/* As the writer of the ring wants it. */
struct capture_memory shared_ring_memory(const struct shared_ring *ring);

/* Hands a descriptor for the client over: 0 ring, 1 page, 2 bell. */
int shared_ring_take_fd(struct shared_ring *ring, unsigned place);

#endif
