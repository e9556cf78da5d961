#include "leasing.h"

#include "broker/state/state.h"
#include "broker/wire/authorise.h"
#include "broker/wire/pending.h"
#include "broker/wire/services.h"

static void release(void *context, struct resource *resource)
{
    (void)context;
    resource->ops->release(resource);
}

static void charge(const struct lease *lease, bool begins)
{
    const struct resource_ops *ops = lease->resource->ops;

    if (ops->leased)
        ops->leased(lease->resource, lease->info.uid, begins);
}

static void begin_lease(void *context, const struct lease *lease)
{
    struct services *services = context;

    if (lease->info.uid != LEASE_UID_UNKNOWN)
        users_hold_lease(&services->users, lease->info.uid);
    charge(lease, true);
    if (services->state)
        state_put(services->state, lease);
}

static void end_lease(void *context, const struct lease *lease)
{
    struct services *services = context;

    if (lease->info.uid != LEASE_UID_UNKNOWN)
        users_release_lease(&services->users, lease->info.uid);
    charge(lease, false);
    if (services->state)
        state_drop(services->state, lease);
    if (lease->kind == HOLDER_FOUND)
        return; /* nobody asked for it */
    pendings_lease_ended(services, lease->info.id);
    record_release(services, lease);
}

static void change_resource(void *context, const struct resource *resource)
{
    struct services *services = context;
    const struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        if (services->state)
            state_put(services->state, lease);
}

static bool has_room(void *context, size_t count, size_t n, struct error *error)
{
    struct services *services = context;

    return !services->state || state_has_room(services->state, count, n, error);
}

static void commit(void *context, struct transaction *transaction)
{
    struct services *services = context;

    if (services->state)
        state_commit(services->state, transaction);
}

void leasing_start(struct services *services)
{
    struct leases_host host = {
        .release = release,
        .begins = begin_lease,
        .ends = end_lease,
        .changed = change_resource,
        .has_room = has_room,
        .commit = commit,
        .context = services,
    };

    leases_init(&services->leases, &host);
}
