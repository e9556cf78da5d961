/* The actions on sets of routes: BEGIN_REPLACE, COMMIT, ABORT, and ADD_MFC between them.
 *
 * A set replaces what its user holds as a difference: what is in both is not touched. All of it is
 * checked before anything is done, and one refused request is the end of the set. The work is done
 * in slices; see set_work.h. */
#include "actions.h"
#include "set_work.h"
#include "staging.h"

#include <stdlib.h>

/* --- Collecting ---------------------------------------------------------------------------- */

/* The set that the session collects, or NULL. */
static struct staging *staging_of(const struct call *call)
{
    return (struct staging *)*call_collected(call);
}

static bool refuse_unbegun(struct error *error)
{
    return error_set(error, ERROR_NOT_BEGUN, NULL,
                     "This connection has not begun a set of routes; BEGIN_REPLACE begins one.");
}

enum outcome handle_begin_replace(struct call *call, const struct args_begin_replace *args)
{
    struct collected **set = call_collected(call);
    struct staging *staging;
    struct error error;

    if (*set)
        error_set(&error, ERROR_IN_USE, NULL,
                  "This connection has begun a set already; COMMIT or ABORT ends it.");
    else if ((staging = staging_new(args->family, args->table))) {
        *set = &staging->collected;
        reply_success(call, "Routes that are added now are kept aside until COMMIT.");
        return OUTCOME_REPLIED;
    } else
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory for a set.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

static bool check_staged(const struct staging *staging, const struct args_add_mfc *args,
                         struct error *error)
{
    const struct mroute_filter *filter = &staging->filter;
    uint8_t family = args->group.address.family;

    if (args->append)
        return error_set(error, ERROR_UNSUPPORTED, "append",
                         "Invalid argument: 'append' is not allowed in a set, which names all "
                         "outgoing interfaces of each route.");
    if (args->while_connected || args->dry_run)
        return error_set(error, ERROR_UNSUPPORTED, args->dry_run ? "dry_run" : "while_connected",
                         "Invalid argument: '%s' is not allowed in a set, whose routes the "
                         "user holds; COMMIT takes 'dry_run'.",
                         args->dry_run ? "dry_run" : "while_connected");
    if ((filter->family && filter->family != family) ||
        (filter->table && filter->table != family_table(family, args->table)))
        return error_set(error, ERROR_OUT_OF_RANGE, NULL,
                         "Invalid argument: the route is not of the family or table that "
                         "BEGIN_REPLACE named; only those are replaced.");
    return true;
}

static bool put_aside(struct call *call, struct staging *staging, const struct args_add_mfc *args,
                      struct error *error)
{
    struct args_add_mfc all = *args;
    struct holder holder = call_holder(call, false);
    enum route_change change;

    all.dry_run = true;
    if (!check_staged(staging, args, error) ||
        !mroute_check(mroute_of(call), &all, &holder, &change, error))
        return false;
    if (!call_may_collect(call))
        return error_set(error, ERROR_LIMIT, NULL,
                         "The set needs more memory than one user may have "
                         "(queued-bytes-per-user of netbrokerd.conf(5)); make it smaller.");
    return staging_add(staging, args, &call->lease) ||
           error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the set.");
}

void stage_route(struct call *call, const struct args_add_mfc *args)
{
    struct error error;

    if (put_aside(call, staging_of(call), args, &error))
        reply_close(reply_open_entry(call, &args->source, &args->group, "staged", "staged"));
    else
        reply_error(call, &error);
}

enum outcome handle_abort(struct call *call, const struct args_abort *args)
{
    struct error error;

