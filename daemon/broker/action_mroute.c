/* The actions that change routes: ADD_MFC, DEL_MFC, FLUSH_MFC. */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>

/* --- Changing ------------------------------------------------------------------------------ */

struct deferred_call {
    struct deferral deferral; /* first: the session frees it */
    struct mroute_waiter waiter;
};

static void resume_call(struct mroute_waiter *waiter, const struct error *error)
{
    struct deferred_call *call =
        (struct deferred_call *)((char *)waiter - offsetof(struct deferred_call, waiter));

    session_resume(&call->deferral, error);
}

static void cancel_call(struct deferral *deferral)
{
    struct deferred_call *call = (struct deferred_call *)deferral;

    mroute_waiter_cancel(deferral->call.services->mroute, &call->waiter);
}

bool defer_for_table(struct call *call, uint8_t family, uint32_t table)
{
    struct mroute *mroute = call->services->mroute;
    struct deferred_call *deferred = calloc(1, sizeof *deferred);

    if (!deferred)
        return false;
    deferred->waiter.resume = resume_call;
    deferred->deferral.cancel = cancel_call;
    if (mroute_table_open(mroute, family, table, &deferred->waiter)) {
        if (session_defer(&deferred->deferral, call))
            return true;
        mroute_waiter_cancel(mroute, &deferred->waiter);
    }
    free(deferred);
    return false;
}

struct json *reply_open_entry(struct call *call, const struct prefix *source,
                              const struct prefix *group, const char *done, const char *result)
{
    char source_text[PREFIX_TEXT_MAX], group_text[PREFIX_TEXT_MAX];
    struct prefix any = {.address = address_any(group->address.family)};
    struct json *out =
        reply_open(call, "MFC entry for (%s, %s) %s.",
                   prefix_format(source->address.family ? source : &any, source_text),
                   prefix_format(group, group_text), done);

    json_member_string(out, "result", result);
    return out;
}

/* One more lease is one too many, unless the route is the user's already. */
static bool may_hold(const struct call *call, const struct args_add_mfc *args,
                     const struct owner *owner, struct error *error)
{
    const struct route *route;

    if (users_may_hold_lease(&call->services->users, call->peer->uid, call->lease_limit, error))
        return true;
    route = mroute_find(call->services->mroute, &args->source, &args->group, args->iif.text,
                        args->table);
    return route && route_hold(route, owner);
}

static bool waits_for_table(struct call *call, const struct args_add_mfc *args)
{
    uint8_t family = args->group.address.family;

    return !args->dry_run && !mroute_table_is_open(call->services->mroute, family, args->table) &&
           defer_for_table(call, family, args->table);
}

/* Until packets are led to the table. */
static bool waits_for_rules(struct call *call, const struct args_add_mfc *args)
{
    uint8_t family = args->group.address.family;

    return !args->dry_run && mroute_rules_pending(call->services->mroute, family, args->table) &&
           defer_for_table(call, family, args->table);
}

static const char *const change_words[] = {
    [CHANGE_NONE] = "unchanged",
    [CHANGE_ADDED] = "added",
    [CHANGE_REPLACED] = "replaced",
};

/* What was added may have to do without packets; then the reply says so. */
static void write_note(struct json *out, const struct call *call, const struct args_add_mfc *args)
{
    uint32_t other = mroute_packets_elsewhere(call->services->mroute, args->group.address.family,
                                              args->table, args->iif.text);
    char note[160];

    if (!other)
        return;
    snprintf(note, sizeof note,
             "It receives no packets yet: those of %s go to table %u, whose routes named the "
             "interface first.",
             args->iif.text, other);
    json_member_string(out, "note", note);
}

/* Existing clients compare the message with the one word "added"; `result` says what was done. */
static void reply_added(struct call *call, const struct args_add_mfc *args,
                        enum route_change change)
{
    const char *done = !args->dry_run              ? "added"
                       : change == CHANGE_NONE     ? "exists already, nothing would be written"
                       : change == CHANGE_REPLACED ? "would be replaced"
                                                   : "would be added";
    struct json *out =
        reply_open_entry(call, &args->source, &args->group, done, change_words[change]);

    if (!args->dry_run)
        write_note(out, call, args);
    reply_close(out);
}

/* Adds the route, or what `append` adds to it. */
static bool add(const struct call *call, const struct args_add_mfc *args, const struct owner *owner,
                enum route_change *ret, struct error *error)
{
    struct args_add_mfc whole;

    if (!may_hold(call, args, owner, error))
        return false;
    if (!args->append)
        return mroute_add(call->services->mroute, args, owner, ret, error);
    return mroute_append(call->services->mroute, args, &whole, error) &&
           mroute_add(call->services->mroute, &whole, owner, ret, error);
}

