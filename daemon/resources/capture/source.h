/* A source: the frames of an interface as the kernel's ring has them, and a thread that gives them
 * to readers, each in a ring of his own.
 *
 *     loop ── commands: add, remove, interface up ──► thread ── frames ──► rings of readers
 *          ◄── readers that are removed ─────────────
 *
 * All readers of a source are one user's, have asked for the same of the interface, and were
 * granted it: what the kernel's filter lets through is what each of them may see, and the thread
 * looks once more. A reader's own filter and the length that he wants are applied by the thread.
 *
 * A reader that is added belongs to the thread until it comes back. The thread takes one block
 * after the other, publishes what each reader gets of it once, and looks for commands in between;
 * on this path nothing is allocated, and no reader can make it wait. */
#ifndef NB_CAPTURE_SOURCE_H
#define NB_CAPTURE_SOURCE_H

#include "broker/worker.h"
#include "platform/packets.h"
#include "shared_ring.h"

enum { SOURCE_READERS_MAX = 64 };

struct frame_reader {
    struct worker_item item;
    struct shared_ring ring; /* owned */
    struct program filter;   /* judged right; without instructions: none */
    uint32_t snaplen;
    _Atomic int end; /* enum ring_end: why it is to be removed; 0: it is not */
    /* What the thread told last, for whoever looks. */
    _Atomic uint64_t frames, bytes, lost, kernel_dropped, iface_dropped;
    void *owner; /* of the loop's side */

    /* The thread's own. */
    struct capture_writer writer;
    struct capture_status base; /* the source's numbers when it came */
    bool is_told;               /* the last numbers, by a record */
};

struct source;

/* Starts the thread on a descriptor of packets_open, which is owned from now on, also where it
 * fails. wake: called by the thread when a reader came back, or it has ended. NULL with a negative
 * errno in *ret_error. */
struct source *source_start(const struct packets_config *config, int fd, bool is_up,
                            void (*wake)(void *context), void *context, int *ret_error);

/* Gives the thread a reader, all of whose members but the last three are set. */
void source_add(struct source *source, struct frame_reader *reader);

/* Has the ring ended for this reason, and the reader given back. */
void source_remove(struct source *source, struct frame_reader *reader, enum ring_end end);

/* What came back, each once; NULL: there is none. */
struct frame_reader *source_next_removed(struct source *source);

/* The interface is up, or is not. */
void source_set_up(struct source *source, bool is_up);

/* Ends the thread; it gives all readers back before. source_has_ended: it is at its end, and
 * source_free waits for no time worth the word. */
void source_stop(struct source *source);
bool source_has_ended(struct source *source);

/* Waits for the end of the thread. The descriptor is returned, to be closed: the kernel takes long
 * for that. */
int source_free(struct source *source);

/* A second has passed; see worker_is_stuck. */
bool source_is_stuck(struct source *source);

/* Frames that the kernel's filter let through and that were not to be seen: there is none. */
uint64_t source_fenced(const struct source *source);

#endif
