#include "sv_words.h"

#include "sv.h"

#include <string.h>

/* --- smpSynch ------------------------------------------------------------------------------ */

static const char synchs[][SV_SYNCH_BYTES] = {
    [SV_NOT_SYNCHRONIZED] = "none",
    [SV_LOCAL_CLOCK] = "local",
    [SV_GLOBAL_CLOCK] = "global",
};

enum { SYNCHS = sizeof synchs / sizeof *synchs };

const char *sv_synch_text(uint8_t synch, char ret[SV_SYNCH_BYTES])
{
    char *at = ret + sizeof "area " - 1;

    if (synch < SYNCHS)
        return memcpy(ret, synchs[synch], sizeof synchs[synch]);
    memcpy(ret, "area ", sizeof "area ");
    if (synch >= 100)
        *at++ = (char)('0' + synch / 100);
    if (synch >= 10)
        *at++ = (char)('0' + synch / 10 % 10);
    *at++ = (char)('0' + synch % 10);
    *at = '\0';
    return ret;
}

int sv_synch_find(const char *text)
{
    for (int i = 0; i < SYNCHS; i++)
        if (strcmp(text, synchs[i]) == 0)
            return i;
    return -1;
}

/* --- Quality ------------------------------------------------------------------------------- */

enum { WORD_BYTES = 16, CYCLE_SAMPLES = 80 };

static const struct {
    char word[WORD_BYTES];
    uint32_t bits;
} qualities[] = {{"good", SV_GOOD},
                 {"invalid", SV_INVALID},
                 {"reserved", SV_RESERVED},
                 {"questionable", SV_QUESTIONABLE},
#define Q(bit, name) {#name, UINT32_C(1) << (bit)},
                 SV_QUALITY_BITS(Q)
#undef Q
};
_Static_assert(sizeof qualities / sizeof *qualities == SV_QUALITY_WORDS, "a row for each word");

const char *sv_validity_word(uint32_t quality)
{
    return qualities[quality & SV_QUESTIONABLE].word;
}

const char *sv_quality_word(unsigned number, uint32_t *ret)
{
    *ret = qualities[number].bits;
    return qualities[number].word;
}

bool sv_quality_add(const char *word, size_t n, uint32_t *quality)
{
    for (unsigned i = 0; i < SV_QUALITY_WORDS; i++)
        if (strlen(qualities[i].word) == n && memcmp(qualities[i].word, word, n) == 0) {
            *quality |= qualities[i].bits;
            return true;
        }
    return false;
}

/* --- Rates --------------------------------------------------------------------------------- */

uint32_t sv_usual_rate(double nominal)
{
    return (uint32_t)(nominal * CYCLE_SAMPLES + 0.5);
}

unsigned sv_usual_asdus(uint64_t rate)
{
    static const struct {
        uint32_t rate, asdus;
    } pairs[] = {{12800, 8}, {14400, 6}, {15360, 8}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].rate == rate)
            return pairs[i].asdus;
    return 1;
}
