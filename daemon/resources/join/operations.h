/* What the keeper does for joins: it keeps the sockets of group memberships. As long as one copy is
 * open, no membership is left and no switch stops a stream.
 *
 * Each broker joins what it wants on sockets of its own, a new generation. Only when it has joined
 * all are those of the generations before closed; the kernel counts, so what both are members of is
 * not left. A broker that died before it was that far leaves nothing that is needed. */
#ifndef NB_JOIN_OPERATIONS_H
#define NB_JOIN_OPERATIONS_H

enum {
    /* Of one broker, of 20 IPv4 groups each: 10,240. */
    JOIN_SOCKETS_MAX = 512,
};

#endif
