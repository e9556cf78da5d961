#include "null.h"

#include "broker/metrics.h"
#include "broker/wire/once.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct null *null_of_resource(const struct resource *resource)
{
    return resource_container(resource, struct null);
}

struct null *null_find(const struct null_kind *kind, const char *name)
{
    struct null *null;

    LIST_FOREACH (null, &kind->list, in_kind)
        if (strcmp(null->name, name) == 0)
            break;
    return null;
}

/* --- Making and unmaking ------------------------------------------------------------------- */

/* The descriptor is owned from now on. NULL: no memory. */
static struct null *new_null(struct null_kind *kind, const char *name, int fd)
{
    struct null *null = calloc(1, sizeof *null);

    if (!null)
        return NULL;
    null->kind = kind;
    null->fd = fd;
    strcpy(null->name, name);
    resource_init(&null->resource, &null_ops);
    TAILQ_INIT(&null->waiters);
    LIST_INSERT_HEAD(&kind->list, null, in_kind);
    return null;
}

/* Nobody holds it any more. */
static void remove_null(struct null *null)
{
    LIST_REMOVE(null, in_kind);
    if (null->fd >= 0)
        close(null->fd);
    if (null->asked)
        null->gone = true;
    else
        free(null);
}

static struct keeper_request request_of(const struct null *null, enum keeper_operation operation)
{
    struct keeper_request request = {.operation = operation};

    memcpy(request.text, null->name, sizeof null->name);
    return request;
}

static void drop_null(struct null *null)
{
    struct keeper_request request = request_of(null, KEEPER_CLOSE_NULL);

    keeper_tell(null->kind->host.keeper, &request);
    remove_null(null);
}

/* Those who wait may do more with it when they are answered. */
static void refuse(struct null *null, int result)
{
    struct error error;

    error_set(&error, result == -ENFILE ? ERROR_LIMIT : ERROR_INTERNAL, NULL,
              "The keeper refused to open the null %s: %s. At most %d are kept.", null->name,
              strerror(-result), NULLS_MAX);
    waiters_resume(&null->waiters, &error);
    null->asked = false;
    if (null->gone) {
        free(null);
        return;
    }
    resource_end_leases(null->kind->host.leases, &null->resource);
    drop_null(null);
}

static void take_descriptor(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct null *null = (struct null *)((char *)call - offsetof(struct null, opening));

    if (null->gone) {
        if (fd >= 0)
            close(fd);
        free(null);
    } else if (fd >= 0) {
        null->asked = false;
        null->fd = fd;
        waiters_resume(&null->waiters, NULL);
    } else if (answer->error == -ECANCELED) {
        null->asked = false;
    } else {
        refuse(null, answer->error);
    }
}

static void ask(struct null *null)
{
    null->asked = true;
    null->opening.request = request_of(null, KEEPER_OPEN_NULL);
    null->opening.done = take_descriptor;
    keeper_ask(null->kind->host.keeper, &null->opening);
}

struct null *null_add(struct null_kind *kind, const char *name, const struct holder *holder,
                      struct error *error)
{
    struct null *null = null_find(kind, name);

    if ((null && !resource_has_room(&null->resource, holder, error)) ||
        !leases_reserve(kind->host.leases, error))
        return NULL;
    if (!null)
        null = new_null(kind, name, -1);
    if (null && lease_begin(kind->host.leases, &null->resource, holder)) {
        if (null->fd < 0 && !null->asked)
            ask(null);
        return null;
    }
    if (null && resource_is_free(&null->resource))
        remove_null(null);
    error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another null.");
    return NULL;
}

bool null_del(struct null_kind *kind, const char *name, const struct holder *holder, bool dry_run,
              bool *ret_kept, struct error *error)
{
    struct null *null = null_find(kind, name);

    if (!null)
        return error_set(error, ERROR_NOT_FOUND, NULL, "Invalid argument: there is no null %s.",
                         name);
    if (!resource_may_give_up(&null->resource, holder, error))
        return false;
    *ret_kept = resource_give_up(kind->host.leases, &null->resource, holder, dry_run);
    return true;
}

