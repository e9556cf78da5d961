/* The actions of taps: OPEN_TAP, CLOSE_TAP, SHOW_TAP. */
#include "broker/wire/call.h"
#include "kind.h"

enum outcome handle_open_tap(struct call *call, const struct args_open_tap *args)
{
    struct error error;

    (void)args;
    error_set(&error, ERROR_UNSUPPORTED, NULL, "The service has no taps.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome handle_close_tap(struct call *call, const struct args_close_tap *args)
{
    struct error error;

    error_set(&error, ERROR_NOT_FOUND, "name", "Invalid argument: there is no tap '%s'.",
              args->name.text);
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome handle_show_tap(struct call *call, const struct args_show_tap *args)
{
    struct json *out = reply_open(call, "Taps.");

    (void)args;
    json_key(out, "taps");
    json_open(out, '[');
    json_close(out, ']');
    reply_close(out);
    return OUTCOME_REPLIED;
}
