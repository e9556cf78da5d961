#include "set_work.h"

#include <stddef.h>
#include <stdlib.h>

/* --- The end ------------------------------------------------------------------------------- */

static void release(struct set_work *work)
{
    mroute_waiter_cancel(work->mroute, &work->waiter);
    free(work->needs);
    work->needs = NULL;
    if (work->cursor_is_open)
        route_cursor_close(&work->cursor);
    work->cursor_is_open = false;
    while (work->table_count > 0) {
        work->table_count--;
        mroute_table_release(work->mroute, work->tables[work->table_count].family,
                             work->tables[work->table_count].table);
    }
}

static void end(struct slice_job *job)
{
    struct set_work *work = (struct set_work *)job;

    release(work);
    work->class->done(work);
}

static enum slice_step fail(struct set_work *work)
{
    work->failed = true;
    return SLICE_DONE;
}

/* --- Walking ------------------------------------------------------------------------------- */

static enum slice_step begin_phase(struct set_work *work,
                                   enum slice_step (*phase)(struct set_work *work))
{
    if (work->cursor_is_open)
        route_cursor_close(&work->cursor);
    route_cursor_open(&work->cursor, work->mroute, &work->staging->filter);
    work->cursor_is_open = true;
    work->next = STAILQ_FIRST(&work->staging->set);
    work->phase = phase;
    return SLICE_MORE;
}

/* The next request of the set. False: there is none. */
static bool take_next(struct set_work *work, struct args_add_mfc *ret)
{
    if (!work->next)
        return false;
    staged_unpack(work->next, ret);
    work->owner.lease = work->next->lease.id ? work->next->lease
                                             : mroute_lease(work->mroute, work->owner.lease.uid);
    work->next = STAILQ_NEXT(work->next, in_set);
    return true;
}

/* --- Doing --------------------------------------------------------------------------------- */

/* Packets are led to all tables when the reply says so. */
static enum slice_step await_rules(struct set_work *work)
{
    for (unsigned i = 0; i < work->table_count; i++) {
        uint8_t family = work->tables[i].family;
        uint32_t table = work->tables[i].table;

        if (mroute_rules_pending(work->mroute, family, table) &&
            mroute_table_open(work->mroute, family, table, &work->waiter))
            return SLICE_WAIT;
    }
    return SLICE_DONE;
}

static enum slice_step sweep_one(struct set_work *work)
{
    struct route *route = (struct route *)route_cursor_next(&work->cursor);

    if (!route)
        return begin_phase(work, await_rules);
    work->counts.deleted += mroute_sweep(work->mroute, route, &work->owner);
    return SLICE_MORE;
}

/* What was checked fails only where the kernel has no memory: then what was done stays done. */
static enum slice_step apply_one(struct set_work *work)
{
    struct args_add_mfc args;
    enum route_change change;

    if (!take_next(work, &args))
        return begin_phase(work, work->class->adds_only ? await_rules : sweep_one);
    if (mroute_add(work->mroute, &args, &work->owner, &change, &work->error))
        work->counts.changes[change]++;
    else if (!work->class->goes_on || !work->class->goes_on(work, &args, &work->error))
        return fail(work);
    return SLICE_MORE;
}

/* --- Checking ------------------------------------------------------------------------------ */

static enum slice_step decide(struct set_work *work)
{
    if (mroute_totals(work->mroute).routes + work->counts.changes[CHANGE_ADDED] > ROUTES_MAX) {
        error_set(&work->error, ERROR_LIMIT, NULL,
                  "Together with the existing routes, the set has more than %d routes, the "
                  "limit of the service; delete some first.",
                  ROUTES_MAX);
        return fail(work);
    }
    if (work->class->may_apply && !work->class->may_apply(work, &work->error))
        return fail(work);
    if (work->dry_run)
        return SLICE_DONE;
    work->applying = true;
    work->counts = (struct set_counts){0};
    return begin_phase(work, apply_one);
}

static enum slice_step judge_one(struct set_work *work)
{
    const struct route *route = route_cursor_next(&work->cursor);
    enum sweep sweep;

