/* The seam, frames of an interface: the kernel writes them to a ring of blocks, which whoever has
 * the descriptor maps and reads. Only to open one needs a privilege. */
#ifndef NB_PLATFORM_PACKETS_H
#define NB_PLATFORM_PACKETS_H

#include "table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Of the ring: a frame of 64 KiB, which a virtual interface may have, fits a block; and at a
     * block a millisecond, what is there lasts for 64 ms. */
    PACKETS_BLOCK = 1 << 17,
    PACKETS_BLOCKS = 64,
    PACKETS_RING = PACKETS_BLOCK * PACKETS_BLOCKS,
    /* Bytes that are put in before a frame's EtherType where the kernel has taken a tag out. */
    PACKETS_TAG = 4,
};

/* What is asked for, in messages: members are where they are, none is left out. */
struct packets_config {
    uint32_t ifindex;
    uint32_t latency;    /* ms, 1 to LATENCY_MAX: after so long a block is told of */
    uint32_t directions; /* of enum direction; not 0 */
    uint32_t promiscuous;
    uint32_t timestamps; /* of enum timestamps */
    struct ethertype_list ethertypes;
};

/* Writes the name that the interface has now to ret[INTERFACE_NAME_MAX + 1]. False: there is none.
 */
bool packets_name(uint32_t ifindex, char *ret);

/* Opens the frames of one interface: of these EtherTypes, also behind one or two VLAN tags, in
 * these directions. -EOPNOTSUPP: the interface has no clock for them. What comes by the descriptor
 * is that and nothing else, whatever its holder does. Returns the descriptor, which can be polled,
 * or a negative errno. */
int packets_open(const struct packets_config *config);

/* A sentence's end for people about a negative errno of it, or NULL. */
const char *packets_explain(int error);

struct packet {
    uint8_t *bytes;    /* within the ring, with its tags as on the wire */
    uint32_t captured; /* bytes that are there */
    uint32_t length;   /* bytes that it had */
    uint64_t time;     /* ns since 1970, UTC */
    bool outgoing;     /* this host has sent it */
    bool to_other;     /* to another station */
    bool hardware;     /* the time is the interface's */
    bool tagged;       /* a tag was put in again */
};

struct packets {
    uint8_t *map; /* owned; NULL: none */
    size_t size;
    unsigned block;   /* that is read, or comes next */
    uint32_t left;    /* packets of it that were not read; */
    uint8_t *next;    /* the next one of them */
    bool holds_block; /* it is the kernel's again when it was released */
};

/* Maps the ring of a descriptor of packets_open. 0 or a negative errno. */
int packets_map(struct packets *packets, int fd);
void packets_unmap(struct packets *packets);

/* Goes on to the next block that is full, or old enough. False: there is none yet. */
bool packets_next_block(struct packets *packets);

/* The next packet of the block, which stays until the next block is asked for. False: there are no
 * more. */
bool packets_next(struct packets *packets, struct packet *ret);

/* How many frames were given to the ring, and lost for lack of room, since the last time. 0 or a
 * negative errno. */
int packets_count(int fd, uint64_t *ret_received, uint64_t *ret_dropped);

/* How many frames the interface itself has lost: it had no room for them. 0 or a negative errno. */
int packets_count_iface(uint32_t ifindex, uint64_t *ret_dropped);

/* Waits until there is a block, a word for the reader at `wake`, or the time is over. Returns false
 * where the interface is gone or down: its error has been taken. */
bool packets_wait(int fd, int wake, int milliseconds);

#endif
