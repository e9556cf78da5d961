/* The count of samples, smpCnt: which are lost, come twice or late, and where it begins anew.
 *
 * It runs from 0 to the sample rate less one, and is 0 at each full second. A receiver may not know
 * the rate: it is told, or found by how fast samples come, or seen where the count begins anew. */
#ifndef NB_ANALYSE_COUNTING_H
#define NB_ANALYSE_COUNTING_H

#include <stdbool.h>
#include <stdint.h>

struct counting {
    uint32_t rate;      /* samples a second; 0: not known */
    bool rate_is_fixed; /* it was told, by a person or by smpRate */
    bool has_begun;
    uint16_t last;      /* the newest sample */
    uint64_t last_time; /* when it came, ns */
    uint64_t seen;      /* a bit for each of the 64 newest: the lowest is that of `last` */
    uint16_t first;     /* for the rate: a sample, when it came, and how many came since */
    uint64_t first_time, since;
    uint32_t rate_before; /* what the time before that one told; 0: nothing */
    /* Since the start: */
    uint64_t samples, lost, repeated, late, restarts;
};

enum counted {
    COUNTED_NEXT,     /* the sample behind the one before, or the first of all */
    COUNTED_GAP,      /* samples were lost before it */
    COUNTED_REPEATED, /* it was here before */
    COUNTED_LATE,     /* it was taken for lost */
    COUNTED_RESTART,  /* it has nothing to do with those before: the publisher began anew */
};

/* The rate is known, from smpRate or a person. */
void counting_set_rate(struct counting *counting, uint32_t rate);

enum counted counting_take(struct counting *counting, uint16_t smp_cnt, uint64_t time);

#endif
