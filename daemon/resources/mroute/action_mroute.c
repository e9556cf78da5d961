/* The actions that change routes: ADD_MFC, DEL_MFC, FLUSH_MFC. */

#include "actions.h"
#include <stdio.h>
#include <stdlib.h>

/* --- Changing ------------------------------------------------------------------------------ */

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

static const struct resource *find(const struct call *call, const struct args_add_mfc *args)
{
    const struct route *route =
        mroute_find(mroute_of(call), &args->source, &args->group, args->iif.text, args->table);

    return route ? route_resource(route) : NULL;
}

/* Until the table is open or, if it is, until packets are led to it. NULL: it is too late for that,
 * go on. */
static struct pending *wait_for_table(struct call *call, const struct args_add_mfc *args,
                                      pending_step *step)
{
    struct pending *pending = pending_begin(call, step);

    if (!pending || mroute_table_open(mroute_of(call), args->group.address.family, args->table,
                                      call->peer->uid, &pending->waiter))
        return pending;
    pending_withdraw(pending, call);
    return NULL;
}

static const char *const change_words[] = {
    [CHANGE_NONE] = "unchanged",
    [CHANGE_ADDED] = "added",
    [CHANGE_REPLACED] = "replaced",
};

/* What was added may have to do without packets, which another table receives. */
static void write_note(struct json *out, const struct call *call, const struct args_add_mfc *args,
                       uint32_t other)
{
    struct reader reader = call_reader(call);
    struct target there = {.table = other};
    char note[160], table[24] = "another table";

    target_add_interface(&there, args->iif.text);
    if (reader_may_read(&reader, mroute_ops.read_verb, &there))
        snprintf(table, sizeof table, "table %u", other);
    snprintf(note, sizeof note,
             "It receives no packets yet: those of %s go to %s, whose routes named the interface "
             "first.",
             args->iif.text, table);
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
    uint32_t other = args->dry_run
                         ? 0
                         : mroute_packets_elsewhere(mroute_of(call), args->group.address.family,
                                                    args->table, args->iif.text);

    if (other)
        write_note(out, call, args, other);
    reply_close(out);
}

/* Adds the route, or what `append` adds to it. */
static bool add(const struct call *call, const struct args_add_mfc *args,
                const struct holder *holder, enum route_change *ret, struct error *error)
{
    struct args_add_mfc whole;

    if (!call_may_hold(call, find(call, args), holder, error))
        return false;
    if (!args->append)
        return mroute_add(mroute_of(call), args, holder, ret, error);
    return mroute_append(mroute_of(call), args, &whole, error) &&
           mroute_add(mroute_of(call), &whole, holder, ret, error);
}

static enum outcome report_added(struct pending *pending)
{
    struct call *call = &pending->call;

    reply_added(call, &call->request.args.add_mfc, pending->change);
    return OUTCOME_REPLIED;
}

/* What is added is recorded at once: its client may not wait for the reply. */
static enum outcome add_now(struct call *call, const struct args_add_mfc *args)
{
    struct mroute *mroute = mroute_of(call);
    struct holder holder = call_holder(call, args->while_connected);
    struct pending *pending = NULL;
    enum route_change change;
    struct error error;
    bool is_new;

