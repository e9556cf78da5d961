/* Joins that the administrator's files want. */
#include "kind.h"
#include "log.h"

#include <stdlib.h>

struct wanted_join {
    STAILQ_ENTRY(wanted_join) in_set; /* struct configured_set owns it */
    struct join_wish wish;
};

struct configured_set {
    STAILQ_HEAD(, wanted_join) list;
    size_t memberships; /* that all stand for */
};

static struct configured_set *begin(void)
{
    struct configured_set *set = calloc(1, sizeof *set);

    if (set)
        STAILQ_INIT(&set->list);
    return set;
}

static bool add(struct configured_set *set, const struct request *request, struct error *error)
{
    const struct args_add_join *args = &request->args.add_join;
    struct join_wish wish = {.key = {args->source, args->group, args->iif}, .wait = true};
    struct wanted_join *join;

    if (!join_wish_is_sound(&wish, error))
        return false;
    set->memberships += join_key_size(&wish.key);
    if (set->memberships > JOIN_MEMBERSHIPS_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The joins up to here have more than %d memberships, the limit of the "
                         "service.",
                         JOIN_MEMBERSHIPS_MAX);
    join = calloc(1, sizeof *join);
    if (!join)
        return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the joins.");
    join->wish = wish;
    STAILQ_INSERT_TAIL(&set->list, join, in_set);
    return true;
}

static void apply(void *self, struct configured_set *set, const struct configured_plan *plan)
{
    struct join_kind *kind = self;
    size_t counts[JOIN_ADDED + 1] = {0}, deleted;
    const struct wanted_join *join;
    char text[JOIN_TEXT_MAX];

    STAILQ_FOREACH (join, &set->list, in_set) {
        struct holder holder = {
            .kind = HOLDER_CONFIGURATION,
            .lease = lease_prepare(kind->host.leases, LEASE_UID_UNKNOWN),
            .generation = plan->generation,
            .administrator = true,
        };
        enum join_change change;
        struct error error;

        if (joins_add(kind->joins, &join->wish, &holder, &change, &error))
            counts[change]++;
        else
            log_line(LOG_ERR, "the configured join of %s is not in force: %s",
                     join_key_format(&join->wish.key, text), error.message);
    }
    deleted = plan->keeps_others ? 0 : leases_sweep(kind->host.leases, &join_ops, plan->generation);
    if (counts[JOIN_ADDED] + counts[JOIN_UNCHANGED] + deleted > 0)
        log_line(LOG_NOTICE, "%s: %zu joins added, %zu deleted, %zu unchanged.", plan->path,
                 counts[JOIN_ADDED], deleted, counts[JOIN_UNCHANGED]);
    plan->done(plan->context, true);
}

static void free_set(struct configured_set *set)
{
    struct wanted_join *join;

    while ((join = STAILQ_FIRST(&set->list))) {
        STAILQ_REMOVE_HEAD(&set->list, in_set);
        free(join);
    }
    free(set);
}

const struct configured_ops join_configured = {begin, add, apply, NULL, free_set};
