#include "sequence.h"

void sequence_begin(struct sequence *sequence, const struct sequence_state *state, uint32_t states,
                    uint64_t tick)
{
    *sequence = (struct sequence){
        .state = state,
        .states = states,
        .status = SEQUENCE_RUNNING,
        .current = SEQUENCE_BEFORE,
        .first = tick,
        .next_begin = tick,
        .cause = SEQUENCE_BY_START,
    };
}

static uint32_t following(const struct sequence *sequence)
{
    return sequence->current == SEQUENCE_BEFORE ? 0 : sequence->current + 1;
}

static void give(struct sequence_order *order, const struct sequence *sequence, uint32_t state,
                 uint64_t tick)
{
    *order = (struct sequence_order){state < sequence->states ? SEQUENCE_ENTER : SEQUENCE_LEAVE,
                                     state, tick};
}

bool sequence_order(struct sequence *sequence, uint64_t now, uint64_t lead,
                    struct sequence_order *ret)
{
    if (sequence->ends || sequence->holds) {
        give(ret, sequence, sequence->ends ? sequence->states : sequence->current,
             sequence->order_tick);
        sequence->ends = sequence->holds = false;
        return true;
    }
    if (sequence->status != SEQUENCE_RUNNING || sequence->is_ordered ||
        sequence->next_begin > now + lead)
        return false;
    sequence->is_ordered = true;
    give(ret, sequence, following(sequence), sequence->next_begin);
    return true;
}

static void enter(struct sequence *sequence)
{
    const struct sequence_state *state;

    sequence->current = following(sequence);
    sequence->begin = sequence->next_begin;
    sequence->is_ordered = false;
    if (sequence->current == sequence->states) {
        sequence->status = SEQUENCE_COMPLETED;
        return;
    }
    state = &sequence->state[sequence->current];
    sequence->next_begin = sequence->begin + state->length;
    sequence->cause = state->has_trip ? SEQUENCE_BY_TIMEOUT : SEQUENCE_BY_TIME;
    if (sequence->pauses) {
        sequence->status = SEQUENCE_PAUSED;
        sequence->rest = state->length;
        sequence->pauses = false;
    }
}

bool sequence_news(struct sequence *sequence, uint64_t now, struct sequence_news *ret)
{
    if (sequence->status != SEQUENCE_RUNNING || !sequence->is_ordered || sequence->next_begin > now)
        return false;
    *ret = (struct sequence_news){following(sequence), sequence->next_begin, sequence->cause};
    enter(sequence);
    return true;
}

bool sequence_trip(struct sequence *sequence, uint64_t earliest)
{
    if (sequence->status != SEQUENCE_RUNNING || sequence->current == SEQUENCE_BEFORE ||
        !sequence->state[sequence->current].has_trip || sequence->cause == SEQUENCE_BY_TRIP ||
        sequence->next_begin <= earliest)
        return false;
    sequence->next_begin = earliest;
    sequence->cause = SEQUENCE_BY_TRIP;
    sequence->is_ordered = false;
    return true;
}

bool sequence_pause(struct sequence *sequence, uint64_t now, uint64_t earliest)
{
    if (sequence->status != SEQUENCE_RUNNING || sequence->current == SEQUENCE_BEFORE)
        return false;
    if (sequence->next_begin <= earliest || sequence->cause == SEQUENCE_BY_TRIP) {
        sequence->pauses = true;
        return true;
    }
    sequence->rest = sequence->next_begin - now;
    sequence->holds = sequence->is_ordered;
    sequence->order_tick = earliest;
    sequence->is_ordered = false;
    sequence->status = SEQUENCE_PAUSED;
    return true;
}

bool sequence_resume(struct sequence *sequence, uint64_t now, uint64_t earliest)
{
    if (sequence->pauses) {
        sequence->pauses = false;
        return true;
    }
    if (sequence->status != SEQUENCE_PAUSED)
        return false;
    sequence->next_begin = now + sequence->rest;
    if (sequence->next_begin < earliest)
        sequence->next_begin = earliest;
    sequence->status = SEQUENCE_RUNNING;
    return true;
}

bool sequence_stop(struct sequence *sequence, uint64_t earliest, enum sequence_status as)
{
    if (!sequence_is_on(sequence))
        return false;
    sequence->status = as;
    sequence->holds = false;
    sequence->ends = true;
    sequence->order_tick = earliest;
    return true;
}
