/* The words of the rings. */
#include "layout.h"

static const struct {
    const char *word, *meaning;
} ends[] = {{"open", "it goes on"},
#define E(name, word, meaning) {word, meaning},
            RING_ENDS(E)
#undef E
};
_Static_assert(sizeof ends / sizeof *ends == RING_END_COUNT, "a row for each");

static const struct {
    const char *word, *meaning;
} refusals[] = {{"sent", "it was sent"},
#define R(name, word, meaning) {word, meaning},
                TRANSMIT_REFUSALS(R)
#undef R
};
_Static_assert(sizeof refusals / sizeof *refusals == TRANSMIT_REASON_COUNT, "a row for each");

const char *ring_end_word(enum ring_end end)
{
    return ends[end].word;
}

const char *ring_end_meaning(enum ring_end end)
{
    return ends[end].meaning;
}

const char *transmit_refusal_word(enum transmit_refusal_reason reason)
{
    return refusals[reason].word;
}

const char *transmit_refusal_meaning(enum transmit_refusal_reason reason)
{
    return refusals[reason].meaning;
}
