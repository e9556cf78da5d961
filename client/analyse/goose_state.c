#include "goose_state.h"

enum { NS_PER_MS = 1000000 };

/* The number behind this one; 0 is none of them when they begin anew (IEC 61850-8-1, 18.1.2.6). */
static uint32_t after(uint32_t number)
{
    return number == UINT32_MAX ? 1 : number + 1;
}

/* How many numbers there are between the last one and this, none of them 0 after the end. */
static uint32_t between(uint32_t last, uint32_t number)
{
    return number > last ? number - last - 1 : number - after(last);
}

static uint64_t missed(struct goose_state *state, uint32_t st_num, uint32_t sq_num)
{
    uint32_t states = between(state->st_num, st_num), messages = between(state->sq_num, sq_num);

    if (st_num != state->st_num)
        return states > UINT32_MAX / 2 ? 0 : (uint64_t)states + sq_num; /* 0: it began anew */
    if (sq_num != state->sq_num && messages <= UINT32_MAX / 2)
        return messages;
    state->repeated++;
    return 0;
}

uint64_t goose_state_take(struct goose_state *state, uint32_t st_num, uint32_t sq_num,
                          uint32_t allowed, uint64_t now, enum goose_change *ret_change)
{
    uint64_t lost = state->has_begun ? missed(state, st_num, sq_num) : 0;

    *ret_change = state->has_begun && st_num == state->st_num ? GOOSE_RETRANSMIT : GOOSE_STATE;
    state->has_begun = true;
    state->is_dead = false;
    state->st_num = st_num;
    state->sq_num = sq_num;
    state->deadline = now + (uint64_t)allowed * NS_PER_MS;
    state->messages++;
    state->states += *ret_change == GOOSE_STATE;
    state->lost += lost;
    return lost;
}

bool goose_state_tick(struct goose_state *state, uint64_t now)
{
    if (!state->has_begun || state->is_dead || now <= state->deadline)
        return false;
    state->is_dead = true;
    state->timeouts++;
    return true;
}
