/* A set of routes on its way into force, in the place of what its holder holds: as a difference,
 * what is in both is not touched. All of it is checked before anything is done; both in slices (see
 * slices.h). Clients replace what they hold (action_replace.c), and the administrator's files what
 * they named before (configured.c).
 *
 * From the first check to the last change, what others change in the tables of the set waits; a set
 * of no routes, which only deletes what its holder has, makes nobody else wait. A dry run makes
 * nobody wait either, and is not one look at all: each route is judged as it is when it is looked
 * at. What the set does not name is found by its holder, so that it costs nothing that others have
 * routes, too. */
#ifndef NB_SET_WORK_H
#define NB_SET_WORK_H

#include "broker/slices.h"
#include "mroute.h"
#include "staging.h"

/* What a set would change, or has changed. */
struct set_counts {
    size_t changes[CHANGE_REPLACED + 1]; /* by enum route_change */
    size_t deleted;
};

struct set_work;

struct set_class {
    /* Whether the holder may add this route, or give this one up, which nobody else holds. is_new:
     * the holder has no lease on it yet. NULL: whatever it is. */
    bool (*may_add)(struct set_work *work, const struct args_add_mfc *args, bool is_new,
                    struct error *error);
    bool (*may_delete)(struct set_work *work, const struct route *route, struct error *error);
    /* Whether all of it may be done, when each of its parts may be. NULL: yes. */
    bool (*may_apply)(struct set_work *work, struct error *error);
    /* Of what was checked the kernel refused this one. Whether the others are wanted all the same.
     * NULL: no. */
    bool (*goes_on)(struct set_work *work, const struct args_add_mfc *args,
                    const struct error *error);
    /* All is done, or nothing was because of work->error. The work may be freed, or begun anew. */
    void (*done)(struct set_work *work);
    bool adds_only; /* what the holder holds and the set does not name stays */
};

struct set_work {
    struct slice_job job; /* first */
    const struct set_class *class;
    struct slices *slices;
    struct mroute *mroute;
    struct staging *staging; /* borrowed */
    struct holder holder;
    bool dry_run; /* ends when all is checked */

    struct set_counts counts;
    size_t new_leases, lost_leases; /* of the holder */
    size_t kept;                    /* routes that it loses and others hold */
    size_t line_count, line_bytes;  /* that are to be kept of it */
    size_t promised;                /* of its routes that are not there yet */
    bool applying;                  /* there is no way back */
    bool failed;
    struct error error;

    /* Where it is. */
    enum slice_step (*phase)(struct set_work *work);
    const struct staged *next;
    struct lease_cursor cursor; /* over what the holder has */
    bool cursor_is_open;
    struct vif_needs *needs; /* owned */
    struct waiter waiter;
    struct {
        uint8_t family;
        uint32_t table;
    } tables[TABLES_MAX]; /* that it keeps open */
    unsigned table_count;
};

/* Makes the work: work->job is to be added to the slices. holder->generation is set here. */
void set_work_init(struct set_work *work, struct slices *slices, const struct set_class *class,
                   struct mroute *mroute, struct staging *staging, const struct holder *holder,
                   bool dry_run);

/* Who may do what has changed: what was checked is checked anew. Not when it is applied. */
void set_work_check_again(struct set_work *work);

/* Ends it before anything was applied; done is not called. */
void set_work_cancel(struct set_work *work);

#endif
