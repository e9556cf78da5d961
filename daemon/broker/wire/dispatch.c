#include "dispatch.h"

#include "authorise.h"
#include "pending.h"
#include "services.h"
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    static enum outcome run_##function(struct call *call)                                          \
    {                                                                                              \
        return handle_##function(call, &call->request.args.function);                              \
    }
ACTIONS(A)
#undef A

static enum outcome (*const functions[])(struct call *call) = {
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    [ACTION_##NAME] = run_##function,
    ACTIONS(A)
#undef A
};

static void begin_reply(struct call *call, const char *status)
{
    struct json *out = call->out;
    size_t begin = out->length;

    out->comma = false;
    json_open(out, '{');
    json_member_string(out, "status", status);
    if (call->request.id.start) {
        json_key(out, "id");
        json_raw(out, call->request.id.start, call->request.id.length);
    }
    if (call->session && !call->failed)
        session_queue_fds(call->session, begin);
}

static void end_reply(struct json *out)
{
    json_close(out, '}');
    json_bytes(out, "\n", 1);
}

void reply_error(struct call *call, const struct error *error)
{
    call->failed = true;
    if (call->session)
        session_note_refusal(call->session, call->request.action);
    begin_reply(call, "error");
    json_member_string(call->out, "code", error_word(error->code));
    if (error->field[0])
        json_member_string(call->out, "field", error->field);
    json_member_string(call->out, "message", error->message);
    end_reply(call->out);
}

static void write_message(struct call *call, const char *format, va_list arguments)
{
    char message[256];

    vsnprintf(message, sizeof message, format, arguments);
    begin_reply(call, "success");
    json_member_string(call->out, "message", message);
}

void reply_success(struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(call, format, arguments);
    va_end(arguments);
    end_reply(call->out);
}

struct json *reply_open(struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(call, format, arguments);
    va_end(arguments);
    json_key(call->out, "payload");
    json_open(call->out, '{');
    return call->out;
}

void reply_close(struct json *out)
{
    json_close(out, '}');
    end_reply(out);
}

struct json *reply_open_value(struct call *call, const char *message)
{
    begin_reply(call, "success");
    json_member_string(call->out, "message", message);
    json_key(call->out, "payload");
    return call->out;
}

void reply_close_value(struct json *out)
{
    end_reply(out);
}

/* --- What else call.h has for actions ------------------------------------------------------- */

const char *call_first_mistake(const struct call *call, bool *ret_closed)
{
    const char *instead = call_hidden_mistakes(call);

    *ret_closed = call->services->policy.closed;
    return instead ? instead : file_mistakes_first(&call->services->mistakes);
}

const char *call_hidden_mistakes(const struct call *call)
{
    struct reader reader = call_reader(call);
    struct target everything = {0};

    if (file_mistakes_count(&call->services->mistakes) == 0 ||
        reader_may_read(&reader, "policy.read", &everything))
        return NULL;
    return "The administrator's files have mistakes; who may read the policy (policy.read) is told "
           "which.";
}

void *call_kind(const struct call *call, const struct resource_ops *ops)
{
    return kind_self(&call->services->kinds, ops);
}

bool call_is_administrator(const struct call *call)
{
    return policy_is_administrator(&call->services->policy, call->peer);
}

struct holder call_holder(const struct call *call, bool while_connected)
{
    struct holder holder = {
        .kind = while_connected ? HOLDER_SESSION : HOLDER_USER,
        .lease = call->lease,
        .session = while_connected ? session_leases(call->session) : NULL,
        .administrator = call_is_administrator(call),
    };

    holder.lease.uid = call->peer->uid; /* also of those who ask for no lease */
    return holder;
}

struct holder call_releaser(const struct call *call)
{
    struct holder holder = call_holder(call, false);

