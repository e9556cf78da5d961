/* The time of day, and what the system knows of its clock: whether it is kept with another one, and
 * how far it may be off, in a file for each system. */
#ifndef NB_CLOCK_H
#define NB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock_state {
    bool is_known;             /* else the system tells nothing, and the rest means nothing */
    bool is_synchronized;      /* by NTP, PTP or another: which of them nobody but they know */
    bool has_pulse;            /* by a pulse each second, at this machine */
    uint64_t error, error_max; /* ns: as it is estimated, and at most */
};

/* ns since 1970, UTC. */
uint64_t clock_now(void);

/* Needs no right. */
struct clock_state clock_look(void);

#endif