    (void)args;
    if (staging_of(call)) {
        session_end_collected(call->session);
        reply_success(call, "The set is discarded; nothing was changed.");
        return OUTCOME_REPLIED;
    }
    refuse_unbegun(&error);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Doing --------------------------------------------------------------------------------- */

static void write_counts(struct json *out, const struct set_counts *counts)
{
    json_member_unsigned(out, "added", counts->changes[CHANGE_ADDED]);
    json_member_unsigned(out, "replaced", counts->changes[CHANGE_REPLACED]);
    json_member_unsigned(out, "deleted", counts->deleted);
    json_member_unsigned(out, "unchanged", counts->changes[CHANGE_NONE]);
}

static void reply_counts(struct call *call, const struct set_counts *counts)
{
    struct json *out =
        reply_open(call, "Set applied: %zu added, %zu replaced, %zu deleted, %zu unchanged.",
                   counts->changes[CHANGE_ADDED], counts->changes[CHANGE_REPLACED], counts->deleted,
                   counts->changes[CHANGE_NONE]);

    write_counts(out, counts);
    reply_close(out);
}

/* --- A difference -------------------------------------------------------------------------- */

/* A reply that lists it, slice by slice: first what is new or another, then what goes. */
struct difference {
    struct mroute *mroute;
    struct session *session; /* whose set it is; it goes with the reply */
    const struct staged *next;
    struct holder holder;
    struct mroute_filter filter;
    struct lease_cursor cursor; /* over what the holder has */
    struct set_counts counts;
};

static void write_staged(struct json *out, const struct args_add_mfc *args, const char *change)
{
    struct prefix any = {.address = address_any(args->group.address.family)};
    char text[PREFIX_TEXT_MAX];

    json_open(out, '{');
    json_member_string(out, "change", change);
    json_member_string(out, "source",
                       prefix_format(args->source.address.family ? &args->source : &any, text));
    json_member_string(out, "group", prefix_format(&args->group, text));
    json_member_string(out, "iif", args->iif.text);
    json_key(out, "oifs");
    json_open(out, '[');
    for (uint32_t i = 0; i < args->oifs.count; i++)
        json_string(out, args->oifs.names[i].text);
    json_close(out, ']');
    if (args->ttls.count > 0) {
        json_key(out, "ttls");
        json_open(out, '[');
        for (uint32_t i = 0; i < args->ttls.count; i++)
            json_unsigned(out, args->ttls.values[i]);
        json_close(out, ']');
    }
    json_member_string(out, "family", family_name(args->group.address.family));
    json_member_unsigned(out, "table", family_table(args->group.address.family, args->table));
    json_close(out, '}');
}

static void list_staged(struct difference *difference, struct json *out)
{
    struct args_add_mfc args;
    enum route_change change;
    struct error unused; /* it was checked */

    staged_unpack(difference->next, &args);
    difference->next = STAILQ_NEXT(difference->next, in_set);
    if (mroute_check(difference->mroute, &args, &difference->holder, &change, &unused) &&
        change != CHANGE_NONE)
        write_staged(out, &args, change == CHANGE_ADDED ? "added" : "replaced");
}

static bool write_next(void *cursor, struct json *out)
{
    struct difference *difference = cursor;
    const struct lease *lease;
    const struct route *route;

    if (difference->next) {
        list_staged(difference, out);
        return true;
    }
    lease = lease_cursor_next(&difference->cursor);
    route = lease ? mroute_leased(lease, &difference->filter) : NULL;
    if (route && mroute_would_sweep(route, &difference->holder) == SWEEP_ROUTE)
        write_change(out, "deleted", route);
    return lease != NULL;
}

static void write_rest(void *cursor, struct json *out)
{
    const struct difference *difference = cursor;

    write_counts(out, &difference->counts);
}

static void close_difference(void *cursor)
{
    struct difference *difference = cursor;

    lease_cursor_close(&difference->cursor);
    session_end_collected(difference->session);
}

static enum outcome reply_difference(struct call *call, const struct set_work *work)
{
    static const struct reply_list list = {.key = "changes",
                                           .write_next = write_next,
                                           .write_rest = write_rest,
                                           .close = close_difference};
    const struct set_counts *counts = &work->counts;
    struct difference *difference = calloc(1, sizeof *difference);

    reply_open(call, "The set would change %zu routes.",
               counts->changes[CHANGE_ADDED] + counts->changes[CHANGE_REPLACED] + counts->deleted);
    if (difference) {
        difference->mroute = mroute_of(call);
        difference->session = call->session;
        difference->next = STAILQ_FIRST(&work->staging->set);
        difference->holder = work->holder;
        difference->counts = *counts;
        difference->filter = work->staging->filter;
        lease_cursor_open_holder(&difference->cursor, mroute_leases(mroute_of(call)),
                                 &work->holder);
    }
    return reply_list(call, &list, difference);
}

/* --- Committing ---------------------------------------------------------------------------- */

/* The work of a COMMIT or, with a set of no routes, of a FLUSH_MFC. Its session may end before it
 * does. */
struct commit {
    struct set_work work;    /* first */
    struct pending *pending; /* NULL: nobody waits for the reply any more */
    unsigned lease_limit;    /* the least of the rules that allow what is new; 0: none sets one */
    bool is_flush;           /* the set is this one's own, and not the session's */
};

/* The policy may have changed since the route was put aside, and so may the route that it replaces.
 */
static bool may_add(struct set_work *work, const struct args_add_mfc *args, bool is_new,
                    struct error *error)
{
    struct commit *commit = (struct commit *)work;
    struct request request = {.action = ACTION_ADD_MFC, .args.add_mfc = *args};
    unsigned limit;

