/* Taps that were made before anybody asked for one, so that nobody waits for the kernel's locks.
 *
 * The broker says which it wants (SPARE_TAP), as it says which it wants at once, and the same
 * checks judge that; but a process beside the loop makes them (errands.h). The keeper holds their
 * only descriptors. It tells each broker which there are, and when one begins or ends to be there,
 * by notices (keeper/channel.h) of SPARE_TAP: error 0, it is there; -EINPROGRESS, it is being made
 * or deleted; else it is not there any more. Their payload is its struct tap_config. OPEN_TAP with
 * the name and all else of a spare hands it over. What was handed over never comes back: its holder
 * may have changed it.
 *
 * The interface of one may be deleted or renamed by others. That is found out when it is handed
 * over, without a lock of the kernel's. Spares end with the keeper. */
#ifndef NB_TAP_SPARES_H
#define NB_TAP_SPARES_H

#include "platform/taps.h"
#include "taps_allowed.h"

#include <stdbool.h>

enum { SPARES_MAX = TAP_SPARES_MAX };

/* MAKING: the process has it, or will.
 * UNWANTED: the same, and it is deleted when it is there.
 * READY: it may be handed over.
 * ENDING: it is being deleted. Its descriptor stays open until that is done: to close the last one
 * would delete it in the keeper's loop. */
enum spare_state { SPARE_NONE, SPARE_MAKING, SPARE_UNWANTED, SPARE_READY, SPARE_ENDING };

struct spare {
    enum spare_state state;
    unsigned ifindex;
    int fd; /* READY, ENDING: owned */
    struct tap_config config;
};

struct spares {
    struct spare list[SPARES_MAX];
    int socket; /* owned, for questions; only if it is open */
    bool is_open;
};

struct operations;

/* The keeper's. */
struct spares *spares_of(const struct operations *operations);

/* In a process that has nothing to do with them: closes their descriptors, of which it has copies.
 */
void spares_close(const struct operations *operations);

/* Hands over the descriptor of the spare that is as this says; -1: there is none. */
int spares_take(struct operations *operations, const struct tap_config *config);

/* The spare that has the name, or is to have it; NULL: none. */
const struct spare *spares_find(const struct operations *operations, const char *name);

/* Whether the interface of this index is one. */
bool spares_have(const struct operations *operations, unsigned ifindex);

#endif
