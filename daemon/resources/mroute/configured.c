/* Routes that the administrator's files want: a set in the place of what they wanted before. */
#include "kind.h"
#include "log.h"
#include "set_work.h"

#include <stdlib.h>

struct configured_set {
    struct set_work work;    /* first */
    struct staging *staging; /* owned */
    struct configured_plan plan;
};

static void free_set(struct configured_set *set)
{
    staging_free(set->staging);
    free(set);
}

static struct configured_set *begin(void)
{
    struct configured_set *set = calloc(1, sizeof *set);

    if (!set)
        return NULL;
    set->staging = staging_new(FAMILY_NONE, 0);
    if (set->staging)
        return set;
    free(set);
    return NULL;
}

static bool add(struct configured_set *set, const struct request *request, struct error *error)
{
    static const struct lease_info none = {0};
    const struct args_add_mfc *args = &request->args.add_mfc;

    return mroute_args_are_sound(args, error) &&
           (staging_add(set->staging, args, &none) ||
            error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for the routes."));
}

/* Without this one the others are wanted all the same. */
static bool note_refusal(struct set_work *work, const struct args_add_mfc *args,
                         const struct error *error)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    (void)work;
    log_line(LOG_ERR, "the configured route (%s, %s) is not in force: %s",
             args->source.address.family ? prefix_format(&args->source, source) : "*",
             prefix_format(&args->group, group), error->message);
    return true;
}

static void end_work(struct set_work *work)
{
    struct configured_set *set = (struct configured_set *)work;
    const struct set_counts *counts = &work->counts;

    if (work->failed)
        log_line(LOG_ERR, "the routes of %s are not applied: %s", set->plan.path,
                 work->error.message);
    else if (set->staging->count > 0 || counts->deleted > 0)
        log_line(LOG_NOTICE, "%s: %zu routes added, %zu changed, %zu deleted, %zu unchanged.",
                 set->plan.path, counts->changes[CHANGE_ADDED], counts->changes[CHANGE_REPLACED],
                 counts->deleted, counts->changes[CHANGE_NONE]);
    set->plan.done(set->plan.context, !work->failed);
}

static void apply(void *self, struct configured_set *set, const struct configured_plan *plan)
{
    static const struct set_class difference = {.goes_on = note_refusal, .done = end_work};
    static const struct set_class additions = {
        .goes_on = note_refusal,
        .adds_only = true,
        .done = end_work,
    };
    const struct mroute_kind *kind = self;
    struct holder holder = {
        .kind = HOLDER_CONFIGURATION,
        .lease = {.uid = LEASE_UID_UNKNOWN},
        .administrator = true,
    };

    set->plan = *plan;
    set_work_init(&set->work, kind->host.slices, plan->keeps_others ? &additions : &difference,
                  kind->mroute, set->staging, &holder, false);
    slices_add(kind->host.slices, &kind->host.slices->service, &set->work.job);
}

static bool cancel(struct configured_set *set)
{
    if (set->work.applying)
        return false;
    set_work_cancel(&set->work);
    return true;
}

const struct configured_ops mroute_configured = {begin, add, apply, cancel, free_set};
