/* The client's side of the memory of a ring (libproto/ring/layout.h): the descriptors that the
 * service has sent are mapped. */
#ifndef NB_CLIENT_RINGS_H
#define NB_CLIENT_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One piece, as the service made it: a page and, behind it, data or none. */
struct ring_view {
    void *page;
    unsigned char *data; /* mapped twice in a row; NULL: none */
    size_t size;         /* of the data */
    size_t page_bytes;   /* that are mapped at `page` */
};

/* Maps a piece, for writing too where the client writes to it. The descriptor may be closed then. 0
 * or a negative errno: -EINVAL: it is no memory of a ring, or its size could change. */
int ring_view_map(int fd, bool writable, struct ring_view *ret);
void ring_view_unmap(struct ring_view *view);

/* Rings the service's bell, whose write end this is, and waits for nothing. No SIGPIPE comes of it,
 * whatever the process does with that signal. False: the service has closed the other end. */
bool ring_bell_ring(int fd);

/* Clears the client's own bell, whose read end this is, when it was polled as readable. False: the
 * service has closed the other end, and it was cleared before. */
bool ring_bell_clear(int fd);

#endif
