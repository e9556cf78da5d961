/* The memory of an injector's ring, and its bells: see ring/transmit.h for what is in it.
 *
 * The client gets both pieces of memory, and can map only the one that it writes to for writing. It
 * rings one bell when it has written, and waits for the other one. */
#ifndef NB_INJECT_RING_H
#define NB_INJECT_RING_H

#include "platform/rings.h"
#include "ring/transmit.h"

enum {
    INJECT_RING_FDS = 4,
    /* Bytes of a frame: an IPv4 packet of 64 KiB with its header and two VLAN tags. */
    INJECT_FRAME_MAX = 65535 + 14 + 2 * 4,
};

/* All of it is owned; descriptors are -1 when they were handed over. */
struct inject_ring {
    struct ring_memory data; /* the client writes there */
    struct ring_memory page; /* the service does */
    struct bell bell;        /* the service waits */
    struct bell room;        /* the client waits */
};

/* One with nothing in it. */
void inject_ring_clear(struct inject_ring *ring);

/* Makes it, of so many bytes of data: a power of two. 0 or a negative errno. */
int inject_ring_make(struct inject_ring *ret, size_t size);

/* Gives all of it back, whoever has it mapped, and closes what is there. inject_ring_leave: the
 * page stays as it is for whoever has it, as long as he does. */
void inject_ring_free(struct inject_ring *ring);
void inject_ring_leave(struct inject_ring *ring);

/* All but the page, where the client may look for what became of its last frames. */
void inject_ring_free_data(struct inject_ring *ring);

/* Whether it was handed over to a client that has not closed its bell. */
bool inject_ring_has_client(const struct inject_ring *ring);

/* As the reader of the ring wants it. */
struct transmit_memory inject_ring_memory(const struct inject_ring *ring);

/* Hands a descriptor for the client over: 0 ring, 1 page, 2 bell, 3 room. */
int inject_ring_take_fd(struct inject_ring *ring, unsigned place);

#endif
