/* The sockets of group memberships, which outlive a broker and, in the manager's store, a keeper:
 * as long as one copy is open, no membership is left and no switch stops a stream.
 *
 * Each broker joins what it wants on sockets of its own, a new generation. Only when it has joined
 * all are those of the generations before closed; the kernel counts, so what both are members of is
 * not left. A broker that died before it was that far leaves nothing that is needed. */
#ifndef NB_KEEPER_KEPT_JOINS_H
#define NB_KEEPER_KEPT_JOINS_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* 20 IPv4 groups each: 10,240. */
    JOIN_SOCKETS_MAX = 512,
    KEPT_JOINS_MAX = 2 * JOIN_SOCKETS_MAX, /* of the broker before, and of this one */
};

/* Begins as {.record = -1}. */
struct kept_joins {
    struct {
        int fd;
        uint32_t generation;
    } sockets[KEPT_JOINS_MAX];
    size_t count;
    uint32_t generation; /* of the broker that runs */
    uint32_t complete;   /* the generation that has all; 0: none */
    int record;          /* a file in memory for brokers to write down what they join; -1: none */
};

/* Takes the socket of a manager's store, owned from now on, if its name says that it is one. */
int kept_joins_inherit(struct kept_joins *kept, int fd, const char *name, size_t length);

/* Makes the record where there is none. Before the keeper is confined. */
void kept_joins_make_record(struct kept_joins *kept);

/* A new broker begins: what one before it has not completed goes. */
void kept_joins_begin(struct kept_joins *kept);

/* In the broker: it needs no copies of the sockets. */
void kept_joins_forget(struct kept_joins *kept);

/* Opens a socket of the family for the broker. The descriptor stays the keeper's; or a negative
 * errno, -ENFILE: there are as many as there may be. */
int kept_joins_open(struct kept_joins *kept, uint32_t family);

/* The broker has joined all: the sockets of those before it go. */
void kept_joins_complete(struct kept_joins *kept);

#endif
