/* How late frames on a grid are on the wire, by the time at which the kernel of the other end of a
 * veth pair received each (SO_TIMESTAMPNS of socket(7)), and what senders of such frames share.
 *
 * How long an idle processor takes to wake up depends on what it did last, and is no method's: with
 * BENCH_AWAKE in the environment none sleeps, by /dev/cpu_dma_latency, as cyclictest does.
 *
 * A machine that stops for a while, as virtual ones do, says nothing of the method: figures are of
 * windows of 100 ms in which no frame was 2 ms late, and it is told how many there were. */
#ifndef NB_BENCH_LATENESS_H
#define NB_BENCH_LATENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LATENESS_STALL_NS = 2000000,
    LATENESS_SECOND = 1000000000,
};

#define LATENESS_TARGET 1.2

/* `streams` streams of `count` frames each. A frame has `step` samples and is due with the last of
 * them. */
struct lateness_grid {
    uint32_t streams, count;
    uint32_t rate; /* samples a second */
    uint32_t step;
    uint64_t start; /* of the first sample: ns since 1970, a full second */
};

uint64_t lateness_due(const struct lateness_grid *grid, uint32_t number);
uint32_t lateness_frames_a_second(const struct lateness_grid *grid); /* of one stream */

/* --- The other end ------------------------------------------------------------------------- */

/* Which frame of the grid it is, that came at this time. False: none of it. */
typedef bool lateness_identify(const struct lateness_grid *grid, const unsigned char *bytes,
                               size_t length, uint64_t time, uint32_t *ret_stream,
                               uint32_t *ret_number);

/* Receives frames of this EtherType that come in there. */
void lateness_open(const char *iface, uint16_t ethertype, lateness_identify *identify);

/* Begins a turn: sets the grid's start to a full second that is `lead` ns ahead or more, and takes
 * what comes from now on. */
void lateness_begin(struct lateness_grid *grid, uint64_t lead);
void lateness_end(void);

/* Of the turn that has ended, ns by which a frame was late; INT64_MIN: it did not come. */
int64_t lateness_of(uint32_t stream, uint32_t number);

/* --- Figures ------------------------------------------------------------------------------- */

/* What several turns gave. */
struct lateness_figures {
    double *late; /* us, of windows without a stall */
    size_t n;
    unsigned windows, quiet;
    uint64_t sent, missing;
};

void lateness_clear(struct lateness_figures *figures); /* zeroed ones are clear, too */
void lateness_add(struct lateness_figures *figures);   /* the turn that has ended */

/* Prints them beside others, which are 1. */
void lateness_print(const char *name, struct lateness_figures *figures,
                    struct lateness_figures *beside);

/* --- Senders ------------------------------------------------------------------------------- */

/* A packet socket; protocol 0: it receives nothing. Ends the program where there is none. */
int lateness_packets(const char *iface, uint16_t protocol);

/* What the least program does: a thread with a real-time priority sleeps until a frame of the grid
 * is due (clock_nanosleep(2)), and sends those of all streams. fill: makes a frame, and returns its
 * length. Returns the ns of the processor that the thread used. */
typedef size_t lateness_fill(const struct lateness_grid *grid, uint32_t stream, uint32_t number,
                             unsigned char *frame);
uint64_t lateness_send_bare(const char *iface, const struct lateness_grid *grid,
                            lateness_fill *fill);

/* The process of the service that NETBROKER_SOCKET names which has the timed sender, and the
 * sender's thread there; 0: there is none (yet). */
pid_t lateness_broker(void);
pid_t lateness_timed_thread(pid_t broker);

/* With BENCH_HURRY in the environment, gives that thread the priority that the unit grants it:
 * where root may not raise limits, the service cannot do it itself. */
void lateness_hurry(pid_t thread);

/* ns of the processor that a thread has used. */
uint64_t lateness_cpu(pid_t thread);

#endif
