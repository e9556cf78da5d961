#include "set_work.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* --- The end ------------------------------------------------------------------------------- */

static void close_cursor(struct set_work *work)
{
    if (work->cursor_is_open)
        lease_cursor_close(&work->cursor);
    work->cursor_is_open = false;
}

static void set_promise(struct set_work *work, size_t routes)
{
    work->promised = routes;
    mroute_promise(work->mroute, routes);
}

static void release(struct set_work *work)
{
    waiter_cancel(&work->waiter);
    free(work->needs);
    work->needs = NULL;
    close_cursor(work);
    if (work->promised > 0)
        set_promise(work, 0);
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
    close_cursor(work);
    lease_cursor_open_holder(&work->cursor, mroute_leases(work->mroute), &work->holder);
    work->cursor_is_open = true;
    work->next = STAILQ_FIRST(&work->staging->set);
    work->phase = phase;
    return SLICE_MORE;
}

/* Looks at the next lease of the holder. False: there is none left. *ret is NULL if it is not on a
 * route that the set replaces. */
static bool look_at_next(struct set_work *work, struct route **ret)
{
    const struct lease *lease = lease_cursor_next(&work->cursor);

    *ret = lease ? mroute_leased(lease, &work->staging->filter) : NULL;
    return lease != NULL;
}

/* The next request of the set. False: there is none. */
static bool take_next(struct set_work *work, struct args_add_mfc *ret)
{
    if (!work->next)
        return false;
    staged_unpack(work->next, ret);
    work->holder.lease = work->next->lease.id
                             ? work->next->lease
                             : lease_prepare(mroute_leases(work->mroute), work->holder.lease.uid);
    work->next = STAILQ_NEXT(work->next, in_set);
    return true;
}

/* --- Doing --------------------------------------------------------------------------------- */

/* Packets are led to all tables when the reply says so. */
static enum slice_step await_rules(struct set_work *work)
{
    slices_release(work->slices, &work->job);
    for (unsigned i = 0; i < work->table_count; i++) {
        uint8_t family = work->tables[i].family;
        uint32_t table = work->tables[i].table;

        if (mroute_rules_pending(work->mroute, family, table) &&
            mroute_table_open(work->mroute, family, table, work->holder.lease.uid, &work->waiter))
            return SLICE_WAIT;
    }
    return SLICE_DONE;
}

static enum slice_step sweep_one(struct set_work *work)
{
    struct route *route;

    if (!look_at_next(work, &route))
        return begin_phase(work, await_rules);
    if (!route || mroute_would_sweep(route, &work->holder) == SWEEP_NONE)
        return SLICE_MORE;
    if (mroute_sweep(work->mroute, route, &work->holder))
        work->counts.deleted++;
    else
        work->kept++;
    return SLICE_MORE;
}

/* What was checked fails only where the kernel has no memory: then what was done stays done. */
static enum slice_step apply_one(struct set_work *work)
{
    struct args_add_mfc args;
    enum route_change change;

    if (!take_next(work, &args))
        return begin_phase(work, work->class->adds_only ? await_rules : sweep_one);
    if (mroute_add(work->mroute, &args, &work->holder, &change, &work->error)) {
        work->counts.changes[change]++;
        if (change == CHANGE_ADDED && work->promised > 0)
            set_promise(work, work->promised - 1);
    } else if (!work->class->goes_on || !work->class->goes_on(work, &args, &work->error))
        return fail(work);
    return SLICE_MORE;
}

/* --- Checking ------------------------------------------------------------------------------ */

/* There is room for all of it, whatever others add meanwhile in other tables. */
static void begin_to_apply(struct set_work *work)
{
    set_promise(work, work->counts.changes[CHANGE_ADDED]);
    leases_promise(mroute_leases(work->mroute), work->line_count, work->line_bytes);
    work->applying = true;
    work->counts = (struct set_counts){0};
    work->kept = 0;
}

static enum slice_step decide(struct set_work *work)
{
    if (mroute_totals(work->mroute).routes + work->counts.changes[CHANGE_ADDED] > ROUTES_MAX) {
        error_set(&work->error, ERROR_LIMIT, NULL,
                  "Together with the existing routes, the set has more than %d routes, the "
                  "limit of the service; delete some first.",
                  ROUTES_MAX);
        return fail(work);
    }
    if (work->line_count > 0 && !leases_have_room(mroute_leases(work->mroute), work->line_count,
                                                  work->line_bytes, &work->error))
        return fail(work);
    if (work->class->may_apply && !work->class->may_apply(work, &work->error))
        return fail(work);
    if (work->dry_run)
        return SLICE_DONE;
    begin_to_apply(work);
    return begin_phase(work, apply_one);
}

static enum slice_step judge_one(struct set_work *work)
{
    struct route *route;
    enum sweep sweep;

    if (!look_at_next(work, &route))
        return decide(work);
    if (!route)
        return SLICE_MORE;
    sweep = mroute_would_sweep(route, &work->holder);
    work->lost_leases += sweep != SWEEP_NONE;
    work->kept += sweep == SWEEP_LEASE;
    work->counts.deleted += sweep == SWEEP_ROUTE;
    if (sweep == SWEEP_ROUTE && work->class->may_delete &&
        !work->class->may_delete(work, route, &work->error))
        return fail(work);
    return SLICE_MORE;
}

