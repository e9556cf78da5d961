/* What became of a stream's frames, as the members of a line of JSON, stream/status, that all
 * publishers have. What links it has libnetbroker beside it. */
#ifndef NB_INJECT_STATUS_H
#define NB_INJECT_STATUS_H

#include "json.h"
#include "netbroker.h"

struct inject_status {
    const char *id, *word; /* word: "running" and so on */
    const struct nb_inject_counts *counts;
    const struct nb_inject_timing *timing;
    uint64_t too_long; /* frames that the ring did not take */
    uint64_t starved;  /* how often frames were made after their time, or none was there */
};

/* Frames that were not sent, and the word for why most of them were not; "": all were. */
uint64_t inject_skipped(const struct inject_status *status, const char **ret_reason);

/* `id` to `starved`, of an object that is open. */
void inject_status_write(struct json *json, const struct inject_status *status);

#endif
