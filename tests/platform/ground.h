/* What the programs of this folder share: two network namespaces of their own joined by links, a
 * way to send and count multicast packets, and one printed line for each assumption.
 *
 *     far namespace              near namespace, where the program runs and the kernel routes
 *     r0  (end of link 0)  ----  r0
 *     r1  (end of link 1)  ----  r1
 *     r2  (end of link 2)  ----  r2
 *
 * No interface has an address that a program gave it: frames are made and counted by packet(7)
 * sockets at the far ends. All of it goes with the process. */
#ifndef NB_TEST_GROUND_H
#define NB_TEST_GROUND_H

#include "platform/mroute.h"

#include <stdbool.h>

enum { LINKS = 3 };

struct ground {
    int near, far;      /* the namespaces */
    const char *family; /* "IPv4" or "IPv6": stands before each line, if not NULL */
    unsigned failures;
    struct {
        unsigned ifindex; /* of the near end */
        int end;          /* socket on the far end */
    } netifs[LINKS];
};

/* Enters namespaces of its own: as root, or, where that is not allowed, as root of a user
 * namespace of its own; ends the program with 77 (skipped) where neither is allowed. Then runs the
 * checks, for each family or once, and returns the program's exit status. */
int ground_run_families(void (*check)(struct ground *ground, uint8_t family));
int ground_run(void (*check)(struct ground *ground));

/* For what is no assumption: ends the program with a message and errno where it failed. */
void ground_require(bool done, const char *what);

/* Prints the assumption with what was expected and seen, and counts it if they differ. */
void ground_expect(struct ground *ground, const char *assumption, long expected, long seen);

/* The same for 0 or a negative errno. */
void ground_expect_result(struct ground *ground, const char *assumption, int expected, int seen);

/* Makes link i, both ends up, or deletes it. */
void ground_netif_add(struct ground *ground, unsigned i);
void ground_netif_del(struct ground *ground, unsigned i);

/* Runs the function in a child process, which may give up its privileges, and waits for it. What it
 * finds wrong counts for this process. */
void ground_in_child(struct ground *ground, void (*run)(struct ground *ground, void *context),
                     void *context);

/* The socket of the family's default table, VIF i being link i. */
struct mroute_socket ground_router_open(struct ground *ground, uint8_t family);

/* An entry from link 0 to the links of the bit set `oifs`, with TTL threshold 1: always of the same
 * source, and of the group of this number (1 to 255), which routers forward. */
struct mfc_entry ground_entry(uint8_t family, uint8_t group, unsigned oifs);

/* Sends UDP packets from the far end of the link. */
void ground_send(const struct ground *ground, unsigned netif, const struct mfc_entry *flow,
                 unsigned ttl, unsigned count);

/* How many packets to the group arrived at the far end of the link since it was asked last. Waits
 * for the expected number, and a moment for more. */
long ground_received(const struct ground *ground, unsigned netif, const struct address *group,
                     long expected);

#endif
