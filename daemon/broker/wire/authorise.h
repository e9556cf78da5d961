/* The gate between decoder and function: each request is held against the policy, and recorded. */
#ifndef NB_AUTHORISE_H
#define NB_AUTHORISE_H

#include "broker/guard/audit.h"
#include "broker/guard/policy.h"
#include "call.h"

/* As authorise() of call.h, for a verb that only some requests of the action need, on everything.
 */
bool authorise_also(const struct call *call, const char *verb, struct error *error);

/* Records that the peer was refused: nobody knows who it is. */
void record_stranger(struct services *services, const struct peer *peer);

/* Records that a lease ends. */
void record_release(struct services *services, const struct lease *lease);

/* What a request is about: the interfaces, the group and the table that its fields name, and, for
 * a change, the interfaces of what is there. Names are borrowed from both. */
void target_of(const struct call *call, struct target *ret);

#endif
