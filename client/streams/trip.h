/* A GOOSE trip: a member of a data set that becomes the value which a state of a sequence waits
 * for. What it was before the state began is no trip. Pure code. */
#ifndef NB_STREAMS_TRIP_H
#define NB_STREAMS_TRIP_H

#include "spec.h"

#include "iec61850/goose.h"

struct trip {
    const struct spec_trip *spec;
    bool is_known; /* a message of the publisher has come */
    bool is_so;    /* the member had the value in it */
};

/* Takes a message. True: the member has become the value with it. */
bool trip_take(struct trip *trip, const struct goose_message *message);

#endif
