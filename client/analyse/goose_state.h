/* What a GOOSE message is after those before it: a new state, its repetition, or behind messages
 * that were lost; and when its publisher is taken for dead. */
#ifndef NB_ANALYSE_GOOSE_STATE_H
#define NB_ANALYSE_GOOSE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum goose_change { GOOSE_STATE, GOOSE_RETRANSMIT, GOOSE_LOST, GOOSE_TIMEOUT };

struct goose_state {
    bool has_begun, is_dead;
    uint32_t st_num, sq_num;
    uint64_t deadline; /* when the next one must have come, ns */
    uint64_t messages, states, lost, timeouts;
    uint64_t repeated; /* messages that came twice, or out of their order */
};

/* A message that came now; allowed is its timeAllowedtoLive, in ms. Returns how many messages were
 * lost before it. */
uint64_t goose_state_take(struct goose_state *state, uint32_t st_num, uint32_t sq_num,
                          uint32_t allowed, uint64_t now, enum goose_change *ret_change);

/* True, once, when the time that the last one allowed is over. */
bool goose_state_tick(struct goose_state *state, uint64_t now);

#endif
