/* The closer: closes descriptors whose end may take a while, in a thread of its own, and does not
 * wait for sockets that linger: a second thread interrupts that.
 *
 * close(2) waits for what a descriptor brings with it: SO_LINGER for unsent data, a network or user
 * file system for its server, a tap some 16 ms for the kernel; and to close a socket closes what
 * was sent to it and nobody received. The loop waits for nothing of that.
 *
 * The threads start with the first descriptor, when the broker is confined, and inherit that. The
 * queue is as long as the process has descriptors; what is bounded is what users may have in it
 * (users.h). */
#ifndef NB_CLOSER_H
#define NB_CLOSER_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

struct account;
struct closer;

/* One descriptor, on its way. */
struct closing {
    STAILQ_ENTRY(closing) in_list; /* struct closer, or of who took it back; owned */
    int fd;
    struct account *user; /* who is charged, not touched here; NULL: nobody */
    bool is_connection;   /* the user's, with all that came by it */
};

STAILQ_HEAD(closings, closing);

/* Closes what is described, soon. *closer is NULL before the first one. With `tell`, the loop is
 * woken when it is done, and it is among those of closer_take_done. False: there is no memory for
 * that, and it is closed already. */
bool closer_take(struct closer **closer, uv_async_t *tell, const struct closing *what);

/* Moves to the list what was closed. NULL is allowed. */
void closer_take_done(struct closer *closer, struct closings *ret);

/* Closes all that waits, and ends the thread; moves to the list what was closed. If one takes
 * longer than a second, it is left to the end of the process with those behind it. The loop is
 * woken no more. NULL is allowed; for the list, too, where nobody is charged. */
void closer_stop(struct closer *closer, struct closings *ret);

#endif
