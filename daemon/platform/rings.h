/* Memory of rings (libproto/ring/) as the service makes it for one client, and bells. On any system
 * that has what platform/memory.h offers. */
#ifndef NB_PLATFORM_RINGS_H
#define NB_PLATFORM_RINGS_H

#include "platform/memory.h"

#include <stdint.h>

/* One piece of the memory of a ring: a page, and `size` bytes of records behind it or none. Which
 * side writes to which piece, libproto/ring/layout.h says: SHOWN for those that the service writes,
 * FIXED for those that the client writes. */
struct ring_memory {
    int fd;               /* for the client; the service may close it when that has it */
    void *page;           /* capture_control, capture_page, transmit_control, transmit_feedback */
    unsigned char *data;  /* mapped twice in a row; NULL: none */
    size_t size;          /* of the data */
    uint32_t data_offset; /* in the descriptor: the page of this machine, at least 4096 */
};

enum memory_seal { MEMORY_FIXED, MEMORY_SHOWN };

/* How many bytes of memory it takes: what its holder is to be charged for. */
size_t ring_memory_bytes(size_t size);

/* Makes one of zeros, with all of its pages provided. The size is right (ring_size_is_right) and at
 * least the page of this machine, or 0; the holder is charged for it before. 0 or a negative errno;
 * nothing is left then. */
int ring_memory_make(const char *name, size_t size, enum memory_seal seal, struct ring_memory *ret);

/* Gives all of its pages back: whoever has it mapped finds zeros. Then unmaps it, and closes the
 * descriptor, if it is not -1. */
void ring_memory_free(struct ring_memory *memory);

/* The same, but what is in it stays for whoever has it, as long as he does. */
void ring_memory_unmap(struct ring_memory *memory);

/* A bell: whoever has the one end rings it, and the other end, which anything can poll, is readable
 * then, until it is cleared.
 *
 * It is a pipe and no eventfd(2), because both sides would share an eventfd: the client could take
 * O_NONBLOCK off it and fill it, and the service would wait in write(2) for ever. The ends of a
 * pipe are files of their own, each with its own flags. Besides, the end of either side is seen at
 * the other: a client polls POLLHUP when the service is gone. */
struct bell {
    int ring; /* write end */
    int wait; /* read end */
};

int bell_make(struct bell *ret);

/* Rings it: at most one byte is in it, whatever the other side does, and this waits for nothing.
 * False: nobody has the other end any more. SIGPIPE must be ignored. */
bool bell_ring(int ring);

/* Whether anybody has the end that waits. Rings nothing. */
bool bell_has_listener(int ring);

/* Clears it: a bounded number of bytes is read, so one that is filled by its client stays readable.
 * False: nobody has the other end any more, and it was cleared before. */
bool bell_clear(int wait);

#endif
