/* What is wanted, and by whom, over the deaths of brokers and restarts of the service: whatever the
 * lease registry tells is written to the journal, and a moment later to the state file. A start
 * restores what the journal has; or what the file has, where there is no journal that is whole.
 *
 * The journal (journal.h) has each change before its client is told, so it is what a broker finds
 * that comes after one that died. The file (checkpoint.h) is for a start of the whole service. */
#ifndef NB_STATE_H
#define NB_STATE_H

#include "broker/lease.h"
#include "broker/resource.h"

#include <uv.h>

struct state;

struct state_host {
    uv_loop_t *loop;
    struct leases *leases;
    struct kind_selves *kinds;
    const char *path; /* of the state file, borrowed; "": there is none */
    int journal;      /* its memory, borrowed; negative: there is none */
};

/* NULL: no memory. */
struct state *state_new(const struct state_host *host);

/* Lets the kinds restore what was wanted, then calls done, perhaps at once. Says in the log what it
 * could not use. */
void state_restore(struct state *state, void (*done)(void *context), void *context);

/* All that is wanted at the start is there, also what the administrator's files name: the kinds are
 * told, and from now on what is written here is the truth. */
void state_settle(struct state *state);

/* A lease began, or what it wants has changed; or it ends. */
void state_put(struct state *state, const struct lease *lease);
void state_drop(struct state *state, const struct lease *lease);

/* Whether so many leases can be written whose requests have n bytes in all. */
bool state_has_room(struct state *state, size_t count, size_t n, struct error *error);

void state_commit(struct state *state, struct transaction *transaction);

struct state_facts {
    int file_problem; /* why the last file could not be written, an errno; 0: it was */
    size_t journal_used, journal_size; /* bytes */
    const char *journal_problem;       /* why it is not written; NULL: it is */
};

struct state_facts state_facts(const struct state *state);

/* Writes what is not written yet, at once, and frees the state when its handles are closed. */
void state_stop(struct state *state);

#endif