    if (!add(call, args, &holder, &change, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    is_new = call_note_lease(call, find(call, args), &holder);
    record_grant(call);
    if (!args->dry_run && mroute_rules_pending(mroute, args->group.address.family, args->table))
        pending = wait_for_table(call, args, report_added);
    if (!pending) {
        reply_added(call, args, change);
        return OUTCOME_REPLIED;
    }
    pending->change = change;
    pending->lease_is_new = is_new;
    return OUTCOME_PENDING;
}

static bool waits_for_table(struct call *call, const struct args_add_mfc *args, pending_step *step)
{
    return !args->dry_run &&
           !mroute_table_is_open(mroute_of(call), args->group.address.family, args->table) &&
           wait_for_table(call, args, step);
}

/* A set may be at work, the table be closed again, or hold a route that would be replaced: all of
 * it since the request came. */
static enum outcome add_when_open(struct pending *pending)
{
    struct call *call = &pending->call;
    const struct args_add_mfc *args = &call->request.args.add_mfc;
    struct error error;

    if (waits_for_set(call))
        return wait_for_set(call, add_when_open);
    if (waits_for_table(call, args, add_when_open))
        return OUTCOME_PENDING;
    if (authorise(call, &error))
        return add_now(call, args);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome handle_add_mfc(struct call *call, const struct args_add_mfc *args)
{
    if (*call_collected(call)) {
        stage_route(call, args);
        return OUTCOME_REPLIED;
    }
    return waits_for_table(call, args, add_when_open) ? OUTCOME_PENDING : add_now(call, args);
}

enum outcome handle_del_mfc(struct call *call, const struct args_del_mfc *args)
{
    struct holder holder = call_releaser(call);
    struct route_deletion deletion;
    struct error error;
    const char *done, *result;

    if (!mroute_del(mroute_of(call), args, &holder, &deletion, &error)) {
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
 * 200 ms. It goes on although its session ends. Routes that come meanwhile stay, so nobody waits
 * for it but sets, of what somebody holds. */
struct flush {
    struct slice_job job; /* first */
    struct slices *slices;
    struct route_cursor cursor;
    size_t count;
    struct pending *pending; /* NULL: nobody waits for the reply any more */
};

static enum slice_step flush_next(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    if (!flush->cursor.filter.learned && !slices_hold(flush->slices, job, HOLD_OTHERS))
        return SLICE_WAIT;
    return mroute_flush_next(&flush->cursor, &flush->count) ? SLICE_MORE : SLICE_DONE;
}

static bool concerns_nobody(const struct slice_job *job, const struct request *request)
{
    (void)job;
    (void)request;
    return false;
}

static enum outcome answer_flush(struct pending *pending)
{
    const struct flush *flush = pending->context;

    reply_flushed(&pending->call, flush->count, 0, false);
    return OUTCOME_REPLIED;
}

static void end_flush(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    route_cursor_close(&flush->cursor);
    if (flush->pending)
        pending_resume(flush->pending, NULL);
    free(flush);
}

static void leave_flush(struct pending *pending)
{
    ((struct flush *)pending->context)->pending = NULL;
}

/* False: no memory. */
static bool begin_flush(struct call *call, const struct mroute_filter *filter)
{
    struct flush *flush = calloc(1, sizeof *flush);
    struct pending *pending = flush ? pending_begin(call, answer_flush) : NULL;

    if (!pending) {
        free(flush);
        return false;
    }
    pending->cancel = leave_flush;
    pending->context = flush;
    pending->is_final = true; /* nothing keeps it from being done */
    record_grant(&pending->call);
    flush->job = (struct slice_job){
        .step = flush_next,
        .end = end_flush,
        .concerns = concerns_nobody,
    };
    flush->slices = mroute_kind_of(call)->host.slices;
    flush->pending = pending;
    route_cursor_open(&flush->cursor, mroute_of(call), filter);
    call_begin_work(call, &flush->job);
    return true;
}

/* Of all, or of what was learned; to count them takes no time. False: no memory. */
static bool flush_whoever_holds(struct call *call, const struct args_flush_mfc *args,
                                enum outcome *ret)
{
    struct mroute_filter filter = {
        .family = args->family,
        .table = args->table,
        .learned = args->learned,
    };

    *ret = OUTCOME_PENDING;
    if (!args->dry_run)
        return begin_flush(call, &filter);
    *ret = OUTCOME_REPLIED;
    reply_flushed(call, mroute_flush_count(mroute_of(call), &filter), 0, true);
    return true;
}

/* Whether it deletes only what its user holds. */
static bool flush_is_of_own(const struct args_flush_mfc *args)
{
    return !args->all && !args->learned;
}

enum outcome handle_flush_mfc(struct call *call, const struct args_flush_mfc *args)
{
    enum outcome outcome = OUTCOME_PENDING;
    struct error error;

    if (args->all && !call_is_administrator(call))
        error_set(&error, ERROR_NOT_ALLOWED, "all",
                  "'all' is for administrators, because it deletes what others hold. Without "
                  "'all', the routes that you hold are deleted.");
    else if (call_may_work(call, &error)) {
        if (flush_is_of_own(args) ? begin_own_flush(call, args)
                                  : flush_whoever_holds(call, args, &outcome))
            return outcome;
        error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory to delete routes.");
    }
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