/* The request that is kept for it (write_wanted) has less than 320 bytes beside its interfaces. */
static void count_line(struct set_work *work, const struct args_add_mfc *args)
{
    work->line_count++;
    work->line_bytes += 320;
    for (uint32_t i = 0; i < args->oifs.count; i++)
        work->line_bytes += strlen(args->oifs.names[i].text) + strlen("\"\",255,");
}

static enum slice_step check_one(struct set_work *work)
{
    struct args_add_mfc args;
    enum route_change change;
    bool is_new;

    if (!take_next(work, &args))
        return begin_phase(work, work->class->adds_only ? decide : judge_one);
    is_new = !mroute_mark(work->mroute, &args, &work->holder);
    work->new_leases += is_new;
    if ((work->class->may_add && !work->class->may_add(work, &args, is_new, &work->error)) ||
        !mroute_check(work->mroute, &args, &work->holder, &change, &work->error) ||
        !mroute_needs_add(work->needs, &args, &work->error))
        return fail(work);
    work->counts.changes[change]++;
    if (change != CHANGE_NONE || is_new)
        count_line(work, &args);
    return SLICE_MORE;
}

/* A number that no lease has but those of what this set names. */
static enum slice_step begin_check(struct set_work *work)
{
    work->holder.generation = mroute_next_generation(work->mroute);
    work->counts = (struct set_counts){0};
    work->new_leases = work->lost_leases = work->kept = 0;
    work->line_count = work->line_bytes = 0;
    free(work->needs);
    work->needs = mroute_needs_new(work->mroute, work->holder.lease.uid);
    if (work->needs)
        return begin_phase(work, check_one);
    error_set(&work->error, ERROR_NO_MEMORY, NULL, "The service has no memory to check the set.");
    return fail(work);
}

/* From here on what is checked stays so. */
static enum slice_step hold(struct set_work *work)
{
    bool deletes_only = STAILQ_EMPTY(&work->staging->set);

    return slices_hold(work->slices, &work->job, deletes_only ? HOLD_OWN : HOLD_OTHERS)
               ? begin_phase(work, begin_check)
               : SLICE_WAIT;
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
    mroute_table_keep(work->mroute, family, table);
    work->tables[work->table_count].family = family;
    work->tables[work->table_count++].table = table;
}

static enum slice_step open_next(struct set_work *work)
{
    uint8_t family;
    uint32_t table;

    if (!work->next)
        return begin_phase(work, hold);
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
    if (mroute_table_open(work->mroute, family, table, work->holder.lease.uid, &work->waiter))
        return SLICE_WAIT;
    if (mroute_may_open(work->mroute, work->holder.lease.uid, &work->error))
        error_set(&work->error, ERROR_LIMIT, "table",
                  "Table %u would be one too many: the service keeps at most %d open.", table,
                  TABLES_MAX);
    return fail(work);
}

/* For the table of the next request, or for rules when all is applied. */
static void resume(struct waiter *waiter, const struct error *error)
{
    struct set_work *work = (struct set_work *)((char *)waiter - offsetof(struct set_work, waiter));

    if (error) {
        work->error = *error;
        work->phase = fail;
    } else if (work->phase == open_next) {
        keep_open(work, work->next->group.address.family,
                  family_table(work->next->group.address.family, work->next->table));
    }
    slices_wake(work->slices, &work->job);
}

/* --- The beginning ------------------------------------------------------------------------- */

static enum slice_step step(struct slice_job *job)
{
    struct set_work *work = (struct set_work *)job;

    return work->phase(work);
}

/* Others' routes of tables that the set does not name are not its concern. */
static bool concerns(const struct slice_job *job, const struct request *request)
{
    const struct set_work *work = (const struct set_work *)job;
    uint8_t family;

    switch (request->action) {
    case ACTION_ADD_MFC:
        family = request->args.add_mfc.group.address.family;
        return keeps_open(work, family, family_table(family, request->args.add_mfc.table));
    case ACTION_DEL_MFC:
        family = request->args.del_mfc.group.address.family;
        return keeps_open(work, family, family_table(family, request->args.del_mfc.table));
    default:
        return true;
    }
}

static enum slice_step begin(struct set_work *work)
{
    return begin_phase(work, work->dry_run ? begin_check : open_next);
}

void set_work_init(struct set_work *work, struct slices *slices, const struct set_class *class,
                   struct mroute *mroute, struct staging *staging, const struct holder *holder,
                   bool dry_run)
{
    *work = (struct set_work){
        .job = {.step = step, .end = end, .concerns = concerns},
        .class = class,
        .slices = slices,
        .mroute = mroute,
        .staging = staging,
        .holder = *holder,
        .dry_run = dry_run,
        .phase = begin,
        .waiter = {.resume = resume},
    };
}

void set_work_check_again(struct set_work *work)
{
    if (work->phase == check_one || work->phase == judge_one)
        work->phase = begin_check;
}

void set_work_cancel(struct set_work *work)
{
    slices_cancel(work->slices, &work->job);
    release(work);
}
