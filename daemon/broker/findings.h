/* What a doctor finds: sentences from good to bad, each with a hint at what would help. A kind has
 * a table of them; its checks decide which of them holds. */
#ifndef NB_FINDINGS_H
#define NB_FINDINGS_H

#include "json.h"

#include <stddef.h>

/* V(NAME, word on the wire), from good to bad. */
#define VERDICTS(V)                                                                                \
    V(OK, "ok")                                                                                    \
    V(INFO, "info")                                                                                \
    V(WARNING, "warning")                                                                          \
    V(PROBLEM, "problem")

enum verdict {
#define V(name, word) VERDICT_##name,
    VERDICTS(V)
#undef V
};

/* The word of a verdict on the wire. */
const char *verdict_word(enum verdict verdict);

struct finding {
    const char *check; /* a fixed word: what was looked at */
    enum verdict verdict;
    char message[320]; /* what is so */
    char hint[240];    /* what would help, e.g. a command, or "" */
};

enum { FINDINGS_MAX = 64 };

struct findings {
    unsigned count;
    unsigned omitted; /* for which there was no room */
    struct finding list[FINDINGS_MAX];
};

/* The place of one more, to be filled in; NULL: there is no room, and it is counted as omitted. */
struct finding *findings_add(struct findings *findings);

/* Writes the members `findings`, `omitted` and `summary`: what is worst, or all_well where nothing
 * is bad. There is one finding or more. */
void findings_write(struct json *out, const struct findings *findings, const char *all_well);

/* A word that stands in braces in a table's sentence, and what it means in one finding. */
struct meaning {
    const char *word, *text; /* text NULL: it means nothing there */
};

/* Writes a sentence with what its words in braces mean. words: the last one has NULL for a word. */
void finding_expand(const char *sentence, const struct meaning *words, char *text, size_t size);

#endif
