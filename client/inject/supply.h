/* Frames to be sent, in order: those of a file or text (capture/source.h), once or in several
 * passes, so many in all. Frames of which the capture has a part only are passed over and counted:
 * to send less than there was would be another frame. */
#ifndef NB_SUPPLY_H
#define NB_SUPPLY_H

#include "source.h"

/* The members are the module's own, but for those before `source`, which are set before, and the
 * counters. The rest is zero at first. */
struct supply {
    uint64_t passes; /* 0: without end */
    uint64_t limit;  /* frames that are given in all; 0: no limit */
    struct savefile_source *source;
    uint64_t given;     /* frames */
    uint64_t cut;       /* that were passed over */
    uint64_t first_cut; /* the number of the first of them */
    uint64_t pass;      /* from 0 */
    uint64_t number;    /* of the latest frame in its file, from 1 */
};

enum supply_next {
    SUPPLY_FRAME,
    SUPPLY_PASS,   /* a pass is over, and another one begins */
    SUPPLY_END,    /* that was all */
    SUPPLY_WAIT,   /* poll savefile_source_fd */
    SUPPLY_BROKEN, /* see savefile_source_problem */
    SUPPLY_ONCE,   /* another pass is wanted, and the source can be read once */
};

enum supply_next supply_next(struct supply *supply, struct savefile_source_frame *ret);

#endif
