/* How many connections may wait in the kernel's queue of a listening socket.
 *
 * The queue is first come, first served, whoever comes: who floods it makes everybody wait for its
 * whole length. But where it is full, a connect(2) that does not block fails, and a short one is
 * filled by an honest program that opens some hundred connections at once. So it is long, until
 * it was not empty for longer than a burst takes, and then it is short until it was empty again for
 * a while. Times are nanoseconds. */
#ifndef NB_BACKLOG_H
#define NB_BACKLOG_H

#include "limit.h"

#include <stdbool.h>
#include <stdint.h>

enum { BACKLOG_LONG = LISTEN_BACKLOG, BACKLOG_SHORT = 32 };

/* An honest program that opens a thousand connections takes less, also on a busy machine. */
#define BACKLOG_BURST_NS (UINT64_C(500) * 1000 * 1000)
#define BACKLOG_CALM_NS  (UINT64_C(1000) * 1000 * 1000)

struct backlog {         /* zeros at first */
    uint64_t full_since; /* 0: it was empty when it was looked at last */
    uint64_t last_full;
    bool is_short;
};

/* It was looked at, and somebody waited or nobody. Returns whether is_short is another now. */
bool backlog_note(struct backlog *backlog, bool is_empty, uint64_t now);

#endif
