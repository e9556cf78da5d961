#include "rights.h"

#include "broker/guard/policy.h"
#include "mfc.h"

/* Of many holders the oldest count: each decision is a walk over the rules. */
enum { HOLDERS_JUDGED_MAX = 8 };

static bool share_holder(const struct route *a, const struct route *b)
{
    const struct lease *lease;
    unsigned looked = 0;

    LIST_FOREACH (lease, &a->resource.leases, in_resource) {
        struct holder holder = {.kind = lease->kind, .lease = lease->info};

        if (looked++ == HOLDERS_JUDGED_MAX)
            return false;
        if (lease->kind == HOLDER_CONFIGURATION ? resource_lease(&b->resource, &holder) != NULL
                                                : resource_has_user(&b->resource, lease->info.uid))
            return true;
    }
    return false;
}

/* The groups that the user was in when it asked are not known any more. */
static bool lease_allows(const struct policy *policy, const struct lease *lease,
                         const struct target *target)
{
    struct peer peer = {.uid = lease->info.uid, .gid = (gid_t)-1};

    if (lease->kind == HOLDER_CONFIGURATION)
        return true;
    return lease->kind != HOLDER_FOUND &&
           policy_decide(policy, &peer, "mroute.write", target).allowed;
}

/* Whether a holder of the one may write on the other's interfaces. */
static bool has_right(const struct policy *policy, const struct route *route,
                      const struct route *over, const struct address *group)
{
    const struct lease *lease;
    struct target target;
    unsigned looked = 0;

    mroute_ops.get_target(&over->resource, &target);
    target.group = prefix_single(group);
    LIST_FOREACH (lease, &route->resource.leases, in_resource) {
        if (looked++ == HOLDERS_JUDGED_MAX)
            return false;
        if (lease_allows(policy, lease, &target))
            return true;
    }
    return false;
}

/* By the oldest lease, which outlives a restart; then by the routes themselves. */
static bool is_elder(const struct route *a, const struct route *b)
{
    const struct lease *of_a = resource_first_lease(&a->resource);
    const struct lease *of_b = resource_first_lease(&b->resource);

    if (!of_a || !of_b)
        return of_a != NULL;
    if (of_a->info.since != of_b->info.since)
        return of_a->info.since < of_b->info.since;
    return a->serial < b->serial;
}

bool rights_may_move(const struct policy *policy, const struct route *from,
                     const struct route *range, const struct address *group)
{
    bool may_take, may_keep;

    if (!policy || from == range || share_holder(range, from))
        return true;
    may_take = has_right(policy, range, from, group);
    may_keep = has_right(policy, from, range, group);
    return may_take == may_keep ? may_take || is_elder(range, from) : may_take;
}
