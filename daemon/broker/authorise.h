/* The gate between decoder and function: each request is held against the policy, and recorded. */
#ifndef NB_AUTHORISE_H
#define NB_AUTHORISE_H

#include "dispatch.h"
#include "policy.h"

struct join;
struct route;

/* Whether the policy lets the peer do what the decoded request asks. A refusal says what was
 * refused and whom to ask. Refusals are recorded, and so is what changes something; where a lease
 * is to be held, call->lease is the one that is granted. */
bool authorise(struct call *call, struct error *error);

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
