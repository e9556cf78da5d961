/* The actions ADD_NULL, DEL_NULL and SHOW_NULL. */
#include "broker/wire/pending.h"
#include "null.h"

#include <fcntl.h>

static struct null_kind *kind_of(const struct call *call)
{
    return call_kind(call, &null_ops);
}

/* --- Changing ------------------------------------------------------------------------------ */

static bool check_name(const char *name, struct error *error)
{
    return null_name_is_valid(name) ||
           error_set(error, ERROR_INVALID_NAME, "name",
                     "Invalid argument: '%s' is no name of a null; it takes a-z, 0-9 and '-'.",
                     name);
}

static enum outcome reply_failure(struct call *call, const struct error *error)
{
    reply_error(call, error);
    return OUTCOME_REPLIED;
}

static enum outcome lend(struct call *call, struct null *null)
{
    int fd = fcntl(null->fd, F_DUPFD_CLOEXEC, 0);
    struct error error;

    if (fd < 0) {
        error_set(&error, ERROR_LIMIT, NULL, "The service has no descriptor left to lend.");
        return reply_failure(call, &error);
    }
    reply_fd(call, "null", fd);
    null->lent++;
    reply_success(call, "Null %s lent.", null->name);
    return OUTCOME_REPLIED;
}

/* Its lease goes before it does, and the wait with that. */
static enum outcome lend_opened(struct pending *pending)
{
    struct call *call = &pending->call;

    return lend(call, null_find(kind_of(call), call->request.args.add_null.name.text));
}

static enum outcome wait_for_keeper(struct call *call, struct null *null, bool is_new)
{
    struct pending *pending = pending_begin(call, lend_opened);
    struct error error;

    if (!pending) {
        error_set(&error, ERROR_NO_MEMORY, NULL,
                  "The service has no memory for a request that waits for the keeper.");
        return reply_failure(call, &error);
    }
    waiters_add(&null->waiters, &pending->waiter);
    pending->lease_is_new = is_new;
    return OUTCOME_PENDING;
}

enum outcome handle_add_null(struct call *call, const struct args_add_null *args)
{
    struct null_kind *kind = kind_of(call);
    struct null *null = null_find(kind, args->name.text);
    struct holder holder = call_holder(call, args->while_connected);
    struct error error;
    bool is_new;

    if (!check_name(args->name.text, &error) ||
        !call_may_hold(call, null ? &null->resource : NULL, &holder, &error))
        return reply_failure(call, &error);
    if (args->dry_run) {
        reply_success(call, "Null %s would be lent.", args->name.text);
        return OUTCOME_REPLIED;
    }
    null = null_add(kind, args->name.text, &holder, &error);
    if (!null)
        return reply_failure(call, &error);
    is_new = call_note_lease(call, &null->resource, &holder);
    record_grant(call);
    return null->fd < 0 ? wait_for_keeper(call, null, is_new) : lend(call, null);
}

enum outcome handle_del_null(struct call *call, const struct args_del_null *args)
{
    struct holder holder = call_releaser(call);
    struct error error;
    bool kept;

    if (!null_del(kind_of(call), args->name.text, &holder, args->dry_run, &kept, &error))
        return reply_failure(call, &error);
    reply_success(call, "Null %s %s%s.", args->name.text, args->dry_run ? "would be " : "",
                  kept ? "released; others still hold it" : "deleted");
    return OUTCOME_REPLIED;
}

/* --- Showing ------------------------------------------------------------------------------- */

/* There are at most NULLS_MAX, and those that wait to be refused. */
enum outcome handle_show_null(struct call *call, const struct args_show_null *args)
{
    struct json *out = reply_open(call, "Nulls.");
    const struct null *null;

    (void)args;
    json_key(out, "nulls");
    json_open(out, '[');
    LIST_FOREACH (null, &kind_of(call)->list, in_kind) {
        json_open(out, '{');
        json_member_string(out, "name", null->name);
        json_member_unsigned(out, "lent", null->lent);
        json_member_unsigned(out, "owners", resource_lease_count(&null->resource));
        json_close(out, '}');
    }
    json_close(out, ']');
    reply_close(out);
    return OUTCOME_REPLIED;
}