/* A user who holds the route already keeps that lease: the audit names it, not the one prepared. */
static void note_lease(struct call *call, const struct args_add_mfc *args,
                       const struct owner *owner)
{
    const struct route *route = mroute_find(call->services->mroute, &args->source, &args->group,
                                            args->iif.text, args->table);
    const struct hold *hold = route ? route_hold(route, owner) : NULL;

    if (hold)
        call->lease = hold->lease;
}

enum outcome handle_add_mfc(struct call *call, const struct args_add_mfc *args)
{
    struct owner owner = owner_of(call, args->while_connected);
    enum route_change change;
    struct error error;

    if (*session_staging(call->session)) {
        stage_route(call, args);
        return OUTCOME_REPLIED;
    }
    if (waits_for_table(call, args))
        return OUTCOME_DEFERRED;
    if (!add(call, args, &owner, &change, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    change = call_note_change(call, change);
    note_lease(call, args, &owner);
    if (waits_for_rules(call, args))
        return OUTCOME_DEFERRED;
    reply_added(call, args, change);
    return OUTCOME_REPLIED;
}

enum outcome handle_del_mfc(struct call *call, const struct args_del_mfc *args)
{
    struct owner owner = owner_of(call, false);
    struct route_deletion deletion;
    struct error error;
    const char *done, *result;

    owner.session = session_holds(call->session);
    if (!mroute_del(call->services->mroute, args, &owner, &deletion, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    result = deletion.kept ? "kept" : deletion.replaced ? "replaced" : "deleted";
    done = deletion.kept && args->dry_run ? "would be released; others still hold it"
           : deletion.kept                ? "released; others still hold it"
           : deletion.replaced            ? args->dry_run ? "would be replaced" : "replaced"
           : args->dry_run                ? "would be deleted"
                                          : "deleted";
    reply_close(reply_open_entry(call, &args->source, &args->group, done, result));
    return OUTCOME_REPLIED;
}

/* --- Deleting all -------------------------------------------------------------------------- */

void reply_flushed(struct call *call, size_t count, size_t kept, bool dry_run)
{
    struct json *out = reply_open(call, "%zu MFC %s %s.", count, count == 1 ? "entry" : "entries",
                                  dry_run ? "would be deleted" : "deleted");

    json_member_unsigned(out, "count", count);
    json_member_unsigned(out, "kept", kept);
    reply_close(out);
}

/* What is deleted whoever holds it: all, or what was learned. In slices, as 50,000 take the kernel
 * 200 ms. It goes on although its session ends. */
struct flush {
    struct slice_job job; /* first */
    struct route_cursor cursor;
    bool dry_run;
    size_t count;
    struct flush_call *call; /* NULL: nobody waits for the reply any more */
};

struct flush_call {
    struct deferral deferral; /* first: the session frees it */
    struct flush *flush;
};

static enum slice_step flush_next(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    return mroute_flush_next(&flush->cursor, flush->dry_run, &flush->count) ? SLICE_MORE
                                                                            : SLICE_DONE;
}

static void answer_flush(struct call *call, const void *what)
{
    const struct flush *flush = what;

    reply_flushed(call, flush->count, 0, flush->dry_run);
}

static void end_flush(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    route_cursor_close(&flush->cursor);
    if (flush->call)
        session_answer(&flush->call->deferral, answer_flush, flush);
    free(flush);
}

static void leave_flush(struct deferral *deferral)
{
    struct flush *flush = ((struct flush_call *)deferral)->flush;

    flush->call = NULL;
}

/* False: no memory. */
static bool begin_flush(struct call *call, const struct args_flush_mfc *args)
{
    struct mroute_filter filter = {
        .family = args->family,
        .table = args->table,
        .learned = args->learned,
    };
    struct flush_call *waiting = calloc(1, sizeof *waiting);
    struct flush *flush = calloc(1, sizeof *flush);

    if (!waiting || !flush || !session_defer(&waiting->deferral, call)) {
        free(waiting);
        free(flush);
        return false;
    }
    waiting->deferral.cancel = leave_flush;
    waiting->flush = flush;
    flush->job = (struct slice_job){.step = flush_next, .end = end_flush};
    flush->dry_run = args->dry_run;
    flush->call = waiting;
    route_cursor_open(&flush->cursor, call->services->mroute, &filter);
    slices_add(&call->services->slices, &flush->job);
    call->done = true; /* nothing keeps it from being done */
    return true;
}

bool flush_is_of_own(const struct args_flush_mfc *args)
{
    return !args->all && !args->learned;
}

enum outcome handle_flush_mfc(struct call *call, const struct args_flush_mfc *args)
{
    struct error error;

    if (args->all && !users_is_administrator(&call->services->users, call->peer->uid))
        error_set(&error, ERROR_NOT_ALLOWED, "all",
                  "'all' is for administrators, because it deletes what others hold. Without "
                  "'all', the routes that you hold are deleted.");
    else if (flush_is_of_own(args) ? begin_own_flush(call, args) : begin_flush(call, args))
        return OUTCOME_DEFERRED;
    else
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory to delete routes.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
