/* Changes that others make to our tables: noticed, and undone.
 *
 * The kernel tells what is deleted, and what another than the owner writes (platform/mroute.h).
 * What that says of our routes is a suspicion; a moment later, in a round, the kernel is asked what
 * is there, and what differs is written again. Where messages were lost, or are too many, all of
 * the table is looked at, in slices.
 *
 * Who fights us costs no more than one round at a time, each later than the last, and nothing is
 * listened to in between when too much is said. */
#ifndef NB_FOREIGN_H
#define NB_FOREIGN_H

#include "mroute.h"

enum { SUSPECTS_MAX = 64 };

/* Of a table. */
struct suspicion {
    bool entries; /* any of them */
    bool vifs, rules;
    unsigned count;
    struct suspect {
        struct address source, group;
    } suspects[SUSPECTS_MAX];
    bool in_round;               /* all entries are looked at in this round */
    struct mroute_healed healed; /* in this round */
};

/* Of all tables. */
struct foreign {
    int fd;               /* that tells of changes; -1: none */
    bool deaf;            /* too much is said: it is listened to again in the next round */
    bool in_round;        /* one is at work */
    uint64_t now_ms;      /* of a steady clock */
    uint64_t due_ms;      /* when the next round begins; 0: none is needed */
    uint64_t ended_ms;    /* when one ended in which all of a table was looked at */
    uint64_t healed_ms;   /* when one ended in which something was undone */
    unsigned streak;      /* of those, without a long calm */
    uint64_t unexplained; /* messages since the last round */
    uint64_t erased;      /* entries that the service had deleted by then */
    struct mfc *mfc;      /* all of which is looked at now; NULL: none */
    int dump_fd;          /* that tells of its entries; -1: the cursor walks over its routes */
    struct route_cursor cursor;
};

struct mroute;
void foreign_start(struct mroute *mroute);
void foreign_stop(struct mroute *mroute);

/* The table is about to go. */
struct mfc;
void foreign_forget(struct mroute *mroute, const struct mfc *mfc);

/* Whether the kernel's entry is the one that was written for the route. */
struct route;
bool entry_fits(const struct route *route, const struct mfc_found *found);

#endif
