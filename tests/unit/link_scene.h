/* A link without a kernel's tap: its tap and its clients are socket pairs, whose other ends are the
 * test's. What the link sends can be cut into pieces. */
#ifndef NB_UNIT_LINK_SCENE_H
#define NB_UNIT_LINK_SCENE_H

#include "link.h"

enum { SCENE_CLIENTS = 4, SCENE_LIMIT = 1518 };

struct told { /* what events said */
    unsigned attached, detached, warned, refused;
    enum framing_fate fate; /* of the last one that was refused */
    char why[256];          /* of the last one that left, or was warned of */
};

struct link_scene {
    struct link *link;
    int tap;
    int clients[SCENE_CLIENTS];
    unsigned client_count;
    struct told told;
};

void scene_begin(struct link_scene *scene);
void scene_begin_offload(struct link_scene *scene); /* its frames are behind an offload header */
void scene_end(struct link_scene *scene);

/* A client with this framing, on a stream or SEQPACKET. Returns its number in `clients`. */
unsigned scene_add(struct link_scene *scene, const struct link_options *options);

/* The loop turns until nothing is to be done. */
void scene_settle(struct link_scene *scene);

/* What is known of the client, or of the tap (0 is the tap, 1 the first client). */
struct link_port scene_port(struct link_scene *scene, unsigned number);

/* A frame of this length between the stations of these numbers; station 0xff: everybody. Its bytes
 * say `mark`. */
void scene_frame(unsigned char *frame, size_t length, unsigned to, unsigned from, unsigned mark);

/* Sends to the link; receives what is there, without waiting: bytes, 0 where there is none. */
void scene_write(int fd, const void *bytes, size_t length);
size_t scene_read(int fd, void *bytes, size_t size);

/* The next sends of the link take so many bytes each in turn, and then none (EAGAIN), so many
 * times; 0 pieces: as the kernel has it. */
void scene_cut(size_t bytes, unsigned pieces);

/* The link's clock goes on; it stands still otherwise. */
void scene_pass(unsigned milliseconds);

/* Allocations of the link's code until now. */
unsigned long scene_allocations(void);

#endif