    if (!route)
        return decide(work);
    sweep = mroute_would_sweep(route, &work->owner);
    work->lost_holds += sweep != SWEEP_NONE;
    work->kept += sweep == SWEEP_HOLD;
    work->counts.deleted += sweep == SWEEP_ROUTE;
    if (sweep == SWEEP_ROUTE && work->class->may_delete &&
        !work->class->may_delete(work, route, &work->error))
        return fail(work);
    return SLICE_MORE;
}

static enum slice_step check_one(struct set_work *work)
{
    struct args_add_mfc args;
    enum route_change change;
    bool is_new;

    if (!take_next(work, &args))
        return begin_phase(work, work->class->adds_only ? decide : judge_one);
    is_new = !mroute_mark(work->mroute, &args, &work->owner);
    work->new_holds += is_new;
    if ((work->class->may_add && !work->class->may_add(work, &args, is_new, &work->error)) ||
        !mroute_check(work->mroute, &args, &work->owner, &change, &work->error) ||
        !mroute_needs_add(work->needs, &args, &work->error))
        return fail(work);
    work->counts.changes[change]++;
    return SLICE_MORE;
}

/* --- Tables -------------------------------------------------------------------------------- */

static bool keeps_open(const struct set_work *work, uint8_t family, uint32_t table)
{
    for (unsigned i = 0; i < work->table_count; i++)
        if (work->tables[i].family == family && work->tables[i].table == table)
            return true;
    return false;
}

/* A table without routes would be closed again before the last one that is needed is open. */
static void keep_open(struct set_work *work, uint8_t family, uint32_t table)
{
    mroute_table_hold(work->mroute, family, table);
    work->tables[work->table_count].family = family;
    work->tables[work->table_count++].table = table;
}

static enum slice_step open_next(struct set_work *work)
{
    uint8_t family;
    uint32_t table;

    if (!work->next)
        return begin_phase(work, check_one);
    family = work->next->group.address.family;
    table = family_table(family, work->next->table);
    if (keeps_open(work, family, table)) {
        work->next = STAILQ_NEXT(work->next, in_set);
        return SLICE_MORE;
    }
    if (mroute_table_is_open(work->mroute, family, table)) {
        keep_open(work, family, table);
        return SLICE_MORE;
    }
    if (mroute_table_open(work->mroute, family, table, &work->waiter))
        return SLICE_WAIT;
    error_set(&work->error, ERROR_LIMIT, "table",
              "Table %u would be one too many: the service keeps at most %d open.", table,
              TABLES_MAX);
    return fail(work);
}

/* For the table of the next request, or for rules when all is applied. */
static void resume(struct mroute_waiter *waiter, const struct error *error)
{
    struct set_work *work = (struct set_work *)((char *)waiter - offsetof(struct set_work, waiter));

    if (error) {
        work->error = *error;
        work->phase = fail;
    } else if (work->phase == open_next) {
        keep_open(work, work->next->group.address.family,
                  family_table(work->next->group.address.family, work->next->table));
    }
    slices_wake(work->slices);
}

/* --- The beginning ------------------------------------------------------------------------- */

static enum slice_step step(struct slice_job *job)
{
    struct set_work *work = (struct set_work *)job;

    return work->phase(work);
}

/* A number that no hold has, but of what this set names. */
static enum slice_step begin(struct set_work *work)
{
    work->owner.generation = mroute_next_generation(work->mroute);
    work->needs = mroute_needs_new(work->mroute);
    if (work->needs)
        return begin_phase(work, work->dry_run ? check_one : open_next);
    error_set(&work->error, ERROR_NO_MEMORY, NULL, "The service has no memory to check the set.");
    return fail(work);
}

void set_work_begin(struct set_work *work, struct slices *slices, const struct set_class *class,
                    struct mroute *mroute, struct staging *staging, const struct owner *owner,
                    bool dry_run)
{
    *work = (struct set_work){
        .job = {.step = step, .end = end},
        .class = class,
        .slices = slices,
        .mroute = mroute,
        .staging = staging,
        .owner = *owner,
        .dry_run = dry_run,
        .phase = begin,
        .waiter = {.resume = resume},
    };
    slices_add(slices, &work->job);
}

void set_work_cancel(struct set_work *work)
{
    slices_cancel(work->slices, &work->job);
    release(work);
}
