#include "pending.h"

#include "authorise.h"
#include "services.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>

static void resume(struct waiter *waiter, const struct error *error)
{
    pending_resume((struct pending *)waiter, error);
}

struct pending *pending_begin(struct call *call, pending_step *step)
{
    struct pending **own = session_pending(call->session);
    struct span *id = &call->request.id;

    if (!*own) {
        *own = calloc(1, sizeof **own + id->length);
        if (!*own)
            return NULL;
        (*own)->waiter.resume = resume;
        (*own)->call = *call;
        if (id->start)
            (*own)->call.request.id.start = memcpy((*own)->id, id->start, id->length);
        LIST_INSERT_HEAD(&call->services->pendings, *own, in_services);
    }
    (*own)->step = step;
    return *own;
}

size_t pending_bytes(const struct pending *pending)
{
    return sizeof *pending + pending->call.request.id.length;
}

void pending_take_transaction(const struct call *call)
{
    struct pending *pending = *session_pending(call->session);

    if (pending)
        pending->call.transaction = call->transaction;
}

static void end(struct pending *pending)
{
    LIST_REMOVE(pending, in_services);
    session_free_pending(pending->call.session);
}

void pending_withdraw(struct pending *pending, const struct call *call)
{
    if (call != &pending->call)
        end(pending);
}

static enum outcome take_step(struct pending *pending)
{
    struct leases *leases = &pending->call.services->leases;
    struct transaction *before = leases_use(leases, &pending->call.transaction);
    enum outcome outcome = pending->step(pending);

    leases_use(leases, before);
    return outcome;
}

void pending_resume(struct pending *pending, const struct error *error)
{
    struct session *session = pending->call.session;
    struct leases *leases = &pending->call.services->leases;
    size_t before = pending->call.out->length;

    if (error)
        reply_error(&pending->call, error);
    else if (take_step(pending) == OUTCOME_PENDING)
        return;
    leases_commit(leases, &pending->call.transaction);
    end(pending);
    session_answered(session, before);
}

/* Forgets what it waits for. */
static void stop(struct pending *pending)
{
    waiter_cancel(&pending->waiter);
    if (pending->cancel)
        pending->cancel(pending);
}

void pending_cancel(struct pending *pending)
{
    stop(pending);
    leases_commit(&pending->call.services->leases, &pending->call.transaction);
    end(pending);
}

/* --- What ends meanwhile ------------------------------------------------------------------- */

static void refuse(struct pending *pending, const struct error *error)
{
    struct leases *leases = &pending->call.services->leases;
    uint64_t id = pending->lease_is_new ? pending->call.lease.id : 0;
    struct lease *lease = id ? leases_find(leases, id) : NULL;

    stop(pending);
    pending->call.lease.id = 0; /* this is the answer, and not that it ends */
    if (lease)
        lease_end(leases, lease);
    pending_resume(pending, error);
}

static void judge(struct pending *pending)
{
    struct error error;

    if (!authorise(&pending->call, &error))
        refuse(pending, &error);
    else if (pending->allowed)
        pending->allowed(pending);
}

/* To end one may end others, so each is looked for from the start. */
static struct pending *find_unjudged(const struct services *services)
{
    struct pending *pending;

    LIST_FOREACH (pending, &services->pendings, in_services)
        if (!pending->judged && !pending->is_final)
            break;
    return pending;
}

void pendings_policy_changed(struct services *services)
{
    struct pending *pending;

    LIST_FOREACH (pending, &services->pendings, in_services)
        pending->judged = false;
    while ((pending = find_unjudged(services))) {
        pending->judged = true;
        judge(pending);
    }
}

static struct pending *find_holder(const struct services *services, uint64_t lease)
{
    struct pending *pending;

    LIST_FOREACH (pending, &services->pendings, in_services)
        if (pending->call.lease.id == lease)
            break;
    return pending;
}

void pendings_lease_ended(struct services *services, uint64_t lease)
{
    struct pending *pending;
    struct error error;
    char id[LEASE_ID_SIZE];

    while (lease && (pending = find_holder(services, lease))) {
        error_set(&error, ERROR_NOT_FOUND, NULL,
                  "Lease %s of this request ended while the request waited: it was revoked, or "
                  "what it was on was deleted. Ask again, or ask your administrator.",
                  lease_id_format(lease, id));
        stop(pending);
        pending_resume(pending, &error);
    }
}
