/* The actions on sets of routes: BEGIN_REPLACE, COMMIT, ABORT, and ADD_MFC between them.
 *
 * A set replaces what its user holds as a difference: what is in both is not touched. All of it is
 * checked before anything is done, and one refused request is the end of the set. The work is done
 * in slices; see set_work.h. */
#include "authorise.h"
#include "services.h"
#include "set_work.h"
#include "staging.h"

#include <stdlib.h>

/* --- Collecting ---------------------------------------------------------------------------- */

static bool refuse_unbegun(struct error *error)
{
    return error_set(error, ERROR_NOT_BEGUN, NULL,
                     "This connection has not begun a set of routes; BEGIN_REPLACE begins one.");
}

enum outcome handle_begin_replace(struct call *call, const struct args_begin_replace *args)
{
    struct staging **staging = session_staging(call->session);
    struct error error;

    if (*staging)
        error_set(&error, ERROR_IN_USE, NULL,
                  "This connection has begun a set already; COMMIT or ABORT ends it.");
    else if ((*staging = staging_new(args->family, args->table))) {
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
    struct owner owner = owner_of(call, false);
    enum route_change change;

    all.dry_run = true;
    if (!check_staged(staging, args, error) ||
        !mroute_check(call->services->mroute, &all, &owner, &change, error))
        return false;
    if (!session_may_stage(call->session))
        return error_set(error, ERROR_LIMIT, NULL,
                         "The set needs more memory than one user may have "
                         "(queued-bytes-per-user of netbrokerd.conf(5)); make it smaller.");
    return staging_add(staging, args, &call->lease) ||
           error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the set.");
}

void stage_route(struct call *call, const struct args_add_mfc *args)
{
    struct error error;

    if (put_aside(call, *session_staging(call->session), args, &error))
        reply_close(reply_open_entry(call, &args->source, &args->group, "staged", "staged"));
    else
        reply_error(call, &error);
}

enum outcome handle_abort(struct call *call, const struct args_abort *args)
{
    struct error error;

