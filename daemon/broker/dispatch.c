#include "dispatch.h"

#include "authorise.h"
#include "session.h"

#include <stdarg.h>
#include <stdio.h>

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
    if (call->session)
        session_note_refusal(call->session);
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

enum outcome dispatch_again(struct call *call)
{
    struct error error;

    if (authorise(call, &error))
        return functions[call->request.action](call);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome dispatch_request(struct call *call, const char *bytes, size_t n)
{
    struct error error;

    if (decode_request(bytes, n, &call->request, &error))
        return dispatch_again(call);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}
