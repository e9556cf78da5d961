/* The gate between decoder and function: each request is held against the policy, and recorded. */
#ifndef NB_AUTHORISE_H
#define NB_AUTHORISE_H

#include "audit.h"
#include "dispatch.h"
#include "policy.h"

struct join;
struct route;

/* What the audit log is told of a request that was allowed, when it is done. */
struct grant {
    bool wanted;      /* it changes something */
    bool told;        /* there is room for a line of its own */
    const char *rule; /* borrowed from the policy */
    char target[AUDIT_TARGET_MAX];
};

/* Whether the policy lets the peer do what the decoded request asks. A refusal says what was
 * refused and whom to ask, and is recorded. *ret is what record_grant takes when the request is
 * done. Where a lease is to be held, call->lease is the one that is granted. */
bool authorise(struct call *call, struct grant *ret, struct error *error);

/* Records what was allowed and is done; a route of a set is recorded as `staged`. Dry runs and what
 * only reads are passed over. */
void record_grant(const struct call *call, const struct grant *grant);

/* The same when the policy's decision is not at hand any more. */
void record_late_grant(const struct call *call);

/* The same for a verb that only some requests of the action need, on everything. */
bool authorise_also(const struct call *call, const char *verb, struct error *error);

/* Whether the policy lets the peer of a call add a route, or delete one that is there: for those
 * that are changed by another request than their own. *ret_limit: see call->lease_limit. Refusals
 * are recorded. */
bool authorise_route(const struct call *call, const struct args_add_mfc *args, unsigned *ret_limit,
                     struct error *error);
bool authorise_deletion(const struct call *call, const struct route *route, struct error *error);

/* Records that a lease on a route ends. */
void record_release(struct services *services, const struct route *route,
                    const struct lease *lease);

/* Records that a join's lease ends. */
void record_join_release(struct services *services, const struct join *join,
                         const struct lease *lease);

/* What a request is about: the interfaces, the group and the table that its fields name, and, for
 * a change, the interfaces of the route that is there. Names are borrowed from both. */
void target_of(const struct call *call, struct target *ret);

#endif
