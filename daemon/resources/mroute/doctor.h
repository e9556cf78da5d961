/* The doctor: why are multicast packets not forwarded? It compares what is wanted with what the
 * kernel says of its interfaces, filters, rules and counters, and changes nothing. */
#ifndef NB_DOCTOR_H
#define NB_DOCTOR_H

#include "mroute.h"

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

/* Examines one flow as far as the question names it; where it names nothing, all interfaces that
 * routes use, and the flows that came lately and have no route. Takes some ten microseconds for
 * each question to the kernel, of which there are about five an interface. */
void doctor_examine(struct mroute *mroute, const struct links *links,
                    const struct args_diagnose *question, struct findings *ret);

#endif