    holder.session = session_leases(call->session);
    return holder;
}

bool call_may_hold(const struct call *call, const struct resource *resource,
                   const struct holder *holder, struct error *error)
{
    uid_t uid = holder->lease.uid;
    unsigned limit = uid == call->peer->uid ? call->lease_limit : 0; /* of the rule for the peer */

    return (resource && resource_lease(resource, holder)) ||
           users_may_hold_lease(&call->services->users, uid, limit, error);
}

bool call_may_hold_set(const struct call *call, unsigned limit, size_t more, size_t less,
                       struct error *error)
{
    return users_may_hold_set(&call->services->users, call->peer->uid, limit, more, less, error);
}

bool call_may_work(const struct call *call, struct error *error)
{
    return slice_user_has_room(session_work(call->session), error);
}

void call_begin_work(struct call *call, struct slice_job *job)
{
    slices_add(&call->services->slices, session_work(call->session), job);
}

bool call_note_lease(struct call *call, const struct resource *resource,
                     const struct holder *holder)
{
    const struct lease *lease = resource ? resource_lease(resource, holder) : NULL;
    bool is_new = lease && lease->info.id == call->lease.id;

    if (lease)
        call->lease = lease->info;
    return is_new;
}

/* --- Lists --------------------------------------------------------------------------------- */

/* A piece of work ends with whichever comes first: to pass over an element takes up to 0.2 us, to
 * write one up to 3 us. */
enum { LOOKS_A_PIECE = 64, WRITTEN_A_PIECE = 2048 };

struct listing {
    struct producer producer; /* first */
    const struct reply_list *list;
    void *cursor; /* owned */
};

static void open_list(const struct reply_list *list, struct json *out)
{
    json_key(out, list->key);
    json_open(out, list->is_object ? '{' : '[');
}

/* False: it was the last one. */
static bool close_list(struct listing *listing, struct json *out)
{
    const struct reply_list *list = listing->list;

    json_close(out, list->is_object ? '}' : ']');
    if (list->write_rest)
        list->write_rest(listing->cursor, out);
    if (list->then) {
        listing->list = list->then;
        open_list(listing->list, out);
        return true;
    }
    reply_close(out);
    return false;
}

static bool list_more(struct producer *producer, struct json *out)
{
    struct listing *listing = (struct listing *)producer;
    size_t end = out->length + WRITTEN_A_PIECE;

    for (int i = 0; i < LOOKS_A_PIECE && out->length < end; i++)
        if (!listing->list->write_next(listing->cursor, out))
            return close_list(listing, out);
    return true;
}

static void close_cursor(const struct reply_list *list, void *cursor)
{
    while (list->then)
        list = list->then;
    if (list->close)
        list->close(cursor);
    free(cursor);
}

static void destroy_listing(struct producer *producer)
{
    struct listing *listing = (struct listing *)producer;

    close_cursor(listing->list, listing->cursor);
    free(listing);
}

enum outcome reply_list(struct call *call, const struct reply_list *list, void *cursor)
{
    struct listing *listing = calloc(1, sizeof *listing);

    if (!cursor || !listing) {
        call->out->failed = true;
        if (cursor)
            close_cursor(list, cursor);
        free(listing);
        return OUTCOME_REPLIED;
    }
    *listing = (struct listing){{list_more, destroy_listing}, list, cursor};
    open_list(list, call->out);
    reply_produce(call, &listing->producer);
    return OUTCOME_REPLIED;
}

/* --- Changes while a set is applied -------------------------------------------------------- */

/* What a set at work would be checked against: a part of a set that is collected changes nothing
 * yet. */
static bool changes_now(const struct call *call)
{
    unsigned flags = action_row(call->request.action)->flags;

    return (flags & ACTION_WAITS_FOR_SETS) && !((flags & ACTION_STAGED) && *call_collected(call));
}

bool waits_for_set(const struct call *call)
{
    return changes_now(call) &&
           slices_hold_up(&call->services->slices, session_work(call->session), &call->request);
}

enum outcome wait_for_set(struct call *call, pending_step *step)
{
    struct pending *pending = pending_begin(call, step);
    struct error error;

    if (pending) {
        slices_wait(&call->services->slices, session_work(call->session), &pending->waiter);
        return OUTCOME_PENDING;
    }
    error_set(&error, ERROR_NO_MEMORY, NULL,
              "The service has no memory for a request that waits for a set.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Performing ---------------------------------------------------------------------------- */

static enum outcome perform(struct call *call)
{
    struct leases *leases = &call->services->leases;
    struct transaction *before;
    enum outcome outcome;
    struct error error;

    if (!authorise(call, &error) ||
        !session_reserve_fds(call->session, action_row(call->request.action)->fds, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    before = leases_use(leases, &call->transaction);
    outcome = functions[call->request.action](call);
    leases_use(leases, before);
    if (outcome == OUTCOME_PENDING)
        pending_take_transaction(call);
    else
        leases_commit(leases, &call->transaction);
    if (outcome == OUTCOME_REPLIED && !call->failed)
        record_grant(call);
    return outcome;
}

/* Another one may be at work by now. */
static enum outcome perform_after_set(struct pending *pending)
{
    struct call *call = &pending->call;

    return waits_for_set(call) ? wait_for_set(call, perform_after_set) : perform(call);
}

/* Those of a request that is refused already are closed. */
static bool take_fds(struct call *call, struct error *error)
{
    const struct request *request = &call->request;

    return session_take_fds(call->session, action_row(request->action)->takes, request->fd_count,
                            error);
}

enum outcome dispatch_request(struct call *call, const char *bytes, size_t n)
{
    struct error error;

    if (decode_request(bytes, n, &call->request, &error) && take_fds(call, &error))
        return waits_for_set(call) ? wait_for_set(call, perform_after_set) : perform(call);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
