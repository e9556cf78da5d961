/* The actions on sets of routes: BEGIN_REPLACE, COMMIT, ABORT, and ADD_MFC between them.
 *
 * A set replaces what its user holds as a difference: what is in both is not touched. All of it is
 * checked before anything is done, and one refused request is the end of the set. */
#include "services.h"
#include "staging.h"

#include <stdlib.h>

/* --- Collecting ---------------------------------------------------------------------------- */

static bool refuse_unbegun(struct error *error)
{
    return error_set(error, ERROR_NOT_BEGUN, NULL,
                     "There is no set of routes that this connection began; BEGIN_REPLACE begins "
                     "one.");
}

enum outcome handle_begin_replace(struct call *call, const struct args_begin_replace *args)
{
    struct staging **staging = session_staging(call->session);
    struct error error;

    if (*staging)
        error_set(&error, ERROR_IN_USE, NULL,
                  "This connection collects a set already; COMMIT or ABORT ends it.");
    else if ((*staging = staging_new(args->family, args->table))) {
        reply_success(call, "The routes that come now are put aside until COMMIT.");
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

    if (args->while_connected || args->dry_run)
        return error_set(error, ERROR_UNSUPPORTED, args->dry_run ? "dry_run" : "while_connected",
                         "Invalid argument: '%s' is not for the routes of a set, which the user "
                         "holds; COMMIT takes 'dry_run'.",
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
                         "The set takes more memory than one user may have "
                         "(queued-bytes-per-user of netbrokerd.conf(5)); make it smaller.");
    return staging_add(staging, args, &call->lease) ||
           error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the set.");
}

void stage_route(struct call *call, const struct args_add_mfc *args)
{
    struct error error;

    if (put_aside(call, *session_staging(call->session), args, &error))
        reply_entry(call, &args->source, &args->group, "staged");
    else
        reply_error(call, &error);
}

enum outcome handle_abort(struct call *call, const struct args_abort *args)
{
    struct error error;

    (void)args;
    if (*session_staging(call->session)) {
        session_end_staging(call->session);
        reply_success(call, "The set is forgotten; nothing was changed.");
        return OUTCOME_REPLIED;
    }
    refuse_unbegun(&error);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Checking ------------------------------------------------------------------------------ */

/* A table that is not open yet is waited for; the call then comes again. */
static bool open_tables(struct call *call, const struct staging *staging)
{
    const struct mroute *mroute = call->services->mroute;
    const struct staged *staged;

    STAILQ_FOREACH (staged, &staging->set, in_set) {
        uint8_t family = staged->group.address.family;

        if (!mroute_table_is_open(mroute, family, staged->table) &&
            defer_for_table(call, family, staged->table))
            return false;
    }
    return true;
}

/* Whether all of it can be done, and what it would do. */
static bool check_set(struct call *call, const struct staging *staging, struct owner *owner,
                      struct set_counts *ret, struct error *error)
{
    struct mroute *mroute = call->services->mroute;
    struct vif_needs *needs = mroute_needs_new(mroute);
    const struct staged *staged;
    bool fits = needs != NULL;

    *ret = (struct set_counts){0};
    error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory to check the set.");
    STAILQ_FOREACH (staged, &staging->set, in_set) {
        struct args_add_mfc args;
        enum route_change change;

        if (!fits)
            break;
        staged_unpack(staged, &args);
        fits = mroute_check(mroute, &args, owner, &change, error) &&
               mroute_needs_add(needs, &args, error);
        ret->changes[change] += fits;
        mroute_mark(mroute, &args, owner);
    }
    free(needs);
    if (!fits)
        return false;
    ret->deleted = mroute_sweep(mroute, &staging->filter, owner, true, NULL, NULL);
    return users_may_hold_set(&call->services->users, call->peer->uid, call->lease_limit,
                              ret->changes[CHANGE_ADDED], ret->deleted, error);
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

/* What was checked fails only where the kernel has no memory: then what was done stays done. */
static bool apply_set(struct call *call, const struct staging *staging, struct owner *owner,
                      struct set_counts *ret, struct error *error)
{
    struct mroute *mroute = call->services->mroute;
    const struct staged *staged;

    *ret = (struct set_counts){0};
    STAILQ_FOREACH (staged, &staging->set, in_set) {
        struct args_add_mfc args;
        enum route_change change;

        staged_unpack(staged, &args);
        owner->lease = staged->lease;
        if (!mroute_add(mroute, &args, owner, &change, error))
            return false;
        ret->changes[change]++;
    }
    ret->deleted = mroute_sweep(mroute, &staging->filter, owner, false, NULL, NULL);
    return true;
}

/* --- A difference -------------------------------------------------------------------------- */

/* A reply that lists it, slice by slice: first what is new or another, then what goes. */
struct difference {
    struct producer producer;
    struct services *services;
    struct staging *staging; /* owned */
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

    while (out->length < OUT_PAUSE) {
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
        if (mroute_would_sweep(route, &difference->owner))
            write_change(out, "deleted", route);
    }
    return true;
}

static void destroy_difference(struct producer *producer)
{
    struct difference *difference = (struct difference *)producer;

    route_cursor_close(&difference->cursor);
    staging_free(difference->staging);
    free(difference);
}

static void reply_difference(struct call *call, const struct owner *owner,
                             const struct set_counts *counts)
{
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
    difference->staging = session_take_staging(call->session);
    difference->next = STAILQ_FIRST(&difference->staging->set);
    difference->owner = *owner;
    difference->counts = *counts;
    route_cursor_open(&difference->cursor, call->services->mroute, &difference->staging->filter);
    json_key(out, "changes");
    json_open(out, '[');
    if (list_more(&difference->producer, out))
        session_produce(call->session, &difference->producer);
    else
        destroy_difference(&difference->producer);
}

/* False: *error says why, and nothing is done (see apply_set). */
static bool commit(struct call *call, const struct staging *staging, bool dry_run,
                   struct error *error)
{
    struct owner owner = owner_of(call, false);
    struct set_counts counts;

    if (staging->failed)
        return error_set(error, ERROR_ABORTED, NULL,
                         "A request of the set was refused, so none of it is applied. Mend it, and "
                         "begin again.");
    owner.generation = mroute_next_generation(call->services->mroute);
    if (!check_set(call, staging, &owner, &counts, error))
        return false;
    if (dry_run)
        reply_difference(call, &owner, &counts);
    else if (apply_set(call, staging, &owner, &counts, error))
        reply_counts(call, &counts);
    else
        return false;
    return true;
}

enum outcome handle_commit(struct call *call, const struct args_commit *args)
{
    struct staging *staging = *session_staging(call->session);
    struct error error;

    if (!staging) {
        refuse_unbegun(&error);
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    if (!args->dry_run && !staging->failed && !open_tables(call, staging))
        return OUTCOME_DEFERRED;
    if (!commit(call, staging, args->dry_run, &error))
        reply_error(call, &error);
    session_end_staging(call->session);
    return OUTCOME_REPLIED;
}
