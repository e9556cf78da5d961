/* The way of a stream whose frames the service makes: its client's records out of the ring, as they
 * are judged, to the table of samples and to the timed sender's commands; and what became of frames
 * back to the client.
 *
 *     ring ──► sender thread: judge ──► table, commands ──► timed sender
 *          ◄── refusals, counters, progress ◄──────────────
 *
 * All but template_ring_make, template_ring_free and template_ring_show is for the sender's thread.
 * Whatever a record says, what the timed sender gets of it is within the table, in the order of
 * samples, and not more than it has room for. */
#ifndef NB_INJECT_TEMPLATE_RING_H
#define NB_INJECT_TEMPLATE_RING_H

#include "ring/transmit.h"
#include "timed_seat.h"
#include "timed_template.h"

#include <uv.h>

enum {
    TEMPLATE_COMMANDS_RATE = 1000, /* records a second that the timed sender hears of */
    TEMPLATE_SETTLE_MS = 5,        /* so often what became of frames is looked for */
    TEMPLATE_NAME_MAX = 128,       /* bytes of an svID that are shown */
};

/* What is shown of a stream. */
struct template_view {
    char name[TEMPLATE_NAME_MAX + 1]; /* svID: the client's, of any bytes; cut */
    uint32_t rate;                    /* samples a second; 0: there is no template yet */
    uint32_t asdus;
    uint8_t synch;
    uint64_t put; /* segments */
};

/* Places of the table that a segment has. */
struct template_use {
    uint32_t first, count;
};

struct template_ring {
    struct timed_seat seat;
    struct timed_template template;
    unsigned char *table; /* owned */
    uint64_t table_bytes;
    bool is_locked; /* in memory */

    /* The sender thread's own. */
    struct template_shape shape;
    struct rate rate;                            /* of commands, by the clock */
    bool has_news;                               /* the timed sender is to be told */
    uint64_t put, played;                        /* segments; played: when it was looked last */
    struct template_use uses[TEMPLATE_SEGMENTS]; /* by number, modulo: those that are not over */
    uint64_t begin;                              /* none begins before it */
    uint64_t end;                                /* of the last one; UINT64_MAX: it has none */
    int synch;                                   /* that was set; -1: none was */
    uint64_t told_sent, told_sent_bytes, told_late;
    uint64_t told_refused[TRANSMIT_REASON_COUNT];
    uint64_t told_histogram[TRANSMIT_BUCKETS];
    struct stream_progress progress;

    uv_mutex_t mutex; /* of this */
    struct template_view view;
};

/* Makes one, with a table of so many bytes. config: its start, what is late, its rate. NULL: there
 * is no memory. template_ring_bytes: what it takes. */
struct template_ring *template_ring_make(struct timed *timed, const struct timed_config *config,
                                         uint32_t table_bytes);
void template_ring_free(struct template_ring *ring); /* NULL is allowed; it must have left */
uint64_t template_ring_bytes(uint32_t table_bytes);

/* Begins to send by this descriptor. False: there are too many streams. */
bool template_ring_join(struct template_ring *ring, int fd, timed_send send, uint64_t now);

/* Whether any record may be taken: else it stays in the ring. now: ns. */
bool template_ring_has_room(struct template_ring *ring, uint64_t now);

/* Takes a record, which was copied to here; a template was judged right, and needs_own: as long as
 * the interface has its address (frame/scope.h). TRANSMIT_SENT: it is done; else why not, and it
 * changes nothing. */
enum transmit_refusal_reason template_ring_take(struct template_ring *ring,
                                                const struct transmit_frame *record,
                                                const unsigned char *bytes, bool needs_own);

/* A record was refused, by this or before: so many a second are as many commands. */
void template_ring_refused(struct template_ring *ring);

/* The interface has another address: frames whose template needs the one before are refused when
 * they are due. */
void template_ring_own_changed(struct template_ring *ring);

/* Has what was taken seen. */
void template_ring_publish(struct template_ring *ring);

/* Tells the reader what became of frames. True: the client has something to look at. */
bool template_ring_settle(struct template_ring *ring, struct transmit_reader *reader);

/* Has it leave: see timed_seat_leave. */
bool template_ring_leave(struct template_ring *ring);

/* For lists, by any thread. */
void template_ring_show(struct template_ring *ring, struct template_view *ret);

#endif