/* --- The kind's life ----------------------------------------------------------------------- */

static bool start(const struct resource_host *host, void **ret_self)
{
    struct null_kind *kind = calloc(1, sizeof *kind);

    if (!kind)
        return false;
    kind->host = *host;
    *ret_self = kind;
    return true;
}

static void free_kind(void *self)
{
    struct null_kind *kind = self;
    struct null *null, *next;

    for (null = LIST_FIRST(&kind->list); null; null = next) {
        next = LIST_NEXT(null, in_kind);
        resource_forget(kind->host.leases, &null->resource);
        remove_null(null);
    }
    free(kind);
}

static bool inherit(void *self, const char *name, int fd)
{
    if (strncmp(name, NULL_KEPT_PREFIX, strlen(NULL_KEPT_PREFIX)) != 0)
        return false;
    if (!new_null(self, name + strlen(NULL_KEPT_PREFIX), fd))
        close(fd);
    return true;
}

static enum restoring restore(void *self, const struct request *wanted, const struct holder *holder,
                              struct waiter *waiter, struct error *error)
{
    (void)waiter;
    return null_add(self, wanted->args.add_null.name.text, holder, error) ? RESTORE_DONE
                                                                          : RESTORE_REFUSED;
}

/* What no lease names goes, also where not all is known: there is nobody whom it serves. */
static void settled(void *self, bool whole)
{
    struct null_kind *kind = self;
    struct null *null, *next;

    (void)whole;
    for (null = LIST_FIRST(&kind->list); null; null = next) {
        next = LIST_NEXT(null, in_kind);
        if (resource_is_free(&null->resource))
            drop_null(null);
    }
}

/* --- For people and monitors --------------------------------------------------------------- */

static size_t count(void *self)
{
    const struct null_kind *kind = self;
    const struct null *null;
    size_t count = 0;

    LIST_FOREACH (null, &kind->list, in_kind)
        count++;
    return count;
}

static void write_status(void *self, struct json *out, const struct reader *reader)
{
    (void)reader; /* how many there are is no secret */
    json_key(out, "null");
    json_open(out, '{');
    json_member_unsigned(out, "nulls", count(self));
    json_close(out, '}');
}

static void write_metrics(void *self, struct json *out)
{
    metric_number(out, "nulls", "Nulls that are held.", count(self));
}

static struct producer *metrics(void *self, bool each, const struct reader *reader)
{
    (void)each;
    (void)reader;
    return producer_once(write_metrics, self);
}

/* --- What a null is to the broker ---------------------------------------------------------- */

static void release(struct resource *resource)
{
    drop_null(null_of_resource(resource));
}

static void describe(const struct resource *resource, char *text)
{
    memcpy(text, null_of_resource(resource)->name, NULL_NAME_MAX + 1);
}

/* No rule narrows it down. */
static void get_target(const struct resource *resource, struct target *ret)
{
    (void)resource;
    *ret = (struct target){0};
}

static void write_wanted(const struct resource *resource, struct json *out)
{
    json_member_string(out, "action", "ADD_NULL");
    json_key(out, "payload");
    json_open(out, '{');
    json_member_string(out, "name", null_of_resource(resource)->name);
    json_close(out, '}');
}

static bool is_missing(void *self, const struct request *request, uid_t uid, struct error *error)
{
    struct holder holder = {.lease = {.uid = uid}};
    bool kept;

    return !null_del(self, request->args.del_null.name.text, &holder, true, &kept, error) &&
           error->code == ERROR_NOT_FOUND;
}

const struct resource_ops null_ops = {
    .kind = "null",
    .verbs = "null",
    .read_verb = "null.read",
    .end_action = "DEL_NULL",
    .start = start,
    .free = free_kind,
    .inherit = inherit,
    .restore = restore,
    .settled = settled,
    .noun = "null",
    .count = count,
    .write_status = write_status,
    .metrics = metrics,
    .release = release,
    .describe = describe,
    .get_target = get_target,
    .write_wanted = write_wanted,
    .is_missing = is_missing,
};
