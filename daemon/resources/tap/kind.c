#include "kind.h"

#include "broker/guard/target.h"

static size_t count(void *self)
{
    (void)self;
    return 0;
}

static bool start(const struct resource_host *host, void **ret_self)
{
    (void)host;
    *ret_self = NULL;
    return true;
}

static void free_kind(void *self)
{
    (void)self;
}

static enum restoring restore(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error)
{
    (void)self;
    (void)wanted;
    (void)holder;
    (void)waiter;
    error_set(error, ERROR_UNSUPPORTED, NULL, "The service has no taps.");
    return RESTORE_REFUSED;
}

static void settled(void *self, bool whole)
{
    (void)self;
    (void)whole;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    (void)self;
    (void)out;
    (void)reader;
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    (void)self;
    (void)uid;
    return !error_set(error, ERROR_NOT_FOUND, "name", "Invalid argument: there is no tap '%s'.",
                      request->args.close_tap.name.text);
}

const struct resource_ops tap_ops = {
    .kind = "tap",
    .verbs = "tap",
    .read_verb = "tap.read",
    .end_action = "CLOSE_TAP",
    .start = start,
    .free = free_kind,
    .restore = restore,
    .settled = settled,
    .noun = "tap",
    .count = count,
    .write_status = write_status,
    .is_missing = is_missing,
};
