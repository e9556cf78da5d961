/* The channel between keeper and broker: fixed-size messages without pointers, on a socket pair.
 *
 * The keeper treats what comes from the broker as hostile: it checks every number before it acts.
 */
#ifndef NB_KEEPER_CHANNEL_H
#define NB_KEEPER_CHANNEL_H

#include "bounds.h"

#include <stdint.h>

enum keeper_operation {
    KEEPER_READY,        /* the broker serves; told to the service manager */
    KEEPER_ALIVE,        /* its loop turns */
    KEEPER_OPEN_MROUTE,  /* open the socket that owns a multicast routing table */
    KEEPER_CLOSE_MROUTE, /* close the kept copy of it, and delete the rules that lead to it */
    KEEPER_ADD_RULE,     /* lead packets from an interface to an open table */
    KEEPER_DEL_RULE,     /* no more; the interface may be gone already */
    KEEPER_OPEN_JOINS,   /* open a socket for group memberships */
    KEEPER_JOINED,       /* all that is wanted is joined: older sockets may go */
    KEEPER_STATUS,       /* what the service does; told to the service manager */
};

enum {
    /* The broker says so this often, and is taken for hung when it did not for so long. */
    ALIVE_INTERVAL_MS = 3000,
    ALIVE_TIMEOUT_MS = 15000,
    STATUS_TEXT_MAX = 255,
};

struct keeper_request {
    uint32_t operation; /* enum keeper_operation */
    uint32_t family;    /* FAMILY_* */
    uint32_t table;
    uint32_t ifindex;                 /* KEEPER_ADD_RULE: the interface */
    char iif[INTERFACE_NAME_MAX + 1]; /* KEEPER_DEL_RULE: what it was called */
    char text[STATUS_TEXT_MAX + 1];   /* KEEPER_STATUS: printable ASCII */
};

/* The answer to KEEPER_OPEN_MROUTE and to KEEPER_OPEN_JOINS, which with error 0 carries the
 * descriptor, and to KEEPER_ADD_RULE. */
struct keeper_answer {
    uint32_t operation;
    uint32_t family;
    uint32_t table;
    int32_t error;   /* 0 or a negative errno */
    char owner[160]; /* with -EADDRINUSE: who owns the table; terminated */
};

#endif
