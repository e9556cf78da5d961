#include "wanted_joins.h"

#include "log.h"

#include <stdlib.h>

struct wanted_join {
    STAILQ_ENTRY(wanted_join) in_list;
    struct join_wish wish;
};

bool wanted_joins_add(struct wanted_joins *wanted, const struct args_add_join *args,
                      struct error *error)
{
    struct join_wish wish = {.key = {args->source, args->group, args->iif}, .wait = true};
    struct wanted_join *join;

    if (!join_wish_is_sound(&wish, error))
        return false;
    wanted->memberships += join_key_size(&wish.key);
    if (wanted->memberships > JOIN_MEMBERSHIPS_MAX)
        return error_set(error, ERROR_LIMIT, NULL,
                         "The joins up to here have more than %d memberships, the limit of the "
                         "service.",
                         JOIN_MEMBERSHIPS_MAX);
    join = calloc(1, sizeof *join);
    if (!join)
        return error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the joins.");
    join->wish = wish;
    STAILQ_INSERT_TAIL(&wanted->list, join, in_list);
    return true;
}

void wanted_joins_apply(const struct wanted_joins *wanted, struct joins *joins,
                        const struct owner *owner, const char *path, bool sweep,
                        struct lease (*lease)(void *context), void *context)
{
    size_t counts[JOIN_ADDED + 1] = {0}, deleted;
    const struct wanted_join *join;
    char text[JOIN_TEXT_MAX];

    STAILQ_FOREACH (join, &wanted->list, in_list) {
        struct owner holder = *owner;
        enum join_change change;
        struct error error;

        holder.lease = lease(context);
        if (joins_add(joins, &join->wish, &holder, &change, &error))
            counts[change]++;
        else
            log_line(LOG_ERR, "the configured join of %s is not in force: %s",
                     join_key_format(&join->wish.key, text), error.message);
    }
    deleted = sweep ? joins_sweep(joins, owner->generation) : 0;
    if (counts[JOIN_ADDED] + counts[JOIN_UNCHANGED] + deleted > 0)
        log_line(LOG_NOTICE, "%s: %zu joins added, %zu deleted, %zu unchanged.", path,
                 counts[JOIN_ADDED], deleted, counts[JOIN_UNCHANGED]);
}

void wanted_joins_clear(struct wanted_joins *wanted)
{
    struct wanted_join *join;

    while ((join = STAILQ_FIRST(&wanted->list))) {
        STAILQ_REMOVE_HEAD(&wanted->list, in_list);
        free(join);
    }
    wanted->memberships = 0;
}
