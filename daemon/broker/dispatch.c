#include "dispatch.h"

#include "authorise.h"
#include "services.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A(NAME, function, policy, cli, fds, documentation)                                         \
    static enum outcome run_##function(struct call *call)                                          \
    {                                                                                              \
        return handle_##function(call, &call->request.args.function);                              \
    }
ACTIONS(A)
#undef A

static enum outcome (*const functions[])(struct call *call) = {
#define A(NAME, function, policy, cli, fds, documentation) [ACTION_##NAME] = run_##function,
    ACTIONS(A)
#undef A
};

static void begin_reply(struct call *call, const char *status)
{
    struct json *out = call->out;

    out->comma = false;
    json_open(out, '{');
    json_member_string(out, "status", status);
    if (call->request.id.start) {
        json_key(out, "id");
        json_raw(out, call->request.id.start, call->request.id.length);
    }
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

unsigned call_note_change(struct call *call, unsigned change)
{
    if (change)
        call->change = (uint8_t)change;
    call->done = true;
    return call->change;
}

/* --- Changes while a set is applied -------------------------------------------------------- */

struct waiting_change {
    struct deferral deferral; /* first: the session frees it */
    struct slice_waiter waiter;
};

static void resume_change(struct slice_waiter *waiter)
{
    struct waiting_change *change =
        (struct waiting_change *)((char *)waiter - offsetof(struct waiting_change, waiter));

    session_resume(&change->deferral, NULL);
}

static void cancel_change(struct deferral *deferral)
{
    slices_wait_no_more(&deferral->call.services->slices,
                        &((struct waiting_change *)deferral)->waiter);
}

/* What a set would be checked against. Routes of a set that is collected change nothing yet. */
static bool changes_routes(const struct call *call)
{
    switch (call->request.action) {
    case ACTION_ADD_MFC:
        return !*session_staging(call->session);
    case ACTION_DEL_MFC:
    case ACTION_REVOKE:
        return true;
    default:
        return false;
    }
}

/* Puts the call off while a set is at work: what it has checked must hold until it is applied. */
static bool waits_for_set(struct call *call)
{
    struct slices *slices = &call->services->slices;
    struct waiting_change *change;

    if (!call->session || !slices_are_busy(slices) || !changes_routes(call))
        return false;
    change = calloc(1, sizeof *change);
    if (!change)
        return false;
    change->waiter.resume = resume_change;
    change->deferral.cancel = cancel_change;
    if (session_defer(&change->deferral, call)) {
        slices_wait(slices, &change->waiter);
        return true;
    }
    free(change);
    return false;
}

enum outcome dispatch_again(struct call *call)
{
    bool recorded = call->done;
    enum outcome outcome;
    struct grant grant;
    struct error error;

    if (waits_for_set(call))
        return OUTCOME_DEFERRED;
    if (!authorise(call, &grant, &error)) {
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    outcome = functions[call->request.action](call);
    /* A change is recorded as soon as it is made: its client may not wait for the reply. */
    if (!recorded && (outcome == OUTCOME_REPLIED ? !call->failed : call->done))
        record_grant(call, &grant);
    return outcome;
}

enum outcome dispatch_request(struct call *call, const char *bytes, size_t n)
{
    struct error error;

    if (decode_request(bytes, n, &call->request, &error))
        return dispatch_again(call);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