    if (!authorise_request(&commit->pending->call, &request, &limit, error))
        return false;
    if (is_new && limit && (!commit->lease_limit || limit < commit->lease_limit))
        commit->lease_limit = limit;
    return true;
}

static bool may_delete(struct set_work *work, const struct route *route, struct error *error)
{
    return authorise_release(&((struct commit *)work)->pending->call, route_resource(route), error);
}

/* From here on there is no way back. */
static bool may_apply(struct set_work *work, struct error *error)
{
    const struct commit *commit = (const struct commit *)work;
    struct call *call = &commit->pending->call;

    if (work->new_leases > work->lost_leases &&
        !call_may_hold_set(call, commit->lease_limit, work->new_leases, work->lost_leases, error))
        return false;
    commit->pending->is_final = true;
    record_grant(call);
    return true;
}

static enum outcome answer(struct pending *pending)
{
    struct call *call = &pending->call;
    const struct commit *commit = pending->context;
    const struct set_work *work = &commit->work;

    if (work->failed) {
        reply_error(call, &work->error);
    } else if (commit->is_flush) {
        reply_flushed(call, work->counts.deleted, work->kept, work->dry_run);
    } else if (work->dry_run) {
        return reply_difference(call, work);
    } else {
        reply_counts(call, &work->counts);
        session_end_collected(call->session);
    }
    return OUTCOME_REPLIED;
}

static void end_commit(struct set_work *work)
{
    struct commit *commit = (struct commit *)work;
    bool owns_set = commit->is_flush || !commit->pending;

    if (commit->pending)
        pending_resume(commit->pending, NULL);
    if (owns_set)
        staging_free(work->staging);
    free(commit);
}

static void check_again(struct pending *pending)
{
    struct commit *commit = pending->context;

    commit->lease_limit = 0;
    set_work_check_again(&commit->work);
}

/* What has begun to be applied is applied to its end. */
static void cancel_commit(struct pending *pending)
{
    struct commit *commit = pending->context;

    if (commit->work.applying) {
        commit->pending = NULL;
        if (!commit->is_flush)
            *call_collected(&pending->call) = NULL; /* it is the work's */
        return;
    }
    set_work_cancel(&commit->work);
    if (commit->is_flush)
        staging_free(commit->work.staging);
    free(commit);
}

/* False: no memory. */
static bool begin_commit(struct call *call, struct staging *staging, bool dry_run, bool is_flush)
{
    static const struct set_class class = {
        .may_add = may_add,
        .may_delete = may_delete,
        .may_apply = may_apply,
        .done = end_commit,
    };
    struct commit *commit = calloc(1, sizeof *commit);
    struct pending *pending = commit ? pending_begin(call, answer) : NULL;
    struct holder holder = call_holder(call, false);

    if (!pending) {
        free(commit);
        return false;
    }
    pending->cancel = cancel_commit;
    pending->allowed = check_again;
    pending->context = commit;
    commit->pending = pending;
    commit->is_flush = is_flush;
    set_work_init(&commit->work, mroute_kind_of(call)->host.slices, &class, mroute_of(call),
                  staging, &holder, dry_run);
    call_begin_work(call, &commit->work.job);
    return true;
}

bool begin_own_flush(struct call *call, const struct args_flush_mfc *args)
{
    struct staging *none = staging_new(args->family, args->table);

    if (none && begin_commit(call, none, args->dry_run, true))
        return true;
    staging_free(none);
    return false;
}

enum outcome handle_commit(struct call *call, const struct args_commit *args)
{
    struct staging *staging = staging_of(call);
    struct error error;

    if (!staging)
        refuse_unbegun(&error);
    else if (staging->collected.failed)
        error_set(&error, ERROR_ABORTED, NULL,
                  "A request of the set was refused, so nothing of the set is applied. Correct "
                  "it, and begin again.");
    else if (call_may_work(call, &error)) {
        if (begin_commit(call, staging, args->dry_run, false))
            return OUTCOME_PENDING;
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory to apply a set.");
    }
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
