/* A descriptor that the loop watches, and goes on watching when it reports an error.
 *
 * libuv stops to poll a descriptor with POLLERR (uv__poll_io() of its unix/poll.c). A netlink
 * socket that was overrun reports ENOBUFS that way, and is as good as before once that was read. So
 * a watch begins again, and lets the reader take the error. */
#ifndef NB_WATCH_H
#define NB_WATCH_H

#include <uv.h>

struct watch {
    uv_poll_t poll; /* first */
    int events;     /* UV_READABLE, UV_WRITABLE; 0: it rests */
    /* The descriptor is ready for these events, or reports an error: read it. */
    void (*ready)(struct watch *watch, int events);
    void *context; /* of the owner */
};

/* Prepares to watch the descriptor, which stays the caller's. Returns 0 or libuv's error. */
int watch_init(struct watch *watch, uv_loop_t *loop, int fd,
               void (*ready)(struct watch *watch, int events), void *context);

/* Watches for these events from now on. */
void watch_start(struct watch *watch, int events);

/* Ends the watch; closed, if not NULL, is called when its memory may go. */
void watch_close(struct watch *watch, void (*closed)(struct watch *watch));

#endif
