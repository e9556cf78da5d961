/* Arrivals: connections that were taken from a listening socket and wait to be opened.
 *
 * The kernel's queue is one for all: who connects often enough to fill it delays everybody, by what
 * it costs to open or to refuse each connection. So here the queue is emptied before that is done,
 * at the price of a few system calls each, and what was taken is opened in the turns of its user
 * (turns.h): who used little time comes first.
 *
 * An arrival has the place of a connection from the beginning, if its user may have one more.
 * Others of the user wait in a crowd, which is bounded for each user and for all (users.h), to be
 * told why they are refused. Those beyond it are closed without a word, so that a flood costs
 * nearly nothing. Who the user is, is found by what was read of the system's files before; it is
 * found again when the connection is opened. */
#ifndef NB_ARRIVALS_H
#define NB_ARRIVALS_H

#include "platform/process.h"
#include "services.h"

#include <sys/queue.h>

struct arrivals_host {
    struct services *services;
    /* Takes the connection, and opens or refuses it, in its user's turn. The peer has no groups. */
    void (*open)(void *context, int fd, struct peer *peer);
    void (*settled)(void *context); /* one has gone, and its time was charged */
    void *context;
};

struct arrivals {
    struct arrivals_host host;
    LIST_HEAD(, arrival) list; /* owned */
};

/* No arrivals yet. What is there is freed by arrivals_stop. */
void arrivals_init(struct arrivals *arrivals, const struct arrivals_host *host);

/* Takes the connected, non-blocking socket. */
void arrivals_take(struct arrivals *arrivals, int fd);

/* The same of one whose peer is the user that it says. */
void arrivals_add(struct arrivals *arrivals, int fd, const struct peer *peer);

/* The service ends: who waits sees the end. */
void arrivals_stop(struct arrivals *arrivals);

#endif
