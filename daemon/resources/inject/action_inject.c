/* The actions of injectors: OPEN_INJECT, CLOSE_INJECT, SHOW_INJECT. */
#include "broker/wire/call.h"

static enum outcome refuse(struct call *call)
{
    struct error error;

    error_set(&error, ERROR_UNSUPPORTED, NULL, "This version sends no frames yet.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

enum outcome handle_open_inject(struct call *call, const struct args_open_inject *args)
{
    (void)args;
    return refuse(call);
}

enum outcome handle_close_inject(struct call *call, const struct args_close_inject *args)
{
    (void)args;
    return refuse(call);
}

enum outcome handle_show_inject(struct call *call, const struct args_show_inject *args)
{
    (void)args;
    return refuse(call);
}