    (void)args;
    if (*session_staging(call->session)) {
        session_end_staging(call->session);
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

/* Most of what is looked at may be unchanged, and not be listed: some 0.5 us each. */
enum { LOOKS_A_SLICE = 1024 };

/* A reply that lists it, slice by slice: first what is new or another, then what goes. */
struct difference {
    struct producer producer;
    struct services *services;
    struct session *session; /* whose set it is; it goes with the reply */
    const struct staged *next;
    struct owner owner;
    struct route_cursor cursor;
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
    if (mroute_check(difference->services->mroute, &args, &difference->owner, &change, &unused) &&
        change != CHANGE_NONE)
        write_staged(out, &args, change == CHANGE_ADDED ? "added" : "replaced");
}

static bool list_more(struct producer *producer, struct json *out)
{
    struct difference *difference = (struct difference *)producer;
    const struct route *route;

    for (int i = 0; i < LOOKS_A_SLICE && out->length < OUT_PAUSE; i++) {
        if (difference->next) {
            list_staged(difference, out);
            continue;
        }
        route = route_cursor_next(&difference->cursor);
        if (!route) {
            json_close(out, ']');
            write_counts(out, &difference->counts);
            reply_close(out);
            return false;
        }
        if (mroute_would_sweep(route, &difference->owner) == SWEEP_ROUTE)
            write_change(out, "deleted", route);
    }
    return true;
}

static void destroy_difference(struct producer *producer)
{
    struct difference *difference = (struct difference *)producer;

    route_cursor_close(&difference->cursor);
    session_end_staging(difference->session);
    free(difference);
}

static void reply_difference(struct call *call, const struct set_work *work)
{
    const struct set_counts *counts = &work->counts;
    struct difference *difference = calloc(1, sizeof *difference);
    struct json *out = reply_open(call, "The set would change %zu routes.",
                                  counts->changes[CHANGE_ADDED] + counts->changes[CHANGE_REPLACED] +
                                      counts->deleted);

    if (!difference) {
        out->failed = true; /* the session answers that there is no memory */
        return;
    }
    difference->producer = (struct producer){list_more, destroy_difference};
    difference->services = call->services;
    difference->session = call->session;
    difference->next = STAILQ_FIRST(&work->staging->set);
    difference->owner = work->owner;
    difference->counts = *counts;
    route_cursor_open(&difference->cursor, call->services->mroute, &work->staging->filter);
    json_key(out, "changes");
    json_open(out, '[');
    if (list_more(&difference->producer, out))
        session_produce(call->session, &difference->producer);
    else
        destroy_difference(&difference->producer);
}

/* --- Committing ---------------------------------------------------------------------------- */

/* The work of a COMMIT or, with a set of no routes, of a FLUSH_MFC. Its session may end before it
 * does. */
struct commit {
    struct set_work work;     /* first */
    struct commit_call *call; /* NULL: nobody waits for the reply any more */
    unsigned lease_limit;     /* the least of the rules that allow what is new; 0: none sets one */
    bool is_flush;            /* the set is this one's own, and not the session's */
};

struct commit_call {
    struct deferral deferral; /* first: the session frees it */
    struct commit *commit;
};

/* The policy may have changed since the route was put aside, and so may the route that it replaces.
 */
static bool may_add(struct set_work *work, const struct args_add_mfc *args, bool is_new,
                    struct error *error)
{
    struct commit *commit = (struct commit *)work;
    unsigned limit;

    if (!authorise_route(&commit->call->deferral.call, args, &limit, error))
        return false;
    if (is_new && limit && (!commit->lease_limit || limit < commit->lease_limit))
        commit->lease_limit = limit;
    return true;
}

static bool may_delete(struct set_work *work, const struct route *route, struct error *error)
{
    return authorise_deletion(&((struct commit *)work)->call->deferral.call, route, error);
}

static bool may_apply(struct set_work *work, struct error *error)
{
    const struct commit *commit = (const struct commit *)work;
    const struct call *call = &commit->call->deferral.call;

    return work->new_holds <= work->lost_holds ||
           users_may_hold_set(&call->services->users, call->peer->uid, commit->lease_limit,
                              work->new_holds, work->lost_holds, error);
}

static void answer(struct call *call, const void *what)
{
    const struct commit *commit = what;
    const struct set_work *work = &commit->work;

    if (work->failed) {
        reply_error(call, &work->error);
        return;
    }
    record_late_grant(call);
    if (commit->is_flush) {
        reply_flushed(call, work->counts.deleted, work->kept, work->dry_run);
    } else if (work->dry_run) {
        reply_difference(call, work);
    } else {
        reply_counts(call, &work->counts);
        session_end_staging(call->session);
    }
}

static void end_commit(struct set_work *work)
{
    struct commit *commit = (struct commit *)work;
    bool owns_set = commit->is_flush || !commit->call;

    if (commit->call)
        session_answer(&commit->call->deferral, answer, commit);
    if (owns_set)
        staging_free(work->staging);
    free(commit);
}

/* The session ends. What has begun to be applied is applied to its end. */
static void cancel_commit(struct deferral *deferral)
{
    struct commit *commit = ((struct commit_call *)deferral)->commit;

    if (commit->work.applying) {
        record_late_grant(&deferral->call);
        commit->call = NULL;
        if (!commit->is_flush)
            session_take_staging(deferral->session);
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
    struct commit_call *waiting = calloc(1, sizeof *waiting);
    struct commit *commit = calloc(1, sizeof *commit);
    struct owner owner = owner_of(call, false);

    if (waiting && commit) {
        waiting->commit = commit;
        waiting->deferral.cancel = cancel_commit;
        commit->call = waiting;
        commit->is_flush = is_flush;
        if (session_defer(&waiting->deferral, call)) {
            set_work_begin(&commit->work, &call->services->slices, &class, call->services->mroute,
                           staging, &owner, dry_run);
            return true;
        }
    }
    free(waiting);
    free(commit);
    return false;
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
    struct staging *staging = *session_staging(call->session);
    struct error error;

    if (!staging)
        refuse_unbegun(&error);
    else if (staging->failed)
        error_set(&error, ERROR_ABORTED, NULL,
                  "A request of the set was refused, so nothing of the set is applied. Correct "
                  "it, and begin again.");
    else if (begin_commit(call, staging, args->dry_run, false))
        return OUTCOME_DEFERRED;
    else
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory to apply a set.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
