/* The loop's part in undoing what others change in our tables (foreign.h): it listens, waits until
 * a round is due, and tells subscribers and the log. */
#ifndef NB_HEALING_H
#define NB_HEALING_H

#include "broker/watch.h"
#include "mroute.h"

struct events;

struct healing {
    struct mroute *mroute; /* borrowed */
    struct events *events; /* borrowed */
    struct watch changes;
    bool listens;
    uv_timer_t timer;   /* until a round, or its next slice */
    uint64_t logged_ms; /* when the log was told last; 0: never */
};

void healing_start(struct healing *healing, uv_loop_t *loop, struct mroute *mroute,
                   struct events *events);
void healing_stop(struct healing *healing);

/* Tells of what was undone. */
void healing_report(struct healing *healing, const struct mroute_healed *healed);

/* Publishes it. */
void publish_healed(struct events *events, const struct mroute_healed *healed);

#endif
