/* The words for numbers of Sampled Values, as users write and read them, and how many samples a
 * frame usually has. Pure code. */
#ifndef NB_IEC61850_SV_WORDS_H
#define NB_IEC61850_SV_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SV_SYNCH_MAX = 254, /* the highest number of an area */
    SV_SYNCH_BYTES = 9, /* of the longest text, "area 254" */
    SV_QUALITY_WORDS = 16,
};

/* smpSynch: "none", "local", "global", or "area 7". Returns ret. */
const char *sv_synch_text(uint8_t synch, char ret[SV_SYNCH_BYTES]);

/* The smpSynch that "none", "local" or "global" stands for; -1: it is another text. */
int sv_synch_find(const char *text);

/* "good", "invalid", "reserved" or "questionable". */
const char *sv_validity_word(uint32_t quality);

/* The word of this number, from 0: those of the validity, then those of single bits; *ret is what
 * it sets of a quality. */
const char *sv_quality_word(unsigned number, uint32_t *ret);

/* Adds what a word of n characters sets. False: there is no such word. */
bool sv_quality_add(const char *word, size_t n, uint32_t *quality);

/* Samples a second: 80 of a period of the nominal frequency, in Hz, as 9-2LE has it. */
uint32_t sv_usual_rate(double nominal);

/* How many samples a frame has: the profiles 9-2LE and 61869-9 pair them with the rate. */
unsigned sv_usual_asdus(uint64_t rate);

#endif
